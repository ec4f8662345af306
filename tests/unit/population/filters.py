"""Random people, random filters, and the slow, plain way to tell for whom a filter holds."""

from __future__ import annotations

import datetime as dt
import operator
import random
import uuid
from collections import Counter
from typing import Any

from hypothesis import strategies as st

from population.questions.syntax import And, Comparator, Node, Not, Or, Restriction, parse

TODAY = dt.date(2024, 2, 29)
CREATED = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
BIRTHS = (
    "",
    "2024-02-29",
    "2020-02-29",
    "2006-02-28",
    "2006-03-01",
    "2006-02-29",
    "1944-02-29",
    "1943-12-31",
    "1900-01-01",
    "1979-05-05",
)
AREAS = ("420502001001", "42050200100110001", "42050200100110002", "42050200100210001", "42050300100110001")


def seal(field: str, value: str) -> list[bytes]:
    """A blind index for tests; a rotation is going on, so there are two."""
    return [f"{field}:{value}".encode(), f"new {field}:{value}".encode()]


def people(count: int) -> list[dict[str, Any]]:
    """Documents in which anything may be unknown: missing, null or empty."""
    chance = random.Random(7)
    found = [_one(chance) for _ in range(count)]
    sizes = Counter(one.get("household_id") for one in found)
    # Nobody stores it: it is here for the plain reading alone.
    return [one | {SIZE: sizes[one["household_id"]] if one.get("household_id") else None} for one in found]


SIZE = "household size"
HOMES = [str(uuid.UUID(int=number, version=4)) for number in range(200)]


def _one(chance: random.Random) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "name": f"王{chance.randrange(10**9)}",
        "id_number": {"cipher": chance.randbytes(40), "index": chance.randbytes(32)},
        "area_code": chance.choice(AREAS),
        "birth_date": chance.choice([birth for birth in BIRTHS if birth != "2006-02-29"]),
        "sex": chance.choice(("1", "2", "9")),
        "resident_type": chance.choice(("01", "03", "04", "05")),
        "household_relation": chance.choice(("", "02", "10", "20")),
        "created_at": CREATED,
    }
    if chance.random() < 0.8:
        living = {
            "floor": chance.choice((-1, 1, 2, 3, 7)),
            "lift": chance.choice((True, False)),
            "alone": chance.random() < 0.5,
        }
        document["living"] = {name: value if chance.random() < 0.8 else None for name, value in living.items()}
    elif chance.random() < 0.5:
        document["living"] = None
    if chance.random() < 0.4:
        index = chance.choice(seal("affiliation", chance.choice(("01", "02"))))
        document["affiliation"] = {"cipher": b"x", "index": index}
    if chance.random() < 0.8:
        document["household_id"] = chance.choice([*HOMES, "", None])
    if chance.random() < 0.8:
        document["residences"] = [_residence(chance) for _ in range(chance.randrange(4))]
    if chance.random() < 0.3:
        document["match_flag"] = chance.choice(("01", "02", ""))
    return document


def _residence(chance: random.Random) -> dict[str, Any]:
    residence = {
        "residence_id": str(chance.randrange(10**6)),
        "since": chance.choice(("2001-01-01", "2010-01-01", "2020-01-01", "")),
        "until": chance.choice(("", "", "2021-01-01", None)),
        "kind": chance.choice(("actual", "actual", "registered", None)),
        "tenure": chance.choice(("owner", "family", "tenant", "tenant", "other", "", None)),
    }
    return {name: value for name, value in residence.items() if value is not None or chance.random() < 0.5}


def _tenure(person: dict[str, Any]) -> str | None:
    """Home after home, keeping the one they came to last."""
    present = None
    for home in person.get("residences", ()):
        if home.get("until") or home.get("kind") == "registered":
            continue
        came = (home["since"], home["residence_id"])
        if present is None or came > (present["since"], present["residence_id"]):
            present = home
    return present.get("tenure") if present else None


_EQUALITY, _ORDER = ("=", "!="), ("<", "<=", ">", ">=")
_DAYS = tuple(birth for birth in BIRTHS if birth and birth != "2006-02-29")


def _restrictions() -> st.SearchStrategy[str]:
    def written(field: str, signs: tuple[str, ...], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds(lambda sign, value: f"{field} {sign} {value}", st.sampled_from(signs), values)

    def codes(*values: str) -> st.SearchStrategy[str]:
        return st.sampled_from([f'"{value}"' for value in values])

    fields = (
        "age",
        "birth_date",
        "sex",
        "resident_type",
        "household_relation",
        "match_flag",
        "floor",
        "lift",
        "lives_alone",
        "tenure",
        "household_size",
        "affiliation",
        "area",
    )
    return st.one_of(
        written(
            "age", _EQUALITY + _ORDER, st.sampled_from(["0", "1", "4", "17", "18", "19", "44", "79", "80", "81", "124", "150"])
        ),
        written("birth_date", _EQUALITY + _ORDER, st.sampled_from(_DAYS)),
        written("sex", _EQUALITY, codes("1", "2", "9")),
        written("resident_type", _EQUALITY, codes("01", "03", "05")),
        written("household_relation", _EQUALITY, codes("02", "10")),
        written("match_flag", _EQUALITY, codes("01", "02")),
        written("floor", _EQUALITY + _ORDER, st.sampled_from(["-1", "0", "1", "3", "8"])),
        written("lift", _EQUALITY, st.sampled_from(["true", "false"])),
        written("lives_alone", _EQUALITY, st.sampled_from(["true", "false"])),
        written("tenure", _EQUALITY, codes("owner", "tenant")),
        written("household_size", _EQUALITY + _ORDER, st.sampled_from(["1", "2", "3", "4", "5", "9"])),
        written("affiliation", _EQUALITY, codes("01", "02")),
        written("area", _EQUALITY, codes(*AREAS)),
        written("area", (":",), codes("4205", "420502", "420502001", "420502001001", "42050200100110001", "999999")),
        st.sampled_from(fields).map(lambda field: f"{field}:*"),
    )


def filters() -> st.SearchStrategy[str]:
    """Filters of every kind, some deep."""
    return st.recursive(
        _restrictions(),
        lambda inner: st.one_of(
            st.builds(lambda a, b: f"({a} AND {b})", inner, inner),
            st.builds(lambda a, b: f"({a} {b})", inner, inner),
            st.builds(lambda a, b, c: f"({a} OR {b} AND {c})", inner, inner, inner),
            st.builds(lambda a: f"NOT ({a})", inner),
            st.builds(lambda a: f"-({a})", inner),
        ),
        max_leaves=8,
    )


def holds(text: str, person: dict[str, Any]) -> bool:
    """Tells whether a filter holds for a person, word by word."""
    node = parse(text)
    return node is None or _true(node, person)


def _true(node: Node, person: dict[str, Any]) -> bool:
    match node:
        case And(parts):
            return all(_true(part, person) for part in parts)
        case Or(parts):
            return any(_true(part, person) for part in parts)
        case Not(part):
            return not _true(part, person)
        case Restriction():
            return _compared(node, person)


_SIGNS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _compared(one: Restriction, person: dict[str, Any]) -> bool:
    actual = _actual(one.field, person)
    if actual is None:
        return False
    if one.comparator is Comparator.HAS:
        return one.value == "*" or str(actual).startswith(one.value)
    wanted: Any = one.value
    if one.field in ("age", "floor", "household_size"):
        wanted = int(wanted)
    elif one.field in ("lift", "lives_alone"):
        wanted = wanted == "true"
    return bool(_SIGNS[one.comparator](actual, wanted))


def _actual(field: str, person: dict[str, Any]) -> Any:
    living = person.get("living") or {}
    sealed = person.get("affiliation")
    values = {
        "age": age(person["birth_date"]),
        "birth_date": person["birth_date"],
        "area": person["area_code"],
        "floor": living.get("floor"),
        "lift": living.get("lift"),
        "lives_alone": living.get("alone"),
        "tenure": _tenure(person),
        "household_size": person[SIZE],
        "affiliation": sealed["index"].decode().rpartition(":")[2] if sealed else None,
    }
    value = values[field] if field in values else person.get(field)
    return None if value == "" else value


def age(birth_date: str) -> int | None:
    """Completed years, counted one birthday after the other."""
    if not birth_date:
        return None
    born = dt.date.fromisoformat(birth_date)
    years = 0
    while birthday(born, years + 1) <= TODAY:
        years += 1
    return years


def birthday(born: dt.date, years: int) -> dt.date:
    """The day on which so many years are completed; 1 March where there is no 29 February."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return dt.date(born.year + years, 3, 1)

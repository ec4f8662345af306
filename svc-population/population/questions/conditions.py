"""Checked filters: fields are known, values have the right type, ages have become birth dates. Pure.

A condition is true or false for everybody: what is not known equals nothing, differs from nothing and lies in no range, and
NOT turns false into true. So both translations and people agree on those of whom something is missing.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import msgspec

from population.codes import codes_of
from population.questions.fields import FIELDS, Field, Kind
from population.questions.syntax import And, Comparator, Node, Not, Or, Restriction, parse, refused
from svckit.errors import PermissionDenied

Value = str | int | bool | bytes | date
Seal = Callable[[str, str], Sequence[bytes]]
"""Gets the name of a sealed field and a value, returns the blind indexes it may have: several while an index key is rotated."""


class Equal(msgspec.Struct, frozen=True):
    """The field is known and has this value."""

    field: Field
    value: Value


class Differs(msgspec.Struct, frozen=True):
    """The field is known and has another value."""

    field: Field
    value: Value


class Known(msgspec.Struct, frozen=True):
    """The field is known."""

    field: Field


class Within(msgspec.Struct, frozen=True):
    """The field is known and lies between `low` and `high`, both included; None: no limit on that side."""

    field: Field
    low: int | date | None = None
    high: int | date | None = None


class Inside(msgspec.Struct, frozen=True):
    """The area begins with these digits."""

    field: Field
    prefix: str


class Neither(msgspec.Struct, frozen=True):
    """The condition does not hold."""

    part: Condition


class Every(msgspec.Struct, frozen=True):
    """All conditions hold; none: always."""

    parts: tuple[Condition, ...]


class Some(msgspec.Struct, frozen=True):
    """At least one condition holds."""

    parts: tuple[Condition, ...]


Condition = Equal | Differs | Known | Within | Inside | Neither | Every | Some

EVERYBODY = Every(())
_AREA = re.compile(r"[1-9][0-9]{1,16}", re.ASCII)
_ORDER = frozenset({Comparator.LESS, Comparator.AT_MOST, Comparator.GREATER, Comparator.AT_LEAST})
_EQUALITY = frozenset({Comparator.EQUALS, Comparator.DIFFERS})
_ALLOWED: Mapping[Kind, frozenset[Comparator]] = {
    Kind.CODE: _EQUALITY,
    Kind.SEALED: _EQUALITY,
    Kind.FLAG: _EQUALITY,
    Kind.NUMBER: _EQUALITY | _ORDER,
    Kind.DAY: _EQUALITY | _ORDER,
    Kind.AGE: _EQUALITY | _ORDER,
    Kind.AREA: _EQUALITY | {Comparator.HAS},
}


def read(text: str, *, today: date, seal: Seal, purpose: str = "") -> Condition:
    """Reads a filter; ages are those of `today`.

    Raises InvalidArgument (FILTER_INVALID, FILTER_FIELD_UNKNOWN…, all for field `filter`) naming the character, and
    PermissionDenied (PURPOSE_REQUIRED) for a field the stated purpose does not allow.
    """
    node = parse(text)
    return EVERYBODY if node is None else _checked(node, _Reading(today, seal, purpose))


class _Reading(msgspec.Struct, frozen=True):
    today: date
    seal: Seal
    purpose: str


def _checked(node: Node, reading: _Reading) -> Condition:
    match node:
        case And(parts):
            return Every(tuple(_checked(part, reading) for part in parts))
        case Or(parts):
            return Some(tuple(_checked(part, reading) for part in parts))
        case Not(part):
            return Neither(_checked(part, reading))
        case Restriction():
            return _restriction(node, reading)


def _restriction(written: Restriction, reading: _Reading) -> Condition:
    field = FIELDS.get(written.field)
    if field is None:
        raise refused(f"there is no field {written.field!r}; there are {', '.join(FIELDS)}", position=written.position)
    _check_purpose(field, reading.purpose)
    if written.comparator is Comparator.HAS and written.value == "*" and not written.quoted:
        return Known(field)
    if written.comparator not in _ALLOWED[field.kind]:
        allowed = " ".join(sorted(_ALLOWED[field.kind]))
        raise refused(f"{field.name} can be compared by {allowed}", position=written.position)
    return _READERS[field.kind](field, written, reading)


def _check_purpose(field: Field, purpose: str) -> None:
    if field.purposes and purpose not in field.purposes:
        raise PermissionDenied(
            f"Asking for {field.name} needs a purpose that allows it.",
            reason="PURPOSE_REQUIRED",
            metadata={"purposes": ",".join(sorted(field.purposes)), "field": field.name},
        )


def _code(field: Field, written: Restriction, reading: _Reading) -> Condition:
    if written.value not in (field.values or codes_of(field.table)):
        raise refused(f"{written.value!r} is not a code of {field.table}", position=written.position)
    return _same(field, written.comparator, written.value)


def _sealed(field: Field, written: Restriction, reading: _Reading) -> Condition:
    _code(field, written, reading)
    same = Some(tuple(Equal(field, index) for index in reading.seal(field.name, written.value)))
    return same if written.comparator is Comparator.EQUALS else Every((Known(field), Neither(same)))


def _flag(field: Field, written: Restriction, reading: _Reading) -> Condition:
    if written.value not in ("true", "false"):
        raise refused(f"{field.name} is true or false", position=written.position)
    return _same(field, written.comparator, written.value == "true")


def _same(field: Field, comparator: Comparator, value: Value) -> Condition:
    return Equal(field, value) if comparator is Comparator.EQUALS else Differs(field, value)


def _number(field: Field, written: Restriction, reading: _Reading) -> Condition:
    return _ordered(field, written.comparator, _whole(field, written), one=1)


def _whole(field: Field, written: Restriction) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,6}", written.value, re.ASCII):
        raise refused(f"{field.name} is a whole number", position=written.position)
    value = int(written.value)
    if not field.low <= value <= field.high:
        raise refused(f"{field.name} lies between {field.low} and {field.high}", position=written.position)
    return value


def _ordered(field: Field, comparator: Comparator, value: int, *, one: int) -> Condition:
    match comparator:
        case Comparator.LESS:
            return Within(field, high=value - one)
        case Comparator.AT_MOST:
            return Within(field, high=value)
        case Comparator.GREATER:
            return Within(field, low=value + one)
        case Comparator.AT_LEAST:
            return Within(field, low=value)
    return _same(field, comparator, value)


def _day(field: Field, written: Restriction, reading: _Reading) -> Condition:
    try:
        day = date.fromisoformat(written.value) if re.fullmatch(r"\d{4}-\d\d-\d\d", written.value, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or day.year < 2 or day.year > 9998:
        raise refused(f"{field.name} is a day YYYY-MM-DD", position=written.position)
    before, after = date.fromordinal(day.toordinal() - 1), date.fromordinal(day.toordinal() + 1)
    match written.comparator:
        case Comparator.LESS:
            return Within(field, high=before)
        case Comparator.AT_MOST:
            return Within(field, high=day)
        case Comparator.GREATER:
            return Within(field, low=after)
        case Comparator.AT_LEAST:
            return Within(field, low=day)
    return _same(field, written.comparator, day)


def _age(field: Field, written: Restriction, reading: _Reading) -> Condition:
    years = _whole(field, written)
    match written.comparator:
        case Comparator.AT_LEAST:
            return born(field, at_least=years, today=reading.today)
        case Comparator.GREATER:
            return born(field, at_least=years + 1, today=reading.today)
        case Comparator.AT_MOST:
            return born(field, at_most=years, today=reading.today)
        case Comparator.LESS:
            return born(field, at_most=years - 1, today=reading.today)
    exactly = born(field, at_least=years, at_most=years, today=reading.today)
    return exactly if written.comparator is Comparator.EQUALS else Every((Known(field), Neither(exactly)))


def born(field: Field, *, today: date, at_least: int | None = None, at_most: int | None = None) -> Within:
    """Returns the range of birth dates of people who have completed so many years today.

    A year is completed on the birthday; of those born on 29 February in a common year on 1 March.
    """
    low = None if at_most is None else date.fromordinal(latest_birth(at_most + 1, today=today).toordinal() + 1)
    return Within(field, low=low, high=None if at_least is None else latest_birth(at_least, today=today))


def latest_birth(years: int, *, today: date) -> date:
    """Returns the last day on which somebody who has completed so many years today can have been born."""
    year = today.year - years
    return today.replace(year=year, day=min(today.day, calendar.monthrange(year, today.month)[1]))


def _area(field: Field, written: Restriction, reading: _Reading) -> Condition:
    if not _AREA.fullmatch(written.value):
        raise refused(f"{field.name} has 2 to 17 digits", position=written.position)
    if written.comparator is Comparator.HAS:
        return Inside(field, written.value)
    if len(written.value) not in (12, 17):
        raise refused("people belong to communities (12 digits) or grids (17); ask by area:", position=written.position)
    return _same(field, written.comparator, written.value)


_READERS: Mapping[Kind, Callable[[Field, Restriction, _Reading], Condition]] = {
    Kind.CODE: _code,
    Kind.SEALED: _sealed,
    Kind.FLAG: _flag,
    Kind.NUMBER: _number,
    Kind.DAY: _day,
    Kind.AGE: _age,
    Kind.AREA: _area,
}

"""Documents of residents as rows of the replica. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from population.questions.columns import area_number
from population.replica.schema import FOREVER

Document = Mapping[str, Any]

READ = (
    "_id",
    "area_code",
    "birth_date",
    "sex",
    "resident_type",
    "household_relation",
    "match_flag",
    "household_id",
    "living",
    "affiliation.index",
    "standing.status",
    "standing.since",
    "residences.area_code",
    "residences.house_id",
    "residences.since",
    "residences.until",
    "residences.kind",
    "residences.residence_id",
    "residences.tenure",
    "created_at",
)
"""The fields that are read of a document: no more leaves the database."""

REGISTERED = "registered"
"""Kind of a residence that says where somebody is registered, not where they live."""
NEVER_WAS = frozenset({"merged", "void"})
"""Standings of entries that are no person of their own."""

_PEOPLE = pa.schema(
    [
        ("id", pa.string()),
        ("area", pa.int64()),
        ("birth", pa.int32()),
        ("sex", pa.string()),
        ("resident_type", pa.string()),
        ("relation", pa.string()),
        ("match_flag", pa.string()),
        ("household", pa.string()),
        ("floor", pa.int16()),
        ("lift", pa.bool_()),
        ("alone", pa.bool_()),
        ("tenure", pa.string()),
        ("affiliation", pa.binary()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
    ]
)
_STAYS = pa.schema(
    [
        ("id", pa.string()),
        ("area", pa.int64()),
        ("since", pa.int32()),
        ("until", pa.int32()),
        ("birth", pa.int32()),
        ("sex", pa.string()),
        ("household", pa.string()),
    ]
)
_NOWHERE: Document = {}
_LONGEST_FLOOR = 32_000
_CHINA = timedelta(hours=8)


class Batch:
    """Rows of both tables, collected document by document."""

    def __init__(self) -> None:
        self._people: list[tuple[Any, ...]] = []
        self._stays: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._people)

    def add(self, document: Document) -> None:
        """Adds what a document says. Days or areas that are none are left out, so that one bad document cannot stop the replica."""
        standing = document.get("standing")
        if standing and standing.get("status") in NEVER_WAS:
            return
        area = _area(document.get("area_code"))
        birth = day_of(document.get("birth_date"))
        household = document.get("household_id") or ""
        if not standing:
            self._people.append(_person(document, area, birth, household))
        common = (birth, document.get("sex"))
        for *stay, house in stays_of(document, area=area):
            # Households have no history, homes have: on a day in the past those lived together who lived in one house.
            self._stays.append((document["_id"], *stay, *common, house or household))

    def people(self) -> pa.Table:
        """The rows of `people`."""
        return _table(self._people, _PEOPLE)

    def stays(self) -> pa.Table:
        """The rows of `stays`."""
        return _table(self._stays, _STAYS)


def _person(document: Document, area: int | None, birth: int | None, household: str) -> tuple[Any, ...]:
    living = document.get("living") or _NOWHERE
    sealed = document.get("affiliation") or _NOWHERE
    floor = living.get("floor")
    return (
        document["_id"],
        area,
        birth,
        document.get("sex"),
        document.get("resident_type"),
        document.get("household_relation") or None,
        document.get("match_flag") or None,
        household,
        floor if floor is not None and -_LONGEST_FLOOR < floor < _LONGEST_FLOOR else None,
        living.get("lift"),
        living.get("alone"),
        tenure_of(document),
        sealed.get("index"),
        living.get("longitude"),
        living.get("latitude"),
    )


def tenure_of(document: Document) -> str | None:
    """Returns how somebody lives in the present home, of several the one they came to last; None for not known."""
    homes = [one for one in document.get("residences") or () if one.get("kind") != REGISTERED and not one.get("until")]
    if not homes:
        return None
    last = max(homes, key=lambda one: (one.get("since") or "", one.get("residence_id") or "", one.get("tenure") or ""))
    return last.get("tenure") or None


def stays_of(document: Document, *, area: int | None) -> list[tuple[int | None, int, int, str]]:
    """Returns (area, since, until, house or "") of each stay, at most one for a day: a later residence ends the one before.

    Who has no residence counts for the area of the entry, from the day of the entry; a death or departure ends all.
    """
    last_day = _last_day(document)
    begun = sorted(
        (
            since,
            day_of(residence.get("until")) or FOREVER,
            _area(residence.get("area_code")) or area,
            residence.get("house_id") or "",
        )
        for residence in document.get("residences") or ()
        if residence.get("kind") != REGISTERED and (since := day_of(residence.get("since"))) is not None
    )
    if not begun:
        entered = document.get("created_at")
        begun = [(int((entered + _CHINA).strftime("%Y%m%d")) if entered else 0, FOREVER, area, "")]
    ends = [*(since for since, *_ in begun[1:]), FOREVER + 1]
    # Day numbers minus one are not always days, but lie between the days before and after, which is all that is compared.
    stays = [
        (where, since, min(until, following - 1, last_day), house)
        for (since, until, where, house), following in zip(begun, ends, strict=True)
    ]
    return [stay for stay in stays if stay[1] <= stay[2]]


def _last_day(document: Document) -> int:
    standing = document.get("standing")
    return (day_of(standing.get("since")) or FOREVER) if standing else FOREVER


def day_of(text: str | None) -> int | None:
    """Returns a day YYYY-MM-DD as its number, None for anything else."""
    if not text or len(text) != 10:
        return None
    try:
        return int(text.replace("-", ""))
    except ValueError:
        return None


def _area(code: str | None) -> int | None:
    return area_number(code) if code and code.isdecimal() and len(code) <= 17 else None


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)

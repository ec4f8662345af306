"""Which index answers a search on cases. Measured, then named: the planner of the database would try them out again and again.

`standing` (state, area, light, kind) finds what is few: the cases of a grid, what is open somewhere, what is red. `changes` and
`reported` hold all cases in their order and are read from the new end: best where what is sought is everywhere among them. How many
there are is counted first, on the keys of `standing` alone and never beyond `FEW`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation.domain.states import CaseState
from svckit.errors import Unavailable

Filter = dict[str, Any]

STANDING, CHANGES, REPORTED, INBOX, DEPARTMENT, CREATED_BY = (
    "standing", "changes", "reported", "inbox", "department", "created_by",
)  # fmt: skip
FEW = 4_000
"""So many cases are read and sorted as quickly as a page is collected from all of them."""

_STANDING_KEYS = frozenset({"state", "area_code", "light", "category"})
ANY_STATE: Filter = {"state": {"$in": sorted(CaseState)}}


def conditions(where: Filter) -> Iterator[tuple[str, Any]]:
    """Yields the conditions of nested "$and" one by one."""
    for key, value in where.items():
        if key == "$and":
            for part in value:
                yield from conditions(part)
        else:
            yield key, value


def flat(where: Filter) -> Filter:
    """Returns the conditions of nested "$and" side by side; of two on one field the last stays."""
    return dict(conditions(where))


def standing_part(where: Filter) -> Filter:
    """Returns what of a filter the keys of `standing` can tell; all states are named, so that the area narrows the search."""
    found = [{key: value} for key, value in conditions(where) if key in _STANDING_KEYS]
    return {"$and": [ANY_STATE, *found]}


class Plans:
    """Chooses. Raises Unavailable while the database is away."""

    def __init__(self, cases: AsyncCollection[dict[str, Any]]) -> None:
        self._cases = cases

    async def ordered_by(self, index: str, where: Filter, *, few: int = FEW) -> tuple[Filter, str | None]:
        """Returns the filter and the name of the index for a list that `index` has in order; None where the database knows best.

        `few`: so many cases are rather sorted than collected.
        """
        named = _named(flat(where))
        if named is not None:
            return where, named or None
        if await self.count(where, most=few) < few:
            return {"$and": [standing_part(where), where]}, STANDING
        return where, index

    async def count(self, where: Filter, *, most: int) -> int:
        """Counts, up to `most`, the cases of which the keys of `standing` say that they may match."""
        try:
            return await self._cases.count_documents(standing_part(where), hint=STANDING, limit=most)
        except PyMongoError as error:
            raise Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE") from error


def _named(conditions: Mapping[str, Any]) -> str | None:
    """The index that one condition calls for by itself, "" for the database's own choice; None if there is none such."""
    if "created_by.key" in conditions:
        return CREATED_BY
    if "external_id" in conditions or "_id" in conditions:
        return ""
    if any(key.startswith("inbox.") for key in conditions):
        return INBOX
    return None

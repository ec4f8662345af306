"""Counting cases: by state and light for the board, by facet for whatever a filter finds. Index keys are counted, not documents read."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import plans
from mediation.domain.states import FINAL_STATES
from mediation.store import Document, Filter, View, still_open
from svckit.errors import Unavailable

# The history of a city is counted again after so long; what is open is counted every time.
FINAL_SECONDS = 30.0
_VIEWS_REMEMBERED = 2_000
_KIND = 3
_LEAD = {
    "$first": {
        "$map": {
            "input": {
                "$filter": {
                    "input": "$tasks",
                    "as": "task",
                    "cond": {"$and": [{"$eq": ["$$task.role", "lead"]}, {"$ne": ["$$task.state", "removed"]}]},
                }
            },
            "as": "task",
            "in": "$$task.department",
        }
    }
}


class Counts:
    """Counts. All raise Unavailable while the database is away."""

    def __init__(self, cases: AsyncCollection[Document], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cases = cases
        self._clock = clock
        self._finals: OrderedDict[str, tuple[float, Counter[str]]] = OrderedDict()

    async def standing(self, view: View) -> tuple[Counter[str], Counter[str]]:
        """Returns how many cases of a view are in each state, and how many open ones show each light.

        Of an area what nobody acts on any more may be half a minute old.
        """
        if view.reporter or view.area is None:
            rows = await self._grouped(view.where, index=plans.CREATED_BY if view.reporter else None)
            finals: Counter[str] = Counter()
        else:
            rows = await self._grouped({"$and": [view.where, still_open()]}, index=plans.STANDING)
            finals = await self._final_states(view)
        states, lights = Counter(finals), Counter[str]()
        for row in rows:
            states[row["state"]] += row["count"]
            if row["state"] not in FINAL_STATES:
                lights[row["light"]] += row["count"]
        return states, lights

    async def _grouped(self, where: Filter, *, index: str | None) -> list[Document]:
        return await self._rows(where, {"state": "$state", "light": "$light"}, index=index, most=0)

    async def _final_states(self, view: View) -> Counter[str]:
        seen = repr(view.where)
        known = self._finals.get(seen)
        if known and self._clock() - known[0] < FINAL_SECONDS:
            return known[1]
        counted: Counter[str] = Counter()
        for state in sorted(FINAL_STATES):
            counted[state.value] = await self._count({**view.where, "state": state.value})
        self._finals[seen] = self._clock(), +counted
        self._finals.move_to_end(seen)
        if len(self._finals) > _VIEWS_REMEMBERED:
            self._finals.popitem(last=False)
        return +counted

    async def _count(self, where: Filter) -> int:
        """The plain command walks the keys of one range without looking at them: five times as fast as an aggregation."""
        try:
            answer = await self._cases.database.command("count", self._cases.name, query=where, hint=plans.STANDING)
        except PyMongoError as error:
            raise _unavailable() from error
        return int(answer["n"])

    async def facets(self, where: Filter, *, index: str | None, most: int) -> list[Document]:
        """Returns {state, light, severity, category, lead, count} for every combination among the first `most` cases of an index."""
        keys = {
            "state": "$state",
            "light": "$light",
            "severity": "$severity",
            "category": {"$substrCP": ["$category", 0, _KIND]},
            "lead": {"$ifNull": [_LEAD, ""]},
        }
        return await self._rows(where, keys, index=index, most=most)

    async def _rows(self, where: Filter, keys: Document, *, index: str | None, most: int) -> list[Document]:
        limit: list[Document] = [{"$limit": most}] if most else []
        stages = [{"$match": where}, *limit, {"$group": {"_id": keys, "count": {"$sum": 1}}}]
        try:
            options: dict[str, Any] = {"hint": index} if index else {}
            cursor = await self._cases.aggregate(stages, **options)
            rows: list[Document] = await cursor.to_list()
        except PyMongoError as error:
            raise _unavailable() from error
        return [{**row["_id"], "count": row["count"]} for row in rows]


def tally(rows: list[Any], key: str) -> list[tuple[str, int]]:
    """Returns how often each value of one key occurs among rows with a count, most frequent first."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[key]] += row["count"]
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")

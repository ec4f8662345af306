"""The care register of whole cities as counts, read from the documents and kept for some seconds."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from population import store
from population.statistics.areas import AreaCounts
from population.statistics.care import counted
from population.store.rows import Rows
from svckit.documents import utc_now

KEPT_SECONDS = 10.0
"""So long a count holds: a hundred thousand entries take a quarter of a second."""


class CareCounts(NamedTuple):
    """By category, those without anybody left out; `read_at`: every change before it is in them."""

    by_category: Mapping[str, AreaCounts]
    read_at: dt.datetime


class CareRegister:
    """Counts each city once for all who ask for it and for parts of it meanwhile."""

    def __init__(self, rows: Rows, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rows = rows
        self._clock = clock
        self._kept: dict[tuple[str, int], tuple[float, CareCounts]] = {}
        self._counting = asyncio.Lock()

    async def of(self, root: str, *, depth: int) -> CareCounts:
        """Returns the counts of a city ("" for all) down to areas of so many digits."""
        async with self._counting:
            since, kept = self._kept.get((root, depth), (0.0, None))
            if kept is None or self._clock() - since > KEPT_SECONDS:
                kept = await self._count(root, depth)
                self._kept = {**self._recent(), (root, depth): (self._clock(), kept)}
            return kept

    def _recent(self) -> dict[tuple[str, int], tuple[float, CareCounts]]:
        now = self._clock()
        return {key: kept for key, kept in self._kept.items() if now - kept[0] <= KEPT_SECONDS}

    async def _count(self, root: str, depth: int) -> CareCounts:
        read_at = utc_now()
        rows = await store.care_counts(self._rows, prefix=root)
        # In a thread: others are answered while a large city is counted.
        return CareCounts(await asyncio.to_thread(counted, rows, root=root, depth=depth), read_at)

"""Keeps an atlas up to date with the database, in api processes and in workers.

Whoever asks gets an atlas at most `FRESH_SECONDS` old; the areas changed since are read then, once for all who ask meanwhile. So an
area drawn in one process is known in all others about a second later, without anybody having to tell them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import msgspec
from pymongo.errors import PyMongoError

from housing.atlas import Atlas, Surface
from housing.domain import Polygon
from svckit.errors import Unavailable

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 0.1
# A write may become visible long after its `changed_at` was taken (clocks differ, a primary was away).
OVERLAP = timedelta(seconds=60)

_log = logging.getLogger(__name__)
Raw = Mapping[str, Any]


class Ledger:
    """An atlas, and which revision of each area it has."""

    def __init__(self) -> None:
        self.atlas = Atlas()
        self._revisions: dict[str, int] = {}
        self._latest: datetime | None = None
        self._checked = float("-inf")

    @property
    def since(self) -> datetime | None:
        """From when on areas have to be read again; None: all."""
        return self._latest - OVERLAP if self._latest else None

    @property
    def fresh(self) -> bool:
        """Whether the last look at the database is recent."""
        return monotonic() - self._checked < FRESH_SECONDS

    @property
    def loaded(self) -> bool:
        """Whether there was a look at the database at all."""
        return self._checked != float("-inf")

    def take(self, rows: Iterable[Raw], *, asked_at: float) -> None:
        """Takes in raw area documents read at `asked_at` (monotonic)."""
        self.atlas.update([_surface(row) for row in rows if self._is_news(row)])
        self._checked = asked_at

    def _is_news(self, row: Raw) -> bool:
        if self._revisions.get(row["_id"]) == row["revision"]:
            return False
        self._revisions[row["_id"]] = row["revision"]
        self._latest = max(filter(None, (self._latest, row["changed_at"])))
        return True


class AtlasKeeper:
    """For asyncio: `read(since)` returns the raw area documents changed since then."""

    def __init__(self, read: Callable[[datetime | None], Awaitable[Iterable[Raw]]]) -> None:
        self._read = read
        self._ledger = Ledger()
        self._reading: asyncio.Task[None] | None = None

    async def atlas(self, *, at_once: bool = False) -> Atlas:
        """Returns an atlas that is fresh, or up to date when `at_once`. Raises Unavailable when there is none yet.

        A database that is slow or away delays nobody by more than `PATIENCE_SECONDS` once there is an atlas.
        """
        if at_once:
            await self._settled()
            await asyncio.shield(self._look())
        elif not self._ledger.loaded:
            await asyncio.shield(self._look())
        elif not self._ledger.fresh:
            await asyncio.wait({self._look()}, timeout=PATIENCE_SECONDS)
        return self._ledger.atlas

    async def prepare(self) -> None:
        """Reads all areas before anybody asks, so that the first question is answered as fast as all others."""
        with contextlib.suppress(Unavailable):
            await self.atlas()

    def _look(self) -> asyncio.Task[None]:
        """Reads what has changed, once for all who ask meanwhile."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._catch_up())
        return self._reading

    async def _settled(self) -> None:
        """Waits for a look that began earlier: it may have missed what was just written."""
        if self._reading is not None and not self._reading.done():
            await asyncio.wait({self._reading})

    async def _catch_up(self) -> None:
        asked_at = monotonic()
        try:
            self._ledger.take(await self._read(self._ledger.since), asked_at=asked_at)
        except PyMongoError as error:
            _carry_on(self._ledger, error)


class BatchAtlasKeeper:
    """For workers: the same with a blocking `read`."""

    def __init__(self, read: Callable[[datetime | None], Iterable[Raw]]) -> None:
        self._read = read
        self._ledger = Ledger()

    def atlas(self) -> Atlas:
        """Returns an atlas that is fresh. Raises Unavailable when there is none yet."""
        if not self._ledger.fresh:
            asked_at = monotonic()
            try:
                self._ledger.take(self._read(self._ledger.since), asked_at=asked_at)
            except PyMongoError as error:
                _carry_on(self._ledger, error)
        return self._ledger.atlas


def _carry_on(ledger: Ledger, error: PyMongoError) -> None:
    """With the last known areas rather than with none."""
    if not ledger.loaded:
        raise Unavailable("The areas cannot be read now.", reason="DATABASE_UNAVAILABLE") from error
    ledger.take((), asked_at=monotonic())
    _log.warning("areas could not be read again, going on with those known: %s", error)


def _surface(row: Raw) -> Surface:
    return Surface(
        area_code=row["_id"],
        name=row["name"],
        polygons=msgspec.convert(row.get("polygons") or (), type=tuple[Polygon, ...]),
        retired=bool(row.get("retired_at")),
    )

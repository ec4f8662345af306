"""The atlas kept up to date: how often it looks, what it takes in, what it does without a database."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from pymongo.errors import ServerSelectionTimeoutError

from housing import keeper
from housing.keeper import OVERLAP, AtlasKeeper, BatchAtlasKeeper
from svckit.errors import Unavailable

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


def row(code: str, *, revision: int = 1, west: float = 0.0, **fields: Any) -> dict[str, Any]:
    corners = ((west, 0.0), (west + 1, 0.0), (west + 1, 1.0), (west, 1.0))
    points = [{"longitude": x, "latitude": y} for x, y in corners]
    polygons = [{"outer": {"points": points}, "holes": []}]
    return {
        "_id": code,
        "name": "区",
        "polygons": polygons,
        "revision": revision,
        "changed_at": NOW,
        "retired_at": None,
    } | fields


class Areas:
    """A source of area documents that counts how often it is asked."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = list(rows)
        self.asked: list[dt.datetime | None] = []
        self.away = False

    def read(self, since: dt.datetime | None) -> list[dict[str, Any]]:
        self.asked.append(since)
        if self.away:
            raise ServerSelectionTimeoutError("no primary")
        return [row for row in self.rows if since is None or row["changed_at"] >= since]

    async def read_async(self, since: dt.datetime | None) -> list[dict[str, Any]]:
        await asyncio.sleep(0)
        return self.read(since)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time the keeper sees; advance it by changing its only entry."""
    now = [100.0]
    monkeypatch.setattr(keeper, "monotonic", lambda: now[0])
    return now


async def test_many_questions_at_once_read_once(clock: list[float]) -> None:
    areas = Areas(row("420502"))
    kept = AtlasKeeper(areas.read_async)
    atlases = await asyncio.gather(*(kept.atlas() for _ in range(50)))
    assert areas.asked == [None]
    assert atlases[0].locate(city="4205", longitude=0.5, latitude=0.5) == "420502"


async def test_after_a_second_only_changes_are_read(clock: list[float]) -> None:
    areas = Areas(row("420502"))
    kept = AtlasKeeper(areas.read_async)
    await kept.atlas()
    areas.rows = [row("420502", revision=2, west=5.0)]
    assert (await kept.atlas()).locate(city="4205", longitude=0.5, latitude=0.5) == "420502"
    clock[0] += 1.1
    assert (await kept.atlas()).locate(city="4205", longitude=5.5, latitude=0.5) == "420502"
    assert areas.asked == [None, NOW - OVERLAP]


async def test_whoever_changed_an_area_sees_it_at_once(clock: list[float]) -> None:
    areas = Areas()
    kept = AtlasKeeper(areas.read_async)
    await kept.atlas()
    areas.rows = [row("420502")]
    assert "420502" in await kept.atlas(at_once=True)


async def test_without_a_database_the_last_atlas_serves(clock: list[float]) -> None:
    areas = Areas(row("420502"))
    kept = AtlasKeeper(areas.read_async)
    areas.away = True
    await kept.prepare()
    with pytest.raises(Unavailable):
        await kept.atlas()
    areas.away = False
    await kept.atlas()
    areas.away = True
    clock[0] += 10
    assert "420502" in await kept.atlas()


async def test_a_slow_database_delays_nobody(clock: list[float]) -> None:
    areas = Areas(row("420502"))
    answer = asyncio.Event()
    answer.set()

    async def read(since: dt.datetime | None) -> list[dict[str, Any]]:
        await answer.wait()
        return areas.read(since)

    kept = AtlasKeeper(read)
    await kept.atlas()
    answer.clear()
    clock[0] += 1.1
    areas.rows = [row("420502", revision=2, west=5.0)]
    async with asyncio.timeout(1):
        assert (await kept.atlas()).locate(city="4205", longitude=0.5, latitude=0.5) == "420502"
    answer.set()
    await asyncio.sleep(0.01)
    assert (await kept.atlas()).locate(city="4205", longitude=5.5, latitude=0.5) == "420502"


def test_workers_keep_one_too(clock: list[float]) -> None:
    areas = Areas(row("420502"))
    kept = BatchAtlasKeeper(areas.read)
    areas.away = True
    with pytest.raises(Unavailable):
        kept.atlas()
    areas.away = False
    assert "420502" in kept.atlas()
    kept.atlas()
    assert len(areas.asked) == 2
    clock[0] += 1.1
    areas.rows = [row("420502", revision=2, retired_at=NOW)]
    assert "420502" not in kept.atlas()

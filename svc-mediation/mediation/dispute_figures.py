"""How many disputes came, and to what result, by kind and by parts of an area (MED-08, MED-09). The database counts, the rest is pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import dispute_codes
from mediation.dispute_store import Document, Filter, unavailable
from mediation.domain.dispute import PoliceGround

_SHANGHAI = timedelta(hours=8)
# city, district, street, community, grid (area_code_rule.yaml)
LEVELS = (4, 6, 9, 12, 17)
_KIND = 2


class DisputeCounts(msgspec.Struct, kw_only=True):
    """Counts of disputes; see the proto."""

    opened: int = 0
    decided: int = 0
    resolved: int = 0
    police_told: int = 0
    averted: int = 0
    penal: int = 0


class DisputeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All together, by result (code to count), by kind and by part of the area."""

    total: DisputeCounts
    results: dict[str, int]
    categories: dict[str, DisputeCounts]
    areas: dict[str, DisputeCounts]


def present_period(now: datetime) -> str:
    """Returns the present year in Shanghai."""
    return str((now + _SHANGHAI).year)


def span_of(period: str) -> tuple[datetime, datetime]:
    """Returns when a year ("2026"), quarter ("2026-Q1") or month ("2026-03") of Shanghai begins and ends."""
    year, _, part = period.partition("-")
    if not part:
        first, months = 1, 12
    elif part.startswith("Q"):
        first, months = 3 * int(part[1:]) - 2, 3
    else:
        first, months = int(part), 1
    return _month(int(year), first), _month(int(year), first + months)


def _month(year: int, month: int) -> datetime:
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC) - _SHANGHAI


def part_digits(area: str) -> int:
    """Returns how many digits the areas directly inside one have; 0: it is a grid, which has none."""
    return next((level for level in LEVELS if level > len(area)), 0)


class DisputeCounting:
    """Counts in the database. Raises Unavailable while it is away."""

    def __init__(self, disputes: AsyncCollection[Document]) -> None:
        self._disputes = disputes

    async def figures(self, where: Filter, *, area: str, period: str) -> DisputeFigures:
        """Returns the figures of the disputes that match `where`, all of them in `area`."""
        digits = part_digits(area)
        opened = await self._rows(opened_stages(where, period=period, digits=digits))
        decided = await self._rows(decided_stages(where, period=period, digits=digits))
        return figures_of(opened, decided, digits=digits)

    async def _rows(self, stages: list[Document]) -> list[Document]:
        try:
            return await (await self._disputes.aggregate(stages)).to_list()
        except PyMongoError as error:
            raise unavailable() from error


def opened_stages(where: Filter, *, period: str, digits: int) -> list[Document]:
    """Returns the pipeline that counts what was applied for in the period."""
    return _stages(where, field="opened_at", period=period, digits=digits, more={})


def decided_stages(where: Filter, *, period: str, digits: int) -> list[Document]:
    """Returns the pipeline that counts what came to a result in the period, and of what the police was told."""
    grounds = {"$ifNull": ["$police_notes.ground", []]}
    more = {
        "result": "$result",
        "told": {"$gt": [{"$size": grounds}, 0]},
        "warned": {"$in": [PoliceGround.PUBLIC_ORDER.value, grounds]},
        "penal": {"$in": [PoliceGround.PENAL_MATTER.value, grounds]},
    }
    return _stages(where, field="result_at", period=period, digits=digits, more=more)


def _stages(where: Filter, *, field: str, period: str, digits: int, more: Document) -> list[Document]:
    start, end = span_of(period)
    by = {"kind": {"$substrCP": ["$category", 0, _KIND]}, "area": {"$substrCP": ["$area_code", 0, digits]}, **more}
    return [
        {"$match": {"$and": [where, {field: {"$gte": start, "$lt": end, "$type": "date"}}]}},
        {"$group": {"_id": by, "count": {"$sum": 1}}},
        {"$replaceRoot": {"newRoot": {"$mergeObjects": ["$_id", {"count": "$count"}]}}},
    ]


def figures_of(opened: Iterable[Mapping[str, Any]], decided: Iterable[Mapping[str, Any]], *, digits: int) -> DisputeFigures:
    """Returns the figures from the rows of both pipelines."""
    table = dispute_codes.results()
    total, results = DisputeCounts(), dict.fromkeys(table, 0)
    kinds: dict[str, DisputeCounts] = defaultdict(DisputeCounts)
    areas: dict[str, DisputeCounts] = defaultdict(DisputeCounts)

    def add(row: Mapping[str, Any], **counts: int) -> None:
        # What is known no closer than the whole area is in none of its parts.
        parts = (areas[row["area"]],) if digits and len(row["area"]) == digits else ()
        for into in (total, kinds[row["kind"]], *parts):
            for name, count in counts.items():
                setattr(into, name, getattr(into, name) + count)

    for row in opened:
        add(row, opened=row["count"])
    for row in decided:
        results[row["result"]] = results.get(row["result"], 0) + row["count"]
        add(row, **_counted(row, resolved=table.get(row["result"], {}).get("counts_as_resolved") == "Y"))
    return DisputeFigures(
        total=total, results=results, categories=dict(sorted(kinds.items())), areas=dict(sorted(areas.items()))
    )


def _counted(row: Mapping[str, Any], *, resolved: bool) -> dict[str, int]:
    count = row["count"]
    return {
        "decided": count,
        "resolved": count * resolved,
        "police_told": count * bool(row["told"]),
        "averted": count * bool(row["warned"] and resolved and not row["penal"]),
        "penal": count * bool(row["penal"]),
    }

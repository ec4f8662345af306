"""The list that the roll of voters is checked with, read in the order of the index and passed on as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any

from binglian.population.v1 import question_pb2 as pb
from pymongo.asynchronous.collection import AsyncCollection

from population.elections import voting
from population.policies.jobs import ALONE
from population.questions.asking import Found
from population.rpc.people import PRESENT, SHOWN, house_of
from population.rpc.tokens import KEYS, behind
from svckit.paging import code_range, sort_by

AT_ONCE = 500
"""Lines of one message."""
_READ_AT_ONCE = 2_000


async def roll(
    rows: AsyncCollection[dict[str, Any]], *, prefix: str, day: date, after: Found | None
) -> AsyncIterator[tuple[list[pb.VoterEntry], Found]]:
    """Yields lines, some hundred at a time, each time with the last of them."""
    query = _condition(prefix, day)
    condition = {"$and": [query, behind(after)]} if after else query
    cursor = rows.find(condition, SHOWN, batch_size=_READ_AT_ONCE).sort(sort_by(KEYS)).hint("area")
    async with cursor:
        while found := await cursor.to_list(AT_ONCE):
            yield [_entry(row) for row in found], Found(found[-1]["area_code"], found[-1]["_id"])


async def is_long(rows: AsyncCollection[dict[str, Any]], *, prefix: str, day: date) -> bool:
    """Tells whether the roll has more lines than one person may have without another's consent (AE05)."""
    return await rows.count_documents(_condition(prefix, day), limit=ALONE + 1, hint="area") > ALONE


def _condition(prefix: str, day: date) -> dict[str, Any]:
    area = {"area_code": code_range(prefix)} if prefix else {}
    return {**PRESENT, **voting(day), **area}


def _entry(row: Mapping[str, Any]) -> pb.VoterEntry:
    return pb.VoterEntry(
        resident_id=row["_id"],
        name=row["name"],
        sex=row["sex"],
        birth_date=row["birth_date"],
        area_code=row["area_code"],
        house_id=house_of(row),
        resident_type=row["resident_type"],
    )

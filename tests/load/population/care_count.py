"""`care_count`: the care register of the whole city by category and street, under 100 ms at the median through gRPC."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from typing import Any

from binglian.population.v1 import care_pb2 as pb
from binglian.population.v1.care_pb2_grpc import CareServiceStub

from population.codes import rows_of
from population.questions.columns import area_code
from svckit.ids import new_id
from tests.load.harness import Row, below
from tests.load.population.register import DATABASE, Register, median_ms

LIMIT_MS = 100.0
TIMES = 15
ONE_IN = 40
"""Of so many residents one is on the register."""
_AT_ONCE = 10_000


def run(here: Register) -> list[Row]:
    """One row; the entries it counts are written first, from the areas of the seeded people."""
    written = _write(here)
    ask, caller = CareServiceStub(here.channel), here.caller("", role="SUPERVISION")

    def count() -> None:
        found = ask.CountCare(pb.CountCareRequest(by_digits=9), metadata=caller).categories
        assert sum(one.total.value for one in found) > written * 0.9

    began = time.perf_counter()
    count()
    first = (time.perf_counter() - began) * 1000
    note = f"{written:,} entries; {first:.0f} ms for the first who asks within ten seconds"
    return [below("care_count", value=median_ms(count, times=TIMES), unit="ms", limit=LIMIT_MS, note=note)]


def _write(here: Register) -> int:
    rows, batch, written = here.mongo[DATABASE]["care_entries"], [], 0
    for entry in _entries(here):
        batch.append(entry)
        if len(batch) == _AT_ONCE:
            rows.insert_many(batch, ordered=False)
            written, batch = written + len(batch), []
    if batch:
        rows.insert_many(batch, ordered=False)
    return written + len(batch)


def _entries(here: Register) -> Iterator[dict[str, Any]]:
    """Entries of any category, in each grid as many as its people ask for."""
    kept = sorted(row["code"] for row in rows_of("care_category") if row["sensitivity"] != "L4")
    chance, now, number = random.Random(7), dt.datetime.now(dt.UTC), 0
    for area, people in here.duck.execute("SELECT area, count(*) FROM people GROUP BY area ORDER BY area").fetchall():
        place = {"city": "4205", "area_code": area_code(area), "state": "active", "consent": "given", "revision": 1}
        for _ in range(people // ONE_IN):
            number += 1
            times = {"entered_at": now, "changed_at": now, "created_by": {"key": f"bench-care-{number}"}}
            yield {"_id": new_id(), "resident_id": new_id(), "category": chance.choice(kept), **place, **times}

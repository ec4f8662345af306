"""`condition_district`: a combined condition over 200,000 and over all, count and first page, against bare DuckDB and MongoDB."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from binglian.population.v1 import question_service_pb2 as pb

from svckit.paging import code_range
from tests.load.harness import Row, compare
from tests.load.population.register import DISTRICT, Register, against_mongo, median_ms, years_ago

FILTER = "age >= 80 AND lives_alone = true AND floor >= 3 AND lift = false"
TIMES = 40


def run(here: Register) -> list[Row]:
    """Median of one caller, through gRPC with names and masks on our side."""
    rows = []
    for name, prefix in (("condition_district", DISTRICT), ("condition_all", "")):
        rows += _measured(here, name, prefix)
    return rows


def _measured(here: Register, name: str, prefix: str) -> list[Row]:
    caller = here.caller("P01", role="COMM_CLERK")

    def ours() -> None:
        answer = here.questions.FindPeople(pb.FindPeopleRequest(filter=FILTER, area_prefix=prefix), metadata=caller)
        assert answer.total_size >= len(answer.people) > 0

    row = compare(
        name,
        ours=lambda: median_ms(ours, times=TIMES),
        floor=lambda: median_ms(_bare_duck(here, prefix), times=TIMES),
        unit="ms",
        target=0.4,
        lower_is_better=True,
        note="count and first page; floor: bare DuckDB",
    )
    return [row, against_mongo(name, ours=row.value, mongo=_bare_mongo(here, prefix))]


def _bare_duck(here: Register, prefix: str) -> Callable[[], None]:
    area = f"area BETWEEN {prefix.ljust(17, '0')} AND {prefix.ljust(17, '9')} AND " if prefix else ""
    where = f"{area} birth <= {years_ago(80):%Y%m%d} AND alone AND floor >= 3 AND NOT lift"

    def ask() -> None:
        here.duck.execute(f"SELECT count(*) FROM people WHERE {where}").fetchall()
        here.duck.execute(f"SELECT id, area FROM people WHERE {where} ORDER BY area, id LIMIT 50").fetchall()

    return ask


def _bare_mongo(here: Register, prefix: str) -> float:
    """Milliseconds of bare MongoDB, the better of two: these are long."""
    query: dict[str, Any] = {
        "birth_date": {"$gt": "", "$lte": years_ago(80).isoformat()},
        "living.alone": True,
        "living.floor": {"$gte": 3},
        "living.lift": False,
        **({"area_code": code_range(prefix)} if prefix else {}),
    }
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        here.stored.count_documents(query)
        here.stored.find(query).sort([("area_code", 1), ("_id", 1)]).limit(50).to_list()
        taken.append((time.perf_counter() - began) * 1000)
    return min(taken)

"""`pyramid`: men and women by five years of age, over 200,000 and over all, against bare DuckDB and MongoDB."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from binglian.population.v1 import question_service_pb2 as pb

from svckit.paging import code_range
from tests.load.harness import Row, compare
from tests.load.population.register import DISTRICT, Register, against_mongo, median_ms

TIMES = 30


def run(here: Register) -> list[Row]:
    """Median of one caller; small counts are withheld on our side."""
    rows = []
    for name, prefix in (("pyramid", DISTRICT), ("pyramid_all", "")):
        rows += _measured(here, name, prefix)
    return rows


def _measured(here: Register, name: str, prefix: str) -> list[Row]:
    caller = here.caller("P08")

    def ours() -> None:
        answer = here.questions.GetPyramid(pb.GetPyramidRequest(area_prefix=prefix), metadata=caller)
        assert answer.total.total.value > 0

    row = compare(
        name,
        ours=lambda: median_ms(ours, times=TIMES),
        floor=lambda: median_ms(_bare_duck(here, prefix), times=TIMES),
        unit="ms",
        target=0.4,
        lower_is_better=True,
        note="floor: bare DuckDB",
    )
    return [row, against_mongo(name, ours=row.value, mongo=_bare_mongo(here, prefix))]


def _bare_duck(here: Register, prefix: str) -> Callable[[], None]:
    area = f"WHERE area BETWEEN {prefix.ljust(17, '0')} AND {prefix.ljust(17, '9')}" if prefix else ""
    today = f"{date.today():%Y%m%d}"
    sql = f"SELECT (({today} - birth) // 10000) // 5 AS band, sex, count(*) FROM people {area} GROUP BY band, sex"
    return lambda: here.duck.execute(sql).fetchall()  # type: ignore[return-value]


def _bare_mongo(here: Register, prefix: str) -> float:
    """Milliseconds of a bare aggregation over the documents: by the year of birth, which is no dearer than the age."""
    began = time.perf_counter()
    here.stored.aggregate(
        [
            *([{"$match": {"area_code": code_range(prefix)}}] if prefix else []),
            {"$group": {"_id": {"year": {"$substrBytes": ["$birth_date", 0, 4]}, "sex": "$sex"}, "n": {"$sum": 1}}},
        ]
    ).to_list()
    return (time.perf_counter() - began) * 1000

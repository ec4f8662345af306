"""`statistics`: every other question over all residents, each under 100 ms at the median through gRPC."""

from __future__ import annotations

import time
from collections.abc import Callable

from binglian.population.v1 import question_service_pb2 as pb

from tests.load.harness import Row, below
from tests.load.population.register import DISTRICT, Register, median_ms

LIMIT_MS = 100.0
TIMES = 15


def run(here: Register) -> list[Row]:
    """A row for each question."""
    ask, statistics, clerk = here.questions, here.caller("P08"), here.caller("P01", role="COMM_CLERK")
    (community,) = here.communities(1)
    grid = str(here.duck.execute("SELECT min(area) FROM people WHERE area // 100000 = ?", [int(community)]).fetchall()[0][0])
    point = here.stored.find_one({"living.longitude": {"$ne": None}})["living"]
    around = pb.CountAroundRequest(point={"longitude": point["longitude"], "latitude": point["latitude"]})
    elderly = pb.CountPeopleRequest(filter="age >= 60 AND affiliation:*", by_digits=9)
    questions: dict[str, Callable[[], object]] = {
        "count_by_street": lambda: ask.CountPeople(elderly, metadata=clerk),
        "count_by_grid": lambda: ask.CountPeople(
            pb.CountPeopleRequest(area_prefix=DISTRICT, by_digits=17, filter="age >= 60"), metadata=statistics
        ),
        "density": lambda: ask.GetDensity(pb.GetDensityRequest(area_code="4205"), metadata=statistics),
        "count_tenants_in_households_of_5": lambda: ask.CountPeople(
            pb.CountPeopleRequest(by_digits=9, filter="tenure = tenant AND household_size >= 5"), metadata=statistics
        ),
        "find_tenants_in_community": lambda: ask.FindPeople(
            pb.FindPeopleRequest(area_prefix=community, filter="tenure = tenant AND household_size >= 2"), metadata=clerk
        ),
        "trend_of_grid": lambda: ask.GetTrend(pb.GetTrendRequest(area_prefix=grid, from_day="2016-01-01"), metadata=statistics),
        "trend": lambda: ask.GetTrend(pb.GetTrendRequest(from_day="2016-01-01"), metadata=statistics),
        "pyramid_past": lambda: ask.GetPyramid(pb.GetPyramidRequest(day="2018-12-31"), metadata=statistics),
        "household_sizes": lambda: ask.GetHouseholdSizes(pb.GetHouseholdSizesRequest(), metadata=statistics),
        "around_800_m": lambda: ask.CountAround(around, metadata=statistics),
        "condition_two_fields": lambda: ask.FindPeople(
            pb.FindPeopleRequest(filter='affiliation = "01" AND age > 45'), metadata=clerk
        ),
    }
    return [_row(name, question) for name, question in questions.items()]


def _row(name: str, question: Callable[[], object]) -> Row:
    """The median of some calls; what is decided once and kept for a while costs the first who asks more."""
    began = time.perf_counter()
    question()
    first = (time.perf_counter() - began) * 1000
    value = median_ms(question, times=TIMES)
    return below(name, value=value, unit="ms", limit=LIMIT_MS, note=f"the first time {first:.0f} ms")

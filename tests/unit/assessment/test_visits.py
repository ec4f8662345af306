"""Planned visits: figures are a function of the set of facts."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.visits import (
    AreaRoster,
    VisitPeriod,
    WorkerVisits,
    check_street,
    on_duty,
    parts_of,
    take_roster,
    take_visit,
    worker_visits,
)
from svckit.errors import InvalidArgument

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
DUE = START + dt.timedelta(days=30)
GRID = "42050200100310001"
PLAN = {"plan_id": "p", "rule": "VK1", "area_code": GRID, "period_start": START}
PLANNED = ("population.visit_planned.v1", {**PLAN, "responsible_role": "GRID_WORKER", "due_at": DUE})
MISSED = ("population.visit_missed.v1", PLANNED[1])


def made(by: str, *, days: int, first: bool) -> tuple[str, dict[str, Any]]:
    return "population.visit_made.v1", {**PLAN, "by": by, "at": START + dt.timedelta(days=days), "first": first}


def taken(*facts: tuple[str, dict[str, Any]]) -> VisitPeriod:
    period: VisitPeriod | None = None
    for kind, fields in facts:
        period, _ = take_visit(period, event_type=kind, fields=fields)
    assert period is not None
    return period


FACTS = [PLANNED, made("li", days=3, first=True), made("wang", days=4, first=False), made("li", days=-2, first=False)]


@given(st.permutations(FACTS + FACTS[:2]))
def test_the_order_of_facts_and_their_repetition_change_nothing(facts: list[tuple[str, dict[str, Any]]]) -> None:
    period = taken(*facts)
    assert period == taken(*FACTS)
    assert (period.kept_by, period.missed, period.month, len(period.made)) == ("li", False, "2026-04", 3)


def test_a_period_without_a_visit_that_counts_is_missed() -> None:
    period = taken(made("li", days=-2, first=False), MISSED)
    assert (period.missed, period.kept_by, period.due_at, period.responsible_role) == (True, "", DUE, "GRID_WORKER")


def test_what_is_known_is_not_written_again() -> None:
    period = taken(*FACTS)
    assert take_visit(period, event_type=FACTS[1][0], fields=FACTS[1][1])[0] is period


def rosters(*told: tuple[int, str]) -> AreaRoster:
    known: AreaRoster | None = None
    for day, subject in random.Random(3).sample(told, len(told)):
        duties = [{"role": "GRID_WORKER", "subject": subject}, {"role": "GRID_FIRE", "subject": "zhao"}]
        fields = {"area_code": GRID, "roster": duties, "at": START + dt.timedelta(days=day), "retired": False}
        known, _ = take_roster(known, fields=fields)
    assert known is not None
    return known


def test_who_was_on_duty_when_the_period_ended_is_charged() -> None:
    known = rosters((0, "li"), (20, "wang"), (40, "chen"))
    assert on_duty(known, role="GRID_WORKER", at=DUE) == ("wang",)
    assert on_duty(known, role="GRID_WORKER", at=START - dt.timedelta(days=9)) == ("li",)
    assert on_duty(known, role="COMM_CLERK", at=DUE) == ()
    assert on_duty(None, role="GRID_WORKER", at=DUE) == ()
    row = {"area_code": GRID, "role": "GRID_WORKER", "due_at": DUE, "count": 2}
    nobody = {**row, "role": "COMM_CLERK", "count": 1}
    figures = worker_visits([{"subject": "li", "kept": 4, "visits": 5}], [row, nobody], {GRID: known})
    assert figures == (
        WorkerVisits(subject="", missed=1),
        WorkerVisits(subject="li", kept=4, visits=5),
        WorkerVisits(subject="wang", missed=2),
    )


def test_a_retired_area_has_nobody_on_duty() -> None:
    known, _ = take_roster(rosters((0, "li")), fields={"area_code": GRID, "roster": [], "at": DUE, "retired": True})
    assert on_duty(known, role="GRID_WORKER", at=DUE) == ()
    assert take_roster(known, fields={"area_code": GRID, "roster": [], "at": DUE, "retired": True})[0] is known


def test_parts_of_areas() -> None:
    assert [parts_of("4" * digits) for digits in (0, 4, 6, 9, 12, 17)] == [4, 6, 9, 12, 17, 17]
    check_street("420502001")
    with pytest.raises(InvalidArgument) as refusal:
        check_street("420502")
    assert refusal.value.reason == "AREA_TOO_LARGE"

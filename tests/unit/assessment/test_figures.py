"""Figures of departments and the comparison of the two ways."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain import DepartmentFigures, TaskRecord
from assessment.operations import ComparisonCounter, FigureCounter
from assessment.policies import period_of
from tests.unit.assessment.histories import minute


def task(**fields: Any) -> dict[str, Any]:
    return msgspec.to_builtins(TaskRecord(task_id="t", department="UMD", **fields), builtin_types=(type(minute(0)),))


def figures(*tasks: dict[str, Any]) -> tuple[DepartmentFigures, ...]:
    counter = FigureCounter()
    for record in tasks:
        counter.add(record)
    return counter.figures()


def test_only_what_was_in_time_counts_as_in_time():
    (umd,) = figures(
        task(accepted_at=minute(1), accepted_on_time=True, done_at=minute(9), done_on_time=True, critical=True),
        task(accepted_at=minute(1), accepted_on_time=False, done_at=minute(9), done_on_time=False, light="red", returns=2),
        task(objections=1, objections_overruled=1),
    )
    assert umd == DepartmentFigures(
        department="UMD",
        tasks=3,
        accepted=2,
        accepted_on_time=1,
        done=2,
        done_on_time=1,
        returned=1,
        objections_overruled=1,
        red=1,
        critical=1,
    )


def test_tasks_taken_away_do_not_count():
    assert figures(task(removed=True)) == ()


def test_medians_are_over_done_tasks():
    done = [task(done_at=minute(9), waiting_minutes=float(n), working_minutes=10.0 * n) for n in (1, 2, 30)]
    (umd,) = figures(*done, task(waiting_minutes=1000.0))
    assert (umd.median_waiting_minutes, umd.median_working_minutes) == (2.0, 20.0)


@given(st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order_of_the_tasks(rng: random.Random):
    tasks = [task(done_at=minute(n) if n % 3 else None, waiting_minutes=float(n), returns=n % 2) for n in range(9)]
    shuffled = rng.sample(tasks, k=len(tasks))
    assert figures(*shuffled) == figures(*tasks)


def test_the_comparison_takes_its_medians_from_parallel_cases_only():
    counter = ComparisonCounter()
    for actual, serial in ((10, 30), (20, 50), (30, 100)):
        counter.add({"category": "A0204", "parallel": True, "actual_minutes": actual, "serial_minutes": serial})
    counter.add({"category": "A0204", "parallel": False, "actual_minutes": 999, "serial_minutes": 999})
    counter.add({"category": "D0102", "parallel": False, "actual_minutes": 5, "serial_minutes": 5})
    disputes, events = counter.categories()
    assert (disputes.cases, disputes.parallel_cases) == (4, 3)
    assert (disputes.median_actual_minutes, disputes.median_serial_minutes, disputes.median_saved_minutes) == (20, 50, 30)
    assert (events.cases, events.parallel_cases, events.median_actual_minutes) == (1, 0, 0)
    assert (counter.total().cases, counter.total().parallel_cases) == (5, 3)


def test_a_month_begins_at_midnight_in_shanghai():
    assert period_of(minute(0).replace(day=31, hour=15, minute=59)) == "2026-03"
    assert period_of(minute(0).replace(day=31, hour=16, minute=0)) == "2026-04"

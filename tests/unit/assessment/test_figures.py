"""Figures of departments and the comparison of the two ways, from what the database has counted into bins."""

from __future__ import annotations

import datetime as dt
import math
import random
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain import CategoryComparison, CriticalMinutes, DepartmentFigures, StepKind
from assessment.operations import compare_categories, critical_minutes, department_figures
from assessment.policies import median_of, month_of, period_of
from tests.unit.assessment.histories import minute


def spread(*values: float) -> list[dict[str, Any]]:
    """Values in bins of 2 %, one row each."""
    bins = [int(math.copysign(math.floor(50 * math.log1p(abs(value))), value)) for value in values]
    return [{"bin": number, "count": 1, "total": value} for number, value in zip(bins, values, strict=True)]


def rows(by: str, measure: str, *bins: dict[str, Any], **counts: int) -> list[dict[str, Any]]:
    return [{"by": by, "measure": measure, **counts, **row} for row in bins]


WITHOUT = {"bin": None, "count": 1, "total": 0}
IDLE = dict.fromkeys(
    ("accepted", "accepted_on_time", "done", "done_on_time", "returned", "objections_overruled", "red", "critical"), 0
)
DONE = {**IDLE, "accepted": 1, "done": 1, "done_on_time": 1}


def tasks(department: str, *minutes: float | None) -> list[dict[str, Any]]:
    """Rows of tasks that waited so long and were worked on ten times as long; None: not done."""
    done = [value for value in minutes if value is not None]
    open_ = [WITHOUT] * (len(minutes) - len(done))
    return [
        row
        for measure, values in (("waiting", done), ("working", [10 * value for value in done]))
        for row in (
            *rows(department, measure, *spread(*values), **DONE),
            *rows(department, measure, *open_, **IDLE),
        )
    ]


def test_figures_count_every_task_once():
    umd, wf = department_figures([*tasks("WF", None), *tasks("UMD", 1, 2, 30, None)])
    assert umd == DepartmentFigures(
        department="UMD",
        tasks=4,
        accepted=3,
        done=3,
        done_on_time=3,
        median_waiting_minutes=2.0,
        median_working_minutes=20.0,
    )
    assert (wf.tasks, wf.done, wf.median_waiting_minutes) == (1, 0, 0.0)


@given(st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order_of_the_rows(rng: random.Random):
    given_rows = [*tasks("UMD", 1, 2, 30, None), *tasks("FIRE", 5, None, 7)]
    shuffled = rng.sample(given_rows, k=len(given_rows))
    assert department_figures(shuffled) == department_figures(given_rows)


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1))
def test_a_median_is_right_to_within_about_two_percent(values: list[float]):
    # The bins hold whole sizes of |minutes| + 1: below a minute the error is at most 1.2 seconds.
    found, exact = median_of(spread(*values)), statistics.median(values)
    middle = sorted(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
    assert found == pytest.approx(exact, abs=0.0203 * (max(map(abs, middle)) + 1))


def test_a_median_of_few_values_is_exact():
    assert median_of(spread(3.25)) == 3.25
    assert median_of(spread(-10.0, 30.5, 100.0)) == 30.5
    assert median_of(spread(10.0, 20.0)) == 15.0
    assert median_of([*spread(7.0, 7.0), WITHOUT]) == 7.0
    assert median_of([WITHOUT]) == 0.0


def test_the_comparison_takes_its_medians_from_parallel_cases_only():
    pairs = ((10.0, 30.0), (20.0, 50.0), (30.0, 100.0))
    measures = {
        "actual": [actual for actual, _ in pairs],
        "serial": [serial for _, serial in pairs],
        "saved": [serial - actual for actual, serial in pairs],
    }
    counted = [
        row
        for measure, values in measures.items()
        for row in (
            *rows("A0204", measure, *spread(*values), parallel_cases=1),
            *rows("A0204", measure, WITHOUT, parallel_cases=0),
            *rows("D0102", measure, WITHOUT, parallel_cases=0),
        )
    ]
    (disputes, events), total = compare_categories(counted)
    assert disputes == CategoryComparison(
        category="A0204",
        cases=4,
        parallel_cases=3,
        median_actual_minutes=20,
        median_serial_minutes=50,
        median_saved_minutes=30,
    )
    assert (events.cases, events.parallel_cases, events.median_actual_minutes) == (1, 0, 0)
    assert (total.cases, total.parallel_cases, total.median_saved_minutes) == (5, 3, 30)


def test_a_month_begins_at_midnight_in_shanghai():
    assert period_of(minute(0).replace(day=31, hour=15, minute=59)) == "2026-03"
    assert period_of(minute(0).replace(day=31, hour=16, minute=0)) == "2026-04"


@pytest.mark.parametrize("period", ["2026-01", "2026-02", "2026-12"])
def test_a_month_holds_the_instants_that_are_said_to_be_in_it(period: str):
    start, end = month_of(period)
    instant = start - dt.timedelta(milliseconds=1)
    assert (period_of(start), period_of(end - dt.timedelta(milliseconds=1))) == (period, period)
    assert period not in (period_of(instant), period_of(end))


def shares(category: str, department: str, *minutes: float, kind: str = "task") -> list[dict[str, Any]]:
    """Rows of shares that were waiting for a quarter and work for the rest."""
    about = {"category": category, "kind": kind, "department": department}
    return [
        {
            **about,
            **row,
            "waiting_minutes": row["total"] / 4,
            "working_minutes": row["total"] * 3 / 4,
            "suspended_minutes": 0.0,
        }
        for row in spread(*minutes)
    ]


def test_critical_minutes_are_shared_out_within_each_category_and_in_total():
    rows = [
        *shares("A", "FIRE", 10, 20, 30),
        *shares("A", "PSB", 40),
        *shares("B", "PSB", 100),
        *shares("B", "", 20, kind="dispatch"),
    ]
    own, totals = critical_minutes(rows)
    assert [(row.category, row.department, row.cases, row.minutes, row.share) for row in own] == [
        ("A", "FIRE", 3, 60, 0.6),
        ("A", "PSB", 1, 40, 0.4),
        ("B", "PSB", 1, 100, 100 / 120),
        ("B", "", 1, 20, 20 / 120),
    ]
    assert totals[0] == CriticalMinutes(
        category="",
        kind=StepKind.TASK,
        department="PSB",
        cases=2,
        minutes=140,
        waiting_minutes=35,
        working_minutes=105,
        median_minutes=70,
        share=140 / 220,
    )
    assert own[0].median_minutes == 20


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["FIRE", "PSB"]), st.floats(1, 1e5)), max_size=20),
    st.randoms(use_true_random=False),
)
def test_shares_add_up_and_do_not_depend_on_the_order_of_the_rows(told, rng: random.Random):
    rows = [row for category, department, minutes in told for row in shares(category, department, minutes)]
    own, totals = critical_minutes(rows)
    for category in {row.category for row in own}:
        assert sum(row.share for row in own if row.category == category) == pytest.approx(1)
    assert sum(row.minutes for row in own) == pytest.approx(sum(row.minutes for row in totals))
    shuffled = critical_minutes(rng.sample(rows, k=len(rows)))
    assert [(row.category, row.department, row.cases) for row in shuffled[0]] == [
        (row.category, row.department, row.cases) for row in own
    ]

"""Trends: first days of months, decided over all of them, with no small change between neighbours that are told."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.statistics.suppression import K
from population.statistics.trends import BEGIN, months, told
from svckit.errors import InvalidArgument


def test_the_months_of_a_trend() -> None:
    days = months(dt.date(2023, 12, 31), dt.date(2024, 3, 15), step=2)
    assert days == [dt.date(2023, 12, 1), dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
    assert months(dt.date(2024, 1, 2), dt.date(2024, 1, 30), step=1) == [dt.date(2024, 1, 1)]


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2024-01-02", "2024-01-01", "to_day"),
        ("1984-12-31", "2024-01-01", "from_day"),
        ("1985-01-01", "2095-01-01", "step_months"),
    ],
)
def test_periods_that_make_no_sense(first: str, last: str, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        months(dt.date.fromisoformat(first), dt.date.fromisoformat(last), step=1)
    assert (refused.value.reason, refused.value.field) == ("PERIOD_INVALID", field)


@given(st.lists(st.integers(-25, 25), min_size=30, max_size=80))
def test_no_small_change_is_told(steps: list[int]) -> None:
    days = months(BEGIN, dt.date(2040, 1, 1), step=1)[: len(steps)]
    counts = [max(0, 60 + sum(steps[:at])) for at in range(len(steps))]
    found = told(days, counts)
    shown = [(day, count) for day, count in found.items() if count is not None]
    assert all(not 0 < count < K for _, count in shown)
    assert all(not 0 < abs(a - b) < K for (_, a), (_, b) in pairwise(shown))
    januaries = [count for day, count in shown if day.month == 1]
    assert all(not 0 < abs(a - b) < K for a, b in pairwise(januaries))


def test_januaries_are_told_before_the_months_between() -> None:
    days = months(dt.date(2020, 1, 1), dt.date(2021, 1, 1), step=1)
    found = list(told(days, [100, *[105] * 10, 112, 115]).values())
    assert found[0] == 100
    assert found[-1] == 115
    assert found[1:-1] == [None] * 11

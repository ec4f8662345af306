"""Trends: first days of months, decided over all of them, with no small change between neighbours that are told."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from population.replica import answers
from population.replica.database import Database
from population.replica.disclosure import Tree
from population.replica.rows import Batch
from population.statistics.areas import LEVELS
from population.statistics.suppression import K
from population.statistics.trends import BEGIN, Member, family, months, together, told
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


Series = Mapping[str, Sequence[int]]
"""Counts of the months by area, of areas of all levels."""


def children(series: Series, parent: str) -> list[str]:
    digits = LEVELS[LEVELS.index(len(parent)) + 1] if parent != "" else LEVELS[1]
    return [area for area in series if len(area) == digits and area.startswith(parent)]


def worked_out(series: Series, shown: Mapping[str, Sequence[bool]], month: int) -> set[str]:
    """The withheld areas whose count of a month follows from all that is told of it, by adding and subtracting.

    What is withheld are unknowns, each area is the sum of those directly inside: an unknown follows from the others when its unit
    vector lies in the space of the equations.
    """
    withheld = [area for area in series if not shown[area][month]]
    place = {area: at for at, area in enumerate(withheld)}
    equations = []
    for parent in series:
        if len(parent) < LEVELS[-1] and (inside := children(series, parent)):
            row = np.zeros(len(withheld))
            for area, sign in ((parent, -1.0), *((one, 1.0) for one in inside)):
                if area in place:
                    row[place[area]] += sign
            equations.append(row)
    matrix = np.array(equations)
    rank = np.linalg.matrix_rank(matrix)
    units = np.eye(len(withheld))
    return {area for area, at in place.items() if np.linalg.matrix_rank(np.vstack([matrix, units[at]])) == rank}


def decided(series: Series, grids: Mapping[str, int], silent: frozenset[str], days: Sequence[dt.date]) -> dict[str, list[bool]]:
    """Decides from the whole down to the grids."""

    def members(parent: str) -> dict[str, Member]:
        inside = children(series, parent)
        return {area: Member(counts=series[area], grids=grids[area], silent=area in silent) for area in inside}

    shown = family(days, together(members("")), above=None)
    ahead = [""]
    while ahead:
        parent = ahead.pop()
        shown |= family(days, members(parent), above=shown[parent]) if children(series, parent) else {}
        ahead += [area for area in children(series, parent) if len(area) < LEVELS[-1]]
    return shown


GRID_CODES = tuple(
    f"4205{district:02d}{street:03d}{community:03d}{grid:05d}"
    for district, street, community, grid in (
        (2, 1, 1, 1), (2, 1, 1, 2), (2, 1, 1, 3), (2, 1, 2, 1), (2, 1, 2, 2), (2, 2, 1, 1), (3, 1, 1, 1), (3, 1, 1, 2), (3, 2, 1, 1)
    )
)  # fmt: skip
STEPS = st.one_of(st.just(0), st.integers(-4, 4), st.integers(-40, 40))
GRIDS = st.lists(
    st.tuples(st.integers(0, 60), st.lists(STEPS, min_size=16, max_size=16)), min_size=len(GRID_CODES), max_size=len(GRID_CODES)
)


def whole(of_grids: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """The counts of all areas above, too."""
    areas = sorted({grid[:digits] for grid in of_grids for digits in LEVELS})
    return {
        area: [sum(month) for month in zip(*(of_grids[g] for g in of_grids if g.startswith(area)), strict=True)]
        for area in areas
    }


def check(series: Series, shown: Mapping[str, Sequence[bool]], days: Sequence[dt.date]) -> None:
    for month in range(len(days)):
        assert worked_out(series, shown, month) == set()
    for area, counts in series.items():
        told = [count for count, may in zip(counts, shown[area], strict=True) if may]
        assert all(not 0 < count < K for count in told)
        assert all(not 0 < abs(a - b) < K for a, b in pairwise(told))


@settings(max_examples=60, deadline=None)
@given(GRIDS, st.frozensets(st.sampled_from(GRID_CODES), max_size=2))
def test_no_withheld_month_follows_from_sums_of_areas(grids: list[tuple[int, list[int]]], silent: frozenset[str]) -> None:
    of_grids: dict[str, list[int]] = {}
    for code, (first, steps) in zip(GRID_CODES, grids, strict=True):
        counts = [first]
        for step in steps:
            counts.append(max(0, counts[-1] + step))
        of_grids[code] = counts if any(counts) else [1, *counts[1:]]
    series, days = whole(of_grids), months(dt.date(2020, 10, 1), dt.date(2022, 2, 1), step=1)
    number = {area: sum(code.startswith(area) for code in of_grids) for area in series}
    # A single grid is silent only with its community, as all that is decided of now goes from the whole down.
    alone = frozenset(code for code in silent if number[code[:12]] > 1)
    check(series, decided(series, number, alone, days), days)


def test_an_area_tells_the_same_whichever_is_asked_first_and_nothing_follows(tmp_path: Path) -> None:
    chance = random.Random(3)
    database = Database(tmp_path / "replica.duckdb", memory="200MB", threads=1)
    try:
        database.create()
        batch = Batch()
        for _ in range(700):
            since = dt.date(2019, 1, 1) + dt.timedelta(days=chance.randrange(1_500))
            until = since + dt.timedelta(days=chance.randrange(1_500)) if chance.random() < 0.3 else None
            home = {
                "area_code": chance.choice(GRID_CODES),
                "since": since.isoformat(),
                "until": until.isoformat() if until else "",
            }
            person = {"_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "area_code": home["area_code"], "sex": "1"}
            batch.add(person | {"birth_date": "1980-05-05", "residences": [home]})
        database.apply(batch, gone=[], token="{}")
        now = dt.date(2024, 6, 15)
        areas = sorted({grid[:digits] for grid in GRID_CODES for digits in LEVELS})
        tree, backwards = (Tree(database, now=now, day=None) for _ in range(2))
        shown = {area: tree.tells_months(area) for area in areas}
        assert shown == {area: backwards.tells_months(area) for area in reversed(areas)}
        days = months(BEGIN, now, step=1)
        series = {area: answers.trend(database, prefix=area, days=days) for area in areas}
        check(series, shown, days)
        assert any(not all(told) for told in shown.values())
        assert all(
            any(count and may for count, may in zip(series[area], shown[area], strict=True)) for area in areas if len(area) < 12
        )
    finally:
        database.close()

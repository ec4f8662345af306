"""Counts around a point: nothing but whole blocks is counted, however circles are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.statistics.nearby import CELL, SIDE, Window, bands, spread, window, within
from population.statistics.suppression import K

ONE = Window(0, 0, SIDE, SIDE)
places = st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1))
crowds = st.dictionaries(places, st.integers(1, 40), max_size=30)


def cells(crowd: dict[tuple[int, int], int]) -> list[tuple[int, int, int]]:
    return [(row, column, people) for (row, column), people in crowd.items()]


@given(crowds)
def test_everybody_counts_once_unless_there_are_too_few_at_all(crowd: dict[tuple[int, int], int]) -> None:
    people = sum(crowd.values())
    assert spread(cells(crowd), over=ONE).sum() == pytest.approx(people if people >= K else 0)


@given(st.integers(0, SIDE // 2 - 1), st.integers(0, SIDE // 2 - 1), st.integers(1, K - 1))
def test_where_a_few_live_apart_from_the_others_shows_nowhere(up: int, right: int, few: int) -> None:
    village = [(2, 3, 25), (2, 4, 12), (9, 9, 40)]
    there = spread([*village, (SIDE // 2 + up, SIDE // 2 + right, few)], over=ONE)
    assert np.array_equal(there, spread([*village, (SIDE - 1, SIDE - 1, few)], over=ONE))


@given(crowds)
def test_every_block_has_ten_people_or_more(crowd: dict[tuple[int, int], int]) -> None:
    """What one cell shows alone, less what is spread over its neighbours as well, is a block of its own."""
    found = spread(cells(crowd), over=ONE)
    for row in range(0, SIDE, 2):
        for column in range(0, SIDE, 2):
            square = found[row : row + 2, column : column + 2]
            alone = square - square.min()
            if (alone > 1e-6).sum() == 1:
                assert alone.max() + square.min() * 4 >= K - 1e-6


def test_a_circle_counts_what_lies_inside() -> None:
    at = {"longitude": 111.2865, "latitude": 30.6919}
    over = window(**at, radius_m=800)
    row, column = int(at["latitude"] / CELL), int(at["longitude"] / CELL)
    people = spread([(row, column, 30), (row + 3, column, 20), (row + 9, column, 50)], over=over)
    assert within(people, over=over, **at, radius_m=50_000) == 100
    assert within(people, over=over, **at, radius_m=1_200) == 50
    assert within(people, over=over, **at, radius_m=400) == 30


def test_ages_are_counted_in_bands() -> None:
    assert bands(6, 14) == [(6, 11), (12, 14)]
    assert bands(7, 7) == [(6, 11)]
    assert bands(90, 150) == [(80, 150)]

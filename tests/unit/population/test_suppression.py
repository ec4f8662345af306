"""Whoever has everything that is published cannot tell how many are behind a withheld small count.

The attacker knows all published counts and sums, that a withheld count is at least 1 (zeros are published), and adds and subtracts as
cleverly as can be: tables and trees of sums are networks, in which the most a count can differ is a maximum flow.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from population.statistics.areas import LEVELS, AreaCounts, Tally
from population.statistics.suppression import K, line, shown, small

Edge = tuple[str, str, int, bool]  # from, to, value, whether it counts against the sum
COUNTS = st.one_of(st.just(0), st.integers(1, 9), st.integers(10, 60))


def could_be_less(hidden: Sequence[Edge], at: int) -> float:
    """How much smaller a withheld count could be."""
    return min(hidden[at][2] - 1, could_be_more(hidden, at, turn=True))


def could_be_more(hidden: Sequence[Edge], at: int, *, turn: bool = False) -> float:
    """How much larger a withheld count could be, for all the attacker knows."""
    source, target, _, negative = hidden[at]
    negative ^= turn
    room: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for number, (start, end, value, minus) in enumerate(hidden):
        if number != at:
            grow, shrink = (max(value - 1, 0), math.inf) if minus else (math.inf, max(value - 1, 0))
            room[start][end] += grow
            room[end][start] += shrink
    begin, end = (source, target) if negative else (target, source)
    total = 0.0
    while path := augmenting(room, begin, end):
        width = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= width
            room[b][a] += width
        total += width
        if math.isinf(total) or total > 1_000:
            return math.inf
    return total


def augmenting(room: dict[str, dict[str, float]], begin: str, end: str) -> list[tuple[str, str]]:
    came: dict[str, str] = {begin: begin}
    ahead = deque([begin])
    while ahead and end not in came:
        node = ahead.popleft()
        for other, width in room[node].items():
            if width > 0 and other not in came:
                came[other] = node
                ahead.append(other)
    path, node = [], end
    while node in came and came[node] != node:
        path.append((came[node], node))
        node = came[node]
    return path if end in came else []


@settings(max_examples=300, deadline=None)
@given(st.lists(COUNTS, min_size=1, max_size=9))
def test_no_small_count_of_a_line_can_be_worked_out(counts: list[int]) -> None:
    told = line(counts)
    hidden: list[Edge] = [
        ("sum", "out", count, False) for count, value in zip(counts, told.counts, strict=True) if value is None
    ]
    if told.total is None:
        hidden.append(("out", "sum", sum(counts), False))
    for at, edge in enumerate(hidden):
        if small(edge[2]):
            others = sum(count - 1 for count in counts if count) - (edge[2] - 1)
            wanted = min(K - 1, others) if told.total is not None else 1
            assert could_be_more(hidden, at) >= wanted, (counts, told)
            assert wanted or (edge[2] > 1 and len(hidden) > 1)
    assert all(value is None or value == count for count, value in zip(counts, told.counts, strict=True))


GRIDS = st.dictionaries(
    st.builds(lambda s, c, g: f"420502{s:03d}{c:03d}1{g:04d}", st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    COUNTS,
    min_size=1,
    max_size=18,
)


@settings(max_examples=300, deadline=None)
@given(GRIDS)
def test_no_small_count_of_an_area_can_be_worked_out_from_all_levels(grids: dict[str, int]) -> None:
    counts = AreaCounts({code: Tally(count, 1) for code, count in grids.items()}, root="4205")
    told: dict[str, int | None] = {"4205": counts.total("4205")}
    for digits in LEVELS[2:]:
        told |= counts.shown(inside="4205", digits=digits)
    hidden: list[Edge] = []
    for code, value in told.items():
        actual = sum(count for grid, count in grids.items() if grid.startswith(code))
        assert value in (None, actual)
        assert value is None or not small(actual)
        if value is None:
            above = code[: LEVELS[LEVELS.index(len(code)) - 1]] if code != "4205" else "out"
            hidden.append((above, code if len(code) < 17 else "out", actual, False))
    for at, (_, _, value, _) in enumerate(hidden):
        if small(value) and told["4205"] is not None:
            assert could_be_more(hidden, at) + could_be_less(hidden, at) > 0, (grids, told)


@settings(max_examples=300, deadline=None)
@given(GRIDS, st.lists(COUNTS, min_size=18, max_size=18))
def test_nor_can_a_small_count_of_those_a_filter_does_not_hold_for(grids: dict[str, int], others: list[int]) -> None:
    """Everybody is known: who is not counted is everybody less the count, and everybody where nobody is counted."""
    rest = {code: other for (code, count), other in zip(grids.items(), others, strict=False) if count}
    tallies = {code: Tally(grids[code], 1, other, min(other, 1)) for code, other in rest.items()}
    counts = AreaCounts(tallies, root="4205")
    told: dict[str, int | None] = {"4205": counts.total("4205")}
    for digits in LEVELS[2:]:
        told |= counts.shown(inside="4205", digits=digits)
    hidden: list[Edge] = []
    for code, value in told.items():
        those, not_those = (sum(n for grid, n in of.items() if grid.startswith(code)) for of in (grids, rest))
        assert value in (None, those)
        assert value is None or not (small(those) or small(not_those))
        if value is None:
            above = code[: LEVELS[LEVELS.index(len(code)) - 1]] if code != "4205" else "out"
            hidden.append((above, code if len(code) < 17 else "out", not_those, False))
    for at, (_, _, value, _) in enumerate(hidden):
        if small(value) and told["4205"] is not None:
            assert could_be_more(hidden, at) + could_be_less(hidden, at) > 0, (tallies, told)


@settings(max_examples=100, deadline=None)
@given(GRIDS, st.sampled_from(["4205", "420502", "420502001", "420502001001"]))
def test_the_same_is_withheld_whoever_asks_for_which_part(grids: dict[str, int], inside: str) -> None:
    whole = AreaCounts({code: Tally(count, 1) for code, count in grids.items()}, root="4205").shown(inside="4205", digits=17)
    part = AreaCounts({code: Tally(count, 1) for code, count in grids.items()}, root="4205").shown(inside=inside, digits=17)
    assert part == {code: count for code, count in whole.items() if code.startswith(inside)}


@pytest.mark.parametrize(
    ("count", "everybody", "expected"), [(0, 50, 0), (9, 50, None), (10, 50, 10), (45, 50, None), (50, 50, 50)]
)
def test_a_single_count_is_withheld_when_it_or_the_rest_is_small(count: int, everybody: int, expected: int | None) -> None:
    assert shown(count, of=everybody) == expected

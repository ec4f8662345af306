"""Nobody can work out a small count from all pyramids of one day: of every area, by bands of every width.

The attacker knows every published number, that counts are not negative, and all of linear algebra: a cell is given away when it is a
combination of what is published.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from population.replica.disclosure import Tree
from population.statistics.areas import LEVELS, AreaCounts, Tally, check_level
from population.statistics.pyramids import FINEST, UNKNOWN, Blocks, Counts, counts_of, family, told
from population.statistics.suppression import K, small
from svckit.errors import InvalidArgument

AGES = 10
WIDTHS = (1, 2, 5, 7)
TODAY = dt.date(2026, 3, 2)
Leaves = dict[str, Counts]


class Paper(Tree):
    """The decisions on people that stand in a table, instead of in a database."""

    def __init__(self, leaves: Leaves) -> None:
        super().__init__(None, now=TODAY, day=None)  # type: ignore[arg-type]
        self.leaves = leaves

    def _members(self, parent: str, *, digits: int) -> dict[str, Counts]:
        found: dict[str, Counts] = {}
        for code, counts in self.leaves.items():
            if code.startswith(parent):
                found[code[:digits]] = found.get(code[:digits], np.zeros_like(counts)) + counts
        return found

    def _counts(self, prefix: str, digits: int = 0) -> AreaCounts:
        return AreaCounts({code: Tally(int(counts.sum()), 1) for code, counts in self.leaves.items()}, root=prefix[:4])

    def nodes(self) -> list[str]:
        return sorted({code[:digits] for code in self.leaves for digits in LEVELS})

    def whole(self, area: str) -> Counts:
        return np.sum([counts for code, counts in self.leaves.items() if code.startswith(area)], axis=0)


def cells_of(width: int) -> Iterator[tuple[int | None, tuple[int, ...], tuple[int, ...]]]:
    """Every cell a pyramid may have: its band, its ages, its sexes."""
    bands: list[tuple[int | None, tuple[int, ...]]] = [
        (first, tuple(range(first, min(first + width, UNKNOWN)))) for first in range(0, AGES, width)
    ]
    bands += [(None, (UNKNOWN,)), (-1, tuple(range(UNKNOWN + 1)))]
    for (first, ages), sexes in itertools.product(bands, ((0,), (1,), (2,), (0, 1, 2))):
        yield first, ages, sexes


def published(pyramid: Any, first: int | None, sexes: tuple[int, ...]) -> int | None:
    """What a pyramid tells of a cell; None: nothing."""
    lines = {band: (cells, total) for band, cells, total in pyramid.bands}
    lines[-1] = (pyramid.sexes, pyramid.total)
    if first not in lines:
        return None
    cells, total = lines[first]
    value: int | None = total if len(sexes) == 3 else cells[sexes[0]]
    return value


SOME = st.one_of(st.just(0), st.just(0), st.integers(1, 9), st.integers(10, 80))
TABLES = st.lists(
    st.tuples(st.one_of(st.integers(0, AGES - 1), st.none()), st.integers(0, 2), SOME), min_size=1, max_size=18
).map(counts_of)
FULL = st.integers(0, 5).map(
    lambda few: (
        counts_of([(age, sex, 14 + (age * 7 + sex * 5 + few) % 9) for age in range(AGES) for sex in range(2)])
        + counts_of([(AGES - 1, 2, few), (3, 0, -few)])
    )
)
TREES = st.dictionaries(
    st.builds(
        lambda d, s, c, g: f"4205{d:02d}{s:03d}{c:03d}1{g:04d}",
        st.integers(2, 3),
        st.integers(1, 2),
        st.integers(1, 2),
        st.integers(1, 3),
    ),
    st.one_of(TABLES, FULL, FULL),
    min_size=1,
    max_size=7,
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_no_small_cell_is_a_combination_of_what_is_published(leaves: Leaves) -> None:
    tree = Paper(leaves)
    pyramids = {(area, width): told_of(tree, area, width) for area in tree.nodes() for width in WIDTHS}
    rows, secrets, empty = set(), [], set()
    places = {code: number for number, code in enumerate(leaves)}

    def atoms(area: str, ages: tuple[int, ...], sexes: tuple[int, ...]) -> list[tuple[int, int, int]]:
        inside = [number for code, number in places.items() if code.startswith(area)]
        lived = [age for age in ages if age < AGES or age == UNKNOWN]
        return [(number, age, sex) for number in inside for age in lived for sex in sexes]

    for (area, width), pyramid in pyramids.items():
        counts = tree.whole(area)
        for first, ages, sexes in cells_of(width):
            actual = int(counts[np.ix_(ages, sexes)].sum())
            value = published(pyramid, first, sexes)
            assert value in (None, actual)
            if value is None:
                secrets += [(area, ages, sexes, actual)] if small(actual) else []
                continue
            assert not small(actual)
            empty.update(atoms(area, ages, sexes) if not actual else ())
            rows.add(tuple(atoms(area, ages, sexes)))
    names: dict[tuple[int, int, int], int] = {}
    for row in [*rows, *(atoms(*secret[:3]) for secret in secrets)]:
        for atom in row:
            if atom not in empty:
                names.setdefault(atom, len(names))
    basis = span(rows, names)
    for area, ages, sexes, actual in secrets:
        wanted = vector(atoms(area, ages, sexes), names)
        rest = wanted - basis @ (basis.T @ wanted)
        assert np.abs(rest).max(initial=0.0) > 1e-6, (area, ages, sexes, actual)


def told_of(tree: Tree, area: str, width: int) -> Any:
    blocks, total_told = tree.of(area)
    return told(tree.whole(area), blocks=blocks, total_told=total_told, years=width)  # type: ignore[attr-defined]


def vector(row: Sequence[tuple[int, int, int]], names: Mapping[tuple[int, int, int], int]) -> Any:
    found = np.zeros(len(names))
    for atom in row:
        if atom in names:
            found[names[atom]] = 1.0
    return found


def span(rows: set[tuple[tuple[int, int, int], ...]], names: Mapping[tuple[int, int, int], int]) -> Any:
    """An orthonormal basis of what the rows span."""
    square = np.zeros((len(names), len(names)))
    for row in rows:
        places = [names[atom] for atom in row if atom in names]
        square[np.ix_(places, places)] += 1.0
    values, directions = np.linalg.eigh(square)
    return directions[:, values > 1e-7]


def test_it_does_not_matter_what_is_asked_first() -> None:
    leaves = {
        f"4205020010010{number:04d}": counts_of([(age, age % 2, 3 + number * 11) for age in range(40)])
        for number in range(1, 5)
    }
    forwards, backwards = Paper(leaves), Paper(leaves)
    nodes = forwards.nodes()
    assert [forwards.of(area) for area in nodes] == [backwards.of(area) for area in reversed(nodes)][::-1]


def test_a_few_very_old_people_cost_the_highest_bands_only() -> None:
    counts = counts_of([(age, sex, 40) for age in range(90) for sex in range(2)] + [(97, 1, 4), (103, 0, 2)])
    pyramid = told(counts, blocks=family({"": counts}, above=FINEST).of(""), total_told=True, years=5)
    withheld = [first for first, _, total in pyramid.bands if total is None]
    assert withheld == [85]
    assert [first for first, _, _ in pyramid.bands] == list(range(0, 90, 5))
    assert pyramid.total == 90 * 80 + 6


def test_a_few_of_another_sex_are_told_with_the_women() -> None:
    counts = counts_of([(age, sex, 40) for age in range(60) for sex in range(2)] + [(30, 2, 3)])
    pyramid = told(counts, blocks=family({"": counts}, above=FINEST).of(""), total_told=True, years=10)
    assert pyramid.sexes == (60 * 40, None, None)
    assert pyramid.bands[3] == (30, (400, None, None), 803)


def test_a_small_area_tells_its_total_and_does_not_silence_its_neighbours() -> None:
    large = counts_of([(age, sex, 40) for age in range(60) for sex in range(2)])
    hamlet = counts_of([(40, 0, 30), (41, 1, 40)])
    decided = family({"a": large, "b": large, "hamlet": hamlet}, above=FINEST)
    assert decided.of("hamlet") is None
    blocks = decided.of("a")
    assert blocks is not None
    assert told(hamlet, blocks=None, total_told=True, years=5).total == 70
    assert sum(total is not None for _, _, total in told(large, blocks=blocks, total_told=True, years=5).bands) >= 8


def test_nothing_is_told_of_a_withheld_area() -> None:
    counts = counts_of([(3, 0, 5)])
    assert told(counts, blocks=None, total_told=False, years=5).total is None
    nobody = told(counts_of([]), blocks=None, total_told=True, years=5)
    assert (nobody.bands, nobody.sexes, nobody.total) == ((), (0, 0, 0), 0)


def test_what_has_become_small_since_is_withheld() -> None:
    blocks = Blocks(FINEST.cuts, FINEST.sexes)
    pyramid = told(counts_of([(0, 0, K - 1), (1, 0, 50)]), blocks=blocks, total_told=True, years=1)
    assert [total for _, _, total in pyramid.bands] == [None, 50]


def test_of_half_an_area_nothing_is_decided() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        check_level("42050")
    assert (refusal.value.reason, refusal.value.field) == ("AREA_CODE_INVALID", "area_prefix")

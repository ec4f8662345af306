"""Nobody can work out a small number of households of a size from the answers of all areas of one day.

The attacker knows every published number and all of linear algebra: a cell is given away when it is a combination of what is published.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from population.questions.columns import area_number
from population.replica import disclosure
from population.replica.database import Database
from population.replica.disclosure import Decisions, Households, Tree
from population.replica.rows import Batch
from population.statistics.areas import LEVELS, AreaCounts, Tally
from population.statistics.households import LARGEST, Sizes, by_size, sizes_told
from population.statistics.pyramids import Blocks
from population.statistics.suppression import small

TODAY = dt.date(2026, 3, 2)
PAST = dt.date(2020, 1, 1)
STREET = "420502001"
Leaves = dict[str, list[int]]


class PaperPeople(Tree):
    """Decides on the people of households that stand in a table, instead of in a database."""

    def __init__(self, leaves: Leaves) -> None:
        super().__init__(None, now=TODAY, day=None)  # type: ignore[arg-type]
        self.leaves = leaves

    def _counts(self, prefix: str, digits: int = 0) -> AreaCounts:
        people = {code: sum(size * n for size, n in enumerate(sizes, start=1)) for code, sizes in self.leaves.items()}
        return AreaCounts({code: Tally(count, 1) for code, count in people.items()}, root=prefix[:4])


class Paper(Households):
    """The same of households."""

    def __init__(self, leaves: Leaves) -> None:
        super().__init__(None, now=TODAY, day=None, people=PaperPeople(leaves))  # type: ignore[arg-type]
        self.leaves = leaves

    def _rows(self) -> Any:
        rows = [(area_number(code), size, n) for code, own in sorted(self.leaves.items()) for size, n in enumerate(own, 1) if n]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    def told(self, area: str) -> Sizes:
        blocks, total_told = self.of(area)
        return sizes_told(self.counts(area), blocks=blocks, total_told=total_told)


SOME = st.one_of(st.just(0), st.integers(1, 9), st.integers(10, 90), st.integers(60, 300))
TREES = st.dictionaries(
    st.builds(
        lambda d, s, c, g: f"4205{d:02d}{s:03d}{c:03d}1{g:04d}",
        st.integers(2, 3),
        st.integers(1, 2),
        st.integers(1, 2),
        st.integers(1, 3),
    ),
    st.lists(SOME, min_size=1, max_size=LARGEST).map(lambda sizes: sizes + [0] * (LARGEST - len(sizes))),
    min_size=1,
    max_size=8,
)


@settings(max_examples=80, deadline=None)
@given(TREES)
def test_no_small_number_is_a_combination_of_what_is_published(leaves: Leaves) -> None:
    tree = Paper(leaves)
    places = {code: number * LARGEST for number, code in enumerate(leaves)}
    known, secrets, empty = [], [], np.zeros(len(leaves) * LARGEST, dtype=bool)
    for area in {code[:digits] for code in leaves for digits in LEVELS}:
        for cells, actual, value in answered(tree, area):
            assert value in (None, actual)
            assert value is None or not small(value)
            row = np.zeros(len(leaves) * LARGEST)
            row[[places[code] + size for code in leaves if code.startswith(area) for size in cells]] = 1.0
            if value is not None:
                known.append(row)
                empty |= (row > 0) & (actual == 0)
            elif small(actual):
                secrets.append((row, area, cells, actual))
    basis = span(np.array(known)[:, ~empty]) if known else np.zeros((int((~empty).sum()), 0))
    for row, *secret in secrets:
        wanted = row[~empty]
        assert np.abs(wanted - basis @ (basis.T @ wanted)).max(initial=0.0) > 1e-6, secret


def answered(tree: Paper, area: str) -> Iterator[tuple[tuple[int, ...], int, int | None]]:
    """Each size, and all of them: places, how many there are, what is told. Sizes behind those that are listed have nobody."""
    told = tree.told(area)
    own = [sum(sizes[at] for code, sizes in tree.leaves.items() if code.startswith(area)) for at in range(LARGEST)]
    if told.total is not None:
        assert not any(own[len(told.by_size) :])
    for size, value in itertools.zip_longest(range(LARGEST), told.by_size, fillvalue=None if told.total is None else 0):
        assert size is not None
        yield (size,), own[size], value
    yield tuple(range(LARGEST)), sum(own), told.total


def span(rows: Any) -> Any:
    """An orthonormal basis of what the rows span."""
    values, directions = np.linalg.eigh(rows.T @ rows)
    return directions[:, values > 1e-7]


def test_what_one_community_withholds_the_street_and_its_neighbour_do_not_tell() -> None:
    tree = Paper({STREET + "00110001": [200, 150, 0, 40, 3], STREET + "00210001": [100, 120, 0, 60, 20]})
    assert tree.told(STREET).by_size == (300, 270, 0, 100, 23)
    assert tree.told(STREET + "001").by_size == (200, 150, 0, None, None)
    assert tree.told(STREET + "002").by_size == (100, 120, 0, None, None)
    assert [tree.told(STREET + end).total for end in ("", "001", "002")] == [693, 393, 300]


def test_few_households_tell_their_number_only() -> None:
    tree = Paper({STREET + "00110001": [20, 20] + [0] * 8, STREET + "00210001": [300, 120] + [0] * 8})
    assert tree.told(STREET + "001") == Sizes((None,) * LARGEST, 40)
    assert tree.told(STREET + "002") == Sizes((300, 120), 420)
    assert tree.told("420599") == Sizes((), 0)


def test_who_tells_no_people_tells_no_households() -> None:
    """Twelve households of one person each beside few others: whoever adds them up had the people."""
    tree = Paper({STREET + "00110001": [12] + [0] * 9, STREET + "00210001": [0, 0, 2] + [0] * 7})
    assert [tree.told(STREET + end).total for end in ("001", "002")] == [None, None]


def test_what_has_become_small_since_is_withheld() -> None:
    blocks = Blocks(tuple(range(152)), ((0,), (1,), (2,)))
    assert sizes_told(by_size({1: 40, 2: 9}), blocks=blocks, total_told=True) == Sizes((40, None), 49)
    assert sizes_told(by_size({1: 40}), blocks=blocks, total_told=False) == Sizes((), None)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "replica.duckdb", memory="200MB", threads=1)
    made.create()
    batch = Batch()
    ids = (f"019f1af9-b400-7ffe-8227-{number:012d}" for number in itertools.count())
    for number in range(240):
        # Every other household has somebody in each of the two communities, and counts in the first.
        communities = ("001", "002") if number % 2 else ("001", "001") if number < 120 else ("002", "002")
        for community in communities:
            stay = {"area_code": f"{STREET}{community}10001", "house_id": f"h{number}", "since": "2015-01-01", "until": ""}
            person = {"_id": next(ids), "area_code": stay["area_code"], "birth_date": "1980-05-05", "sex": "1"}
            batch.add(person | {"household_id": f"home{number}", "residences": [stay]})
    made.apply(batch, gone=[], token="{}")
    yield made
    made.close()


@pytest.mark.parametrize("day", [None, PAST])
def test_a_household_counts_whole_in_one_area(database: Database, day: dt.date | None) -> None:
    decisions = Decisions()

    def told(prefix: str) -> Sizes:
        blocks, total_told, counts = decisions.of_households(database, prefix=prefix, now=TODAY, day=day)
        return sizes_told(counts, blocks=blocks, total_told=total_told)

    assert told("4205") == told(STREET) == Sizes((0, 240), 240)
    assert told(STREET + "001") == Sizes((0, 180), 180)
    assert told(STREET + "002") == Sizes((None,) * LARGEST, 60)


def test_the_past_is_counted_once_a_minute_and_now_every_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[dt.date | None] = []
    homes = disclosure.answers.homes

    def noted(asked: Database, *, day: dt.date | None) -> list[tuple[int, int, int]]:
        counted.append(day)
        return homes(asked, day=day)

    monkeypatch.setattr(disclosure.answers, "homes", noted)
    decisions = Decisions()
    for day in (None, PAST, None, PAST):
        for prefix in ("4205", STREET):
            decisions.of_households(database, prefix=prefix, now=TODAY, day=day)
    assert counted == [None, PAST]

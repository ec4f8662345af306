"""What may be told of ages and households in every area, decided for the whole tree at once and kept a while: all answers agree."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from population.questions.columns import AREA_DIGITS, area_number
from population.replica import answers
from population.replica.database import Database
from population.statistics import trends
from population.statistics.areas import LEVELS, AreaCounts, Tally
from population.statistics.households import LARGEST, by_size
from population.statistics.pyramids import FINEST, Blocks, Counts, Family, counts_of, family

KEPT_SECONDS = 60.0
"""So long a decision holds; meanwhile counts are as fresh as ever, and what has become small is withheld."""
MOST_DAYS = 32
"""Days whose decisions are kept: now, and those of the past that were asked for last."""


class Tree:
    """The decisions of one day, made as far as anybody has asked."""

    def __init__(self, database: Database, *, now: date, day: date | None) -> None:
        self._database = database
        self._now = now
        self._day = day
        self._families: dict[str, Family] = {}
        self._areas: dict[tuple[str, int], AreaCounts] = {}
        self._months = trends.months(trends.BEGIN, now, step=1)
        self._past: dict[str, dict[str, trends.Member]] = {}
        self._trends: dict[str, dict[str, list[bool]]] = {}
        self.made_at = time.monotonic()

    def of(self, prefix: str) -> tuple[Blocks | None, bool]:
        """Returns the blocks of an area, None where it tells no ages, and whether its total is told."""
        blocks: Blocks | None = self._family("", above=None, whole=True).of("")
        parent = ""
        for digits in LEVELS[1 : LEVELS.index(len(prefix)) + 1]:
            area = prefix[:digits]
            blocks = self._family(parent, above=blocks).of(area)
            parent = area
        return blocks, self.tells_total(prefix)

    def tells_total(self, prefix: str) -> bool:
        """Tells whether the total of an area is told."""
        return self._counts(prefix).total(prefix) is not None

    def tells_months(self, prefix: str) -> list[bool]:
        """Tells of which first days of months since trends.BEGIN an area tells its people."""
        everything = [True] * len(self._months)
        shown, parent = self._trends_of("", above=None).get("", everything), ""
        for digits in LEVELS[1 : LEVELS.index(len(prefix)) + 1]:
            area = prefix[:digits]
            # Where nobody ever lived there is nothing to withhold.
            shown = self._trends_of(parent, above=shown).get(area, everything)
            parent = area
        return shown

    def _trends_of(self, parent: str, *, above: list[bool] | None) -> dict[str, list[bool]]:
        """The months of the areas directly inside one; without `above` those of everything, under ""."""
        key = parent if above else "*"
        if key not in self._trends:
            if parent not in self._past:
                self._past[parent] = self._past_of(parent)
            members = self._past[parent] if above else trends.together(self._past[parent])
            self._trends[key] = trends.family(self._months, members, above=above)
        return self._trends[key]

    def _past_of(self, parent: str) -> dict[str, trends.Member]:
        digits = LEVELS[LEVELS.index(len(parent)) + 1]
        found = answers.trends_below(self._database, root=parent, digits=digits, days=self._months)
        return {
            area: trends.Member(counts=counts, grids=grids, silent=not self._tells(area, parent))
            for area, (grids, counts) in found.items()
        }

    def _tells(self, area: str, parent: str) -> bool:
        """Whether an area directly inside another tells its total."""
        if not parent:
            return self.tells_total(area)
        counts = self._counts(parent, len(area))
        return counts.shown(inside=parent, digits=len(area)).get(area, 0) is not None

    def _family(self, parent: str, *, above: Blocks | None, whole: bool = False) -> Family:
        key = "*" if whole else parent
        if key not in self._families:
            self._families[key] = self._everybody() if whole else self._decided(parent, above)
        return self._families[key]

    def _everybody(self) -> Family:
        members = self._members("", digits=LEVELS[1])
        return family({"": np.sum(list(members.values()), axis=0)}, above=FINEST) if members else Family(None, frozenset())

    def _decided(self, parent: str, above: Blocks | None) -> Family:
        if above is None:
            return Family(None, frozenset())
        digits = LEVELS[LEVELS.index(len(parent)) + 1]
        members = self._members(parent, digits=digits)
        return family(members, above=above, withheld=self.withheld(parent, members, digits=digits))

    def withheld(self, parent: str, areas: Iterable[str], *, digits: int) -> set[str]:
        """Returns which of the areas directly inside one do not tell their total."""
        shown = self._counts(parent, digits).shown(inside=parent, digits=digits)
        return {area for area in areas if shown.get(area) is None}

    def _members(self, parent: str, *, digits: int) -> dict[str, Counts]:
        rows = answers.ages_below(self._database, prefix=parent, digits=digits, now=self._now, day=self._day)
        return {area: counts_of(own) for area, own in rows.items()}

    def _counts(self, prefix: str, digits: int = 0) -> AreaCounts:
        """The totals of the city, as `CountPeople` decides on them."""
        root, depth = prefix[:4], 17 if max(len(prefix), digits) > 12 else 12
        if (root, depth) not in self._areas:
            people = answers.people_by_area(self._database, root=root, digits=depth, now=self._now, day=self._day)
            self._areas[root, depth] = AreaCounts(people, root=root)
        return self._areas[root, depth]


class Households(Tree):
    """The decisions on households by size. Who tells no people tells no households either: their sizes would tell the people."""

    def __init__(self, database: Database, *, now: date, day: date | None, people: Tree) -> None:
        super().__init__(database, now=now, day=day)
        self._people = people
        self._found: NDArray[np.int64] | None = None

    def counts(self, prefix: str) -> Counts:
        """Returns the households of an area by size, as they were when it was decided."""
        return _sizes(self._inside(prefix))

    def tells_total(self, prefix: str) -> bool:
        """Tells whether the number of households of an area is told."""
        return self._people.tells_total(prefix) and super().tells_total(prefix)

    def withheld(self, parent: str, areas: Iterable[str], *, digits: int) -> set[str]:
        """Returns which of the areas directly inside one do not tell how many households they have."""
        areas = list(areas)
        return super().withheld(parent, areas, digits=digits) | self._people.withheld(parent, areas, digits=digits)

    def _members(self, parent: str, *, digits: int) -> dict[str, Counts]:
        rows = self._inside(parent)
        codes, starts = _parts(rows, digits)
        return {code: _sizes(own) for code, own in zip(codes, np.split(rows, starts[1:]), strict=False)}

    def _counts(self, prefix: str, digits: int = 0) -> AreaCounts:
        root, depth = prefix[:4], 17 if max(len(prefix), digits) > 12 else 12
        if (root, depth) not in self._areas:
            self._areas[root, depth] = AreaCounts(_tallies(self._inside(root), depth), root=root)
        return self._areas[root, depth]

    def _inside(self, prefix: str) -> NDArray[np.int64]:
        """The rows of an area: its number, size, households. Counting the homes of a past day takes longer than an answer may."""
        if self._found is None:
            self._found = self._rows()
        first, last = area_number(prefix), area_number(prefix, filler="9")
        return self._found[slice(*np.searchsorted(self._found[:, 0], (first, last + 1)))]

    def _rows(self) -> NDArray[np.int64]:
        return np.array(answers.homes(self._database, day=self._day), dtype=np.int64).reshape(-1, 3)


def _sizes(rows: NDArray[np.int64]) -> Counts:
    sums = np.zeros(LARGEST + 1, dtype=np.int64)
    np.add.at(sums, rows[:, 1], rows[:, 2])
    return by_size(dict(enumerate(sums.tolist()[1:], start=1)))


def _parts(rows: NDArray[np.int64], digits: int) -> tuple[list[str], NDArray[np.int64]]:
    """The areas with so many digits that rows are of, and where in the rows each begins."""
    parts, starts = np.unique(rows[:, 0] // 10 ** (AREA_DIGITS - digits), return_index=True)
    return [f"{part:0{digits}d}" for part in parts.tolist()], starts


def _tallies(rows: NDArray[np.int64], digits: int) -> dict[str, Tally]:
    codes, starts = _parts(rows, digits)
    if not codes:
        return {}
    new = np.diff(rows[:, 0], prepend=-1) != 0
    households, grids = np.add.reduceat(rows[:, 2], starts), np.add.reduceat(new.astype(np.int64), starts)
    return {code: Tally(*tally) for code, *tally in zip(codes, households.tolist(), grids.tolist(), strict=True)}


class _Trees(NamedTuple):
    people: Tree
    households: Households


class Decisions:
    """The trees of the days that are asked for; threads wait for one another, so that each is made once."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trees: dict[tuple[str, date, date | None], _Trees] = {}
        self._deciding = threading.Lock()
        self._clock = clock

    def of(self, database: Database, *, prefix: str, now: date, day: date | None) -> tuple[Blocks | None, bool]:
        """Returns the blocks of an area, None where it tells no ages, and whether its total is told."""
        with self._deciding:
            return self._of(database, now, day).people.of(prefix)

    def of_households(
        self, database: Database, *, prefix: str, now: date, day: date | None
    ) -> tuple[Blocks | None, bool, Counts]:
        """Returns the blocks of an area's households by size, whether their total is told, and the counts.

        Those of now are as fresh as ever; those of a past day are kept with the decision.
        """
        with self._deciding:
            tree = self._of(database, now, day).households
            blocks, total_told = tree.of(prefix)
            counts = None if day is None else tree.counts(prefix)
        return blocks, total_told, by_size(answers.household_sizes(database, prefix=prefix)) if counts is None else counts

    def tells_months(self, database: Database, *, prefix: str, now: date) -> list[bool]:
        """Tells of which first days of months since trends.BEGIN an area tells its people."""
        with self._deciding:
            return self._of(database, now, None).people.tells_months(prefix)

    def _of(self, database: Database, now: date, day: date | None) -> _Trees:
        key = (database.file.name, now, day)
        trees = self._trees.get(key)
        if trees is None or self._clock() - trees.people.made_at > KEPT_SECONDS:
            self._trees.pop(key, None)
            people = Tree(database, now=now, day=day)
            trees = self._trees[key] = _Trees(people, Households(database, now=now, day=day, people=people))
            while len(self._trees) > MOST_DAYS:
                del self._trees[next(iter(self._trees))]
        return trees

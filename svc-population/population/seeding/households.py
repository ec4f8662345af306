"""Made-up households as columns: who lives with whom, how old, how long. Vectorised; the same seed makes the same people. Pure.

Sizes follow the census of 2020 (7th national census: 2.62 people a household; 25 % live alone, 30 % in twos).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

SIZES, SHARES = np.arange(1, 7), np.array([0.254, 0.297, 0.210, 0.132, 0.062, 0.045])
HEAD, SPOUSE, SON, DAUGHTER, FATHER, MOTHER = "02", "10", "20", "30", "51", "52"
OLDEST = 103


class Households:
    """Columns of a block. For each person: `household` (number), `role` (0 head, 1 spouse, 2 child, 3 parent), `age`, `male`.

    For each household: `size`.
    """

    def __init__(self, people: int, chance: np.random.Generator) -> None:
        self.size = _sizes(people, chance)
        self.household = np.repeat(np.arange(len(self.size)), self.size)
        first = np.repeat(np.cumsum(self.size) - self.size, self.size)
        place = np.arange(people) - first
        self._set_roles(place, chance)
        self._set_ages(first, chance)

    def _set_roles(self, place: Ints, chance: np.random.Generator) -> None:
        size = self.size[self.household]
        couple = (chance.random(len(self.size)) < np.where(self.size == 2, 0.72, 0.93))[self.household]
        role = np.full(len(place), 2)
        role[place == 0] = 0
        role[(place == 1) & couple] = 1
        with_parent = (chance.random(len(self.size)) < 0.45)[self.household]
        role[(place >= 4) & (size >= 5)] = 3
        role[(place == 3) & (size == 4) & with_parent] = 3
        self.role = role

    def _set_ages(self, first: Ints, chance: np.random.Generator) -> None:
        count = len(self.role)
        size = self.size[self.household]
        head = _head_ages(self.size, chance)[self.household]
        age = head.copy()
        age[self.role == 1] += np.rint(chance.normal(-1.5, 3.2, count))[self.role == 1].astype(np.int64)
        child = head - chance.integers(22, 37, count)
        age[self.role == 2] = np.where(child < 0, chance.integers(0, 4, count), child)[self.role == 2]
        age[self.role == 3] = (head + chance.integers(22, 33, count))[self.role == 3]
        self.age = np.clip(age, np.where(self.role < 2, 18, 0), OLDEST)
        male = chance.random(count) < np.where((size == 1) & (self.age > 65), 0.36, 0.51)
        male[self.role == 0] &= True
        spouse = self.role == 1
        male[spouse] = ~male[first[spouse]]
        self.male: Flags = male

    def relations(self) -> NDArray[np.str_]:
        """Codes of household_relation.csv."""
        child = np.where(self.male, SON, DAUGHTER)
        parent = np.where(self.male, FATHER, MOTHER)
        return np.select([self.role == 0, self.role == 1, self.role == 2], [HEAD, SPOUSE, child], parent)


def _sizes(people: int, chance: np.random.Generator) -> Ints:
    sizes = chance.choice(SIZES, size=people // 2 + 10, p=SHARES)
    ends = np.cumsum(sizes)
    last = int(np.searchsorted(ends, people))
    sizes = sizes[: last + 1].astype(np.int64)
    sizes[-1] -= ends[last] - people
    return sizes


def _head_ages(size: Ints, chance: np.random.Generator) -> Ints:
    """Who lives alone is young or old; heads of large families are in between."""
    count = len(size)
    middle = np.rint(chance.normal(46, 11, count))
    old = np.rint(chance.normal(73, 8, count))
    young = chance.integers(20, 36, count)
    kind = chance.random(count)
    alone = np.where(kind < 0.45, old, np.where(kind < 0.8, young, middle))
    two = np.where(kind < 0.42, old, middle)
    ages = np.select([size == 1, size == 2, size == 3], [alone, two, np.where(kind < 0.12, old, middle)], middle)
    return np.clip(ages, 19, 98).astype(np.int64)

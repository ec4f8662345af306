"""Who lives together in a generated house: how many, how old, how related. Shares follow the census of 2020 in outline.

Nobody here exists: identity numbers start with 990001, an address code no place has ever had, with valid GB 11643 checksums.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

RESERVED_PREFIX = "990001"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643 weights of the first 17 digits; the check character is "10X98765432"[sum mod 11]."""
SERIALS = 499
"""People of one sex that one day of birth has numbers for: odd serials are men, even ones women."""
TODAY = date(2026, 1, 1)
"""Ages are drawn as of this day: the same district every year."""
MALE, FEMALE = "1", "2"
HEAD, HUSBAND, WIFE, SON, DAUGHTER, FATHER, MOTHER = "02", "11", "12", "20", "30", "51", "52"
"""Relations to the head of the household (household_relation.csv)."""

EMPTY = 0.18
"""Share of houses nobody lives in."""
SIZES = {1: 26, 2: 31, 3: 22, 4: 13, 5: 8}
"""Households of so many people, percent."""
HEAD_AGES = {1: (20, 26, 92), 2: (22, 56, 88), 3: (25, 48, 74), 4: (27, 46, 66), 5: (28, 42, 58)}
"""Youngest, most frequent and oldest head, by size of the household, in years."""


@dataclass(frozen=True)
class Member:
    """Somebody of a household: relation to the head, sex ("1" male, "2" female) and date of birth."""

    relation: str
    sex: str
    birth: date


def family(chance: random.Random) -> list[Member]:
    """Draws the people of one house, head first; none when it stands empty."""
    if chance.random() < EMPTY:
        return []
    size = chance.choices(list(SIZES), weights=list(SIZES.values()))[0]
    head_age = chance.triangular(HEAD_AGES[size][0], HEAD_AGES[size][2], HEAD_AGES[size][1])
    sex = MALE if chance.random() < (0.72 if size > 1 else 0.47) else FEMALE
    head = Member(HEAD, sex, _born(head_age))
    return [head, *(make(chance, head_age, sex) for make in _others(chance, size))]


Draw = Callable[[random.Random, float, str], Member]


def _others(chance: random.Random, size: int) -> tuple[Draw, ...]:
    """Who lives with the head: couples, mostly with children, with parents where there are five."""
    alone_with_child = size == 2 and chance.random() < 0.25
    return {
        1: (),
        2: (_child,) if alone_with_child else (_spouse,),
        3: (_spouse, _child),
        4: (_spouse, _child, _child),
        5: (_spouse, _child, _father, _mother),
    }[size]


def _spouse(chance: random.Random, head_age: float, sex: str) -> Member:
    age = max(20.5, head_age + chance.gauss(-2 if sex == MALE else 2, 2))
    return Member(WIFE, FEMALE, _born(age)) if sex == MALE else Member(HUSBAND, MALE, _born(age))


def _child(chance: random.Random, head_age: float, sex: str) -> Member:
    # Who is too young for a child of the drawn age has a small one; children of the old have moved out.
    age = head_age - chance.triangular(22, 38, 28)
    age = chance.uniform(0.1, 3) if age < 0 else min(age, chance.uniform(0.1, 42))
    return Member(SON, MALE, _born(age)) if chance.random() < 0.52 else Member(DAUGHTER, FEMALE, _born(age))


def _father(chance: random.Random, head_age: float, sex: str) -> Member:
    return Member(FATHER, MALE, _born(head_age + chance.triangular(22, 36, 27)))


def _mother(chance: random.Random, head_age: float, sex: str) -> Member:
    return Member(MOTHER, FEMALE, _born(head_age + chance.triangular(21, 34, 25)))


def _born(age: float) -> date:
    return TODAY - timedelta(days=int(age * 365.25) + 1)


class Numbers:
    """Gives out identity numbers, none twice: the serial counts the people of a sex born on the same day."""

    def __init__(self) -> None:
        """Nobody has a number yet."""
        self._given: Counter[tuple[date, str]] = Counter()

    def next(self, *, birth: date, sex: str) -> str:
        """The number of the next person born that day. Raises ValueError when the day's numbers are used up."""
        count = self._given[birth, sex]
        if count >= SERIALS:
            raise ValueError(f"all identity numbers of {birth} are given out: the district is too big")
        self._given[birth, sex] += 1
        body = f"{RESERVED_PREFIX}{birth:%Y%m%d}{2 * count + (1 if sex == MALE else 2):03d}"
        total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
        return body + "10X98765432"[total % 11]

"""How many are on the care register, by category and area. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from population.statistics.areas import AreaCounts, Tally

GRID_DIGITS = 17
COMMUNITY_DIGITS = 12

Told = tuple[int | None, dict[str, int | None]]
"""The count of an area and of the areas inside it; None where withheld."""


def depth_of(*, inside: str, digits: int) -> int:
    """Returns the digits of the smallest areas that have to be looked at for an answer."""
    return GRID_DIGITS if max(len(inside), digits) > COMMUNITY_DIGITS else COMMUNITY_DIGITS


def counted(rows: Iterable[tuple[str, Sequence[str]]], *, root: str, depth: int) -> Mapping[str, AreaCounts]:
    """Returns the counts of each category that has anybody, from the areas and the categories of all entries in them.

    `rows` are those of everybody in the city `root`, whoever asks for which part. Each person is on the register once for a category, so
    these are people; no sum over categories is told, as it would be a way around what is withheld.
    """
    people: dict[str, Counter[str]] = defaultdict(Counter)
    grids: dict[str, Counter[str]] = defaultdict(Counter)
    for area, categories in rows:
        # Who lives in no grid counts as in one more of the community, whose code ends with zeros.
        code = area.ljust(GRID_DIGITS, "0")[:depth]
        for category, number in Counter(categories).items():
            people[category][code] += number
            grids[category][code] += 1
    return {
        category: AreaCounts({code: Tally(number, grids[category][code]) for code, number in of.items()}, root=root)
        for category, of in people.items()
    }


def told(counts: AreaCounts | None, *, inside: str, digits: int) -> Told:
    """Returns what may be told of a category: everybody `inside` and, unless `digits` is 0, by areas of so many digits."""
    if counts is None:
        return 0, {}
    below = counts.shown(inside=inside, digits=digits) if digits and digits >= len(inside) else {}
    return counts.total(inside), below

"""How many are on the care register, by category and area. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from population.statistics.areas import AreaCounts, Tally

GRID_DIGITS = 17
COMMUNITY_DIGITS = 12

Told = tuple[int | None, dict[str, int | None]]
"""The count of an area and of the areas inside it; None where withheld."""


def told(
    rows: Iterable[tuple[str, str, int]], *, categories: Iterable[str], root: str, inside: str, digits: int
) -> Mapping[str, Told]:
    """Returns what may be told of each category: everybody `inside` and, unless `digits` is 0, by areas of so many digits.

    `rows` are (category, area, people) of everybody in the city `root`, whoever asks for which part. Each person is on the register
    once for a category, so these are people; no sum over categories is told, as it would be a way around what is withheld.
    """
    depth = GRID_DIGITS if max(len(inside), digits) > COMMUNITY_DIGITS else COMMUNITY_DIGITS
    counted: dict[str, dict[str, Tally]] = {category: {} for category in sorted(categories)}
    for category, area, people in rows:
        if category in counted:
            _add(counted[category], area, people, depth=depth)
    return {category: _told(AreaCounts(of, root=root), inside, digits) for category, of in counted.items()}


def _add(of: dict[str, Tally], area: str, people: int, *, depth: int) -> None:
    """Who lives in no grid counts as in one more of the community, whose code ends with zeros."""
    code = area.ljust(GRID_DIGITS, "0")[:depth]
    before = of.get(code, Tally(0, 0))
    of[code] = Tally(before.people + people, before.grids + 1)


def _told(counts: AreaCounts, inside: str, digits: int) -> Told:
    below = counts.shown(inside=inside, digits=digits) if digits and digits >= len(inside) else {}
    return counts.total(inside), below

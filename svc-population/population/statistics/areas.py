"""Counts of areas within areas: what is withheld on one level must not come back by adding up another. Pure.

Every community's count is the sum of its grids', every street's that of its communities', and anybody may ask for each level. So the
whole tree above and below what is asked is looked at: a count withheld on one level has withheld ones below it that could differ just
as much. What is withheld depends on the counts alone, not on who asks for which part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from population.statistics.suppression import K, line_hidden, small
from svckit.errors import InvalidArgument

LEVELS = (0, 4, 6, 9, 12, 17)
"""Digits of everything, city, district, street, community, grid (area_code_rule.yaml)."""


class Tally(NamedTuple):
    """People of an area that a filter holds for, and in how many grids they are; `others` and `other_grids`: the people of these grids
    that it does not hold for, and in how many of them there are any. Grids without anybody it holds for are told as such, so all of
    their people are known not to be among them, and none of them counts here.
    """

    people: int
    grids: int
    others: int = 0
    other_grids: int = 0


class _Sums:
    """Counts by area on all levels. `slack`: so many people fewer, each grid keeping one, could nobody tell from what is shown."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        self.slack: dict[str, int] = defaultdict(int)

    def add(self, area: str, people: int, grids: int) -> None:
        self.counts[area] += people
        self.slack[area] += people - grids

    def forced(self, area: str) -> bool:
        """Whether the sum itself gives those below away: as many people as grids, so one in each."""
        return self.slack[area] == 0 and self.counts[area] > 0

    def hidden(self, areas: Sequence[str], *, parent: str, parent_hidden: bool) -> set[int]:
        """Returns which of the areas directly below one are withheld for the sake of these counts."""
        forced = [at for at, area in enumerate(areas) if self.forced(area)]
        room = K - 1 if parent_hidden and not small(self.counts[parent]) else 0
        counts, slack = [self.counts[area] for area in areas], [self.slack[area] for area in areas]
        found = line_hidden(counts, slack=slack, also=forced, room=room)
        return set(range(len(areas))) if found is None else found


class AreaCounts:
    """Counts by area, from those of the smallest areas that are asked for: `of` maps their codes, all of one length, to tallies.

    Withheld is what says too much about the few a filter holds for, or about the few it does not hold for: everybody less a count tells
    of those. Both are kept from being worked out.
    """

    def __init__(self, of: Mapping[str, Tally], *, root: str) -> None:
        self._root = root
        self._those, self._others = _Sums(), _Sums()
        self._below: dict[str, dict[str, None]] = defaultdict(dict)
        self._hidden: dict[str, bool] = {}
        for code, tally in of.items():
            if tally.people and code.startswith(root):
                self._add(code, tally)

    def _add(self, code: str, tally: Tally) -> None:
        """Adds to the area and to all above it."""
        parent = ""
        for digits in LEVELS[LEVELS.index(len(self._root)) : LEVELS.index(len(code)) + 1]:
            area = code[:digits]
            self._those.add(area, tally.people, tally.grids)
            if tally.others:
                self._others.add(area, tally.others, tally.other_grids)
            if area != self._root:
                self._below[parent][area] = None
            parent = area

    def shown(self, *, inside: str, digits: int) -> dict[str, int | None]:
        """Returns the counts of the areas with so many digits inside another that have anybody; None where withheld."""
        self._decide(inside, digits)
        return {
            code: None if self._hidden.get(code) else count
            for code, count in sorted(self._those.counts.items())
            if len(code) == digits and code.startswith(inside) and count
        }

    def total(self, inside: str) -> int | None:
        """Returns the count of one area, None where withheld."""
        self._decide(inside, len(inside))
        return None if self._hidden.get(inside) else self._those.counts.get(inside, 0)

    def _decide(self, inside: str, digits: int) -> None:
        """Decides along the way down to `inside`, and in it down to areas of so many digits."""
        sums = (self._those, self._others)
        self._hidden[self._root] = any(small(one.counts[self._root]) or one.forced(self._root) for one in sums)
        ahead = [self._root]
        while ahead:
            parent = ahead.pop()
            for child in self._line(parent):
                leads_there = inside.startswith(child) or (child.startswith(inside) and len(child) < digits)
                if leads_there and len(child) < LEVELS[-1]:
                    ahead.append(child)

    def _line(self, parent: str) -> list[str]:
        """Decides which of the areas directly below one are withheld; returns them all."""
        children = list(self._below.get(parent, ()))
        for_those, for_others = (
            one.hidden(children, parent=parent, parent_hidden=self._hidden.get(parent, False))
            for one in (self._those, self._others)
        )
        for at, child in enumerate(children):
            self._hidden[child] = at in for_those or at in for_others
        return children


def check_level(prefix: str) -> None:
    """Raises InvalidArgument (AREA_CODE_INVALID) unless it is the code of an area: of half of one nothing is decided."""
    if len(prefix) not in LEVELS:
        raise InvalidArgument(
            "Name a city (4 digits), district (6), street (9), community (12) or grid (17).",
            reason="AREA_CODE_INVALID",
            field="area_prefix",
        )

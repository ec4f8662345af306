"""Counts of areas within areas: what is withheld on one level must not come back by adding up another. Pure.

Every community's count is the sum of its grids', every street's that of its communities', and anybody may ask for each level. So the
whole tree above and below what is asked is looked at: a count withheld on one level has withheld ones below it that could differ just
as much. What is withheld depends on the counts alone, not on who asks for which part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from population.statistics.suppression import K, line_hidden, small
from svckit.errors import InvalidArgument

LEVELS = (0, 4, 6, 9, 12, 17)
"""Digits of everything, city, district, street, community, grid (area_code_rule.yaml)."""


class AreaCounts:
    """Counts by area, from those of the smallest areas that are asked for.

    `of` maps their codes, all of one length, to how many people there are and in how many grids they are counted.
    """

    def __init__(self, of: Mapping[str, tuple[int, int]], *, root: str) -> None:
        self._root = root
        self._counts: dict[str, int] = defaultdict(int)
        self._slack: dict[str, int] = defaultdict(int)
        self._below: dict[str, dict[str, None]] = defaultdict(dict)
        self._hidden: dict[str, bool] = {}
        for code, (count, grids) in of.items():
            if count and code.startswith(root):
                self._add(code, count, count - grids)

    def _add(self, code: str, count: int, slack: int) -> None:
        """Adds to the area and to all above it. So many people fewer, each grid keeping one, could nobody tell from what is shown."""
        parent = ""
        for digits in LEVELS[LEVELS.index(len(self._root)) : LEVELS.index(len(code)) + 1]:
            area = code[:digits]
            self._counts[area] += count
            self._slack[area] += slack
            if area != self._root:
                self._below[parent][area] = None
            parent = area

    def shown(self, *, inside: str, digits: int) -> dict[str, int | None]:
        """Returns the counts of the areas with so many digits inside another that have anybody; None where withheld."""
        self._decide(inside, digits)
        return {
            code: None if self._hidden.get(code) else count
            for code, count in sorted(self._counts.items())
            if len(code) == digits and code.startswith(inside) and count
        }

    def total(self, inside: str) -> int | None:
        """Returns the count of one area, None where withheld."""
        self._decide(inside, len(inside))
        return None if self._hidden.get(inside) else self._counts.get(inside, 0)

    def _decide(self, inside: str, digits: int) -> None:
        """Decides along the way down to `inside`, and in it down to areas of so many digits."""
        self._hidden[self._root] = small(self._counts[self._root]) or self._forced(self._root)
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
        counts = [self._counts[child] for child in children]
        slack = [self._slack[child] for child in children]
        forced = [at for at, child in enumerate(children) if self._forced(child)]
        room = K - 1 if self._hidden.get(parent) and not small(self._counts[parent]) else 0
        hidden = line_hidden(counts, slack=slack, also=forced, room=room)
        for at, child in enumerate(children):
            self._hidden[child] = hidden is None or at in hidden
        return children

    def _forced(self, code: str) -> bool:
        """Whether the sum itself gives those below away: as many people as grids, so one in each."""
        return self._slack[code] == 0 and self._counts[code] > 0


def check_level(prefix: str) -> None:
    """Raises InvalidArgument (AREA_CODE_INVALID) unless it is the code of an area: of half of one nothing is decided."""
    if len(prefix) not in LEVELS:
        raise InvalidArgument(
            "Name a city (4 digits), district (6), street (9), community (12) or grid (17).",
            reason="AREA_CODE_INVALID",
            field="area_prefix",
        )

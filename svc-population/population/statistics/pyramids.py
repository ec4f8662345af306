"""Pyramids of areas within areas: which counts may be told, so that no set of answers of one day gives a small one away. Pure.

Whoever asks for a district and for its streets, by bands of five years and of seven, may add and subtract. So what is told is not decided
question by question but once for the whole tree of areas: people are put together into blocks (an area, some years of age, a sex) of
which each has nobody or at least k, and only what is made of whole blocks is told. All that adding and subtracting can then yield is made
of whole blocks, too.

From the top of the tree down, the areas directly inside one share their blocks, which are made of whole blocks of the area around
them; years are put together with their neighbours, first within bands of five, ten and twenty. Areas too small for it tell no ages; they
count as one among the others, and neither do the areas inside them. Which totals are told is decided by `statistics.areas` before;
whose total is withheld tells no ages either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from population.statistics.suppression import K

YEARS = 150
"""Ages counted one by one; older ones count as the last of them."""
UNKNOWN = YEARS
"""Place of those without a birth date, behind all ages."""
TOO_SMALL = 10 * K
"""Areas with fewer people would make all beside them tell less; they tell no ages."""
_GROUPS = (5, 10, 20)
_SEXES: tuple[tuple[tuple[int, ...], ...], ...] = (((0,), (1,), (2,)), ((0,), (1, 2)), ((0, 1, 2),))
"""How men, women and others can be told: apart, women with others, all together."""

Counts = NDArray[np.int64]
"""People by place (age, UNKNOWN last) and sex (men, women, others)."""


class Blocks(msgspec.Struct, frozen=True):
    """What is told of ages: `cuts` are the places where a block begins, and the end; `sexes` which sexes are told together.

    None for areas that tell none.
    """

    cuts: tuple[int, ...]
    sexes: tuple[tuple[int, ...], ...]


FINEST = Blocks(tuple(range(UNKNOWN + 2)), _SEXES[0])


class Family(msgspec.Struct, frozen=True):
    """What the areas directly inside one tell: their common blocks (None: none of them tells any), and who tells none."""

    blocks: Blocks | None
    silent: frozenset[str]

    def of(self, area: str) -> Blocks | None:
        """Returns the blocks of one of them."""
        return None if area in self.silent else self.blocks


def counts_of(rows: Iterable[tuple[int | None, int, int]]) -> Counts:
    """Returns the counts of rows of (age or None, sex, people)."""
    counts = np.zeros((UNKNOWN + 1, 3), dtype=np.int64)
    for age, sex, people in rows:
        counts[UNKNOWN if age is None else min(max(age, 0), YEARS - 1), sex] += people
    return counts


def family(members: Mapping[str, Counts], *, above: Blocks | None, withheld: Iterable[str] = ()) -> Family:
    """Decides for the areas directly inside one, whose own blocks are `above`; `withheld` are those whose total is."""
    silent = frozenset(withheld) | {area for area, counts in members.items() if 0 < counts.sum() < TOO_SMALL}
    if above is None:
        return Family(None, silent)
    tables = [counts for area, counts in members.items() if area not in silent]
    quiet = [counts for area, counts in members.items() if area in silent]
    # Those that tell nothing can be worked out all together: the area around them less the others.
    tables += [np.sum(quiet, axis=0)] if quiet else []
    whole = np.stack(tables) if tables else np.zeros((1, UNKNOWN + 1, 3), dtype=np.int64)
    for sexes in _SEXES[_SEXES.index(above.sexes) :]:
        by_sex = np.stack([whole[:, :, list(part)].sum(axis=2) for part in sexes], axis=2)
        if not _small(by_sex.sum(axis=1)):
            return Family(Blocks(_cuts(by_sex, above.cuts), sexes), silent)
    return Family(None, silent)


def _small(counts: Counts) -> bool:
    return bool(((counts > 0) & (counts < K)).any())


def _cuts(counts: Counts, cuts: Sequence[int]) -> tuple[int, ...]:
    """Puts neighbours together until no block of anybody is small; all together, the caller knows, none is."""
    starts = list(cuts[:-1])
    sums = [counts[:, start:end].sum(axis=1) for start, end in pairwise(cuts)]
    small = [_small(one) for one in sums]
    while True in small:
        # The oldest first: what few there are there go to those a little younger.
        at = len(small) - 1 - small[::-1].index(True)
        left = _left_of(at, starts, cuts[-1], sums)
        sums[left : left + 2] = [sums[left] + sums[left + 1]]
        small[left : left + 2] = [_small(sums[left])]
        del starts[left + 1]
    return (*starts, cuts[-1])


def _left_of(at: int, starts: Sequence[int], end: int, sums: Sequence[Counts]) -> int:
    """Returns the left one of the two neighbours that are put together: those that stay within the smallest band."""

    def cost(left: int) -> tuple[int, int]:
        first = starts[left]
        last = (starts[left + 2] if left + 2 < len(starts) else end) - 1
        broken = sum(first // years != last // years for years in _GROUPS) + (last == UNKNOWN)
        return broken, int(sums[left].sum() + sums[left + 1].sum())

    return min((left for left in (at - 1, at) if 0 <= left < len(starts) - 1), key=cost)


Cells = tuple[int | None, int | None, int | None]
Band = tuple[int | None, Cells, int | None]
"""First age (None: no birth date), counts by sex and in all; None where withheld."""


class Pyramid(msgspec.Struct, frozen=True):
    """A pyramid as it may be told: its bands, and the sums of them all."""

    bands: tuple[Band, ...]
    sexes: Cells
    total: int | None


def told(counts: Counts, *, blocks: Blocks | None, total_told: bool, years: int) -> Pyramid:
    """Returns what may be told of an area by bands of so many years."""
    everybody = int(counts.sum())
    if not total_told:
        return Pyramid((), (None, None, None), None)
    if blocks is None or not everybody:
        nobody = 0 if not everybody else None
        return Pyramid((), (nobody, nobody, nobody), everybody)
    # The last band is that in which the last block with anybody begins: more would tell how old the oldest is.
    last = max((start for start, end in pairwise(blocks.cuts) if start < UNKNOWN and counts[start:end].any()), default=-1)
    cuts = frozenset(blocks.cuts)
    bands: list[Band] = [_band(counts, (first, first + years), blocks, cuts) for first in range(0, last + 1, years)]
    if UNKNOWN in cuts and counts[UNKNOWN].any():
        bands.append((None, *_cells(counts[UNKNOWN], blocks.sexes)))
    return Pyramid(tuple(bands), _cells(counts.sum(axis=0), blocks.sexes)[0], everybody)


def _band(counts: Counts, band: tuple[int, int], blocks: Blocks, cuts: frozenset[int]) -> Band:
    first, end = band[0], min(band[1], UNKNOWN)
    if first not in cuts or end not in cuts:
        return first, (None, None, None), None
    return first, *_cells(counts[first:end].sum(axis=0), blocks.sexes)


def _cells(sums: Counts, sexes: Sequence[Sequence[int]]) -> tuple[Cells, int | None]:
    """Each sex that is told alone, and all of them. What has become small since it was decided is withheld."""
    alone = {part[0]: int(sums[part[0]]) for part in sexes if len(part) == 1}
    shown = [None if (count := alone.get(sex)) is None or 0 < count < K else count for sex in range(3)]
    everybody = int(sums.sum())
    return (shown[0], shown[1], shown[2]), None if 0 < everybody < K else everybody

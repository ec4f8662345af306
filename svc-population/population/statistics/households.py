"""Households by size, decided like pyramids: sizes stand where ages do, so that sums over areas give no small count away. Pure."""

from __future__ import annotations

import msgspec

from population.statistics.pyramids import Blocks, Counts, counts_of, told

LARGEST = 10
"""It stands for all larger ones."""


class Sizes(msgspec.Struct, frozen=True):
    """Households by size, from 1 on, and in all; None where withheld."""

    by_size: tuple[int | None, ...]
    total: int | None


def by_size(found: dict[int, int]) -> Counts:
    """Returns households by size (1 to LARGEST) as counts that `pyramids.family` decides on."""
    return counts_of((size - 1, 0, households) for size, households in found.items())


def sizes_told(counts: Counts, *, blocks: Blocks | None, total_told: bool) -> Sizes:
    """Returns what may be told of an area: sizes that are a block of their own. None of a block is left out, so none seems empty."""
    if blocks is None and total_told and counts.any():
        return Sizes((None,) * LARGEST, int(counts.sum()))
    found = told(counts, blocks=blocks, total_told=total_told, years=1)
    single = [households for _, _, households in found.bands]
    end = min((cut for cut in blocks.cuts if cut >= len(single)), default=0) if blocks and single else 0
    return Sizes((*single, *[None] * (min(end, LARGEST) - len(single))), found.total)

"""Withholding small counts side by side, with complementary suppression (purpose P08: k >= 10).

A count of 1 to k-1 is withheld. Because sums are published too, other counts have to be withheld with it, or a subtraction gives it
away: so many that whoever knows all that is published cannot tell a withheld small count from one that is up to k-1 larger. Zeros are
published: that nobody is there says nothing about anybody. Tables (pyramids) are decided on in `statistics.pyramids`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from population.policies.residents import SMALLEST_COUNT

K = SMALLEST_COUNT
"""Counts below it, other than 0, are withheld."""


def small(count: int) -> bool:
    """Tells whether a count says too much about somebody."""
    return 0 < count < K


def shown(count: int, *, of: int | None = None) -> int | None:
    """Returns a single count, None where it is withheld: also when all but a few of `of` are meant."""
    return None if small(count) or (of is not None and small(of - count)) else count


class Line(msgspec.Struct, frozen=True):
    """Counts side by side and their sum, as they may be shown."""

    counts: tuple[int | None, ...]
    total: int | None


def line(counts: Sequence[int]) -> Line:
    """Withholds in one line of counts whose sum is told where it can be."""
    hidden = line_hidden(counts, slack=[count - 1 for count in counts])
    if hidden is None:
        return Line(tuple(None if count else 0 for count in counts), None)
    return Line(tuple(None if at in hidden else count for at, count in enumerate(counts)), sum(counts))


def line_hidden(counts: Sequence[int], *, slack: Sequence[int], also: Iterable[int] = (), room: int = 0) -> set[int] | None:
    """Returns which counts are withheld when their sum is known; None: the sum has to be withheld too, and all counts.

    For every small count the others can spare k-1 people who might have been counted with it; where there are not so many, all are
    withheld. `slack`: how many people a count could be smaller by, as far as anybody can tell (it is at least 1). `also`: counts that
    are withheld like small ones, for another reason. `room`: how many all withheld ones together can spare, if more.
    """
    primary = {at for at, count in enumerate(counts) if small(count)} | set(also)
    if not primary and not room:
        return primary
    hidden = set(primary)
    largest = max((slack[at] for at in primary), default=0)
    needed = max(largest + K - 1 if primary else 0, room)
    spare = sorted((at for at, count in enumerate(counts) if count and at not in hidden), key=lambda at: counts[at])
    while spare and (sum(slack[at] for at in hidden) < needed or len(hidden) < 2):
        chosen = _best(spare, slack, needed - sum(slack[at] for at in hidden))
        hidden.add(chosen)
        spare.remove(chosen)
    told_apart = any(sum(slack[other] for other in hidden - {at}) == 0 and slack[at] == 0 for at in primary)
    return None if primary and (len(hidden) < 2 or told_apart) else hidden


def _best(spare: Sequence[int], slack: Sequence[int], missing: int) -> int:
    """The smallest count that is enough; none is enough: the one that spares most."""
    return next((at for at in spare if slack[at] >= missing), max(spare, key=lambda at: slack[at]))

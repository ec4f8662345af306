"""Counts of an area over the years: what changed by a few people from one month to another would tell about them. Pure.

Only the first days of months are told, since single days would show who moved when. Which of them are told is decided over all months
since BEGIN, so that nobody learns more by asking for others: first of Januaries, each against the one told before it, then of the months
between, each against those told on both sides of it. A change of 1 to k-1 withholds the month. The areas directly inside one are decided
together, from the whole down, because what one of them withholds is their sum less the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from population.statistics.suppression import K, line_hidden, small
from svckit.errors import InvalidArgument

BEGIN = date(1985, 1, 1)
"""The first month that is told: identity cards were introduced in 1985, what is known of the time before is not a count."""
MOST_POINTS = 1200


def months(first: date, last: date, *, step: int) -> list[date]:
    """Returns first days of months, from that of `first` to that of `last`, which is always among them, `step` months apart.

    Raises InvalidArgument (PERIOD_INVALID) when they are out of order, too many, or begin before BEGIN.
    """
    if first > last:
        raise InvalidArgument("The period ends before it begins.", reason="PERIOD_INVALID", field="to_day")
    if first < BEGIN:
        raise InvalidArgument(f"Trends begin with {BEGIN}.", reason="PERIOD_INVALID", field="from_day")
    begin, end = (day.year * 12 + day.month - 1 for day in (first, last))
    numbers = [*range(begin, end, step), end]
    if len(numbers) > MOST_POINTS:
        raise InvalidArgument(
            f"A trend has at most {MOST_POINTS} points; take longer steps.", reason="PERIOD_INVALID", field="step_months"
        )
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An area among those directly inside one: its people on each day, how many of the smallest areas it has ever had people in, and
    whether its present total is withheld, with which goes all of its past but the time when nobody lived there."""

    counts: Sequence[int]
    grids: int = 1
    silent: bool = False


def together(members: Mapping[str, Member]) -> dict[str, Member]:
    """Returns all of them as one area, under ""; nothing when there are none."""
    counts = [sum(month) for month in zip(*(member.counts for member in members.values()), strict=True)]
    silent = bool(members) and all(member.silent for member in members.values())
    return {"": Member(counts=counts, grids=sum(one.grids for one in members.values()), silent=silent)} if members else {}


def told(days: Sequence[date], counts: Sequence[int]) -> dict[date, int | None]:
    """Returns the counts of all months since BEGIN, in order, of an area with nothing around it; None where withheld."""
    shown = family(days, {"": Member(counts=counts)}, above=None)[""]
    return as_told(days, counts, shown=shown)


def as_told(days: Sequence[date], counts: Sequence[int], *, shown: Sequence[bool]) -> dict[date, int | None]:
    """Returns the counts of the months that are told, None for the others and for what has become small since that was decided."""
    return {day: count if may and not small(count) else None for day, count, may in zip(days, counts, shown, strict=True)}


def family(days: Sequence[date], members: Mapping[str, Member], *, above: Sequence[bool] | None) -> dict[str, list[bool]]:
    """Decides which months each of the areas directly inside one tells; `above`: which ones that area tells itself, None without one.

    The sum of the members is that area's count, so a month that one of them withholds is withheld by so many others that nobody can work
    it out from those that are told; where the sum is withheld, so are enough of them that it does not come back. Decided over all months
    and members, whichever are asked for.
    """
    if above is not None and len(members) == 1:
        # The same people: what the area around it tells is told of both.
        return {area: list(above) for area in members}
    deciding = _Family(list(members.values()), above, len(days))
    januaries = [at for at, day in enumerate(days) if day.month == 1]
    deciding.decide(januaries)
    deciding.decide([at for at, day in enumerate(days) if day.month != 1])
    return dict(zip(members, deciding.shown, strict=True))


class _Family:
    """What is decided so far; months are decided in two rounds, each in the order of time."""

    def __init__(self, members: Sequence[Member], above: Sequence[bool] | None, months: int) -> None:
        self._members = members
        self._above = above
        self.shown = [[False] * months for _ in members]

    def decide(self, round: Sequence[int]) -> None:
        """Decides on some months, each against those told next to it on both sides."""
        after = [_next_told(member.counts, shown) for member, shown in zip(self._members, self.shown, strict=True)]
        last: list[int | None] = [None] * len(self._members)
        done = 0
        for at in round:
            for number, (member, shown) in enumerate(zip(self._members, self.shown, strict=True)):
                last[number] = next((member.counts[one] for one in range(at - 1, done - 1, -1) if shown[one]), last[number])
            done = at
            beside = [(last[number], after[number][at]) for number in range(len(self._members))]
            hidden = self._hidden(at, beside)
            for number, shown in enumerate(self.shown):
                shown[at] = number not in hidden

    def _hidden(self, at: int, beside: Sequence[tuple[int | None, int | None]]) -> set[int]:
        counts = [member.counts[at] for member in self._members]
        own = {
            number
            for number, (member, count, others) in enumerate(zip(self._members, counts, beside, strict=True))
            if count and (member.silent or not _may(count, others))
        }
        # An area with hardly more people than grids may have one in each: then its sum alone says so.
        own |= {number for number, member in enumerate(self._members) if 0 < counts[number] <= member.grids}
        if self._above is None:
            return own
        slack = [max(count - member.grids, 0) for count, member in zip(counts, self._members, strict=True)]
        return _with_others(counts, slack=slack, own=own, sum_told=self._above[at])


def _with_others(counts: Sequence[int], *, slack: Sequence[int], own: set[int], sum_told: bool) -> set[int]:
    """Returns who withholds a month when those in `own` have to."""
    room = 0 if sum_told or small(sum(counts)) else K - 1
    found = line_hidden(counts, slack=slack, also=own, room=room)
    hidden = {number for number, count in enumerate(counts) if count} if found is None else found
    nobody = [number for number, count in enumerate(counts) if not count]
    if sum_told and len(hidden) == 1:
        # Everybody lives in one of them: whether somebody lives in another one is what is left to withhold.
        return hidden | set(nobody[:1])
    return hidden if sum_told or hidden else set(nobody)


def _may(count: int, beside: Iterable[int | None]) -> bool:
    return not small(count) and not any(other is not None and small(abs(count - other)) for other in beside)


def _next_told(counts: Sequence[int], shown: Sequence[bool]) -> list[int | None]:
    after: list[int | None] = [None] * len(counts)
    for at in range(len(counts) - 2, -1, -1):
        after[at] = counts[at + 1] if shown[at + 1] else after[at + 1]
    return after

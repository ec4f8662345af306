"""Counts of an area over the years: what changed by a few people from one month to another would tell about them. Pure.

Only the first days of months are told, since single days would show who moved when. Which of them are told is decided over all months
since BEGIN, so that nobody learns more by asking for others: first of Januaries, each against the one told before it, then of the months
between, each against those told on both sides of it. A change of 1 to k-1 withholds the month.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from population.statistics.suppression import small
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


def told(days: Sequence[date], counts: Sequence[int]) -> dict[date, int | None]:
    """Returns the counts of all months since BEGIN, in order; None where withheld."""
    found: list[int | None] = [None] * len(days)
    januaries = [at for at, day in enumerate(days) if day.month == 1]
    last: int | None = None
    for at in januaries:
        if _may(counts[at], [last]):
            found[at] = last = counts[at]
    after = _next_told(found)
    last = None
    for at, count in enumerate(counts):
        if found[at] is None and days[at].month != 1 and _may(count, [last, after[at]]):
            found[at] = count
        last = last if found[at] is None else found[at]
    return dict(zip(days, found, strict=True))


def _may(count: int, beside: Iterable[int | None]) -> bool:
    return not small(count) and not any(other is not None and small(abs(count - other)) for other in beside)


def _next_told(found: Sequence[int | None]) -> list[int | None]:
    after: list[int | None] = [None] * len(found)
    for at in range(len(found) - 2, -1, -1):
        after[at] = after[at + 1] if found[at + 1] is None else found[at + 1]
    return after

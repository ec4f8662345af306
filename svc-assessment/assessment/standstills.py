"""When a case stood still: suspended, back with its reporter, merged into another one, or closed and reopened later.

Such time is neither waiting nor working, whoever had a task meanwhile. It happens to the case once, whichever way it is worked on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from assessment.domain import Fact, FactKind, Standstill

_MINUTE = dt.timedelta(minutes=1)

ENDS = {
    FactKind.SUSPENDED: FactKind.RESUMED,
    FactKind.CASE_RETURNED: FactKind.RESUBMITTED,
    FactKind.MERGED: FactKind.UNMERGED,
    FactKind.CLOSED: FactKind.REOPENED,
}
"""What lets a case stand still, and what ends that."""


def standstills_of(facts: Iterable[Fact]) -> tuple[tuple[Standstill, ...], dt.datetime | None]:
    """Returns the standstills that are over, in order and apart, from facts in order; and since when it stands still now, if it does."""
    since: dict[FactKind, dt.datetime] = {}
    over: list[Standstill] = []
    starts = {end: start for start, end in ENDS.items()}
    for fact in facts:
        if fact.kind in ENDS:
            since.setdefault(fact.kind, fact.at)
        elif fact.kind in starts and (start := since.pop(starts[fact.kind], None)) is not None:
            over.append(Standstill(start, fact.at))
    since.pop(FactKind.CLOSED, None)  # a closed case has ended: only its reopening makes that a standstill
    return tuple(_apart(over)), min(since.values(), default=None)


def _apart(stretches: Iterable[Standstill]) -> Iterable[Standstill]:
    """Joins stretches that touch, so that no minute counts twice."""
    current: Standstill | None = None
    for stretch in sorted(stretches, key=lambda one: (one.since, one.until)):
        if current and stretch.since <= current.until:
            current = Standstill(current.since, max(current.until, stretch.until))
            continue
        if current:
            yield current
        current = stretch
    if current:
        yield current


def still_minutes(start: dt.datetime, end: dt.datetime, standstills: Iterable[Standstill]) -> float:
    """Returns the minutes between `start` and `end` in which the case stood still; 0 when `end` is no later."""
    stretches = ((max(start, one.since), min(end, one.until)) for one in standstills)
    return sum((until - since) / _MINUTE for since, until in stretches if until > since)


def moving_minutes(start: dt.datetime, end: dt.datetime, standstills: Iterable[Standstill]) -> float:
    """Returns the minutes between `start` and `end` in which the case did not stand still; 0 when `end` is no later."""
    whole = max(0.0, (end - start) / _MINUTE)
    return max(0.0, whole - still_minutes(start, end, standstills)) if whole and standstills else whole

"""How long a case may stay at its level of the escalation ladder: time in which nobody there could act does not count.

Every step of a case passes here (`flow.record`), so that the timer finds only cases that may climb.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from msgspec.structs import replace

from mediation import calendar, ladder
from mediation.domain import Calendar, Case, Rung
from mediation.policies.supervision import CLIMBING_STATES


def follow(before: Case, after: Case) -> Case:
    """Returns the case after a step: its stay begins, stands still or runs on as its state says.

    A case begins at the level of its kind; one older than the ladder does so with its next step. Its stay counts from when it was
    recorded here: nobody of the level could act on what an import, or a report written offline, says of earlier.
    """
    if after.state not in CLIMBING_STATES:
        return replace(after, level_due_at=None) if after.level_due_at else after
    if not after.rungs:
        return begin(after, by=after.steps[-1].by, at=after.changed_at)
    if before.state in CLIMBING_STATES:
        return after
    return replace(after, level_due_at=leaves_at(after, now=after.changed_at))


def begin(case: Case, *, by: str, at: datetime) -> Case:
    """Returns the case at the level where its kind begins; its stay there runs from `at`."""
    level = ladder.start_level(case.category, case.severity)
    due = ladder.leaves_at(level, case.severity, since=at)
    return replace(case, level=level, rungs=(Rung(level=level, at=at, by=by),), level_due_at=due)


def leaves_at(case: Case, *, now: datetime) -> datetime | None:
    """Returns when the case climbs on unless something happens; None at the highest level."""
    since = case.rungs[-1].at
    return ladder.leaves_at(case.level, case.severity, since=since, paused_minutes=_paused(case, since, now))


def _paused(case: Case, since: datetime, now: datetime) -> float:
    """Working minutes since then in which nobody at the level could act, from the diary."""
    entries = [*((step.at, step.state) for step in case.steps), (now, case.state)]
    spans = ((max(begun, since), ended) for (begun, state), (ended, _) in pairwise(entries) if state not in CLIMBING_STATES)
    return sum(calendar.minutes_between(begun, ended, calendar=Calendar.WORK) for begun, ended in spans if ended > begun)

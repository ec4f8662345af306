"""The chain of steps that decided when a case was handled.

It is found backwards: from the round that ended last, to the round whose end let it start, and so on to the dispatch. What
lies between two rounds of the chain was nobody's task (a check on site that failed, a ruling): the coordinator's time. The
steps therefore tile the whole time from the report to the moment the case was handled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from assessment import policies
from assessment.domain import CriticalShare, PathStep, Round, Standstill, StepKind
from assessment.standstills import still_minutes


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What the path is found in: the instants of the case, its done rounds, and the tasks each task waited for."""

    reported_at: dt.datetime
    dispatched_at: dt.datetime
    handled_at: dt.datetime
    handled: tuple[dt.datetime, ...]
    rounds: tuple[Round, ...]
    standstills: tuple[Standstill, ...]
    after: Mapping[str, tuple[str, ...]]


def critical_path(course: Course) -> tuple[PathStep, ...]:
    """Returns the steps in order; their minutes add up to the time from `reported_at` to `handled_at`."""
    return tuple(_tile(course, chain=_chain(course)))


def _chain(course: Course) -> list[Round]:
    chain: list[Round] = []
    current = _last(course.rounds, until=course.handled_at)
    while current is not None:
        chain.insert(0, current)
        current = _before(course, current)
    return chain


def _before(course: Course, later: Round) -> Round | None:
    """The round whose end let `later` start; None: the dispatch did. Always an earlier one, so the chain ends."""
    earlier = tuple(r for r in course.rounds if r is not later and _end(r) <= later.started_at and r.started_at < _end(r))
    handled = [at for at in course.handled if at <= later.started_at]
    if not later.rework:
        needed = course.after.get(later.task_id, ())
        before = tuple(r for r in earlier if r.task_id in needed)
        # Tasks of a case that was reopened had to wait for its first life.
        return _last(before, until=later.started_at) or (_last(earlier, until=max(handled)) if handled else None)
    own = _last(tuple(r for r in earlier if r.task_id == later.task_id), until=later.started_at)
    checks = [at for at in handled if own is None or at >= _end(own)]
    # Sent back after the case had been handled: then the check had to wait for whichever task ended last.
    return _last(earlier, until=max(checks)) if checks else own


def _last(rounds: Sequence[Round], *, until: dt.datetime) -> Round | None:
    ended = [r for r in rounds if _end(r) <= until]
    return max(ended, key=lambda r: (_end(r), r.started_at, r.task_id), default=None)


def _end(round_: Round) -> dt.datetime:
    assert round_.ended_at is not None, "only ended rounds are on a path"
    return round_.ended_at


def shares_of(path: Iterable[PathStep]) -> tuple[CriticalShare, ...]:
    """Returns the minutes of a critical path by whom they belong to, in the order of the path: they add up to those of the path."""
    steps: dict[tuple[StepKind, str], list[PathStep]] = {}
    for step in path:
        steps.setdefault((step.kind, step.department), []).append(step)
    return tuple(
        CriticalShare(kind=kind, department=department, **{name: sum(getattr(step, name) for step in own) for name in _MINUTES})
        for (kind, department), own in steps.items()
    )


_MINUTES = ("minutes", "waiting_minutes", "working_minutes", "suspended_minutes")


def _tile(course: Course, *, chain: Sequence[Round]) -> Iterator[PathStep]:
    at = course.reported_at
    dispatched_at = min(course.dispatched_at, course.handled_at)
    if dispatched_at > at:
        yield _step(course, StepKind.DISPATCH, at, dispatched_at)
        at = dispatched_at
    for round_ in chain:
        if round_.started_at > at:
            yield _step(course, StepKind.COORDINATION, at, round_.started_at)
            at = round_.started_at
        if _end(round_) > at:
            yield _task_step(round_, started_at=at)
            at = _end(round_)
    if course.handled_at > at:
        yield _step(course, StepKind.COORDINATION, at, course.handled_at)


def _step(course: Course, kind: StepKind, started_at: dt.datetime, ended_at: dt.datetime) -> PathStep:
    return PathStep(
        kind=kind,
        started_at=started_at,
        ended_at=ended_at,
        minutes=policies.minutes_between(started_at, ended_at),
        suspended_minutes=still_minutes(started_at, ended_at, course.standstills),
    )


def _task_step(round_: Round, *, started_at: dt.datetime) -> PathStep:
    clipped = msgspec.structs.replace(round_, started_at=started_at)
    return PathStep(
        kind=StepKind.TASK,
        started_at=started_at,
        ended_at=_end(round_),
        minutes=policies.minutes_between(started_at, _end(round_)),
        task_id=round_.task_id,
        department=round_.department,
        waiting_minutes=policies.waiting_minutes(clipped),
        working_minutes=policies.working_minutes(clipped),
        suspended_minutes=policies.suspended_minutes(clipped),
    )

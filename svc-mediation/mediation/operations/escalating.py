"""Climbing the ladder: a case gets a higher level and more attention; whoever holds its tasks keeps them."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, ladder
from mediation.domain import Actor, Case, CaseLevel, Clock, ClockKind, Light, Rung, ServiceActor
from mediation.domain.facts import Fact
from mediation.domain.supervision_facts import CaseEscalated, LateTask
from mediation.operations import flow, staying
from mediation.operations.flow import Outcome
from mediation.policies.supervision import CLIMBING_STATES, check_escalation

SYSTEM = ServiceActor(subject="system", department="")
LIMIT_PASSED = "stay limit of the level passed"


def escalate_case(
    case: Case, *, reason: str, by: Actor, at: datetime, now: datetime, to_level: CaseLevel = CaseLevel.UNSPECIFIED
) -> Outcome:
    """Lifts a case by hand, to the next level unless another is given.

    Raises WrongState, RoleNotAllowed, NotYourLevel, FailedPrecondition (TOP_LEVEL), InvalidArgument (to_level).
    """
    if not case.rungs:
        case = staying.begin(case, by=SYSTEM.subject, at=case.reported_at)
    if to_level is CaseLevel.UNSPECIFIED:
        to_level = ladder.above(case.level) or case.level
    check_escalation(case, to_level, by)
    return _climb(case, to_level, reason=reason, by=by, at=flow.moment(case, at), now=now)


def climb(case: Case, *, now: datetime) -> Outcome:
    """Lifts a case whose stay limit has passed, as often as it has; each step happens at its true time.

    Nothing due: nothing changes.
    """
    if case.state not in CLIMBING_STATES:
        return (replace(case, level_due_at=None) if case.level_due_at else case), ()
    facts: tuple[Fact, ...] = ()
    while case.level_due_at and case.level_due_at <= now:
        above = ladder.above(case.level) or case.level
        case, more = _climb(case, above, reason=LIMIT_PASSED, by=SYSTEM, at=case.level_due_at, now=now)
        facts = (*facts, *more)
    return case, facts


def _climb(case: Case, level: CaseLevel, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    due = ladder.leaves_at(level, case.severity, since=at)
    rungs = (*case.rungs, Rung(level=level, at=at, by=by.subject, reason=reason))
    # The diary runs forward: what time brought about while nobody looked is entered after what happened since.
    changed = flow.record(
        case,
        verb="escalate_case",
        by=by,
        at=flow.moment(case, at),
        now=now,
        remark=reason,
        level=level,
        rungs=rungs,
        level_due_at=due,
    )
    fact = CaseEscalated(
        case_id=case.case_id,
        number=case.number,
        city=case.city,
        area_code=case.area_code,
        category=case.category,
        severity=case.severity,
        from_level=case.level,
        to_level=level,
        role=ladder.role_of(level),
        level_area=ladder.area_of(level, case.area_code),
        by_hand=by is not SYSTEM,
        reason=reason,
        escalated_by=by.subject,
        escalated_at=at,
        due_at=due,
        late_tasks=late_tasks(case, at=at),
    )
    return changed, (fact,)


def late_tasks(case: Case, *, at: datetime) -> tuple[LateTask, ...]:
    """Returns the open tasks one of whose clocks is red at `at`."""
    late = (task for task in case.tasks if task.is_open and _is_red(task.clocks, at))
    return tuple(
        LateTask(task_id=task.task_id, department=task.department, due_at=clocks.due_at(task.clocks, ClockKind.RESOLVE))
        for task in late
    )


def _is_red(ticking: tuple[Clock, ...], at: datetime) -> bool:
    return any(clock.met_at is None and clocks.light_at(clock, at) is Light.RED for clock in ticking)

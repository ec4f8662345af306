"""Suspension (挂账): work clocks stand still, statutory ones run on; it ends by word, by its time, or when somebody goes on working."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, policies
from mediation.domain import Actor, Case, CaseState, ServiceActor, Suspension, Task
from mediation.domain.facts import CaseResumed, CaseSuspended, Fact
from mediation.operations import flow
from mediation.operations.flow import Outcome

SYSTEM = ServiceActor(subject="system", department="")


def suspend_case(case: Case, *, reason: str, until: datetime, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Suspends a case that waits for something nobody can hurry, once, at most for half of its time to resolve.

    Raises WrongState, RoleNotAllowed, InvalidArgument (reason, until), FailedPrecondition (SUSPENSION_USED).
    """
    policies.check_case_move(case, "suspend_case", by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    policies.check_suspension(case, until=until, at=at)
    changed = flow.record(
        case,
        verb="suspend_case",
        by=by,
        at=at,
        now=now,
        remark=reason,
        state=CaseState.SUSPENDED,
        suspension=Suspension(at=at, by=by.subject, reason=reason, until=until),
        clocks=clocks.pause(case.clocks, at=at),
        tasks=tuple(flow.with_clocks(task, clocks.pause(task.clocks, at=at)) if task.is_open else task for task in case.tasks),
    )
    return changed, (CaseSuspended(case_id=case.case_id, reason=reason, until=until, suspended_at=at),)


def resume_case(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Lets a suspended case go on; its clocks run on. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "resume_case", by)
    return _resumed(case, by=by, at=at, now=now)


def end_suspension(case: Case, *, now: datetime) -> Outcome:
    """Lets a suspended case go on when its time is over, as of then; otherwise nothing happens."""
    suspension = case.suspension
    if case.state is not CaseState.SUSPENDED or suspension is None or suspension.until > now:
        return case, ()
    return _resumed(case, by=SYSTEM, at=suspension.until, now=now)


def woken(case: Case, *, by: Actor, at: datetime, now: datetime) -> tuple[Case, tuple[Fact, ...]]:
    """Returns the case as somebody finds it who goes on with the work: not suspended any more."""
    if case.state is not CaseState.SUSPENDED:
        return case, ()
    return _resumed(case, by=by, at=at, now=now)


def _resumed(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    if case.suspension is None:
        raise AssertionError("a suspended case knows since when")
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="resume_case",
        by=by,
        at=at,
        now=now,
        state=flow.open_state(case),
        suspension=replace(case.suspension, resumed_at=at, resumed_by=by.subject),
        clocks=clocks.resume(case.clocks, at=at),
        tasks=tuple(_running_again(task, at) for task in case.tasks),
    )
    return changed, (CaseResumed(case_id=case.case_id, resumed_at=at),)


def _running_again(task: Task, at: datetime) -> Task:
    return flow.with_clocks(task, clocks.resume(task.clocks, at=at)) if task.is_open else task

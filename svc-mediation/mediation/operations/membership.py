"""Departments that come, go, are let off, get more time or take the lead while a case is being worked on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, policies
from mediation.domain import (
    Actor,
    Case,
    CaseState,
    Clock,
    ClockKind,
    Exemption,
    Extension,
    Task,
    TaskPlan,
    TaskRole,
    TaskState,
)
from mediation.domain.facts import (
    ExemptionProposed,
    ExemptionRuled,
    ExtensionRequested,
    ExtensionRuled,
    Fact,
    LeadChanged,
    TaskRemoved,
)
from mediation.operations import flow
from mediation.operations.flow import Outcome


def add_tasks(
    case: Case,
    *,
    plans: Sequence[TaskPlan],
    by: Actor,
    at: datetime,
    now: datetime,
    new_id: Callable[[], str],
    reason: str = "",
) -> Outcome:
    """Sends further joint departments into a case midway, all at once; a case of one department becomes parallel.

    `after` names keys of this request, departments of the case or ids of its tasks.
    Raises WrongState, RoleNotAllowed, InvalidArgument (tasks).
    """
    policies.check_case_move(case, "add_tasks", by)
    policies.check_newcomers(case, plans)
    at = flow.moment(case, at)
    ids = policies.names_of(case) | {plan.key or plan.department: new_id() for plan in plans}
    made = [_newcomer(plan, ids) for plan in plans]
    tasks = (*case.tasks, *made)
    started = [flow.assign(case, task, at) for task in made if policies.may_start(task, tasks)]
    for task in started:
        tasks = flow.put(tasks, task)
    changed = flow.record(
        case,
        verb="add_tasks",
        by=by,
        at=at,
        now=now,
        remark=f"{', '.join(task.department for task in made)} {reason}".rstrip(),
        state=CaseState.PARALLEL,
        tasks=tasks,
    )
    return changed, tuple(flow.assigned(changed, task) for task in started)


def _newcomer(plan: TaskPlan, ids: dict[str, str]) -> Task:
    return Task(
        task_id=ids[plan.key or plan.department],
        department=plan.department,
        role=plan.role,
        state=TaskState.WAITING,
        after=tuple(ids[key] for key in plan.after),
        instruction=plan.instruction,
    )


def remove_task(case: Case, *, task_id: str, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Takes a joint department out midway; if all that is still needed is done, the case is handled.

    Raises TaskNotFound, WrongState, RoleNotAllowed, InvalidArgument (reason), FailedPrecondition (LEAD_NEEDED).
    """
    task = policies.find_task(case, task_id)
    policies.check_task_move(case, task, "remove_task", by)
    policies.check_text(reason, field="reason")
    policies.check_removal(task)
    at = flow.moment(case, at)
    fact = TaskRemoved(case_id=case.case_id, task_id=task_id, department=task.department, reason=reason, removed_at=at)
    return flow.advance(
        case,
        verb="remove_task",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        remark=reason,
        tasks=flow.put(case.tasks, flow.remove(task, at=at)),
        state=flow.resumed(case),
        facts=(fact,),
    )


def propose_exemption(case: Case, *, task_id: str, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Proposes, for the lead department, to let a joint department off; the coordinator rules.

    Raises TaskNotFound, WrongState, OtherDepartment, InvalidArgument (reason), FailedPrecondition (LEAD_NEEDED, EXEMPTION_USED).
    """
    task = policies.find_task(case, task_id)
    policies.check_work_goes_on(case)
    policies.check_proposal(case, task, by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    asked = replace(task, exemption=Exemption(at=at, by=by.subject, reason=reason))
    tasks = flow.put(case.tasks, asked)
    changed = flow.record(case, verb="propose_exemption", by=by, at=at, now=now, task_id=task_id, remark=reason, tasks=tasks)
    fact = ExemptionProposed(case_id=case.case_id, task_id=task_id, department=task.department, reason=reason, proposed_at=at)
    return changed, (fact,)


def rule_exemption(case: Case, *, task_id: str, approved: bool, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Rules on a proposed exemption; the ruling binds. Approved, the department is out, and the case may be handled by that.

    Raises TaskNotFound, WrongState, RoleNotAllowed, OwnRequest, FailedPrecondition (NO_EXEMPTION).
    """
    task = policies.find_task(case, task_id)
    asked = policies.open_exemption(task)
    policies.check_task_move(case, task, "rule_exemption", by)
    policies.check_not_own(asked, by)
    at = flow.moment(case, at)
    ruling = replace(asked, approved=approved, ruled_at=at, ruled_by=by.subject, ruling_reason=reason)
    ruled = replace(task, exemption=ruling)
    about = {"case_id": case.case_id, "task_id": task_id, "department": task.department}
    facts: tuple[Fact, ...] = (ExemptionRuled(**about, approved=approved, ruled_at=at),)
    if approved:
        ruled = flow.remove(ruled, at=at)
        facts = (*facts, TaskRemoved(**about, reason=asked.reason, removed_at=at))
    return flow.advance(
        case,
        verb="rule_exemption",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        remark=reason,
        tasks=flow.put(case.tasks, ruled),
        state=flow.resumed(case) if approved else case.state,
        facts=facts,
    )


def request_extension(
    case: Case, *, task_id: str, minutes: int, reason: str, by: Actor, at: datetime, now: datetime
) -> Outcome:
    """Asks for more time for a task, once, before its limit, at most half of it. `minutes` are of its resolve clock's calendar.

    Raises TaskNotFound, OtherDepartment, WrongState, InvalidArgument (minutes, reason),
    FailedPrecondition (EXTENSION_USED, STATUTORY_LIMIT, EXTENSION_LATE).
    """
    task = policies.find_task(case, task_id)
    policies.check_department(task, by)
    policies.check_work_goes_on(case)
    at = flow.moment(case, at)
    policies.check_extension(task, minutes=minutes, at=at)
    policies.check_text(reason, field="reason")
    asked = replace(task, extension=Extension(at=at, by=by.subject, reason=reason, minutes=minutes))
    tasks = flow.put(case.tasks, asked)
    changed = flow.record(
        case, verb="request_extension", by=by, at=at, now=now, task_id=task_id, remark=f"{minutes}: {reason}", tasks=tasks
    )
    fact = ExtensionRequested(
        case_id=case.case_id,
        task_id=task_id,
        department=task.department,
        reason=reason,
        minutes=minutes,
        requested_at=at,
    )
    return changed, (fact,)


def rule_extension(case: Case, *, task_id: str, approved: bool, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Rules on a request for more time. Granted to the lead, the limit of the case moves along.

    Raises TaskNotFound, WrongState, RoleNotAllowed, OwnRequest, FailedPrecondition (NO_EXTENSION).
    """
    task = policies.find_task(case, task_id)
    asked = policies.open_extension(task)
    policies.check_ruler(by)
    policies.check_work_goes_on(case)
    policies.check_not_own(asked, by)
    limit = policies.running_limit(task)
    at = flow.moment(case, at)
    ticking, of_case = task.clocks, case.clocks
    if approved:
        ticking = clocks.extend(ticking, ClockKind.RESOLVE, minutes=asked.minutes, at=at)
        if task.is_lead:
            of_case = clocks.extend(of_case, ClockKind.RESOLVE, minutes=asked.minutes, at=at)
    due = clocks.due_at(ticking, ClockKind.RESOLVE) or limit.due_at
    ruling = replace(asked, approved=approved, ruled_at=at, ruled_by=by.subject, ruling_reason=reason, due_at=due)
    ruled = flow.with_clocks(task, ticking, extension=ruling)
    tasks = flow.put(case.tasks, ruled)
    changed = flow.record(
        case, verb="rule_extension", by=by, at=at, now=now, task_id=task_id, remark=reason, tasks=tasks, clocks=of_case
    )
    fact = ExtensionRuled(
        case_id=case.case_id, task_id=task_id, department=task.department, approved=approved, due_at=due, ruled_at=at
    )
    return changed, (fact,)


def change_lead(
    case: Case, *, department: str, reason: str, by: Actor, at: datetime, now: datetime, new_id: Callable[[], str]
) -> Outcome:
    """Gives the lead to another department, once; the limit of the lead runs on, and who led stays as a joint department.

    Raises WrongState, RoleNotAllowed, InvalidArgument (department, reason),
    FailedPrecondition (LEAD_CHANGED_BEFORE, LEAD_DONE, CANNOT_LEAD).
    """
    policies.check_case_move(case, "change_lead", by)
    policies.check_text(reason, field="reason")
    joint = policies.check_lead_change(case, department)
    if case.lead is None:
        raise AssertionError("a case that is worked on has a lead")
    at = flow.moment(case, at)
    former = replace(case.lead, role=TaskRole.JOINT)
    lead = _led(joint or _fresh_lead(case, case.lead, department, new_id(), at), case.lead)
    others = (task for task in case.tasks if task.task_id not in (former.task_id, lead.task_id))
    changed = flow.record(
        case,
        verb="change_lead",
        by=by,
        at=at,
        now=now,
        task_id=lead.task_id,
        remark=reason,
        state=CaseState.PARALLEL,
        tasks=(lead, former, *others),
        lead_changes=case.lead_changes + 1,
    )
    fact = LeadChanged(
        case_id=case.case_id,
        task_id=lead.task_id,
        department=department,
        former_task_id=former.task_id,
        reason=reason,
        lead_changed_at=at,
    )
    return changed, (fact,) if joint else (fact, flow.assigned(changed, lead))


def _fresh_lead(case: Case, former: Task, department: str, task_id: str, at: datetime) -> Task:
    task = Task(
        task_id=task_id,
        department=department,
        role=TaskRole.LEAD,
        state=TaskState.WAITING,
        instruction=former.instruction,
    )
    return flow.assign(case, task, at)


def _led(task: Task, former: Task) -> Task:
    """The task as lead: parallel_policy.yaml, change_of_lead — the clock keeps running."""
    return flow.with_clocks(task, (_running_on(clock, former) for clock in task.clocks), role=TaskRole.LEAD)


def _running_on(clock: Clock, former: Task) -> Clock:
    kept = clocks.find(former.clocks, ClockKind.RESOLVE) if clock.kind is ClockKind.RESOLVE else None
    return kept or clock

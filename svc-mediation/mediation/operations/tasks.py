"""Verbs on one department's task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from mediation import clocks, history, policies, routing
from mediation.domain import Actor, Attachment, Case, CaseState, Clock, ClockKind, Objection, Progress, Task, TaskState
from mediation.domain.facts import (
    ObjectionRuled,
    TaskAccepted,
    TaskCompleted,
    TaskObjected,
    TaskProgressed,
)
from mediation.domain.parts import PartiesInformed
from mediation.operations import flow
from mediation.operations.flow import Outcome
from mediation.operations.suspending import woken
from svckit.errors import InvalidArgument

# States of a task in which a fact that says "opened" or "completed" has nothing left to do.
_PAST_TAKING_UP = frozenset({TaskState.ACCEPTED, TaskState.DONE, TaskState.REMOVED})
_PAST_FINISHING = frozenset({TaskState.DONE, TaskState.REMOVED})


def accept_task(case: Case, *, task_id: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Accepts a task for its department, also one that was sent back. Raises TaskNotFound, OtherDepartment, WrongState."""
    case, woke = woken(case, by=by, at=at, now=now)
    task = _own_task(case, task_id, "accept_task", by)
    at = flow.moment(case, at)
    accepted, changes = _accepted(case, task, by, at)
    changed = flow.record(case, verb="accept_task", by=by, at=at, now=now, task_id=task_id, **changes)
    fact = TaskAccepted(
        case_id=case.case_id,
        task_id=task_id,
        department=task.department,
        accepted_at=at,
        on_time=clocks.is_on_time(accepted.clocks, ClockKind.ACCEPT),
    )
    return changed, (*woke, fact)


def _accepted(case: Case, task: Task, by: Actor, at: datetime) -> tuple[Task, dict[str, Any]]:
    """Returns the accepted task and what its acceptance changes of the case."""
    ticking = clocks.meet(task.clocks, ClockKind.ACCEPT, at=at)
    accepted = flow.with_clocks(task, ticking, state=TaskState.ACCEPTED, accepted_at=task.accepted_at or at, handler=by.subject)
    return accepted, {
        "state": CaseState.HANDLING if case.state is CaseState.DISPATCHED else flow.resumed(case),
        "tasks": flow.put(case.tasks, accepted),
        "clocks": clocks.meet(case.clocks, ClockKind.RESPOND, at=at),
        "handlers": flow.worked_by(case, by),
    }


def report_progress(
    case: Case,
    *,
    task_id: str,
    text: str,
    by: Actor,
    at: datetime,
    now: datetime,
    attachments: tuple[Attachment, ...] = (),
) -> Outcome:
    """Adds a note of progress; the first one meets the respond clock.

    Raises as accept_task, FailedPrecondition (TOO_MANY_NOTES, TOO_MANY_ATTACHMENTS).
    """
    case, woke = woken(case, by=by, at=at, now=now)
    task = _own_task(case, task_id, "report_progress", by)
    policies.check_notes(case, task, attachments=len(attachments))
    at = flow.moment(case, at)
    note = Progress(at=at, by=by.subject, text=text, attachments=attachments)
    ticking = clocks.meet(task.clocks, ClockKind.RESPOND, at=at)
    noted = flow.with_clocks(task, ticking, state=TaskState.ACCEPTED, progress=(*task.progress, note))
    changed = flow.record(
        case,
        verb="report_progress",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        content=history.content_of(text, attachments),
        state=flow.resumed(case),
        tasks=flow.put(case.tasks, noted),
        handlers=flow.worked_by(case, by),
    )
    fact = TaskProgressed(case_id=case.case_id, task_id=task_id, department=task.department, progressed_at=at)
    return changed, (*woke, fact)


def complete_task(
    case: Case,
    *,
    task_id: str,
    result: str,
    by: Actor,
    at: datetime,
    now: datetime,
    evidence: tuple[Attachment, ...] = (),
    unified_reply: str = "",
    parties_informed: str = "",
) -> Outcome:
    """Reports a task done: tasks that waited for it start, and the last needed one makes the case handled, once.

    `parties_informed` is how the lead of a parallel case told the parties the unified reply.
    Raises as accept_task, InvalidArgument (result, evidence, unified_reply, parties_informed).
    """
    case, woke = woken(case, by=by, at=at, now=now)
    task = _own_task(case, task_id, "complete_task", by)
    policies.check_outcome(case, result=result, evidence=evidence, by=by)
    policies.check_unified_reply(case, task, unified_reply)
    policies.check_parties_informed(case, task, reply=unified_reply, way=parties_informed, by=by)
    at = flow.moment(case, at)
    ticking = clocks.meet(task.clocks, ClockKind.RESPOND, ClockKind.RESOLVE, at=at)
    done = flow.with_clocks(
        task, ticking, state=TaskState.DONE, done_at=at, handler=by.subject, result=result, evidence=evidence
    )
    fact = TaskCompleted(
        case_id=case.case_id,
        task_id=task_id,
        department=task.department,
        handler=by.subject,
        completed_at=at,
        on_time=clocks.is_on_time(ticking, ClockKind.RESOLVE),
    )
    reply = (unified_reply if task.is_lead else "") or case.unified_reply
    told = parties_informed if task.is_lead else ""
    return flow.advance(
        case,
        verb="complete_task",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        tasks=flow.put(case.tasks, done),
        state=flow.resumed(case),
        facts=(*woke, fact),
        remark=told,
        content=history.done(done, reply if task.is_lead else ""),
        unified_reply=reply,
        parties_informed=PartiesInformed(at=at, by=by.subject, way=told) if told else case.parties_informed,
        handlers=flow.worked_by(case, by),
    )


def take_up_task(case: Case, *, task_id: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Accepts a task because a service says it has started on it; nothing happens where that is long known.

    Raises as accept_task (also for a task that still waits for others).
    """
    if _is_past(case, task_id, _PAST_TAKING_UP):
        return case, ()
    return accept_task(case, task_id=task_id, by=by, at=at, now=now)


def finish_task(
    case: Case,
    *,
    task_id: str,
    result: str,
    by: Actor,
    at: datetime,
    now: datetime,
    evidence: tuple[Attachment, ...] = (),
    unified_reply: str = "",
) -> Outcome:
    """Completes a task because a service says it is done; where that comes first it accepts the task in the same step.

    Without a `unified_reply` the result of a lead task is the answer of a parallel case. Raises as accept_task.
    """
    if _is_past(case, task_id, _PAST_FINISHING):
        return case, ()
    case, woke = woken(case, by=by, at=at, now=now)
    accepted: Task | None = None
    if policies.find_task(case, task_id).state is TaskState.ASSIGNED:
        at = flow.moment(case, at)
        accepted, changes = _accepted(case, _own_task(case, task_id, "accept_task", by), by, at)
        case = replace(case, **changes)
    reply = unified_reply or result
    case, (fact, *more) = complete_task(
        case, task_id=task_id, result=result, by=by, at=at, now=now, evidence=evidence, unified_reply=reply
    )
    if accepted and isinstance(fact, TaskCompleted):
        on_time = clocks.is_on_time(accepted.clocks, ClockKind.ACCEPT)
        fact = replace(fact, accepted_at=at, accepted_on_time=on_time)
    return case, (*woke, fact, *more)


def _is_past(case: Case, task_id: str, states: frozenset[TaskState]) -> bool:
    """Whether what a service says comes too late to mean anything; before a case was reopened, for instance."""
    if case.is_final or any(task.task_id == task_id for task in case.earlier_tasks):
        return True
    return policies.find_task(case, task_id).state in states


def object_task(case: Case, *, task_id: str, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Objects to a task before accepting it, once; the coordinator has 4 working hours to rule.

    Raises as accept_task, InvalidArgument (reason), FailedPrecondition (second, or too late).
    """
    case, woke = woken(case, by=by, at=at, now=now)
    task = policies.find_task(case, task_id)
    policies.check_department(task, by)
    if task.objection is not None:
        policies.check_objection(case, task, at=at)
    policies.check_task_move(case, task, "object_task", by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    policies.check_objection(case, task, at=at)
    limit = routing.ruling_limit(case.severity)
    ticking = (*clocks.meet(task.clocks, ClockKind.ACCEPT, at=at), clocks.start(ClockKind.RULING, limit, at=at))
    objection = Objection(at=at, by=by.subject, reason=reason)
    objected = flow.with_clocks(task, ticking, state=TaskState.OBJECTED, objection=objection)
    changed = flow.record(
        case,
        verb="object_task",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        remark=reason,
        tasks=flow.put(case.tasks, objected),
    )
    fact = TaskObjected(case_id=case.case_id, task_id=task_id, department=task.department, reason=reason, objected_at=at)
    return changed, (*woke, fact)


def rule_objection(
    case: Case,
    *,
    task_id: str,
    upheld: bool,
    reason: str,
    by: Actor,
    at: datetime,
    now: datetime,
    new_id: Callable[[], str],
    reassign_to: str = "",
) -> Outcome:
    """Rules on an objection. Overruled: the task stands. Upheld: it goes to `reassign_to`, or a joint task is taken out.

    Raises WrongState (no objection), FailedPrecondition (lead without successor), InvalidArgument (reason, reassign_to).
    """
    task = policies.find_task(case, task_id)
    policies.check_task_move(case, task, "rule_objection", by)
    policies.check_text(reason, field="reason")
    if task.objection:
        policies.check_not_own(task.objection, by)
    if reassign_to and not upheld:
        raise InvalidArgument("An overruled objection moves nothing.", field="reassign_to", reason="NOT_UPHELD")
    at = flow.moment(case, at)
    in_time = clocks.meet(task.clocks, ClockKind.RULING, at=at)
    ruled = flow.with_clocks(task, in_time, objection=_ruled(task, upheld, reason, by, at))
    fact = ObjectionRuled(
        case_id=case.case_id,
        task_id=task_id,
        department=task.department,
        upheld=upheld,
        reassigned_to=reassign_to,
        ruled_at=at,
    )
    if not upheld:
        return _stands(case, ruled, fact, by=by, at=at, now=now)
    if not reassign_to:
        policies.check_removal(task)
        return _advance(case, flow.put(case.tasks, flow.remove(ruled, at=at)), ruled, fact, by=by, at=at, now=now)
    policies.check_reassignment(case, reassign_to)
    successor = _successor(case, task, reassign_to, new_id(), at)
    tasks = _replaced(case.tasks, flow.remove(ruled, at=at), successor)
    changed, facts = _advance(case, tasks, ruled, fact, by=by, at=at, now=now)
    return changed, (*facts, flow.assigned(changed, successor))


def return_task(case: Case, *, task_id: str, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Sends a done task back for rework before the case is verified.

    Raises TaskNotFound, OtherDepartment, WrongState, InvalidArgument (reason).
    """
    task = policies.find_task(case, task_id)
    policies.check_task_move(case, task, "return_task", by)
    policies.check_may_return(case, by)
    policies.check_text(reason, field="reason")
    state = case.state
    if state not in (CaseState.PARALLEL, CaseState.HANDLING, CaseState.REWORK):
        policies.check_case_move(case, "return_task", by)
        state = CaseState.REWORK
    at = flow.moment(case, at)
    returned, fact = flow.send_back(case, task, reason=reason, at=at)
    changed = flow.record(
        case,
        verb="return_task",
        by=by,
        at=at,
        now=now,
        task_id=task_id,
        remark=reason,
        state=state,
        tasks=flow.put(case.tasks, returned),
        clocks=clocks.reopen(case.clocks, ClockKind.RESOLVE, at=at),
    )
    return changed, (fact,)


def _own_task(case: Case, task_id: str, verb: str, by: Actor) -> Task:
    task = policies.find_task(case, task_id)
    policies.check_department(task, by)
    policies.check_task_move(case, task, verb, by)
    return task


def _ruled(task: Task, upheld: bool, reason: str, by: Actor, at: datetime) -> Objection:
    if task.objection is None:
        raise AssertionError("a task is objected only by an objection")
    return replace(task.objection, upheld=upheld, ruled_at=at, ruled_by=by.subject, ruling_reason=reason)


def _stands(case: Case, task: Task, fact: ObjectionRuled, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    limits = routing.task_limits(case.category, case.severity, task.role, task.department)
    ticking = clocks.restart(task.clocks, ClockKind.ACCEPT, limits.accept, at=at)
    standing = flow.with_clocks(task, ticking, state=TaskState.ASSIGNED)
    tasks = flow.put(case.tasks, standing)
    changed = flow.record(
        case, verb="rule_objection", by=by, at=at, now=now, task_id=task.task_id, remark=_remark(task), tasks=tasks
    )
    return changed, (fact,)


def _advance(
    case: Case, tasks: tuple[Task, ...], task: Task, fact: ObjectionRuled, *, by: Actor, at: datetime, now: datetime
) -> Outcome:
    return flow.advance(
        case,
        verb="rule_objection",
        by=by,
        at=at,
        now=now,
        task_id=task.task_id,
        remark=_remark(task),
        tasks=tasks,
        state=case.state,
        facts=(fact,),
    )


def _remark(task: Task) -> str:
    return task.objection.ruling_reason if task.objection else ""


def _successor(case: Case, task: Task, department: str, task_id: str, at: datetime) -> Task:
    fresh = Task(
        task_id=task_id,
        department=department,
        role=task.role,
        state=TaskState.WAITING,
        after=task.after,
        instruction=task.instruction,
    )
    assigned = flow.assign(case, fresh, at)
    if not task.is_lead:
        return assigned
    # A change of lead does not buy time: the limit of the result runs on (parallel_policy.yaml, change_of_lead).
    return flow.with_clocks(assigned, (_running_on(clock, task) for clock in assigned.clocks))


def _running_on(clock: Clock, task: Task) -> Clock:
    kept = clocks.find(task.clocks, ClockKind.RESOLVE) if clock.kind is ClockKind.RESOLVE else None
    return kept or clock


def _replaced(tasks: tuple[Task, ...], removed: Task, successor: Task) -> tuple[Task, ...]:
    """The successor takes the place of the removed task, also in the `after` of those who wait for it."""
    kept = (successor if task.task_id == removed.task_id else task for task in tasks)
    return (*(_waiting_for(task, removed.task_id, successor.task_id) for task in kept), removed)


def _waiting_for(task: Task, old: str, new: str) -> Task:
    if old not in task.after:
        return task
    return replace(task, after=tuple(new if task_id == old else task_id for task_id in task.after))

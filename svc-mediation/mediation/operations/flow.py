"""What the verbs share: the diary, starting tasks that waited, joining, and sending tasks back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from mediation import clocks, history, inbox, policies, routing
from mediation.domain import Actor, Case, CaseState, ClockKind, Light, Step, Task, TaskState
from mediation.domain.facts import CaseHandled, DispatchedTask, Fact, TaskAssigned, TaskRemoved, TaskReturned
from mediation.operations import staying

Outcome = tuple[Case, tuple[Fact, ...]]

_MILLISECOND = timedelta(milliseconds=1)
_JOINING = frozenset({CaseState.PARALLEL, CaseState.HANDLING})


def moment(case: Case, at: datetime) -> datetime:
    """Returns when a step counts as done: never before the step before it."""
    return max(at, case.steps[-1].at) if case.steps else at


def record(
    case: Case,
    *,
    verb: str,
    by: Actor,
    at: datetime,
    now: datetime,
    task_id: str = "",
    remark: str = "",
    content: str = "",
    **changes: Any,
) -> Case:
    """Returns the case with `changes` and one more entry in its history; lights and timers are set anew.

    `content` is the digest of what was said at length. Raises FailedPrecondition (HISTORY_FULL).
    """
    state = changes.get("state", case.state)
    origin = history.origin_of(by)
    step = Step(at=at, by=by.subject, origin=origin, verb=verb, task_id=task_id, remark=remark, content=content, state=state)
    steps, chain = history.append(case, step)
    changed = replace(case, steps=steps, history=chain, changed_at=touched(case, now), **changes)
    return settle(staying.follow(case, _planned(case, changed)))


def _planned(before: Case, after: Case) -> Case:
    """The case with the times at which the system itself has to act on it."""
    ends_at = before.ends_by_itself_at
    if before.state is not after.state:
        ends_at = policies.ends_by_itself_at(after)
    archive_at = history.archive_at(after)
    if (ends_at, archive_at) == (after.ends_by_itself_at, after.archive_at):
        return after
    return replace(after, ends_by_itself_at=ends_at, archive_at=archive_at)


def worked_by(case: Case, by: Actor) -> tuple[str, ...]:
    """Returns who has worked on the case, with `by` among them: they may not check it."""
    return case.handlers if by.subject in case.handlers else (*case.handlers, by.subject)


def touched(case: Case, now: datetime) -> datetime:
    """Returns when the case changes: later than ever before, so that the time names the version and streams can resume by it."""
    return max(now, case.changed_at + _MILLISECOND) if case.steps else now


def settle(case: Case) -> Case:
    """Returns the case with its worst light, the time the next light turns, and its marks in the inboxes of departments."""
    light, turns_at = _outlook(case)
    return replace(case, light=light, next_light_at=turns_at, inbox=inbox.marks(case.tasks, case_id=case.case_id))


def relit(case: Case) -> Case:
    """Returns the case with its worst light and the time the next light turns; for a change of lights alone."""
    light, turns_at = _outlook(case)
    return replace(case, light=light, next_light_at=turns_at)


def _outlook(case: Case) -> tuple[Light, datetime | None]:
    ticking = list(case.clocks)
    for task in case.tasks:
        if task.light is not Light.UNSPECIFIED:
            ticking += task.clocks
    return clocks.outlook(ticking)


def with_clocks(task: Task, ticking: Iterable[Any], **changes: Any) -> Task:
    """Returns the task with other clocks, and the light and due time that follow from them.

    How long a ruling takes is the coordinator's light, which the case shows, not the department's.
    """
    kept = tuple(ticking)
    asked = kept and kept[-1].kind is ClockKind.RULING
    light, _ = clocks.outlook(kept[:-1] if asked else kept)
    return replace(task, clocks=kept, light=light, due_at=clocks.due_at(kept, ClockKind.RESOLVE) or task.due_at, **changes)


def put(tasks: tuple[Task, ...], changed: Task) -> tuple[Task, ...]:
    """Returns the tasks with one of them exchanged."""
    return tuple(changed if task.task_id == changed.task_id else task for task in tasks)


def assign(case: Case, task: Task, at: datetime) -> Task:
    """Returns the task as its department gets it: its clocks start."""
    limits = routing.task_limits(case.category, case.severity, task.role, task.department)
    return with_clocks(task, clocks.start_all(limits, at=at), state=TaskState.ASSIGNED, assigned_at=at)


def remove(task: Task, *, at: datetime) -> Task:
    """Returns the task taken out of its case at an instant: nothing runs any more."""
    return with_clocks(task, clocks.drop_running(task.clocks), state=TaskState.REMOVED, removed_at=at)


def remove_open(case: Case, *, reason: str, at: datetime) -> tuple[tuple[Task, ...], tuple[TaskRemoved, ...]]:
    """Returns the tasks with all open ones taken out, and the facts of it."""
    facts = tuple(
        TaskRemoved(case_id=case.case_id, task_id=task.task_id, department=task.department, reason=reason, removed_at=at)
        for task in case.tasks
        if task.is_open
    )
    return tuple(remove(task, at=at) if task.is_open else task for task in case.tasks), facts


def dispatched(task: Task) -> DispatchedTask:
    """Returns the task as other services need it."""
    return DispatchedTask(
        task_id=task.task_id,
        department=task.department,
        role=task.role,
        after=task.after,
        instruction=task.instruction,
        due_at=task.due_at,
        assigned_at=task.assigned_at,
    )


def assigned(case: Case, task: Task) -> TaskAssigned:
    """Returns the fact that a department has the task now."""
    return TaskAssigned(
        case_id=case.case_id,
        number=case.number,
        task=dispatched(task),
        area_code=case.area_code,
        category=case.category,
        city=case.city,
        description=case.description,
        address=case.address,
        point=case.point,
    )


def open_state(case: Case) -> CaseState:
    """Returns the state in which departments work on the case."""
    return CaseState.PARALLEL if case.is_parallel else CaseState.HANDLING


def resumed(case: Case) -> CaseState:
    """Returns the state after a department acted: rework is over as soon as somebody is at it again."""
    return open_state(case) if case.state is CaseState.REWORK else case.state


def advance(
    case: Case,
    *,
    verb: str,
    by: Actor,
    at: datetime,
    now: datetime,
    tasks: tuple[Task, ...],
    state: CaseState,
    facts: tuple[Fact, ...],
    task_id: str,
    remark: str = "",
    content: str = "",
    **changes: Any,
) -> Outcome:
    """Records a step after which fewer tasks are open: starts what waited for it, and joins when nothing needed is left."""
    tasks, started = _start_waiting(case, tasks, at)
    facts = (*facts, *(assigned(case, task) for task in started))
    draft = replace(case, tasks=tasks, state=state, **changes)
    if state in _JOINING and policies.join_holds(draft):
        draft, joined = _joined(draft, at)
        facts = (*facts, joined)
    changes |= {"tasks": draft.tasks, "state": draft.state, "handled_at": draft.handled_at, "clocks": draft.clocks}
    changed = record(case, verb=verb, by=by, at=at, now=now, task_id=task_id, remark=remark, content=content, **changes)
    return changed, facts


def _start_waiting(case: Case, tasks: tuple[Task, ...], at: datetime) -> tuple[tuple[Task, ...], list[Task]]:
    started = [assign(case, task, at) for task in tasks if task.state is TaskState.WAITING and policies.may_start(task, tasks)]
    for task in started:
        tasks = put(tasks, task)
    return tasks, started


def _joined(case: Case, at: datetime) -> tuple[Case, CaseHandled]:
    path = critical_path(case.tasks)
    on_path = frozenset(path)
    tasks = tuple(
        task if task.critical == (task.task_id in on_path) else replace(task, critical=not task.critical) for task in case.tasks
    )
    met = clocks.meet(case.clocks, ClockKind.RESPOND, ClockKind.RESOLVE, at=at)
    case = replace(case, tasks=tasks, clocks=met, state=CaseState.HANDLED, handled_at=at)
    return case, CaseHandled(case_id=case.case_id, handled_at=at, critical_path=path)


def critical_path(tasks: tuple[Task, ...]) -> tuple[str, ...]:
    """Returns the ids of the chain that ended last, first to last: the last done task, what it waited for longest, and so on."""
    done = {task.task_id: task for task in tasks if task.state is TaskState.DONE}
    path: list[str] = []
    last = _latest(done.values())
    while last:
        path.append(last.task_id)
        last = _latest(done[task_id] for task_id in last.after if task_id in done)
    return tuple(reversed(path))


def _latest(tasks: Iterable[Task]) -> Task | None:
    # Of two that ended in the same millisecond the one dispatched first counts.
    return max(tasks, key=_done_at, default=None)


def _done_at(task: Task) -> datetime:
    if task.done_at is None:
        raise AssertionError("a done task has the time it was done")
    return task.done_at


def send_back(case: Case, task: Task, *, reason: str, at: datetime) -> tuple[Task, TaskReturned]:
    """Returns a done task reopened for rework, and the fact of it."""
    returned = with_clocks(
        task,
        clocks.reopen(task.clocks, ClockKind.RESOLVE, at=at),
        state=TaskState.RETURNED,
        returns=task.returns + 1,
        return_reason=reason,
    )
    fact = TaskReturned(case_id=case.case_id, task_id=task.task_id, department=task.department, reason=reason, returned_at=at)
    return returned, fact

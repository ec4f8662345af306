"""Which departments may come, go and lead while a case is being worked on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mediation.domain import (
    Actor,
    Calendar,
    Case,
    Clock,
    ClockKind,
    Exemption,
    Extension,
    Task,
    TaskPlan,
    TaskRole,
    TaskState,
)
from mediation.policies.access import WrongState, check_department, check_department_code
from mediation.policies.dispatching import check_acyclic, check_unique
from mediation.policies.flow import longest
from svckit.errors import FailedPrecondition, InvalidArgument

MOST_TASKS = 100
_AT_WORK = frozenset({TaskState.ASSIGNED, TaskState.ACCEPTED, TaskState.RETURNED})


def check_newcomers(case: Case, plans: Sequence[TaskPlan]) -> None:
    """Raises InvalidArgument (naming the field) unless the plans can become further joint tasks of the case.

    Known departments that are not in the case and were not let off, and `after` naming each other, departments at work or task ids.
    """
    if not plans:
        raise InvalidArgument("Nobody is added.", field="tasks", reason="TASKS_REQUIRED")
    if len(case.tasks) + len(plans) > MOST_TASKS:
        raise InvalidArgument(f"A case has at most {MOST_TASKS} tasks.", field="tasks", reason="TOO_MANY_TASKS")
    keys = [plan.key or plan.department for plan in plans]
    check_unique(
        [plan.department for plan in plans], "department", "A department has one task in a case.", "DUPLICATE_DEPARTMENT"
    )
    check_unique(keys, "key", "Two tasks have the same key.", "DUPLICATE_KEY")
    known = names_of(case)
    for index, plan in enumerate(plans):
        _check_newcomer(case, plan, index)
        _check_after(plan, index, keys, known)
    check_acyclic({key: _inside(plan, keys) for key, plan in zip(keys, plans, strict=True)}, keys)


def names_of(case: Case) -> dict[str, str]:
    """Returns the task ids by which `after` may name tasks of the case: their ids, and departments of those not taken out."""
    found = {task.task_id: task.task_id for task in case.tasks}
    return found | {task.department: task.task_id for task in case.tasks if task.state is not TaskState.REMOVED}


def _check_newcomer(case: Case, plan: TaskPlan, index: int) -> None:
    if plan.role is not TaskRole.JOINT:
        raise InvalidArgument("The case has its lead: change it instead.", field=f"tasks[{index}].role", reason="LEAD_COUNT")
    check_department_code(plan.department, field=f"tasks[{index}].department")
    check_absent(case, plan.department, field=f"tasks[{index}].department")


def check_absent(case: Case, department: str, *, field: str) -> None:
    """Raises InvalidArgument when a department has a task in the case, or had one and was let off."""
    if any(task.department == department for task in case.tasks):
        message = f"{department} has a task in this case, or was let off."
        raise InvalidArgument(message, field=field, reason="DUPLICATE_DEPARTMENT")


def _check_after(plan: TaskPlan, index: int, keys: Sequence[str], known: Mapping[str, str]) -> None:
    for place, key in enumerate(plan.after):
        if key not in keys and key not in known:
            message = f"Neither this request nor the case has a task {key!r}."
            raise InvalidArgument(message, field=f"tasks[{index}].after[{place}]", reason="UNKNOWN_KEY")


def _inside(plan: TaskPlan, keys: Sequence[str]) -> tuple[str, ...]:
    # Tasks that are there already wait for no newcomer: a circle can only lie among these.
    return tuple(key for key in plan.after if key in keys)


def check_lead_change(case: Case, department: str) -> Task | None:
    """Returns the task of the department that shall lead, None if it has none yet. Raises for a second change of lead.

    Further: the lead must have something left to do, and so must the new one; who was let off does not come back to lead.
    """
    lead = case.lead
    if lead is None:
        raise WrongState("Nobody leads this case.", metadata={"state": case.state})
    if case.lead_changes:
        raise FailedPrecondition("The lead of a case changes once.", reason="LEAD_CHANGED_BEFORE")
    check_department_code(department, field="department")
    if not lead.is_open:
        raise FailedPrecondition("The lead has done its task: return it instead.", reason="LEAD_DONE")
    if lead.department == department:
        raise InvalidArgument("This department leads already.", field="department", reason="LEADS_ALREADY")
    return _successor(case, department)


def _successor(case: Case, department: str) -> Task | None:
    task = next((task for task in case.tasks if task.department == department and task.state is not TaskState.REMOVED), None)
    if task is None:
        check_absent(case, department, field="department")
        return None
    if task.state not in _AT_WORK:
        raise FailedPrecondition(f"A department whose task is {task.state} cannot lead.", reason="CANNOT_LEAD")
    return task


def check_proposal(case: Case, task: Task, by: Actor) -> None:
    """Raises unless the lead department may propose to let the department of `task` off."""
    if case.lead is None or task.is_lead:
        raise FailedPrecondition("Somebody has to lead.", reason="LEAD_NEEDED")
    check_department(case.lead, by)
    if task.exemption is not None:
        raise FailedPrecondition("An exemption is proposed once.", reason="EXEMPTION_USED")
    if not task.is_open:
        raise WrongState(f"A task that is {task.state} needs no exemption.", metadata={"state": task.state})


def open_exemption(task: Task) -> Exemption:
    """Returns the proposal that waits for a ruling. Raises FailedPrecondition when there is none."""
    if task.exemption is None or not task.exemption.is_open:
        raise FailedPrecondition("No exemption waits for a ruling.", reason="NO_EXEMPTION")
    return task.exemption


def check_extension(task: Task, *, minutes: int, at: datetime) -> None:
    """Raises unless a department may ask for `minutes` more: once, before the limit, at most half of it, and no statutory one."""
    if task.extension is not None:
        raise FailedPrecondition("More time is asked for once.", reason="EXTENSION_USED")
    clock = running_limit(task)
    if clock.calendar is Calendar.STATUTORY:
        raise FailedPrecondition("A statutory limit is extended by its statute alone.", reason="STATUTORY_LIMIT")
    if at >= clock.due_at:
        raise FailedPrecondition("The limit has passed.", reason="EXTENSION_LATE")
    if not 0 < minutes <= longest(clock):
        message = f"At most {longest(clock)} minutes: half of the limit."
        raise InvalidArgument(message, field="minutes", reason="EXTENSION_TOO_LONG")


def running_limit(task: Task) -> Clock:
    """Returns the resolve clock of a task somebody works on. Raises WrongState."""
    clock = next((clock for clock in task.clocks if clock.kind is ClockKind.RESOLVE and clock.met_at is None), None)
    if task.state not in _AT_WORK or clock is None:
        raise WrongState(f"A task that is {task.state} has no limit that could move.", metadata={"state": task.state})
    return clock


def open_extension(task: Task) -> Extension:
    """Returns the request that waits for a ruling. Raises FailedPrecondition when there is none."""
    if task.extension is None or not task.extension.is_open:
        raise FailedPrecondition("No request for more time waits for a ruling.", reason="NO_EXTENSION")
    return task.extension

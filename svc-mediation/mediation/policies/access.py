"""Who may see and touch a case or task, and when things may have happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mediation import routing
from mediation.domain import Actor, Attachment, Case, CaseState, Task, TaskState, Transition
from mediation.domain.workflow import DEPARTMENT, OVERSEERS, OWN_CASES_ONLY, PROXIES
from mediation.policies.protecting import hidden_from
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

CLOCK_SKEW = timedelta(seconds=2)
OFFLINE_REPORT = timedelta(days=7)


class CaseNotFound(NotFound):
    """No such case, or none the caller may know of."""

    default_reason = "CASE_NOT_FOUND"


class TaskNotFound(NotFound):
    """The case has no such task."""

    default_reason = "TASK_NOT_FOUND"


class StaleRevision(FailedPrecondition):
    """The case has changed since the caller looked."""

    default_reason = "STALE_REVISION"


class WrongState(FailedPrecondition):
    """The workflow has no such move from this state."""

    default_reason = "WRONG_STATE"


class RoleNotAllowed(PermissionDenied):
    """The workflow gives this move to other roles."""

    default_reason = "ROLE_REQUIRED"


class OtherDepartment(PermissionDenied):
    """The task belongs to another department."""

    default_reason = "OTHER_DEPARTMENT"


def check_visible(case: Case, by: Actor) -> None:
    """Raises CaseNotFound unless the case lies in the caller's area or was reported by the caller.

    Who `sees_own_only` sees nothing but the latter, and drafts are seen by nobody else; suspected domestic violence by nobody but
    those who protect and the departments with a task; who was taken out of such a case, or let off, knows of it no longer.
    """
    if case.reporter.subject == by.subject:
        return
    hidden = hidden_from(case.category, (task.department for task in case.tasks if task.state is not TaskState.REMOVED), by)
    if case.state is CaseState.DRAFT or hidden or sees_own_only(by) or not case.area_code.startswith(by.area):
        raise CaseNotFound(f"Case {case.case_id} does not exist.")


def sees_own_only(by: Actor) -> bool:
    """Tells whether the caller sees the cases of an area only where they are the caller's own; so does whoever has no role."""
    return by.roles <= OWN_CASES_ONLY


def can_see(case: Case, by: Actor) -> bool:
    """Tells whether `check_visible` would pass."""
    try:
        check_visible(case, by)
    except CaseNotFound:
        return False
    return True


def check_revision(case: Case, revision: int) -> None:
    """Raises StaleRevision when the caller has seen another revision (0: does not care)."""
    if revision and revision != case.revision:
        raise StaleRevision(
            f"The case is at revision {case.revision}, not {revision}: read it again.",
            metadata={"revision": str(case.revision)},
        )


def check_happened_at(by: Actor, happened_at: datetime | None, *, now: datetime, offline: bool = False) -> datetime:
    """Returns when something happened: `happened_at` if the caller may set it, else `now`.

    Proxies (IMPORTER, SERVICE) may name any past time. Others only where `offline` allows it, at most 7 days back. Nobody may
    name the future; 2 s of clock skew are cut to now. Raises InvalidArgument or PermissionDenied.
    """
    if happened_at is None:
        return now
    if happened_at > now + CLOCK_SKEW:
        raise InvalidArgument("This time lies in the future.", field="happened_at", reason="IN_FUTURE")
    if by.roles.isdisjoint(PROXIES):
        _check_offline(happened_at, now, offline)
    return min(happened_at, now)


def check_taken(files: Sequence[Attachment], *, field: str, now: datetime) -> None:
    """Raises InvalidArgument naming the first photograph or file that says it was taken in the future, beyond 2 s of clock skew."""
    for index, file in enumerate(files):
        if file.taken_at is not None and file.taken_at > now + CLOCK_SKEW:
            raise InvalidArgument("This time lies in the future.", field=f"{field}[{index}].taken_at", reason="IN_FUTURE")


def _check_offline(happened_at: datetime, now: datetime, offline: bool) -> None:
    if not offline:
        raise PermissionDenied("Only an import may say when this happened.", reason="HAPPENED_AT_NOT_ALLOWED")
    if happened_at < now - OFFLINE_REPORT:
        raise InvalidArgument("A report may be at most 7 days old.", field="happened_at", reason="TOO_OLD")


def check_role(row: Transition, by: Actor) -> None:
    """Raises RoleNotAllowed unless the row names a role of the actor. Proxies act for whoever did it."""
    if row.by.isdisjoint(by.roles) and by.roles.isdisjoint(PROXIES):
        raise RoleNotAllowed(f"{row.verb} is for {', '.join(sorted(row.by))}.")


def find_task(case: Case, task_id: str) -> Task:
    """Returns a task of the case. Raises TaskNotFound."""
    for task in case.tasks:
        if task.task_id == task_id:
            return task
    raise TaskNotFound("The case has no such task.")


def find_task_ever(case: Case, task_id: str) -> Task:
    """Returns a task of the case, also one from before it was reopened. Raises TaskNotFound."""
    for task in case.earlier_tasks:
        if task.task_id == task_id:
            return task
    return find_task(case, task_id)


def check_department(task: Task, by: Actor) -> None:
    """Raises OtherDepartment unless the actor acts for the task's department. An importer without one acts for all."""
    if by.department == task.department or (not by.department and "IMPORTER" in by.roles):
        return
    raise OtherDepartment("This task belongs to another department.", metadata={"department": task.department})


def check_department_code(code: str, *, field: str) -> None:
    """Raises InvalidArgument unless department.csv has the code."""
    if not routing.is_department(code):
        raise InvalidArgument(f"Department {code!r} is not in department.csv.", field=field, reason="UNKNOWN_DEPARTMENT")


def department_shown(by: Actor, asked: str) -> str:
    """Returns the department whose tasks the caller may read; "" for all of them.

    People of a department see its tasks; coordinators and supervision those of any. Raises OtherDepartment or InvalidArgument.
    """
    if asked:
        check_department_code(asked, field="department")
    if not by.roles.isdisjoint(OVERSEERS):
        return asked or by.department
    if not by.department:
        raise OtherDepartment("Only coordinators and supervision may look at the tasks of all departments.")
    if asked and asked != by.department:
        raise OtherDepartment("These are the tasks of another department.", metadata={"department": asked})
    return by.department


def check_may_return(case: Case, by: Actor) -> None:
    """Raises OtherDepartment when a department other than the lead wants to send a task back."""
    lead = case.lead
    if by.roles.isdisjoint(DEPARTMENT) or lead is None or lead.department == by.department:
        return
    if by.roles.isdisjoint({"DISPATCHER", "STREET_CENTER", "GRID_SUPERVISOR"}):
        raise OtherDepartment("Only the lead department of a case may send tasks back.")

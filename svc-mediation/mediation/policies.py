"""The rules: each `check_*` raises an error whose reason people understand; `can_*` asks the same without raising.

Pure: what a rule needs arrives as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

from mediation import calendar, routing
from mediation.domain import (
    Actor,
    Attachment,
    Calendar,
    Case,
    CaseState,
    JoinPolicy,
    Point,
    Task,
    TaskPlan,
    TaskRole,
    TaskState,
    Transition,
)
from mediation.domain.states import WORKING_STATES
from mediation.domain.workflow import CASE_MOVES, DEPARTMENT, OVERSEERS, PROXIES, TASK_MOVES
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, ServiceError

# 004: 再通过E通拍照…检查结案 — the photograph after the work shows the place of the one before.
PHOTO_RADIUS_M = 50.0
CLOCK_SKEW = timedelta(seconds=2)
OFFLINE_REPORT = timedelta(days=7)
# parallel_policy.yaml, objection: inside 1 working day, petitions (信访) 5.
OBJECTION_DAYS, PETITION_OBJECTION_DAYS = 1, 5
MAX_NOTES = 200
_EARTH_RADIUS_M = 6_371_008.8
_HANDLING_VERBS = frozenset({"accept_task", "report_progress", "complete_task"})


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


class HandledIt(PermissionDenied):
    """Whoever worked on a case may not check it."""

    default_reason = "VERIFIER_HANDLED_IT"


# ------------------------------------------------------------------------------------------------------------ who and when


def check_visible(case: Case, by: Actor) -> None:
    """Raises CaseNotFound unless the case lies in the caller's area or was reported by the caller.

    Residents see their own reports only.
    """
    if case.reporter.subject == by.subject:
        return
    if by.roles == {"RESIDENT"} or not case.area_code.startswith(by.area):
        raise CaseNotFound(f"Case {case.case_id} does not exist.")


def can_see(case: Case, by: Actor) -> bool:
    """Tells whether `check_visible` would pass."""
    return _passes(check_visible, case, by)


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


def _check_offline(happened_at: datetime, now: datetime, offline: bool) -> None:
    if not offline:
        raise PermissionDenied("Only an import may say when this happened.", reason="HAPPENED_AT_NOT_ALLOWED")
    if happened_at < now - OFFLINE_REPORT:
        raise InvalidArgument("A report may be at most 7 days old.", field="happened_at", reason="TOO_OLD")


# -------------------------------------------------------------------------------------------------------------- the workflow


def check_case_move(case: Case, verb: str, by: Actor) -> None:
    """Raises WrongState or RoleNotAllowed unless the table has a row for `verb` from the case's state for the actor."""
    rows = CASE_MOVES.get((verb, case.state))
    if not rows:
        raise WrongState(f"A case that is {case.state} allows no {verb}.", metadata={"state": case.state})
    check_role(rows[0], by)


def check_task_move(case: Case, task: Task, verb: str, by: Actor) -> None:
    """Raises unless the table has a row for `verb` from the task's state, and the case is being worked on."""
    rows = TASK_MOVES.get((verb, task.state))
    if task.state is TaskState.WAITING:
        raise WrongState("This task waits for other tasks.", reason="TASK_WAITING", metadata={"state": task.state})
    if not rows:
        raise WrongState(f"A task that is {task.state} allows no {verb}.", metadata={"state": task.state})
    if case.state not in WORKING_STATES:
        raise WrongState(f"Nobody works on a case that is {case.state}.", metadata={"state": case.state})
    check_role(rows[0], by)


def check_role(row: Transition, by: Actor) -> None:
    """Raises RoleNotAllowed unless the row names a role of the actor. Proxies act for whoever did it."""
    if row.by.isdisjoint(by.roles) and by.roles.isdisjoint(PROXIES):
        raise RoleNotAllowed(f"{row.verb} is for {', '.join(sorted(row.by))}.")


def has_move(moves: dict[tuple[str, StrEnum], tuple[Transition, ...]], verb: str, source: StrEnum, target: StrEnum) -> bool:
    """Tells whether a table has the row."""
    return any(row.target is target for row in moves.get((verb, source), ()))


def find_task(case: Case, task_id: str) -> Task:
    """Returns a task of the case. Raises TaskNotFound."""
    for task in case.tasks:
        if task.task_id == task_id:
            return task
    raise TaskNotFound("The case has no such task.")


def check_department(task: Task, by: Actor) -> None:
    """Raises OtherDepartment unless the actor acts for the task's department. An importer without one acts for all."""
    if by.department == task.department or (not by.department and "IMPORTER" in by.roles):
        return
    raise OtherDepartment("This task belongs to another department.", metadata={"department": task.department})


def check_may_return(case: Case, by: Actor) -> None:
    """Raises OtherDepartment when a department other than the lead wants to send a task back."""
    lead = case.lead
    if by.roles.isdisjoint(DEPARTMENT) or lead is None or lead.department == by.department:
        return
    if by.roles.isdisjoint({"DISPATCHER", "STREET_CENTER", "GRID_SUPERVISOR"}):
        raise OtherDepartment("Only the lead department of a case may send tasks back.")


# ---------------------------------------------------------------------------------------------------------------- reporting


def check_report(*, category: str, source: str, has_place: bool) -> None:
    """Raises InvalidArgument for an unknown category or source, or a report from nowhere."""
    routing.find(category)
    if not routing.is_source(source):
        raise InvalidArgument(f"Source {source!r} is not in event_source.csv.", field="source", reason="UNKNOWN_SOURCE")
    if not has_place:
        raise InvalidArgument("A case needs a point or an area code.", field="point", reason="PLACE_REQUIRED")


# ----------------------------------------------------------------------------------------------------------------- dispatch


def check_plans(plans: Sequence[TaskPlan]) -> None:
    """Raises InvalidArgument (naming the field) unless the plans can become the tasks of one case.

    One lead, known departments that differ, keys that differ, and `after` naming other keys without a circle.
    """
    leads = [plan for plan in plans if plan.role is TaskRole.LEAD]
    if len(leads) != 1:
        raise InvalidArgument("Exactly one task leads.", field="tasks", reason="LEAD_COUNT")
    keys = [plan.key or plan.department for plan in plans]
    _check_departments(plans)
    _check_unique(keys, "key", "Two tasks have the same key.", "DUPLICATE_KEY")
    for index, plan in enumerate(plans):
        _check_after(plan, index, keys)
    _check_acyclic({key: plan.after for key, plan in zip(keys, plans, strict=True)}, keys)


def _check_departments(plans: Sequence[TaskPlan]) -> None:
    for index, plan in enumerate(plans):
        check_department_code(plan.department, field=f"tasks[{index}].department")
    departments = [plan.department for plan in plans]
    _check_unique(departments, "department", "A department has one task in a case.", "DUPLICATE_DEPARTMENT")


def check_department_code(code: str, *, field: str) -> None:
    """Raises InvalidArgument unless department.csv has the code."""
    if not routing.is_department(code):
        raise InvalidArgument(f"Department {code!r} is not in department.csv.", field=field, reason="UNKNOWN_DEPARTMENT")


def _check_unique(values: list[str], name: str, message: str, reason: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise InvalidArgument(message, field=f"tasks[{index}].{name}", reason=reason)


def _check_after(plan: TaskPlan, index: int, keys: list[str]) -> None:
    for place, key in enumerate(plan.after):
        if key not in keys:
            message = f"No task of this dispatch has the key {key!r}."
            raise InvalidArgument(message, field=f"tasks[{index}].after[{place}]", reason="UNKNOWN_KEY")


def _check_acyclic(after: dict[str, tuple[str, ...]], keys: list[str]) -> None:
    """Takes away what waits for nothing, again and again: what remains waits for itself."""
    left = dict(after)
    while free := [key for key, needs in left.items() if left.keys().isdisjoint(needs)]:
        for key in free:
            del left[key]
    if left:
        index = keys.index(next(iter(left)))
        circle = ", ".join(left)
        raise InvalidArgument(f"These tasks wait for each other: {circle}.", field=f"tasks[{index}].after", reason="CYCLE")


# --------------------------------------------------------------------------------------------------------------------- tasks


def check_objection(case: Case, task: Task, *, at: datetime) -> None:
    """Raises FailedPrecondition for a second objection, or one that comes too late."""
    if task.objection is not None:
        raise FailedPrecondition("A department may object to a task once.", reason="OBJECTION_USED")
    days = PETITION_OBJECTION_DAYS if case.category in ("J", "A21") else OBJECTION_DAYS
    if task.assigned_at is None:
        raise FailedPrecondition("This task waits for other tasks.", reason="TASK_WAITING")
    minutes = days * calendar.minutes_per_day()
    if at > calendar.add_minutes(task.assigned_at, minutes, calendar=Calendar.WORK):
        raise FailedPrecondition(f"Objections are heard within {days} working days.", reason="OBJECTION_LATE")


def check_reassignment(case: Case, department: str) -> None:
    """Raises InvalidArgument unless `department` exists, has no task in the case, and was not let off by an earlier ruling."""
    check_department_code(department, field="reassign_to")
    for task in case.tasks:
        if task.department == department:
            message = f"{department} has a task in this case, or was let off by a ruling."
            raise InvalidArgument(message, field="reassign_to", reason="DUPLICATE_DEPARTMENT")


def check_removal(task: Task) -> None:
    """Raises FailedPrecondition for the lead task: somebody has to lead, so it can only be reassigned."""
    if task.is_lead:
        raise FailedPrecondition("A lead task can only be given to another department.", reason="LEAD_NEEDED")


def check_unified_reply(case: Case, task: Task, reply: str) -> None:
    """Raises InvalidArgument when the lead of a parallel case completes its task without the one answer of all."""
    if task.is_lead and case.is_parallel and not (reply or case.unified_reply):
        message = "The lead department of a parallel case gives the unified reply."
        raise InvalidArgument(message, field="unified_reply", reason="UNIFIED_REPLY_REQUIRED")


def check_notes(task: Task) -> None:
    """Raises FailedPrecondition when a task has as many notes of progress as a case can carry."""
    if len(task.progress) >= MAX_NOTES:
        raise FailedPrecondition(f"A task holds at most {MAX_NOTES} notes of progress.", reason="TOO_MANY_NOTES")


# ---------------------------------------------------------------------------------------------------------------------- join


def join_holds(case: Case) -> bool:
    """Tells whether the case counts as handled: its policy is satisfied and whatever was sent back is done again."""
    live = [task for task in case.tasks if task.state is not TaskState.REMOVED]
    if any(task.returns and task.state is not TaskState.DONE for task in live):
        return False
    lead_done = all(task.state is TaskState.DONE for task in live if task.is_lead)
    return bool(live) and lead_done and _joints_suffice(case.join_policy, [task for task in live if not task.is_lead])


def _joints_suffice(policy: JoinPolicy, joints: list[Task]) -> bool:
    done = sum(task.state is TaskState.DONE for task in joints)
    if policy is JoinPolicy.ALL:
        return done == len(joints)
    return policy is JoinPolicy.LEAD_ONLY or not joints or done * 2 > len(joints)


def may_start(task: Task, tasks: Iterable[Task]) -> bool:
    """Tells whether every task that `task` waits for is done or was taken out."""
    over = {other.task_id for other in tasks if other.state in (TaskState.DONE, TaskState.REMOVED)}
    return over.issuperset(task.after)


# -------------------------------------------------------------------------------------------------------------- verification


def check_verifier(case: Case, by: Actor) -> None:
    """Raises HandledIt when the verifier worked on a task of the case. An import repeats the checks of others."""
    handlers = {step.by for step in case.steps if step.verb in _HANDLING_VERBS}
    if by.subject in handlers and "IMPORTER" not in by.roles:
        raise HandledIt("Whoever worked on a case may not check it.")


def can_verify(case: Case, by: Actor) -> bool:
    """Tells whether `check_verifier` would pass."""
    return _passes(check_verifier, case, by)


def check_photos(case: Case, photos: Sequence[Attachment], *, passed: bool, by: Actor) -> None:
    """Raises InvalidArgument unless the photographs prove that the verifier stood where the trouble was.

    Every located photograph lies within 50 m of one taken before or of the case's point; a passed check needs at least one
    such. Cases without any point are content with any photograph. An import repeats checks whose photographs are elsewhere.
    """
    places = _places(case)
    for index, photo in enumerate(photos):
        _check_photo(photo, index, places)
    if passed and "IMPORTER" not in by.roles and not any(photo.point or not places for photo in photos):
        raise InvalidArgument("A passed check needs a located photograph.", field="photos", reason="PHOTO_REQUIRED")


def _check_photo(photo: Attachment, index: int, places: list[Point]) -> None:
    if photo.point is None or not places:
        return
    distance = min(distance_m(photo.point, place) for place in places)
    if distance > PHOTO_RADIUS_M:
        message = f"This photograph was taken {distance:.0f} m away; at most {PHOTO_RADIUS_M:.0f} m are allowed."
        raise InvalidArgument(message, field=f"photos[{index}].point", reason="PHOTO_TOO_FAR")


def _places(case: Case) -> list[Point]:
    places = [photo.point for photo in case.photos if photo.point]
    return [*places, case.point] if case.point else places


def check_failed_tasks(case: Case, task_ids: Sequence[str], *, passed: bool) -> None:
    """Raises InvalidArgument unless a failed check names done tasks, and a passed one names none."""
    if passed and task_ids:
        raise InvalidArgument("A passed check has no failed tasks.", field="failed_task_ids", reason="FAILED_TASKS")
    if not passed and not task_ids:
        raise InvalidArgument("A failed check names the tasks that failed.", field="failed_task_ids", reason="FAILED_TASKS")
    done = {task.task_id for task in case.tasks if task.state is TaskState.DONE}
    for index, task_id in enumerate(task_ids):
        if task_id not in done:
            raise InvalidArgument(
                "No done task of the case has this id.", field=f"failed_task_ids[{index}]", reason="FAILED_TASKS"
            )


def distance_m(one: Point, other: Point) -> float:
    """Returns the great-circle distance in metres (haversine, mean earth radius)."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    half = sin((lat2 - lat1) / 2) ** 2
    half += cos(lat1) * cos(lat2) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


def is_open(state: CaseState) -> bool:
    """Tells whether departments may still act on a case in this state."""
    return state in WORKING_STATES


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


def _passes(check: Callable[[Case, Actor], None], case: Case, by: Actor) -> bool:
    try:
        check(case, by)
    except ServiceError:
        return False
    return True

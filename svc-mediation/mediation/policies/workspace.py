"""Who writes into the workspace of a case, and who reads what there."""

from __future__ import annotations

from mediation.domain import Actor, Case, Entry, TaskState, Visibility
from mediation.domain.states import FINAL_STATES, CaseState
from mediation.domain.workflow import COORDINATORS, DEPARTMENT
from mediation.policies.access import WrongState
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

# A case is one document of at most 16 MB: the longest entries (12 KB) and links of departments keep to a fifth of it.
MOST_ENTRIES, MOST_ENTRY_ATTACHMENTS = 200, 500
_GRID = frozenset({"GRID_WORKER", "GRID_MEDIATOR"})
_CLOSED_TO_ALL = FINAL_STATES | {CaseState.DRAFT}


class NotInvolved(PermissionDenied):
    """The workspace is for those who work on the case."""

    default_reason = "NOT_INVOLVED"


def is_involved(case: Case, by: Actor) -> bool:
    """Tells whether somebody coordinates the case, keeps its grid, or belongs to a department with a task in it."""
    return not by.roles.isdisjoint(COORDINATORS | _GRID) or _has_task(case, by)


def _has_task(case: Case, by: Actor) -> bool:
    if not by.department or by.roles.isdisjoint(DEPARTMENT):
        return False
    return any(task.department == by.department and task.state is not TaskState.REMOVED for task in case.tasks)


def check_entry(case: Case, *, visibility: Visibility, attachments: int, by: Actor) -> None:
    """Raises unless the actor may write, and the case has room for one more entry with so many attachments."""
    if not is_involved(case, by):
        raise NotInvolved("The workspace of a case is for those who work on it.")
    if case.state in _CLOSED_TO_ALL:
        raise WrongState(f"Nobody works on a case that is {case.state}.", metadata={"state": case.state})
    if visibility is Visibility.DEPARTMENT and not by.department:
        raise InvalidArgument("You belong to no department.", field="visibility", reason="NO_DEPARTMENT")
    if len(case.workspace) >= MOST_ENTRIES:
        raise FailedPrecondition(f"A workspace holds at most {MOST_ENTRIES} entries.", reason="TOO_MANY_ENTRIES")
    if attachments and attachments + sum(len(each.attachments) for each in case.workspace) > MOST_ENTRY_ATTACHMENTS:
        message = f"A workspace holds at most {MOST_ENTRY_ATTACHMENTS} attachments."
        raise FailedPrecondition(message, reason="TOO_MANY_ATTACHMENTS")


def can_read_entry(case: Case, entry: Entry, by: Actor) -> bool:
    """Tells whether somebody may read an entry.

    Its author always; coordinators whatever is not for one department alone; departments with a task what is for departments;
    reporters (also those of merged cases) what is for them.
    """
    if entry.by == by.subject:
        return True
    if entry.visibility is Visibility.DEPARTMENT:
        return bool(by.department) and by.department == entry.department and _has_task(case, by)
    if not by.roles.isdisjoint(COORDINATORS):
        return True
    if entry.visibility is Visibility.COORDINATORS:
        return False
    return is_involved(case, by) or (entry.visibility is Visibility.REPORTER and _reported(case, by))


def _reported(case: Case, by: Actor) -> bool:
    followers = {each.subject for each in case.followers if each.left_at is None}
    return by.subject == case.reporter.subject or by.subject in followers

"""What departments may do with their tasks, and when a case counts as handled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from mediation import calendar
from mediation.domain import Actor, Attachment, Calendar, Case, JoinPolicy, Task, TaskState
from mediation.domain.states import WORKING_STATES
from mediation.domain.workflow import CASE_MOVES, PROXIES, RULERS, TASK_MOVES
from mediation.policies.access import RoleNotAllowed, WrongState, check_department_code, check_role
from mediation.policies.flow import check_shown, check_text
from svckit.errors import FailedPrecondition, InvalidArgument

# parallel_policy.yaml, objection: inside 1 working day, petitions (信访) 5.
OBJECTION_DAYS, PETITION_OBJECTION_DAYS = 1, 5
# A case is one document of at most 16 MB. These keep the longest notes (8 KB) and links (2 KB) of departments to a third of it.
MAX_NOTES_OF_TASK, MAX_NOTES, MAX_ATTACHMENTS = 200, 400, 500


def check_case_move(case: Case, verb: str, by: Actor) -> None:
    """Raises WrongState or RoleNotAllowed unless the table has a row for `verb` from the case's state for the actor."""
    rows = CASE_MOVES.get((verb, case.state))
    if not rows:
        raise WrongState(f"A case that is {case.state} allows no {verb}.", metadata={"state": case.state})
    check_role(rows[0], by)


def check_task_move(case: Case, task: Task, verb: str, by: Actor) -> None:
    """Raises unless the table has a row for `verb` from the task's state, and the case is being worked on."""
    rows = TASK_MOVES.get((verb, task.state))
    if task.state is TaskState.WAITING and not rows:
        raise WrongState("This task waits for other tasks.", reason="TASK_WAITING", metadata={"state": task.state})
    if not rows:
        raise WrongState(f"A task that is {task.state} allows no {verb}.", metadata={"state": task.state})
    check_work_goes_on(case)
    check_role(rows[0], by)


def check_work_goes_on(case: Case) -> None:
    """Raises WrongState unless departments work on the case."""
    if case.state not in WORKING_STATES:
        raise WrongState(f"Nobody works on a case that is {case.state}.", metadata={"state": case.state})


def check_ruler(by: Actor) -> None:
    """Raises RoleNotAllowed unless the actor rules on what departments ask for (parallel_policy.yaml: GRID)."""
    if by.roles.isdisjoint(RULERS | PROXIES):
        raise RoleNotAllowed(f"This is for {', '.join(sorted(RULERS))}.")


def check_objection(case: Case, task: Task, *, at: datetime) -> None:
    """Raises FailedPrecondition for a second objection, or one that comes too late."""
    if task.objection is not None:
        raise FailedPrecondition("A department may object to a task once.", reason="OBJECTION_USED")
    days = PETITION_OBJECTION_DAYS if case.category in ("J", "A21") else OBJECTION_DAYS
    if task.assigned_at is None:
        raise FailedPrecondition("This task waits for other tasks.", reason="TASK_WAITING")
    minutes = days * calendar.minutes_per_day()
    if at > calendar.add_minutes(task.assigned_at, minutes, calendar=Calendar.WORK):
        raise FailedPrecondition(
            f"Objections are heard within {days} working day{'s' if days > 1 else ''}.", reason="OBJECTION_LATE"
        )


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


def check_outcome(case: Case, *, result: str, evidence: Sequence[Attachment], by: Actor) -> None:
    """Raises InvalidArgument for a result without words and, of the department of a case that went to it alone, without a photograph.

    workflow.yaml, handling → handled: result_text_and_photo. What handles a parallel case is its join (parallel_join_ok), so there
    a photograph is asked of nobody.
    """
    # Proxies repeat what was done elsewhere: an import has what the other system kept; the proof of an inspection, a house check
    # or a verification lies in that itself, and its fact names it.
    if not by.roles.isdisjoint(PROXIES):
        return
    check_text(result, field="result", reason="RESULT_REQUIRED")
    if not case.is_parallel:
        check_shown(evidence)


def check_unified_reply(case: Case, task: Task, reply: str) -> None:
    """Raises InvalidArgument when the lead of a parallel case completes its task without the one answer of all."""
    if task.is_lead and case.is_parallel and not (reply or case.unified_reply):
        message = "The lead department of a parallel case gives the unified reply."
        raise InvalidArgument(message, field="unified_reply", reason="UNIFIED_REPLY_REQUIRED")


def check_parties_informed(case: Case, task: Task, *, reply: str, way: str, by: Actor) -> None:
    """Raises InvalidArgument when the lead of a parallel case does not say how the parties were told the unified reply.

    parallel_policy.yaml, parallel_join_ok: handled only when the parties are informed. The lead deals with them (lead_rule, 对接当事人),
    so its task is not done before. Another reply has to be told again. Proxies repeat what was done elsewhere.
    """
    if way or not (task.is_lead and case.is_parallel) or not by.roles.isdisjoint(PROXIES):
        return
    if case.parties_informed is None or reply not in ("", case.unified_reply):
        message = "The lead department of a parallel case tells the parties the unified reply: say how it did."
        raise InvalidArgument(message, field="parties_informed", reason="PARTIES_NOT_INFORMED")


def check_notes(case: Case, task: Task, *, attachments: int) -> None:
    """Raises FailedPrecondition when the task or the case has no room for one more note with so many attachments."""
    notes = [note for each in case.tasks for note in each.progress]
    if len(task.progress) >= MAX_NOTES_OF_TASK or len(notes) >= MAX_NOTES:
        message = f"A task holds at most {MAX_NOTES_OF_TASK} notes of progress, a case {MAX_NOTES}."
        raise FailedPrecondition(message, reason="TOO_MANY_NOTES")
    if attachments and attachments + sum(len(note.attachments) for note in notes) > MAX_ATTACHMENTS:
        message = f"The notes of a case hold at most {MAX_ATTACHMENTS} attachments."
        raise FailedPrecondition(message, reason="TOO_MANY_ATTACHMENTS")


def join_holds(case: Case) -> bool:
    """Tells whether the case counts as handled: its policy is satisfied and whatever was sent back is done again."""
    live = [task for task in case.tasks if task.state is not TaskState.REMOVED]
    if any(task.state is not TaskState.DONE and (task.is_lead or task.returns) for task in live):
        return False
    return bool(live) and _joints_suffice(case.join_policy, [task for task in live if not task.is_lead])


def _joints_suffice(policy: JoinPolicy, joints: list[Task]) -> bool:
    done = sum(task.state is TaskState.DONE for task in joints)
    if policy is JoinPolicy.ALL:
        return done == len(joints)
    return policy is JoinPolicy.LEAD_ONLY or not joints or done * 2 > len(joints)


def may_start(task: Task, tasks: Iterable[Task]) -> bool:
    """Tells whether every task that `task` waits for is done or was taken out."""
    over = {other.task_id for other in tasks if other.state in (TaskState.DONE, TaskState.REMOVED)}
    return over.issuperset(task.after)

"""The ends of a case beyond closing: another legal route, the reporter's rating, and one new beginning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mediation import clocks, policies, routing
from mediation.domain import Actor, Case, CaseState, ClockKind, Evaluation, LegalRoute, WrittenNotice
from mediation.domain.facts import CaseEvaluated, CaseReopened, CaseTransferred
from mediation.operations import flow
from mediation.operations.flow import Outcome
from mediation.operations.suspending import SYSTEM, end_suspension


def transfer_case(
    case: Case,
    *,
    route: LegalRoute,
    authority: str,
    notice: str,
    remedies: Sequence[str],
    reason: str,
    by: Actor,
    at: datetime,
    now: datetime,
) -> Outcome:
    """Hands a case to arbitration, administration or court, with the written notice of remedies; open tasks are taken out.

    Raises WrongState, RoleNotAllowed, OtherDepartment (a department that does not lead), InvalidArgument (notice, authority, remedies).
    """
    policies.check_case_move(case, "transfer_case", by)
    if case.lead and "GRID_MEDIATOR" not in by.roles:
        policies.check_department(case.lead, by)
    policies.check_text(reason, field="reason")
    policies.check_notice(text=notice, authority=authority, remedies=remedies)
    at = flow.moment(case, at)
    tasks, removed = flow.remove_open(case, reason=reason, at=at)
    told = WrittenNotice(at=at, by=by.subject, text=notice, route=route, authority=authority, remedies=tuple(remedies))
    changed = flow.record(
        case,
        verb="transfer_case",
        by=by,
        at=at,
        now=now,
        remark=f"{authority}: {reason}",
        state=CaseState.TRANSFERRED,
        tasks=tasks,
        clocks=clocks.meet(case.clocks, ClockKind.RESPOND, ClockKind.RESOLVE, at=at),
        notice=told,
    )
    return changed, (CaseTransferred(case_id=case.case_id, route=route, authority=authority, transferred_at=at), *removed)


def evaluate_case(case: Case, *, rating: int, by: Actor, at: datetime, now: datetime, comment: str = "") -> Outcome:
    """Records how satisfied the reporter is, 1 to 5. Raises WrongState, RoleNotAllowed, NotReporter."""
    policies.check_case_move(case, "evaluate_case", by)
    policies.check_reporter(case, by)
    policies.check_rating(rating)
    return _evaluated(case, rating, comment, by=by, at=at, now=now)


def lapse_evaluation(case: Case, *, now: datetime) -> Outcome:
    """Ends the time to evaluate a closed case, 7 days after its closing. Raises FailedPrecondition (EVALUATION_OPEN)."""
    if case.state is not CaseState.CLOSED:
        return case, ()
    policies.check_lapsed(case, now=now)
    return _evaluated(case, 0, "", by=SYSTEM, at=now, now=now)


def end_by_itself(case: Case, *, now: datetime) -> Outcome:
    """Ends what has had its time: a suspension, or the days to evaluate. What is not due yet changes nothing."""
    due = case.ends_by_itself_at
    if due is None or due > now:
        return case, ()
    return end_suspension(case, now=now) if case.state is CaseState.SUSPENDED else lapse_evaluation(case, now=now)


def _evaluated(case: Case, rating: int, comment: str, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="evaluate_case",
        by=by,
        at=at,
        now=now,
        remark=f"{rating} {comment}".rstrip(),
        state=CaseState.EVALUATED,
        evaluation=Evaluation(at=at, by=by.subject, rating=rating, comment=comment),
    )
    return changed, (CaseEvaluated(case_id=case.case_id, rating=rating, evaluated_at=at),)


def reopen_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Begins an evaluated case anew, once, because its reporter is dissatisfied with reason: it is dispatched again.

    The tasks so far become `earlier_tasks`, and the limit of the case starts afresh.
    Raises WrongState, RoleNotAllowed, InvalidArgument (reason), FailedPrecondition (REOPENED_BEFORE, NOT_DISSATISFIED).
    """
    policies.check_case_move(case, "reopen_case", by)
    policies.check_text(reason, field="reason")
    policies.check_reopening(case)
    at = flow.moment(case, at)
    limits = routing.case_limits(case.category, case.severity)
    changed = flow.record(
        case,
        verb="reopen_case",
        by=by,
        at=at,
        now=now,
        remark=reason,
        state=CaseState.ACCEPTED,
        accepted_at=at,
        dispatched_at=None,
        handled_at=None,
        closed_at=None,
        tasks=(),
        earlier_tasks=(*case.earlier_tasks, *case.tasks),
        clocks=clocks.restart(case.clocks, ClockKind.RESOLVE, limits.resolve, at=at),
        unified_reply="",
        parties_informed=None,
        verification=None,
        self_handling=None,
        evaluation=None,
        reopenings=case.reopenings + 1,
    )
    return changed, (CaseReopened(case_id=case.case_id, reason=reason, reopened_at=at),)

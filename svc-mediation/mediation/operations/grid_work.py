"""Cases the grid handles itself (网格自行处置), and taking back what went to the wrong place."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, history, policies
from mediation.domain import Actor, Attachment, Case, CaseState, ClockKind, SelfHandling
from mediation.domain.facts import CaseHandled, CaseRecalled, CaseSelfHandled
from mediation.operations import flow
from mediation.operations.flow import Outcome


def handle_case(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Begins to handle an accepted case in the grid, without any department. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "handle_case", by)
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="handle_case",
        by=by,
        at=at,
        now=now,
        state=CaseState.SELF_HANDLED,
        clocks=clocks.meet(case.clocks, ClockKind.RESPOND, at=at),
        self_handling=SelfHandling(by=by.subject, started_at=at),
        handlers=flow.worked_by(case, by),
    )
    return changed, (CaseSelfHandled(case_id=case.case_id, handler=by.subject, started_at=at),)


def report_result(
    case: Case, *, result: str, by: Actor, at: datetime, now: datetime, evidence: tuple[Attachment, ...] = ()
) -> Outcome:
    """Reports what the grid did about a case, with a photograph: it is handled, and somebody else checks it.

    Raises WrongState, RoleNotAllowed, InvalidArgument (result, evidence).
    """
    work = case.self_handling
    if work and case.state is CaseState.REWORK:
        case = replace(case, state=CaseState.SELF_HANDLED)
    policies.check_case_move(case, "report_result", by)
    policies.check_result(result, evidence, by)
    if work is None:
        raise AssertionError("a case the grid handles knows by whom")
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="report_result",
        by=by,
        at=at,
        now=now,
        content=history.content_of(result, evidence),
        state=CaseState.HANDLED,
        handled_at=at,
        clocks=clocks.meet(case.clocks, ClockKind.RESPOND, ClockKind.RESOLVE, at=at),
        self_handling=replace(work, result=result, evidence=evidence, done_at=at),
        handlers=flow.worked_by(case, by),
    )
    return changed, (CaseHandled(case_id=case.case_id, handled_at=at, critical_path=()),)


def recall_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Takes a case back from the one department that has not accepted it, or from the grid, to send it anew.

    Raises WrongState, RoleNotAllowed, InvalidArgument (reason).
    """
    policies.check_case_move(case, "recall_case", by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    tasks, removed = flow.remove_open(case, reason=reason, at=at)
    changed = flow.record(
        case,
        verb="recall_case",
        by=by,
        at=at,
        now=now,
        remark=reason,
        state=CaseState.ACCEPTED,
        tasks=tasks,
        self_handling=None,
    )
    return changed, (CaseRecalled(case_id=case.case_id, reason=reason, recalled_at=at), *removed)

"""Verbs before a case is accepted: drafts of offline devices, back to the reporter for more facts, and withdrawal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from mediation import clocks, history, policies, routing
from mediation.domain import Actor, Attachment, Case, CaseState, Clock, ClockKind, Point, Reporter, Severity
from mediation.domain.facts import CaseResubmitted, CaseReturned, CaseWithdrawn
from mediation.operations import flow
from mediation.operations.cases import CITY_DIGITS, reported
from mediation.operations.flow import Outcome


def draft_case(
    *,
    case_id: str,
    number: str,
    by: Actor,
    at: datetime,
    now: datetime,
    category: str = "",
    description: str = "",
    severity: Severity | None = None,
    source: str = "01",
    point: Point | None = None,
    address: str = "",
    photos: tuple[Attachment, ...] = (),
    reporter_name: str = "",
    reporter_phone: str = "",
    traceparent: str = "",
) -> Outcome:
    """Returns what a device knows so far of a report; nothing has to be there yet, no clock runs, only its author sees it.

    Raises InvalidArgument (category, source) for what is there and wrong.
    """
    if category:
        routing.find(category)
    policies.check_source(source)
    case = Case(
        case_id=case_id,
        number=number,
        state=CaseState.DRAFT,
        category=category,
        severity=severity or _usual_severity(category),
        source=source,
        description=description,
        # In no area, a draft is found by nobody who looks at the cases of one.
        city="",
        area_code="",
        reporter=Reporter(subject=by.subject, name=reporter_name, phone=reporter_phone),
        reported_at=at,
        changed_at=now,
        point=point,
        address=address,
        photos=photos,
        traceparent=traceparent,
    )
    return flow.record(case, verb="draft_case", by=by, at=at, now=now, content=history.reported(case)), ()


def discard_draft(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Throws a draft away: of what it held nothing is kept, not even whose it was, and nobody hears of it.

    Raises WrongState (it was reported already), RoleNotAllowed, NotReporter.
    """
    policies.check_case_move(case, "discard_draft", by)
    policies.check_reporter(case, by)
    changed = flow.record(
        case,
        verb="discard_draft",
        by=by,
        at=flow.moment(case, at),
        now=now,
        state=CaseState.WITHDRAWN,
        category="",
        description="",
        point=None,
        address="",
        photos=(),
        reporter=Reporter(subject=""),
        traceparent="",
    )
    return changed, ()


def _usual_severity(category: str) -> Severity:
    return routing.find(category).severity if category else Severity.S4


def submit_case(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    now: datetime,
    area_code: str = "",
    category: str = "",
    description: str = "",
    severity: Severity | None = None,
    point: Point | None = None,
    address: str = "",
    photos: tuple[Attachment, ...] = (),
) -> Outcome:
    """Reports a draft: what is given takes the place of what the draft holds, photographs are added; the clocks start.

    Raises WrongState, RoleNotAllowed, NotReporter, InvalidArgument (category, description, no place, photos).
    """
    policies.check_case_move(case, "submit_case", by)
    policies.check_reporter(case, by)
    policies.check_photos_fit(case, photos)
    changes = _given(
        category=category, description=description, point=point, address=address, area_code=area_code, severity=severity
    )
    if category and category != case.category and severity is None:
        changes["severity"] = _usual_severity(category)
    complete = replace(case, photos=(*case.photos, *photos), **changes)
    policies.check_report(category=complete.category, source=case.source, has_place=bool(complete.point or complete.area_code))
    policies.check_text(complete.description, field="description", reason="DESCRIPTION_REQUIRED")
    at = flow.moment(case, at)
    submitted = replace(complete, city=complete.area_code[:CITY_DIGITS], reported_at=at, clocks=_first_clocks(complete, at))
    said = history.reported(submitted)
    changed = flow.record(submitted, verb="submit_case", by=by, at=at, now=now, content=said, state=CaseState.REPORTED)
    return changed, (reported(changed, by),)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _first_clocks(case: Case, at: datetime) -> tuple[Clock, ...]:
    limits = routing.case_limits(case.category, case.severity)
    return (
        clocks.start(ClockKind.ACCEPT, limits.accept, at=at),
        clocks.start(ClockKind.RESPOND, limits.respond, at=at),
    )


def send_back_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Sends a report back to its reporter for more facts; work clocks stand still meanwhile. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "send_back_case", by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    still = clocks.pause(case.clocks, at=at)
    changed = flow.record(
        case, verb="send_back_case", by=by, at=at, now=now, remark=reason, state=CaseState.RETURNED, clocks=still
    )
    return changed, (CaseReturned(case_id=case.case_id, reason=reason, returned_at=at),)


def resubmit_case(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    now: datetime,
    description: str = "",
    point: Point | None = None,
    address: str = "",
    photos: tuple[Attachment, ...] = (),
    remark: str = "",
) -> Outcome:
    """Adds the facts that were asked for and reports the case again; its clocks run on.

    Raises WrongState, NotReporter, InvalidArgument (photos; NOTHING_ADDED when there is no new fact).
    """
    policies.check_case_move(case, "resubmit_case", by)
    policies.check_reporter(case, by)
    policies.check_photos_fit(case, photos)
    changes = _given(description=description, point=point, address=address)
    policies.check_text(remark or ("x" if changes or photos else ""), field="description", reason="NOTHING_ADDED")
    at = flow.moment(case, at)
    complete = replace(case, photos=(*case.photos, *photos), **changes)
    changed = flow.record(
        complete,
        verb="resubmit_case",
        by=by,
        at=at,
        now=now,
        remark=remark,
        content=history.reported(complete),
        state=CaseState.REPORTED,
        clocks=clocks.resume(case.clocks, at=at),
    )
    return changed, (CaseResubmitted(case_id=case.case_id, resubmitted_at=at),)


def withdraw_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Takes an accepted case back because its reporter does not pursue it. Raises WrongState, RoleNotAllowed, NotReporter."""
    policies.check_case_move(case, "withdraw_case", by)
    policies.check_reporter(case, by)
    at = flow.moment(case, at)
    over = clocks.drop_running(case.clocks)
    changed = flow.record(
        case, verb="withdraw_case", by=by, at=at, now=now, remark=reason, state=CaseState.WITHDRAWN, clocks=over
    )
    return changed, (CaseWithdrawn(case_id=case.case_id, reason=reason, withdrawn_at=at),)

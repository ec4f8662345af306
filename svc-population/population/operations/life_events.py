"""The verbs on life events."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from msgspec.structs import replace

from population.domain.life_event import (
    LifeEvent,
    LifeEventCompleted,
    LifeEventDropped,
    LifeEventOutcome,
    LifeEventReceived,
    LifeEventReport,
    LifeEventState,
    Subject,
)
from population.domain.verification import Attachment
from population.policies.life_events import (
    ONCE,
    check_assignee,
    check_concerns,
    check_life_event,
    check_report,
    check_withdrawable,
    due_of,
)
from population.policies.requests import CITY_DIGITS, Actor, check_revision, local_day, when
from svckit.errors import FailedPrecondition

_SPACE = uuid.UUID("5b0c8f6a-5a0e-5c29-9f0e-6c7f9a2d1e44")


def life_event_id(report: LifeEventReport, subject: Subject) -> str:
    """Returns the id of what is told: the same for the same event, whoever tells it and however often."""
    city = subject.area_code[:CITY_DIGITS]
    when_ = "" if report.rule in ONCE else report.occurred_on
    return str(uuid.uuid5(_SPACE, f"{city}|{report.rule}|{subject.key}|{when_}|{max(report.ordinal, 1)}"))


def receive(
    event: LifeEvent | None,
    *,
    report: LifeEventReport,
    subject: Subject,
    source: str,
    election_day: date | None = None,
    now: datetime,
) -> tuple[LifeEvent, tuple[LifeEventReceived, ...]]:
    """Takes a life event in; told before, only the source is added.

    Raises as `check_report`, FailedPrecondition (DEPARTED; NO_AREA when nobody knows whose work it is).
    """
    if event is not None:
        known = source in event.sources or event.state is not LifeEventState.OPEN
        return (event if known else replace(event, sources=(*event.sources, source), changed_at=now)), ()
    rule = check_report(report, today=local_day(now))
    check_concerns(rule, subject)
    if not subject.area_code:
        raise FailedPrecondition("Nobody of that number lives here, and no area is named.", reason="NO_AREA")
    outside = not subject.resident_id and rule.subject == "person"
    made = LifeEvent(
        life_event_id=life_event_id(report, subject),
        rule=rule.code,
        state=LifeEventState.OPEN,
        city=subject.area_code[:CITY_DIGITS],
        area_code=subject.area_code,
        resident_id=subject.resident_id,
        house_id=report.house_id,
        uscc=report.uscc,
        occurred_on=report.occurred_on,
        detail=report.detail,
        contact_name=report.contact_name if outside else "",
        address=report.address if outside or rule.subject == "place" else "",
        consent=report.consent,
        sources=(source,),
        task=rule.task,
        assignee_role=rule.assignee_role,
        received_at=now,
        due_at=due_of(rule, now=now, election_day=election_day),
        changed_at=now,
    )
    return made, (_received(made, source, now),)


def complete_life_event(
    event: LifeEvent,
    *,
    outcome: LifeEventOutcome,
    result: str,
    evidence: tuple[Attachment, ...],
    revision: int,
    by: Actor,
    happened_at: datetime | None,
    now: datetime,
) -> tuple[LifeEvent, tuple[LifeEventCompleted, ...]]:
    """Completes the work.

    Raises FailedPrecondition (WRONG_STATE, REVISION_CHANGED), PermissionDenied (OTHER_ROLE), InvalidArgument (time).
    """
    check_assignee(event, by)
    check_revision(revision, event.revision)
    state = check_life_event(event, "complete")
    at = when(happened_at=happened_at, opened_at=event.received_at, by=by, now=now)
    done = replace(
        event,
        state=state,
        outcome=outcome,
        result=result,
        evidence=evidence,
        completed_at=at,
        completed_by=by.subject,
        changed_at=now,
    )
    told = LifeEventCompleted(
        life_event_id=event.life_event_id,
        rule=event.rule,
        area_code=event.area_code,
        outcome=outcome,
        by=by.subject,
        at=at,
        on_time=at <= event.due_at,
    )
    return done, (told,)


def cancel_life_event(event: LifeEvent, *, reason: str, now: datetime) -> tuple[LifeEvent, tuple[LifeEventDropped, ...]]:
    """Takes one back that was told by mistake. Raises FailedPrecondition (WRONG_STATE)."""
    dropped = replace(event, state=check_life_event(event, "cancel"), result=reason, changed_at=now)
    return dropped, (_dropped(dropped, now),)


def withdraw_life_event(event: LifeEvent, *, now: datetime) -> tuple[LifeEvent, tuple[LifeEventDropped, ...]]:
    """The person takes consent back: the work ends, and what was known goes. Raises FailedPrecondition (STATUTORY, WRONG_STATE)."""
    check_withdrawable(event)
    gone = replace(
        event,
        state=check_life_event(event, "withdraw"),
        detail="",
        contact_name="",
        address="",
        consent=None,
        result="",
        evidence=(),
        changed_at=now,
    )
    return gone, (_dropped(gone, now),)


def _received(event: LifeEvent, source: str, now: datetime) -> LifeEventReceived:
    return LifeEventReceived(
        life_event_id=event.life_event_id,
        rule=event.rule,
        area_code=event.area_code,
        source=source,
        assignee_role=event.assignee_role,
        due_at=event.due_at,
        at=now,
    )


def _dropped(event: LifeEvent, now: datetime) -> LifeEventDropped:
    return LifeEventDropped(
        life_event_id=event.life_event_id, rule=event.rule, area_code=event.area_code, state=event.state, at=now
    )

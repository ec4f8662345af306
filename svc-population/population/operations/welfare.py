"""The verbs on houses that are looked after and on their alerts."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.secret import Secret
from population.domain.verification import Attachment
from population.domain.welfare import (
    AlertCause,
    AlertStage,
    AlertStep,
    WelfareAlert,
    WelfareAlertEscalated,
    WelfareAlertOver,
    WelfareAlertRaised,
    WelfareState,
    WelfareWatch,
)
from population.policies.requests import CITY_DIGITS, Actor
from population.policies.welfare import (
    NEXT,
    STEPS_KEPT,
    WITHIN,
    check_absence,
    check_active,
    check_drawn_day,
    check_stage,
)

Done = tuple[WelfareWatch, tuple[WelfareAlertRaised | WelfareAlertEscalated | WelfareAlertOver, ...]]


def start_watch(
    *,
    watch_id: str,
    resident_id: str,
    house_id: str,
    area_code: str,
    consent: Attachment,
    contacts: Secret | None,
    now: datetime,
) -> Done:
    """Begins to look after a house, on written consent."""
    watch = WelfareWatch(
        watch_id=watch_id,
        state=WelfareState.ACTIVE,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        resident_id=resident_id,
        house_id=house_id,
        consent=consent,
        contacts=contacts,
        started_at=now,
        changed_at=now,
    )
    return watch, ()


def end_watch(watch: WelfareWatch, *, by: Actor, now: datetime) -> Done:
    """Ends it; what was heard and said is removed. Raises FailedPrecondition (WRONG_STATE)."""
    check_active(watch)
    ended = replace(
        watch,
        state=WelfareState.ENDED,
        ended_at=now,
        changed_at=now,
        contacts=None,
        away_until="",
        heard_of="",
        alert=None,
        next_turn_at=None,
    )
    open_alert = watch.alert if watch.alert and watch.alert.stage is not AlertStage.OVER else None
    return ended, ((_over(watch, open_alert, by.subject, now),) if open_alert else ())


def note_absence(watch: WelfareWatch, *, away_until: str, now: datetime) -> Done:
    """Notes the last day away, "" for being back. Raises FailedPrecondition (WRONG_STATE), InvalidArgument (date)."""
    check_active(watch)
    check_absence(away_until, now=now)
    return replace(watch, away_until=away_until, changed_at=now), ()


def hear_of_day(watch: WelfareWatch, *, day: str, drawn: bool, alert_id: str, now: datetime) -> Done:
    """Takes whether water was drawn on a day. None drawn raises an alert, unless the person is away, one is open, or the day is
    known to have been followed by another with water. Raises InvalidArgument (DATE_INVALID, DAY_NOT_OVER, TOO_OLD).
    """
    check_drawn_day(day, now=now)
    if watch.state is not WelfareState.ACTIVE or day <= watch.heard_of:
        return watch, ()
    heard = replace(watch, heard_of=day, changed_at=now)
    if drawn or day <= watch.away_until or _is_open(watch):
        return heard, ()
    return _raised(heard, AlertCause.NO_WATER, day, alert_id, now)


def raise_alert(watch: WelfareWatch, *, cause: AlertCause, alert_id: str, now: datetime) -> Done:
    """Raises an alert by hand; an open one stays as it is. Raises FailedPrecondition (WRONG_STATE)."""
    check_active(watch)
    return (watch, ()) if _is_open(watch) else _raised(watch, cause, "", alert_id, now)


def take_step(
    watch: WelfareWatch,
    *,
    stage: AlertStage,
    well: bool,
    result: str,
    evidence: tuple[Attachment, ...],
    by: Actor,
    now: datetime,
) -> Done:
    """Notes what came of a stage: over when the person is well, else the next; help stays until it is over.

    Raises FailedPrecondition (ALERT_OVER, WRONG_STAGE).
    """
    check_stage(watch, stage)
    step = AlertStep(stage=stage, at=now, by=by.subject, well=well, result=result, evidence=evidence)
    assert watch.alert is not None
    alert = replace(watch.alert, steps=(*watch.alert.steps, step)[-STEPS_KEPT:])
    if well:
        told = _over(watch, alert, by.subject, now)
        over = replace(alert, stage=AlertStage.OVER, due_at=None, over_at=now)
        return replace(watch, alert=over, next_turn_at=None, changed_at=now), (told,)
    return _advanced(watch, alert, by_clock=False, now=now)


def turn_alert(watch: WelfareWatch, *, now: datetime) -> Done:
    """Begins the next stage when a clock ran out: nobody called, so somebody goes; nobody went, so help is called."""
    if watch.alert is None or watch.next_turn_at is None or now < watch.next_turn_at:
        return watch, ()
    step = AlertStep(stage=watch.alert.stage, at=now)
    alert = replace(watch.alert, steps=(*watch.alert.steps, step)[-STEPS_KEPT:])
    return _advanced(watch, alert, by_clock=True, now=now)


def _advanced(watch: WelfareWatch, alert: WelfareAlert, *, by_clock: bool, now: datetime) -> Done:
    stage = NEXT.get(alert.stage, alert.stage)
    due_at = now + WITHIN[stage]
    advanced = replace(watch, alert=replace(alert, stage=stage, due_at=due_at), next_turn_at=due_at, changed_at=now)
    told = WelfareAlertEscalated(
        alert_id=alert.alert_id,
        watch_id=watch.watch_id,
        house_id=watch.house_id,
        area_code=watch.area_code,
        stage=stage,
        by_clock=by_clock,
        due_at=due_at,
        at=now,
    )
    return advanced, (told,)


def _raised(watch: WelfareWatch, cause: AlertCause, day: str, alert_id: str, now: datetime) -> Done:
    due_at = now + WITHIN[AlertStage.CALL]
    alert = WelfareAlert(alert_id=alert_id, cause=cause, day=day, stage=AlertStage.CALL, raised_at=now, due_at=due_at)
    told = WelfareAlertRaised(
        alert_id=alert_id,
        watch_id=watch.watch_id,
        house_id=watch.house_id,
        area_code=watch.area_code,
        cause=cause,
        due_at=due_at,
        at=now,
    )
    return replace(watch, alert=alert, next_turn_at=due_at, changed_at=now), (told,)


def _over(watch: WelfareWatch, alert: WelfareAlert, by: str, now: datetime) -> WelfareAlertOver:
    return WelfareAlertOver(
        alert_id=alert.alert_id, watch_id=watch.watch_id, area_code=watch.area_code, stage=alert.stage, by=by, at=now
    )


def _is_open(watch: WelfareWatch) -> bool:
    return watch.alert is not None and watch.alert.stage is not AlertStage.OVER

"""The verbs on alerts. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.audit_alert import AuditAlert, AuditAlertClosed, AuditAlertRaised, AuditAlertState
from population.policies.audit_alerts import Threshold, check_closable
from population.policies.requests import Actor


def alert_id(threshold: Threshold, *, subject: str, last_at: datetime) -> str:
    """Returns the id of an alert: one for an event, a person and a window, so that it is raised once and grows."""
    return f"{threshold.event}|{int(last_at.timestamp()) // threshold.window_seconds}|{subject}"


def raise_alert(
    alert: AuditAlert | None,
    *,
    threshold: Threshold,
    subject: str,
    name: str,
    department: str,
    area_code: str,
    count: int,
    last_at: datetime,
    now: datetime,
) -> tuple[AuditAlert, tuple[AuditAlertRaised, ...]]:
    """Raises an alert; one that was raised counts on, without being told again."""
    if alert is not None:
        if count <= alert.count or alert.state is not AuditAlertState.OPEN:
            return alert, ()
        return replace(alert, count=count, last_at=max(alert.last_at, last_at), changed_at=now), ()
    raised = AuditAlert(
        alert_id=alert_id(threshold, subject=subject, last_at=last_at),
        event=threshold.event,
        subject=subject,
        name=name,
        department=department,
        area_code=area_code,
        state=AuditAlertState.OPEN,
        threshold=threshold.most,
        window_seconds=threshold.window_seconds,
        count=count,
        last_at=last_at,
        raised_at=now,
        changed_at=now,
        review_by=last_at + threshold.review if threshold.review else None,
    )
    told = AuditAlertRaised(
        alert_id=raised.alert_id,
        event=raised.event,
        subject=subject,
        area_code=area_code,
        count=count,
        threshold=threshold.most,
        at=now,
    )
    return raised, (told,)


def close_alert(
    alert: AuditAlert, *, finding: str, by: Actor, now: datetime
) -> tuple[AuditAlert, tuple[AuditAlertClosed, ...]]:
    """Closes an alert with what was found. Raises FailedPrecondition (WRONG_STATE), PermissionDenied (OWN_ALERT)."""
    state = check_closable(alert, by)
    closed = replace(alert, state=state, finding=finding, closed_by=by.subject, closed_at=now, changed_at=now)
    told = AuditAlertClosed(
        alert_id=alert.alert_id, event=alert.event, subject=alert.subject, area_code=alert.area_code, by=by.subject, at=now
    )
    return closed, (told,)

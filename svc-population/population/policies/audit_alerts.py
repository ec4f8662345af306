"""When the audit trail alerts: the column `alert` of audit_event.csv, and who closes what."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import timedelta

import msgspec

from population.codes import rows_of
from population.domain.audit_alert import AuditAlert, AuditAlertState
from population.policies.requests import Actor
from svckit.errors import FailedPrecondition, PermissionDenied

ALERT_TRANSITIONS: dict[str, tuple[frozenset[AuditAlertState | None], AuditAlertState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "raise": (frozenset({None}), AuditAlertState.OPEN),
    "close": (frozenset({AuditAlertState.OPEN}), AuditAlertState.CLOSED),
}
_HOUR, _DAY = 3_600, 86_400
_OFTEN = re.compile(r"^>(\d+)次/(小时|日)$")
_ROWS = re.compile(r"^>(\d+)行")
_REVIEWED = re.compile(r"^立即\+事后(\d+)h复核$")
_AT_ONCE = "立即"


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """More than `most` within `window_seconds` alert: entries, or people in them (`people`); `review` is how soon it is looked into."""

    event: str
    most: int
    window_seconds: int
    people: bool = False
    review: timedelta | None = None


@functools.cache
def thresholds() -> Mapping[str, Threshold]:
    """Returns the thresholds by event. Events without one, and those other services count (logins, quotas), are not there."""
    found = (_threshold(row["code"], row["alert"]) for row in rows_of("audit_event"))
    return {one.event: one for one in found if one is not None}


def _threshold(event: str, alert: str) -> Threshold | None:
    if often := _OFTEN.match(alert):
        return Threshold(event=event, most=int(often[1]), window_seconds=_HOUR if often[2] == "小时" else _DAY)
    if rows := _ROWS.match(alert):
        # Page by page is not less than at once: what one person lists within an hour counts together.
        return Threshold(event=event, most=int(rows[1]), window_seconds=_HOUR, people=True)
    if reviewed := _REVIEWED.match(alert):
        return Threshold(event=event, most=0, window_seconds=_HOUR, review=timedelta(hours=int(reviewed[1])))
    return Threshold(event=event, most=0, window_seconds=_HOUR) if alert == _AT_ONCE else None


def check_closable(alert: AuditAlert, by: Actor) -> AuditAlertState:
    """Returns the state closing leads to. Raises FailedPrecondition (WRONG_STATE), PermissionDenied (OWN_ALERT)."""
    sources, target = ALERT_TRANSITIONS["close"]
    if alert.state not in sources:
        raise FailedPrecondition("Somebody has looked into it already.", reason="WRONG_STATE", metadata={"state": alert.state})
    if alert.subject == by.subject:
        raise PermissionDenied("Nobody looks into what they did themselves.", reason="OWN_ALERT")
    return target

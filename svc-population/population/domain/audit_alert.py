"""Alerts: what somebody did so often, or at all, that the person responsible for data protection has to look into it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class AuditAlertState(StrEnum):
    """Whether somebody has looked into it."""

    OPEN = "open"
    CLOSED = "closed"


class AuditAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert. `event` is a code of audit_event.csv, `area_code` the area its subject may act in.

    `review_by` is set where a limit runs.
    """

    alert_id: str
    event: str
    subject: str
    state: AuditAlertState
    area_code: str
    threshold: int
    window_seconds: int
    count: int
    last_at: datetime
    raised_at: datetime
    changed_at: datetime
    name: str = ""
    department: str = ""
    review_by: datetime | None = None
    finding: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    revision: int = 0


class AuditAlertRaised(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody has to look into what somebody did."""

    alert_id: str
    event: str
    subject: str
    area_code: str
    count: int
    threshold: int
    at: datetime


class AuditAlertClosed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody looked into it."""

    alert_id: str
    event: str
    subject: str
    area_code: str
    by: str
    at: datetime

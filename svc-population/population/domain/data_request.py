"""Requests of people about their own data, and what they had marked. Pure data."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class DataRequestState(StrEnum):
    """Where a request stands."""

    SUBMITTED = "submitted"
    GRANTED = "granted"
    REFUSED = "refused"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class DataDecision(StrEnum):
    """What was decided."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


class Requester(StrEnum):
    """Who asks."""

    SELF = "self"
    GUARDIAN = "guardian"
    RELATIVE = "relative"
    AGENT = "agent"


class RetentionDuty(msgspec.Struct, frozen=True, kw_only=True):
    """A duty to keep data (retention.yaml); `until` is the last day, "" while its cause lasts."""

    duty: str
    law: str
    until: str = ""


class DataRequestDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to submit a request."""

    kind: str
    requester: Requester
    details: str = ""
    fields: tuple[str, ...] = ()


class DataRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `kind` is a code of dsr_type.csv; `remind_at` is the timer of the deadline, None once it is answered or passed."""

    data_request_id: str
    city: str
    area_code: str
    resident_id: str
    kind: str
    requester: Requester
    state: DataRequestState
    submitted_at: datetime
    submitted_by: str
    due_at: datetime
    changed_at: datetime
    details: str = ""
    fields: tuple[str, ...] = ()
    extended: bool = False
    decision: DataDecision | None = None
    reason: str = ""
    decided_at: datetime | None = None
    decided_by: str = ""
    duties: tuple[RetentionDuty, ...] = ()
    done: str = ""
    completed_at: datetime | None = None
    online: bool = False
    remind_at: datetime | None = None
    revision: int = 0


class PrivacyMarks(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a person's data: restricted wholly, fields in dispute, erased. The id is the resident's."""

    resident_id: str
    area_code: str
    changed_at: datetime
    restricted: bool = False
    reason: str = ""
    disputed: tuple[str, ...] = ()
    erased_at: datetime | None = None
    revision: int = 0


# ------------------------------------------------------------------------------------------------- events: ids and areas only


class DataRequestSubmitted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person asked something about their own data."""

    data_request_id: str
    resident_id: str
    area_code: str
    kind: str
    due_at: datetime
    at: datetime


class DataRequestDecided(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A request was decided."""

    data_request_id: str
    resident_id: str
    area_code: str
    kind: str
    decision: str
    at: datetime


class DataRequestCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A request was carried out."""

    data_request_id: str
    resident_id: str
    area_code: str
    kind: str
    restricted: bool
    erased: bool
    at: datetime


class DataRequestOverdue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The deadline of a request passed without an answer."""

    data_request_id: str
    resident_id: str
    area_code: str
    kind: str
    due_at: datetime
    at: datetime


class ResidentErased(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person was made anonymous in the register."""

    resident_id: str
    area_code: str
    cause: str
    at: datetime

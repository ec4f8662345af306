"""Life events and the work each makes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from population.domain.standing import Aside, ResidentStatus
from population.domain.verification import Attachment


class LifeEventState(StrEnum):
    """Where the work stands."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class LifeEventOutcome(StrEnum):
    """What came of going."""

    SERVED = "served"
    NOT_SO = "not_so"
    NOT_FOUND = "not_found"
    DECLINED = "declined"


class Consent(StrEnum):
    """What makes something lawful."""

    GIVEN = "given"
    WRITTEN = "written"
    STATUTORY = "statutory"
    INFORMED = "informed"


class LifeEventReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a life event, in clear text; the identity number only serves to find the person."""

    rule: str
    occurred_on: str
    resident_id: str = ""
    id_number: str = ""
    house_id: str = ""
    uscc: str = ""
    area_code: str = ""
    detail: str = ""
    ordinal: int = 0
    contact_name: str = ""
    address: str = ""
    consent: Consent | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a life event concerns, once looked for: `key` is equal for the same one, `resident_id` "" for nobody in the register.

    `status` tells why somebody of the register is not here any more.
    """

    key: str
    area_code: str
    resident_id: str = ""
    status: ResidentStatus | None = None


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A life event and its work order."""

    life_event_id: str
    rule: str
    state: LifeEventState
    city: str
    area_code: str
    occurred_on: str
    sources: tuple[str, ...]
    task: str
    assignee_role: str
    received_at: datetime
    due_at: datetime
    changed_at: datetime
    resident_id: str = ""
    house_id: str = ""
    uscc: str = ""
    detail: str = ""
    contact_name: str = ""
    address: str = ""
    consent: Consent | None = None
    outcome: LifeEventOutcome | None = None
    result: str = ""
    evidence: tuple[Attachment, ...] = ()
    completed_at: datetime | None = None
    completed_by: str = ""
    entered_for: str = ""
    set_aside: Aside | None = None
    revision: int = 0


class LifeEventReceived(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A life event makes work."""

    life_event_id: str
    rule: str
    area_code: str
    source: str
    assignee_role: str
    due_at: datetime
    at: datetime


class LifeEventCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The work was done."""

    life_event_id: str
    rule: str
    area_code: str
    outcome: LifeEventOutcome
    by: str
    at: datetime
    on_time: bool


class LifeEventDropped(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The work has no purpose any more."""

    life_event_id: str
    rule: str
    area_code: str
    state: LifeEventState
    at: datetime

"""The care register, and the visits that are planned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from population.domain.life_event import Consent
from population.domain.standing import Aside
from population.domain.verification import Attachment


class CareState(StrEnum):
    """Whether somebody is cared for."""

    ACTIVE = "active"
    ENDED = "ended"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class VisitPlanState(StrEnum):
    """Whether visits are planned."""

    ACTIVE = "active"
    ENDED = "ended"


class CareEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A person on the register for one category; `expires_at` is the timer: the end of the last day it holds, None when over.

    `entered_for` is the entry it was made for when that one was merged into `resident_id`, `set_aside` why it ended by itself; so in
    all that follows people.
    """

    care_id: str
    resident_id: str
    category: str
    state: CareState
    city: str
    area_code: str
    consent: Consent
    responsible_role: str
    cadence_days: int
    expires_on: str
    entered_by: str
    entered_at: datetime
    changed_at: datetime
    expires_at: datetime | None = None
    basis: str = ""
    ended_at: datetime | None = None
    end_reason: str = ""
    entered_for: str = ""
    set_aside: Aside | None = None
    revision: int = 0


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that was made."""

    at: datetime
    by: str
    on_time: bool
    notes: str = ""
    nothing_to_report: bool = False
    evidence: tuple[Attachment, ...] = ()


class VisitPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Visits to a person, or rounds through a grid, once in every period; `next_turn_at` is the timer: the end of the period."""

    plan_id: str
    state: VisitPlanState
    city: str
    area_code: str
    responsible_role: str
    cadence_days: int
    period_start: datetime
    due_at: datetime
    changed_at: datetime
    next_turn_at: datetime | None = None
    rule: str = ""
    resident_id: str = ""
    visited: bool = False
    kept: int = 0
    missed: int = 0
    visits: tuple[Visit, ...] = ()
    entered_for: str = ""
    set_aside: Aside | None = None
    revision: int = 0


class CareEntered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody is on the register; for what, stands there only."""

    care_id: str
    area_code: str
    at: datetime


class CareLeft(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entry holds no more."""

    care_id: str
    area_code: str
    state: CareState
    at: datetime


class VisitPlanned(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A period began."""

    plan_id: str
    rule: str
    area_code: str
    responsible_role: str
    period_start: datetime
    due_at: datetime


class VisitMade(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A visit was made; `first` of its period counts."""

    plan_id: str
    rule: str
    area_code: str
    by: str
    at: datetime
    first: bool
    period_start: datetime


class VisitMissed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A period ended without a visit."""

    plan_id: str
    rule: str
    area_code: str
    responsible_role: str
    period_start: datetime
    due_at: datetime

"""Houses that are looked after because somebody asked for it in writing, and their alerts. Never how much water: drawn or not."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from population.domain.secret import Secret
from population.domain.standing import Aside
from population.domain.verification import Attachment


class WelfareState(StrEnum):
    """Whether a house is looked after."""

    ACTIVE = "active"
    ENDED = "ended"


class AlertStage(StrEnum):
    """What is to be done."""

    CALL = "call"
    VISIT = "visit"
    HELP = "help"
    OVER = "over"


class AlertCause(StrEnum):
    """Why."""

    NO_WATER = "no_water"
    BUTTON = "button"
    NO_ANSWER = "no_answer"


class AlertStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an alert; `by` "" when a clock ran out."""

    stage: AlertStage
    at: datetime
    by: str = ""
    well: bool = False
    result: str = ""
    evidence: tuple[Attachment, ...] = ()


class WelfareAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert."""

    alert_id: str
    cause: AlertCause
    stage: AlertStage
    raised_at: datetime
    due_at: datetime | None = None
    day: str = ""
    steps: tuple[AlertStep, ...] = ()
    over_at: datetime | None = None


class WelfareWatch(msgspec.Struct, frozen=True, kw_only=True):
    """A house that is looked after; `next_turn_at` is the timer: when the present stage of the alert has to be done."""

    watch_id: str
    state: WelfareState
    city: str
    area_code: str
    resident_id: str
    house_id: str
    started_at: datetime
    changed_at: datetime
    consent: Attachment | None = None
    contacts: Secret | None = None
    away_until: str = ""
    heard_of: str = ""
    alert: WelfareAlert | None = None
    next_turn_at: datetime | None = None
    ended_at: datetime | None = None
    entered_for: str = ""
    set_aside: Aside | None = None
    revision: int = 0


class WelfareAlertRaised(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody may need help."""

    alert_id: str
    watch_id: str
    house_id: str
    area_code: str
    cause: AlertCause
    due_at: datetime
    at: datetime


class WelfareAlertEscalated(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The next stage began."""

    alert_id: str
    watch_id: str
    house_id: str
    area_code: str
    stage: AlertStage
    by_clock: bool
    due_at: datetime
    at: datetime


class WelfareAlertOver(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """It is over."""

    alert_id: str
    watch_id: str
    area_code: str
    stage: AlertStage
    by: str
    at: datetime

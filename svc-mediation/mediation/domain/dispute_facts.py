"""The facts a dispute leaves behind, one struct for each message of `events.proto`. Nobody's name or contact is in them."""

from __future__ import annotations

from datetime import datetime

from mediation.domain.dispute import AgreementStatus, PoliceGround, ReminderKind
from mediation.domain.facts import Fact
from mediation.domain.states import Light


class DisputeFact(Fact, frozen=True, kw_only=True, rename="camel"):
    """What all facts about a dispute have."""

    dispute_id: str


class DisputeOpened(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """Somebody applied for mediation."""

    category: str
    city: str
    area_code: str
    opened_at: datetime


class MediationBegun(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """All parties agreed to be mediated, and by whom."""

    mediator: str
    begun_at: datetime
    due_at: datetime


class MediatorRecused(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """A mediator stepped back."""

    mediator: str
    substitute: str
    recused_at: datetime


class SessionHeld(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """A session was held."""

    session_id: str
    held_at: datetime


class PoliceInformed(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The police has to know of this dispute, or knows already."""

    # None: violence at home, of which nobody is told who need not act.
    ground: PoliceGround | None
    area_code: str
    informed_at: datetime


class AgreementReached(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """An agreement took effect."""

    number: str
    oral: bool
    effective_at: datetime


class AgreementChanged(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """An agreement went on to another status."""

    number: str
    status: AgreementStatus
    changed_at: datetime


class MediationEnded(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The mediation ended without an agreement; `result` is a code of mediation_result.csv."""

    result: str
    resolved: bool
    ended_at: datetime


class RemediesNotified(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The parties know what other ways are open to them."""

    notified_at: datetime


class VisitMade(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """A visit after the agreement was made."""

    kind: ReminderKind
    performed: bool
    visited_at: datetime


class DisputeClosed(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The agreement came to its end and every visit was made."""

    closed_at: datetime


class MediationLightTurned(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The clock of a mediation turned yellow or red."""

    light: Light
    due_at: datetime
    mediator: str


class MediationReminderDue(DisputeFact, frozen=True, kw_only=True, rename="camel"):
    """The mediator has something to do."""

    kind: ReminderKind
    due_at: datetime
    mediator: str

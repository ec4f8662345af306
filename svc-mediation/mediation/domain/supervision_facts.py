"""The facts of escalation and supervision, one struct for each message of `events.proto` with the same fields."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mediation.domain.facts import Fact
from mediation.domain.states import CaseLevel, Light, Severity
from mediation.domain.supervision import OrderCause, ReplyStance


class LateTask(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An open task whose light is red."""

    task_id: str
    department: str
    due_at: datetime | None = None


class CaseEscalated(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case climbed to a higher level; its tasks stay where they are."""

    number: str
    city: str
    area_code: str
    category: str
    severity: Severity
    from_level: CaseLevel
    to_level: CaseLevel
    role: str
    level_area: str
    by_hand: bool
    reason: str
    escalated_by: str
    escalated_at: datetime
    due_at: datetime | None = None
    late_tasks: tuple[LateTask, ...] = ()


class OrderFact(Fact, frozen=True, kw_only=True, rename="camel"):
    """What all facts about one order have."""

    order_id: str
    department: str
    task_id: str
    area_code: str


class SupervisionIssued(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """An order was issued."""

    case_number: str
    city: str
    category: str
    severity: Severity
    level: CaseLevel
    cause: OrderCause
    demand: str
    due_at: datetime
    issued_at: datetime
    issued_by: str


class SupervisionReplied(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """A department replied; `reason` only where it refuses."""

    stance: ReplyStance
    on_time: bool
    replied_at: datetime
    replied_by: str
    reason: str = ""


class SupervisionExtensionAsked(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """A department asked for more time."""

    minutes: int
    reason: str
    asked_at: datetime


class SupervisionExtensionDecided(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """The extension was granted or refused; `due_at` is when the reply is due now."""

    granted: bool
    reason: str
    due_at: datetime
    decided_at: datetime
    decided_by: str


class SupervisionReplyAccepted(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """The reply was accepted."""

    accepted_at: datetime
    accepted_by: str


class SupervisionReplyRefused(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """The reply was refused: another one is due."""

    reason: str
    due_at: datetime
    refused_at: datetime
    refused_by: str


class SupervisionLightTurned(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """The light of an order turned."""

    light: Light
    due_at: datetime
    since: datetime


class SupervisionOverdue(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """A reply is overdue, and the order climbed if there is a higher level."""

    case_number: str
    level: CaseLevel
    role: str
    level_area: str
    raises: int
    due_at: datetime
    overdue_at: datetime


class SupervisionWithdrawn(OrderFact, frozen=True, kw_only=True, rename="camel"):
    """An order was withdrawn; `settled`: because the case was over."""

    reason: str
    settled: bool
    withdrawn_at: datetime
    withdrawn_by: str

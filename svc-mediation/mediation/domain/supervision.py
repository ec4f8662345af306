"""The supervision order (督办单): an aggregate of its own, about a case or one task of it; its states and the table of who moves it.

The structs hold what `binglian.mediation.v1.supervision` shows, plus two fields of our own: `next_turn_at` for the timer and `open`,
by which a department has one open order about one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from mediation.domain.case import Attachment, Clock, F
from mediation.domain.discretion import PROTECTED_CATEGORY, discreet
from mediation.domain.states import CaseLevel, ClockKind, Light, Severity
from mediation.domain.workflow import COORDINATORS, DEPARTMENT, SYSTEM, Transition


class OrderState(StrEnum):
    """Where an order stands."""

    ISSUED = "issued"
    EXTENSION_ASKED = "extension_asked"
    REPLIED = "replied"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class OrderCause(StrEnum):
    """Why an order was issued."""

    MANUAL = "manual"
    ESCALATION = "escalation"


class ReplyStance(StrEnum):
    """What a department says in its reply; DECLINED is its refusal, with the reason in the text."""

    COMPLIED = "complied"
    UNDERWAY = "underway"
    DECLINED = "declined"


class OrderReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply and the ruling on it (`ruled_at` is None until then)."""

    at: datetime
    by: str
    stance: ReplyStance
    text: str
    attachments: tuple[Attachment, ...] = ()
    on_time: bool = False
    accepted: bool = False
    ruled_at: datetime | None = None
    ruled_by: str = ""
    ruling_reason: str = ""


class OrderExtension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The one extension of an order, `minutes` on the calendar of its clock (`decided_at` is None until somebody has decided)."""

    at: datetime
    by: str
    minutes: int
    reason: str
    granted: bool = False
    decided_at: datetime | None = None
    decided_by: str = ""
    decision_reason: str = ""


class OrderStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the order's diary; `state` and `level` are those afterwards."""

    at: datetime
    by: str
    verb: str
    state: OrderState
    level: CaseLevel
    remark: str = ""


class SupervisionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything that happened to it. `overdue_at` is the due time of the first reply that was late.

    `raise_at` is when it climbs unless a reply comes; None when it does not. `revision` belongs to the store.
    """

    order_id: str
    case_id: str
    case_number: str
    city: str
    area_code: str
    category: str
    severity: Severity
    department: str
    level: CaseLevel
    state: OrderState
    cause: OrderCause
    demand: str
    issued_at: datetime
    issued_by: str
    changed_at: datetime
    clock: Clock
    task_id: str = ""
    light: Light = Light.UNSPECIFIED
    overdue_at: datetime | None = None
    raises: int = 0
    raise_at: datetime | None = None
    replies: tuple[OrderReply, ...] = ()
    extension: OrderExtension | None = None
    steps: tuple[OrderStep, ...] = ()
    revision: int = 0
    next_turn_at: datetime | None = None
    open: bool = True

    def published(self, facts: Sequence[F]) -> Sequence[F]:
        """Returns what the store publishes of facts about this order."""
        return discreet(facts) if self.category == PROTECTED_CATEGORY else facts


_S = OrderState
# Somebody owes a reply.
AWAITING_REPLY = frozenset({_S.ISSUED, _S.EXTENSION_ASKED, _S.RETURNED})
OPEN_ORDER_STATES = AWAITING_REPLY | {_S.REPLIED}

ORDER_TRANSITIONS: tuple[Transition, ...] = (
    Transition("ask_extension", _S.ISSUED, _S.EXTENSION_ASKED, DEPARTMENT, "once; before it is due; at most 50 % of the limit"),
    Transition("decide_extension", _S.EXTENSION_ASKED, _S.ISSUED, COORDINATORS, "of the order's level or above; reason"),
    Transition("reply_order", _S.ISSUED, _S.REPLIED, DEPARTMENT, "the department of the order", ClockKind.RESPOND),
    Transition("reply_order", _S.EXTENSION_ASKED, _S.REPLIED, DEPARTMENT, "the department of the order", ClockKind.RESPOND),
    Transition("reply_order", _S.RETURNED, _S.REPLIED, DEPARTMENT, "the department of the order", ClockKind.RESPOND),
    Transition("accept_reply", _S.REPLIED, _S.ACCEPTED, COORDINATORS, "of the order's level or above; not who replied"),
    Transition("refuse_reply", _S.REPLIED, _S.RETURNED, COORDINATORS, "reason; the limit is counted anew"),
    Transition("raise_order", _S.ISSUED, _S.ISSUED, SYSTEM, "reply overdue: the next level answers for it"),
    Transition("raise_order", _S.RETURNED, _S.RETURNED, SYSTEM, "reply overdue: the next level answers for it"),
    Transition("lift_order", _S.ISSUED, _S.ISSUED, SYSTEM, "the case climbed: the level goes with it"),
    Transition("lift_order", _S.EXTENSION_ASKED, _S.EXTENSION_ASKED, SYSTEM, "the case climbed: the level goes with it"),
    Transition("lift_order", _S.REPLIED, _S.REPLIED, SYSTEM, "the case climbed: the level goes with it"),
    Transition("lift_order", _S.RETURNED, _S.RETURNED, SYSTEM, "the case climbed: the level goes with it"),
    Transition("withdraw_order", _S.ISSUED, _S.WITHDRAWN, COORDINATORS, "of the order's level or above; reason"),
    Transition("withdraw_order", _S.EXTENSION_ASKED, _S.WITHDRAWN, COORDINATORS, "of the order's level or above; reason"),
    Transition("withdraw_order", _S.REPLIED, _S.WITHDRAWN, COORDINATORS, "of the order's level or above; reason"),
    Transition("withdraw_order", _S.RETURNED, _S.WITHDRAWN, COORDINATORS, "of the order's level or above; reason"),
    Transition("settle_order", _S.ISSUED, _S.WITHDRAWN, SYSTEM, "the case is over, or the task another's"),
    Transition("settle_order", _S.EXTENSION_ASKED, _S.WITHDRAWN, SYSTEM, "the case is over, or the task another's"),
    Transition("settle_order", _S.REPLIED, _S.WITHDRAWN, SYSTEM, "the case is over, or the task another's"),
    Transition("settle_order", _S.RETURNED, _S.WITHDRAWN, SYSTEM, "the case is over, or the task another's"),
)

# Rows by (verb, source state): what the operations look up.
ORDER_MOVES = {(row.verb, row.source): row for row in ORDER_TRANSITIONS}

_C = CaseLevel
_GRID = frozenset({"GRID_WORKER", "GRID_MEDIATOR"})
# The ladder of case_level.csv. Climbing changes neither the state of the case nor any task; a test holds it equal to the table.
LADDER: tuple[Transition, ...] = (
    Transition("escalate_case", _C.L1, _C.L2, _GRID | COORDINATORS, "by hand, or 1 working day at the grid"),
    Transition("escalate_case", _C.L2, _C.L3, COORDINATORS, "by hand, or 3 working days at the community"),
    Transition(
        "escalate_case", _C.L3, _C.L4, frozenset({"STREET_CENTER", "DISPATCHER"}), "by hand, or 5 working days at the street"
    ),
    Transition("escalate_case", _C.L4, _C.L5, frozenset({"DISPATCHER"}), "by hand, or 10 working days at the district"),
)

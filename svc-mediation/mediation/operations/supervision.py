"""Verbs on a supervision order: order + command + who + when → changed order with its facts, or a named error. Pure.

An order never moves a task: it makes the department that holds it answer, in writing, to somebody of the order's level.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from mediation import clocks, ladder
from mediation.domain import Actor, Attachment, Case, CaseLevel, ClockKind, Light, Limit
from mediation.domain.facts import Fact
from mediation.domain.supervision import (
    AWAITING_REPLY,
    OPEN_ORDER_STATES,
    OrderCause,
    OrderExtension,
    OrderReply,
    OrderState,
    OrderStep,
    ReplyStance,
    SupervisionOrder,
)
from mediation.domain.supervision_facts import (
    SupervisionExtensionAsked,
    SupervisionExtensionDecided,
    SupervisionIssued,
    SupervisionLightTurned,
    SupervisionOverdue,
    SupervisionReplied,
    SupervisionReplyAccepted,
    SupervisionReplyRefused,
    SupervisionWithdrawn,
)
from mediation.operations.escalating import SYSTEM
from mediation.policies import supervision as policies

OrderOutcome = tuple[SupervisionOrder, tuple[Fact, ...]]
RAISED = "reply overdue"
SETTLED = "the case is over, or the department was relieved of the task"
_MILLISECOND = timedelta(milliseconds=1)
_LEVELS = tuple(CaseLevel)


def issue_order(
    case: Case,
    *,
    order_id: str,
    demand: str,
    by: Actor,
    now: datetime,
    task_id: str = "",
    department: str = "",
    reply_minutes: int = 0,
    cause: OrderCause = OrderCause.MANUAL,
    level: CaseLevel = CaseLevel.UNSPECIFIED,
) -> OrderOutcome:
    """Returns a new order about a task, or about the case as a whole; its level is the issuer's unless one is given.

    Raises WrongState, TaskNotFound, InvalidArgument (department, reply_minutes), OwnAffair.
    """
    task = policies.check_issue(case, task_id=task_id, department=department, by=by)
    policies.check_reply_minutes(reply_minutes)
    clock = clocks.start(ClockKind.RESPOND, ladder.reply_limit(case.severity, reply_minutes), at=now)
    order = SupervisionOrder(
        order_id=order_id,
        case_id=case.case_id,
        case_number=case.number,
        task_id=task_id,
        city=case.city,
        area_code=case.area_code,
        category=case.category,
        severity=case.severity,
        department=task.department if task else department,
        level=level if ladder.rank(level) else _level_of(case, by),
        state=OrderState.ISSUED,
        cause=cause,
        demand=demand,
        issued_at=now,
        issued_by=by.subject,
        changed_at=now,
        clock=clock,
        raise_at=clock.due_at,
    )
    return _record(order, "issue_order", by=by, at=now, now=now, remark=demand), (_issued(order),)


def _level_of(case: Case, by: Actor) -> CaseLevel:
    """The issuer's own level; an import speaks for the level that answers for the case."""
    return _LEVELS[ladder.rank_of(by)] if ladder.rank_of(by) else case.level


def _issued(order: SupervisionOrder) -> SupervisionIssued:
    return SupervisionIssued(
        **_about(order),
        case_number=order.case_number,
        city=order.city,
        category=order.category,
        severity=order.severity,
        level=order.level,
        cause=order.cause,
        demand=order.demand,
        due_at=order.clock.due_at,
        issued_at=order.issued_at,
        issued_by=order.issued_by,
    )


def reply_order(
    order: SupervisionOrder,
    *,
    stance: ReplyStance,
    text: str,
    by: Actor,
    now: datetime,
    attachments: tuple[Attachment, ...] = (),
) -> OrderOutcome:
    """Replies for the department; the clock stops. A refusal (DECLINED) is a reply like any other: it waits for the ruling.

    Raises WrongState, RoleNotAllowed, PermissionDenied (OTHER_DEPARTMENT), FailedPrecondition (TOO_MANY_REPLIES).
    """
    policies.check_order_move(order, "reply_order", by)
    policies.check_respondent(order, by)
    policies.check_rounds(order)
    at = _moment(order, now)
    order, facts = turn_order(order, now=at)
    (clock,) = clocks.meet((order.clock,), ClockKind.RESPOND, at=at)
    on_time = clocks.is_on_time((clock,), ClockKind.RESPOND)
    reply = OrderReply(at=at, by=by.subject, stance=stance, text=text, attachments=attachments, on_time=on_time)
    fact = SupervisionReplied(
        **_about(order),
        stance=stance,
        on_time=on_time,
        replied_at=at,
        replied_by=by.subject,
        reason=text if stance is ReplyStance.DECLINED else "",
    )
    changes = {"state": OrderState.REPLIED, "clock": clock, "raise_at": None, "replies": (*order.replies, reply)}
    return _record(order, "reply_order", by=by, at=at, now=now, remark=text, **changes), (*facts, fact)


def ask_extension(order: SupervisionOrder, *, minutes: int, reason: str, by: Actor, now: datetime) -> OrderOutcome:
    """Asks for more time, once. The clock runs on, but nobody counts the reply as overdue before the decision.

    Raises as reply_order, FailedPrecondition (EXTENSION_USED, EXTENSION_LATE), InvalidArgument (minutes).
    """
    policies.check_respondent(order, by)
    policies.check_order_move(order, "ask_extension", by)
    at = _moment(order, now)
    policies.check_extension(order, minutes=minutes, at=at)
    order, facts = turn_order(order, now=at)
    extension = OrderExtension(at=at, by=by.subject, minutes=minutes, reason=reason)
    fact = SupervisionExtensionAsked(**_about(order), minutes=minutes, reason=reason, asked_at=at)
    changes = {"state": OrderState.EXTENSION_ASKED, "extension": extension}
    return _record(order, "ask_extension", by=by, at=at, now=now, remark=reason, **changes), (*facts, fact)


def decide_extension(order: SupervisionOrder, *, granted: bool, reason: str, by: Actor, now: datetime) -> OrderOutcome:
    """Grants the extension or refuses it; refused after the reply was due, the order is overdue since then.

    Raises WrongState, RoleNotAllowed, NotYourLevel, OwnAffair.
    """
    policies.check_order_move(order, "decide_extension", by)
    policies.check_overseer(order, by)
    asked = _asked(order)
    at = _moment(order, now)
    decided = replace(asked, granted=granted, decided_at=at, decided_by=by.subject, decision_reason=reason)
    clock = order.clock
    if granted:
        (clock,) = clocks.extend((clock,), ClockKind.RESPOND, minutes=asked.minutes, at=at)
    changes = {"state": OrderState.ISSUED, "clock": clock, "raise_at": clock.due_at, "extension": decided}
    changed = _record(order, "decide_extension", by=by, at=at, now=now, remark=reason, **changes)
    fact = SupervisionExtensionDecided(
        **_about(order),
        granted=granted,
        reason=reason,
        due_at=clock.due_at,
        decided_at=at,
        decided_by=by.subject,
    )
    changed, facts = turn_order(changed, now=now)
    return changed, (fact, *facts)


def _asked(order: SupervisionOrder) -> OrderExtension:
    if order.extension is None:
        raise AssertionError("an extension is asked for before it is decided")
    return order.extension


def accept_reply(order: SupervisionOrder, *, by: Actor, now: datetime, remark: str = "") -> OrderOutcome:
    """Accepts the reply: the order is done with. Raises as decide_extension."""
    policies.check_order_move(order, "accept_reply", by)
    policies.check_overseer(order, by)
    at = _moment(order, now)
    changes = {"state": OrderState.ACCEPTED, "replies": _ruled(order, accepted=True, reason=remark, by=by, at=at)}
    fact = SupervisionReplyAccepted(**_about(order), accepted_at=at, accepted_by=by.subject)
    return _record(order, "accept_reply", by=by, at=at, now=now, remark=remark, **changes), (fact,)


def refuse_reply(order: SupervisionOrder, *, reason: str, by: Actor, now: datetime) -> OrderOutcome:
    """Refuses the reply: another one is due within the limit, counted anew without the extension. Raises as decide_extension."""
    policies.check_order_move(order, "refuse_reply", by)
    policies.check_overseer(order, by)
    at = _moment(order, now)
    (clock,) = clocks.restart((order.clock,), ClockKind.RESPOND, _limit_of(order), at=at)
    changes = {
        "state": OrderState.RETURNED,
        "clock": clock,
        "raise_at": clock.due_at,
        "replies": _ruled(order, accepted=False, reason=reason, by=by, at=at),
    }
    fact = SupervisionReplyRefused(**_about(order), reason=reason, due_at=clock.due_at, refused_at=at, refused_by=by.subject)
    return _record(order, "refuse_reply", by=by, at=at, now=now, remark=reason, **changes), (fact,)


def _ruled(order: SupervisionOrder, *, accepted: bool, reason: str, by: Actor, at: datetime) -> tuple[OrderReply, ...]:
    last = replace(order.replies[-1], accepted=accepted, ruled_at=at, ruled_by=by.subject, ruling_reason=reason)
    return (*order.replies[:-1], last)


def _limit_of(order: SupervisionOrder) -> Limit:
    clock = order.clock
    extended = order.extension.minutes if order.extension and order.extension.granted and len(order.replies) == 1 else 0
    return Limit(clock.limit_minutes - extended, clock.calendar, clock.whole_days)


def withdraw_order(order: SupervisionOrder, *, reason: str, by: Actor, now: datetime) -> OrderOutcome:
    """Withdraws an order; it no longer counts in the assessment. Raises as decide_extension."""
    policies.check_order_move(order, "withdraw_order", by)
    policies.check_overseer(order, by)
    return _withdraw(order, "withdraw_order", reason=reason, settled=False, by=by, now=now)


def settle_order(order: SupervisionOrder, *, now: datetime) -> OrderOutcome:
    """Ends an open order because its case or task is over; it still counts, and so does what was late in it.

    Orders that are over stay as they are.
    """
    if order.state not in OPEN_ORDER_STATES:
        return order, ()
    order, facts = turn_order(order, now=now)
    settled, more = _withdraw(order, "settle_order", reason=SETTLED, settled=True, by=SYSTEM, now=now)
    return settled, (*facts, *more)


def _withdraw(order: SupervisionOrder, verb: str, *, reason: str, settled: bool, by: Actor, now: datetime) -> OrderOutcome:
    at = _moment(order, now)
    clock = replace(order.clock, met_at=order.clock.met_at or at)
    changes = {"state": OrderState.WITHDRAWN, "clock": clock, "raise_at": None}
    fact = SupervisionWithdrawn(**_about(order), reason=reason, settled=settled, withdrawn_at=at, withdrawn_by=by.subject)
    return _record(order, verb, by=by, at=at, now=now, remark=reason, **changes), (fact,)


# -------------------------------------------------------------------------------------------------------- what time brings


def turn_order(order: SupervisionOrder, *, now: datetime) -> OrderOutcome:
    """Turns the light whose time has come and lifts an overdue order, as often as is due, each step at its true time.

    An order whose extension nobody has decided does not climb. Nothing due: nothing changes.
    """
    if order.state not in AWAITING_REPLY or order.next_turn_at is None or order.next_turn_at > now:
        return order, ()
    facts: tuple[Fact, ...] = ()
    (clock,), turned = clocks.turn((order.clock,), now)
    if turned:
        order = replace(order, clock=clock, light=clock.light)
        since = clock.due_at if clock.light is Light.RED else clock.yellow_at
        facts = (SupervisionLightTurned(**_about(order), light=clock.light, due_at=clock.due_at, since=since),)
    while order.state is not OrderState.EXTENSION_ASKED and order.raise_at and order.raise_at <= now:
        order, raised = _raise(order, at=order.raise_at, now=now)
        facts = (*facts, raised)
    return _settle(replace(order, changed_at=_touched(order, now))), facts


def _raise(order: SupervisionOrder, *, at: datetime, now: datetime) -> tuple[SupervisionOrder, SupervisionOverdue]:
    level = ladder.above(order.level) or order.level
    raised = replace(
        order,
        level=level,
        raises=order.raises + (level is not order.level),
        overdue_at=order.overdue_at or order.clock.due_at,
        raise_at=ladder.raises_again_at(level, order.severity, since=at),
    )
    if order.raise_at == order.clock.due_at or level is not order.level:
        raised = _record(raised, "raise_order", by=SYSTEM, at=_moment(order, at), now=now, remark=RAISED)
    fact = SupervisionOverdue(
        **_about(raised),
        case_number=order.case_number,
        level=level,
        role=ladder.role_of(level),
        level_area=ladder.area_of(level, order.area_code),
        raises=raised.raises,
        due_at=order.clock.due_at,
        overdue_at=at,
    )
    return raised, fact


def lift_order(order: SupervisionOrder, *, level: CaseLevel, now: datetime) -> OrderOutcome:
    """Lifts an open order with its case: whoever answers for the case now answers for the order too. Never lowers it."""
    if order.state not in OPEN_ORDER_STATES or ladder.rank(level) <= ladder.rank(order.level):
        return order, ()
    lifted = replace(order, level=level)
    return _record(lifted, "lift_order", by=SYSTEM, at=_moment(order, now), now=now, remark="the case climbed"), ()


# ------------------------------------------------------------------------------------------------------------------ shared


def _record(
    order: SupervisionOrder, verb: str, *, by: Actor, at: datetime, now: datetime, remark: str = "", **changes: Any
) -> SupervisionOrder:
    """Returns the order with `changes` and one more step in its diary; light and timer are set anew."""
    changed = replace(order, changed_at=_touched(order, now), **changes)
    step = OrderStep(at=at, by=by.subject, verb=verb, state=changed.state, level=changed.level, remark=remark)
    return _settle(replace(changed, steps=(*order.steps, step)))


def _settle(order: SupervisionOrder) -> SupervisionOrder:
    awaiting = order.state in AWAITING_REPLY
    light, turns_at = clocks.outlook((order.clock,) if awaiting else ())
    raises_at = order.raise_at if awaiting and order.state is not OrderState.EXTENSION_ASKED else None
    times = [when for when in (turns_at, raises_at) if when]
    return replace(
        order,
        light=light if awaiting else order.clock.light if order.state in OPEN_ORDER_STATES else Light.UNSPECIFIED,
        next_turn_at=min(times, default=None),
        open=order.state in OPEN_ORDER_STATES,
    )


def _moment(order: SupervisionOrder, at: datetime) -> datetime:
    """When a step counts as done: never before the step before it."""
    return max(at, order.steps[-1].at) if order.steps else at


def _touched(order: SupervisionOrder, now: datetime) -> datetime:
    """When the order changes: later than ever before, so that the time names the version."""
    return max(now, order.changed_at + _MILLISECOND) if order.steps else now


def _about(order: SupervisionOrder) -> dict[str, Any]:
    """What all facts about an order have."""
    return {
        "case_id": order.case_id,
        "order_id": order.order_id,
        "department": order.department,
        "task_id": order.task_id,
        "area_code": order.area_code,
    }

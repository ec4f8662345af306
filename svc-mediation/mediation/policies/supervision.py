"""The rules of the escalation ladder and of supervision orders: who oversees whom, and what a department may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import floor
from typing import Any

from mediation import ladder
from mediation.domain import Actor, Case, CaseLevel, CaseState, Task
from mediation.domain.supervision import ORDER_MOVES, SupervisionOrder
from mediation.domain.workflow import OVERSEERS, PROXIES
from mediation.policies.access import (
    OtherDepartment,
    RoleNotAllowed,
    WrongState,
    check_department_code,
    check_role,
    find_task,
)
from mediation.policies.protecting import hidden_from
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

# A case climbs while somebody at its level could still settle it: not while it is back with the reporter, suspended, or checked.
CLIMBING_STATES = frozenset(
    {
        CaseState.REPORTED,
        CaseState.ACCEPTED,
        CaseState.SELF_HANDLED,
        CaseState.DISPATCHED,
        CaseState.PARALLEL,
        CaseState.HANDLING,
        CaseState.REWORK,
    }
)
# An order is about a case that is not over.
SUPERVISED_STATES = CLIMBING_STATES | {CaseState.SUSPENDED, CaseState.HANDLED, CaseState.VERIFIED}
# An order is one document; so many rounds with their longest texts and links keep it to a tenth of what a document holds.
MOST_REPLIES = 20


class OrderNotFound(NotFound):
    """No such order, or none the caller may know of."""

    default_reason = "ORDER_NOT_FOUND"


class NotYourLevel(PermissionDenied):
    """A higher level answers for this now."""

    default_reason = "LEVEL_TOO_LOW"


class OwnAffair(PermissionDenied):
    """Supervision and handling are separate (workflow.yaml, separation: 001, 004)."""

    default_reason = "SELF_SUPERVISION"


# ------------------------------------------------------------------------------------------------------------------- ladder


def check_escalation(case: Case, to_level: CaseLevel, by: Actor) -> None:
    """Raises unless `by` may lift the case from its level to `to_level`.

    WrongState; RoleNotAllowed; NotYourLevel once the case has left the actor's level; FailedPrecondition (TOP_LEVEL);
    InvalidArgument (to_level) for a lower one (LEVEL_NOT_HIGHER), or one that skips levels (LEVEL_SKIPPED).
    """
    if case.state not in CLIMBING_STATES:
        raise WrongState(f"A case that is {case.state} does not climb.", metadata={"state": case.state})
    _check_height(case.level, by, "This case has left your level.")
    if ladder.above(case.level) is None:
        raise FailedPrecondition("The city is the highest level.", reason="TOP_LEVEL")
    if ladder.rank(to_level) <= ladder.rank(case.level):
        raise InvalidArgument("A case only climbs.", field="to_level", reason="LEVEL_NOT_HIGHER")
    if to_level is not ladder.above(case.level) and not ladder.may_skip(case.severity):
        message = "Only events of level 01 and 02 skip levels."
        raise InvalidArgument(message, field="to_level", reason="LEVEL_SKIPPED")


def _check_height(level: CaseLevel, by: Actor, message: str) -> None:
    """Raises RoleNotAllowed for people who answer for no level, NotYourLevel for those of a lower one. Proxies act for anybody."""
    if not by.roles.isdisjoint(PROXIES):
        return
    if not ladder.rank_of(by):
        raise RoleNotAllowed("This is for those who answer for a level: grid, community, street, district or city.")
    if ladder.rank_of(by) < ladder.rank(level):
        raise NotYourLevel(message, metadata={"level": level})


# ------------------------------------------------------------------------------------------------------------------- orders


def check_issue(case: Case, *, task_id: str, department: str, by: Actor) -> Task | None:
    """Returns the task an order is about (None: the case) if `by` may issue one to `department`.

    Raises WrongState (case over, task not open), TaskNotFound, InvalidArgument (department), OwnAffair.
    """
    if case.state not in SUPERVISED_STATES:
        raise WrongState(f"Nobody answers for a case that is {case.state}.", metadata={"state": case.state})
    task = find_task(case, task_id) if task_id else None
    if task is None:
        _check_given(department)
    elif department and department != task.department:
        raise InvalidArgument("The task is another department's.", field="department", reason="DEPARTMENT_MISMATCH")
    elif not task.is_open:
        raise WrongState("This task is not open.", reason="TASK_NOT_OPEN", metadata={"state": task.state})
    check_separate(task.department if task else department, by)
    return task


def _check_given(department: str) -> None:
    if not department:
        message = "An order names a task or a department."
        raise InvalidArgument(message, field="department", reason="DEPARTMENT_REQUIRED")
    check_department_code(department, field="department")


def check_reply_minutes(minutes: int) -> None:
    """Raises InvalidArgument (reply_minutes) outside the bounds of supervision.yaml; 0 stands for the usual limit."""
    bounds = ladder.limits().reply_minutes
    if minutes and not bounds["min"] <= minutes <= bounds["max"]:
        message = f"A reply is due within {bounds['min']} to {bounds['max']} minutes."
        raise InvalidArgument(message, field="reply_minutes", reason="REPLY_LIMIT")


def check_order_move(order: SupervisionOrder, verb: str, by: Actor) -> None:
    """Raises WrongState or RoleNotAllowed unless the table has a row for `verb` from the order's state for the actor."""
    row = ORDER_MOVES.get((verb, order.state))
    if row is None:
        raise WrongState(f"An order that is {order.state} allows no {verb}.", metadata={"state": order.state})
    check_role(row, by)


def check_respondent(order: SupervisionOrder, by: Actor) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT) unless the actor acts for the order's department; imports act for all."""
    if by.department == order.department or (not by.department and "IMPORTER" in by.roles):
        return
    message = "This order is another department's."
    raise PermissionDenied(message, reason="OTHER_DEPARTMENT", metadata={"department": order.department})


def check_overseer(order: SupervisionOrder, by: Actor) -> None:
    """Raises unless the actor may decide about the order: of its level or above, and no party to it (NotYourLevel, OwnAffair)."""
    _check_height(order.level, by, "This order has climbed above your level.")
    check_separate(order.department, by)
    parties = {reply.by for reply in order.replies} | ({order.extension.by} if order.extension else set())
    if by.subject in parties and by.roles.isdisjoint(PROXIES):
        raise OwnAffair("Whoever replied for the department may not decide about it.")


def check_separate(department: str, by: Actor) -> None:
    """Raises OwnAffair when somebody would supervise the own department."""
    if department and department == by.department:
        raise OwnAffair("A department does not supervise itself.", metadata={"department": department})


def check_rounds(order: SupervisionOrder) -> None:
    """Raises FailedPrecondition (TOO_MANY_REPLIES) when the order has no room for one more reply."""
    if len(order.replies) >= MOST_REPLIES:
        raise FailedPrecondition(f"An order holds at most {MOST_REPLIES} replies.", reason="TOO_MANY_REPLIES")


def check_extension(order: SupervisionOrder, *, minutes: int, at: datetime) -> None:
    """Raises unless the department may ask for so much time now.

    FailedPrecondition for a second time (EXTENSION_USED) or a late one (EXTENSION_LATE), InvalidArgument (EXTENSION_TOO_LONG).
    """
    if order.extension is not None:
        raise FailedPrecondition("An order is extended once.", reason="EXTENSION_USED")
    if at >= order.clock.due_at:
        raise FailedPrecondition("The reply is overdue already.", reason="EXTENSION_LATE")
    most = floor(order.clock.limit_minutes * ladder.limits().extension_share)
    if minutes > most:
        message = f"An extension is at most half of the limit: {most} minutes."
        raise InvalidArgument(message, field="minutes", reason="EXTENSION_TOO_LONG")


def check_order_visible(order: Mapping[str, Any], by: Actor) -> None:
    """Raises OrderNotFound unless the order (its fields) is of the caller's area and, for people of a department, to it.

    Orders about suspected domestic violence are hidden as its cases are.
    """
    hidden = hidden_from(order["category"], (order["department"],), by)
    if not hidden and order["area_code"].startswith(by.area) and order_department(by, "") in ("", order["department"]):
        return
    raise OrderNotFound(f"Order {order['order_id']} does not exist.")


def order_department(by: Actor, asked: str) -> str:
    """Returns the department whose orders the caller may read; "" for all of them. Raises OtherDepartment or InvalidArgument."""
    if asked:
        check_department_code(asked, field="department")
    if not by.department or not by.roles.isdisjoint(OVERSEERS):
        return asked
    if asked and asked != by.department:
        raise OtherDepartment("These are the orders of another department.", metadata={"department": asked})
    return by.department

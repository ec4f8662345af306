"""Supervision orders and the people around them, for tests. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mediation.domain import Case
from mediation.domain.supervision import ReplyStance, SupervisionOrder
from mediation.operations import supervision
from svckit.access import Caller

from .builders import START, department, dispatched, task_of

ORDER_ID = "01930000-0000-7000-8000-0000000000aa"
COMMUNITY = Caller("community-1", roles=frozenset({"GRID_SUPERVISOR"}), area="420502001003")
STREET = Caller("street-1", roles=frozenset({"STREET_CENTER"}), area="420502001")
DISTRICT = Caller("district-1", roles=frozenset({"DISPATCHER"}), area="420502")
CITY = Caller("city-1", roles=frozenset({"DISPATCHER"}), area="4205")
FIRE = department("FIRE")


def supervised() -> Case:
    """A dispute of severity S4 that lies with PMC and FIRE."""
    return dispatched("PMC", "FIRE")


def ordered(case: Case | None = None, *, by: Any = STREET, at: datetime = START, **fields: Any) -> SupervisionOrder:
    """An order of the street to FIRE about its task; due after 5 working days."""
    case = case or supervised()
    given = {"task_id": task_of(case, "FIRE").task_id, "demand": "请于期限内书面说明办理情况"} | fields
    return supervision.issue_order(case, order_id=ORDER_ID, by=by, now=at, **given)[0]  # type: ignore[arg-type]


def replied(order: SupervisionOrder, *, at: datetime = START, by: Any = FIRE, **fields: Any) -> SupervisionOrder:
    """The order after the department replied."""
    given = {"stance": ReplyStance.COMPLIED, "text": "已完成整改"} | fields
    return supervision.reply_order(order, by=by, now=at, **given)[0]  # type: ignore[arg-type]


def asked(order: SupervisionOrder, *, minutes: int = 450, at: datetime = START) -> SupervisionOrder:
    """The order after the department asked for more time."""
    return supervision.ask_extension(order, minutes=minutes, reason="等待检测报告", by=FIRE, now=at)[0]

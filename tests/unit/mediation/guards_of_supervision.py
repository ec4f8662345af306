"""Every guard of the ladder and of supervision orders, as rows."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mediation.domain import Case, CaseLevel
from mediation.operations import escalating, supervision
from mediation.policies import supervision as order_rules
from svckit.access import Caller

from .builders import GRID_CODE, START, WORKER, after_start, department, done, task_of, when
from .guarding import Guard
from .orders import CITY, COMMUNITY, FIRE, STREET, asked, ordered, replied, supervised

INSIDER = Caller("f", roles=frozenset({"DISPATCHER"}), area="420502", department="FIRE")
# Answered for the department once, and decides for the district now.
MOVED_AWAY = Caller("fire-1", roles=frozenset({"DISPATCHER"}), area="420502")
REPLY_BOUNDS = "A reply is due within 60 to 6750 minutes."


def lifted(case: Case, by: Any = STREET, to_level: CaseLevel = CaseLevel.UNSPECIFIED) -> Case:
    return escalating.escalate_case(case, reason="无力处置", by=by, to_level=to_level, **when())[0]


def at_level(level: CaseLevel) -> Case:
    return replace(supervised(), level=level)


def accepted_by(order: Any, by: Any) -> Any:
    return supervision.accept_reply(order, by=by, now=START)[0]


def worn_out() -> Any:
    order = ordered()
    for _ in range(order_rules.MOST_REPLIES):
        order = supervision.refuse_reply(replied(order), reason="不全", by=STREET, now=START)[0]
    return order


def refused_extension() -> Any:
    return supervision.decide_extension(asked(ordered()), granted=False, reason="x", by=STREET, now=START)[0]


SUPERVISION = (
    Guard(
        "a case that is over climbs",
        "WRONG_STATE",
        "A case that is handled does not climb.",
        lambda: lifted(done(supervised(), "FIRE", "PMC")),
    ),
    Guard(
        "a case that left one's level",
        "LEVEL_TOO_LOW",
        "This case has left your level.",
        lambda: lifted(at_level(CaseLevel.L2), WORKER),
    ),
    Guard(
        "lifted by nobody who answers for a level",
        "ROLE_REQUIRED",
        "This is for those who answer for a level: grid, community, street, district or city.",
        lambda: lifted(supervised(), department("FIRE", lead=True)),
    ),
    Guard("beyond the city", "TOP_LEVEL", "The city is the highest level.", lambda: lifted(at_level(CaseLevel.L5), CITY)),
    Guard(
        "downwards",
        "LEVEL_NOT_HIGHER",
        "A case only climbs.",
        lambda: lifted(at_level(CaseLevel.L2), to_level=CaseLevel.L1),
        "to_level",
    ),
    Guard(
        "past a level without need",
        "LEVEL_SKIPPED",
        "Only events of level 01 and 02 skip levels.",
        lambda: lifted(supervised(), to_level=CaseLevel.L4),
        "to_level",
    ),
    Guard(
        "an order about what is over",
        "WRONG_STATE",
        "Nobody answers for a case that is rejected.",
        lambda: ordered(replace(supervised(), state="rejected")),
    ),
    Guard(
        "an order to a department without this task",
        "DEPARTMENT_MISMATCH",
        "The task is another department's.",
        lambda: ordered(department="PMC"),
        "department",
    ),
    Guard(
        "an order about what is done",
        "TASK_NOT_OPEN",
        "This task is not open.",
        lambda: ordered(done(supervised(), "FIRE"), task_id=task_of(supervised(), "FIRE").task_id),
    ),
    Guard(
        "an order to nobody",
        "DEPARTMENT_REQUIRED",
        "An order names a task or a department.",
        lambda: ordered(task_id=""),
        "department",
    ),
    Guard("a limit too short", "REPLY_LIMIT", REPLY_BOUNDS, lambda: ordered(reply_minutes=59), "reply_minutes"),
    Guard("a limit too long", "REPLY_LIMIT", REPLY_BOUNDS, lambda: ordered(reply_minutes=6751), "reply_minutes"),
    Guard(
        "a reply after the reply",
        "WRONG_STATE",
        "An order that is replied allows no reply_order.",
        lambda: replied(replied(ordered())),
    ),
    Guard(
        "a reply by who supervises",
        "ROLE_REQUIRED",
        "reply_order is for DEPT_HANDLER, DEPT_LEAD.",
        lambda: replied(ordered(), by=STREET),
    ),
    Guard(
        "a reply for another department",
        "OTHER_DEPARTMENT",
        "This order is another department's.",
        lambda: replied(ordered(), by=department("PMC")),
    ),
    Guard(
        "a decision below the order's level",
        "LEVEL_TOO_LOW",
        "This order has climbed above your level.",
        lambda: accepted_by(replied(ordered()), COMMUNITY),
    ),
    Guard(
        "a decision by who replied",
        "SELF_SUPERVISION",
        "Whoever replied for the department may not decide about it.",
        lambda: accepted_by(replied(ordered()), MOVED_AWAY),
    ),
    Guard(
        "a department about itself",
        "SELF_SUPERVISION",
        "A department does not supervise itself.",
        lambda: ordered(by=INSIDER),
    ),
    Guard("too many replies", "TOO_MANY_REPLIES", "An order holds at most 20 replies.", lambda: replied(worn_out())),
    Guard("an order extended twice", "EXTENSION_USED", "An order is extended once.", lambda: asked(refused_extension())),
    Guard(
        "an order extended too late",
        "EXTENSION_LATE",
        "The reply is overdue already.",
        lambda: asked(ordered(), at=after_start(days=30)),
    ),
    Guard(
        "an order extended too far",
        "EXTENSION_TOO_LONG",
        "An extension is at most half of the limit: 1125 minutes.",
        lambda: asked(ordered(), minutes=1126),
        "minutes",
    ),
    Guard(
        "an order of another department",
        "ORDER_NOT_FOUND",
        "Order 1 does not exist.",
        lambda: order_rules.check_order_visible(
            {"order_id": "1", "area_code": GRID_CODE, "category": "A0204", "department": "FIRE"}, department("UMD")
        ),
    ),
    Guard(
        "the orders of another department",
        "OTHER_DEPARTMENT",
        "These are the orders of another department.",
        lambda: order_rules.order_department(FIRE, "UMD"),
    ),
)

GUARDS = SUPERVISION

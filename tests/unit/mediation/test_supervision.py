"""Supervision orders: every guard with its reason, and what time brings."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from mediation import calendar, ladder, operations
from mediation.domain import Calendar, CaseLevel, Light, Severity
from mediation.domain.supervision import (
    OPEN_ORDER_STATES,
    ORDER_TRANSITIONS,
    OrderCause,
    OrderState,
    ReplyStance,
)
from mediation.operations import supervision
from mediation.policies.supervision import MOST_REPLIES, check_order_visible
from mediation.supervision_store import shown_to
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

from .builders import CHECKER, IMPORTER, START, after_start, department, dispatched, done, names, refused, task_of
from .orders import CITY, COMMUNITY, DISTRICT, FIRE, ORDER_ID, STREET, asked, ordered, replied, supervised

LATE = after_start(days=30)


def due(days: int, at: datetime = START) -> datetime:
    """The close of the working day on which a limit of so many working days ends."""
    return calendar.end_of_working_day(at, days * calendar.minutes_per_day())


# ------------------------------------------------------------------------------------------------------------------ issuing


def test_an_order_about_a_task_goes_to_its_department_with_a_deadline() -> None:
    order = ordered()
    assert (order.department, order.level, order.state, order.light) == ("FIRE", CaseLevel.L3, OrderState.ISSUED, Light.GREEN)
    assert order.clock.due_at == order.raise_at == due(5)
    assert order.next_turn_at == order.clock.yellow_at
    assert [step.verb for step in order.steps] == ["issue_order"]


def test_the_fact_tells_what_is_demanded_until_when() -> None:
    case = supervised()
    _, (fact,) = supervision.issue_order(case, order_id=ORDER_ID, demand="x", department="PSB", by=DISTRICT, now=START)
    assert (fact.department, fact.task_id, fact.level, fact.cause) == ("PSB", "", CaseLevel.L4, OrderCause.MANUAL)
    assert fact.due_at == due(5)
    assert fact.case_id == case.case_id


@pytest.mark.parametrize(
    ("severity", "end"), [("s1", START + timedelta(hours=4)), ("s2", due(1)), ("s3", due(3)), ("s4", due(5))]
)
def test_the_limit_of_the_reply_follows_the_severity(severity: str, end: datetime) -> None:
    case = replace(supervised(), severity=Severity(severity))
    assert ordered(case).clock.due_at == end


def test_the_level_of_an_order_is_the_issuers() -> None:
    levels = [ordered(by=by).level for by in (COMMUNITY, STREET, DISTRICT, CITY)]
    assert levels == [CaseLevel.L2, CaseLevel.L3, CaseLevel.L4, CaseLevel.L5]
    assert ordered(by=IMPORTER).level == supervised().level


@pytest.mark.parametrize(("minutes", "end"), [(60, START + timedelta(hours=1)), (450, due(1)), (6750, due(15))])
def test_a_supervisor_may_set_another_limit(minutes: int, end: datetime) -> None:
    assert ordered(reply_minutes=minutes).clock.due_at == end


@pytest.mark.parametrize("minutes", [59, 6751, -1])
def test_a_limit_has_bounds(minutes: int) -> None:
    assert refused("REPLY_LIMIT", ordered, reply_minutes=minutes, kind=InvalidArgument) == "reply_minutes"


def test_an_order_needs_a_department_that_exists() -> None:
    assert refused("DEPARTMENT_REQUIRED", ordered, task_id="", kind=InvalidArgument) == "department"
    assert refused("UNKNOWN_DEPARTMENT", ordered, task_id="", department="NASA", kind=InvalidArgument) == "department"
    assert refused("DEPARTMENT_MISMATCH", ordered, department="PMC", kind=InvalidArgument) == "department"
    refused("TASK_NOT_FOUND", ordered, task_id="01930000-0000-7000-8000-00000000dead", kind=NotFound)


def test_an_order_needs_something_to_answer_for() -> None:
    case = done(supervised(), "FIRE")
    refused("TASK_NOT_OPEN", ordered, case, task_id=task_of(case, "FIRE").task_id, kind=FailedPrecondition)
    rejected = replace(supervised(), state="rejected")
    refused("WRONG_STATE", ordered, rejected, kind=FailedPrecondition)


def test_a_department_does_not_supervise_itself() -> None:
    insider = Caller("f", roles=frozenset({"DISPATCHER"}), area="420502", department="FIRE")
    refused("SELF_SUPERVISION", ordered, by=insider, kind=PermissionDenied)
    order = replied(ordered())
    refused("SELF_SUPERVISION", supervision.accept_reply, order, by=insider, now=START, kind=PermissionDenied)


# ----------------------------------------------------------------------------------------------------------------- replying


@pytest.mark.parametrize("stance", list(ReplyStance))
def test_a_reply_in_time_stops_the_clock(stance: ReplyStance) -> None:
    order, (fact,) = supervision.reply_order(ordered(), stance=stance, text="说明", by=FIRE, now=START)
    assert (order.state, order.raise_at, order.next_turn_at) == (OrderState.REPLIED, None, None)
    assert order.replies[0].on_time
    assert fact.on_time
    assert fact.reason == ("说明" if stance is ReplyStance.DECLINED else "")
    assert supervision.turn_order(order, now=LATE) == (order, ())


def test_who_refused_and_why_is_on_record() -> None:
    order = replied(ordered(), stance=ReplyStance.DECLINED, text="不属于本部门职责")
    order = supervision.refuse_reply(order, reason="职责清单第12条", by=STREET, now=START)[0]
    reply = order.replies[0]
    assert (reply.by, reply.stance, reply.text) == ("fire-1", ReplyStance.DECLINED, "不属于本部门职责")
    assert (reply.accepted, reply.ruled_by, reply.ruling_reason) == (False, "street-1", "职责清单第12条")
    assert [(step.by, step.remark) for step in order.steps[1:]] == [
        ("fire-1", "不属于本部门职责"),
        ("street-1", "职责清单第12条"),
    ]


def test_only_the_department_replies() -> None:
    order = ordered()
    say = {"stance": ReplyStance.COMPLIED, "text": "x", "now": START}
    refused("OTHER_DEPARTMENT", supervision.reply_order, order, by=department("PMC"), kind=PermissionDenied, **say)
    refused("ROLE_REQUIRED", supervision.reply_order, order, by=STREET, kind=PermissionDenied, **say)
    assert replied(order, by=IMPORTER).state is OrderState.REPLIED


def test_a_reply_is_given_once_and_not_after_the_end() -> None:
    refused("WRONG_STATE", replied, replied(ordered()), kind=FailedPrecondition)
    gone = supervision.withdraw_order(ordered(), reason="误发", by=STREET, now=START)[0]
    refused("WRONG_STATE", replied, gone, kind=FailedPrecondition)


def test_replies_are_bounded() -> None:
    order = ordered()
    for _ in range(MOST_REPLIES):
        order = supervision.refuse_reply(replied(order), reason="不全", by=STREET, now=START)[0]
    refused("TOO_MANY_REPLIES", replied, order, kind=FailedPrecondition)


def test_a_refused_reply_is_due_again_within_the_limit_without_the_extension() -> None:
    order = supervision.decide_extension(asked(ordered()), granted=True, reason="同意", by=STREET, now=START)[0]
    order, (fact,) = supervision.refuse_reply(replied(order), reason="不全", by=STREET, now=START)
    assert (order.state, fact.due_at, order.raise_at) == (OrderState.RETURNED, due(5), due(5))
    order = supervision.refuse_reply(replied(order), reason="仍不全", by=STREET, now=START)[0]
    assert order.clock.limit_minutes == 5 * 450
    order, (fact,) = supervision.accept_reply(replied(order), remark="可以", by=STREET, now=START)
    assert (order.state, order.open, order.light) == (OrderState.ACCEPTED, False, Light.UNSPECIFIED)
    assert [reply.accepted for reply in order.replies] == [False, False, True]


def test_who_replied_does_not_rule() -> None:
    both = Caller("both", roles=frozenset({"DEPT_LEAD", "DISPATCHER"}), area="4205", department="FIRE")
    moved = Caller("both", roles=frozenset({"DISPATCHER"}), area="4205")
    order = replied(ordered(), by=both)
    refused("SELF_SUPERVISION", supervision.accept_reply, order, by=moved, now=START, kind=PermissionDenied)
    refused("SELF_SUPERVISION", supervision.refuse_reply, order, reason="x", by=moved, now=START, kind=PermissionDenied)


def test_nobody_below_the_level_of_an_order_decides_about_it() -> None:
    order = replied(ordered())
    for by in (COMMUNITY, CHECKER):
        refused("LEVEL_TOO_LOW", supervision.accept_reply, order, by=by, now=START, kind=PermissionDenied)
        refused("LEVEL_TOO_LOW", supervision.refuse_reply, order, reason="x", by=by, now=START, kind=PermissionDenied)
        refused("LEVEL_TOO_LOW", supervision.withdraw_order, order, reason="x", by=by, now=START, kind=PermissionDenied)
    for by in (STREET, DISTRICT, CITY, IMPORTER):
        assert supervision.accept_reply(order, by=by, now=START)[0].state is OrderState.ACCEPTED
    refused("ROLE_REQUIRED", supervision.accept_reply, order, by=FIRE, now=START, kind=PermissionDenied)


# ---------------------------------------------------------------------------------------------------------------- extension


def test_an_extension_is_granted_once_and_counts_from_the_due_time() -> None:
    order, (fact,) = supervision.decide_extension(asked(ordered()), granted=True, reason="同意", by=STREET, now=START)
    assert (order.state, order.clock.due_at, order.raise_at, fact.due_at) == (OrderState.ISSUED, due(6), due(6), due(6))
    assert order.extension is not None
    assert (order.extension.granted, order.extension.decided_by) == (True, "street-1")
    refused("EXTENSION_USED", asked, order, kind=FailedPrecondition)


def test_a_refused_extension_leaves_the_deadline() -> None:
    order, (fact,) = supervision.decide_extension(asked(ordered()), granted=False, reason="不同意", by=STREET, now=START)
    assert (order.clock.due_at, fact.granted, fact.reason) == (due(5), False, "不同意")
    refused("EXTENSION_USED", asked, order, kind=FailedPrecondition)


def test_an_extension_has_bounds() -> None:
    assert refused("EXTENSION_TOO_LONG", asked, ordered(), minutes=1126, kind=InvalidArgument) == "minutes"
    assert asked(ordered(), minutes=1125).state is OrderState.EXTENSION_ASKED
    refused("EXTENSION_LATE", asked, ordered(), at=due(5), kind=FailedPrecondition)


def test_only_the_department_asks_and_only_its_overseer_decides() -> None:
    order = ordered()
    ask = {"minutes": 60, "reason": "x", "now": START}
    refused("OTHER_DEPARTMENT", supervision.ask_extension, order, by=department("PMC"), kind=PermissionDenied, **ask)
    refused("WRONG_STATE", supervision.ask_extension, replied(order), by=FIRE, kind=FailedPrecondition, **ask)
    decide = {"granted": True, "reason": "x", "now": START}
    refused("WRONG_STATE", supervision.decide_extension, order, by=STREET, kind=FailedPrecondition, **decide)
    refused("ROLE_REQUIRED", supervision.decide_extension, asked(order), by=FIRE, kind=PermissionDenied, **decide)
    refused("LEVEL_TOO_LOW", supervision.decide_extension, asked(order), by=COMMUNITY, kind=PermissionDenied, **decide)


def test_an_undecided_extension_does_not_climb_and_a_late_refusal_does() -> None:
    order, facts = supervision.turn_order(asked(ordered()), now=due(5))
    assert names(facts) == ["SupervisionLightTurned"]
    assert (order.level, order.light, order.overdue_at) == (CaseLevel.L3, Light.RED, None)
    granted = supervision.decide_extension(order, granted=True, reason="x", by=STREET, now=due(5))[0]
    assert (granted.light, granted.overdue_at, granted.clock.due_at) == (Light.YELLOW, None, due(6))
    late, facts = supervision.decide_extension(order, granted=False, reason="x", by=STREET, now=due(5))
    assert names(facts) == ["SupervisionExtensionDecided", "SupervisionOverdue"]
    assert (late.level, late.overdue_at) == (CaseLevel.L4, due(5))


def test_a_reply_may_come_before_the_decision() -> None:
    order = replied(asked(ordered()), at=after_start(hours=1))
    assert order.state is OrderState.REPLIED
    assert order.replies[0].on_time


# ------------------------------------------------------------------------------------------------------------- what time brings


def test_an_overdue_order_climbs_to_the_top_each_step_at_its_true_time() -> None:
    order, facts = supervision.turn_order(ordered(), now=LATE)
    assert names(facts) == ["SupervisionLightTurned", "SupervisionOverdue", "SupervisionOverdue"]
    assert [(fact.level, fact.overdue_at, fact.role) for fact in facts[1:]] == [
        (CaseLevel.L4, due(5), "DISPATCHER"),
        (CaseLevel.L5, due(6), "DISPATCHER"),
    ]
    assert [fact.level_area for fact in facts[1:]] == ["420502", "4205"]
    assert (order.raises, order.raise_at, order.next_turn_at, order.light) == (2, None, None, Light.RED)
    assert order.overdue_at == due(5)
    assert supervision.turn_order(order, now=LATE) == (order, ())


def test_rounds_of_the_timer_give_the_same_as_one_after_a_pause() -> None:
    step_by_step = ordered()
    now = START
    while now < LATE:
        now += timedelta(hours=3)
        step_by_step = supervision.turn_order(step_by_step, now=now)[0]
    at_once = supervision.turn_order(ordered(), now=LATE)[0]
    assert [(step.verb, step.at, step.level) for step in step_by_step.steps] == [
        (step.verb, step.at, step.level) for step in at_once.steps
    ]


def test_an_order_of_the_city_is_overdue_without_climbing() -> None:
    order, facts = supervision.turn_order(ordered(by=CITY), now=LATE)
    assert names(facts) == ["SupervisionLightTurned", "SupervisionOverdue"]
    assert (order.level, order.raises, order.overdue_at) == (CaseLevel.L5, 0, due(5))


def test_a_late_reply_finds_the_order_overdue_even_before_the_timer() -> None:
    order, facts = supervision.reply_order(ordered(), stance=ReplyStance.COMPLIED, text="x", by=FIRE, now=due(5))
    assert names(facts) == ["SupervisionLightTurned", "SupervisionOverdue", "SupervisionReplied"]
    assert (order.overdue_at, order.replies[0].on_time, order.light) == (due(5), False, Light.RED)


def test_an_order_that_climbed_is_out_of_its_issuers_hands() -> None:
    order = replied(supervision.turn_order(ordered(), now=due(5))[0], at=due(5))
    refused("LEVEL_TOO_LOW", supervision.accept_reply, order, by=STREET, now=LATE, kind=PermissionDenied)
    assert supervision.accept_reply(order, by=DISTRICT, now=LATE)[0].state is OrderState.ACCEPTED


def test_an_order_climbs_with_its_case_and_never_down() -> None:
    order, facts = supervision.lift_order(ordered(), level=CaseLevel.L4, now=START)
    assert (order.level, facts, order.steps[-1].verb) == (CaseLevel.L4, (), "lift_order")
    assert supervision.lift_order(order, level=CaseLevel.L2, now=START) == (order, ())
    over = supervision.accept_reply(replied(ordered()), by=STREET, now=START)[0]
    assert supervision.lift_order(over, level=CaseLevel.L5, now=START) == (over, ())


def test_an_order_ends_with_its_case_and_still_counts() -> None:
    order, facts = supervision.settle_order(ordered(), now=due(5))
    assert names(facts) == ["SupervisionLightTurned", "SupervisionOverdue", "SupervisionWithdrawn"]
    assert facts[-1].settled
    assert (order.state, order.open, order.overdue_at) == (OrderState.WITHDRAWN, False, due(5))
    assert supervision.settle_order(order, now=LATE) == (order, ())


def test_a_withdrawn_order_is_over() -> None:
    order, (fact,) = supervision.withdraw_order(ordered(), reason="误发", by=STREET, now=START)
    assert (fact.settled, fact.reason, order.next_turn_at) == (False, "误发", None)
    refused("WRONG_STATE", supervision.withdraw_order, order, reason="x", by=STREET, now=START, kind=FailedPrecondition)
    assert supervision.turn_order(order, now=LATE) == (order, ())


# -------------------------------------------------------------------------------------------------------------------- table


def test_every_open_order_can_move_on_and_every_verb_is_an_operation() -> None:
    assert {row.source for row in ORDER_TRANSITIONS} == OPEN_ORDER_STATES
    verbs = {row.verb for row in ORDER_TRANSITIONS}
    # Time lifts an order, through turn_order.
    assert all(hasattr(supervision, verb) for verb in verbs - {"raise_order"})


def test_an_order_holds_no_task_back() -> None:
    """Supervision adds attention: the department works on as before."""
    case = supervised()
    before = case.tasks
    ordered(case)
    assert case.tasks == before
    assert operations.accept_task(case, task_id=task_of(case, "FIRE").task_id, by=FIRE, at=START, now=START)


def test_limits_are_those_of_the_table() -> None:
    assert ladder.limits().extension_share == 0.5
    assert {Severity(name.lower()) for name in ladder.limits().reply} == set(Severity)
    assert Calendar.STATUTORY is ordered(replace(supervised(), severity=Severity.S1)).clock.calendar


def test_orders_about_violence_at_home_are_hidden_as_its_cases_are() -> None:
    order = ordered(dispatched("PSB", "FIRE", category="A0105"), by=DISTRICT)
    told = {name: getattr(order, name) for name in ("order_id", "area_code", "category", "department")}
    overseer = Caller("watch", roles=frozenset({"SUPERVISION"}), area="4205")
    for person in (STREET, overseer, department("UMD")):
        refused("ORDER_NOT_FOUND", check_order_visible, told, person)
    for person in (DISTRICT, FIRE):
        check_order_visible(told, person)
    assert shown_to(DISTRICT) == {}
    assert shown_to(overseer) == {"$nor": [{"category": "A0105"}]}
    assert shown_to(FIRE) == {"$nor": [{"category": "A0105", "department": {"$ne": "FIRE"}}]}

"""An order under department, overseers and time acting in any order; the model beside it knows only what the rules say in words."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mediation import calendar
from mediation.domain import Calendar, CaseLevel, Light
from mediation.domain.supervision import ORDER_TRANSITIONS, ReplyStance
from mediation.domain.supervision_facts import SupervisionLightTurned, SupervisionOverdue, SupervisionReplied
from mediation.operations import supervision
from svckit.errors import ServiceError

from .builders import START
from .orders import CITY, COMMUNITY, DISTRICT, FIRE, STREET, ordered

ROWS = {(row.verb, row.source, row.target) for row in ORDER_TRANSITIONS}
LEVELS = [level for level in CaseLevel if level is not CaseLevel.UNSPECIFIED]
ISSUERS = {"l2": COMMUNITY, "l3": STREET, "l4": DISTRICT, "l5": CITY}
OVERSEERS = st.sampled_from(list(ISSUERS.values()))
WAITING = {"issued", "extension_asked", "returned"}


class Supervision(RuleBasedStateMachine):
    """One order."""

    @initialize(level=st.sampled_from(sorted(ISSUERS)), minutes=st.integers(60, 6750))
    def begin(self, level: str, minutes: int) -> None:
        self.now = START
        self.order = ordered(by=ISSUERS[level], reply_minutes=minutes)
        self.facts: list[Any] = []
        self.due = self.order.clock.due_at
        self.late = False

    def do(self, verb: Any, **fields: Any) -> bool:
        """Carries out a verb; True when it was allowed. What is refused changes nothing."""
        before = self.order
        try:
            after, said = verb(before, now=self.now, **fields)
        except ServiceError:
            return False
        if after is not before:
            self.steps_are_in_the_table(before, after)
        self.order, self.facts = after, [*self.facts, *said]
        return True

    def steps_are_in_the_table(self, before: Any, after: Any) -> None:
        state = before.state
        for step in after.steps[len(before.steps) :]:
            assert (step.verb, state, step.state) in ROWS
            state = step.state
        assert state == after.state

    # ------------------------------------------------------------------------------------------------------------ rules

    @rule(minutes=st.integers(1, 4_000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_timer_looks(self) -> None:
        self.do(supervision.turn_order)

    @rule(stance=st.sampled_from(ReplyStance))
    def the_department_replies(self, stance: ReplyStance) -> None:
        state = self.order.state
        replied = self.do(supervision.reply_order, stance=stance, text="说明", by=FIRE)
        assert replied == (state in WAITING)
        if replied:
            assert self.order.replies[-1].on_time == (self.now < self.due)
            self.late |= self.now >= self.due and state != "extension_asked"

    @rule(minutes=st.integers(1, 4_000))
    def the_department_asks_for_time(self, minutes: int) -> None:
        asked = self.do(supervision.ask_extension, minutes=minutes, reason="x", by=FIRE)
        if asked:
            assert self.now < self.due
            assert minutes * 2 <= self.order.clock.limit_minutes

    @rule(by=OVERSEERS, granted=st.booleans())
    def somebody_decides(self, by: Any, granted: bool) -> None:
        asked = self.order.extension
        if self.do(supervision.decide_extension, granted=granted, reason="x", by=by):
            assert asked is not None
            if granted:
                self.due = self.order.clock.due_at
            self.late |= self.now >= self.due

    @rule(by=OVERSEERS)
    def somebody_accepts(self, by: Any) -> None:
        if self.do(supervision.accept_reply, by=by):
            assert self.order.replies[-1].accepted

    @rule(by=OVERSEERS)
    def somebody_refuses(self, by: Any) -> None:
        if self.do(supervision.refuse_reply, reason="不全", by=by):
            assert (self.order.replies[-1].accepted, self.order.replies[-1].ruling_reason) == (False, "不全")
            self.due = self.order.clock.due_at
            assert self.due > self.now

    @rule(by=OVERSEERS)
    def somebody_withdraws(self, by: Any) -> None:
        self.do(supervision.withdraw_order, reason="x", by=by)

    @rule(level=st.sampled_from(LEVELS))
    def the_case_climbs(self, level: CaseLevel) -> None:
        before = self.order.level
        self.do(supervision.lift_order, level=level)
        assert self.order.level >= before

    # -------------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def the_diary_runs_forward(self) -> None:
        times = [step.at for step in self.order.steps]
        assert times == sorted(times)
        levels = [step.level for step in self.order.steps]
        assert levels == sorted(levels)

    @invariant()
    def the_deadline_is_the_one_agreed(self) -> None:
        if self.order.state in WAITING:
            assert self.order.clock.due_at == self.due

    @invariant()
    def there_is_one_extension_at_most(self) -> None:
        verbs = Counter(step.verb for step in self.order.steps)
        assert verbs["ask_extension"] <= 1
        assert verbs["decide_extension"] <= verbs["ask_extension"]

    @invariant()
    def every_reply_is_told_once_with_its_refusal(self) -> None:
        told = [(fact.stance, fact.on_time, bool(fact.reason)) for fact in self.facts if isinstance(fact, SupervisionReplied)]
        assert told == [(reply.stance, reply.on_time, reply.stance == "declined") for reply in self.order.replies]

    @invariant()
    def being_overdue_is_told_once_a_level_and_round(self) -> None:
        told = [(fact.due_at, fact.overdue_at) for fact in self.facts if isinstance(fact, SupervisionOverdue)]
        assert len(told) == len(set(told))
        assert all(due <= at for due, at in told)
        assert bool(told) == (self.order.overdue_at is not None)
        assert not self.late or told or self.order.state in {"issued", "returned", "withdrawn"}
        assert sum(step.verb == "raise_order" for step in self.order.steps) == len(told)

    @invariant()
    def lights_turn_once(self) -> None:
        turned = Counter((fact.light, fact.due_at) for fact in self.facts if isinstance(fact, SupervisionLightTurned))
        assert not [key for key, count in turned.items() if count > 1]

    @invariant()
    def the_timer_waits_only_for_open_orders(self) -> None:
        if self.order.state not in WAITING:
            assert self.order.next_turn_at is None
            assert self.order.raise_at is None
        assert self.order.open == (self.order.state not in {"accepted", "withdrawn"})
        if self.order.state in {"accepted", "withdrawn"}:
            assert self.order.light is Light.UNSPECIFIED

    def teardown(self) -> None:
        """However it went, time ends at the top of the ladder, or with an order nobody waits for."""
        if not hasattr(self, "order") or self.order.state not in {"issued", "returned"}:
            return
        order = supervision.turn_order(self.order, now=self.now + timedelta(days=200))[0]
        assert order.level is CaseLevel.L5
        assert order.next_turn_at is None
        assert order.overdue_at


TestSupervision = Supervision.TestCase
TestSupervision.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_half_of_the_limit_is_half_of_its_working_time() -> None:
    order = ordered()
    longest = order.clock.limit_minutes // 2
    asked = supervision.ask_extension(order, minutes=longest, reason="x", by=FIRE, now=START)[0]
    granted = supervision.decide_extension(asked, granted=True, reason="x", by=STREET, now=START)[0]
    assert calendar.minutes_between(order.clock.due_at, granted.clock.due_at, calendar=Calendar.WORK) == longest

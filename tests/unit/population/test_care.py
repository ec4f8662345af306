"""The care register, visit plans, welfare alerts and elder orders: nothing is counted twice, no period and no clock is lost."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from population.codes import rows_of
from population.domain.care import CareState, VisitMissed, VisitPlan
from population.domain.elder import (
    AgreedPrice,
    ElderFacility,
    ElderOrderState,
    OrderItem,
    Provider,
    ProviderKind,
    ServiceKind,
)
from population.domain.life_event import Consent
from population.domain.verification import Attachment
from population.domain.welfare import AlertCause, AlertStage, WelfareWatch
from population.operations import care, elder, welfare
from population.policies.care import DEPARTMENT_ONLY, categories_seen
from population.policies.life_events import births_of, reached_on
from population.policies.welfare import NEXT
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied, ServiceError

START = dt.datetime(2026, 5, 1, 4, tzinfo=dt.UTC)
GRID = "42050200100310001"
WORKER = Caller(subject="worker", roles=frozenset({"GRID_WORKER"}))
MERCHANT = Caller(subject="shop", roles=frozenset({"MERCHANT"}))


def plan() -> VisitPlan:
    return care.start_plan(plan_id="p", rule="VC3", area_code=GRID, resident_id="", now=START)[0]


@given(steps=st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=25))
@settings(max_examples=60)
def test_every_period_is_kept_or_missed_once(steps: list[tuple[int, bool]]) -> None:
    now, state, missed = START, plan(), 0
    visited: set[dt.datetime] = set()
    for days, visit in steps:
        now += dt.timedelta(days=days, hours=1)
        state, events = care.turn_period(state, now=now)
        missed += sum(isinstance(event, VisitMissed) for event in events)
        if visit:
            state, (made,) = care.record_visit(  # type: ignore[misc]
                state, notes="x", nothing_to_report=False, evidence=(), by=WORKER, happened_at=None, now=now
            )
            assert made.first == (state.period_start not in visited)
            visited.add(state.period_start)
        assert state.period_start <= now < state.due_at
        assert (state.due_at - START) == dt.timedelta(days=7) * (state.kept + state.missed + 1)
    assert state.missed == missed
    assert state.kept == len(visited - {state.period_start})


def test_a_visit_before_the_period_counts_for_nothing_but_is_kept() -> None:
    now = START + dt.timedelta(days=7, hours=1)
    state, _ = care.turn_period(plan(), now=now)
    state, (made,) = care.record_visit(  # type: ignore[misc]
        state, notes="", nothing_to_report=True, evidence=(), by=WORKER, happened_at=START + dt.timedelta(days=6), now=now
    )
    assert (state.visited, made.first, state.visits[0].on_time) == (False, False, False)


def entered(category: str, consent: Consent = Consent.GIVEN, **fields: Any) -> Any:
    given = {
        "care_id": "c",
        "resident_id": "r",
        "area_code": GRID,
        "basis": "B-1",
        "expires_on": "",
        "by": WORKER,
        "now": START,
    }
    return care.enter_care(category=category, consent=consent, **(given | fields))[0]


@pytest.mark.parametrize("category", sorted(DEPARTMENT_ONLY))
def test_what_is_a_departments_alone_is_not_kept_here(category: str) -> None:
    with pytest.raises(FailedPrecondition) as caught:
        entered(category)
    assert caught.value.reason == "CARE_CATEGORY_RESTRICTED"
    assert category not in {row["code"] for row in rows_of("care_category")}


def test_the_life_of_an_entry() -> None:
    entry = entered("1003")
    assert care.expire_care(entry, now=START)[0] is entry
    expired, (left,) = care.expire_care(entry, now=START + dt.timedelta(days=367))
    assert (expired.state, left.state) == (CareState.EXPIRED, CareState.EXPIRED)  # type: ignore[union-attr]
    renewed, _ = care.renew_care(expired, expires_on="2027-12-31", revision=0, now=START + dt.timedelta(days=368))
    assert renewed.state is CareState.ACTIVE
    gone, _ = care.end_care(renewed, reason="", withdrawn=True, now=START)
    assert (gone.state, gone.basis, gone.expires_at) == (CareState.WITHDRAWN, "", None)
    with pytest.raises(FailedPrecondition, match="does not rest on consent"):
        care.end_care(entered("3001", Consent.STATUTORY), reason="", withdrawn=True, now=START)
    for consent in (Consent.INFORMED, Consent.STATUTORY):
        with pytest.raises(FailedPrecondition, match="consent"):
            entered("1003", consent)
    for day in ("2026-04-30", "2031-01-01", "2026-02-30"):
        with pytest.raises(InvalidArgument):
            entered("1003", expires_on=day)


def test_the_grid_sees_what_is_the_grids() -> None:
    grid = categories_seen(roles={"GRID_WORKER"}, department="")
    assert {"1003", "7004"} <= grid
    assert not grid & {"1005", "4002", "6003", "7001"}
    assert "6003" in categories_seen(roles={"DEPT_HANDLER"}, department="HEALTH")
    assert categories_seen(roles={"DISPATCHER"}, department="") == frozenset()


class Alerts(RuleBasedStateMachine):
    """Days, buttons, people and clocks meet in any order: an open alert never goes back, and never stays without a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.serial = 0
        self.watch: WelfareWatch = welfare.start_watch(
            watch_id="w",
            resident_id="r",
            house_id="h",
            area_code=GRID,
            consent=Attachment(uri="photo:1", sha256="ab" * 32),
            contacts=None,
            now=START,
        )[0]

    def decide(self, verb: Any, **arguments: Any) -> None:
        self.serial += 1
        before = self.watch.alert
        try:
            self.watch, _ = verb(self.watch, now=self.now, **arguments)
        except ServiceError:
            return
        after = self.watch.alert
        if before and after and before.alert_id == after.alert_id:
            order = list(AlertStage)
            assert order.index(after.stage) >= order.index(before.stage)
            assert len(after.steps) >= len(before.steps)
        elif before and after:
            assert before.stage is AlertStage.OVER

    @rule(hours=st.integers(0, 30))
    def waits(self, hours: int) -> None:
        self.now += dt.timedelta(hours=hours)
        self.decide(welfare.turn_alert)

    @rule(back=st.integers(0, 9), drawn=st.booleans())
    def hears(self, back: int, drawn: bool) -> None:
        day = (self.now.date() - dt.timedelta(days=back)).isoformat()
        heard = self.watch.heard_of
        self.decide(welfare.hear_of_day, day=day, drawn=drawn, alert_id=f"a{self.serial}")
        assert self.watch.heard_of >= heard

    @rule()
    def presses(self) -> None:
        self.decide(welfare.raise_alert, cause=AlertCause.BUTTON, alert_id=f"a{self.serial}")

    @rule(stage=st.sampled_from([AlertStage.CALL, AlertStage.VISIT, AlertStage.HELP]), well=st.booleans())
    def steps(self, stage: AlertStage, well: bool) -> None:
        self.decide(welfare.take_step, stage=stage, well=well, result="x", evidence=(), by=WORKER)

    @invariant()
    def an_open_alert_has_a_clock_and_nothing_else_has(self) -> None:
        alert = self.watch.alert
        is_open = alert is not None and alert.stage is not AlertStage.OVER
        assert (self.watch.next_turn_at is not None) == is_open
        if alert:
            assert (alert.over_at is not None) == (alert.stage is AlertStage.OVER)


TestAlerts = Alerts.TestCase
TestAlerts.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_help_is_called_again_until_it_is_over() -> None:
    assert AlertStage.HELP not in NEXT


def provider(kind: ProviderKind = ProviderKind.MERCHANT, service: ServiceKind = ServiceKind.DAILY_LIFE) -> Provider:
    prices = (AgreedPrice(code="MEAL", name="助餐", kind=service, unit="份", price_fen=1200),)
    made, _ = elder.create_provider(
        provider_id="p",
        uscc="9" * 18,
        name="店",
        area_code="420502",
        account="shop",
        prices=prices,
        kind=kind,
        facilities=(ElderFacility.CANTEEN,),
        now=START,
    )
    return made


def test_only_a_day_care_centre_cares_by_the_day_and_associations_have_activities() -> None:
    centre = provider(ProviderKind.DAY_CARE_CENTRE, ServiceKind.DAY_CARE)
    assert (centre.kind, centre.facilities) == (ProviderKind.DAY_CARE_CENTRE, (ElderFacility.CANTEEN,))
    assert provider(ProviderKind.ASSOCIATION, ServiceKind.LEISURE).prices[0].kind is ServiceKind.LEISURE
    for kind, service in ((ProviderKind.MERCHANT, ServiceKind.DAY_CARE), (ProviderKind.ASSOCIATION, ServiceKind.MARKET)):
        with pytest.raises(InvalidArgument) as refusal:
            provider(kind, service)
        assert (refusal.value.reason, refusal.value.field) == ("SERVICE_KIND_NOT_OFFERED", "prices[0].kind")


@given(
    units=st.integers(1, 50),
    done=st.integers(1, 60),
    verbs=st.lists(st.sampled_from(["take", "finish", "right", "wrong", "cancel"])),
)
@settings(max_examples=80)
def test_an_order_is_never_charged_for_more_than_was_agreed(units: int, done: int, verbs: list[str]) -> None:
    order, _ = elder.place_order(
        order_id="o",
        provider=provider(),
        resident_id="r",
        area_code=GRID,
        items=[OrderItem(code="MEAL", units=units, price_fen=9)],
        note="",
        by=WORKER,
        now=START,
    )
    acts: dict[str, Any] = {
        "take": lambda one: elder.take_order(one, by=MERCHANT, now=START),
        "finish": lambda one: elder.finish_order(
            one, receipt_number="R", items=[OrderItem(code="MEAL", units=done)], by=MERCHANT, now=START
        ),
        "right": lambda one: elder.judge_order(one, right=True, rating=5, reason="", by=WORKER, now=START),
        "wrong": lambda one: elder.judge_order(one, right=False, rating=1, reason="x", by=WORKER, now=START),
        "cancel": lambda one: elder.cancel_elder_order(one, reason="x", by=WORKER, now=START),
    }
    for verb in verbs:
        with contextlib.suppress(FailedPrecondition):
            order, _ = acts[verb](order)
        if order.receipt:
            assert order.receipt.total_fen == 1200 * done <= 1200 * units
        if order.state in (ElderOrderState.DONE, ElderOrderState.CONFIRMED):
            assert order.receipt


def test_nobody_confirms_their_own_receipt_or_anothers_order() -> None:
    order, _ = elder.place_order(
        order_id="o",
        provider=provider(),
        resident_id="r",
        area_code=GRID,
        items=[OrderItem(code="MEAL", units=1)],
        note="",
        by=WORKER,
        now=START,
    )
    with pytest.raises(PermissionDenied):
        elder.take_order(order, by=Caller(subject="other", roles=frozenset({"MERCHANT"})), now=START)
    with pytest.raises(PermissionDenied):
        elder.judge_order(order, right=True, rating=0, reason="", by=Caller(subject="shop"), now=START)
    taken, _ = elder.take_order(order, by=MERCHANT, now=START)
    with pytest.raises(InvalidArgument):
        elder.finish_order(taken, receipt_number="R", items=[OrderItem(code="CAB", units=1)], by=MERCHANT, now=START)


@given(born=st.dates(dt.date(1920, 1, 1), dt.date(2010, 12, 31)), age=st.sampled_from([18, 60, 65, 80]))
@settings(max_examples=300)
def test_everybody_reaches_an_age_on_one_day(born: dt.date, age: int) -> None:
    day = dt.date.fromisoformat(reached_on(born.isoformat(), age))
    around = [day + dt.timedelta(days=step) for step in range(-400, 401)]
    assert [one for one in around if born.isoformat() in births_of(frozenset({one}), age)] == [day]

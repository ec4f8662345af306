"""Disputes under mediators acting in any order; the rules beside them are written down a second time, in words."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import msgspec
import pytest
from binglian.mediation.v1 import dispute_pb2, events_pb2
from google.protobuf import json_format
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mediation import dispute_codes
from mediation.domain import dispute as dispute_module
from mediation.domain.dispute import (
    AgreementStatus,
    Attendance,
    Dispute,
    DisputeState,
    Mediator,
    PoliceGround,
    RecusalGround,
    ReminderKind,
)
from mediation.domain.dispute_facts import AgreementReached, MediationReminderDue
from mediation.domain.dispute_workflow import AGREEMENT_TRANSITIONS, DISPUTE_TRANSITIONS
from mediation.operations import agreements, disputes
from svckit.documents import Form
from svckit.errors import ServiceError
from svckit.messages import event_json, event_type, to_message

from .builders import START, ids
from .dispute_builders import ALL_SIGN, BOTH, CHAIR, NUMBER, agreed_to, drafted, mediating, opened, signatures, signed, term

ROWS = {(row.source, row.target) for row in DISPUTE_TRANSITIONS}
AGREEMENT_ROWS = {(row.source, row.target) for row in AGREEMENT_TRANSITIONS}
CODES = list(AgreementStatus)
NO_MEDIATION = {DisputeState.STOPPED, DisputeState.ENDED}


def test_the_agreement_table_is_that_of_the_codes() -> None:
    text = resources.files("mediation").joinpath("codes/agreement_status.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["code"] for row in rows] == [f"A{number}" for number in range(len(CODES))]
    told = {(CODES[int(row["code"][1])], CODES[int(after[1])]) for row in rows for after in row["next"].split(";") if after}
    assert told == AGREEMENT_ROWS


def test_every_kind_of_dispute_has_a_limit_and_an_answer() -> None:
    for code in dispute_codes.categories():
        assert dispute_codes.mediable(code) in ("Y", "N", "C")
        assert dispute_codes.limit_of(code).limit.minutes > 0
    assert dispute_codes.mediable(dispute_codes.VIOLENCE) == "N"


# Where a history begins: chance alone would seldom come to an agreement.
STAGES = (
    lambda category: opened(category=category),
    lambda category: agreed_to(opened(category=category)),
    lambda category: mediating(category=category),
    lambda category: drafted(category=category),
    lambda category: signed(category=category),
    lambda category: signed(category=category),
)


class Mediations(RuleBasedStateMachine):
    """One dispute; somebody with every right tries whatever comes to mind, in any order, while time passes."""

    @initialize(stage=st.sampled_from(STAGES), category=st.sampled_from(["0202", "07", "0501", "0101", "02"]))
    def begin(self, stage: Any, category: str) -> None:
        self.dispute = stage(category)
        self.now = START
        self.new_id = ids()
        self.reached = int(self.dispute.state is DisputeState.AGREED)
        self.reminded: Counter[tuple[ReminderKind, datetime]] = Counter()

    def act(self, verb: Any, **arguments: Any) -> bool:
        """Calls one operation; a refusal must leave no trace."""
        before = self.dispute
        try:
            after, facts = verb(before, by=CHAIR, now=self.now, **arguments)
        except ServiceError:
            assert self.dispute is before
            return False
        self.check(before, after, facts)
        self.dispute = after
        return True

    def check(self, before: Dispute, after: Dispute, facts: tuple[Any, ...]) -> None:
        if after.state is not before.state:
            assert (before.state, after.state) in ROWS or len(after.steps) - len(before.steps) > 1
        old, new = before.agreement, after.agreement
        if old and new and old.status is not new.status:
            assert (old.status, new.status) in AGREEMENT_ROWS
        assert after.steps[: len(before.steps)] == before.steps
        assert after.changed_at > before.changed_at or after is before
        self.reached += sum(isinstance(fact, AgreementReached) for fact in facts)

    # ------------------------------------------------------------------------------------------------------------- acting

    @rule(hours=st.integers(0, 400))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        before = self.dispute
        after, facts = disputes.remind(before, now=self.now)
        for fact in facts:
            if isinstance(fact, MediationReminderDue):
                self.reminded[fact.kind, fact.due_at] += 1
        self.dispute = after
        assert disputes.remind(after, now=self.now) == (after, ())

    @rule(who=st.sampled_from(BOTH), given=st.sampled_from([True] * 19 + [False]))
    def a_party_says(self, who: str, given: bool) -> None:
        self.act(disputes.record_consent, party_id=who, given=given)

    @rule(who=st.sampled_from(["m1", "m2", "m3"]), accepted=st.sampled_from([(), BOTH[:1], BOTH, BOTH]))
    def somebody_is_appointed(self, who: str, accepted: tuple[str, ...]) -> None:
        mediator = Mediator(subject=who, name=who, appointed_at=self.now, accepted_by=accepted)
        self.act(disputes.appoint_mediator, mediator=mediator)

    @rule(who=st.sampled_from(BOTH))
    def a_party_accepts(self, who: str) -> None:
        self.act(disputes.accept_mediator, party_id=who)

    @rule()
    def the_mediator_steps_back(self) -> None:
        self.act(disputes.recuse_mediator, ground=RecusalGround.PARTY_OBJECTS, reason="x")

    @rule()
    def it_begins(self) -> None:
        self.act(disputes.begin_mediation)

    @rule()
    def a_session_is_held(self) -> None:
        came = tuple(Attendance(party_id=each, present=True) for each in BOTH)
        self.act(disputes.record_session, record="x", attendance=came, method="02", new_id=self.new_id)

    @rule(pause=st.booleans())
    def the_clock_is_touched(self, pause: bool) -> None:
        if pause:
            self.act(disputes.pause_clock, reason="x")
        else:
            self.act(disputes.resume_clock)

    @rule(days=st.integers(-1, 100))
    def it_is_extended(self, days: int) -> None:
        due = self.dispute.clock.due_at if self.dispute.clock else self.now
        self.act(disputes.extend_mediation, until=due + timedelta(days=days), agreed_by=BOTH)

    @rule(ground=st.sampled_from([PoliceGround.PUBLIC_ORDER] * 20 + list(PoliceGround)))
    def the_police_is_told(self, ground: PoliceGround) -> None:
        self.act(disputes.inform_police, ground=ground)

    @rule(result=st.sampled_from(["03", "04", "06", "01", "10"]), told=st.sampled_from([(), BOTH]))
    def it_is_ended(self, result: str, told: tuple[str, ...]) -> None:
        if self.dispute.agreement:  # else few histories would come far
            self.act(disputes.end_mediation, result=result, text="x", told=told)

    @rule(told=st.sampled_from([BOTH[:1], BOTH]))
    def they_are_told(self, told: tuple[str, ...]) -> None:
        self.act(disputes.notify_remedies, told=told, way="x")

    @rule(touches=st.booleans())
    def it_is_drafted(self, touches: bool) -> None:
        self.act(agreements.draft_agreement, number=NUMBER, facts="x", terms=(term(),), touches_status=touches)

    @rule(who=st.sampled_from([ALL_SIGN, ALL_SIGN[:2], ALL_SIGN[2:], ALL_SIGN[1:3]]))
    def some_sign(self, who: tuple[str, ...]) -> None:
        self.act(agreements.sign_agreement, signatures=signatures(*who, at=self.now))

    @rule()
    def they_shake_hands(self) -> None:
        if self.dispute.police_notes:
            self.act(agreements.agree_orally, number=NUMBER, facts="x", terms=(term(),))

    @rule(status=st.sampled_from(AgreementStatus))
    def the_agreement_moves(self, status: AgreementStatus) -> None:
        self.act(agreements.change_agreement, status=status)

    @rule(confirmed=st.booleans())
    def a_court_is_asked(self, confirmed: bool) -> None:
        if not self.act(agreements.apply_confirmation, court="x", applicants=BOTH):
            self.act(agreements.decide_confirmation, confirmed=confirmed, reference="x")

    @rule(performed=st.booleans())
    def a_visit_is_made(self, performed: bool) -> None:
        self.act(agreements.record_visit, text="x", performed=performed)

    @rule()
    def it_is_closed(self) -> None:
        self.act(agreements.close_dispute)

    # ------------------------------------------------------------------------------------------------------------- always

    @invariant()
    def whoever_mediates_was_accepted_and_everybody_consented(self) -> None:
        dispute = self.dispute
        for session in dispute.sessions:
            mediator = next(each for each in dispute.mediators if each.subject == session.mediator)
            assert set(BOTH) <= set(mediator.accepted_by)
        if dispute.state in (DisputeState.MEDIATING, DisputeState.AGREED, DisputeState.CLOSED):
            assert all(party.consent == "given" for party in dispute.parties)

    @invariant()
    def an_agreement_in_effect_was_signed_by_all(self) -> None:
        dispute, agreement = self.dispute, self.dispute.agreement
        in_effect = agreement is not None and agreement.effective_at is not None
        if dispute.state in (DisputeState.AGREED, DisputeState.CLOSED):
            assert agreement
            assert in_effect or agreement.status is AgreementStatus.DRAFT
            assert self.reached >= 1
        if agreement and in_effect:
            assert agreement.oral or {each.signer for each in agreement.signatures} == set(ALL_SIGN)
        if dispute.state is DisputeState.MEDIATING:
            assert self.reached == 0

    @invariant()
    def failure_is_over_only_when_told(self) -> None:
        dispute = self.dispute
        violent = dispute.category == dispute_codes.VIOLENCE
        if dispute.state is DisputeState.ENDED and dispute.result in ("04", "05", "07") and not violent:
            assert dispute.notice
            assert set(dispute.notice.told) == set(BOTH)
        assert (dispute.ended_at is not None) == (dispute.state in (DisputeState.ENDED, DisputeState.CLOSED))

    @invariant()
    def the_clock_stands_when_it_is_over(self) -> None:
        clock = self.dispute.clock
        if self.dispute.state in NO_MEDIATION | {DisputeState.AGREED, DisputeState.CLOSED}:
            assert clock is None or clock.met_at is not None

    @invariant()
    def nothing_is_told_twice_and_nothing_forgotten(self) -> None:
        kinds = Counter(kind for (kind, _), count in self.reminded.items() for _ in range(count))
        assert all(count <= max(1, self.reached) for kind, count in kinds.items() if kind is not ReminderKind.PERFORMANCE)
        waiting = [each for each in self.dispute.reminders if each.fired_at is None and each.done_at is None]
        assert not waiting or self.dispute.next_due_at is not None
        assert self.dispute.next_due_at is None or self.dispute.next_due_at <= min(
            (each.remind_at for each in waiting), default=datetime.max.replace(tzinfo=START.tzinfo)
        )


TestMediations = Mediations.TestCase
TestMediations.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)


# ------------------------------------------------------------------------------------------------------------ the contract

PARTS = [
    "Party", "Committee", "Mediator", "Attendance", "Session", "Term", "Signature", "StatusChange", "Confirmation", "Agreement",
    "Visit", "Reminder", "PoliceNote", "RemediesNotice", "DisputeStep", "Dispute",
]  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_a_dispute_has_the_fields_of_its_message(name: str) -> None:
    fields = {field.name for field in dispute_pb2.DESCRIPTOR.message_types_by_name[name].fields}
    assert set(getattr(dispute_module, name).__struct_fields__) - {"next_due_at"} == fields
    assert set(PARTS) == set(dispute_pb2.DESCRIPTOR.message_types_by_name)


@pytest.mark.parametrize("dispute", [opened(), drafted(), signed()], ids=["opened", "drafted", "signed"])
def test_a_dispute_is_the_same_after_the_database(dispute: Dispute) -> None:
    form = Form(Dispute, id_field="dispute_id")
    document = {**form.changed(None, dispute), "_id": dispute.dispute_id}
    assert form.state(document) == dispute
    raw = {**document, "dispute_id": document["_id"]}
    assert to_message(dispute_pb2.Dispute, raw) == to_message(dispute_pb2.Dispute, dispute)
    assert msgspec.to_builtins(dispute)


def test_facts_of_disputes_are_the_json_of_their_messages() -> None:
    refusing = disputes.record_consent(opened(), party_id=BOTH[0], given=False, by=CHAIR, now=START)
    performing = agreements.change_agreement(signed(), status=AgreementStatus.PERFORMING, by=CHAIR, now=START)
    for _, facts in (refusing, performing, disputes.remind(signed(), now=START + timedelta(days=400))):
        assert facts
        for fact in facts:
            message = getattr(events_pb2, type(fact).__name__)()
            json_format.Parse(event_json(fact), message)
            assert message == to_message(type(message), fact)
            assert event_type(fact).startswith("mediation.")

"""Every guard of disputes and agreements, with the reason it gives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from mediation import dispute_codes
from mediation.domain import Calendar, CaseState, Light
from mediation.domain.dispute import (
    COMMITTEE,
    MEDIATOR,
    AgreementStatus,
    Attendance,
    Committee,
    DisputeState,
    Mediator,
    PartySide,
    PoliceGround,
    RecusalGround,
    ReminderKind,
)
from mediation.operations import agreements, disputes
from mediation.operations.dispute_flow import confirm_until, end_of_day
from mediation.policies import disputes as rules
from mediation.policies.protecting import check_texts
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

from .builders import DISPATCHER, RESIDENT, START, WORKER, names, refused, reported
from .builders import department as someone_of
from .dispute_builders import (
    ALL_SIGN,
    ANNA,
    BOARD,
    BORIS,
    BOTH,
    CHAIR,
    JUDGE,
    NUMBER,
    OTHER,
    POLICE,
    THIRD,
    agreed_to,
    drafted,
    mediating,
    met,
    opened,
    party,
    signatures,
    signed,
    term,
)

BY = {"by": JUDGE, "now": START}
LATER = START + timedelta(hours=1)


def days(number: float) -> dict[str, object]:
    return {"by": JUDGE, "now": START + timedelta(days=number)}


# ------------------------------------------------------------------------------------------------------------ what is mediated


def test_violence_at_home_is_never_mediated() -> None:
    refused("POLICE_FIRST", opened, category="0105", kind=FailedPrecondition)
    refused("POLICE_FIRST", opened, case=reported(category="A0105"), category="0101")


@pytest.mark.parametrize("category", ["19", "20"])
def test_fraud_and_administration_are_handed_over(category: str) -> None:
    refused("NEVER_MEDIATED", opened, category=category)


def test_a_kind_mediated_in_part_says_which_part() -> None:
    assert refused("CONDITION_REQUIRED", opened, category="0404") == "condition"
    assert opened(category="0404", condition="赔偿部分").condition == "赔偿部分"


def test_unknown_kinds_and_cases_that_are_none_are_refused() -> None:
    assert refused("UNKNOWN_CATEGORY", opened, category="0299") == "category"
    refused("NOT_A_DISPUTE", opened, case=reported(category="C0101"))
    refused("WRONG_STATE", opened, case=replace(reported(category="A0202"), state=CaseState.CLOSED))
    refused("ROLE_REQUIRED", opened, by=RESIDENT, kind=PermissionDenied)


def test_what_an_application_needs() -> None:
    alone = (party(ANNA, PartySide.APPLICANT, "王小明"), party(BORIS, PartySide.THIRD, "李芳"))
    refused("PARTIES_MISSING", opened, parties=alone)
    wrong = (replace(alone[0], type="77"), alone[1])
    assert refused("UNKNOWN_CODE", opened, parties=wrong) == "parties[0].type"
    agent = (alone[0], replace(alone[1], agent_name="周倩"))
    assert refused("AUTHORITY_REQUIRED", opened, parties=agent) == "parties[1].agent_authority"
    dispute = opened(people_involved=40)
    assert (dispute.scale, dispute.people_involved, dispute.state) == ("03", 40, DisputeState.REGISTERED)


def test_an_identity_number_is_kept_by_its_ends() -> None:
    assert opened().parties[0].id_number == "420502***********7"
    assert disputes.masked("E1234567") == "*******7"
    assert disputes.masked("") == ""


# ------------------------------------------------------------------------------------------------------------ consent


def test_nothing_begins_without_everybodys_consent() -> None:
    dispute = agreed_to(opened())
    silent = replace(dispute, parties=opened().parties)
    refused("CONSENT_MISSING", disputes.begin_mediation, silent, **BY)
    refused("CONSENT_MISSING", disputes.record_session, _with_newcomer(), record="x", attendance=(), new_id=str, **BY)


def _with_newcomer() -> object:
    return disputes.add_party(mediating(), party=party(THIRD, PartySide.THIRD, "物业公司"), **BY)[0]  # type: ignore[arg-type]


def test_whoever_refuses_ends_it_also_midway() -> None:
    for dispute in (opened(), mediating()):
        stopped, facts = disputes.record_consent(dispute, party_id=BORIS, given=False, text="不同意", by=JUDGE, now=LATER)
        assert (stopped.state, stopped.result) == (DisputeState.STOPPED, "05")
        assert names(facts) == ["MediationEnded"]
        assert [each.kind for each in stopped.reminders] == [ReminderKind.REMEDIES]
        assert stopped.clock is None or stopped.clock.met_at == LATER
        refused("WRONG_STATE", disputes.record_consent, stopped, party_id=BORIS, given=True, **BY)


def test_consent_of_nobody_we_know() -> None:
    assert refused("UNKNOWN_PARTY", disputes.record_consent, opened(), party_id=THIRD, given=True, **BY) == "party_id"


# ------------------------------------------------------------------------------------------------------------ the mediator


def _appoint(dispute: object, **fields: object) -> object:
    mediator = Mediator(**({"subject": "m", "name": "赵敏", "appointed_at": START} | fields))  # type: ignore[arg-type]
    return disputes.appoint_mediator(dispute, mediator=mediator, by=CHAIR, now=START)[0]  # type: ignore[arg-type]


def test_who_is_near_to_a_party_does_not_mediate() -> None:
    refused("MEDIATOR_CONFLICT", _appoint, opened(), name="王小明")
    refused("MEDIATOR_CONFLICT", _appoint, replace(opened(), parties=(replace(opened().parties[0], subject="m"),)))
    mediator = Mediator(subject="m", name="赵敏", appointed_at=START)
    declared = [RecusalGround.RELATIVE]
    refused("MEDIATOR_CONFLICT", disputes.appoint_mediator, opened(), mediator=mediator, declared=declared, **BY)
    refused("MEDIATOR_IN_OFFICE", _appoint, _appoint(opened()))


def test_the_parties_accept_the_mediator() -> None:
    dispute = replace(agreed_to(opened()), mediators=())
    refused("MEDIATOR_MISSING", disputes.begin_mediation, dispute, **BY)
    refused("MEDIATOR_MISSING", disputes.accept_mediator, dispute, party_id=ANNA, **BY)
    proposed = _appoint(dispute)
    refused("MEDIATOR_NOT_ACCEPTED", disputes.begin_mediation, proposed, by=CHAIR, now=START)
    for party_id in BOTH:
        proposed = disputes.accept_mediator(proposed, party_id=party_id, by=CHAIR, now=START)[0]  # type: ignore[arg-type]
    again, facts = disputes.accept_mediator(proposed, party_id=ANNA, by=CHAIR, now=START)  # type: ignore[arg-type]
    assert (again, facts) == (proposed, ())
    assert disputes.begin_mediation(again, by=CHAIR, now=START)[0].state is DisputeState.MEDIATING


def _recuse(dispute: object, **fields: object) -> tuple[object, tuple[object, ...]]:
    given = {"ground": RecusalGround.RELATIVE, "reason": "与李芳为表亲"} | BY
    return disputes.recuse_mediator(dispute, **(given | fields))  # type: ignore[arg-type,return-value]


def test_the_chair_stands_in_and_has_to_be_accepted() -> None:
    dispute, facts = _recuse(mediating())
    assert names(facts) == ["MediatorRecused"]
    assert dispute.mediator.subject == "chair-1"  # type: ignore[attr-defined]
    attendance = tuple(Attendance(party_id=each) for each in BOTH)
    session = {"record": "x", "attendance": attendance, "new_id": str, "by": CHAIR, "now": START}
    refused("MEDIATOR_NOT_ACCEPTED", disputes.record_session, dispute, **session)
    # Who stepped back neither comes back nor goes on.
    back = Mediator(subject=JUDGE.subject, name="赵敏", appointed_at=START)
    refused("MEDIATOR_CONFLICT", _recuse, dispute, substitute=back, by=CHAIR)
    refused("OTHER_MEDIATOR", disputes.record_session, dispute, **(session | {"by": JUDGE}))


def test_a_committee_without_a_chair_names_the_substitute() -> None:
    dispute = replace(mediating(), committee=Committee(code="1", name="x"))
    assert refused("SUBSTITUTE_REQUIRED", _recuse, dispute) == "substitute"
    refused("MEDIATOR_MISSING", _recuse, opened())


def test_another_mediator_has_no_part() -> None:
    refused("OTHER_MEDIATOR", disputes.end_mediation, mediating(), result="06", text="x", by=OTHER, now=START)
    refused("ROLE_REQUIRED", disputes.end_mediation, mediating(), result="06", text="x", by=WORKER, now=START)


# ------------------------------------------------------------------------------------------------------------ sessions and time


def test_a_session_tells_of_every_party() -> None:
    given = {"record": "x", "new_id": str, **BY}
    one = (Attendance(party_id=ANNA, present=True),)
    assert refused("ATTENDANCE_INCOMPLETE", disputes.record_session, mediating(), attendance=one, **given) == "attendance"
    stranger = (*one, Attendance(party_id=THIRD))
    assert refused("UNKNOWN_PARTY", disputes.record_session, mediating(), attendance=stranger, **given) == "attendance[1]"
    both = (*one, Attendance(party_id=BORIS))
    future = {"attendance": both, "held_at": LATER, **given}
    assert refused("IN_FUTURE", disputes.record_session, mediating(), **future) == "held_at"
    early = future | {"held_at": START - timedelta(days=1)}
    assert refused("TOO_EARLY", disputes.record_session, mediating(), **early) == "held_at"
    refused("UNKNOWN_CODE", disputes.record_session, mediating(), **(future | {"held_at": None, "method": "77"}))
    full = replace(met(mediating()), sessions=met(mediating()).sessions * rules.MAX_SESSIONS)
    refused("TOO_MANY_SESSIONS", disputes.record_session, full, attendance=both, **given)
    assert met(met(mediating())).methods == ("02",)


def test_how_long_a_mediation_lasts() -> None:
    ordinary, medical, labour = (dispute_codes.limit_of(category) for category in ("0202", "07", "0501"))
    assert (ordinary.limit.minutes, ordinary.limit.calendar) == (30 * 1440, Calendar.STATUTORY)
    assert (medical.limit.minutes, medical.limit.calendar) == (30 * 450, Calendar.WORK)
    assert (labour.limit.minutes, labour.from_application) == (15 * 1440, True)
    dispute = disputes.begin_mediation(agreed_to(opened(category="0501")), by=JUDGE, now=START + timedelta(days=3))[0]
    assert dispute.clock
    assert dispute.clock.due_at == START + timedelta(days=15)


def test_extensions_are_agreed_on_and_bounded() -> None:
    dispute = mediating()
    assert dispute.clock
    until = dispute.clock.due_at + timedelta(days=10)
    extended = disputes.extend_mediation(dispute, until=until, agreed_by=BOTH, **BY)[0]  # type: ignore[arg-type]
    assert extended.clock
    assert extended.clock.due_at == until
    assert refused("NOT_ALL_AGREED", disputes.extend_mediation, dispute, until=until, agreed_by=(ANNA,), **BY) == "agreed_by"
    for wrong in (START, dispute.clock.due_at + timedelta(days=91)):
        refused("EXTENSION_OUT_OF_BOUNDS", disputes.extend_mediation, dispute, until=wrong, agreed_by=BOTH, **BY)
    refused("NOT_EXTENDABLE", disputes.extend_mediation, mediating(category="0501"), until=until, agreed_by=BOTH, **BY)


def test_the_clock_pauses_for_an_appraisal_only() -> None:
    refused("NOT_PAUSABLE", disputes.pause_clock, mediating(), reason="鉴定", **BY)
    dispute = mediating(category="07")
    refused("CLOCK_RUNS", disputes.resume_clock, dispute, **BY)
    paused = disputes.pause_clock(dispute, reason="鉴定", **BY)[0]  # type: ignore[arg-type]
    refused("CLOCK_STOPPED", disputes.pause_clock, paused, reason="鉴定", **BY)
    refused("CLOCK_STOPPED", disputes.extend_mediation, paused, until=LATER, agreed_by=BOTH, **BY)
    resumed = disputes.resume_clock(paused, by=JUDGE, now=START + timedelta(days=7))[0]
    assert dispute.clock
    assert resumed.clock
    assert resumed.clock.due_at == dispute.clock.due_at + timedelta(days=7)


# ------------------------------------------------------------------------------------------------------------ the police


def test_violence_ends_and_hides_it() -> None:
    for dispute in (opened(), mediating(), signed()):
        ended, facts = disputes.inform_police(dispute, ground=PoliceGround.VIOLENCE, text="已报110", **BY)  # type: ignore[arg-type]
        assert (ended.state, ended.category, ended.reminders) == (DisputeState.ENDED, "0105", ())
        assert names(facts) == ["PoliceInformed", "MediationEnded"]
        for person in (JUDGE, OTHER, someone_of("JUST")):
            refused("DISPUTE_NOT_FOUND", rules.check_dispute_visible, ended, person, kind=NotFound)
        for person in (POLICE, CHAIR, DISPATCHER):
            rules.check_dispute_visible(ended, person)


def test_a_penal_matter_ends_it_public_order_does_not() -> None:
    stopped, _ = disputes.inform_police(mediating(), ground=PoliceGround.PENAL_MATTER, **BY)  # type: ignore[arg-type]
    assert (stopped.state, stopped.result) == (DisputeState.STOPPED, "07")
    noted, facts = disputes.inform_police(mediating(), ground=PoliceGround.PUBLIC_ORDER, **BY)  # type: ignore[arg-type]
    assert (noted.state, len(noted.police_notes), names(facts)) == (DisputeState.MEDIATING, 1, ["PoliceInformed"])
    refused("WRONG_STATE", disputes.inform_police, signed(), ground=PoliceGround.PENAL_MATTER, **BY)


def test_who_sees_disputes() -> None:
    dispute = opened()
    for person in (JUDGE, OTHER, CHAIR, DISPATCHER, someone_of("JUST"), someone_of("PMC")):
        rules.check_dispute_visible(dispute, person)
    elsewhere = Caller("x", roles=frozenset({"GRID_MEDIATOR"}), area="420502001004")
    for person in (RESIDENT, elsewhere, someone_of("FIRE"), POLICE):
        refused("DISPUTE_NOT_FOUND", rules.check_dispute_visible, dispute, person)
    own = replace(dispute, department="HRSS")
    rules.check_dispute_visible(own, someone_of("HRSS"))
    refused("STALE_REVISION", rules.check_dispute_revision, replace(dispute, revision=3), 2)


# ------------------------------------------------------------------------------------------------------------ the end


def test_a_failure_is_over_when_everybody_knows_the_remedies() -> None:
    failed = disputes.end_mediation(mediating(), result="04", text="分歧大", **BY)[0]  # type: ignore[arg-type]
    assert failed.state is DisputeState.STOPPED
    assert refused("NOT_ALL_TOLD", disputes.notify_remedies, failed, told=(ANNA,), way="当面", **BY) == "told"
    over, facts = disputes.notify_remedies(failed, told=BOTH, way="当面", by=JUDGE, now=LATER)
    assert (over.state, over.ended_at, names(facts)) == (DisputeState.ENDED, LATER, ["RemediesNotified"])
    assert over.reminders[0].done_at == LATER
    at_once = disputes.end_mediation(mediating(), result="04", text="x", told=BOTH, way="当面", **BY)[0]  # type: ignore[arg-type]
    assert (at_once.state, at_once.notice is None) == (DisputeState.ENDED, False)
    settled = disputes.end_mediation(mediating(), result="03", text="x", **BY)[0]  # type: ignore[arg-type]
    assert settled.state is DisputeState.ENDED


@pytest.mark.parametrize(("result", "reason"), [("01", "AGREEMENT_NEEDED"), ("10", "UNKNOWN_CODE"), ("77", "UNKNOWN_CODE")])
def test_results_that_end_nothing(result: str, reason: str) -> None:
    assert refused(reason, disputes.end_mediation, mediating(), result=result, text="x", kind=InvalidArgument, **BY) == "result"


# ------------------------------------------------------------------------------------------------------------ the agreement


def _draft(dispute: object, **fields: object) -> object:
    given = {"number": NUMBER, "facts": "x", "terms": (term(),)} | BY
    return agreements.draft_agreement(dispute, **(given | fields))  # type: ignore[arg-type]


def test_what_an_agreement_says() -> None:
    refused("SESSION_MISSING", _draft, mediating())
    dispute = met(mediating())
    assert refused("TERMS_MISSING", _draft, dispute, terms=()) == "terms"
    assert refused("UNKNOWN_PARTY", _draft, dispute, terms=(term(obligor=THIRD),)) == "terms[0].obligor"
    assert refused("SAME_PARTY", _draft, dispute, terms=(term(), term(obligor=ANNA))) == "terms[1].obligee"
    assert refused("INVALID_DATE", _draft, dispute, terms=(term(due_on="2026-02-30"),)) == "terms[0].due_on"
    refused("WRONG_STATE", _draft, opened())
    drafted_already = drafted()
    refused("AGREEMENT_DRAFTED", disputes.add_party, drafted_already, party=party(THIRD, PartySide.THIRD, "x"), **BY)


def test_everybody_signs_once() -> None:
    dispute = drafted()
    refused("NO_AGREEMENT", agreements.sign_agreement, met(mediating()), signatures=signatures(ANNA), **BY)
    stranger = agreements.sign_agreement
    assert refused("UNKNOWN_PARTY", stranger, dispute, signatures=signatures(THIRD), **BY) == "signatures[0].signer"
    twice = signatures(ANNA, ANNA)
    assert refused("SIGNED_TWICE", agreements.sign_agreement, dispute, signatures=twice, **BY) == "signatures[1].signer"
    ahead = signatures(ANNA, at=LATER)
    assert refused("IN_FUTURE", agreements.sign_agreement, dispute, signatures=ahead, **BY) == "signatures[0].at"
    for missing in ALL_SIGN:
        some = signatures(*(signer for signer in ALL_SIGN if signer != missing))
        waiting, facts = agreements.sign_agreement(dispute, signatures=some, **BY)  # type: ignore[arg-type]
        assert (waiting.state, facts) == (DisputeState.MEDIATING, ())
        whole, facts = agreements.sign_agreement(waiting, signatures=signatures(missing), by=JUDGE, now=LATER)
        assert (whole.state, whole.result, names(facts)) == (DisputeState.AGREED, "01", ["AgreementReached"])
    redrafted = _draft(waiting)[0]  # type: ignore[index]
    assert (redrafted.agreement.signatures, redrafted.agreement.version) == ((), 2)
    assert redrafted.agreement.number == NUMBER
    refused("AGREEMENT_STATUS", _draft, signed())


def test_the_list_that_follows_an_agreement() -> None:
    dispute = signed()
    assert dispute.agreement
    assert dispute.clock
    assert dispute.clock.met_at
    due = {each.kind: each for each in dispute.reminders}
    assert due[ReminderKind.FIRST_VISIT].due_at == START + timedelta(days=7)
    assert due[ReminderKind.SECOND_VISIT].due_at == START + timedelta(days=30)
    assert due[ReminderKind.CONFIRMATION].remind_at == START
    assert due[ReminderKind.CONFIRMATION].due_at == dispute.agreement.confirm_until == confirm_until(START)
    assert due[ReminderKind.PERFORMANCE].due_at == end_of_day(START.date().replace(month=12, day=15))
    # 16 November and 30 days is 16 December, a Wednesday; its end in Shanghai.
    assert confirm_until(START).isoformat() == "2026-12-16T16:00:00+00:00"
    # 20 November and 30 days is a Sunday: courts are open again on Monday.
    assert confirm_until(START + timedelta(days=4)).isoformat() == "2026-12-21T16:00:00+00:00"


def test_an_oral_agreement_has_no_court_and_one_visit() -> None:
    dispute, facts = agreements.agree_orally(met(mediating()), number=NUMBER, facts="x", terms=(term(),), **BY)  # type: ignore[arg-type]
    assert (dispute.state, dispute.result, names(facts)) == (DisputeState.AGREED, "02", ["AgreementReached"])
    assert {each.kind for each in dispute.reminders} == {ReminderKind.FIRST_VISIT, ReminderKind.PERFORMANCE}
    refused("CONFIRMATION_NOT_AVAILABLE", agreements.apply_confirmation, dispute, court="x", applicants=BOTH, **BY)


# ------------------------------------------------------------------------------------------------------------ the court


def test_the_joint_application() -> None:
    dispute = signed()
    assert dispute.agreement
    assert dispute.agreement.confirm_until
    apply = agreements.apply_confirmation
    assert refused("NOT_JOINT", apply, dispute, court="x", applicants=(ANNA,), **BY) == "applicants"
    late = {"by": JUDGE, "now": dispute.agreement.confirm_until}
    refused("CONFIRMATION_LATE", apply, dispute, court="x", applicants=BOTH, **late)
    last = dispute.agreement.confirm_until - timedelta(milliseconds=1)
    applied, facts = apply(dispute, court="西陵区人民法院", applicants=BOTH, by=JUDGE, now=last)
    assert names(facts) == ["AgreementChanged"]
    refused("AGREEMENT_STATUS", apply, applied, court="x", applicants=BOTH, **BY)
    open_kinds = {each.kind for each in applied.reminders if each.done_at is None}
    assert not open_kinds & {ReminderKind.CONFIRMATION, ReminderKind.CONFIRMATION_LAST}


@pytest.mark.parametrize("fields", [{"touches_status": True}, {"category": "0101"}])
def test_no_court_confirms_marriage_itself(fields: dict[str, object]) -> None:
    dispute = signed(**fields)  # type: ignore[arg-type]
    refused("CONFIRMATION_NOT_AVAILABLE", agreements.apply_confirmation, dispute, court="x", applicants=BOTH, **BY)
    assert ReminderKind.CONFIRMATION not in {each.kind for each in dispute.reminders}


def _decided(confirmed: bool) -> object:
    applied = agreements.apply_confirmation(signed(), court="x", applicants=BOTH, **BY)[0]  # type: ignore[arg-type]
    return agreements.decide_confirmation(applied, confirmed=confirmed, reference="(2026)鄂01调确1号", **BY)[0]  # type: ignore[arg-type]


def _change(dispute: object, status: AgreementStatus, by: Caller = JUDGE) -> object:
    return agreements.change_agreement(dispute, status=status, by=by, now=START)[0]  # type: ignore[arg-type]


def test_only_what_a_court_confirmed_is_enforced() -> None:
    performing = _change(signed(), AgreementStatus.PERFORMING)
    defaulted = _change(performing, AgreementStatus.DEFAULTED)
    refused("NOT_CONFIRMED", _change, defaulted, AgreementStatus.ENFORCEMENT_APPLIED)
    confirmed = _decided(True)
    assert _change(confirmed, AgreementStatus.ENFORCEMENT_APPLIED).agreement.status == "enforcement_applied"  # type: ignore[attr-defined]
    refused("AGREEMENT_STATUS", _change, signed(), AgreementStatus.PERFORMED)
    busy = signed()
    assert busy.agreement
    busy = replace(busy, agreement=replace(busy.agreement, changes=busy.agreement.changes * 100))
    refused("TOO_MANY_CHANGES", _change, busy, AgreementStatus.PERFORMING)


def test_what_a_court_refused_is_agreed_on_anew() -> None:
    rejected = _decided(False)
    assert all(each.done_at for each in rejected.reminders)  # type: ignore[attr-defined]
    again, facts = _draft(rejected)  # type: ignore[misc]
    assert (again.agreement.status, names(facts)) == (AgreementStatus.DRAFT, ["AgreementChanged"])
    stopped = disputes.end_mediation(again, result="04", text="未再达成协议", **BY)[0]  # type: ignore[arg-type]
    assert stopped.state is DisputeState.STOPPED
    refused("AGREEMENT_IN_EFFECT", disputes.end_mediation, signed(), result="04", text="x", **BY)
    resigned = agreements.sign_agreement(again, signatures=signatures(*ALL_SIGN), **BY)[0]  # type: ignore[arg-type]
    assert (resigned.state, resigned.agreement.status) == (DisputeState.AGREED, AgreementStatus.EFFECTIVE)


def test_a_dispute_is_closed_after_the_visits() -> None:
    performed = _change(_change(signed(), AgreementStatus.PERFORMING), AgreementStatus.PERFORMED)
    refused("AGREEMENT_OPEN", agreements.close_dispute, signed(), **BY)
    refused("VISIT_MISSING", agreements.close_dispute, performed, **BY)
    for kind in (ReminderKind.FIRST_VISIT, ReminderKind.SECOND_VISIT):
        performed, facts = agreements.record_visit(performed, text="已履行", performed=True, **BY)  # type: ignore[arg-type,assignment]
        assert facts[0].kind is kind  # type: ignore[attr-defined]
    refused("NO_VISIT_DUE", agreements.record_visit, performed, text="x", performed=True, **BY)
    closed, facts = agreements.close_dispute(performed, **BY)  # type: ignore[arg-type]
    assert (closed.state, names(facts)) == (DisputeState.CLOSED, ["DisputeClosed"])


# ------------------------------------------------------------------------------------------------------------ reminders, words


def test_reminders_fire_once_and_lights_turn() -> None:
    dispute = mediating()
    assert dispute.clock
    assert disputes.remind(dispute, now=START) == (dispute, ())
    yellow, facts = disputes.remind(dispute, now=dispute.clock.yellow_at)
    assert (names(facts), yellow.clock.light) == (["MediationLightTurned"], Light.YELLOW)  # type: ignore[union-attr]
    agreed, facts = disputes.remind(signed(), now=START)
    assert [fact.kind for fact in facts] == [ReminderKind.CONFIRMATION]  # type: ignore[attr-defined]
    assert disputes.remind(agreed, now=START) == (agreed, ())
    rest, facts = disputes.remind(agreed, now=START + timedelta(days=60))
    assert (len(facts), rest.next_due_at) == (4, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("他是刑释人员", "RESTRICTED_CONTENT"), ("有前科", "RESTRICTED_CONTENT"), ("hiv阳性", "RESTRICTED_CONTENT")],
)
def test_what_must_not_be_kept_is_refused_in_any_field(text: str, reason: str) -> None:
    assert refused(reason, check_texts, {"parties": [{"name": "x"}, {"address": text}]}) == "parties[1].address"


def test_recordings_of_voices_are_refused_ordinary_words_are_not() -> None:
    voice = {"attachments": [{"uri": "oss://a/talk.MP3?x=1"}]}
    assert refused("RECORDING_NOT_ALLOWED", check_texts, voice) == "attachments[0].uri"
    check_texts({"record": "拖欠工资收入纠纷，门口安装人脸识别摄像头", "attachments": [{"uri": "oss://a/scan.pdf"}]})


def test_signers_are_named_once() -> None:
    assert {MEDIATOR, COMMITTEE}.isdisjoint(BOTH)
    assert BOARD.chair_subject == CHAIR.subject

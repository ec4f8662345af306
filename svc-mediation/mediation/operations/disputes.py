"""Verbs on a dispute from the application to the end of the mediation; agreements are in `operations.agreements`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, dispute_codes
from mediation.domain import Actor, Attachment, Case, ClockKind
from mediation.domain.discretion import discreet
from mediation.domain.dispute import (
    Attendance,
    Committee,
    Consent,
    Dispute,
    DisputeState,
    Mediator,
    Party,
    PoliceGround,
    PoliceNote,
    RecusalGround,
    RemediesNotice,
    ReminderKind,
    Session,
)
from mediation.domain.dispute_facts import (
    DisputeOpened,
    MediationBegun,
    MediatorRecused,
    PoliceInformed,
    RemediesNotified,
    SessionHeld,
)
from mediation.operations import dispute_flow as flow
from mediation.operations.dispute_flow import Outcome, remind
from mediation.policies import agreements, disputes
from svckit.errors import FailedPrecondition, InvalidArgument

__all__ = ["Outcome", "remind"]
_VISIBLE_ID = 8


def open_dispute(
    *,
    dispute_id: str,
    case: Case,
    category: str,
    description: str,
    committee: Committee,
    parties: Sequence[Party],
    by: Actor,
    now: datetime,
    people_involved: int = 0,
    condition: str = "",
    traceparent: str = "",
) -> Outcome:
    """Registers an application for mediation of what a case is about.

    Raises NeverMediated (POLICE_FIRST, NEVER_MEDIATED), InvalidArgument (category, condition, parties), WrongState.
    """
    disputes.check_opener(by)
    disputes.check_case_for_mediation(case)
    disputes.check_mediable(category, condition=condition)
    people = max(people_involved, len(parties))
    dispute = Dispute(
        dispute_id=dispute_id,
        case_id=case.case_id,
        case_number=case.number,
        category=category,
        state=DisputeState.REGISTERED,
        city=case.city,
        area_code=case.area_code,
        description=description,
        committee=committee,
        opened_at=now,
        changed_at=now,
        department=by.department,
        people_involved=people,
        scale=dispute_codes.scale_of(people),
        condition=condition,
        traceparent=traceparent,
    )
    for index, party in enumerate(parties):
        disputes.check_party(dispute, party, index=index)
        dispute = replace(dispute, parties=(*dispute.parties, _kept(party)))
    disputes.check_both_sides(dispute)
    fact = DisputeOpened(
        case_id=dispute.case_id,
        dispute_id=dispute_id,
        category=category,
        city=dispute.city,
        area_code=dispute.area_code,
        opened_at=now,
    )
    return flow.record(dispute, verb="open_dispute", by=by, now=now), (fact,)


def _kept(party: Party) -> Party:
    """Returns the party as it is stored: of an identity number only the ends, which the documents print; no consent yet."""
    return replace(party, id_number=masked(party.id_number), consent=Consent.UNSPECIFIED, consent_at=None)


def masked(id_number: str) -> str:
    """Returns the first six and the last character of an identity number (sensitive_field.csv), a short one as its last one."""
    if not id_number:
        return ""
    shown = 6 if len(id_number) > 2 * _VISIBLE_ID - 2 else 0
    return id_number[:shown] + "*" * (len(id_number) - shown - 1) + id_number[-1:]


def add_party(dispute: Dispute, *, party: Party, by: Actor, now: datetime) -> Outcome:
    """Adds a party; who mediates has to be accepted by it, and it has to consent, before anything goes on."""
    disputes.check_dispute_move(dispute, "add_party", by)
    disputes.check_party(dispute, party)
    if dispute.agreement is not None:
        raise FailedPrecondition("The agreement is drafted already.", reason="AGREEMENT_DRAFTED")
    parties = (*dispute.parties, _kept(party))
    people = max(dispute.people_involved, len(parties))
    scale = dispute_codes.scale_of(people)
    changed = flow.record(dispute, verb="add_party", by=by, now=now, parties=parties, people_involved=people, scale=scale)
    return changed, ()


def record_consent(dispute: Dispute, *, party_id: str, given: bool, by: Actor, now: datetime, text: str = "") -> Outcome:
    """Records what a party says to being mediated. Whoever refuses, also later, ends the mediation at once (art. 17, 26)."""
    disputes.check_dispute_move(dispute, "record_consent", by)
    party = disputes.find_party(dispute, party_id)
    consent = Consent.GIVEN if given else Consent.REFUSED
    said = replace(party, consent=consent, consent_at=now, consent_text=text)
    parties = tuple(said if each is party else each for each in dispute.parties)
    if given:
        return flow.record(dispute, verb="record_consent", by=by, now=now, remark=text, parties=parties), ()
    return flow.ended(dispute, result=dispute_codes.REFUSED, verb="record_consent", by=by, now=now, text=text, parties=parties)


def appoint_mediator(
    dispute: Dispute,
    *,
    mediator: Mediator,
    by: Actor,
    now: datetime,
    declared: Sequence[RecusalGround] = (),
) -> Outcome:
    """Names the mediator the parties chose, or the committee proposes. Raises MediatorConflict for ties to a party."""
    disputes.check_dispute_move(dispute, "appoint_mediator", by)
    disputes.check_appointment(dispute, mediator, declared=declared)
    for index, party_id in enumerate(mediator.accepted_by):
        disputes.find_party(dispute, party_id, field=f"accepted_by[{index}]")
    mediators = (*dispute.mediators, replace(mediator, appointed_at=now))
    return flow.record(dispute, verb="appoint_mediator", by=by, now=now, remark=mediator.subject, mediators=mediators), ()


def accept_mediator(dispute: Dispute, *, party_id: str, by: Actor, now: datetime) -> Outcome:
    """Records that a party accepts the mediator in office."""
    disputes.check_dispute_move(dispute, "accept_mediator", by)
    disputes.find_party(dispute, party_id)
    mediator = _in_office(dispute)
    if party_id in mediator.accepted_by:
        return dispute, ()
    accepted = replace(mediator, accepted_by=(*mediator.accepted_by, party_id))
    return flow.record(dispute, verb="accept_mediator", by=by, now=now, mediators=_put(dispute, mediator, accepted)), ()


def recuse_mediator(
    dispute: Dispute,
    *,
    ground: RecusalGround,
    reason: str,
    by: Actor,
    now: datetime,
    substitute: Mediator | None = None,
) -> Outcome:
    """Takes the mediator out of office and puts the substitute in, by default the chair of the committee; the parties accept anew."""
    disputes.check_dispute_move(dispute, "recuse_mediator", by)
    mediator = _in_office(dispute)
    gone = replace(mediator, recused_at=now, ground=ground, reason=reason)
    without = replace(dispute, mediators=_put(dispute, mediator, gone))
    following = substitute or _chair(dispute)
    disputes.check_appointment(without, following, declared=())
    mediators = (*without.mediators, replace(following, appointed_at=now))
    changed = flow.record(dispute, verb="recuse_mediator", by=by, now=now, remark=reason, mediators=mediators)
    fact = MediatorRecused(
        case_id=dispute.case_id,
        dispute_id=dispute.dispute_id,
        mediator=mediator.subject,
        substitute=following.subject,
        recused_at=now,
    )
    return changed, (fact,)


def _chair(dispute: Dispute) -> Mediator:
    committee = dispute.committee
    if not committee.chair_subject:
        message = "The committee names no chair: say who stands in."
        raise InvalidArgument(message, field="substitute", reason="SUBSTITUTE_REQUIRED")
    return Mediator(subject=committee.chair_subject, name=committee.chair_name, appointed_at=dispute.opened_at)


def _in_office(dispute: Dispute) -> Mediator:
    if dispute.mediator is None:
        raise FailedPrecondition("Nobody mediates this dispute yet.", reason="MEDIATOR_MISSING")
    return dispute.mediator


def _put(dispute: Dispute, old: Mediator, new: Mediator) -> tuple[Mediator, ...]:
    return tuple(new if each is old else each for each in dispute.mediators)


def begin_mediation(dispute: Dispute, *, by: Actor, now: datetime) -> Outcome:
    """Begins the mediation: everybody agreed to it and to the mediator; its clock runs. Raises FailedPrecondition naming who has not."""
    disputes.check_dispute_move(dispute, "begin_mediation", by)
    disputes.check_both_sides(dispute)
    disputes.check_consents(dispute)
    mediator = disputes.check_mediator_accepted(dispute)
    changes = flow.started_clock(dispute, now=now)
    changed = flow.record(
        dispute, verb="begin_mediation", by=by, now=now, state=DisputeState.MEDIATING, begun_at=now, **changes
    )
    fact = MediationBegun(
        case_id=dispute.case_id,
        dispute_id=dispute.dispute_id,
        mediator=mediator.subject,
        begun_at=now,
        due_at=changes["clock"].due_at,
    )
    return changed, (fact,)


def record_session(
    dispute: Dispute,
    *,
    record: str,
    attendance: Sequence[Attendance],
    by: Actor,
    now: datetime,
    new_id: Callable[[], str],
    held_at: datetime | None = None,
    length_minutes: int = 0,
    place: str = "",
    method: str = "",
    attachments: tuple[Attachment, ...] = (),
    next_at: datetime | None = None,
) -> Outcome:
    """Adds a session with its record and who came. Raises until everybody consents to the mediation and the mediator."""
    disputes.check_dispute_move(dispute, "record_session", by)
    disputes.check_consents(dispute)
    mediator = disputes.check_mediator_accepted(dispute)
    disputes.check_all_parties(
        dispute, [each.party_id for each in attendance], field="attendance", reason="ATTENDANCE_INCOMPLETE"
    )
    if len(dispute.sessions) >= disputes.MAX_SESSIONS:
        raise FailedPrecondition("This dispute has had too many sessions.", reason="TOO_MANY_SESSIONS")
    if method:
        disputes.check_code("mediation_method", method, field="method")
    at = disputes.check_past(held_at, now=now, since=dispute.begun_at or dispute.opened_at, field="held_at")
    session = Session(
        session_id=new_id(),
        held_at=at,
        mediator=mediator.subject,
        record=record,
        length_minutes=length_minutes,
        place=place,
        attendance=tuple(attendance),
        attachments=attachments,
        method=method,
        next_at=next_at,
    )
    methods = (*dispute.methods, method) if method and method not in dispute.methods else dispute.methods
    sessions = (*dispute.sessions, session)
    changed = flow.record(dispute, verb="record_session", by=by, now=now, sessions=sessions, methods=methods)
    fact = SessionHeld(case_id=dispute.case_id, dispute_id=dispute.dispute_id, session_id=session.session_id, held_at=at)
    return changed, (fact,)


def extend_mediation(dispute: Dispute, *, until: datetime, agreed_by: Sequence[str], by: Actor, now: datetime) -> Outcome:
    """Moves the limit, as all parties agreed (深圳条例 25). Raises for kinds the law limits, and unless everybody agreed."""
    disputes.check_dispute_move(dispute, "extend_mediation", by)
    disputes.check_extension(dispute, until)
    disputes.check_all_parties(dispute, agreed_by, field="agreed_by", reason="NOT_ALL_AGREED")
    assert dispute.clock is not None, "check_extension looks for the clock"
    longer = until - dispute.clock.due_at
    moved = replace(dispute.clock, due_at=until, yellow_at=dispute.clock.yellow_at + longer)
    clock = replace(moved, light=clocks.light_at(moved, now))
    return flow.record(dispute, verb="extend_mediation", by=by, now=now, remark=until.isoformat(), clock=clock), ()


def pause_clock(dispute: Dispute, *, reason: str, by: Actor, now: datetime) -> Outcome:
    """Stops the clock of a medical dispute while experts appraise it (医疗纠纷预防和处理条例 38)."""
    disputes.check_dispute_move(dispute, "pause_clock", by)
    disputes.check_pause(dispute, resumes=False)
    return flow.record(dispute, verb="pause_clock", by=by, now=now, remark=reason, **flow.stopped_clock(dispute, now=now)), ()


def resume_clock(dispute: Dispute, *, by: Actor, now: datetime) -> Outcome:
    """Lets the clock run on: the working time of the appraisal is added to the limit."""
    disputes.check_dispute_move(dispute, "resume_clock", by)
    disputes.check_pause(dispute, resumes=True)
    assert dispute.clock is not None, "check_pause looks for the clock"
    clock = clocks.reopen((dispute.clock,), ClockKind.RESOLVE, at=now)[0]
    return flow.record(dispute, verb="resume_clock", by=by, now=now, clock=clock), ()


def inform_police(dispute: Dispute, *, ground: PoliceGround, by: Actor, now: datetime, text: str = "") -> Outcome:
    """Notes that the police was told (art. 25). Violence at home ends the mediation and hides it; a penal matter ends it."""
    disputes.check_dispute_move(dispute, "inform_police", by)
    note = PoliceNote(at=now, by=by.subject, ground=ground, text=text)
    notes = (*dispute.police_notes, note)
    fact = PoliceInformed(
        case_id=dispute.case_id, dispute_id=dispute.dispute_id, ground=ground, area_code=dispute.area_code, informed_at=now
    )
    if ground is PoliceGround.VIOLENCE:
        (fact,) = discreet((replace(fact, ground=None),))
    if ground is PoliceGround.PUBLIC_ORDER:
        return flow.record(dispute, verb="inform_police", by=by, now=now, remark=text, police_notes=notes), (fact,)
    changes = {"category": dispute_codes.VIOLENCE} if ground is PoliceGround.VIOLENCE else {}
    unsuitable = dispute_codes.UNSUITABLE
    changed, facts = flow.ended(
        dispute, result=unsuitable, verb="inform_police", by=by, now=now, text=text, police_notes=notes, **changes
    )
    return changed, (fact, *facts)


def end_mediation(
    dispute: Dispute, *, result: str, text: str, by: Actor, now: datetime, told: Sequence[str] = (), way: str = ""
) -> Outcome:
    """Ends a mediation without an agreement; `told` names the parties who know their remedies already (then all of them)."""
    disputes.check_dispute_move(dispute, "end_mediation", by)
    agreements.check_result(result)
    agreements.check_no_agreement(dispute)
    if told:
        agreements.check_told(dispute, told)
    stopped, facts = flow.ended(dispute, result=result, verb="end_mediation", by=by, now=now, text=text)
    if not told or stopped.state is not DisputeState.STOPPED:
        return stopped, facts
    over, more = notify_remedies(stopped, told=told, way=way, by=by, now=now)
    return over, (*facts, *more)


def notify_remedies(dispute: Dispute, *, told: Sequence[str], way: str, by: Actor, now: datetime) -> Outcome:
    """Records that every party was told of arbitration, administration and court (art. 26): only then a failure is over."""
    disputes.check_dispute_move(dispute, "notify_remedies", by)
    agreements.check_told(dispute, told)
    notice = RemediesNotice(at=now, by=by.subject, way=way, told=tuple(told))
    reminders = flow.done(dispute.reminders, ReminderKind.REMEDIES, at=now)
    changed = flow.record(
        dispute,
        verb="notify_remedies",
        by=by,
        now=now,
        remark=way,
        state=DisputeState.ENDED,
        notice=notice,
        reminders=reminders,
        ended_at=now,
    )
    return changed, (RemediesNotified(case_id=dispute.case_id, dispute_id=dispute.dispute_id, notified_at=now),)

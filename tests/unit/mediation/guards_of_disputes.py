"""Every guard of applications and mediations, as rows."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from mediation.domain import CaseState
from mediation.domain.dispute import (
    Attendance,
    Committee,
    DisputeState,
    Mediator,
    PartySide,
    RecusalGround,
)
from mediation.operations import disputes
from mediation.policies import disputes as rules

from .builders import RESIDENT, START, WORKER, reported
from .builders import department as someone_of
from .dispute_builders import (
    ANNA,
    CHAIR,
    JUDGE,
    OTHER,
    THIRD,
    agreed_to,
    drafted,
    mediating,
    met,
    opened,
    party,
    signed,
)
from .dispute_steps import (
    BY,
    CONFLICT,
    EVERY_PARTY,
    NO_MEDIATOR,
    POLICE_FIRST,
    appointed,
    ended,
    extended,
    heard,
    joined,
    paused,
    recused,
    written,
)
from .guarding import Guard

APPLYING = (
    Guard(
        "a dispute of another department",
        "DISPUTE_NOT_FOUND",
        "Dispute 01930000-0000-7000-8000-0000000000d1 does not exist.",
        lambda: rules.check_dispute_visible(opened(), someone_of("FIRE")),
    ),
    Guard(
        "a dispute that changed meanwhile",
        "STALE_REVISION",
        "The dispute is at revision 3, not 2: read it again.",
        lambda: rules.check_dispute_revision(replace(opened(), revision=3), 2),
    ),
    Guard(
        "an application by nobody who enters them",
        "ROLE_REQUIRED",
        "open_dispute is for COMM_CLERK, DEPT_HANDLER, DEPT_LEAD, DISPATCHER, GRID_MEDIATOR, GRID_SUPERVISOR, GRID_WORKER, STREET_CENTER.",
        lambda: opened(by=RESIDENT),
    ),
    Guard(
        "a kind of no table",
        "UNKNOWN_CATEGORY",
        "Category '0299' is not in dispute_category.csv.",
        lambda: opened(category="0299"),
        "category",
    ),
    Guard("violence at home", "POLICE_FIRST", POLICE_FIRST, lambda: opened(category="0105")),
    Guard(
        "a case of violence at home",
        "POLICE_FIRST",
        POLICE_FIRST,
        lambda: opened(case=reported(category="A0105"), category="0101"),
    ),
    Guard(
        "a kind the law gives to others",
        "NEVER_MEDIATED",
        "This kind of dispute is not mediated: hand it over and name the ways that are open.",
        lambda: opened(category="19"),
    ),
    Guard(
        "a kind mediated in part, without the part",
        "CONDITION_REQUIRED",
        "This kind is mediated only beside the decision of a department: say which part of it.",
        lambda: opened(category="0404"),
        "condition",
    ),
    Guard(
        "a case that is no dispute",
        "NOT_A_DISPUTE",
        "This case is no dispute.",
        lambda: opened(case=reported(category="C0101")),
    ),
    Guard(
        "a case that is over",
        "WRONG_STATE",
        "A case that is closed allows no mediation.",
        lambda: opened(case=replace(reported(category="A0202"), state=CaseState.CLOSED)),
    ),
    Guard(
        "nobody on the other side",
        "PARTIES_MISSING",
        "A mediation has an applicant and a respondent.",
        lambda: opened(parties=(party(ANNA, PartySide.APPLICANT, "王小明"),)),
    ),
    Guard(
        "a kind of party of no table",
        "UNKNOWN_CODE",
        "'77' is not in party_type.csv.",
        lambda: joined(opened(), type="77"),
        "party.type",
    ),
    Guard(
        "an agent without authority",
        "AUTHORITY_REQUIRED",
        "Say what the agent may do: speak, or settle as well.",
        lambda: joined(opened(), agent_name="周倩"),
        "party.agent_authority",
    ),
    Guard(
        "too many parties",
        "TOO_MANY_PARTIES",
        "A dispute has at most 40 parties; more of them choose agents.",
        lambda: joined(replace(opened(), parties=opened().parties * 20)),
    ),
    Guard(
        "a party after the draft",
        "AGREEMENT_DRAFTED",
        "The agreement is drafted already.",
        lambda: joined(drafted()),
    ),
    Guard(
        "a party nobody knows",
        "UNKNOWN_PARTY",
        "The dispute has no such party.",
        lambda: disputes.record_consent(opened(), party_id=THIRD, given=True, **BY),
        "party_id",
    ),
)


MEDIATING = (
    Guard(
        "a verb the state does not allow",
        "WRONG_STATE",
        "A dispute that is registered allows no draft_agreement.",
        lambda: written(opened()),
    ),
    Guard(
        "a state the verb does not lead to",
        "WRONG_STATE",
        "end_mediation leads from mediating to no agreed.",
        lambda: rules.check_target(mediating(), "end_mediation", DisputeState.AGREED),
    ),
    Guard(
        "another mediator",
        "OTHER_MEDIATOR",
        "Another mediator is in charge of this dispute.",
        lambda: ended(mediating(), by=OTHER),
    ),
    Guard(
        "ended by nobody who mediates",
        "ROLE_REQUIRED",
        "end_mediation is for DEPT_HANDLER, DEPT_LEAD, GRID_MEDIATOR, GRID_SUPERVISOR, STREET_CENTER.",
        lambda: ended(mediating(), by=WORKER),
    ),
    Guard(
        "begun without everybody's consent",
        "CONSENT_MISSING",
        "Every party has to agree to the mediation.",
        lambda: disputes.begin_mediation(replace(agreed_to(opened()), parties=opened().parties), **BY),
    ),
    Guard(
        "a mediator beside the one in office",
        "MEDIATOR_IN_OFFICE",
        "The mediator in office has to step back first.",
        lambda: appointed(appointed(opened())),
    ),
    Guard(
        "too many mediators",
        "TOO_MANY_MEDIATORS",
        "This dispute has had too many mediators.",
        lambda: appointed(
            replace(opened(), mediators=(Mediator(subject="a", name="a", appointed_at=START, recused_at=START),) * 20)
        ),
    ),
    Guard(
        "a mediator with ties",
        CONFLICT,
        "A mediator with such ties steps back.",
        lambda: appointed(opened(), (RecusalGround.RELATIVE,)),
    ),
    Guard(
        "a party as mediator",
        CONFLICT,
        "A party cannot mediate its own dispute.",
        lambda: appointed(opened(), name="王小明"),
    ),
    Guard(
        "a mediator who stepped back",
        CONFLICT,
        "This mediator stepped back from this dispute before.",
        lambda: recused(recused(mediating()), substitute=Mediator(subject=JUDGE.subject, name="赵敏", appointed_at=START)),
    ),
    Guard(
        "begun without a mediator",
        "MEDIATOR_MISSING",
        NO_MEDIATOR,
        lambda: disputes.begin_mediation(replace(agreed_to(opened()), mediators=()), **BY),
    ),
    Guard(
        "nobody who could step back",
        "MEDIATOR_MISSING",
        NO_MEDIATOR,
        lambda: recused(opened()),
    ),
    Guard(
        "a mediator nobody accepted",
        "MEDIATOR_NOT_ACCEPTED",
        "Every party has to accept the mediator.",
        lambda: disputes.begin_mediation(appointed(replace(agreed_to(opened()), mediators=())), by=CHAIR, now=START),
    ),
    Guard(
        "no chair to stand in",
        "SUBSTITUTE_REQUIRED",
        "The committee names no chair: say who stands in.",
        lambda: recused(replace(mediating(), committee=Committee(code="1", name="x"))),
        "substitute",
    ),
    Guard(
        "a session that leaves a party out",
        "ATTENDANCE_INCOMPLETE",
        EVERY_PARTY,
        lambda: heard(mediating(), attendance=(Attendance(party_id=ANNA),)),
        "attendance",
    ),
    Guard(
        "a session to come",
        "IN_FUTURE",
        "This time lies in the future.",
        lambda: heard(mediating(), held_at=START + timedelta(hours=1)),
        "held_at",
    ),
    Guard(
        "a session before it began",
        "TOO_EARLY",
        "This lies before what it follows.",
        lambda: heard(mediating(), held_at=START - timedelta(days=1)),
        "held_at",
    ),
    Guard(
        "too many sessions",
        "TOO_MANY_SESSIONS",
        "This dispute has had too many sessions.",
        lambda: heard(replace(mediating(), sessions=met(mediating()).sessions * 50)),
    ),
    Guard(
        "an extension not all agree to",
        "NOT_ALL_AGREED",
        EVERY_PARTY,
        lambda: extended(mediating(), agreed_by=(ANNA,)),
        "agreed_by",
    ),
    Guard(
        "an extension out of bounds",
        "EXTENSION_OUT_OF_BOUNDS",
        "An extension ends after the present limit, at most 90 days later.",
        lambda: extended(mediating(), days=91),
        "until",
    ),
    Guard(
        "an extension of a labour dispute",
        "NOT_EXTENDABLE",
        "This kind of mediation cannot be extended: arbitration is open.",
        lambda: extended(mediating(category="0501")),
    ),
    Guard(
        "an extension while the clock stands",
        "CLOCK_STOPPED",
        "No clock runs.",
        lambda: extended(paused(mediating(category="07"))),
    ),
    Guard(
        "a pause of what never pauses",
        "NOT_PAUSABLE",
        "The limit of this kind never pauses.",
        lambda: paused(mediating()),
    ),
    Guard(
        "a pause within a pause",
        "CLOCK_STOPPED",
        "The clock stands already.",
        lambda: paused(paused(mediating(category="07"))),
    ),
    Guard(
        "the end of no pause",
        "CLOCK_RUNS",
        "The clock runs.",
        lambda: disputes.resume_clock(mediating(category="07"), **BY),
    ),
    Guard(
        "an end of no table",
        "UNKNOWN_CODE",
        "mediation_result.csv has no such final result.",
        lambda: ended(mediating(), result="77"),
        "result",
    ),
    Guard(
        "an end that is an agreement",
        "AGREEMENT_NEEDED",
        "An agreement is signed or recorded, not ended with.",
        lambda: ended(mediating(), result="01"),
        "result",
    ),
    Guard(
        "an end beside an agreement",
        "AGREEMENT_IN_EFFECT",
        "There is an agreement: it is performed, or goes to court.",
        lambda: ended(signed()),
    ),
    Guard(
        "remedies one party was not told",
        "NOT_ALL_TOLD",
        EVERY_PARTY,
        lambda: disputes.notify_remedies(ended(mediating()), told=(ANNA,), way="当面", **BY),
        "told",
    ),
)

GUARDS = (*APPLYING, *MEDIATING)

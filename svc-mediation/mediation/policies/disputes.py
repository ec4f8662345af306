"""Who may mediate what: kinds that are mediated, parties and their consent, the mediator, the time it may take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from mediation import dispute_codes
from mediation.domain import Actor, Case, CaseState
from mediation.domain.dispute import Consent, Dispute, Mediator, Party, PartySide, RecusalGround
from mediation.domain.dispute_workflow import DISPUTE_MOVES, MEDIATING_DEPARTMENTS, OPENERS
from mediation.policies.access import CLOCK_SKEW, RoleNotAllowed, StaleRevision, WrongState, check_role, sees_own_only
from mediation.policies.protecting import PROTECTED_CATEGORY, sees_protected
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

MAX_PARTIES, MAX_SESSIONS, MAX_VISITS, MAX_MEDIATORS = 40, 50, 50, 20
# A department of the court or the police has no part in what is said before a mediator.
_DEPARTMENT_ROLES = frozenset({"DEPT_HANDLER", "DEPT_LEAD"})
LONGEST_EXTENSION = timedelta(days=90)
_NOT_TAKEN = frozenset({CaseState.DRAFT, CaseState.RETURNED})


class DisputeNotFound(NotFound):
    """No such dispute, or none the caller may know of."""

    default_reason = "DISPUTE_NOT_FOUND"


class NeverMediated(FailedPrecondition):
    """The law gives this kind of dispute to others."""

    default_reason = "NEVER_MEDIATED"


class MediatorConflict(FailedPrecondition):
    """The mediator stands too near to a party."""

    default_reason = "MEDIATOR_CONFLICT"


# ------------------------------------------------------------------------------------------------------------ who and where


def check_dispute_visible(dispute: Dispute, by: Actor) -> None:
    """Raises DisputeNotFound unless the dispute lies in the caller's area and is no secret to the caller's department."""
    if not sees_dispute(by, area_code=dispute.area_code, department=dispute.department, category=dispute.category):
        raise DisputeNotFound(f"Dispute {dispute.dispute_id} does not exist.")


def check_dispute_revision(dispute: Dispute, revision: int) -> None:
    """Raises StaleRevision when the caller has seen another revision (0: does not care)."""
    if revision and revision != dispute.revision:
        raise StaleRevision(
            f"The dispute is at revision {dispute.revision}, not {revision}: read it again.",
            metadata={"revision": str(dispute.revision)},
        )


def sees_dispute(by: Actor, *, area_code: str, department: str, category: str) -> bool:
    """Tells whether the caller may know of a dispute. What turned out to be violence at home is hidden from ordinary roles."""
    if sees_own_only(by) or not area_code.startswith(by.area):
        return False
    if category == dispute_codes.VIOLENCE:
        return sees_protected(by)
    return department in departments_shown(by) if of_department(by) else True


def departments_shown(by: Actor) -> frozenset[str]:
    """Returns the departments whose disputes people of a department see: its own, for the judicial system those of all committees."""
    if by.department in MEDIATING_DEPARTMENTS:
        return MEDIATING_DEPARTMENTS | {""}
    return frozenset({by.department})


def of_department(by: Actor) -> bool:
    """Tells whether the caller acts for a department and nothing else."""
    return by.roles <= _DEPARTMENT_ROLES


def check_opener(by: Actor) -> None:
    """Raises RoleNotAllowed unless the caller may enter applications."""
    if by.roles.isdisjoint(OPENERS):
        raise RoleNotAllowed(f"open_dispute is for {', '.join(sorted(OPENERS))}.")


def check_dispute_move(dispute: Dispute, verb: str, by: Actor) -> None:
    """Raises WrongState, RoleNotAllowed or OTHER_MEDIATOR unless the table has a row for `verb` and the caller is in charge."""
    rows = DISPUTE_MOVES.get((verb, dispute.state))
    if not rows:
        raise WrongState(f"A dispute that is {dispute.state} allows no {verb}.", metadata={"state": dispute.state})
    check_role(next(iter(rows.values())), by)
    check_in_charge(dispute, by)


def check_in_charge(dispute: Dispute, by: Actor) -> None:
    """Raises PermissionDenied (OTHER_MEDIATOR) when a mediator touches what another mediates."""
    if by.roles == {"GRID_MEDIATOR"} and dispute.mediator and dispute.mediator.subject != by.subject:
        raise PermissionDenied("Another mediator is in charge of this dispute.", reason="OTHER_MEDIATOR")


def check_target(dispute: Dispute, verb: str, target: StrEnum) -> None:
    """Raises WrongState unless the table leads from the dispute's state to `target`."""
    if target not in DISPUTE_MOVES.get((verb, dispute.state), {}):
        raise WrongState(f"{verb} leads from {dispute.state} to no {target}.", metadata={"state": dispute.state})


# ------------------------------------------------------------------------------------------------------------ what is mediated


def check_mediable(category: str, *, condition: str) -> None:
    """Raises NeverMediated for kinds the law keeps from mediators, InvalidArgument for unknown kinds and missing conditions."""
    answer = dispute_codes.mediable(category)
    if not answer:
        raise InvalidArgument(
            f"Category {category!r} is not in dispute_category.csv.", field="category", reason="UNKNOWN_CATEGORY"
        )
    if category == dispute_codes.VIOLENCE:
        raise NeverMediated(
            "Suspected domestic violence is never mediated: report it to the police first.", reason="POLICE_FIRST"
        )
    if answer == "N":
        raise NeverMediated("This kind of dispute is not mediated: hand it over and name the ways that are open.")
    if answer == "C" and not condition:
        message = "This kind is mediated only beside the decision of a department: say which part of it."
        raise InvalidArgument(message, field="condition", reason="CONDITION_REQUIRED")


def check_case_for_mediation(case: Case) -> None:
    """Raises FailedPrecondition for a case that nobody works on, NeverMediated for one of violence at home."""
    if case.category == PROTECTED_CATEGORY:
        raise NeverMediated(
            "Suspected domestic violence is never mediated: report it to the police first.", reason="POLICE_FIRST"
        )
    if not case.category.startswith("A"):
        raise FailedPrecondition("This case is no dispute.", reason="NOT_A_DISPUTE")
    if case.is_final or case.state in _NOT_TAKEN:
        raise WrongState(f"A case that is {case.state} allows no mediation.", metadata={"state": case.state})


# ------------------------------------------------------------------------------------------------------------ parties


def check_party(dispute: Dispute, party: Party, *, index: int | None = None) -> None:
    """Raises InvalidArgument for codes no table has, FailedPrecondition when there are too many parties."""
    at = "party" if index is None else f"parties[{index}]"
    if len(dispute.parties) >= MAX_PARTIES:
        raise FailedPrecondition(
            f"A dispute has at most {MAX_PARTIES} parties; more of them choose agents.", reason="TOO_MANY_PARTIES"
        )
    check_code("party_type", party.type, field=f"{at}.type")
    if party.id_type:
        check_code("id_doc_type", party.id_type, field=f"{at}.id_type")
    if party.agent_name and not party.agent_authority:
        message = "Say what the agent may do: speak, or settle as well."
        raise InvalidArgument(message, field=f"{at}.agent_authority", reason="AUTHORITY_REQUIRED")


def check_code(table: str, code: str, *, field: str) -> None:
    """Raises InvalidArgument (UNKNOWN_CODE) unless the table has the code."""
    if code not in dispute_codes.names(table):
        raise InvalidArgument(f"{code!r} is not in {table}.csv.", field=field, reason="UNKNOWN_CODE")


def find_party(dispute: Dispute, party_id: str, *, field: str = "party_id") -> Party:
    """Returns a party of the dispute. Raises InvalidArgument (UNKNOWN_PARTY)."""
    for party in dispute.parties:
        if party.party_id == party_id:
            return party
    raise InvalidArgument("The dispute has no such party.", field=field, reason="UNKNOWN_PARTY")


def check_both_sides(dispute: Dispute) -> None:
    """Raises FailedPrecondition unless an applicant and a respondent are there: nobody is mediated alone."""
    sides = {party.side for party in dispute.parties}
    if not {PartySide.APPLICANT, PartySide.RESPONDENT} <= sides:
        raise FailedPrecondition("A mediation has an applicant and a respondent.", reason="PARTIES_MISSING")


def check_consents(dispute: Dispute) -> None:
    """Raises FailedPrecondition (CONSENT_MISSING) until every party agreed to be mediated (art. 17)."""
    missing = [party.party_id for party in dispute.parties if party.consent is not Consent.GIVEN]
    if missing:
        raise FailedPrecondition(
            "Every party has to agree to the mediation.", reason="CONSENT_MISSING", metadata={"parties": ",".join(missing)}
        )


def check_all_parties(dispute: Dispute, party_ids: Iterable[str], *, field: str, reason: str) -> None:
    """Raises InvalidArgument with `reason` unless `party_ids` names every party and nobody else."""
    named = list(party_ids)
    for index, party_id in enumerate(named):
        find_party(dispute, party_id, field=f"{field}[{index}]")
    if {party.party_id for party in dispute.parties} != set(named):
        raise InvalidArgument("This takes every party of the dispute.", field=field, reason=reason)


# ------------------------------------------------------------------------------------------------------------ the mediator


def check_appointment(dispute: Dispute, mediator: Mediator, *, declared: Sequence[RecusalGround]) -> None:
    """Raises FailedPrecondition when somebody is in office, MediatorConflict for whoever stands near a party or stepped back before."""
    if dispute.mediator:
        raise FailedPrecondition("The mediator in office has to step back first.", reason="MEDIATOR_IN_OFFICE")
    if len(dispute.mediators) >= MAX_MEDIATORS:
        raise FailedPrecondition("This dispute has had too many mediators.", reason="TOO_MANY_MEDIATORS")
    check_no_conflict(dispute, mediator, declared=declared)


def check_no_conflict(dispute: Dispute, mediator: Mediator, *, declared: Sequence[RecusalGround]) -> None:
    """Raises MediatorConflict (parallel_policy.yaml: relative, employer, party to the case)."""
    if declared:
        raise MediatorConflict("A mediator with such ties steps back.", metadata={"ground": ",".join(sorted(declared))})
    for party in dispute.parties:
        if mediator.subject == party.subject or mediator.name in (party.name, party.agent_name):
            raise MediatorConflict("A party cannot mediate its own dispute.", metadata={"ground": RecusalGround.PARTY_TO_CASE})
    if any(each.subject == mediator.subject and each.recused_at for each in dispute.mediators):
        raise MediatorConflict("This mediator stepped back from this dispute before.", metadata={"ground": "recused"})


def check_mediator_accepted(dispute: Dispute) -> Mediator:
    """Returns the mediator in office. Raises FailedPrecondition until every party chose or accepted them (art. 19, 23)."""
    mediator = dispute.mediator
    if mediator is None:
        raise FailedPrecondition("Nobody mediates this dispute yet.", reason="MEDIATOR_MISSING")
    missing = [party.party_id for party in dispute.parties if party.party_id not in mediator.accepted_by]
    if missing:
        raise FailedPrecondition(
            "Every party has to accept the mediator.", reason="MEDIATOR_NOT_ACCEPTED", metadata={"parties": ",".join(missing)}
        )
    return mediator


# ------------------------------------------------------------------------------------------------------------ time


def check_past(at: datetime | None, *, now: datetime, since: datetime, field: str) -> datetime:
    """Returns when something happened, now by default. Raises InvalidArgument outside `since` to now (2 s of skew are cut)."""
    if at is None:
        return now
    if at > now + CLOCK_SKEW:
        raise InvalidArgument("This time lies in the future.", field=field, reason="IN_FUTURE")
    if at < since - CLOCK_SKEW:
        raise InvalidArgument("This lies before what it follows.", field=field, reason="TOO_EARLY")
    return max(min(at, now), since)


def check_extension(dispute: Dispute, until: datetime) -> None:
    """Raises FailedPrecondition for kinds that cannot be extended, InvalidArgument for a time outside what may be agreed on."""
    if not dispute_codes.limit_of(dispute.category).extendable:
        raise FailedPrecondition("This kind of mediation cannot be extended: arbitration is open.", reason="NOT_EXTENDABLE")
    if dispute.clock is None or dispute.clock.met_at:
        raise FailedPrecondition("No clock runs.", reason="CLOCK_STOPPED")
    if not dispute.clock.due_at < until <= dispute.clock.due_at + LONGEST_EXTENSION:
        message = f"An extension ends after the present limit, at most {LONGEST_EXTENSION.days} days later."
        raise InvalidArgument(message, field="until", reason="EXTENSION_OUT_OF_BOUNDS")


def check_pause(dispute: Dispute, *, resumes: bool) -> None:
    """Raises FailedPrecondition unless the kind stops for an appraisal and the clock runs (or stands, to resume it)."""
    if not dispute_codes.limit_of(dispute.category).pausable:
        raise FailedPrecondition("The limit of this kind never pauses.", reason="NOT_PAUSABLE")
    standing = dispute.clock is not None and dispute.clock.met_at is not None
    if standing is not resumes:
        reason, message = ("CLOCK_RUNS", "The clock runs.") if resumes else ("CLOCK_STOPPED", "The clock stands already.")
        raise FailedPrecondition(message, reason=reason)

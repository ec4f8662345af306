"""What an agreement has to say, who signs it, when a court may confirm it, and when a dispute is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from mediation import dispute_codes
from mediation.domain.dispute import (
    COMMITTEE,
    MEDIATOR,
    VISITS,
    Agreement,
    AgreementStatus,
    Dispute,
    Reminder,
    ReminderKind,
    Signature,
    Term,
)
from mediation.domain.dispute_workflow import AGREEMENT_MOVES, LAST_STATUSES
from mediation.policies.access import WrongState
from mediation.policies.disputes import check_all_parties, find_party
from svckit.errors import FailedPrecondition, InvalidArgument

MAX_CHANGES = 100


def find_agreement(dispute: Dispute) -> Agreement:
    """Returns the agreement. Raises FailedPrecondition (NO_AGREEMENT)."""
    if dispute.agreement is None:
        raise FailedPrecondition("There is no agreement yet.", reason="NO_AGREEMENT")
    return dispute.agreement


def check_content(dispute: Dispute, terms: Sequence[Term]) -> None:
    """Raises InvalidArgument unless every term says who owes whom what by when (art. 29: content, way, time)."""
    if not dispute.sessions:
        raise FailedPrecondition("An agreement follows a session.", reason="SESSION_MISSING")
    if not terms:
        raise InvalidArgument("An agreement has at least one term.", field="terms", reason="TERMS_MISSING")
    for index, term in enumerate(terms):
        _check_term(dispute, term, at=f"terms[{index}]")


def _check_term(dispute: Dispute, term: Term, *, at: str) -> None:
    find_party(dispute, term.obligor, field=f"{at}.obligor")
    find_party(dispute, term.obligee, field=f"{at}.obligee")
    if term.obligor == term.obligee:
        raise InvalidArgument("Nobody owes themselves.", field=f"{at}.obligee", reason="SAME_PARTY")
    if term.due_on:
        due_day(term, field=f"{at}.due_on")


def due_day(term: Term, *, field: str = "due_on") -> date:
    """Returns the day a term is due. Raises InvalidArgument (INVALID_DATE)."""
    try:
        return date.fromisoformat(term.due_on)
    except ValueError as error:
        raise InvalidArgument("This day does not exist.", field=field, reason="INVALID_DATE") from error


def check_draftable(dispute: Dispute) -> None:
    """Raises WrongState unless there is no agreement, only a draft, or one a court refused."""
    agreement = dispute.agreement
    if agreement is None or agreement.status is AgreementStatus.DRAFT:
        return
    check_agreement_move(agreement, "draft_agreement", AgreementStatus.DRAFT)


def check_agreement_move(agreement: Agreement, verb: str, target: AgreementStatus) -> None:
    """Raises WrongState (AGREEMENT_STATUS) unless agreement_status.csv leads from its status to `target`, by this verb."""
    if target in AGREEMENT_MOVES.get((verb, agreement.status), {}):
        if len(agreement.changes) >= MAX_CHANGES:
            raise FailedPrecondition("This agreement has changed too often.", reason="TOO_MANY_CHANGES")
        return
    message = f"An agreement that is {agreement.status} cannot become {target} by {verb}."
    raise WrongState(message, reason="AGREEMENT_STATUS", metadata={"status": agreement.status})


def check_signer(dispute: Dispute, signature: Signature, *, index: int) -> None:
    """Raises InvalidArgument unless a party, the mediator or the committee signs, and none of them twice."""
    agreement = find_agreement(dispute)
    field = f"signatures[{index}].signer"
    if signature.signer not in (MEDIATOR, COMMITTEE):
        find_party(dispute, signature.signer, field=field)
    if any(each.signer == signature.signer for each in agreement.signatures):
        raise InvalidArgument("This signature is there already.", field=field, reason="SIGNED_TWICE")


def missing_signatures(dispute: Dispute) -> tuple[str, ...]:
    """Returns who has not signed yet: parties, the mediator, the committee (art. 29)."""
    signed = {signature.signer for signature in find_agreement(dispute).signatures}
    wanted = (*(party.party_id for party in dispute.parties), MEDIATOR, COMMITTEE)
    return tuple(signer for signer in wanted if signer not in signed)


def confirmable(dispute: Dispute, agreement: Agreement) -> bool:
    """Tells whether a court may confirm it at all: in writing, and nothing about marriage or adoption itself (法释〔2011〕5号 4)."""
    return not (agreement.oral or agreement.touches_status or dispute.category in dispute_codes.STATUS_CATEGORIES)


def check_confirmation(dispute: Dispute, applicants: Sequence[str], *, now: datetime) -> None:
    """Raises FailedPrecondition for agreements no court confirms or when 30 days are over, InvalidArgument unless all apply (art. 33)."""
    agreement = find_agreement(dispute)
    if not confirmable(dispute, agreement):
        message = "No court confirms oral agreements, nor those about marriage or adoption itself."
        raise FailedPrecondition(message, reason="CONFIRMATION_NOT_AVAILABLE")
    check_agreement_move(agreement, "apply_confirmation", AgreementStatus.CONFIRMATION_APPLIED)
    if agreement.confirm_until is None or now >= agreement.confirm_until:
        raise FailedPrecondition("The 30 days for the joint application are over.", reason="CONFIRMATION_LATE")
    check_all_parties(dispute, applicants, field="applicants", reason="NOT_JOINT")


def check_enforcement(agreement: Agreement, target: AgreementStatus) -> None:
    """Raises FailedPrecondition unless a court confirmed the agreement whose enforcement is applied for (art. 33)."""
    confirmed = agreement.confirmation is not None and agreement.confirmation.confirmed
    if target is AgreementStatus.ENFORCEMENT_APPLIED and not confirmed:
        raise FailedPrecondition("Only what a court confirmed can be enforced.", reason="NOT_CONFIRMED")


def check_told(dispute: Dispute, told: Sequence[str]) -> None:
    """Raises InvalidArgument (NOT_ALL_TOLD) unless every party was told the ways that are open: the notice is mandatory (art. 26)."""
    check_all_parties(dispute, told, field="told", reason="NOT_ALL_TOLD")


def check_result(code: str) -> None:
    """Raises InvalidArgument unless mediation_result.csv has the code as a final result without an agreement."""
    row = dispute_codes.results().get(code)
    if row is None or row["final"] != "Y":
        raise InvalidArgument("mediation_result.csv has no such final result.", field="result", reason="UNKNOWN_CODE")
    if code in (dispute_codes.WRITTEN, dispute_codes.ORAL):
        raise InvalidArgument("An agreement is signed or recorded, not ended with.", field="result", reason="AGREEMENT_NEEDED")


def check_no_agreement(dispute: Dispute) -> None:
    """Raises FailedPrecondition (AGREEMENT_IN_EFFECT) unless there is none, only a draft, or one a court refused."""
    agreement = dispute.agreement
    if agreement and agreement.status not in (AgreementStatus.DRAFT, AgreementStatus.REJECTED):
        raise FailedPrecondition("There is an agreement: it is performed, or goes to court.", reason="AGREEMENT_IN_EFFECT")


def find_visit(dispute: Dispute) -> Reminder:
    """Returns the earliest visit still to be made. Raises FailedPrecondition (NO_VISIT_DUE)."""
    for reminder in dispute.reminders:
        if reminder.kind in VISITS and reminder.done_at is None:
            return reminder
    raise FailedPrecondition("Every visit was made.", reason="NO_VISIT_DUE")


def check_closing(dispute: Dispute) -> None:
    """Raises FailedPrecondition until the agreement is at its end and every visit was made."""
    agreement = find_agreement(dispute)
    if agreement.status not in LAST_STATUSES:
        raise FailedPrecondition(
            f"The agreement is still {agreement.status}.", reason="AGREEMENT_OPEN", metadata={"status": agreement.status}
        )
    if agreement.status is AgreementStatus.PERFORMED and any(each.done_at is None for each in _visits(dispute)):
        raise FailedPrecondition("A visit is still to be made.", reason="VISIT_MISSING")


def _visits(dispute: Dispute) -> list[Reminder]:
    return [reminder for reminder in dispute.reminders if reminder.kind in VISITS]


def is_reminded(reminder: Reminder, *kinds: ReminderKind) -> bool:
    """Tells whether a reminder of one of `kinds` is still open."""
    return reminder.kind in kinds and reminder.done_at is None

"""Verbs on the agreement of a dispute: drafting, signing, the court, performance, visits, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from mediation import dispute_codes
from mediation.domain import Actor, Attachment
from mediation.domain.dispute import (
    Agreement,
    AgreementStatus,
    Confirmation,
    Dispute,
    DisputeState,
    Signature,
    StatusChange,
    Term,
    Visit,
)
from mediation.domain.dispute_facts import AgreementChanged, AgreementReached, DisputeClosed, DisputeFact, VisitMade
from mediation.operations import dispute_flow as flow
from mediation.operations.dispute_flow import Outcome
from mediation.policies import agreements, disputes


def draft_agreement(
    dispute: Dispute,
    *,
    number: str,
    facts: str,
    terms: tuple[Term, ...],
    by: Actor,
    now: datetime,
    touches_status: bool = False,
) -> Outcome:
    """Writes the agreement, or writes it anew: signatures given to an earlier draft do not count for this one.

    `number` is used for the first draft only. Raises InvalidArgument (terms), FailedPrecondition (SESSION_MISSING), WrongState.
    """
    disputes.check_dispute_move(dispute, "draft_agreement", by)
    agreements.check_draftable(dispute)
    disputes.check_consents(dispute)
    disputes.check_mediator_accepted(dispute)
    agreements.check_content(dispute, terms)
    before = dispute.agreement
    agreement = Agreement(
        number=before.number if before else number,
        status=AgreementStatus.DRAFT,
        facts=facts,
        terms=terms,
        drafted_at=now,
        drafted_by=by.subject,
        version=before.version + 1 if before else 1,
        touches_status=touches_status,
        changes=before.changes if before else (),
    )
    redone = before is not None and before.status is not AgreementStatus.DRAFT
    if redone:
        agreement = replace(agreement, changes=(*agreement.changes, _change(AgreementStatus.DRAFT, by, now)))
    changed = flow.record(dispute, verb="draft_agreement", by=by, now=now, remark=agreement.number, agreement=agreement)
    return changed, ((_changed(changed, now),) if redone else ())


def sign_agreement(
    dispute: Dispute, *, signatures: Sequence[Signature], by: Actor, now: datetime, scans: tuple[Attachment, ...] = ()
) -> Outcome:
    """Adds signatures. With the last of them (all parties, mediator, committee) the agreement takes effect (art. 29)."""
    disputes.check_dispute_move(dispute, "sign_agreement", by)
    disputes.check_consents(dispute)
    agreement = agreements.find_agreement(dispute)
    agreements.check_agreement_move(agreement, "sign_agreement", AgreementStatus.EFFECTIVE)
    for index, signature in enumerate(signatures):
        agreements.check_signer(dispute, signature, index=index)
        at = disputes.check_past(signature.at, now=now, since=agreement.drafted_at, field=f"signatures[{index}].at")
        agreement = replace(agreement, signatures=(*agreement.signatures, replace(signature, at=at)))
        dispute = replace(dispute, agreement=agreement)
    agreement = replace(agreement, scans=(*agreement.scans, *scans))
    if agreements.missing_signatures(dispute):
        return flow.record(dispute, verb="sign_agreement", by=by, now=now, agreement=agreement), ()
    signed_at = max(signature.at for signature in agreement.signatures)
    return _effective(dispute, agreement, verb="sign_agreement", by=by, at=signed_at, now=now)


def agree_orally(dispute: Dispute, *, number: str, facts: str, terms: tuple[Term, ...], by: Actor, now: datetime) -> Outcome:
    """Records an oral agreement (art. 28, 30): it takes effect the day it is reached, and no court confirms it."""
    disputes.check_dispute_move(dispute, "agree_orally", by)
    disputes.check_consents(dispute)
    disputes.check_mediator_accepted(dispute)
    agreements.check_content(dispute, terms)
    agreement = Agreement(
        number=dispute.agreement.number if dispute.agreement else number,
        status=AgreementStatus.DRAFT,
        facts=facts,
        terms=terms,
        drafted_at=now,
        drafted_by=by.subject,
        version=1,
        oral=True,
    )
    return _effective(dispute, agreement, verb="agree_orally", by=by, at=now, now=now)


def _effective(dispute: Dispute, agreement: Agreement, *, verb: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """An agreement takes effect `at`; what follows is put on the list. A second one replaces what the first had left."""
    confirmable = agreements.confirmable(dispute, agreement)
    agreement = replace(
        agreement,
        status=AgreementStatus.EFFECTIVE,
        effective_at=at,
        confirm_until=flow.confirm_until(at) if confirmable else None,
        changes=(*agreement.changes, _change(AgreementStatus.EFFECTIVE, by, now)),
    )
    changed = flow.record(
        dispute,
        verb=verb,
        by=by,
        now=now,
        remark=agreement.number,
        state=DisputeState.AGREED,
        agreement=agreement,
        result=dispute_codes.ORAL if agreement.oral else dispute_codes.WRITTEN,
        result_at=at,
        reminders=flow.reminders_of(dispute, agreement, at=at),
        **flow.stopped_clock(dispute, now=now),
    )
    fact = AgreementReached(
        case_id=dispute.case_id,
        dispute_id=dispute.dispute_id,
        number=agreement.number,
        oral=agreement.oral,
        effective_at=at,
    )
    return changed, (fact,)


def change_agreement(
    dispute: Dispute,
    *,
    status: AgreementStatus,
    by: Actor,
    now: datetime,
    remark: str = "",
    attachments: tuple[Attachment, ...] = (),
) -> Outcome:
    """Moves the agreement on: performing, performed, defaulted, sued, enforcement applied for. Raises WrongState, NOT_CONFIRMED."""
    disputes.check_dispute_move(dispute, "change_agreement", by)
    agreement = agreements.find_agreement(dispute)
    agreements.check_enforcement(agreement, status)
    agreements.check_agreement_move(agreement, "change_agreement", status)
    change = _change(status, by, now, remark=remark, attachments=attachments)
    return _moved(dispute, agreement, change, verb="change_agreement", by=by, now=now)


def apply_confirmation(dispute: Dispute, *, court: str, applicants: tuple[str, ...], by: Actor, now: datetime) -> Outcome:
    """Records the joint application to a court (art. 33). Raises CONFIRMATION_NOT_AVAILABLE, CONFIRMATION_LATE, NOT_JOINT."""
    disputes.check_dispute_move(dispute, "apply_confirmation", by)
    agreements.check_confirmation(dispute, applicants, now=now)
    agreement = agreements.find_agreement(dispute)
    change = _change(AgreementStatus.CONFIRMATION_APPLIED, by, now, remark=court)
    confirmation = Confirmation(applied_at=now, court=court, applicants=applicants)
    return _moved(dispute, agreement, change, verb="apply_confirmation", by=by, now=now, confirmation=confirmation)


def decide_confirmation(
    dispute: Dispute, *, confirmed: bool, reference: str, by: Actor, now: datetime, remark: str = ""
) -> Outcome:
    """Records what the court decided. What it refuses may be agreed on anew, or go to court."""
    disputes.check_dispute_move(dispute, "decide_confirmation", by)
    agreement = agreements.find_agreement(dispute)
    status = AgreementStatus.CONFIRMED if confirmed else AgreementStatus.REJECTED
    agreements.check_agreement_move(agreement, "decide_confirmation", status)
    assert agreement.confirmation is not None, "only what was applied for is decided"
    decided = replace(agreement.confirmation, reference=reference, decided_at=now, confirmed=confirmed)
    change = _change(status, by, now, remark=remark)
    return _moved(dispute, agreement, change, verb="decide_confirmation", by=by, now=now, confirmation=decided)


def record_visit(
    dispute: Dispute,
    *,
    text: str,
    performed: bool,
    by: Actor,
    now: datetime,
    attachments: tuple[Attachment, ...] = (),
) -> Outcome:
    """Records the visit that is due next, at 7 or 30 days. Raises NO_VISIT_DUE."""
    disputes.check_dispute_move(dispute, "record_visit", by)
    due = agreements.find_visit(dispute)
    visit = Visit(at=now, by=by.subject, kind=due.kind, text=text, performed=performed, attachments=attachments)
    reminders = flow.done_visit(dispute.reminders, due, at=now)
    visits = (*dispute.visits, visit)
    changed = flow.record(dispute, verb="record_visit", by=by, now=now, remark=due.kind, reminders=reminders, visits=visits)
    fact = VisitMade(case_id=dispute.case_id, dispute_id=dispute.dispute_id, kind=due.kind, performed=performed, visited_at=now)
    return changed, (fact,)


def close_dispute(dispute: Dispute, *, by: Actor, now: datetime) -> Outcome:
    """Closes a dispute whose agreement came to its end. Raises AGREEMENT_OPEN, VISIT_MISSING."""
    disputes.check_dispute_move(dispute, "close_dispute", by)
    agreements.check_closing(dispute)
    reminders = tuple(replace(each, done_at=now) if each.done_at is None else each for each in dispute.reminders)
    changed = flow.record(
        dispute, verb="close_dispute", by=by, now=now, state=DisputeState.CLOSED, reminders=reminders, ended_at=now
    )
    return changed, (DisputeClosed(case_id=dispute.case_id, dispute_id=dispute.dispute_id, closed_at=now),)


def _moved(
    dispute: Dispute, agreement: Agreement, change: StatusChange, *, verb: str, by: Actor, now: datetime, **more: Any
) -> Outcome:
    agreement = replace(agreement, status=change.status, changes=(*agreement.changes, change), **more)
    reminders = flow.needed(dispute.reminders, change.status, at=now)
    changed = flow.record(dispute, verb=verb, by=by, now=now, remark=change.status, agreement=agreement, reminders=reminders)
    return changed, (_changed(changed, now),)


def _change(
    status: AgreementStatus, by: Actor, now: datetime, *, remark: str = "", attachments: tuple[Attachment, ...] = ()
) -> StatusChange:
    return StatusChange(at=now, by=by.subject, status=status, remark=remark, attachments=attachments)


def _changed(dispute: Dispute, now: datetime) -> DisputeFact:
    agreement = agreements.find_agreement(dispute)
    return AgreementChanged(
        case_id=dispute.case_id,
        dispute_id=dispute.dispute_id,
        number=agreement.number,
        status=agreement.status,
        changed_at=now,
    )

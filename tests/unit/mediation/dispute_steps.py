"""Disputes and agreements, each step in one call, for the tests of guards. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from mediation.domain.dispute import (
    AgreementStatus,
    Attendance,
    Dispute,
    Mediator,
    PartySide,
    RecusalGround,
)
from mediation.operations import agreements, disputes

from .builders import START
from .dispute_builders import (
    BOTH,
    CHAIR,
    JUDGE,
    NUMBER,
    THIRD,
    drafted,
    mediating,
    met,
    party,
    signatures,
    signed,
    term,
)

BY: dict[str, Any] = {"by": JUDGE, "now": START}
POLICE_FIRST = "Suspected domestic violence is never mediated: report it to the police first."
EVERY_PARTY = "This takes every party of the dispute."
CONFLICT = "MEDIATOR_CONFLICT"
NO_MEDIATOR = "Nobody mediates this dispute yet."


def appointed(dispute: Dispute, declared: tuple[RecusalGround, ...] = (), **fields: Any) -> Dispute:
    known: dict[str, Any] = {"subject": "m", "name": "赵敏", "appointed_at": START} | fields
    mediator = Mediator(**known)
    return disputes.appoint_mediator(dispute, mediator=mediator, declared=declared, by=CHAIR, now=START)[0]


def recused(dispute: Dispute, **fields: Any) -> Any:
    given: dict[str, Any] = {"ground": RecusalGround.RELATIVE, "reason": "表亲", "by": CHAIR, "now": START} | fields
    return disputes.recuse_mediator(dispute, **given)[0]


def joined(dispute: Dispute, **fields: Any) -> Any:
    return disputes.add_party(dispute, party=replace(party(THIRD, PartySide.THIRD, "物业"), **fields), **BY)[0]


def heard(dispute: Dispute, **fields: Any) -> Any:
    both = tuple(Attendance(party_id=each) for each in BOTH)
    given: dict[str, Any] = {"record": "x", "attendance": both, "new_id": str} | BY | fields
    return disputes.record_session(dispute, **given)


def ended(dispute: Dispute, **fields: Any) -> Any:
    return disputes.end_mediation(dispute, **({"result": "04", "text": "分歧大"} | BY | fields))[0]


def extended(dispute: Dispute, days: float = 10, **fields: Any) -> Any:
    assert dispute.clock
    given: dict[str, Any] = {"until": dispute.clock.due_at + timedelta(days=days), "agreed_by": BOTH} | BY | fields
    return disputes.extend_mediation(dispute, **given)[0]


def paused(dispute: Dispute) -> Dispute:
    return disputes.pause_clock(dispute, reason="鉴定", **BY)[0]


def written(dispute: Dispute | None = None, **fields: Any) -> Any:
    given: dict[str, Any] = {"number": NUMBER, "facts": "x", "terms": (term(),)} | BY | fields
    return agreements.draft_agreement(dispute or met(mediating()), **given)[0]


def signing(*signers: str, **fields: Any) -> Any:
    return agreements.sign_agreement(drafted(), signatures=signatures(*signers, **fields), **BY)


def applied(dispute: Dispute, **fields: Any) -> Any:
    given: dict[str, Any] = {"court": "西陵区人民法院", "applicants": BOTH} | BY | fields
    return agreements.apply_confirmation(dispute, **given)[0]


def moved(dispute: Dispute, *statuses: AgreementStatus) -> Any:
    for status in statuses:
        dispute = agreements.change_agreement(dispute, status=status, **BY)[0]
    return dispute


def performed() -> Any:
    return moved(signed(), AgreementStatus.PERFORMING, AgreementStatus.PERFORMED)


def visited(dispute: Dispute, times: int) -> Any:
    for _ in range(times):
        dispute = agreements.record_visit(dispute, text="已履行", performed=True, **BY)[0]
    return dispute


def busy() -> Dispute:
    dispute = signed()
    assert dispute.agreement
    return replace(dispute, agreement=replace(dispute.agreement, changes=dispute.agreement.changes * 100))


def at_the_limit(dispute: Dispute) -> Any:
    assert dispute.agreement
    return dispute.agreement.confirm_until

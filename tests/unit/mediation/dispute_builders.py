"""Disputes in every state for the tests of mediations. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mediation.domain.dispute import (
    COMMITTEE,
    MEDIATOR,
    Attendance,
    Committee,
    Dispute,
    Mediator,
    Party,
    PartySide,
    Signature,
    SignatureWay,
    Term,
)
from mediation.operations import agreements, disputes
from svckit.access import Caller

from .builders import START, ids, reported

ANNA, BORIS = "01930000-0000-7000-8000-00000000000a", "01930000-0000-7000-8000-00000000000b"
BOTH = (ANNA, BORIS)
THIRD = "01930000-0000-7000-8000-00000000000c"
JUDGE = Caller("mediator-1", roles=frozenset({"GRID_MEDIATOR"}), area="420502001003")
OTHER = Caller("mediator-2", roles=frozenset({"GRID_MEDIATOR"}), area="420502001003")
CHAIR = Caller("chair-1", roles=frozenset({"GRID_SUPERVISOR"}), area="420502001003")
POLICE = Caller("psb-1", roles=frozenset({"DEPT_HANDLER"}), area="420502", department="PSB")
BOARD = Committee(code="420502001003", name="学院街道石板溪社区人民调解委员会", chair_subject="chair-1", chair_name="刘建国")
NUMBER = "2026420502001003调0001"


@dataclass
class Clock:
    """The time of a test; every call is a minute later."""

    at: datetime = START

    def __call__(self, **passed: float) -> datetime:
        self.at += timedelta(**passed) if passed else timedelta(minutes=1)
        return self.at


def party(party_id: str, side: PartySide, name: str, **fields: str) -> Party:
    return Party(party_id=party_id, side=side, type="01", name=name, **fields)


def opened(*, category: str = "0202", at: datetime = START, **fields: object) -> Dispute:
    """An application of one neighbour against another, about water that leaks."""
    given: dict[str, object] = {
        "dispute_id": "01930000-0000-7000-8000-0000000000d1",
        "case": reported(category="A0202"),
        "category": category,
        "description": "楼上卫生间渗水，楼下天花板受损",
        "committee": BOARD,
        "parties": (
            party(ANNA, PartySide.APPLICANT, "王小明", phone="13812345678", id_type="111", id_number="420502198005120017"),
            party(BORIS, PartySide.RESPONDENT, "李芳", address="石板溪路12号2单元501室"),
        ),
        "by": JUDGE,
        "now": at,
    }
    return disputes.open_dispute(**(given | fields))[0]  # type: ignore[arg-type]


def agreed_to(dispute: Dispute, at: datetime = START) -> Dispute:
    """All parties consent and accept the mediator they chose."""
    for each in dispute.parties:
        dispute = disputes.record_consent(dispute, party_id=each.party_id, given=True, by=JUDGE, now=at)[0]
    chosen = Mediator(
        subject=JUDGE.subject,
        name="赵敏",
        appointed_at=at,
        by_parties=True,
        accepted_by=tuple(each.party_id for each in dispute.parties),
    )
    return disputes.appoint_mediator(dispute, mediator=chosen, by=JUDGE, now=at)[0]


def mediating(*, category: str = "0202", at: datetime = START) -> Dispute:
    """A mediation that has begun."""
    return disputes.begin_mediation(agreed_to(opened(category=category, at=at), at), by=JUDGE, now=at)[0]


def met(dispute: Dispute, at: datetime = START) -> Dispute:
    """One session more."""
    return disputes.record_session(
        dispute,
        record="双方陈述事实，查看现场照片。",
        attendance=tuple(Attendance(party_id=each.party_id, present=True) for each in dispute.parties),
        method="02",
        place="社区调解室",
        length_minutes=60,
        by=JUDGE,
        now=at,
        new_id=ids(),
    )[0]


def term(**fields: object) -> Term:
    given = {"obligor": BORIS, "obligee": ANNA, "content": "赔偿天花板维修费", "amount_cents": 350_000, "way": "银行转账"}
    return Term(**({"due_on": "2026-12-15"} | given | fields))  # type: ignore[arg-type]


def drafted(*, category: str = "0202", at: datetime = START, **fields: object) -> Dispute:
    """A draft of a written agreement."""
    given: dict[str, object] = {"number": NUMBER, "facts": "事实清楚。", "terms": (term(),), "by": JUDGE, "now": at}
    return agreements.draft_agreement(met(mediating(category=category, at=at), at), **(given | fields))[0]  # type: ignore[arg-type]


def signatures(*signers: str, at: datetime = START) -> tuple[Signature, ...]:
    return tuple(Signature(signer=signer, way=SignatureWay.SIGNED, at=at) for signer in signers)


ALL_SIGN = (*BOTH, MEDIATOR, COMMITTEE)


def signed(*, category: str = "0202", at: datetime = START, **fields: object) -> Dispute:
    """A written agreement in effect."""
    dispute = drafted(category=category, at=at, **fields)
    return agreements.sign_agreement(dispute, signatures=signatures(*ALL_SIGN, at=at), by=JUDGE, now=at)[0]

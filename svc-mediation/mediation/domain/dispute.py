"""The dispute aggregate: one attempt to mediate what a case is about, from the application to the last visit after the agreement.

Structs as in `domain.case`: frozen, tuples, aware UTC times. They hold what `binglian.mediation.v1.dispute` shows, plus `next_due_at`,
which the timer looks for. The rules are those of the People's Mediation Law (人民调解法) as listed in parallel_policy.yaml.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from mediation.domain.case import Attachment, Clock


class DisputeState(StrEnum):
    """Where the mediation stands."""

    REGISTERED = "registered"
    MEDIATING = "mediating"
    AGREED = "agreed"
    STOPPED = "stopped"
    ENDED = "ended"
    CLOSED = "closed"


class PartySide(StrEnum):
    """On which side a party stands."""

    APPLICANT = "applicant"
    RESPONDENT = "respondent"
    THIRD = "third"


class Consent(StrEnum):
    """What a party said to being mediated."""

    UNSPECIFIED = "unspecified"
    GIVEN = "given"
    REFUSED = "refused"


class RecusalGround(StrEnum):
    """Why a mediator steps back (parallel_policy.yaml, mediator_conflict), or a party will not have them (art. 19)."""

    UNSPECIFIED = "unspecified"
    RELATIVE = "relative"
    WORKS_FOR_PARTY = "works_for_party"
    PARTY_TO_CASE = "party_to_case"
    PARTY_OBJECTS = "party_objects"


class PoliceGround(StrEnum):
    """Why the police was told (art. 25)."""

    VIOLENCE = "violence"
    PENAL_MATTER = "penal_matter"
    PUBLIC_ORDER = "public_order"


class AgreementStatus(StrEnum):
    """What has become of an agreement (agreement_status.csv, A0 to A9 in this order)."""

    DRAFT = "draft"
    EFFECTIVE = "effective"
    PERFORMING = "performing"
    CONFIRMATION_APPLIED = "confirmation_applied"
    PERFORMED = "performed"
    DEFAULTED = "defaulted"
    SUED = "sued"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    ENFORCEMENT_APPLIED = "enforcement_applied"


class SignatureWay(StrEnum):
    """How somebody signed (art. 29: signature, seal or thumb mark)."""

    SIGNED = "signed"
    SEALED = "sealed"
    THUMB_MARK = "thumb_mark"


class ReminderKind(StrEnum):
    """What the mediator is reminded of."""

    UNSPECIFIED = "unspecified"
    FIRST_VISIT = "first_visit"
    SECOND_VISIT = "second_visit"
    CONFIRMATION = "confirmation"
    CONFIRMATION_LAST = "confirmation_last"
    PERFORMANCE = "performance"
    REMEDIES = "remedies"


VISITS = (ReminderKind.FIRST_VISIT, ReminderKind.SECOND_VISIT)
# Who signs beside the parties.
MEDIATOR, COMMITTEE = "mediator", "committee"


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One party. `id_number` is kept masked only: the documents print it so, and nothing else needs it."""

    party_id: str
    side: PartySide
    type: str
    name: str
    sex: str = ""
    birth_month: str = ""
    address: str = ""
    phone: str = ""
    id_type: str = ""
    id_number: str = ""
    agent_name: str = ""
    agent_authority: str = ""
    subject: str = ""
    consent: Consent = Consent.UNSPECIFIED
    consent_at: datetime | None = None
    consent_text: str = ""


class Committee(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The people's mediation committee (调解委员会); its chair stands in for a mediator who steps back."""

    code: str
    name: str
    chair_subject: str = ""
    chair_name: str = ""
    phone: str = ""


class Mediator(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A mediator chosen by the parties or named by the committee; in office while `recused_at` is None."""

    subject: str
    name: str
    appointed_at: datetime
    by_parties: bool = False
    accepted_by: tuple[str, ...] = ()
    recused_at: datetime | None = None
    ground: RecusalGround = RecusalGround.UNSPECIFIED
    reason: str = ""


class Attendance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether a party came to a session, in person or by an agent."""

    party_id: str
    present: bool = False
    by_agent: bool = False


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One session with its record (调解笔录)."""

    session_id: str
    held_at: datetime
    mediator: str
    record: str
    length_minutes: int = 0
    place: str = ""
    attendance: tuple[Attendance, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    method: str = ""
    next_at: datetime | None = None


class Term(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One promise of an agreement: who owes whom what (`amount_cents` in 0.01 yuan), how, and by which day ("2026-12-31")."""

    obligor: str
    obligee: str
    content: str
    amount_cents: int = 0
    way: str = ""
    due_on: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signature; `signer` is a party id, "mediator" or "committee"."""

    signer: str
    way: SignatureWay
    at: datetime


class StatusChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of an agreement."""

    at: datetime
    by: str
    status: AgreementStatus
    remark: str = ""
    attachments: tuple[Attachment, ...] = ()


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The joint application for judicial confirmation (司法确认) and what came of it."""

    applied_at: datetime
    court: str
    applicants: tuple[str, ...] = ()
    reference: str = ""
    decided_at: datetime | None = None
    confirmed: bool = False


class Agreement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the parties agreed on. `version` counts drafts; `confirm_until` is the last instant of the joint application."""

    number: str
    status: AgreementStatus
    facts: str
    terms: tuple[Term, ...]
    drafted_at: datetime
    drafted_by: str
    # Stored in any case, because lists show documents as they are: no default.
    version: int
    oral: bool = False
    touches_status: bool = False
    signatures: tuple[Signature, ...] = ()
    effective_at: datetime | None = None
    confirm_until: datetime | None = None
    changes: tuple[StatusChange, ...] = ()
    confirmation: Confirmation | None = None
    scans: tuple[Attachment, ...] = ()


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A visit after the agreement (回访)."""

    at: datetime
    by: str
    kind: ReminderKind
    text: str
    performed: bool = False
    attachments: tuple[Attachment, ...] = ()


class Reminder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to do by `due_at`, told at `remind_at`; over when `done_at` is set."""

    kind: ReminderKind
    remind_at: datetime
    due_at: datetime
    fired_at: datetime | None = None
    done_at: datetime | None = None


class PoliceNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the police was told, by whom and why."""

    at: datetime
    by: str
    ground: PoliceGround
    text: str = ""


class RemediesNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the parties were told what other ways are open to them (art. 26)."""

    at: datetime
    by: str
    way: str
    told: tuple[str, ...] = ()


class DisputeStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the diary."""

    at: datetime
    by: str
    verb: str
    state: DisputeState
    remark: str = ""


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute with everything that happened to it. `revision` belongs to the store."""

    dispute_id: str
    case_id: str
    case_number: str
    category: str
    state: DisputeState
    city: str
    area_code: str
    description: str
    committee: Committee
    opened_at: datetime
    changed_at: datetime
    revision: int = 0
    department: str = ""
    people_involved: int = 0
    scale: str = ""
    methods: tuple[str, ...] = ()
    condition: str = ""
    parties: tuple[Party, ...] = ()
    mediators: tuple[Mediator, ...] = ()
    sessions: tuple[Session, ...] = ()
    clock: Clock | None = None
    clock_basis: str = ""
    agreement: Agreement | None = None
    result: str = ""
    result_text: str = ""
    reminders: tuple[Reminder, ...] = ()
    visits: tuple[Visit, ...] = ()
    police_notes: tuple[PoliceNote, ...] = ()
    notice: RemediesNotice | None = None
    steps: tuple[DisputeStep, ...] = ()
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    result_at: datetime | None = None
    traceparent: str = ""
    next_due_at: datetime | None = None

    @property
    def mediator(self) -> Mediator | None:
        """Who mediates now; None before the choice."""
        return next((each for each in reversed(self.mediators) if each.recused_at is None), None)

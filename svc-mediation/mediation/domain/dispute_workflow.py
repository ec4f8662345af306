"""The life of a dispute and of its agreement as tables, like those of cases in `domain.workflow`.

The agreement rows are those of `codes/agreement_status.csv`; a test holds them equal to it.
"""

from __future__ import annotations

from enum import StrEnum

from mediation.domain.dispute import AgreementStatus, DisputeState
from mediation.domain.workflow import Transition

MEDIATION = frozenset({"GRID_MEDIATOR", "GRID_SUPERVISOR", "STREET_CENTER", "DEPT_HANDLER", "DEPT_LEAD"})
"""Who runs a mediation: the mediator, the heads of community and street, people of the departments that mediate."""

MEDIATING_DEPARTMENTS = frozenset({"PMC", "PMC_MED", "JUST"})
"""Of the departments only these see disputes beside the one that opened it: the committees and the judicial bureau above them."""

# Residents who apply at a window are entered by these, who mediate nothing.
CLERKS = frozenset({"GRID_WORKER", "COMM_CLERK", "DISPATCHER"})

_S = DisputeState
_A = AgreementStatus


def _here(verb: str, *states: DisputeState, guard: str = "", by: frozenset[str] = MEDIATION) -> tuple[Transition, ...]:
    return tuple(Transition(verb, state, state, by, guard) for state in states)


_OPEN = (_S.REGISTERED, _S.MEDIATING)

DISPUTE_TRANSITIONS: tuple[Transition, ...] = (
    *_here("add_party", *_OPEN),
    *_here("record_consent", *_OPEN, guard="the party agrees"),
    Transition("record_consent", _S.REGISTERED, _S.STOPPED, MEDIATION, "the party refuses (art. 17)"),
    Transition("record_consent", _S.MEDIATING, _S.STOPPED, MEDIATION, "the party refuses (art. 17)"),
    *_here("appoint_mediator", *_OPEN, guard="no mediator in office; no conflict"),
    *_here("accept_mediator", *_OPEN),
    *_here("recuse_mediator", *_OPEN, guard="a substitute, by default the chair"),
    Transition("begin_mediation", _S.REGISTERED, _S.MEDIATING, MEDIATION, "both sides consent and accept the mediator (art. 17, 19, 23)"),
    *_here("record_session", _S.MEDIATING, guard="mediator accepted by all"),
    *_here("extend_mediation", _S.MEDIATING, guard="all parties agree; not labour"),
    *_here("pause_clock", _S.MEDIATING, guard="medical: appraisal"),
    *_here("resume_clock", _S.MEDIATING),
    *_here("inform_police", *_OPEN, _S.AGREED, guard="public order (art. 25)"),
    Transition("inform_police", _S.REGISTERED, _S.ENDED, MEDIATION, "violence: police first, never mediated"),
    Transition("inform_police", _S.MEDIATING, _S.ENDED, MEDIATION, "violence: police first, never mediated"),
    Transition("inform_police", _S.AGREED, _S.ENDED, MEDIATION, "violence: police first, never mediated"),
    Transition("inform_police", _S.REGISTERED, _S.STOPPED, MEDIATION, "a penal matter"),
    Transition("inform_police", _S.MEDIATING, _S.STOPPED, MEDIATION, "a penal matter"),
    *_here("draft_agreement", _S.MEDIATING, guard="facts and terms"),
    *_here("draft_agreement", _S.AGREED, guard="the court refused the one before"),
    Transition("sign_agreement", _S.MEDIATING, _S.AGREED, MEDIATION, "all parties, the mediator and the committee signed (art. 29)"),
    *_here("sign_agreement", _S.MEDIATING, _S.AGREED, guard="somebody has not signed yet"),
    Transition("agree_orally", _S.MEDIATING, _S.AGREED, MEDIATION, "facts and terms on record (art. 28)"),
    Transition("end_mediation", _S.REGISTERED, _S.STOPPED, MEDIATION, "failed: the parties have to be told their remedies"),
    Transition("end_mediation", _S.MEDIATING, _S.STOPPED, MEDIATION, "failed: the parties have to be told their remedies"),
    Transition("end_mediation", _S.REGISTERED, _S.ENDED, MEDIATION, "settled or withdrawn"),
    Transition("end_mediation", _S.MEDIATING, _S.ENDED, MEDIATION, "settled or withdrawn"),
    Transition("end_mediation", _S.AGREED, _S.STOPPED, MEDIATION, "a court refused the agreement, and no other was signed"),
    Transition("end_mediation", _S.AGREED, _S.ENDED, MEDIATION, "a court refused the agreement; settled or withdrawn"),
    Transition("notify_remedies", _S.STOPPED, _S.ENDED, MEDIATION, "every party told (art. 26)"),
    *_here("change_agreement", _S.AGREED),
    *_here("apply_confirmation", _S.AGREED, guard="jointly, within 30 days (art. 33)"),
    *_here("decide_confirmation", _S.AGREED),
    *_here("record_visit", _S.AGREED),
    Transition("close_dispute", _S.AGREED, _S.CLOSED, MEDIATION, "agreement at its end, visits made"),
)  # fmt: skip

AGREEMENT_TRANSITIONS: tuple[Transition, ...] = (
    Transition("sign_agreement", _A.DRAFT, _A.EFFECTIVE, MEDIATION, "everybody signed"),
    Transition("change_agreement", _A.EFFECTIVE, _A.PERFORMING, MEDIATION),
    Transition("apply_confirmation", _A.EFFECTIVE, _A.CONFIRMATION_APPLIED, MEDIATION, "jointly, within 30 days"),
    Transition("change_agreement", _A.EFFECTIVE, _A.SUED, MEDIATION),
    Transition("change_agreement", _A.PERFORMING, _A.PERFORMED, MEDIATION),
    Transition("change_agreement", _A.PERFORMING, _A.DEFAULTED, MEDIATION),
    Transition("decide_confirmation", _A.CONFIRMATION_APPLIED, _A.CONFIRMED, MEDIATION, "the court confirms"),
    Transition("decide_confirmation", _A.CONFIRMATION_APPLIED, _A.REJECTED, MEDIATION, "the court refuses"),
    Transition("change_agreement", _A.DEFAULTED, _A.SUED, MEDIATION),
    Transition("change_agreement", _A.DEFAULTED, _A.ENFORCEMENT_APPLIED, MEDIATION, "confirmed by a court before"),
    Transition("change_agreement", _A.CONFIRMED, _A.PERFORMING, MEDIATION),
    Transition("change_agreement", _A.CONFIRMED, _A.ENFORCEMENT_APPLIED, MEDIATION),
    Transition("draft_agreement", _A.REJECTED, _A.DRAFT, MEDIATION, "another agreement"),
    Transition("change_agreement", _A.REJECTED, _A.SUED, MEDIATION),
)

LAST_STATUSES = frozenset(AgreementStatus) - {row.source for row in AGREEMENT_TRANSITIONS}
"""Where an agreement comes to its end: performed, sued, enforcement applied for."""


def _index(rows: tuple[Transition, ...]) -> dict[tuple[str, StrEnum], dict[StrEnum, Transition]]:
    found: dict[tuple[str, StrEnum], dict[StrEnum, Transition]] = {}
    for row in rows:
        found.setdefault((row.verb, row.source), {})[row.target] = row
    return found


# Rows by (verb, source) and target.
DISPUTE_MOVES = _index(DISPUTE_TRANSITIONS)
AGREEMENT_MOVES = _index(AGREEMENT_TRANSITIONS)
OPENERS = MEDIATION | CLERKS

"""Every guard of agreements, as rows."""

from __future__ import annotations

from mediation.domain.dispute import (
    AgreementStatus,
)
from mediation.operations import agreements

from .dispute_builders import (
    ANNA,
    BORIS,
    mediating,
    met,
    signatures,
    signed,
    term,
)
from .dispute_steps import (
    BY,
    EVERY_PARTY,
    applied,
    at_the_limit,
    busy,
    moved,
    performed,
    signing,
    visited,
    written,
)
from .guarding import Guard

AGREEING = (
    Guard(
        "signed before it is drafted",
        "NO_AGREEMENT",
        "There is no agreement yet.",
        lambda: agreements.sign_agreement(met(mediating()), signatures=signatures(ANNA), **BY),
    ),
    Guard(
        "drafted before anybody met",
        "SESSION_MISSING",
        "An agreement follows a session.",
        lambda: written(mediating()),
    ),
    Guard("drafted without terms", "TERMS_MISSING", "An agreement has at least one term.", lambda: written(terms=()), "terms"),
    Guard(
        "a debt to oneself",
        "SAME_PARTY",
        "Nobody owes themselves.",
        lambda: written(terms=(term(obligor=BORIS, obligee=BORIS),)),
        "terms[0].obligee",
    ),
    Guard(
        "due on a day that is none",
        "INVALID_DATE",
        "This day does not exist.",
        lambda: written(terms=(term(due_on="2026-02-30"),)),
        "terms[0].due_on",
    ),
    Guard(
        "drafted anew once it is signed",
        "AGREEMENT_STATUS",
        "An agreement that is effective cannot become draft by draft_agreement.",
        lambda: written(signed()),
    ),
    Guard(
        "changed too often",
        "TOO_MANY_CHANGES",
        "This agreement has changed too often.",
        lambda: moved(busy(), AgreementStatus.PERFORMING),
    ),
    Guard(
        "signed twice by one party",
        "SIGNED_TWICE",
        "This signature is there already.",
        lambda: signing(ANNA, ANNA),
        "signatures[1].signer",
    ),
    Guard(
        "a court for what was said",
        "CONFIRMATION_NOT_AVAILABLE",
        "No court confirms oral agreements, nor those about marriage or adoption itself.",
        lambda: applied(signed(touches_status=True)),
    ),
    Guard(
        "a court after 30 days",
        "CONFIRMATION_LATE",
        "The 30 days for the joint application are over.",
        lambda: applied(signed(), now=at_the_limit(signed())),
    ),
    Guard(
        "a court asked by one party",
        "NOT_JOINT",
        EVERY_PARTY,
        lambda: applied(signed(), applicants=(ANNA,)),
        "applicants",
    ),
    Guard(
        "enforced without a court",
        "NOT_CONFIRMED",
        "Only what a court confirmed can be enforced.",
        lambda: moved(signed(), AgreementStatus.PERFORMING, AgreementStatus.DEFAULTED, AgreementStatus.ENFORCEMENT_APPLIED),
    ),
    Guard(
        "one visit too many",
        "NO_VISIT_DUE",
        "Every visit was made.",
        lambda: visited(performed(), 3),
    ),
    Guard(
        "closed before it is performed",
        "AGREEMENT_OPEN",
        "The agreement is still effective.",
        lambda: agreements.close_dispute(signed(), **BY),
    ),
    Guard(
        "closed before the visits",
        "VISIT_MISSING",
        "A visit is still to be made.",
        lambda: agreements.close_dispute(visited(performed(), 1), **BY),
    ),
)

GUARDS = AGREEING

"""The rules of verification orders: which tasks ask for one, and the table of who may move it where."""

from __future__ import annotations

from population.domain.verification import VerificationOrder, VerificationState
from svckit.errors import FailedPrecondition

# Category of the case → departments whose tasks a grid worker answers by going and checking.
ORDERED_BY: dict[str, frozenset[str]] = {
    "L": frozenset({"COMM", "CIVIL", "HEALTH"}),
    "E": frozenset({"COMM"}),
}


DEPARTMENTS = frozenset().union(*ORDERED_BY.values())


ORDER_TRANSITIONS: dict[str, tuple[frozenset[VerificationState | None], VerificationState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "open": (frozenset({None}), VerificationState.OPEN),
    "complete": (frozenset({VerificationState.OPEN}), VerificationState.COMPLETED),
    "reopen": (frozenset({VerificationState.COMPLETED, VerificationState.CANCELLED}), VerificationState.OPEN),
    "cancel": (frozenset({VerificationState.OPEN}), VerificationState.CANCELLED),
}


def asks_for_verification(*, category: str, department: str) -> bool:
    """Tells whether a grid worker answers this task by going and checking."""
    return department in ORDERED_BY.get(category[:1], ())


def check_transition(order: VerificationOrder, verb: str) -> VerificationState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE) when it cannot start here."""
    sources, target = ORDER_TRANSITIONS[verb]
    if order.state not in sources:
        raise FailedPrecondition(
            f"A verification order that is {order.state} cannot {verb}.",
            reason="WRONG_STATE",
            metadata={"state": order.state},
        )
    return target

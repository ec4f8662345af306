"""The rules of merges."""

from __future__ import annotations

from collections.abc import Collection

from population.domain.merge import Merge, MergeState
from population.domain.resident import Resident
from population.policies.residents import NO_DOCUMENT, NOT_VERIFIED, SEX_NOT_STATED, SEX_UNKNOWN
from population.policies.standing import check_here
from svckit.errors import FailedPrecondition, InvalidArgument

TAKEABLE = ("name", "name_latin", "phone", "birth_date", "sex", "resident_type", "household")
# Fields that are taken as one.
TAKEN_TOGETHER = {"household_id": "household", "household_relation": "household"}
MERGE_TRANSITIONS: dict[str, tuple[frozenset[MergeState | None], MergeState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "dismiss": (frozenset({None}), MergeState.DISMISSED),
    "confirm": (frozenset({None}), MergeState.CONFIRMED),
    "finish": (frozenset({MergeState.CONFIRMED}), MergeState.MERGED),
    "undo": (frozenset({MergeState.MERGED}), MergeState.UNDOING),
    "restore": (frozenset({MergeState.UNDOING, MergeState.CONFIRMED}), MergeState.UNDONE),
}
_LACKING = {
    "sex": frozenset({"", SEX_UNKNOWN, SEX_NOT_STATED}),
    "resident_type": frozenset({"", NOT_VERIFIED}),
    "id_doc_type": frozenset({"", NO_DOCUMENT}),
}


def is_lacking(name: str, value: str) -> bool:
    """Tells whether a field says nothing: empty, or a code for "not known"."""
    return value in _LACKING.get(name, ("",))


def check_pair(survivor: Resident, absorbed: Resident) -> None:
    """Raises FailedPrecondition (SAME_ENTRY, OTHER_CITY, DEPARTED)."""
    if survivor.resident_id == absorbed.resident_id:
        raise FailedPrecondition("This is one entry.", reason="SAME_ENTRY")
    if survivor.city != absorbed.city:
        raise FailedPrecondition("Each city keeps its own register.", reason="OTHER_CITY")
    check_here(survivor)
    check_here(absorbed)


def check_take(take: Collection[str]) -> None:
    """Raises InvalidArgument (FIELD_NOT_TAKEABLE)."""
    wrong = sorted(set(take) - set(TAKEABLE))
    if wrong:
        raise InvalidArgument(f"These can be taken: {', '.join(TAKEABLE)}.", reason="FIELD_NOT_TAKEABLE", field="take")


def check_merge_transition(merge: Merge, verb: str) -> MergeState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE) when it cannot start here."""
    sources, target = MERGE_TRANSITIONS[verb]
    if merge.state not in sources:
        raise FailedPrecondition(
            f"A merge that is {merge.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": merge.state}
        )
    return target

"""The rules of households."""

from __future__ import annotations

from population.domain.household import HouseholdDraft
from population.policies.codes import check_code


def check_household_draft(draft: HouseholdDraft) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a match flag no table has."""
    if draft.match_flag:
        check_code(draft.match_flag, table="household_match_flag", field="match_flag")

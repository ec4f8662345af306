"""The verbs on households."""

from __future__ import annotations

from datetime import datetime

from population.domain.household import Household, HouseholdDraft
from population.policies.households import check_household_draft
from population.policies.requests import CITY_DIGITS


def create_household(*, draft: HouseholdDraft, household_id: str, now: datetime) -> tuple[Household, tuple[()]]:
    """Makes a household of a draft. Raises InvalidArgument for a wrong code."""
    check_household_draft(draft)
    household = Household(
        household_id=household_id,
        city=draft.area_code[:CITY_DIGITS],
        area_code=draft.area_code,
        house_id=draft.house_id,
        match_flag=draft.match_flag,
        created_at=now,
        changed_at=now,
    )
    return household, ()

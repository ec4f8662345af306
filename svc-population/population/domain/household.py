"""People who live as a family."""

from __future__ import annotations

from datetime import datetime

import msgspec


class HouseholdDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to enter a household."""

    area_code: str
    house_id: str = ""
    match_flag: str = ""


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """People who live as a family; `match_flag` is a code of household_match_flag.csv."""

    household_id: str
    city: str
    area_code: str
    created_at: datetime
    changed_at: datetime
    house_id: str = ""
    match_flag: str = ""
    head_id: str = ""
    revision: int = 0

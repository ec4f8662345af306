"""The verbs on households."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.facts import HouseholdChanged, HouseholdRegistered, ResidentChanged
from population.domain.household import Household, HouseholdDraft
from population.domain.resident import Resident
from population.operations.residents import changed_fact
from population.policies.households import HEAD, check_headless, check_household_draft, check_joins, check_same_household
from population.policies.requests import CITY_DIGITS, check_revision
from svckit.errors import InvalidArgument, NotFound


def create_household(
    *, draft: HouseholdDraft, household_id: str, now: datetime
) -> tuple[Household, tuple[HouseholdRegistered, ...]]:
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
    return household, (HouseholdRegistered(household_id=household_id, area_code=draft.area_code, at=now),)


def set_head(
    household: Household, *, head_id: str, revision: int, now: datetime
) -> tuple[Household, tuple[HouseholdChanged, ...]]:
    """Makes a member the head. Whether the person is one, the caller has found out."""
    check_revision(revision, household.revision)
    return _changed(replace(household, head_id=head_id, changed_at=now), ("head_id",), now)


def move_household(
    household: Household, *, house_id: str, area_code: str, revision: int, now: datetime
) -> tuple[Household, tuple[HouseholdChanged, ...]]:
    """The household lives in another house of the city. Raises InvalidArgument (OTHER_CITY, HOUSE_MISSING)."""
    check_revision(revision, household.revision)
    if not house_id:
        raise InvalidArgument("Say which house.", reason="HOUSE_MISSING", field="home.house_id")
    if area_code[:CITY_DIGITS] != household.city:
        raise InvalidArgument("Another city keeps its own register.", reason="OTHER_CITY", field="home.area_code")
    moved = replace(household, house_id=house_id, area_code=area_code, changed_at=now)
    return _changed(moved, ("house_id", "area_code"), now)


def say_household(
    household: Household | None,
    *,
    household_id: str,
    draft: HouseholdDraft | None,
    member_id: str,
    relation: str,
    now: datetime,
) -> tuple[Household, tuple[HouseholdRegistered | HouseholdChanged, ...]]:
    """Enters a household as a file says it, or finds it said already; who is the head to themselves becomes it.

    Raises FailedPrecondition (HOUSEHOLD_DIFFERS, HEAD_TWICE), NotFound (HOUSEHOLD_NOT_FOUND) for one of which only a member is told.
    """
    facts: tuple[HouseholdRegistered | HouseholdChanged, ...] = ()
    if household is None:
        if draft is None:
            message = "The file says nothing of this household before its members."
            raise NotFound(message, reason="HOUSEHOLD_NOT_FOUND", field="household")
        household, facts = create_household(draft=draft, household_id=household_id, now=now)
    elif draft is not None:
        check_same_household(household, draft)
    if relation != HEAD or household.head_id == member_id:
        return household, facts
    check_headless(household)
    headed, changed = set_head(household, head_id=member_id, revision=0, now=now)
    return headed, (*facts, *changed)


def join_household(
    resident: Resident, *, household_id: str, relation: str, now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Makes somebody a member of a household, unless they are one. Raises FailedPrecondition (OTHER_HOUSEHOLD, RELATION_DIFFERS)."""
    check_joins(resident, household_id=household_id, relation=relation)
    if resident.household_id == household_id and resident.household_relation == relation:
        return resident, ()
    joined = replace(resident, household_id=household_id, household_relation=relation, changed_at=now)
    return joined, (changed_fact(joined, ["household_id", "household_relation"], now=now),)


def relate(
    resident: Resident, *, household_id: str, relation: str, now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Gives a member of a household a relation to its head. Somebody who left it meanwhile stays as they are."""
    if resident.household_id != household_id or resident.household_relation == relation:
        return resident, ()
    changed = replace(resident, household_relation=relation, changed_at=now)
    return changed, (changed_fact(changed, ["household_relation"], now=now),)


def is_head(resident: Resident, household: Household) -> bool:
    """Tells whether a member is the head: named as such, or by relation while nobody is named."""
    return household.head_id == resident.resident_id or (not household.head_id and resident.household_relation == HEAD)


def _changed(household: Household, fields: tuple[str, ...], now: datetime) -> tuple[Household, tuple[HouseholdChanged, ...]]:
    fact = HouseholdChanged(household_id=household.household_id, area_code=household.area_code, fields=fields, at=now)
    return household, (fact,)

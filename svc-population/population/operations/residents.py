"""The verbs on residents, their residences and households."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any, Protocol

from msgspec.structs import replace

from population.domain import (
    Household,
    HouseholdDraft,
    Residence,
    ResidenceDraft,
    ResidenceEnded,
    ResidenceStarted,
    Resident,
    ResidentDraft,
    ResidentRegistered,
    Secret,
)
from population.identity import normal_form
from population.policies import (
    CITY_DIGITS,
    NO_DOCUMENT,
    NOT_VERIFIED,
    check_can_end,
    check_household_draft,
    check_lives_elsewhere,
    check_mask,
    check_resident_codes,
    check_revision,
    identity_of,
    local_day,
    read_day,
    residence_of,
)
from svckit.errors import InvalidArgument

RESIDENT_FIELDS = ("area_code", "name", "phone", "resident_type", "household_id", "household_relation")
ResidentEvent = ResidentRegistered | ResidenceStarted | ResidenceEnded


class Seal(Protocol):
    """Makes a value unreadable; `population.vault.Vault.seal` is one."""

    def __call__(self, value: str, *, field: str, owner: str) -> Secret: ...


def create_resident(
    *, draft: ResidentDraft, resident_id: str, residence_id: str, seal: Seal, now: datetime
) -> tuple[Resident, tuple[ResidentEvent, ...]]:
    """Makes a resident of a draft, with the first residence if one is given. Raises InvalidArgument (see `identity_of`)."""
    resident = _new_resident(draft, resident_id=resident_id, seal=seal, now=now)
    registered = ResidentRegistered(
        resident_id=resident_id, area_code=resident.area_code, resident_type=resident.resident_type, at=now
    )
    if draft.residence is None:
        return resident, (registered,)
    housed, started = start_residence(resident, draft=draft.residence, residence_id=residence_id, revision=0, now=now)
    return housed, (registered, *started)


def update_resident(
    resident: Resident, *, fields: Collection[str], values: ResidentDraft, seal: Seal, revision: int, now: datetime
) -> tuple[Resident, tuple[()]]:
    """Takes the named fields from `values`. Raises InvalidArgument (mask, code), FailedPrecondition (REVISION_CHANGED)."""
    check_revision(revision, resident.revision)
    check_mask(fields, allowed=RESIDENT_FIELDS)
    changed = replace(resident, **_values(resident, fields, values, seal), changed_at=now)
    check_resident_codes(resident_type=changed.resident_type, household_relation=changed.household_relation)
    if not changed.name or not changed.area_code:
        raise InvalidArgument("A resident needs a name and an area.", field="name" if not changed.name else "area_code")
    return replace(changed, city=changed.area_code[:CITY_DIGITS]), ()


def start_residence(
    resident: Resident, *, draft: ResidenceDraft, residence_id: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidenceStarted, ...]]:
    """The person lives in a house from a day on. Raises FailedPrecondition (ALREADY_LIVES_THERE), InvalidArgument (date)."""
    check_revision(revision, resident.revision)
    check_lives_elsewhere(resident, draft.house_id)
    residence = Residence(
        residence_id=residence_id,
        house_id=draft.house_id,
        area_code=draft.area_code or resident.area_code,
        tenure=draft.tenure,
        since=_day(draft.since, field="since", today=local_day(now)),
    )
    started = ResidenceStarted(
        resident_id=resident.resident_id,
        residence_id=residence_id,
        house_id=residence.house_id,
        area_code=residence.area_code,
        at=now,
    )
    return replace(resident, residences=(*resident.residences, residence), changed_at=now), (started,)


def end_residence(
    resident: Resident, *, residence_id: str, until: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidenceEnded, ...]]:
    """Ends a residence; it stays in the history. Raises NotFound, FailedPrecondition (ended before), InvalidArgument (date)."""
    check_revision(revision, resident.revision)
    ending = residence_of(resident, residence_id)
    last_day = _day(until, field="until", today=local_day(now))
    check_can_end(ending, until=last_day)
    ended = replace(ending, until=last_day)
    residences = tuple(ended if item is ending else item for item in resident.residences)
    fact = ResidenceEnded(
        resident_id=resident.resident_id,
        residence_id=residence_id,
        house_id=ended.house_id,
        area_code=ended.area_code,
        at=now,
    )
    return replace(resident, residences=residences, changed_at=now), (fact,)


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


def _new_resident(draft: ResidentDraft, *, resident_id: str, seal: Seal, now: datetime) -> Resident:
    identity = identity_of(draft, today=local_day(now))
    resident_type = draft.resident_type or NOT_VERIFIED
    check_resident_codes(resident_type=resident_type, household_relation=draft.household_relation)
    number = normal_form(draft.id_number)
    return Resident(
        resident_id=resident_id,
        city=draft.area_code[:CITY_DIGITS],
        area_code=draft.area_code,
        name=draft.name,
        sex=identity.sex,
        birth_date=identity.birth_date,
        id_doc_type=draft.id_doc_type or NO_DOCUMENT,
        id_number=seal(number, field="id_number", owner=resident_id) if number else None,
        phone=seal(draft.phone, field="phone", owner=resident_id) if draft.phone else None,
        resident_type=resident_type,
        household_id=draft.household_id,
        household_relation=draft.household_relation,
        created_at=now,
        changed_at=now,
    )


def _values(resident: Resident, fields: Collection[str], values: ResidentDraft, seal: Seal) -> dict[str, Any]:
    taken: dict[str, Any] = {name: getattr(values, name) for name in fields}
    if taken.get("phone"):
        taken["phone"] = seal(values.phone, field="phone", owner=resident.resident_id)
    elif "phone" in taken:
        taken["phone"] = None
    return taken


def _day(text: str, *, field: str, today: date) -> str:
    if not text:
        return today.isoformat()
    if read_day(text, field=field) > today:
        raise InvalidArgument("This day lies in the future.", reason="IN_THE_FUTURE", field=field)
    return text

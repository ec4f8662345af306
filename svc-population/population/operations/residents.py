"""The verbs on residents."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from msgspec.structs import replace

from population.domain.facts import ResidenceEnded, ResidenceStarted, ResidentRegistered
from population.domain.resident import Resident, ResidentDraft
from population.domain.secret import Secret
from population.identity import normal_form
from population.operations.residences import start_residence
from population.policies.requests import CITY_DIGITS, check_mask, check_revision, local_day
from population.policies.residents import NO_DOCUMENT, NOT_VERIFIED, check_resident_codes, identity_of
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

"""The verbs on residents."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

from msgspec.structs import replace

from population.domain.facts import ResidenceEnded, ResidenceStarted, ResidentChanged, ResidentRegistered
from population.domain.residence import ResidenceKind
from population.domain.resident import Resident, ResidentDraft
from population.domain.secret import Secret
from population.id_documents import normal_number
from population.names import name_keys, plain_name
from population.operations.residences import start_residence
from population.phones import normal_phone
from population.policies.codes import check_code
from population.policies.requests import CITY_DIGITS, check_mask, check_revision, local_day
from population.policies.residents import NO_DOCUMENT, check_resident_codes, first_type, identity_of
from svckit.errors import InvalidArgument

RESIDENT_FIELDS = (
    "area_code",
    "name",
    "name_latin",
    "phone",
    "resident_type",
    "household_id",
    "household_relation",
    "living",
    "affiliation",
)
ResidentEvent = ResidentRegistered | ResidentChanged | ResidenceStarted | ResidenceEnded


class Seal(Protocol):
    """Makes a value unreadable; `population.vault.Vault.seal` is one."""

    def __call__(self, value: str, *, field: str, owner: str) -> Secret: ...


def create_resident(
    *, draft: ResidentDraft, resident_id: str, residence_id: str, seal: Seal, now: datetime, registered_id: str = ""
) -> tuple[Resident, tuple[ResidentEvent, ...]]:
    """Makes a resident of a draft, with the first residence and the registered one (its id: `registered_id`) if they are given.

    Raises InvalidArgument (see `identity_of`, `start_residence`, `normal_phone`).
    """
    resident = _new_resident(draft, resident_id=resident_id, seal=seal, now=now)
    registered = ResidentRegistered(
        resident_id=resident_id, area_code=resident.area_code, resident_type=resident.resident_type, at=now
    )
    housed = resident
    facts: list[ResidentEvent] = [registered]
    if draft.registered is not None:
        assert registered_id, "a registered residence needs an id"
        place = replace(draft.registered, kind=ResidenceKind.REGISTERED)
        housed, started = start_residence(
            housed, draft=place, residence_id=registered_id, revision=0, now=now, field="registered"
        )
        facts += started
    if draft.residence is not None:
        housed, started = start_residence(housed, draft=draft.residence, residence_id=residence_id, revision=0, now=now)
        facts += started
    # What was said about the kind of resident counts; what follows from the residences fills the gap.
    return replace(housed, resident_type=draft.resident_type or housed.resident_type, living=draft.living), tuple(facts)


def update_resident(
    resident: Resident, *, fields: Collection[str], values: ResidentDraft, seal: Seal, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Takes the named fields from `values`. Raises InvalidArgument (mask, code), FailedPrecondition (REVISION_CHANGED)."""
    check_revision(revision, resident.revision)
    check_mask(fields, allowed=RESIDENT_FIELDS)
    changed = replace(resident, **_values(resident, fields, values, seal), changed_at=now)
    check_resident_codes(resident_type=changed.resident_type, household_relation=changed.household_relation)
    if not changed.name or not changed.area_code:
        raise InvalidArgument("A resident needs a name and an area.", field="name" if not changed.name else "area_code")
    changed = replace(changed, city=changed.area_code[:CITY_DIGITS])
    return changed, (changed_fact(changed, fields, now=now),)


def changed_fact(resident: Resident, fields: Collection[str], *, now: datetime) -> ResidentChanged:
    """Returns the fact that these fields changed."""
    return ResidentChanged(resident_id=resident.resident_id, area_code=resident.area_code, fields=tuple(sorted(fields)), at=now)


def _new_resident(draft: ResidentDraft, *, resident_id: str, seal: Seal, now: datetime) -> Resident:
    identity = identity_of(draft, today=local_day(now))
    resident_type = first_type(draft)
    check_resident_codes(resident_type=resident_type, household_relation=draft.household_relation)
    number = normal_number(draft.id_doc_type, draft.id_number)
    phone = normal_phone(draft.phone) if draft.phone else ""
    name, latin = plain_name(draft.name), plain_name(draft.name_latin)
    return Resident(
        resident_id=resident_id,
        city=draft.area_code[:CITY_DIGITS],
        area_code=draft.area_code,
        name=name,
        sex=identity.sex,
        birth_date=identity.birth_date,
        id_doc_type=draft.id_doc_type or NO_DOCUMENT,
        id_number=seal(number, field="id_number", owner=resident_id) if number else None,
        phone=seal(phone, field="phone", owner=resident_id) if phone else None,
        resident_type=resident_type,
        household_id=draft.household_id,
        household_relation=draft.household_relation,
        name_latin=latin,
        name_keys=name_keys(name, latin=latin),
        affiliation=_affiliation(draft, seal, resident_id),
        created_at=now,
        changed_at=now,
    )


def _values(resident: Resident, fields: Collection[str], values: ResidentDraft, seal: Seal) -> dict[str, Any]:
    taken: dict[str, Any] = {name: getattr(values, name) for name in fields}
    if taken.get("phone"):
        taken["phone"] = seal(normal_phone(values.phone), field="phone", owner=resident.resident_id)
    elif "phone" in taken:
        taken["phone"] = None
    if "affiliation" in taken:
        taken["affiliation"] = _affiliation(values, seal, resident.resident_id)
    if "name" in taken or "name_latin" in taken:
        name = plain_name(taken.get("name", resident.name))
        latin = plain_name(taken.get("name_latin", resident.name_latin))
        taken |= {"name": name, "name_latin": latin, "name_keys": name_keys(name, latin=latin)}
    return taken


def _affiliation(draft: ResidentDraft, seal: Seal, owner: str) -> Secret | None:
    if not draft.affiliation:
        return None
    check_code(draft.affiliation, table="affiliation", field="affiliation")
    return seal(draft.affiliation, field="affiliation", owner=owner)

"""Residents: schema, indexes, searches."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    Document,
    EmbeddedDocument,
    FloatField,
    IntField,
    ListField,
    StringField,
)
from mongoengine import EmbeddedDocumentField as Embedded

from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.domain.standing import ResidentStatus
from population.names import Sought
from population.store.rows import OWNED_BY_STORE, Raw, Rows
from svckit.paging import code_range

COMMUNITY_DIGITS = 12
MOST_ALIKE = 500
"""Of a very common name so many are compared."""


class SecretDocument(EmbeddedDocument):
    """A sealed value."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}
    cipher = BinaryField(required=True)
    index = BinaryField(required=True)


class ResidenceDocument(EmbeddedDocument):
    """A residence inside a resident."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}
    residence_id = StringField(required=True)
    house_id = StringField(required=True)
    area_code = StringField(required=True)
    tenure = StringField()
    since = StringField(required=True)
    until = StringField()
    kind = StringField()


class IdDocumentDocument(EmbeddedDocument):
    """An identity document beside the first."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}
    document_id = StringField(required=True)
    id_doc_type = StringField(required=True)
    number = Embedded(SecretDocument)


class StandingDocument(EmbeddedDocument):
    """Why a resident no longer lives here."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}
    status = StringField(required=True)
    since = StringField(required=True)
    at = DateTimeField(required=True)
    by = StringField(required=True)
    reason = StringField()
    to_area_code = StringField()
    merged_into = StringField()
    ended_residence_ids = ListField(StringField())


class LivingDocument(EmbeddedDocument):
    """How a resident lives now."""

    meta: ClassVar[dict[str, Any]] = {"strict": False}
    floor = IntField()
    lift = BooleanField()
    alone = BooleanField()
    longitude = FloatField()
    latitude = FloatField()


class ResidentDocument(Document):
    """Residents by id; an identity number is there once in a city."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "residents",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {
                "name": "id_number",
                "fields": ["city", "id_number.index"],
                "unique": True,
                "partialFilterExpression": {"id_number.index": {"$exists": True}},
            },
            {"name": "phone", "fields": ["phone.index"], "sparse": True},
            {"name": "area", "fields": ["area_code", "_id"]},
            {"name": "house", "fields": ["residences.house_id", "residences.until"]},
            {
                "name": "other_number",
                "fields": ["documents.number.index"],
                "partialFilterExpression": {"documents.number.index": {"$exists": True}},
            },
            {"name": "name", "fields": ["name_keys", "area_code"]},
            {"name": "household", "fields": ["household_id"], "partialFilterExpression": {"household_id": {"$gt": ""}}},
        ],
    }
    resident_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    name = StringField(required=True)
    sex = StringField(required=True)
    birth_date = StringField()
    id_doc_type = StringField(required=True)
    id_number = Embedded(SecretDocument)
    phone = Embedded(SecretDocument)
    resident_type = StringField(required=True)
    household_id = StringField()
    household_relation = StringField()
    residences = ListField(Embedded(ResidenceDocument))
    living = Embedded(LivingDocument)
    affiliation = Embedded(SecretDocument)
    name_latin = StringField()
    name_keys = ListField(StringField())
    match_flag = StringField()
    standing = Embedded(StandingDocument)
    documents = ListField(Embedded(IdDocumentDocument))
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


def lives_in(house_id: str) -> dict[str, Any]:
    """Returns the condition that a person lives in the house now."""
    return {"residences": {"$elemMatch": {"house_id": house_id, "until": "", "kind": {"$ne": ResidenceKind.REGISTERED.value}}}}


def is_lived_in(residence: Mapping[str, Any]) -> bool:
    """Tells the same of a stored residence: it has not ended, and is not where somebody is only registered."""
    return not residence.get("until") and residence.get("kind") != ResidenceKind.REGISTERED.value


HERE: dict[str, Any] = {"standing": None}
"""The condition that somebody is among those who live here."""


async def household_sizes(rows: Rows, *, prefix: str) -> dict[str, int]:
    """Returns how many people are of each household that has somebody in an area, wherever they live."""
    ids = await rows.distinct("household_id", {"area_code": code_range(prefix), "household_id": {"$gt": ""}, **HERE})
    whole: list[Raw] = [
        {"$match": {"household_id": {"$in": ids}, **HERE}},
        {"$group": {"_id": "$household_id", "people": {"$sum": 1}}},
    ]
    return {row["_id"]: row["people"] async for row in await rows.aggregate(whole)}


async def with_numbers(rows: Rows, *, city: str, indexes: Collection[bytes]) -> list[Raw]:
    """Returns the residents of a city with one of these numbers on any identity document, with the command that entered each.

    Entries that were merged are left out: their numbers are those of the entry that goes on.
    """
    numbers = {"$in": list(indexes)}
    query = {"city": city, "$or": [{"id_number.index": numbers}, {"documents.number.index": numbers}]}
    found = await rows.find(query, {"outbox": False, "commands": False}).to_list()
    return [row for row in found if not is_merged(row)]


def is_merged(row: Mapping[str, Any]) -> bool:
    """Tells whether an entry was merged into another one."""
    standing = row.get("standing")
    return standing is not None and standing["status"] == ResidentStatus.MERGED


async def with_name(rows: Rows, *, sought: Sought, prefix: str, extra: Mapping[str, Any], limit: int) -> list[Raw]:
    """Returns up to `limit` residents of an area by name, by area.

    Within a community the index of the area leads and any part of a Chinese name will do; in wider areas the index of names leads.
    """
    area = {"area_code": code_range(prefix)} if prefix else {}
    if len(prefix) >= COMMUNITY_DIGITS:
        name = {"name": {"$regex": re.escape(sought.name)}} if sought.name else _keys_like([*sought.keys, sought.wider])
        return await _by_area(rows, {**area, **name, **extra}, hint="area", limit=limit)
    name = {"name": {"$regex": f"^{re.escape(sought.name)}"}} if sought.name else {}
    found = await _by_area(rows, {**_keys_like(sought.keys), **area, **name, **extra}, hint="name", limit=limit)
    if found or not sought.wider:
        return found
    return await _by_area(rows, {**_keys_like([sought.wider]), **area, **extra}, hint="name", limit=limit)


async def maybe_same(rows: Rows, resident: Resident, *, numbers: Sequence[bytes], phones: Sequence[bytes]) -> list[Raw]:
    """Returns those of the city who share something with a resident: a name as it sounds, a number, the home, the birthday nearby."""
    homes = [home.house_id for home in resident.residences if home.house_id and not home.until]
    community = code_range(resident.area_code[:COMMUNITY_DIGITS])
    city = code_range(resident.city)
    wanted: list[dict[str, Any]] = [{"name_keys": {"$in": list(resident.name_keys)}, "area_code": city}]
    wanted += [{"id_number.index": {"$in": list(numbers)}, "city": resident.city}] if numbers else []
    wanted += [{"documents.number.index": {"$in": list(numbers)}, "city": resident.city}] if numbers else []
    wanted += [{"phone.index": {"$in": list(phones)}, "city": resident.city}] if phones else []
    wanted += [{"residences.house_id": {"$in": homes}, "city": resident.city}] if homes else []
    wanted += [{"household_id": resident.household_id}] if resident.household_id else []
    wanted += [{"area_code": community, "birth_date": resident.birth_date}] if resident.birth_date else []
    found: dict[str, Raw] = {}
    for query in wanted:
        for row in await rows.find({**query, **HERE}, OWNED_BY_STORE).limit(MOST_ALIKE).to_list():
            found[row["_id"]] = row
    found.pop(resident.resident_id, None)
    return list(found.values())


def _keys_like(patterns: Iterable[str]) -> dict[str, Any]:
    return {"name_keys": {"$in": [re.compile(pattern) for pattern in patterns if pattern]}}


async def _by_area(rows: Rows, query: Mapping[str, Any], *, hint: str, limit: int) -> list[Raw]:
    return await rows.find(query, OWNED_BY_STORE).sort([("area_code", 1), ("_id", 1)]).hint(hint).limit(limit).to_list()

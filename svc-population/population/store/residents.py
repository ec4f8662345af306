"""Residents: schema, indexes, searches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

from population.store.rows import Raw, Rows


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
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


def lives_in(house_id: str) -> dict[str, Any]:
    """Returns the condition that a person lives in the house now."""
    return {"residences": {"$elemMatch": {"house_id": house_id, "until": ""}}}


async def with_numbers(rows: Rows, *, city: str, indexes: Collection[bytes]) -> list[Raw]:
    """Returns the residents of a city with one of these identity numbers, with the command that entered each."""
    query = {"city": city, "id_number.index": {"$in": list(indexes)}}
    return await rows.find(query, {"outbox": False, "commands": False}).to_list()


async def count_by_type(rows: Rows, query: Mapping[str, Any]) -> dict[str, int]:
    """Returns how many residents there are of each kind."""
    stages = [{"$match": dict(query)}, {"$group": {"_id": "$resident_type", "count": {"$sum": 1}}}]
    return {row["_id"]: row["count"] async for row in await rows.aggregate(stages)}

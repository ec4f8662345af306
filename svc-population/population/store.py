"""What lies in the database `binglian_population`: the schema and indexes of its collections, and the searches.

Documents are written by `svckit.store`/`svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
Identity and telephone numbers are there as ciphers with a blind index (`population.vault`), never in clear text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from mongoengine import BinaryField, DateTimeField, DictField, Document, EmbeddedDocument, IntField, ListField, StringField
from mongoengine import EmbeddedDocumentField as Embedded
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection as SyncCollection

from svckit.paging import code_range, narrowed

Raw = dict[str, Any]
Rows = AsyncCollection[Raw]
OWNED_BY_STORE = {"outbox": False, "commands": False, "created_by": False}


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
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


class HouseholdDocument(Document):
    """Households by id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "households",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "area", "fields": ["area_code", "_id"]},
            {"name": "house", "fields": ["house_id"], "partialFilterExpression": {"house_id": {"$gt": ""}}},
        ],
    }
    household_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    house_id = StringField()
    match_flag = StringField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


class VerificationOrderDocument(Document):
    """Verification orders by the id of the task they answer."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "verification_orders",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "state", "fields": ["state", "area_code", "_id"]},
            {"name": "case", "fields": ["task.case_id"]},
        ],
    }
    order_id = StringField(primary_key=True)
    city = StringField(required=True)
    state = StringField(required=True)
    task = DictField(required=True)
    department = StringField(required=True)
    category = StringField()
    area_code = StringField()
    description = StringField()
    instruction = StringField()
    point = DictField()
    address = StringField()
    due_at = DateTimeField()
    opened_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    outcome = StringField()
    result = StringField()
    resident_id = StringField()
    evidence = ListField(DictField())
    completed_at = DateTimeField()
    completed_by = StringField()
    return_reason = StringField()
    returns = IntField()
    revision = IntField()


DOCUMENTS: tuple[type[Document], ...] = (ResidentDocument, HouseholdDocument, VerificationOrderDocument)


# ------------------------------------------------------------------------------------------------- searches


def in_area(*, own: str, wanted: str) -> dict[str, Any] | None:
    """Returns the condition on `area_code` for what lies in both areas, None when nothing can."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return None
    return {"area_code": code_range(prefix)} if prefix else {}


def lives_in(house_id: str) -> dict[str, Any]:
    """Returns the condition that a person lives in the house now."""
    return {"residences": {"$elemMatch": {"house_id": house_id, "until": ""}}}


async def with_numbers(rows: Rows, *, city: str, indexes: Collection[bytes]) -> list[Raw]:
    """Returns the residents of a city with one of these identity numbers, with the command that entered each."""
    query = {"city": city, "id_number.index": {"$in": list(indexes)}}
    return await rows.find(query, {"outbox": False, "commands": False}).to_list()


async def known(rows: Rows, ids: Collection[str], *, own_area: str) -> frozenset[str]:
    """Returns those of the ids that exist in the caller's area."""
    found = rows.find({"_id": {"$in": list(ids)}}, {"area_code": True})
    return frozenset([row["_id"] async for row in found if row["area_code"].startswith(own_area)])


async def count_by_type(rows: Rows, query: Mapping[str, Any]) -> dict[str, int]:
    """Returns how many residents there are of each kind."""
    stages = [{"$match": dict(query)}, {"$group": {"_id": "$resident_type", "count": {"$sum": 1}}}]
    return {row["_id"]: row["count"] async for row in await rows.aggregate(stages)}


def orders_of_cases(rows: SyncCollection[Raw], case_ids: Collection[str]) -> dict[str, list[str]]:
    """Returns the ids of the orders of cases, by case. For workers."""
    found: dict[str, list[str]] = {}
    for row in rows.find({"task.case_id": {"$in": list(case_ids)}}, {"task.case_id": True}):
        found.setdefault(row["task"]["case_id"], []).append(row["_id"])
    return found

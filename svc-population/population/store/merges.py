"""Merges: schema and indexes."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, IntField, ListField, StringField
from mongoengine import EmbeddedDocumentField as Embedded

from population.domain.merge import MergeState
from population.store.residents import SecretDocument
from population.store.rows import Rows


class MergeDocument(Document):
    """Decisions about two entries, by id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "merges",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "area", "fields": ["area_code", "-_id"]},
            {"name": "survivor", "fields": ["survivor_id"]},
            {"name": "absorbed", "fields": ["absorbed_id"]},
            {
                "name": "under_way",
                "fields": ["changed_at"],
                "partialFilterExpression": {"state": {"$in": [MergeState.CONFIRMED.value, MergeState.UNDOING.value]}},
            },
        ],
    }
    merge_id = StringField(primary_key=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    survivor_id = StringField(required=True)
    absorbed_id = StringField(required=True)
    by = StringField(required=True)
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    take = ListField(StringField())
    reason = StringField()
    document_id = StringField()
    before = DictField()
    after = DictField()
    phone_before = Embedded(SecretDocument)
    phone_taken = BooleanField()
    primary_taken = BooleanField()
    document_ids = ListField(StringField())
    residence_ids = ListField(StringField())
    undone_by = StringField()
    undo_reason = StringField()
    kept_fields = ListField(StringField())
    revision = IntField()


async def dismissed_with(rows: Rows, resident_ids: list[str]) -> set[frozenset[str]]:
    """Returns the pairs of which somebody said they are two persons (also by taking a merge back), that name one of these entries."""
    told = {"$in": [MergeState.DISMISSED.value, MergeState.UNDONE.value]}
    named = {"$in": resident_ids}
    query = {"$or": [{"survivor_id": named}, {"absorbed_id": named}], "state": told}
    found = rows.find(query, {"survivor_id": True, "absorbed_id": True})
    return {frozenset((row["survivor_id"], row["absorbed_id"])) async for row in found}


async def merged_since(rows: Rows, resident_id: str, since: Any) -> bool:
    """Tells whether an entry became one with another one after a time, and still is."""
    told = {"$in": [MergeState.CONFIRMED.value, MergeState.MERGED.value]}
    query = {"$or": [{"survivor_id": resident_id}, {"absorbed_id": resident_id}], "state": told, "changed_at": {"$gte": since}}
    return await rows.find_one(query, {"_id": True}) is not None


async def under_way(rows: Rows, *, before: Any) -> list[str]:
    """Returns the ids of merges that were begun before a time and not finished."""
    query = {"state": {"$in": [MergeState.CONFIRMED.value, MergeState.UNDOING.value]}, "changed_at": {"$lt": before}}
    return [row["_id"] async for row in rows.find(query, {"_id": True})]

"""Verification orders: schema, indexes, searches."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from mongoengine import DateTimeField, DictField, Document, IntField, ListField, StringField
from pymongo.collection import Collection as SyncCollection

from population.store.rows import Raw


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


def orders_of_cases(rows: SyncCollection[Raw], case_ids: Collection[str]) -> dict[str, list[str]]:
    """Returns the ids of the orders of cases, by case. For workers."""
    found: dict[str, list[str]] = {}
    for row in rows.find({"task.case_id": {"$in": list(case_ids)}}, {"task.case_id": True}):
        found.setdefault(row["task"]["case_id"], []).append(row["_id"])
    return found

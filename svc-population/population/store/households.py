"""Households: schema and indexes."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import DateTimeField, Document, IntField, StringField


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
    head_id = StringField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()

"""Collections of dynamic collection, life events, the care register, welfare alerts and elder services."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, IntField, ListField, StringField

from population.store.rows import Raw, Rows
from svckit.paging import code_range


def _meta(collection: str, *indexes: dict[str, Any]) -> dict[str, Any]:
    return {"collection": collection, "auto_create_index": False, "strict": False, "indexes": list(indexes)}


_MERGED = {"name": "entered_for", "fields": ["entered_for"], "partialFilterExpression": {"entered_for": {"$gt": ""}}}


class FieldLedgerDocument(Document):
    """Ledgers by resident."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "field_ledgers",
        {
            "name": "check",
            "fields": ["check_due_at", "_id"],
            "partialFilterExpression": {"check_due_at": {"$type": "date"}},
        },
        {"name": "conflicts", "fields": ["area_code", "_id"], "partialFilterExpression": {"conflicts": {"$gt": 0}}},
    )
    resident_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    entries = ListField(DictField())
    check = DictField()
    check_due_at = DateTimeField()
    check_aside = DictField()
    conflicts = IntField()
    changed_at = DateTimeField(required=True)
    revision = IntField()


class LifeEventDocument(Document):
    """Life events by an id that is equal for equal events."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "life_events",
        {"name": "due", "fields": ["state", "due_at", "_id"]},
        {"name": "area", "fields": ["area_code", "state", "due_at"]},
        {"name": "resident", "fields": ["resident_id", "rule"], "partialFilterExpression": {"resident_id": {"$gt": ""}}},
        _MERGED,
    )
    life_event_id = StringField(primary_key=True)
    rule = StringField(required=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    resident_id = StringField()
    house_id = StringField()
    uscc = StringField()
    occurred_on = StringField(required=True)
    detail = StringField()
    contact_name = StringField()
    address = StringField()
    consent = StringField()
    sources = ListField(StringField())
    task = StringField()
    assignee_role = StringField()
    received_at = DateTimeField(required=True)
    due_at = DateTimeField(required=True)
    outcome = StringField()
    result = StringField()
    evidence = ListField(DictField())
    completed_at = DateTimeField()
    completed_by = StringField()
    changed_at = DateTimeField(required=True)
    entered_for = StringField()
    set_aside = StringField()
    revision = IntField()


class CareEntryDocument(Document):
    """The care register; a person is on it once for a category."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "care_entries",
        {
            "name": "once",
            "fields": ["resident_id", "category"],
            "unique": True,
            "partialFilterExpression": {"state": "active"},
        },
        # Counts look at the index alone.
        {"name": "counted", "fields": ["state", "area_code", "category"]},
        {"name": "area", "fields": ["area_code", "_id"]},
        {"name": "resident", "fields": ["resident_id"]},
        {"name": "expires", "fields": ["expires_at"], "partialFilterExpression": {"expires_at": {"$type": "date"}}},
        _MERGED,
    )
    care_id = StringField(primary_key=True)
    resident_id = StringField(required=True)
    category = StringField(required=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    consent = StringField(required=True)
    basis = StringField()
    responsible_role = StringField()
    cadence_days = IntField()
    expires_on = StringField()
    expires_at = DateTimeField()
    entered_by = StringField()
    entered_at = DateTimeField(required=True)
    ended_at = DateTimeField()
    end_reason = StringField()
    changed_at = DateTimeField(required=True)
    entered_for = StringField()
    set_aside = StringField()
    revision = IntField()


class VisitPlanDocument(Document):
    """Visit plans; those of the care register have the id of their entry."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "visit_plans",
        {"name": "turn", "fields": ["next_turn_at"], "partialFilterExpression": {"next_turn_at": {"$type": "date"}}},
        {"name": "due", "fields": ["state", "due_at", "_id"]},
        {"name": "resident", "fields": ["resident_id"], "partialFilterExpression": {"resident_id": {"$gt": ""}}},
        _MERGED,
    )
    plan_id = StringField(primary_key=True)
    rule = StringField()
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    resident_id = StringField()
    responsible_role = StringField()
    cadence_days = IntField()
    period_start = DateTimeField(required=True)
    due_at = DateTimeField(required=True)
    next_turn_at = DateTimeField()
    visited = BooleanField()
    kept = IntField()
    missed = IntField()
    visits = ListField(DictField())
    changed_at = DateTimeField(required=True)
    entered_for = StringField()
    set_aside = StringField()
    revision = IntField()


class WelfareWatchDocument(Document):
    """Houses that are looked after; once for a person in a house."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "welfare_watches",
        {
            "name": "once",
            "fields": ["house_id", "resident_id"],
            "unique": True,
            "partialFilterExpression": {"state": "active"},
        },
        {"name": "area", "fields": ["area_code", "_id"]},
        {"name": "turn", "fields": ["next_turn_at"], "partialFilterExpression": {"next_turn_at": {"$type": "date"}}},
        {"name": "resident", "fields": ["resident_id"]},
        _MERGED,
    )
    watch_id = StringField(primary_key=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    resident_id = StringField(required=True)
    house_id = StringField(required=True)
    consent = DictField()
    contacts = DictField()
    away_until = StringField()
    heard_of = StringField()
    alert = DictField()
    next_turn_at = DateTimeField()
    started_at = DateTimeField(required=True)
    ended_at = DateTimeField()
    changed_at = DateTimeField(required=True)
    entered_for = StringField()
    set_aside = StringField()
    revision = IntField()


class ProviderDocument(Document):
    """Providers of elder services; a merchant once in an area."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "elder_providers",
        {"name": "once", "fields": ["uscc", "area_code"], "unique": True},
        {"name": "area", "fields": ["area_code", "_id"]},
    )
    provider_id = StringField(primary_key=True)
    uscc = StringField(required=True)
    name = StringField(required=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    account = StringField(required=True)
    prices = ListField(DictField())
    kind = StringField()
    facilities = ListField(StringField())
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


class ElderOrderDocument(Document):
    """Orders of elder services."""

    meta: ClassVar[dict[str, Any]] = _meta(
        "elder_orders",
        {"name": "area", "fields": ["area_code", "_id"]},
        {"name": "account", "fields": ["account", "_id"]},
        {"name": "resident", "fields": ["resident_id"]},
        _MERGED,
    )
    order_id = StringField(primary_key=True)
    state = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    resident_id = StringField(required=True)
    provider_id = StringField(required=True)
    account = StringField(required=True)
    items = ListField(DictField())
    note = StringField()
    placed_at = DateTimeField(required=True)
    placed_by = StringField()
    due_at = DateTimeField(required=True)
    receipt = DictField()
    rating = IntField()
    reason = StringField()
    changed_at = DateTimeField(required=True)
    entered_for = StringField()
    revision = IntField()


WORK_DOCUMENTS: tuple[type[Document], ...] = (
    FieldLedgerDocument,
    LifeEventDocument,
    CareEntryDocument,
    VisitPlanDocument,
    WelfareWatchDocument,
    ProviderDocument,
    ElderOrderDocument,
)


async def care_counts(rows: Rows, *, prefix: str) -> list[tuple[str, list[str]]]:
    """Returns areas with a prefix and the categories, each as often as it is there, of who is on the care register now.

    Counting them here takes a third of the time the database takes for groups by two fields.
    """
    where: Raw = {"state": "active", "area_code": code_range(prefix)}
    found = await rows.aggregate([{"$match": where}, {"$group": {"_id": "$area_code", "categories": {"$push": "$category"}}}])
    return [(row["_id"], row["categories"]) async for row in found]

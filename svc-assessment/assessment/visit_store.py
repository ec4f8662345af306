"""Periods of visits and rosters in `binglian_assessment`: schema, indexes, and the counting."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, ListField, LongField, StringField
from pymongo.asynchronous.collection import AsyncCollection

from svckit.paging import code_range, narrowed

Raw = dict[str, Any]
Rows = AsyncCollection[Raw]


class VisitPeriodDocument(Document):
    """Periods by plan and start; the whole shape is `visits.VisitPeriod`."""

    meta: ClassVar[Raw] = {
        "collection": "visit_periods",
        "auto_create_index": False,
        "strict": False,
        "indexes": [("month", "area_code")],
    }
    period_id = StringField(primary_key=True)
    plan_id = StringField(required=True)
    rule = StringField()
    area_code = StringField(required=True)
    responsible_role = StringField()
    period_start = DateTimeField(required=True)
    due_at = DateTimeField()
    month = StringField()
    made = ListField(DictField())
    missed = BooleanField()
    kept_by = StringField()
    revision = LongField()


class AreaRosterDocument(Document):
    """Who is and was on duty, by area."""

    meta: ClassVar[Raw] = {"collection": "rosters", "auto_create_index": False, "strict": False}
    area_code = StringField(primary_key=True)
    rosters = ListField(DictField())
    revision = LongField()


VISIT_DOCUMENTS: tuple[type[Document], ...] = (VisitPeriodDocument, AreaRosterDocument)


def periods(*, month: str, own: str, wanted: str, rule: str) -> Raw | None:
    """Returns the condition for the periods that end in a month, None when the two areas do not meet."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return None
    area = {"area_code": code_range(prefix)} if prefix else {}
    rules = {"rule": {"$gte": rule, "$lt": rule + "\uffff"}} if rule else {}
    return {"month": month, **area, **rules}


async def by_area(rows: Rows, *, query: Raw, digits: int) -> list[Raw]:
    """Returns area_code (its first `digits`), rule, kept, missed, visits."""
    group = {"area_code": {"$substrBytes": ["$area_code", 0, digits]}, "rule": "$rule"}
    counts = {
        "kept": {"$sum": _if({"$gt": ["$kept_by", ""]})},
        "missed": {"$sum": _if("$missed")},
        "visits": {"$sum": {"$size": "$made"}},
    }
    stages = [{"$match": query}, {"$group": {"_id": group, **counts}}]
    found = [row.pop("_id") | row for row in await (await rows.aggregate(stages)).to_list()]
    told = (row for row in found if row["kept"] or row["missed"] or row["visits"])
    return sorted(told, key=lambda row: (row["area_code"], row["rule"]))


async def made_by(rows: Rows, *, query: Raw) -> list[Raw]:
    """Returns subject, kept, visits."""
    # One visit of a period counts, however often its fact came with another time.
    counted = {"$and": ["$made.first", {"$eq": ["$made.by", "$kept_by"]}]}
    stages: list[Raw] = [
        {"$match": query},
        {"$unwind": "$made"},
        {"$group": {"_id": {"subject": "$made.by", "period": "$_id"}, "kept": {"$max": _if(counted)}, "visits": {"$sum": 1}}},
        {"$group": {"_id": "$_id.subject", "kept": {"$sum": "$kept"}, "visits": {"$sum": "$visits"}}},
    ]
    return [{"subject": row.pop("_id"), **row} for row in await (await rows.aggregate(stages)).to_list()]


async def missed_in(rows: Rows, *, query: Raw) -> list[Raw]:
    """Returns area_code, role, due_at, count."""
    group = {"area_code": "$area_code", "role": "$responsible_role", "due_at": "$due_at"}
    stages = [{"$match": {**query, "missed": True}}, {"$group": {"_id": group, "count": {"$sum": 1}}}]
    return [row.pop("_id") | row for row in await (await rows.aggregate(stages)).to_list()]


def _if(condition: Any) -> Raw:
    return {"$cond": [condition, 1, 0]}

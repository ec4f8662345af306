"""What lies in the database `binglian_assessment`: schema and indexes of the ledgers, and the searches.

Ledgers are written by `svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, FloatField, LongField, StringField
from mongoengine.fields import ListField
from pymongo.asynchronous.collection import AsyncCollection

from svckit.paging import code_range, narrowed

Raw = dict[str, Any]
Rows = AsyncCollection[Raw]

LEDGERS_KEYS = ("-reported_at", "_id")
HIDDEN = ("facts",)

_COUNTED = (
    "department",
    "removed",
    "accepted_at",
    "accepted_on_time",
    "done_at",
    "done_on_time",
    "returns",
    "objections_overruled",
    "light",
    "critical",
    "waiting_minutes",
    "working_minutes",
)
_COMPARED = {"_id": False, "category": True, "parallel": True, "actual_minutes": True, "serial_minutes": True}


class CaseLedgerDocument(Document):
    """Ledgers by case id; the whole shape is `domain.CaseLedger`."""

    meta: ClassVar[Raw] = {
        "collection": "ledgers",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ("-reported_at", "_id"),
            ("scope", "-reported_at", "_id"),
            ("tasks.period", "scope"),
            ("tasks.department", "-reported_at"),
            {"fields": ["category", "period"], "partialFilterExpression": {"handled_at": {"$type": "date"}}},
        ],
    }
    case_id = StringField(primary_key=True)
    number = StringField()
    city = StringField()
    scope = StringField()
    category = StringField()
    period = StringField()
    reported_at = DateTimeField()
    handled_at = DateTimeField()
    closed_at = DateTimeField()
    facts = ListField(DictField())
    tasks = ListField(DictField())
    critical_path = ListField(DictField())
    actual_minutes = FloatField()
    serial_minutes = FloatField()
    parallel = BooleanField()
    revision = LongField()


DOCUMENTS: tuple[type[Document], ...] = (CaseLedgerDocument,)


def within(*, own: str, wanted: str) -> Raw:
    """Returns the condition for what lies in the caller's area and in the wanted one; it holds for nothing when they do not meet."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return {"_id": {"$in": []}}
    return {"scope": code_range(prefix)} if prefix else {}


def in_category(prefix: str) -> Raw:
    """Returns the condition that the category begins with `prefix` (letters and digits)."""
    return {"category": {"$gte": prefix, "$lt": prefix + "\uffff"}} if prefix else {}


def handled() -> Raw:
    """Returns the condition that the case is handled and its times are reckoned."""
    return {name: {"$type": "date"} for name in ("reported_at", "dispatched_at", "handled_at")}


def tasks_of_month(ledgers: Rows, *, period: str, query: Raw) -> AsyncIterator[Raw]:
    """Yields the task records that could start in the month, of the ledgers that match `query`: the fields that are counted."""
    return _stream(
        ledgers,
        [
            {"$match": {"tasks.period": period, **query}},
            {"$project": {f"tasks.{name}": True for name in (*_COUNTED, "period")}},
            {"$unwind": "$tasks"},
            {"$match": {"tasks.period": period}},
            {"$replaceRoot": {"newRoot": "$tasks"}},
        ],
    )


def compared(ledgers: Rows, *, query: Raw) -> AsyncIterator[Raw]:
    """Yields category, times and whether two departments worked on it, of the handled cases that match `query`."""
    return _stream(ledgers, [{"$match": {**query, **handled()}}, {"$project": _COMPARED}])


async def _stream(ledgers: Rows, stages: list[Raw]) -> AsyncIterator[Raw]:
    async for row in await ledgers.aggregate(stages, batchSize=2000):
        yield row

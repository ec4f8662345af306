"""What lies in the database `binglian_assessment`: schema and indexes of the ledgers, and the searches.

Ledgers are written by `svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, FloatField, LongField, StringField
from mongoengine.fields import ListField
from pymongo.asynchronous.collection import AsyncCollection

from assessment.policies import month_of
from assessment.visit_store import VISIT_DOCUMENTS
from svckit.paging import code_range, narrowed, sort_by

Raw = dict[str, Any]
Rows = AsyncCollection[Raw]

LEDGERS_KEYS = ("-reported_at", "_id")
HIDDEN = ("facts",)
OWN = ("outbox", "commands", "created_by")
# Everything the comparison needs, so that it is counted from the index alone.
COMPARED = dict.fromkeys(
    (
        "scope",
        "period",
        "category",
        "handled_at",
        "dispatched_at",
        "reported_at",
        "parallel",
        "actual_minutes",
        "serial_minutes",
        "waiting_minutes",
        "working_minutes",
        "suspended_minutes",
    ),
    1,
)
# A bin is as wide as 2 % of the minutes in it.
_BINS_PER_E = 50


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
            # Few cases have orders: only they are in the index.
            {"fields": ["orders.period", "scope"], "partialFilterExpression": {"orders.period": {"$gt": ""}}},
            {"fields": list(COMPARED), "partialFilterExpression": {"handled_at": {"$type": "date"}}},
        ],
    }
    case_id = StringField(primary_key=True)
    number = StringField()
    city = StringField()
    scope = StringField()
    category = StringField()
    period = StringField()
    reported_at = DateTimeField()
    dispatched_at = DateTimeField()
    handled_at = DateTimeField()
    closed_at = DateTimeField()
    facts = ListField(DictField())
    tasks = ListField(DictField())
    critical_path = ListField(DictField())
    actual_minutes = FloatField()
    serial_minutes = FloatField()
    orders = ListField(DictField())
    critical_shares = ListField(DictField())
    waiting_minutes = FloatField()
    working_minutes = FloatField()
    suspended_minutes = FloatField()
    parallel = BooleanField()
    revision = LongField()


DOCUMENTS: tuple[type[Document], ...] = (CaseLedgerDocument, *VISIT_DOCUMENTS)


def within(*, own: str, wanted: str) -> Raw:
    """Returns the condition for what lies in the caller's area and in the wanted one; it holds for nothing when they do not meet."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return {"_id": {"$in": []}}
    return {"scope": code_range(prefix)} if prefix else {}


def in_category(prefix: str, *, hidden: str = "") -> Raw:
    """Returns the condition that the category begins with `prefix` (letters and digits) and is not `hidden`."""
    limits = {"$gte": prefix, "$lt": prefix + "\uffff"} if prefix else {}
    limits |= {"$ne": hidden} if hidden else {}
    return {"category": limits} if limits else {}


def in_month(period: str) -> Raw:
    """Returns the condition that the case was reported in the month, by the times that lists are sorted by."""
    start, end = month_of(period)
    return {"reported_at": {"$gte": start, "$lt": end}}


def handled() -> Raw:
    """Returns the condition that the case is handled and its times are reckoned."""
    return {name: {"$type": "date"} for name in ("reported_at", "dispatched_at", "handled_at")}


def figures_stages(*, period: str, query: Raw) -> list[Raw]:
    """Returns the pipeline that counts, by department, the tasks that could start in the month, of the ledgers that match `query`."""
    counted = {"$and": [{"$eq": ["$$task.period", period]}, {"$not": "$$task.removed"}]}
    return [
        {"$match": {"tasks.period": period, **query}},
        {"$project": {"task": {"$filter": {"input": "$tasks", "as": "task", "cond": counted}}}},
        {"$unwind": "$task"},
        {"$replaceRoot": {"newRoot": "$task"}},
        *_spread(by="$department", counts=_COUNTS, values=_WORK),
    ]


def comparison_stages(*, query: Raw) -> list[Raw]:
    """Returns the pipeline that counts, by category, the handled cases that match `query` and the times of the parallel ones."""
    return [
        {"$match": {**query, **handled()}},
        {"$project": {"_id": False, "category": True, "parallel": True, **{f"{name}_minutes": True for name in _MEASURED}}},
        *_spread(by="$category", counts={"parallel_cases": _number("$parallel")}, values=_TIMES),
    ]


def orders_stages(*, period: str, query: Raw) -> list[Raw]:
    """Returns the pipeline that counts, by department, the orders issued in the month, of the ledgers that match `query`.

    Orders a supervisor withdrew do not count; those that ended with their case do.
    """
    return [
        {"$match": {"orders.period": period, **query}},
        {"$unwind": "$orders"},
        {"$match": {"orders.period": period, "orders.void": {"$ne": True}}},
        {
            "$group": {
                "_id": "$orders.department",
                "orders": {"$sum": 1},
                "orders_overdue": {"$sum": _number("$orders.overdue")},
                "orders_declined": {"$sum": _number("$orders.declined")},
                "orders_replied": {"$sum": _number({"$gt": ["$orders.replied_at", None]})},
                "orders_replied_on_time": {"$sum": _number("$orders.replied_on_time")},
                "replies_refused": {"$sum": "$orders.refused"},
            }
        },
    ]


def shares_stages(*, query: Raw) -> list[Raw]:
    """Returns the pipeline that counts, by category, kind and department, the shares of critical paths of the ledgers that match."""
    return [
        {"$match": {**query, **handled()}},
        {"$project": {"_id": False, "category": True, "critical_shares": True}},
        {"$unwind": "$critical_shares"},
        {"$replaceRoot": {"newRoot": {"$mergeObjects": [{"category": "$category"}, "$critical_shares"]}}},
        {
            "$group": {
                "_id": {**{name: f"${name}" for name in ("category", "kind", "department")}, "bin": _bin("$minutes")},
                "count": {"$sum": 1},
                "total": {"$sum": "$minutes"},
                **{name: {"$sum": f"${name}"} for name in _PARTS},
            }
        },
        {"$replaceRoot": {"newRoot": {"$mergeObjects": ["$_id", "$$ROOT"]}}},
        {"$unset": "_id"},
    ]


async def spread_of_tasks(ledgers: Rows, *, period: str, query: Raw) -> list[Raw]:
    """Returns the rows of `figures_stages`: by, measure, bin (None: without value), count, total and the counts."""
    return await (await ledgers.aggregate(figures_stages(period=period, query=query))).to_list()


async def spread_of_cases(ledgers: Rows, *, query: Raw) -> list[Raw]:
    """Returns the rows of `comparison_stages`: by, measure, bin (None: without value), count, total and the counts."""
    return await (await ledgers.aggregate(comparison_stages(query=query), hint=COMPARED)).to_list()


async def orders_by_department(ledgers: Rows, *, period: str, query: Raw) -> dict[str, Raw]:
    """Returns, by department, the counts of `orders_stages`."""
    rows = await (await ledgers.aggregate(orders_stages(period=period, query=query))).to_list()
    return {row.pop("_id"): row for row in rows}


async def spread_of_shares(ledgers: Rows, *, query: Raw) -> list[Raw]:
    """Returns the rows of `shares_stages`: category, kind, department, bin, count, total and minutes by part."""
    return await (await ledgers.aggregate(shares_stages(query=query), hint=COMPARED)).to_list()


async def batches(ledgers: Rows, *, query: Raw, size: int) -> AsyncIterator[list[Raw]]:
    """Yields the ledgers that match `query`, newest report first, `size` at a time."""
    async with ledgers.find(query, dict.fromkeys((*HIDDEN, *OWN), False), batch_size=size).sort(
        sort_by(LEDGERS_KEYS)
    ) as cursor:
        while rows := await cursor.to_list(size):
            yield rows


def _spread(*, by: str, counts: Raw, values: Raw) -> list[Raw]:
    """Counts what comes in into bins of each of `values`: what leaves is as small for a year as for a day.

    A row of the result counts its bin of one measure; rows of one measure together count everything.
    """
    pairs = [{"measure": name, "value": value} for name, value in values.items()]
    return [
        {"$project": {"by": by, **counts, "of": pairs}},
        {"$unwind": "$of"},
        {
            "$group": {
                "_id": {"by": "$by", "measure": "$of.measure", "bin": _bin("$of.value")},
                "count": {"$sum": 1},
                "total": {"$sum": "$of.value"},
                **{name: {"$sum": f"${name}"} for name in counts},
            }
        },
        {"$replaceRoot": {"newRoot": {"$mergeObjects": ["$_id", "$$ROOT"]}}},
        {"$unset": "_id"},
    ]


def _bin(value: str) -> Raw:
    """The number of the bin of a value, in the order of the values; null for null."""
    size = {"$floor": {"$multiply": [{"$ln": {"$add": [{"$abs": value}, 1]}}, _BINS_PER_E]}}
    return {"$toInt": {"$cond": [{"$lt": [value, 0]}, {"$multiply": [size, -1]}, size]}}


def _number(*conditions: Any) -> Raw:
    return {"$cond": [{"$and": list(conditions)}, 1, 0]}


_ACCEPTED = {"$gt": ["$accepted_at", None]}
_DONE = {"$gt": ["$done_at", None]}
_COUNTS: Raw = {
    "accepted": _number(_ACCEPTED),
    "accepted_on_time": _number(_ACCEPTED, "$accepted_on_time"),
    "done": _number(_DONE),
    "done_on_time": _number(_DONE, "$done_on_time"),
    "returned": _number({"$gt": ["$returns", 0]}),
    "objections_overruled": "$objections_overruled",
    "red": _number({"$eq": ["$light", "red"]}),
    "critical": _number(_DONE, "$critical"),
}
_WORK: Raw = {name: {"$cond": [_DONE, f"${name}_minutes", None]} for name in ("waiting", "working")}
_MEASURED = ("actual", "serial", "waiting", "working", "suspended")
_TIMES: Raw = {
    name: {"$cond": ["$parallel", value, None]}
    for name, value in {
        **{name: f"${name}_minutes" for name in _MEASURED},
        "saved": {"$subtract": ["$serial_minutes", "$actual_minutes"]},
    }.items()
}
_PARTS = ("waiting_minutes", "working_minutes", "suspended_minutes")

"""Disputes in MongoDB: schema and indexes, the search behind the list, and the counter of agreement numbers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import dispute_codes
from mediation.cursors import Cursor
from mediation.domain import Actor
from mediation.policies.access import sees_own_only
from mediation.policies.disputes import departments_shown, of_department
from mediation.policies.protecting import sees_protected
from svckit.commit import DURABLE
from svckit.errors import Unavailable
from svckit.paging import code_range, narrowed

Document = dict[str, Any]
Filter = dict[str, Any]

CITY_DIGITS = 4
_SHANGHAI = timedelta(hours=8)
# What the store itself needs, and what a list is too long with.
_LISTED = {"outbox": False, "commands": False, "created_by": False, "steps": False, "sessions.record": False}


class MediatorDocument(me.EmbeddedDocument):
    """A mediator of a dispute; the field that searches use."""

    meta: ClassVar[Document] = {"strict": False}

    subject = me.StringField(required=True)


class DisputeDocument(me.Document):
    """A dispute; the fields that searches and indexes use. The whole shape is `mediation.domain.dispute.Dispute`."""

    meta: ClassVar[Document] = {
        "collection": "disputes",
        "strict": False,
        "auto_create_index": False,
        "index_background": True,
        "indexes": [
            # One attempt at a time: whoever wants another ends the first.
            {
                "name": "one_open",
                "fields": ["case_id"],
                "unique": True,
                "partialFilterExpression": {"ended_at": {"$type": "null"}},
            },
            {"name": "case", "fields": ["case_id", "changed_at"]},
            {"name": "city_opened", "fields": ["city", "opened_at"]},
            {
                "name": "city_result",
                "fields": ["city", "result_at"],
                "partialFilterExpression": {"result_at": {"$type": "date"}},
            },
            {"name": "city_changed", "fields": ["city", "changed_at", "dispute_id"]},
            {"name": "mediator", "fields": ["mediators.subject", "changed_at"]},
            {
                "name": "next_due",
                "fields": ["next_due_at"],
                "partialFilterExpression": {"next_due_at": {"$type": "date"}},
            },
        ],
    }

    dispute_id = me.StringField(primary_key=True)
    case_id = me.StringField(required=True)
    category = me.StringField(required=True)
    state = me.StringField(required=True)
    city = me.StringField(required=True)
    area_code = me.StringField(required=True)
    department = me.StringField()
    mediators = me.ListField(me.EmbeddedDocumentField(MediatorDocument))
    changed_at = me.DateTimeField(required=True)
    opened_at = me.DateTimeField()
    result_at = me.DateTimeField()
    ended_at = me.DateTimeField()
    next_due_at = me.DateTimeField()
    revision = me.LongField(required=True)


DOCUMENTS = [DisputeDocument]


def shown_to(caller: Actor, *, prefix: str = "") -> Filter:
    """Returns the disputes a caller may know of, under a prefix of area codes; what `policies.disputes.sees_dispute` tells of one."""
    area = narrowed(own=caller.area, wanted=prefix)
    if area is None or sees_own_only(caller):
        return {"_id": {"$in": []}}
    where: Filter = {}
    if len(area) >= CITY_DIGITS:
        where["city"] = area[:CITY_DIGITS]
    if area and len(area) != CITY_DIGITS:
        where["area_code"] = code_range(area)
    if not sees_protected(caller):
        where["category"] = {"$ne": dispute_codes.VIOLENCE}
    if of_department(caller):
        where["$or"] = [{"department": {"$in": sorted(departments_shown(caller))}}, {"category": dispute_codes.VIOLENCE}]
    return where


def due_before(at: datetime) -> Filter:
    """Returns the disputes with something due before a time and not done."""
    return {"reminders": {"$elemMatch": {"due_at": {"$lt": at}, "done_at": {"$exists": False}}}}


class DisputeSearch:
    """The search on disputes. Raises Unavailable while the database is away."""

    def __init__(self, disputes: AsyncCollection[Document]) -> None:
        self._disputes = disputes

    async def page(self, where: Filter, *, after: Cursor | None, size: int) -> tuple[list[Document], Cursor | None]:
        """Returns disputes without diaries and records, newest change first, and the cursor of the next page."""
        conditions = [where, _before(after)] if after else [where]
        cursor = self._disputes.find({"$and": conditions}, _LISTED).sort([("changed_at", -1), ("_id", -1)]).limit(size + 1)
        try:
            found: list[Document] = await cursor.to_list()
        except PyMongoError as error:
            raise unavailable() from error
        for row in found:
            row["dispute_id"] = row.pop("_id")
        if len(found) <= size:
            return found, None
        last = found[size - 1]
        return found[:size], Cursor(at=last["changed_at"], key=last["dispute_id"])


def _before(cursor: Cursor) -> Filter:
    older = [{"changed_at": {"$lt": cursor.at}}, {"changed_at": cursor.at, "_id": {"$lt": cursor.key}}]
    return {"changed_at": {"$lte": cursor.at}, "$or": older}


def unavailable() -> Unavailable:
    """Returns the error for a database that does not answer."""
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")


class AgreementNumbers:
    """Gives out the numbers of agreements, which run through a year of a committee (agreement_form.yaml)."""

    def __init__(self, counters: AsyncCollection[Document]) -> None:
        self._counters = counters.with_options(**DURABLE)

    async def next(self, *, committee: str, at: datetime) -> str:
        """Returns a number nobody has. Raises Unavailable."""
        year = (at + _SHANGHAI).year
        try:
            counter: Document | None = await self._counters.find_one_and_update(
                {"_id": f"agreement-{committee}-{year}"},
                {"$inc": {"last": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except PyMongoError as error:
            raise unavailable() from error
        assert counter is not None, "an upsert returns the document"
        form = str(dispute_codes.agreement_form()["number"])
        return form.format(year=year, pmc_code=committee, seq=counter["last"])

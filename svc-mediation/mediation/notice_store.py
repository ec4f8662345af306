"""Notices, mailboxes, deliveries and the roster in MongoDB: schema and indexes, and the searches of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import mongoengine as me
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation.domain import Actor
from mediation.policies.protecting import PROTECTED_CATEGORY, sees_protected
from mediation.policies.roster import department_bound
from mediation.relieved import is_over, is_withheld, left_by
from svckit.errors import Unavailable
from svckit.paging import code_range, narrowed, page_of

Document = dict[str, Any]
Filter = dict[str, Any]

MOST_UNREAD = 100
# What tells whether a notice still concerns somebody.
_JUDGED = ("kind", "case_id", "task_id", "category", "post_department")
# The bell looks at so many of the newest: who has read them all must not be asked about half a year every time.
LOOKED_AT = 500
NEWEST = ("-created_at", "_id")
ROSTER = ("area_code", "role", "_id")
# The database forgets what nobody asks for any more.
_FORGET = {"name": "forget", "fields": ["keep_until"], "expireAfterSeconds": 0}
_NEXT = {"name": "next", "fields": ["next_at"], "partialFilterExpression": {"next_at": {"$type": "date"}}}


class NoticeDocument(me.Document):
    """Notices by id."""

    meta: ClassVar[Document] = {
        "collection": "notices",
        "strict": False,
        "auto_create_index": False,
        "retired_indexes": ["person", "case"],
        "indexes": [
            # In the order of the pages, so that an inbox of a hundred thousand is not sorted for its first page.
            # Most notices name nobody: those do not stand in this one.
            {
                "name": "named",
                "fields": ["subjects", "-created_at", "_id"],
                "partialFilterExpression": {"subjects": {"$gt": ""}},
            },
            {"name": "post", "fields": ["roles", "post_department", "-created_at", "_id"]},
            _FORGET,
        ],
    }
    notice_id = me.StringField(primary_key=True)
    kind = me.StringField(required=True)
    case_id = me.StringField(required=True)
    area_code = me.StringField()
    roles = me.ListField(me.StringField())
    post_department = me.StringField()
    subjects = me.ListField(me.StringField())
    read_by = me.ListField(me.StringField())
    created_at = me.DateTimeField(required=True)
    keep_until = me.DateTimeField(required=True)


class MailboxDocument(me.Document):
    """What people are still to be told by message, by subject."""

    meta: ClassVar[Document] = {"collection": "mailboxes", "strict": False, "auto_create_index": False, "indexes": [_NEXT]}
    recipient = me.StringField(primary_key=True)
    next_at = me.DateTimeField()
    cut_at = me.DateTimeField()


class DeliveryDocument(me.Document):
    """Messages by id."""

    meta: ClassVar[Document] = {
        "collection": "deliveries",
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            _NEXT,
            {"name": "newest", "fields": ["area_code", "-created_at", "_id"]},
            {"name": "state", "fields": ["state", "-created_at", "_id"]},
            _FORGET,
        ],
    }
    delivery_id = me.StringField(primary_key=True)
    state = me.StringField(required=True)
    channel = me.StringField(required=True)
    recipient = me.StringField(required=True)
    area_code = me.StringField()
    created_at = me.DateTimeField(required=True)
    keep_until = me.DateTimeField(required=True)
    next_at = me.DateTimeField()


class DutyDocument(me.Document):
    """The roster by duty id."""

    meta: ClassVar[Document] = {
        "collection": "duties",
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            {"name": "on_duty", "fields": ["role", "department", "area_code"]},
            {"name": "roster", "fields": ["area_code", "role", "_id"]},
        ],
    }
    duty_id = me.StringField(primary_key=True)
    subject = me.StringField(required=True)
    role = me.StringField(required=True)
    department = me.StringField()
    area_code = me.StringField(required=True)
    removed_at = me.DateTimeField()


DOCUMENTS = [NoticeDocument, MailboxDocument, DeliveryDocument, DutyDocument]


def addressed_to(caller: Actor) -> Filter:
    """Returns the notices of a caller: those of the posts held, and those to the person."""
    post: Filter = {"roles": {"$in": sorted(caller.roles)}, "post_department": {"$in": sorted({"", caller.department})}}
    if caller.area:
        post["area_code"] = code_range(caller.area)
    if not sees_protected(caller):
        # Suspected domestic violence is hidden from ordinary roles, but for the departments that work on it.
        post["$or"] = [{"category": {"$ne": PROTECTED_CATEGORY}}, {"post_department": {"$gt": ""}}]
    return {"$or": [{"subjects": caller.subject}, post]}


def unread_by(caller: Actor) -> Filter:
    """Returns those of them the caller has not read."""
    return {**addressed_to(caller), "read_by": {"$ne": caller.subject}}


class NoticeSearch:
    """Reads and marks notices. All raise Unavailable while the database is away."""

    def __init__(self, notices: AsyncCollection[Document], *, cases: AsyncCollection[Document]) -> None:
        self._notices = notices
        self._cases = cases

    async def page(self, caller: Actor, *, unread_only: bool, token: str, size: int) -> tuple[list[Document], str]:
        """Returns a page of the caller's notices, newest first, each with `read` and `over`, and the token of the next.

        Those that concern a department no longer are not unread; what it may not know of any more is in no page, so one may be short.
        """
        query = unread_by(caller) if unread_only else addressed_to(caller)
        rows, token = await _answered(page_of(self._notices, query=query, keys=NEWEST, token=token, size=size))
        rows = await _answered(self._shown(caller, rows))
        for row in rows:
            row["notice_id"] = row["_id"]
            row["read"] = row["over"] or caller.subject in row.get("read_by", ())
        return [row for row in rows if not (unread_only and row["over"])], token

    async def unread(self, caller: Actor) -> int:
        """Returns how many of the LOOKED_AT newest notices the caller has not read, counted to MOST_UNREAD."""
        rows = await _answered(self._unread(caller))
        count = 0
        for start in range(0, len(rows), MOST_UNREAD):
            shown = await _answered(self._shown(caller, rows[start : start + MOST_UNREAD]))
            count += sum(not row["over"] for row in shown)
            if count >= MOST_UNREAD:
                return MOST_UNREAD
        return count

    async def _unread(self, caller: Actor) -> list[Document]:
        stages: list[Document] = [
            {"$match": addressed_to(caller)},
            {"$sort": {"created_at": -1, "_id": 1}},
            {"$limit": LOOKED_AT},
            {"$match": {"read_by": {"$ne": caller.subject}}},
            {"$project": dict.fromkeys(_JUDGED, True)},
        ]
        return await (await self._notices.aggregate(stages)).to_list()

    async def _shown(self, caller: Actor, rows: list[Document]) -> list[Document]:
        """What the caller may still know of, each with `over`: whether its department has nothing to do about it any more."""
        of_departments = [row for row in rows if row.get("post_department")]
        left = await left_by(
            self._cases,
            case_ids=(row["case_id"] for row in of_departments),
            departments={row["post_department"] for row in of_departments},
        )
        shown = []
        for row in rows:
            found = left.get(row["case_id"]) if row.get("post_department") else None
            if not is_withheld(row, found, caller):
                shown.append(row | {"over": is_over(row, found)})
        return shown

    async def mark_read(self, caller: Actor, *, notice_ids: Sequence[str], until: datetime) -> None:
        """Marks the caller's notices as read: the named ones, or (none named) all up to an instant.

        A set that only grows needs no revision: nothing else in a stored notice changes.
        """
        named: Filter = {"_id": {"$in": list(notice_ids)}} if notice_ids else {"created_at": {"$lte": until}}
        query = {"$and": [unread_by(caller), named]}
        await _answered(self._notices.update_many(query, {"$addToSet": {"read_by": caller.subject}}))


def in_area(caller: Actor, *, prefix: str = "") -> Filter | None:
    """Returns the condition for deliveries and duties of the caller's area; None: nothing can match."""
    area = narrowed(own=caller.area, wanted=prefix)
    if area is None:
        return None
    return {"area_code": code_range(area)} if area else {}


def on_roster(caller: Actor, *, prefix: str, department: str) -> Filter | None:
    """Returns the condition for the roster the caller may see; None: nothing can match."""
    found = in_area(caller, prefix=prefix)
    bound = department_bound(caller)
    if found is None or (bound is not None and department not in ("", bound)):
        return None
    wanted = department if bound is None else bound
    only = {"department": wanted} if bound is not None or wanted else {}
    return {**found, **only, "removed_at": None}


async def listed(rows: AsyncCollection[Document], *, query: Filter | None, keys: Sequence[str], token: str, size: int) -> Any:
    """Returns a page of raw documents and the token of the next. Raises InvalidArgument (PAGE_TOKEN_INVALID), Unavailable."""
    if query is None:
        return [], ""
    return await _answered(page_of(rows, query=query, keys=keys, token=token, size=size))


async def _answered(asked: Any) -> Any:
    try:
        return await asked
    except PyMongoError as error:
        raise Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE") from error

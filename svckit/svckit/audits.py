"""Records of exports and downloads (审计): written before anything is given away, read by auditors, forgotten after three years."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import mongoengine as me
import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from svckit.access import Caller
from svckit.commit import DURABLE
from svckit.documents import utc_now
from svckit.errors import Unavailable
from svckit.ids import new_id
from svckit.paging import code_range, page_of

_log = logging.getLogger(__name__)
Document = dict[str, Any]
COLLECTION = "audits"
NEWEST = ("-at", "_id")
# purpose_code.csv P13: audit records are kept for three years.
KEPT = timedelta(days=3 * 365 + 1)
# audit_event.csv, AE05: more rows than this are for two people to decide.
LARGE = 500
_LONGEST_QUERY = 4_000


class AuditKind(StrEnum):
    """What was done (audit_event.csv AE05, AE13, AE15)."""

    EXPORT = "export"
    DOWNLOAD = "download"
    AUDIT_READ = "audit_read"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who took what, when, for which purpose, by which query (JSON), and how many rows."""

    entry_id: str
    kind: AuditKind
    at: datetime
    by: str
    name: str
    roles: tuple[str, ...]
    department: str
    area_code: str
    purpose: str
    what: str
    query: str
    rows: int = 0
    complete: bool = False
    large: bool = False


class AuditDocument(me.Document):  # type: ignore[misc]  # mongoengine has no types
    """A record; the fields that searches and indexes use. The whole shape is `AuditEntry`, and what a service adds."""

    meta: ClassVar[Document] = {
        "collection": COLLECTION,
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            {"name": "newest", "fields": ["-at", "_id"]},
            {"name": "person", "fields": ["by", "-at", "_id"]},
            {"name": "forget", "fields": ["keep_until"], "expireAfterSeconds": 0},
        ],
    }

    entry_id = me.StringField(primary_key=True)
    kind = me.StringField(required=True)
    at = me.DateTimeField(required=True)
    by = me.StringField(required=True)
    area_code = me.StringField()
    keep_until = me.DateTimeField(required=True)


DOCUMENTS = [AuditDocument]


class AuditLog:
    """Writes and reads records. Raises Unavailable while the database is away: what cannot be recorded is not given away."""

    def __init__(self, audits: AsyncCollection[Document]) -> None:
        self._audits = audits.with_options(**DURABLE)

    async def begin(
        self,
        caller: Caller,
        *,
        kind: AuditKind,
        what: str,
        query: Message,
        rows: int = 0,
        complete: bool = False,
        **about: str,
    ) -> str:
        """Records that somebody begins to take something, with ids of what it is `about`; returns the id of the record."""
        entry = AuditEntry(
            entry_id=new_id(),
            kind=kind,
            at=utc_now(),
            by=caller.subject,
            name=caller.name,
            roles=tuple(sorted(caller.roles)),
            department=caller.department,
            area_code=caller.area,
            purpose=caller.purpose,
            what=what,
            query=asked(query),
            rows=rows,
            complete=complete,
            large=rows > LARGE,
        )
        fields = msgspec.to_builtins(entry, builtin_types=(datetime,))
        document = {"_id": fields.pop("entry_id"), **fields, **about, "keep_until": entry.at + KEPT}
        try:
            await self._audits.insert_one(document)
        except PyMongoError as error:
            raise _unavailable() from error
        return entry.entry_id

    async def end(self, entry_id: str, *, rows: int, complete: bool) -> None:
        """Adds how many rows were given out; once. A failure is logged: the record itself stands."""
        ended = {"rows": rows, "complete": complete, "large": rows > LARGE}
        try:
            await self._audits.update_one({"_id": entry_id, "complete": False, "rows": 0}, {"$set": ended})
        except PyMongoError:
            _log.exception("the end of an export is not on record", extra={"entry_id": entry_id, "rows": rows})

    async def page(self, where: Document, *, token: str, size: int) -> tuple[list[Document], str]:
        """Returns a page of records, newest first, and the token of the next. Raises InvalidArgument (PAGE_TOKEN_INVALID)."""
        try:
            return await page_of(self._audits, query=where, keys=NEWEST, token=token, size=size)
        except PyMongoError as error:
            raise _unavailable() from error


def shown_to(auditor: Caller) -> Document:
    """Returns the records an auditor sees: of everybody whose area touches the auditor's."""
    if not auditor.area:
        return {}
    wider = [auditor.area[:digits] for digits in range(len(auditor.area))]
    return {"$or": [{"area_code": code_range(auditor.area)}, {"area_code": {"$in": wider}}]}


def wanted(*, kinds: Sequence[str], by: str, since: datetime | None, before: datetime | None) -> Document:
    """Returns the condition an auditor asks for."""
    where: Document = {}
    if kinds:
        where["kind"] = {"$in": list(kinds)}
    if by:
        where["by"] = by
    span = {name: at for name, at in (("$gte", since), ("$lt", before)) if at}
    return {**where, "at": span} if span else where


def asked(query: Message) -> str:
    """Returns a request as JSON, cut where it is very long."""
    return json_format.MessageToJson(query, indent=None, ensure_ascii=False)[:_LONGEST_QUERY]


def _unavailable() -> Unavailable:
    return Unavailable("This cannot be recorded now, so it is not given out.", reason="DATABASE_UNAVAILABLE")

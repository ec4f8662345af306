"""Cases in MongoDB: schema and indexes, the searches behind lists and streams, and the counter of case numbers.

Writing is `svckit.store.Repository`. Searches give raw documents, ready for `messages.to_message`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me
import msgspec
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import clocks, plans, policies
from mediation.cursors import Cursor
from mediation.domain import Actor, Light
from mediation.domain.states import FINAL_STATES, OPEN_TASK_STATES, CaseState, ClockKind, TaskState
from mediation.policies.protecting import PROTECTED_CATEGORY, sees_protected
from svckit.commit import DURABLE
from svckit.documents import created_by, utc_now
from svckit.errors import Unavailable
from svckit.paging import code_range, narrowed

Document = dict[str, Any]
Filter = dict[str, Any]

_OPEN_STATES = sorted(frozenset(CaseState) - FINAL_STATES)
# A stream that resumes after less than this reads the changes since; after more, or from the beginning, few cases may be quicker.
RECENTLY = timedelta(hours=1)
# The beginning of time is far: a stream that starts there sorts more cases than a list would, rather than read all that ever changed.
FEW_TO_STREAM = 20_000
# Shown to nobody: what the store itself needs.
_OWN = {"outbox": False, "commands": False, "created_by": False}
_LISTED = {**_OWN, "steps": False, "workspace": False}
# Numbers taken from the counter at once by one process; those left at its end stay unused.
NUMBER_BLOCK = 100
_SHANGHAI = timedelta(hours=8)


class TaskDocument(me.EmbeddedDocument):
    """A task inside a case; the fields that searches use."""

    meta: ClassVar[Document] = {"strict": False}

    task_id = me.StringField(required=True)
    department = me.StringField(required=True)
    role = me.StringField(required=True)
    state = me.StringField(required=True)
    due_at = me.DateTimeField()


class CaseDocument(me.Document):
    """A case; the fields that searches and indexes use. The whole shape is `mediation.domain.Case`."""

    meta: ClassVar[Document] = {
        "collection": "cases",
        "strict": False,
        "auto_create_index": False,
        "index_background": True,
        "retired_indexes": ["changed", "city_changed", "open", "task"],
        "indexes": [
            {"name": "number", "fields": ["number"], "unique": True},
            {
                "name": "external_id",
                "fields": ["city", "external_id"],
                "unique": True,
                "partialFilterExpression": {"external_id": {"$gt": ""}},
            },
            # Every change of a case moves it in this one: what lists and streams ask beside the time stands in its keys.
            {"name": plans.CHANGES, "fields": ["changed_at", "case_id", "area_code", "state", "light", "category"]},
            # What is few stays quick to find, and to count, however long the history grows.
            {"name": plans.STANDING, "fields": ["state", "area_code", "light", "category"]},
            # The next two never change with a case.
            {"name": plans.REPORTED, "fields": ["city", "-case_id", "area_code", "category", "severity"]},
            {"name": plans.DEPARTMENT, "fields": ["tasks.department", "-case_id"]},
            {"name": plans.INBOX, "fields": ["inbox.$**"]},
            {
                "name": "ends_by_itself",
                "fields": ["ends_by_itself_at"],
                "partialFilterExpression": {"ends_by_itself_at": {"$type": "date"}},
            },
            {"name": "archive", "fields": ["archive_at"], "partialFilterExpression": {"archive_at": {"$type": "date"}}},
            {"name": "merged", "fields": ["merging.into"], "partialFilterExpression": {"merging.into": {"$type": "string"}}},
            {
                "name": "next_light",
                "fields": ["next_light_at"],
                "partialFilterExpression": {"next_light_at": {"$type": "date"}},
            },
            {
                "name": "level_due",
                "fields": ["level_due_at"],
                "partialFilterExpression": {"level_due_at": {"$type": "date"}},
            },
        ],
    }

    case_id = me.StringField(primary_key=True)
    number = me.StringField(required=True)
    state = me.StringField(required=True)
    category = me.StringField(required=True)
    severity = me.StringField(required=True)
    city = me.StringField(required=True)
    area_code = me.StringField(required=True)
    external_id = me.StringField()
    light = me.StringField()
    reported_at = me.DateTimeField(required=True)
    closed_at = me.DateTimeField()
    changed_at = me.DateTimeField(required=True)
    next_light_at = me.DateTimeField()
    ends_by_itself_at = me.DateTimeField()
    archive_at = me.DateTimeField()
    merging = me.DictField()
    level_due_at = me.DateTimeField()
    inbox = me.MapField(me.StringField())
    tasks = me.ListField(me.EmbeddedDocumentField(TaskDocument))
    revision = me.LongField(required=True)


# ------------------------------------------------------------------------------------------------------------------- filters


class View(msgspec.Struct, frozen=True):
    """What a caller may see of the areas under a prefix: `where` asks the database, `shows` asks one document.

    `area` None: nothing at all. `reporter`: only cases this person reported. `unprotected`: none of what ordinary roles never see, but for
    cases with a task of `department`; with `former` also those whose task was taken out.
    """

    area: str | None
    reporter: str = ""
    unprotected: bool = False
    department: str = ""
    former: bool = False

    @property
    def where(self) -> Filter:
        """The filter for MongoDB; a range of codes, so that an index serves it."""
        if self.area is None:
            return {"_id": {"$in": []}}
        found: Filter = {"area_code": code_range(self.area)} if self.area else {}
        found |= self._allowed()
        if not self.reporter:
            found["state"] = {"$ne": CaseState.DRAFT.value}
        # Who reported a case also sent the command that created it, and an index on those commands exists already.
        return {**found, "reporter.subject": self.reporter, **created_by(self.reporter)} if self.reporter else found

    def _allowed(self) -> Filter:
        if not self.unprotected:
            return {}
        ordinary = {"category": {"$ne": PROTECTED_CATEGORY}}
        return {"$or": [ordinary, self._with_task()]} if self.department else ordinary

    def _with_task(self) -> Filter:
        if self.former:
            return with_task_of(self.department)
        return {"tasks": {"$elemMatch": {"department": self.department, "state": {"$ne": TaskState.REMOVED.value}}}}

    def _hides(self, case: Document) -> bool:
        return self.unprotected and case["category"] == PROTECTED_CATEGORY and not self._works_on(case)

    def _works_on(self, case: Document) -> bool:
        mine = (task for task in case.get("tasks", ()) if task["department"] == self.department)
        return bool(self.department) and any(self.former or task["state"] != TaskState.REMOVED for task in mine)

    def shows(self, case: Document) -> bool:
        """Tells of one document what `where` asks."""
        if self._hides(case):
            return False
        if self.area is None or not case["area_code"].startswith(self.area):
            return False
        if case["state"] == CaseState.DRAFT and not self.reporter:
            return False
        return not self.reporter or case["reporter"]["subject"] == self.reporter


def view_of(caller: Actor, *, prefix: str = "") -> View:
    """Returns what the caller sees in lists and streams: the narrower of the own area and the prefix; the public, own reports."""
    reporter = caller.subject if policies.sees_own_only(caller) else ""
    unprotected = not reporter and not sees_protected(caller)
    return View(narrowed(own=caller.area, wanted=prefix), reporter, unprotected, caller.department if unprotected else "")


def still_open() -> Filter:
    """Returns the cases somebody has to act on."""
    return {"state": {"$in": _OPEN_STATES}}


def with_task_of(department: str, *, states: Sequence[str] = ()) -> Filter:
    """Returns the cases with a task of a department, in one of `states` if any are given."""
    if not states:
        return {"tasks.department": department}
    return {"tasks": {"$elemMatch": {"department": department, "state": {"$in": list(states)}}}}


def lit(document: Document, *, now: datetime) -> Document:
    """Returns the document with the lights of its running clocks as of `now`, not as of the timer's last round."""
    running = _relit(document.get("clocks", ()), now)
    for task in document.get("tasks", ()):
        lights = _relit(task.get("clocks", ()), now) if task["state"] in OPEN_TASK_STATES else []
        task["light"] = clocks.brightest(_own(task, lights, now))
        running += lights
    document["light"] = clocks.brightest(running)
    return document


def _own(task: Document, lights: list[Light], now: datetime) -> list[Light]:
    """The lights of a task that are its department's: how long a ruling on its objection takes is not."""
    if task["state"] != TaskState.OBJECTED:
        return lights
    return _relit([clock for clock in task["clocks"] if clock["kind"] != ClockKind.RULING], now)


def _relit(ticking: Sequence[Document], now: datetime) -> list[Light]:
    lights = []
    for clock in ticking:
        if clock.get("met_at") is None:
            clock["light"] = clocks.light_of(
                clock.get("paused_at") or now, yellow_at=clock["yellow_at"], due_at=clock["due_at"]
            )
            lights.append(clock["light"])
    return lights


# ------------------------------------------------------------------------------------------------------------------ searches


class CaseSearch:
    """The searches on cases. All raise Unavailable while the database is away."""

    def __init__(self, cases: AsyncCollection[Document]) -> None:
        self._cases = cases
        self.plans = plans.Plans(cases)

    async def one(self, case_id: str) -> Document | None:
        """Returns one case with its diary; None if there is none."""
        found = await self._all(self._cases.find({"_id": case_id}, _OWN))
        return found[0] if found else None

    async def several(self, case_ids: Sequence[str]) -> list[Document]:
        """Returns cases without their diaries, oldest change first."""
        found = await self._all(self._cases.find({"_id": {"$in": list(case_ids)}}, _LISTED))
        return sorted(found, key=lambda case: (case["changed_at"], case["case_id"]))

    async def page(self, where: Filter, *, after: Cursor | None, size: int) -> tuple[list[Document], Cursor | None]:
        """Returns cases without their diaries, newest change first, and the cursor of the next page."""
        where, index = await self.plans.ordered_by(plans.CHANGES, where)
        conditions = [where, _before(after)] if after else [where]
        order = [("changed_at", -1), ("_id", -1)]
        return _cut(await self.listed({"$and": conditions}, order=order, index=index, size=size + 1), size)

    async def changed_since(self, where: Filter, *, after: Cursor, size: int) -> list[Document]:
        """Returns up to `size` cases without their diaries that changed after a cursor, oldest change first."""
        index: str | None = plans.CHANGES
        if after.at < utc_now() - RECENTLY:
            where, index = await self.plans.ordered_by(plans.CHANGES, where, few=FEW_TO_STREAM)
        newer = {"changed_at": {"$gte": after.at}}
        exact = {"$or": [{"changed_at": {"$gt": after.at}}, {"_id": {"$gt": after.key}}]}
        order = [("changed_at", 1), ("_id", 1)]
        return await self.listed({"$and": [where, newer, exact]}, order=order, index=index, size=size)

    async def places(self, where: Filter, *, most: int) -> list[Cursor] | None:
        """Returns where all cases of a filter stand in the order of changes, in that order; None when there are more than `most`."""
        where, index = await self.plans.ordered_by(plans.CHANGES, where, few=most)
        if index == plans.CHANGES:
            return None
        cursor = self._cases.find(where, {"changed_at": True}).batch_size(most)
        found = await self._all(cursor.hint(index) if index else cursor)
        return sorted(Cursor(at=case["changed_at"], key=case["case_id"]) for case in found)

    async def versions_since(self, at: datetime) -> dict[str, datetime]:
        """Returns id → time of the last change of everything that changed since; an index alone answers it."""
        cursor = self._cases.find({"changed_at": {"$gte": at}}, {"_id": True, "changed_at": True}).hint(plans.CHANGES)
        return {case["case_id"]: case["changed_at"] for case in await self._all(cursor)}

    async def listed(self, where: Filter, *, order: Sequence[tuple[str, int]], index: str | None, size: int) -> list[Document]:
        """Returns up to `size` cases without their diaries, in an order, found through the named index."""
        cursor = self._cases.find(where, _LISTED).sort(list(order)).limit(size)
        return await self._all(cursor.hint(index) if index else cursor)

    async def _all(self, cursor: Any) -> list[Document]:
        try:
            found: list[Document] = await cursor.to_list()
        except PyMongoError as error:
            raise _unavailable() from error
        for case in found:
            case["case_id"] = case.pop("_id")
        return found


def _before(cursor: Cursor) -> Filter:
    older = [{"changed_at": {"$lt": cursor.at}}, {"changed_at": cursor.at, "_id": {"$lt": cursor.key}}]
    return {"changed_at": {"$lte": cursor.at}, "$or": older}


def _cut(found: list[Document], size: int) -> tuple[list[Document], Cursor | None]:
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    return found[:size], Cursor(at=last["changed_at"], key=last["case_id"])


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")


# ------------------------------------------------------------------------------------------------------------- case numbers


class CaseNumbers:
    """Gives out case numbers like 420502-2026-000123: county, year in Shanghai, and a running number of both.

    Each process takes blocks from a counter, so a number costs a round trip once in a hundred cases; numbers are unique, not gapless.
    """

    def __init__(self, counters: AsyncCollection[Document], *, block: int = NUMBER_BLOCK) -> None:
        self._counters = counters.with_options(**DURABLE)
        self._block = block
        self._left: dict[str, range] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def next(self, *, area_code: str, at: datetime) -> str:
        """Returns a number nobody has. Raises Unavailable."""
        key = f"{area_code[:6]:0<6}-{(at + _SHANGHAI).year}"
        while not (left := self._left.get(key)):
            # Callers that find the block empty wait for one of them to fetch the next.
            async with self._locks.setdefault(key, asyncio.Lock()):
                if not self._left.get(key):
                    self._left[key] = await self._fetch(key)
        self._left[key] = left[1:]
        return f"{key}-{left[0]:06d}"

    async def _fetch(self, key: str) -> range:
        try:
            counter: Document | None = await self._counters.find_one_and_update(
                {"_id": key}, {"$inc": {"last": self._block}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        except PyMongoError as error:
            raise _unavailable() from error
        assert counter is not None, "an upsert returns the document"
        return range(counter["last"] - self._block + 1, counter["last"] + 1)

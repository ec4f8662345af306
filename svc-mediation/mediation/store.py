"""Cases in MongoDB: schema and indexes, the searches behind lists and streams, and the counter of case numbers.

Writing is `svckit.store.Repository`. Searches give raw documents, ready for `messages.to_message`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me
import msgspec
from pymongo import ReturnDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import clocks, policies
from mediation.cursors import Cursor
from mediation.domain import Actor, Light
from mediation.domain.states import FINAL_STATES, OPEN_TASK_STATES
from svckit.commit import DURABLE
from svckit.errors import Unavailable
from svckit.paging import code_range, narrowed

Document = dict[str, Any]
Filter = dict[str, Any]

CITY_DIGITS = 4
_NOT_CLOSED = {"closed_at": {"$type": "null"}}
# Shown to nobody: what the store itself needs.
_OWN = {"outbox": False, "commands": False, "created_by": False}
_LISTED = {**_OWN, "steps": False}
# Numbers taken from the counter at once by one process; those left at its end stay unused.
NUMBER_BLOCK = 100
_SHANGHAI = timedelta(hours=8)
# Tasks that wait for others are due at no time yet: they stand last.
_FAR = datetime(9999, 1, 1, tzinfo=UTC)


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
        "indexes": [
            {"name": "number", "fields": ["number"], "unique": True},
            {
                "name": "external_id",
                "fields": ["city", "external_id"],
                "unique": True,
                "partialFilterExpression": {"external_id": {"$gt": ""}},
            },
            {"name": "changed", "fields": ["changed_at", "case_id"]},
            {"name": "city_changed", "fields": ["city", "changed_at", "case_id"]},
            # The work in hand stays quick to find however long the history grows.
            {"name": "open", "fields": ["city", "area_code"], "partialFilterExpression": {"closed_at": {"$type": "null"}}},
            {"name": "task", "fields": ["tasks.department", "tasks.state"]},
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
    city = me.StringField(required=True)
    area_code = me.StringField(required=True)
    external_id = me.StringField()
    light = me.StringField()
    reported_at = me.DateTimeField(required=True)
    closed_at = me.DateTimeField()
    changed_at = me.DateTimeField(required=True)
    next_light_at = me.DateTimeField()
    level_due_at = me.DateTimeField()
    tasks = me.ListField(me.EmbeddedDocumentField(TaskDocument))
    revision = me.LongField(required=True)


# ------------------------------------------------------------------------------------------------------------------- filters


class View(msgspec.Struct, frozen=True):
    """What a caller may see of the areas under a prefix: `where` asks the database, `shows` asks one document.

    `area` None: nothing at all. `reporter`: only cases this person reported.
    """

    area: str | None
    reporter: str = ""

    @property
    def where(self) -> Filter:
        """The filter for MongoDB; a range of codes, so that an index serves it."""
        if self.area is None:
            return {"_id": {"$in": []}}
        found: Filter = {"reporter.subject": self.reporter} if self.reporter else {}
        if len(self.area) >= CITY_DIGITS:
            found["city"] = self.area[:CITY_DIGITS]
        if self.area and len(self.area) != CITY_DIGITS:
            found["area_code"] = code_range(self.area)
        return found

    def shows(self, case: Document) -> bool:
        """Tells of one document what `where` asks."""
        if self.area is None or not case["area_code"].startswith(self.area):
            return False
        return not self.reporter or case["reporter"]["subject"] == self.reporter


def view_of(caller: Actor, *, prefix: str = "") -> View:
    """Returns what the caller sees in lists and streams: the narrower of the own area and the prefix; the public, own reports."""
    reporter = caller.subject if policies.sees_own_only(caller) else ""
    return View(narrowed(own=caller.area, wanted=prefix), reporter)


def still_open() -> Filter:
    """Returns the cases somebody has to act on."""
    return {**_NOT_CLOSED, "state": {"$nin": sorted(FINAL_STATES)}}


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
        task["light"] = clocks.brightest(lights)
        running += lights
    document["light"] = clocks.brightest(running)
    return document


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
        conditions = [where, _before(after)] if after else [where]
        cursor = self._cases.find({"$and": conditions}, _LISTED).sort([("changed_at", -1), ("_id", -1)]).limit(size + 1)
        return _cut(await self._all(cursor), size)

    async def changed_since(self, where: Filter, *, after: Cursor, size: int) -> list[Document]:
        """Returns up to `size` cases without their diaries that changed after a cursor, oldest change first."""
        newer = {"changed_at": {"$gte": after.at}}
        exact = {"$or": [{"changed_at": {"$gt": after.at}}, {"_id": {"$gt": after.key}}]}
        cursor = self._cases.find({"$and": [where, newer, exact]}, _LISTED)
        return await self._all(cursor.sort([("changed_at", 1), ("_id", 1)]).limit(size))

    async def versions_since(self, at: datetime) -> dict[str, datetime]:
        """Returns id → time of the last change of everything that changed since; an index alone answers it."""
        cursor = self._cases.find({"changed_at": {"$gte": at}}, {"_id": True, "changed_at": True}).hint("changed")
        return {case["case_id"]: case["changed_at"] for case in await self._all(cursor)}

    async def tasks(
        self, where: Filter, *, department: str, states: Sequence[str], after: Cursor | None, size: int
    ) -> tuple[list[Document], Cursor | None]:
        """Returns cases with `task` being the one that matched, earliest due first (those without a due time last).

        The cursor is made of the due time and the task's id.
        """
        wanted = {"state": {"$in": list(states)}, **({"department": department} if department else {})}
        # Closed cases have no open tasks: leaving them out early lets the index of open ones answer.
        cases = _NOT_CLOSED if OPEN_TASK_STATES.issuperset(states) else {}
        stages: list[Document] = [
            {"$match": {"$and": [where, cases, {"tasks": {"$elemMatch": wanted}}]}},
            {"$project": _LISTED},
            {"$unwind": "$tasks"},
            {"$match": {f"tasks.{name}": value for name, value in wanted.items()}},
            {"$set": {"due": {"$ifNull": ["$tasks.due_at", _FAR]}}},
        ]
        if after:
            later = [{"due": {"$gt": after.at}}, {"due": after.at, "tasks.task_id": {"$gt": after.key}}]
            stages.append({"$match": {"$or": later}})
        stages += [{"$sort": {"due": 1, "tasks.task_id": 1}}, {"$limit": size + 1}]
        found = await self._all(await self._aggregate(stages))
        more = len(found) > size
        found = found[:size]
        last = Cursor(at=found[-1]["due"], key=found[-1]["tasks"]["task_id"]) if more else None
        return [{**case, "task": case["tasks"]} for case in found], last

    async def counts(self, where: Filter) -> list[Document]:
        """Returns {state, light, count} for every combination that occurs."""
        groups = {"_id": {"state": "$state", "light": "$light"}, "count": {"$sum": 1}}
        cursor = await self._aggregate([{"$match": where}, {"$group": groups}])
        return [{**row["_id"], "count": row["count"]} for row in await cursor.to_list()]

    async def _aggregate(self, stages: list[Document]) -> Any:
        try:
            return await self._cases.aggregate(stages)
        except PyMongoError as error:
            raise _unavailable() from error

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

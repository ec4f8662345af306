"""Finding cases and tasks: what is asked becomes a filter on cases, narrowed by words and places first, in one of three orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from mediation import inbox, plans, texts
from mediation.counting import Counts
from mediation.cursors import Cursor
from mediation.domain.states import OPEN_TASK_STATES
from mediation.store import CaseSearch, Document, Filter, View, still_open
from mediation.wording import Wanted
from svckit.paging import code_range

CITY_DIGITS, COMMUNITY_DIGITS = 4, 12
# Wordings looked up at once, and how many of them one page may cost before it ends early with the token of the next.
AT_ONCE, MOST_ROUNDS = 200, 40
OWN_CASES = 2_000
MOST_COUNTED = 20_000
_BEGINNING = datetime(1971, 1, 1, tzinfo=UTC)
_SHANGHAI = timedelta(hours=8)
_DAY = timedelta(days=1)
_AFTER_ALL = "~"
Page = tuple[list[Document], Cursor | None]


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: `where` of cases, `view` of the caller, `words` and `wording` of their wordings (None: not asked).

    `due_key` is the department whose inbox gives the order of due times, or `inbox.ANY`.
    """

    view: View
    where: Filter
    words: Wanted | None = None
    wording: Filter | None = None
    due_key: str = inbox.ANY

    @property
    def filter(self) -> Filter:
        """The whole filter on cases."""
        return {"$and": [self.view.where, self.where]}


def due_range(*, start: datetime | None, end: datetime | None) -> Filter | None:
    """Returns the condition on a mark of an inbox, None when no time is asked for. What waits for other tasks is due at no time."""
    if start is None and end is None:
        return None
    return {"$gte": inbox.mark(start) if start else "", "$lt": inbox.mark(min(end or inbox.FAR, inbox.FAR))}


def window_end(window: str, *, now: datetime) -> datetime | None:
    """Returns the end of a due window (UTC): now, the end of today or of the seventh day in Shanghai; None for any time."""
    if window == "overdue":
        return now
    days = {"today": 1, "week": 7}.get(window)
    return _day_of(now) + days * _DAY if days else None


def _day_of(now: datetime) -> datetime:
    local = now + _SHANGHAI
    return local.replace(hour=0, minute=0, second=0, microsecond=0) - _SHANGHAI


class Finder:
    """The searches behind lists, inboxes, counts and files. All raise Unavailable while the database is away."""

    def __init__(self, *, cases: CaseSearch, wordings: texts.WordingSearch, counts: Counts) -> None:
        self._cases = cases
        self._counts = counts
        self._wordings = wordings

    # ------------------------------------------------------------------------------------------------------------- cases

    async def page(self, ask: Ask, *, order: str, after: Cursor | None, size: int) -> Page:
        """Returns a page of cases without diaries and the cursor of the next. `order`: "reported", "changed" or "due"."""
        if ask.words or ask.wording is not None:
            return await self._worded(ask, after=after, size=size)
        if order == "changed":
            return await self._cases.page(ask.filter, after=after, size=size)
        if order == "due":
            return await self._due(ask, after=after, size=size)
        return await self._reported(ask, after=after, size=size)

    async def _reported(self, ask: Ask, *, after: Cursor | None, size: int) -> Page:
        where, index = await self._in_order_of_reports(ask)
        older = [{"_id": {"$lt": after.key}}] if after and after.key else []
        found = await self._cases.listed({"$and": [where, *older]}, order=[("_id", -1)], index=index, size=size + 1)
        return _cut(found, size)

    async def _in_order_of_reports(self, ask: Ask, *, few: int = plans.FEW) -> tuple[Filter, str | None]:
        where, index = await self._cases.plans.ordered_by(plans.REPORTED, ask.filter, few=few)
        if index != plans.REPORTED:
            return where, index
        if "tasks.department" in plans.flat(where):
            return where, plans.DEPARTMENT
        return ({"$and": [{"city": city}, where]}, index) if (city := _city(ask)) else (where, "_id_")

    async def _due(self, ask: Ask, *, after: Cursor | None, size: int) -> Page:
        path = f"inbox.{ask.due_key}"
        begin = inbox.mark(after.at, after.key) if after else ""
        later = {path: {"$gt": begin, "$lt": _AFTER_ALL}}
        where, index = ask.filter, plans.INBOX
        if await self._few_open(ask.view):
            where, index = {"$and": [still_open(), where]}, plans.STANDING
        found = await self._cases.listed({"$and": [where, later]}, order=[(path, 1)], index=index, size=size + 1)
        kept = found[:size]
        return kept, _due_cursor(kept[-1], ask.due_key) if len(found) > size else None

    async def _few_open(self, view: View) -> bool:
        """Tells whether what is open in the caller's part of a city is read sooner than the inbox of the whole city."""
        if view.area is None or len(view.area) <= CITY_DIGITS:
            return False
        return await self._cases.plans.count({"$and": [view.where, still_open()]}, most=plans.FEW) < plans.FEW

    # ------------------------------------------------------------------------------------------------------------- words

    async def _worded(self, ask: Ask, *, after: Cursor | None, size: int) -> Page:
        """Collects a page from those whose wordings match, newest report first; a rare combination may end a page early."""
        wording = await self._wording(ask)
        found: list[Document] = []
        before = after.key if after else ""
        for _ in range(MOST_ROUNDS):
            ids = await self._ids(ask, wording, before=before)
            found += await self._with_ids(ids, ask) if ids else []
            if len(found) > size or len(ids) < AT_ONCE:
                return _cut(found, size)
            before = ids[-1]
        return found, Cursor(at=_BEGINNING, key=before)

    async def _ids(self, ask: Ask, wording: Filter, *, before: str) -> list[str]:
        """The next wordings: those of a place, a person or a small area are few, else the terms of the words tell where to look."""
        if not ask.words or ask.wording is not None or _of_one_person(ask):
            return await self._wordings.ids(wording, before=before, size=AT_ONCE)
        if len(ask.view.area or "") >= COMMUNITY_DIGITS:
            return await self._wordings.ids(wording, before=before, size=AT_ONCE, index=texts.AREA)
        return await self._wordings.ids_by_terms(wording, ask.words, city=_city(ask), before=before, size=AT_ONCE)

    async def _wording(self, ask: Ask) -> Filter:
        """The filter on wordings. Somebody's own cases are few: they are named."""
        parts: list[Filter] = [ask.wording or {}]
        if ask.words:
            parts.append(texts.saying(ask.words))
        if _of_one_person(ask):
            own = await self._cases.listed(ask.filter, order=[("_id", -1)], index=plans.CREATED_BY, size=OWN_CASES)
            return {"$and": [{"_id": {"$in": [case["case_id"] for case in own]}}, *parts]}
        parts += [{key: value} for key, value in plans.conditions(ask.filter) if key in ("area_code", "category")]
        return {"$and": [*parts, *([{"city": city}] if (city := _city(ask)) else [])]}

    async def _with_ids(self, ids: Sequence[str], ask: Ask) -> list[Document]:
        where = {"$and": [{"_id": {"$in": list(ids)}}, ask.filter]}
        return await self._cases.listed(where, order=[("_id", -1)], index="_id_", size=len(ids))

    async def duplicates(self, case: Document, ask: Ask) -> list[Document]:
        """Returns cases that may be about the same thing as `case`, most alike first."""
        ids = await self._wordings.duplicates(case)
        found = {other["case_id"]: other for other in (await self._with_ids(ids, ask) if ids else [])}
        return [found[case_id] for case_id in ids if case_id in found]

    # ------------------------------------------------------------------------------------------------------------- tasks

    async def tasks(self, ask: Ask, *, wanted: Filter, after: Cursor | None, size: int) -> Page:
        """Returns cases with `task` being one that matches `wanted` (conditions on a task), and the cursor of the next page.

        Open tasks come as they are due, a case's tasks together; others from the newest case on.
        """
        is_open = OPEN_TASK_STATES.issuperset(wanted["state"]["$in"])
        start, skip = _inside(after)
        narrowed = msgspec.structs.replace(ask, where={"$and": [ask.where, {"tasks": {"$elemMatch": wanted}}]})
        if not is_open and ask.due_key != inbox.ANY:
            with_department = {"$and": [narrowed.where, {"tasks.department": ask.due_key}]}
            narrowed = msgspec.structs.replace(narrowed, where=with_department)
        pager = self._due if is_open else self._reported
        cases, last = await pager(narrowed, after=start, size=size)
        key = ask.due_key if is_open else ""
        return _task_page(cases, (start, skip), last, wanted=wanted, size=size, key=key)

    # ------------------------------------------------------------------------------------------------------------ counts

    async def facets(self, ask: Ask) -> tuple[list[Document], bool]:
        """Returns {state, light, severity, category, lead, count} for all combinations of the newest cases, and whether there are more."""
        if ask.words or ask.wording is not None:
            cases, more = await self._worded(ask, after=None, size=AT_ONCE * MOST_ROUNDS)
            ids = {"_id": {"$in": [case["case_id"] for case in cases]}}
            return await self._counts.facets(ids, index="_id_", most=MOST_COUNTED), more is not None
        where, index = await self._in_order_of_reports(ask, few=MOST_COUNTED)
        rows = await self._counts.facets(where, index=index, most=MOST_COUNTED + 1)
        return rows, sum(row["count"] for row in rows) > MOST_COUNTED


def _of_one_person(ask: Ask) -> bool:
    return "created_by.key" in plans.flat(ask.filter)


def _city(ask: Ask) -> str:
    """The city the caller or the filter keeps to, "" for any."""
    city = (ask.view.area or "")[:CITY_DIGITS]
    return city if len(city) == CITY_DIGITS else ""


def _due_cursor(case: Document, key: str) -> Cursor:
    return Cursor(at=inbox.due_of(case["inbox"][key]), key=case["case_id"])


def _cut(found: list[Document], size: int) -> Page:
    if len(found) <= size:
        return found, None
    return found[:size], Cursor(at=_BEGINNING, key=found[size - 1]["case_id"])


def _inside(after: Cursor | None) -> tuple[Cursor | None, int]:
    """Splits the cursor of a page of tasks into that of its case and how many of the next case's tasks were shown already."""
    if after is None:
        return None, 0
    key, _, skip = after.key.partition("/")
    return Cursor(at=after.at, key=key), int(skip) if skip.isdigit() else 0


def _task_page(
    cases: list[Document], start: tuple[Cursor | None, int], last: Cursor | None, *, wanted: Filter, size: int, key: str
) -> Page:
    """Lays the tasks of cases side by side; a page that is full in the middle of a case remembers how far it came."""
    shown: list[Document] = []
    before, skip = start
    for case in cases:
        tasks = [task for task in case["tasks"] if _fits(task, wanted)][skip:]
        room = size - len(shown)
        if len(tasks) > room:
            at = before or Cursor(at=_BEGINNING)
            return [*shown, *_each(case, tasks[:room])], Cursor(at=at.at, key=f"{at.key}/{skip + room}")
        shown += _each(case, tasks)
        before, skip = _due_cursor(case, key) if key else Cursor(at=_BEGINNING, key=case["case_id"]), 0
        if len(shown) == size:
            is_last = last is None and case is cases[-1]
            return shown, None if is_last else before
    return shown, last


def _each(case: Document, tasks: Sequence[Document]) -> list[Document]:
    return [{**case, "task": task} for task in tasks]


def _fits(task: Document, wanted: Filter) -> bool:
    """Tells of one task what `$elemMatch` asks: equality, or one of several values."""
    return all(
        task.get(name) in value["$in"] if isinstance(value, dict) else task.get(name) == value
        for name, value in wanted.items()
        if name != "due_at"
    ) and _due_fits(task, wanted.get("due_at"))


def _due_fits(task: Document, limits: Any) -> bool:
    if not limits:
        return True
    at = task.get("due_at")
    return at is not None and ("$gte" not in limits or at >= limits["$gte"]) and ("$lt" not in limits or at < limits["$lt"])


def in_area(prefix: str) -> Filter:
    """Returns the condition that a case lies in an area."""
    return {"area_code": code_range(prefix)}

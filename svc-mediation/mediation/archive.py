"""The archive of histories: a case keeps its newest steps, the oldest lie here, so that no document grows without bound.

An entry is `{_id: "<case id>:<place>", step: …}`. A worker copies first and trims the case afterwards, in a guarded write: whatever
fails in between leaves an entry in both places, never in none, and the case says from which place on its own are the ones that count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from pymongo import InsertOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from mediation import history
from mediation.domain import Case, Step
from svckit.batch import BatchRepository
from svckit.documents import Change, Decide, stored, utc_now
from svckit.errors import NotFound, Unavailable

COLLECTION = "case_steps"
Document = dict[str, Any]

_CASES_AT_ONCE = 50
_DUPLICATE_KEY = 11000
_OWN = {"outbox": False, "commands": False, "created_by": False}


class StepArchive:
    """Reads histories, for the api. Raises Unavailable while the database is away."""

    def __init__(self, *, cases: AsyncCollection[Document], steps: AsyncCollection[Document]) -> None:
        self._cases = cases
        self._steps = steps.with_options(codec_options=cases.codec_options)

    async def read(self, case_id: str, *, begin: int, end: int) -> list[Step]:
        """Returns archived steps from place `begin` up to, not including, `end`."""
        return [msgspec.convert(step, Step, builtin_types=(datetime,)) for step in await self._raw(case_id, begin, end)]

    async def whole(self, case_id: str) -> tuple[Document, list[Document]]:
        """Returns a case's document and all its steps, oldest first, as they are in the database. Raises NotFound."""
        try:
            case = await self._cases.find_one({"_id": case_id}, _OWN)
        except PyMongoError as error:
            raise _unavailable() from error
        if case is None:
            raise NotFound(f"Case {case_id} does not exist.", reason="CASE_NOT_FOUND")
        old = await self._raw(case_id, 0, history.archived_of(case))
        return case, [*old, *case.get("steps", ())]

    async def _raw(self, case_id: str, begin: int, end: int) -> list[Document]:
        try:
            found = await self._steps.find(_between(case_id, begin, end)).sort("_id").to_list()
        except PyMongoError as error:
            raise _unavailable() from error
        return [row["step"] for row in found]


def archive(cases: BatchRepository[Case]) -> int:
    """Moves the oldest steps of the cases that hold many into the archive; returns how many cases it looked at."""
    steps = cases.collection.database[COLLECTION].with_options(write_concern=cases.collection.write_concern)
    waiting = (
        cases.collection.find({"archive_at": {"$lte": utc_now(), "$type": "date"}}, _OWN)
        .sort("archive_at")
        .limit(_CASES_AT_ONCE)
    )
    found = [cases.form.state(document) for document in waiting]
    _copy(steps, found)
    cases.apply([Change(case.case_id, _trimming(case.history.archived + len(history.oldest(case)))) for case in found])
    return len(found)


def whole_history(case: Document, steps: Collection[Document]) -> list[Document]:
    """Returns all steps of a case's document, oldest first, as they are in the database. For processes without an event loop."""
    old = steps.find(_between(case["_id"], 0, history.archived_of(case))).sort("_id")
    return [*(row["step"] for row in old), *case.get("steps", ())]


def _copy(steps: Collection[Document], cases: Iterable[Case]) -> None:
    rows = [InsertOne(row) for case in cases for row in _rows(case, history.oldest(case))]
    try:
        if rows:
            steps.bulk_write(rows, ordered=False)
    except BulkWriteError as error:
        # Copied before by somebody who did not get to the trimming: entries never change.
        if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
            raise


def _rows(case: Case, steps: Sequence[Step]) -> list[Document]:
    first = case.history.archived
    return [{"_id": _key(case.case_id, first + n), "step": stored(step)} for n, step in enumerate(steps)]


def _trimming(archived: int) -> Decide:
    def decide(case: Case | None) -> tuple[Case | None, tuple[Any, ...]]:
        return (history.trimmed(case, archived=archived) if case else None), ()

    return decide


def _key(case_id: str, place: int) -> str:
    return f"{case_id}:{place:09d}"


def _between(case_id: str, begin: int, end: int) -> Document:
    return {"_id": {"$gte": _key(case_id, begin), "$lt": _key(case_id, end)}}


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")

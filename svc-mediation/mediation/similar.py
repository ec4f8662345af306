"""Searches for the ways of a case: what may be the same, what was merged into it, and whose drafts there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import duplicates
from mediation.cursors import Cursor
from mediation.domain import Actor, CaseState
from mediation.domain.states import FINAL_STATES
from mediation.store import view_of
from svckit.errors import Unavailable
from svckit.paging import code_range

Document = dict[str, Any]

# Reports of the same thing come from the same community, in the same days; of more candidates the newest are compared.
MOST_CANDIDATES = 300
_COMMUNITY_DIGITS = 12
_HIDDEN = {"outbox": False, "commands": False, "created_by": False, "steps": False, "workspace": False}
_OPEN = sorted(frozenset(CaseState) - FINAL_STATES - {CaseState.DRAFT})


class SimilarCases:
    """Raises Unavailable while the database is away."""

    def __init__(self, cases: AsyncCollection[Document]) -> None:
        self._cases = cases

    async def candidates(self, case: Document, *, caller: Actor) -> list[Document]:
        """Returns open cases of the same community and the same days that the caller may see, newest first."""
        span = duplicates.APART
        near = {
            "state": {"$in": _OPEN},
            "area_code": code_range(case["area_code"][:_COMMUNITY_DIGITS]),
            "reported_at": {"$gte": case["reported_at"] - span, "$lte": case["reported_at"] + span + timedelta(days=1)},
        }
        where = {"$and": [near, view_of(caller).where]}
        return await self._all(self._cases.find(where, _HIDDEN).sort("_id", -1).limit(MOST_CANDIDATES))

    async def drafts_of(self, subject: str, *, after: Cursor | None, size: int) -> tuple[list[Document], Cursor | None]:
        """Returns a page of somebody's drafts, newest change first, and the cursor of the next page."""
        where: Document = {"state": CaseState.DRAFT.value, "reporter.subject": subject}
        if after:
            older = [{"changed_at": {"$lt": after.at}}, {"changed_at": after.at, "_id": {"$lt": after.key}}]
            where["$or"] = older
        cursor = self._cases.find(where, _HIDDEN).sort([("changed_at", -1), ("_id", -1)]).limit(size + 1)
        found = await self._all(cursor)
        if len(found) <= size:
            return found, None
        last = found[size - 1]
        return found[:size], Cursor(at=last["changed_at"], key=last["case_id"])

    async def _all(self, cursor: Any) -> list[Document]:
        try:
            found: list[Document] = await cursor.to_list()
        except PyMongoError as error:
            raise Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE") from error
        for case in found:
            case["case_id"] = case.pop("_id")
        return found

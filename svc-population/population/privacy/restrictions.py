"""Which residents' data are restricted now, kept in the memory of each api process: looked at for every answer, changed rarely."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from population.policies.data_rights import OBJECT
from svckit.errors import Unavailable

DESPITE_RESTRICTION = frozenset({"P10", "P12", "P13"})
"""Purposes that restricted data are still used for: emergencies (PIPL 13(4)), the person's own requests, audits."""
DUTY_BY_LAW = frozenset({"P09"})
"""Purposes that are a duty by law (选举法 27): an objection does not stop them (dsr_type.csv, R5: 法定职责除外须说明), or the roll would be
incomplete. Whose restriction stands for consent that was withdrawn (R4) or data that were to be erased (R3) stays hidden."""
REFRESH_SECONDS = 1.0
# A mark may become visible after one that was changed later.
_OVERLAP = timedelta(seconds=10)
_log = logging.getLogger(__name__)


def restricted_ids(database: Database[dict[str, Any]], *, purpose: str) -> frozenset[str]:
    """Returns whose data are restricted now, for a job of that purpose."""
    if purpose in DESPITE_RESTRICTION:
        return frozenset()
    query: dict[str, Any] = {"restricted": True, **({"reason": {"$ne": OBJECT}} if purpose in DUTY_BY_LAW else {})}
    return frozenset(row["_id"] for row in database["privacy_marks"].find(query, {"_id": True}))


class Restrictions:
    """The ids of residents whose data are restricted; `follow` keeps them up to date within a second."""

    def __init__(self, marks: AsyncCollection[dict[str, Any]]) -> None:
        self._marks = marks
        self._restricted: set[str] = set()
        self._without_objections: set[str] = set()
        self._since: datetime | None = None
        self._known = False

    def now(self, purpose: str) -> set[str]:
        """Returns the ids of those whose data are not used for `purpose`.

        Raises Unavailable (RESTRICTIONS_UNKNOWN) until they were read once: nobody is shown by mistake.
        """
        if not self._known:
            raise Unavailable("Whose data are restricted is not known yet.", reason="RESTRICTIONS_UNKNOWN")
        return self._without_objections if purpose in DUTY_BY_LAW else self._restricted

    async def follow(self) -> None:
        """Follows the marks, for ever."""
        while True:
            try:
                await self.refresh()
            except PyMongoError as error:
                _log.warning("the privacy marks cannot be read now: %s", type(error).__name__)
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Reads what changed since the last time; the first time, all that are restricted."""
        where: dict[str, Any] = {"changed_at": {"$gte": self._since - _OVERLAP}} if self._since else {}
        async for row in self._marks.find(where, {"restricted": True, "reason": True, "changed_at": True}):
            restricted = bool(row.get("restricted"))
            self._put(self._restricted, row["_id"], restricted)
            self._put(self._without_objections, row["_id"], restricted and row.get("reason") != OBJECT)
            self._since = max(self._since or row["changed_at"], row["changed_at"])
        self._known = True

    @staticmethod
    def _put(ids: set[str], id: str, belongs: bool) -> None:
        (ids.add if belongs else ids.discard)(id)

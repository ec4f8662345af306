"""Which residents' data are restricted now, kept in the memory of each api process: looked at for every answer, changed rarely."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.database import Database
from pymongo.errors import PyMongoError

from svckit.errors import Unavailable

DESPITE_RESTRICTION = frozenset({"P10", "P12", "P13"})
"""Purposes that restricted data are still used for: emergencies (PIPL 13(4)), the person's own requests, audits."""
REFRESH_SECONDS = 1.0
# A mark may become visible after one that was changed later.
_OVERLAP = timedelta(seconds=10)
_log = logging.getLogger(__name__)


def restricted_ids(database: Database[dict[str, Any]]) -> frozenset[str]:
    """Returns whose data are restricted now, for a job."""
    return frozenset(row["_id"] for row in database["privacy_marks"].find({"restricted": True}, {"_id": True}))


class Restrictions:
    """The ids of residents whose data are restricted; `follow` keeps them up to date within a second."""

    def __init__(self, marks: AsyncCollection[dict[str, Any]]) -> None:
        self._marks = marks
        self._restricted: set[str] = set()
        self._since: datetime | None = None
        self._known = False

    def now(self) -> set[str]:
        """Returns the ids. Raises Unavailable (RESTRICTIONS_UNKNOWN) until they were read once: nobody is shown by mistake."""
        if not self._known:
            raise Unavailable("Whose data are restricted is not known yet.", reason="RESTRICTIONS_UNKNOWN")
        return self._restricted

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
        async for row in self._marks.find(where, {"restricted": True, "changed_at": True}):
            (self._restricted.add if row.get("restricted") else self._restricted.discard)(row["_id"])
            self._since = max(self._since or row["changed_at"], row["changed_at"])
        self._known = True

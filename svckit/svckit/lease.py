"""One process at a time does what would be wasted twice: a lease in the database, for workers."""

from __future__ import annotations

import contextlib
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from svckit.documents import Document
from svckit.ids import new_id

_PROCESS = new_id()


class Lease:
    """A lease of `seconds` on `name`, kept in one document of `collection`.

    Only the clock of the database counts, so machines may disagree about the time. It saves work and nothing else: whoever holds
    it too long is still stopped by the revisions of what it writes. All methods raise PyMongoError while the database is away.
    """

    def __init__(self, collection: Collection[Document], name: str, *, seconds: float = 5.0, owner: str = _PROCESS) -> None:
        self._collection = collection.with_options(write_concern=WriteConcern("majority"))
        self._name = name
        self._owner = owner
        self._milliseconds = round(seconds * 1000)

    def hold(self) -> bool:
        """Takes or renews the lease; False while another process has it."""
        if self._take():
            return True
        with contextlib.suppress(DuplicateKeyError):
            self._collection.insert_one({"_id": self._name, "owner": self._owner, "until": None})
            return self._take()
        return False

    def _take(self) -> bool:
        until: dict[str, Any] = {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": self._milliseconds}}
        free = {"$or": [{"owner": self._owner}, {"until": None}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        taken = self._collection.update_one(
            {"_id": self._name, **free}, [{"$set": {"owner": {"$literal": self._owner}, "until": until}}]
        )
        return taken.matched_count == 1

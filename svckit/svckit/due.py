"""Timers of a worker: documents whose time has come are decided in batches, in order, once, whoever ran while it came.

A timer is a field of the document that holds when something has to happen next (None: nothing), with an index. So timers survive
every restart, and what came due while no worker ran is simply the oldest that is due.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from pymongo.errors import PyMongoError

from svckit.batch import BatchRepository
from svckit.documents import Change, Decide, utc_now
from svckit.errors import ServiceError, Unavailable
from svckit.lease import Lease

S = TypeVar("S", bound=msgspec.Struct)
_log = logging.getLogger(__name__)

BATCH = 200
"""Documents decided with one save."""
OVERDUE_SHARE = 150
"""How many of them may be overdue ones while others are due just now: a backlog does not keep the present waiting."""
FRESH = dt.timedelta(minutes=1)
"""How long something counts as due just now: longer than it takes another worker to take over."""
ASIDE_SECONDS = 60.0
"""How long a document whose decision failed stays out of the way of the others."""
TURN_SECONDS = 2.0
"""How long one call works on a backlog; a worker that stops waits for it."""


class DueDocuments(Generic[S]):
    """The timer `field` of one collection. `decide` gets the time of the round and returns the decision on a document.

    Several workers may share it: one of them works, the others stand by (`Lease`), and should two believe they hold the lease,
    the revision of each document lets one of them win.
    """

    def __init__(self, repository: BatchRepository[S], *, field: str, decide: Callable[[dt.datetime], Decide]) -> None:
        self._repository = repository
        self._field = field
        self._decide = decide
        self._lease = Lease(repository.collection.database["leases"], f"{repository.collection.name}.{field}")
        self._aside: dict[str, float] = {}

    def work(self) -> int:
        """Decides what is due, for at most TURN_SECONDS; returns how many documents. While the database is away it does nothing."""
        done, until = 0, time.monotonic() + TURN_SECONDS
        try:
            # Held for longer than one call takes.
            while time.monotonic() < until and (done or self._lease.hold()):
                now = utc_now()
                changes = self._due(now)
                self._save(changes, now)
                done += len(changes)
                if len(changes) < BATCH:
                    break
        except (Unavailable, PyMongoError) as error:
            _log.warning("%s.%s waits: %s", self._repository.collection.name, self._field, type(error).__name__)
        return done

    def _due(self, now: dt.datetime) -> list[Change]:
        """The overdue ones, oldest first, and beside them those that are due just now."""
        fresh = self._find({"$gt": now - FRESH, "$lte": now}, BATCH, now)
        overdue = self._find({"$lte": now - FRESH}, max(OVERDUE_SHARE, BATCH - len(fresh)), now)
        return (overdue + fresh)[:BATCH]

    def _find(self, when: dict[str, dt.datetime], most: int, now: dt.datetime) -> list[Change]:
        # The type is what tells MongoDB that an index of the dates alone will do.
        where: dict[str, Any] = {self._field: {**when, "$type": "date"}}
        if aside := self._still_aside():
            where["_id"] = {"$nin": aside}
        found = self._repository.collection.find(where, {"traceparent": True}).sort(self._field).limit(most)
        return [Change(row["_id"], self._decide(now), traceparent=row.get("traceparent") or "") for row in found]

    def _save(self, changes: Sequence[Change], now: dt.datetime) -> None:
        if not changes:
            return
        try:
            outcomes: Sequence[Any] = self._repository.apply(changes)
        except (Unavailable, PyMongoError):
            raise
        except Exception as error:
            if len(changes) > 1:
                # One of them is at fault: the others do not suffer for it.
                for change in changes:
                    self._save([change], now)
                return
            outcomes = [error]
        for change, outcome in zip(changes, outcomes, strict=True):
            self._check(change.id, outcome, now)

    def _check(self, id: str, outcome: Any, now: dt.datetime) -> None:
        """Puts aside what failed, and what is due as before: it would come again and again."""
        if isinstance(outcome, Exception):
            told = outcome.reason if isinstance(outcome, ServiceError) else type(outcome).__name__
            _log.error("%s %s cannot be decided: %s", self._field, id, told)
        elif outcome is None or (when := getattr(outcome, self._field)) is None or when > now:
            return
        else:
            _log.error("%s %s is due as before", self._field, id)
        self._aside[id] = time.monotonic() + ASIDE_SECONDS

    def _still_aside(self) -> list[str]:
        now = time.monotonic()
        self._aside = {id: until for id, until in self._aside.items() if until > now}
        return list(self._aside)

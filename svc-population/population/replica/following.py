"""Follows the changes of the residents' documents and brings them into the replica, in a thread of its own.

The change stream of the collection is the service's own record of every write, whichever way it was made, in order and with nothing
left out; events on the bus carry ids only and not every change has one. The place where it continues is kept with the data it led to,
in the same transaction.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from bson import json_util
from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from population.replica.building import Source
from population.replica.database import Database
from population.replica.rows import READ, Batch

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 20_000
"""Changes of one transaction."""
GATHERED_S = 0.3
"""How long changes are gathered: each transaction looks through the whole column of ids, so it should have something to do."""
_WAIT_MS = 200
_HISTORY_LOST = {286, 280, 260}
"""The place where we stopped is no longer in the oplog, or its token cannot be read: only building anew helps."""
_OF_THE_STORE = ["outbox", "commands"]
"""Fields that change with every event that was published, and say nothing about anybody."""
_CHANGED_PATHS = {
    "$concatArrays": [
        {"$map": {"input": {"$objectToArray": "$updateDescription.updatedFields"}, "in": "$$this.k"}},
        {"$ifNull": ["$updateDescription.removedFields", []]},
        {"$map": {"input": {"$ifNull": ["$updateDescription.truncatedArrays", []]}, "in": "$$this.field"}},
    ]
}
_CHANGED_FIELDS = {"$map": {"input": _CHANGED_PATHS, "as": "path", "in": {"$first": {"$split": ["$$path", "."]}}}}
_PIPELINE: list[dict[str, Any]] = [
    # Every change of a person is followed by one that takes the published event out of the document: no need to look at it twice.
    {
        "$match": {
            "$or": [
                {"operationType": {"$ne": "update"}},
                {"$expr": {"$not": [{"$setIsSubset": [_CHANGED_FIELDS, _OF_THE_STORE]}]}},
            ]
        }
    },
    {
        "$project": {
            "operationType": True,
            "documentKey": True,
            "wallTime": True,
            **{f"fullDocument.{name}": True for name in READ},
        }
    },
]


class HistoryLost(Exception):
    """The changes since the replica last followed are no longer known."""


class Follower:
    """Brings changes into `database` until `stop`. `as_of`: everything before that moment is in it; None: not known yet."""

    def __init__(self, source: Source, database: Database, *, lost: Callable[[], None]) -> None:
        self.as_of: dt.datetime | None = None
        self._source = source
        self._database = database
        self._lost = lost
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replica-follower", daemon=True)
        self._caught_up = False

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends; what was applied is in the file."""
        self._stop.set()
        self._thread.join(timeout=30)

    def lag(self, now: dt.datetime) -> dt.timedelta | None:
        """Returns how far behind the documents the replica may be; None while that is not known."""
        return max(now - self.as_of, dt.timedelta(0)) if self.as_of else None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except HistoryLost:
                _log.warning("the changes since the replica last followed are gone; it is built anew")
                self._lost()
                return
            except PyMongoError as error:
                _log.warning("the replica waits for the database: %s", type(error).__name__)
                self._stop.wait(1)
            except Exception:
                _log.exception("the replica could not take in changes; it tries again")
                self._stop.wait(5)

    def _follow(self) -> None:
        token: dict[str, Any] = json_util.loads(self._database.noted("token"))
        options: dict[str, Any] = (
            {"start_at_operation_time": token["operation_time"]} if "operation_time" in token else {"resume_after": token}
        )
        try:
            with (
                self._source.open() as client,
                self._source.rows(client).watch(
                    _PIPELINE, full_document="updateLookup", max_await_time_ms=_WAIT_MS, batch_size=5_000, **options
                ) as stream,
            ):
                self._take(stream)
        except OperationFailure as error:
            if error.code in _HISTORY_LOST:
                raise HistoryLost from error
            raise

    def _take(self, stream: ChangeStream[dict[str, Any]]) -> None:
        while not self._stop.is_set():
            changes, asked_at, at_end = self._gather(stream)
            if changes:
                self._apply(changes, token=json_util.dumps(stream.resume_token))
            if at_end:
                # The database had nothing more to tell when it was asked: that is how up to date we are.
                self.as_of, self._caught_up = asked_at, True
            elif changes:
                self.as_of = changes[-1].get("wallTime") or self.as_of
            if not stream.alive:
                return

    def _gather(self, stream: ChangeStream[dict[str, Any]]) -> tuple[list[dict[str, Any]], dt.datetime, bool]:
        """Returns changes, when they were last asked for, and whether there were no more then."""
        changes: list[dict[str, Any]] = []
        until: float | None = None
        while True:
            asked_at = dt.datetime.now(dt.UTC)
            change = stream.try_next()
            if change is None:
                if not changes or (until and time.monotonic() >= until):
                    return changes, asked_at, True
                continue
            changes.append(change)
            until = until or time.monotonic() + GATHERED_S
            if len(changes) >= MOST_AT_ONCE or time.monotonic() >= until:
                return changes, asked_at, False

    def _apply(self, changes: list[dict[str, Any]], *, token: str) -> None:
        if any("documentKey" not in change for change in changes):
            raise HistoryLost("the collection was dropped or renamed")
        latest = {change["documentKey"]["_id"]: change for change in changes}
        # Before the changes made during the build are in, somebody "new" may be there already.
        new = {change["documentKey"]["_id"] for change in changes if self._caught_up and change["operationType"] == "insert"}
        batch = Batch()
        for change in latest.values():
            if document := change.get("fullDocument"):
                batch.add(document)
        self._database.apply(batch, gone=[id for id in latest if id not in new], token=token)

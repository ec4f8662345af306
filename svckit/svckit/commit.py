"""One round of a group commit: many changes decided in memory on freshly loaded documents and written together. Pure.

The two shells (`store` for asyncio, `batch` for eventlet) load, write and wait; everything that has to be right is here.
"""

from __future__ import annotations

import collections
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from pymongo import InsertOne, ReadPreference, UpdateOne, WriteConcern
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.results import BulkWriteResult

from svckit.documents import (
    TOO_LARGE_CODES,
    Change,
    Committed,
    Document,
    Draft,
    Form,
    Version,
    check_same,
    created_before,
    created_once,
    lost_race,
    refusal,
)
from svckit.errors import Conflict, ServiceError

S = TypeVar("S", bound=msgspec.Struct)
Write = InsertOne[Document] | UpdateOne

MOST_TRIES = 30
"""Lost races after which a change is given up with Conflict."""

_PASSING_CODES = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436})
"""Errors MongoDB's driver specification calls retryable: no primary, shutting down, no majority to read from yet (134) …"""

RECENT = dt.timedelta(seconds=5)
"""How long decisions build on what we wrote ourselves before the document is read again."""
MOST_RECENT = 500
WORTH_A_STATEMENT = 8
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)

DURABLE: dict[str, Any] = {
    # What was read may be answered to a caller, so it must not be rolled back any more: majority on both sides.
    "read_concern": ReadConcern("majority"),
    "write_concern": WriteConcern("majority", j=True),
    "read_preference": ReadPreference.PRIMARY,
}
"""Options of every collection of aggregates."""


class Written(msgspec.Struct, frozen=True):
    """What became of a bulk write: the errors of single writes, and the indexes of those that made a document."""

    errors: Sequence[Mapping[str, Any]] = ()
    upserted: frozenset[int] = frozenset()


class Job(Generic[S]):
    """A change on its way to the database; at its end it holds a result or an error."""

    __slots__ = ("alone", "change", "done", "error", "result", "tries")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.tries = 0
        self.alone = False
        self.done = False
        self.result: S | None = None
        self.error: Exception | None = None

    def reset(self) -> None:
        """Takes back how the job ended: it has to be decided again."""
        self.done, self.result, self.error = False, None, None

    def succeed(self, result: S | None) -> None:
        """Ends the job with the state its caller gets."""
        self.done, self.result = True, result

    def fail(self, error: Exception) -> None:
        """Ends the job with the error its caller gets."""
        self.done, self.error = True, error


def take(waiting: list[Any]) -> list[Any]:
    """Removes and returns the jobs of one document that may be decided together: all up to the first that must go alone."""
    count = 1 if waiting[0].alone else next((at for at, job in enumerate(waiting) if job.alone), len(waiting))
    taken = waiting[:count]
    del waiting[:count]
    return taken


class Recent(Generic[S]):
    """The aggregates this process wrote last, as they are unless somebody else has changed them since.

    The guard of the next write finds out, so what is decided on them needs no loading; a refusal is another matter, and is
    decided again on what the database has.
    """

    def __init__(self) -> None:
        self._versions: collections.OrderedDict[str, tuple[dt.datetime, Version[S]]] = collections.OrderedDict()

    def get(self, id: str, *, now: dt.datetime) -> tuple[dt.datetime, Version[S]] | None:
        """Returns a version and when it was known from the database itself, None when that is too long ago."""
        found = self._versions.get(id)
        return found if found and now - found[0] < RECENT else None

    def keep(self, id: str, version: Version[S], *, since: dt.datetime) -> None:
        """Remembers what was just written."""
        self._versions[id] = since, version
        self._versions.move_to_end(id)
        if len(self._versions) > MOST_RECENT:
            self._versions.popitem(last=False)

    def drop(self, id: str) -> None:
        """Forgets an aggregate that somebody else has changed."""
        self._versions.pop(id, None)


class _Entry(Generic[S]):
    """A draft with the jobs decided on it. `since`: when its document was read or made. `at_once`: decided without loading."""

    __slots__ = ("accepted", "at_once", "draft", "id", "jobs", "since")

    def __init__(self, id: str) -> None:
        self.id = id
        self.jobs: list[Job[S]] = []
        self.accepted: list[tuple[Job[S], S | None]] = []
        self.draft: Draft[S] | None = None
        self.since = _NEVER
        self.at_once = False

    def decide(self, form: Form[S], version: Version[S] | None, *, since: dt.datetime, now: dt.datetime) -> bool:
        """Decides the jobs in order; tells whether none was refused and there is something to write."""
        self.draft, self.since, self.accepted = Draft(form, self.id, version), since, []
        for job in self.jobs:
            try:
                self.accepted.append((job, self.draft.apply(job.change, now=now)))
            except Exception as error:
                job.fail(error)
        return len(self.accepted) == len(self.jobs) and self.draft.is_changed

    def undecide(self) -> None:
        """Takes back what was decided."""
        self.draft, self.accepted = None, []
        for job in self.jobs:
            job.reset()


class Round(Generic[S]):
    """`begin` → load → `decide` → write → `settle`; then every job is done or in `again`.

    `unclear` holds creations whose command created something earlier: load by `created_by.key` and call `settle_created`.
    `phantoms` are to be deleted.
    """

    def __init__(self, form: Form[S], jobs: Iterable[Job[S]], *, recent: Recent[S]) -> None:
        self._form = form
        self._recent = recent
        self._entries: dict[str, _Entry[S]] = {}
        for job in jobs:
            entry = self._entries.get(job.change.id)
            if entry is None:
                entry = self._entries[job.change.id] = _Entry(job.change.id)
            entry.jobs.append(job)
        self._written: list[_Entry[S]] = []
        self.again: list[Job[S]] = []
        self.unclear: dict[str, Job[S]] = {}
        self.phantoms: list[Document] = []

    def begin(self, *, now: dt.datetime) -> list[str]:
        """Decides what needs no loading and returns the ids to load for the rest."""
        for entry in self._entries.values():
            entry.at_once = self._decide_at_once(entry, now)
        return [entry.id for entry in self._entries.values() if not entry.at_once]

    def _decide_at_once(self, entry: _Entry[S], now: dt.datetime) -> bool:
        """A first try to create, and a first change of what we wrote last: should they be wrong, their write finds out."""
        if any(job.tries for job in entry.jobs):
            return False
        if all(job.change.creates for job in entry.jobs):
            entry.decide(self._form, None, since=now, now=now)
            return True
        known = self._recent.get(entry.id, now=now)
        if known is None:
            return False
        since, version = known
        if entry.decide(self._form, version, since=since, now=now):
            return True
        entry.undecide()
        return False

    def decide(self, found: Iterable[Document], *, now: dt.datetime) -> list[Write]:
        """Decides the other jobs on the loaded documents and returns all writes, for one unordered bulk write."""
        documents = {document["_id"]: document for document in found}
        for id, entry in self._entries.items():
            if not entry.at_once:
                document = documents.get(id)
                entry.decide(self._form, self._form.version(document) if document else None, since=now, now=now)
        return self._writes()

    def _writes(self) -> list[Write]:
        drafts = []
        for entry in self._entries.values():
            if entry.draft and entry.draft.is_changed:
                self._written.append(entry)
                drafts.append(entry.draft)
            else:
                _finish(entry)
        # Inserts are far cheaper than upserts, but a statement of their own: among updates one more round trip.
        new = sum(draft.is_new for draft in drafts)
        insert = new == len(drafts) or new >= WORTH_A_STATEMENT
        return [draft.write(insert=insert and draft.is_new) for draft in drafts]

    def settle(self, written: Written) -> list[Committed]:
        """Ends the jobs whose writes succeeded or were refused; returns what the relay has to publish now."""
        failed = {error["index"]: error for error in written.errors}
        committed: list[Committed] = []
        for index, entry in enumerate(self._written):
            assert entry.draft
            if index in failed:
                self._settle_failed(entry, failed[index])
                continue
            if index in written.upserted and not entry.draft.is_new:
                self._settle_deleted(entry)
                continue
            _finish(entry)
            self._recent.keep(entry.id, entry.draft.version, since=entry.since)
            if entry.draft.events:
                committed.append(Committed(entry.id, entry.draft.events, follows=entry.at_once))
        return committed

    def _settle_failed(self, entry: _Entry[S], error: Mapping[str, Any]) -> None:
        self._recent.drop(entry.id)
        jobs = [job for job, _ in entry.accepted]
        # Others were refused because of what was not saved now.
        for job in entry.jobs:
            if job.done:
                job.reset()
                self._try_again(job)
        if created_before(error):
            creation, *jobs = jobs
            assert creation.change.command
            self.unclear[creation.change.command.key] = creation
        elif not lost_race(error):
            self._refuse(jobs, refusal(error))
            return
        for job in jobs:
            self._try_again(job)

    def _settle_deleted(self, entry: _Entry[S]) -> None:
        """Somebody deleted the document since it was read: what the write has made of it is no aggregate, and goes again."""
        assert entry.draft
        self._recent.drop(entry.id)
        self.phantoms.append({"_id": entry.id, "revision": entry.draft.version.revision})
        for job in entry.jobs:
            job.reset()
            self._try_again(job)

    def _refuse(self, jobs: list[Job[S]], error: Exception) -> None:
        """A write that cannot succeed fails its job; of several jobs in one write only the guilty one may fail."""
        if len(jobs) == 1:
            jobs[0].fail(error)
            return
        for job in jobs:
            job.alone = True
            self._try_again(job)

    def _try_again(self, job: Job[S]) -> None:
        job.tries += 1
        if job.tries < MOST_TRIES:
            self.again.append(job)
        else:
            job.fail(Conflict("It kept changing while this was tried; please try again.", reason="CONTENTION"))

    def settle_created(self, found: Iterable[Document]) -> None:
        """Ends the jobs in `unclear` with the aggregates their commands created earlier."""
        for document in found:
            creation = created_once(document)
            job = self.unclear.pop(creation["key"], None)
            if job is None or job.change.command is None:
                continue
            try:
                check_same(creation["digest"], job.change.command)
                job.succeed(self._form.state(document))
            except ServiceError as error:
                job.fail(error)
        for job in self.unclear.values():
            self._try_again(job)


def _finish(entry: _Entry[Any]) -> None:
    for job, state in entry.accepted:
        job.succeed(state)


def written_of(result: BulkWriteResult) -> Written:
    """Returns the outcome of a bulk write without errors."""
    return Written(upserted=frozenset(result.upserted_ids or ()))


def failed_of(error: BulkWriteError) -> Written:
    """Returns the outcome of a bulk write with errors; raises `error` when the majority did not confirm (outcome unknown)."""
    details: Any = error.details
    if details.get("writeConcernErrors"):
        raise WTimeoutError("The write concern was not met.", code=64, details=dict(details)) from error
    return Written(details["writeErrors"], frozenset(one["index"] for one in details.get("upserted", ())))


def is_passing(error: BaseException) -> bool:
    """Tells whether the same attempt may succeed in a moment: no primary, no connection, no majority, no time."""
    if isinstance(error, ConnectionFailure | WTimeoutError | NetworkTimeout | ExecutionTimeout):
        return True
    if isinstance(error, OperationFailure) and error.code in _PASSING_CODES:
        return True
    return isinstance(error, PyMongoError) and (error.timeout or error.has_error_label("RetryableWriteError"))


def is_too_large(error: BaseException) -> bool:
    """Tells whether a document of a write as a whole was over 16 MB: found by the driver, or by the server before it began."""
    return isinstance(error, DocumentTooLarge) or (isinstance(error, OperationFailure) and error.code in TOO_LARGE_CODES)

"""One round of a group commit: many changes decided in memory on freshly loaded documents and written together. Pure.

The two shells (`store` for asyncio, `batch` for eventlet) load, write and wait; everything that has to be right is here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from pymongo import ReadPreference, UpdateOne, WriteConcern
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

from svckit.documents import (
    TOO_LARGE_CODES,
    Change,
    Document,
    Draft,
    Form,
    check_same,
    created_before,
    created_once,
    lost_race,
    refusal,
)
from svckit.errors import Conflict, ServiceError

S = TypeVar("S", bound=msgspec.Struct)

MOST_TRIES = 30
"""Lost races after which a change is given up with Conflict."""

_PASSING_CODES = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436})
"""Errors MongoDB's driver specification calls retryable: no primary, shutting down, no majority to read from yet (134) …"""

DURABLE: dict[str, Any] = {
    # What was read may be answered to a caller, so it must not be rolled back any more: majority on both sides.
    "read_concern": ReadConcern("majority"),
    "write_concern": WriteConcern("majority", j=True),
    "read_preference": ReadPreference.PRIMARY,
}
"""Options of every collection of aggregates."""


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


class _Entry(Generic[S]):
    """A draft with the jobs decided on it."""

    __slots__ = ("accepted", "draft", "jobs")

    def __init__(self, jobs: list[Job[S]]) -> None:
        self.jobs = jobs
        self.accepted: list[tuple[Job[S], S | None]] = []
        self.draft: Draft[S] | None = None


class Round(Generic[S]):
    """`ids` → load → `decide` → write → `settle`; then every job is done or in `again`.

    `unclear` holds creations whose command created something earlier: load by `created_by.key` and call `settle_created`.
    """

    def __init__(self, form: Form[S], jobs: Iterable[Job[S]]) -> None:
        self._form = form
        self._entries: dict[str, _Entry[S]] = {}
        for job in jobs:
            self._entries.setdefault(job.change.id, _Entry([])).jobs.append(job)
        self._written: list[_Entry[S]] = []
        self.again: list[Job[S]] = []
        self.unclear: dict[str, Job[S]] = {}

    @property
    def ids(self) -> list[str]:
        """Ids of the documents to load. A first try to create needs none: the write itself finds out."""
        return [id for id, entry in self._entries.items() if any(job.tries or not job.change.creates for job in entry.jobs)]

    def decide(self, found: Iterable[Document], *, now: dt.datetime) -> list[UpdateOne]:
        """Decides all jobs on the loaded documents and returns the writes, for one unordered bulk write."""
        documents = {document["_id"]: document for document in found}
        writes = []
        for id, entry in self._entries.items():
            write = self._decide_one(entry, documents.get(id), now)
            if write is None:
                _finish(entry)
            else:
                self._written.append(entry)
                writes.append(write)
        return writes

    def _decide_one(self, entry: _Entry[S], document: Document | None, now: dt.datetime) -> UpdateOne | None:
        draft = Draft(self._form, entry.jobs[0].change.id, document)
        for job in entry.jobs:
            try:
                entry.accepted.append((job, draft.apply(job.change, now=now)))
            except Exception as error:
                job.fail(error)
        entry.draft = draft
        return draft.write()

    def settle(self, write_errors: Sequence[Mapping[str, Any]]) -> list[str]:
        """Ends the jobs whose writes succeeded or were refused; returns the ids that now have events for the relay."""
        failed = {error["index"]: error for error in write_errors}
        committed = []
        for index, entry in enumerate(self._written):
            if index in failed:
                self._settle_failed(entry, failed[index])
                continue
            _finish(entry)
            if entry.draft and entry.draft.has_events:
                committed.append(entry.draft.id)
        return committed

    def _settle_failed(self, entry: _Entry[S], error: Mapping[str, Any]) -> None:
        jobs = [job for job, _ in entry.accepted]
        if created_before(error):
            creation, *jobs = jobs
            assert creation.change.command
            self.unclear[creation.change.command.key] = creation
        elif not lost_race(error):
            self._refuse(jobs, refusal(error))
            return
        for job in jobs:
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


def write_errors_of(error: BulkWriteError) -> list[Mapping[str, Any]]:
    """Returns the per-write errors of a bulk write; raises `error` when the majority did not confirm (outcome unknown)."""
    details: Any = error.details
    if details.get("writeConcernErrors"):
        raise WTimeoutError("The write concern was not met.", code=64, details=dict(details)) from error
    errors: list[Mapping[str, Any]] = details["writeErrors"]
    return errors


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

"""Aggregates in MongoDB for the workers: a batch of changes in one load and one bulk write, under the rules of `store`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import pymongo
from bson.codec_options import CodecOptions
from pymongo import InsertOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from svckit.commit import DURABLE, Job, Recent, Round, Written, failed_of, is_passing, take, written_of
from svckit.documents import LOADED, Change, Document, Form, OnCommit, lost_race, refusal, utc_now
from svckit.errors import ServiceError, Unavailable

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")


class BatchRepository(Generic[S]):
    """All aggregates of one kind. `on_commit` gets what has new events, once per write.

    While the database is away `apply` and `get` wait up to `patience` seconds and then raise Unavailable.
    """

    def __init__(
        self,
        collection: Collection[Document],
        *,
        form: Form[S],
        on_commit: OnCommit = lambda committed: None,
        patience: float = 8.0,
    ) -> None:
        options = CodecOptions[Document](tz_aware=True)
        self.collection = collection.with_options(codec_options=options, **DURABLE)
        self.form = form
        self._on_commit = on_commit
        self._patience = patience
        self._recent: Recent[S] = Recent()

    def get(self, id: str) -> S:
        """Returns an aggregate. Raises NotFound (<NAME>_NOT_FOUND) or Unavailable."""
        try:
            document = self.collection.find_one({"_id": id}, {"outbox": False, "commands": False})
        except PyMongoError as error:
            if is_passing(error):
                raise _unavailable() from error
            raise
        if document is None:
            raise self.form.not_found(id)
        return self.form.state(document)

    def apply(self, changes: Sequence[Change]) -> list[S | ServiceError | None]:
        """Decides all changes and saves them; returns per change the state after it, or why it was refused.

        Changes of one aggregate are decided in the given order and saved together. `decide` gets None when there is no document
        and may then create one, or return (None, ()) to leave it at that (the result is None). A repeated command returns
        the current state. Raises Unavailable (repeat the whole batch) and, after the others are saved, any error of `decide`
        that is not a ServiceError.
        """
        jobs: list[Job[S]] = [Job(change) for change in changes]
        waiting: dict[str, list[Job[S]]] = {}
        for job in jobs:
            waiting.setdefault(job.change.id, []).append(job)
        deadline = time.monotonic() + self._patience
        while waiting:
            self._requeue(waiting, self._commit([job for queue in waiting.values() for job in take(queue)], deadline))
        return [_outcome(job) for job in jobs]

    def _requeue(self, waiting: dict[str, list[Job[S]]], again: list[Job[S]]) -> None:
        for job in reversed(again):
            waiting[job.change.id].insert(0, job)
        for id in [id for id, queue in waiting.items() if not queue]:
            del waiting[id]
        if again:
            time.sleep(random.uniform(0, 0.002 * 2 ** min(again[0].tries, 6)))

    def add(self, states: Sequence[S]) -> None:
        """Saves new aggregates that tell nobody anything; what is there already stays as it is, so repeating it is harmless.

        Raises Unavailable (repeat the whole batch).
        """
        documents = [self.form.document(state) for state in states]
        if documents:
            self._patiently(lambda: self._insert(documents), until=time.monotonic() + self._patience)

    def _insert(self, documents: Sequence[Document]) -> None:
        with pymongo.timeout(self._patience):
            # The driver writes what it is given: each attempt begins with the same documents.
            written = self._write([InsertOne(document) for document in documents])
        for error in written.errors:
            if not lost_race(error):
                raise refusal(error)

    def _commit(self, jobs: list[Job[S]], deadline: float) -> list[Job[S]]:
        """Runs one round, repeated until the database has answered; returns the jobs to decide again."""

        def attempt() -> list[Job[S]]:
            for job in jobs:
                job.reset()
            return self._round(jobs)

        return self._patiently(attempt, until=deadline)

    def _patiently(self, attempt: Callable[[], T], *, until: float) -> T:
        """Repeats an attempt until the database has answered. Raises Unavailable."""
        pause = 0.02
        while True:
            try:
                return attempt()
            except PyMongoError as error:
                if not is_passing(error):
                    raise
                if time.monotonic() > until:
                    raise _unavailable() from error
                time.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, 0.5)

    def _round(self, jobs: list[Job[S]]) -> list[Job[S]]:
        round_ = Round(self.form, jobs, recent=self._recent)
        with pymongo.timeout(self._patience):
            ids = round_.begin(now=utc_now())
            found = self.collection.find({"_id": {"$in": ids}}, LOADED).to_list() if ids else []
            writes = round_.decide(found, now=utc_now())
            committed = round_.settle(self._write(writes) if writes else Written())
            if committed:
                self._on_commit(committed)
            for phantom in round_.phantoms:
                self.collection.delete_one(phantom)
            if round_.unclear:
                round_.settle_created(self.collection.find({"created_by.key": {"$in": list(round_.unclear)}}, LOADED).to_list())
        return [job for job in jobs if not job.done]

    def _write(self, writes: list[Any]) -> Written:
        try:
            return written_of(self.collection.bulk_write(writes, ordered=False))
        except BulkWriteError as error:
            return failed_of(error)


def all_saved(outcomes: Iterable[Any]) -> None:
    """Raises the first refusal among the outcomes of `apply`: the message then comes again, by itself, and ends as a dead letter."""
    for outcome in outcomes:
        if isinstance(outcome, ServiceError):
            raise outcome


def _outcome(job: Job[S]) -> S | ServiceError | None:
    if job.error is None:
        return job.result
    if isinstance(job.error, ServiceError):
        return job.error
    raise job.error


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")

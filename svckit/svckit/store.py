"""Aggregates in MongoDB for the api processes: group commit, idempotent commands, events in the same write.

Commands that arrive while a write is under way are decided together in the next one: one load, all decisions in memory in order,
one bulk write with majority. Commands that meet on one aggregate share one save. Nothing is answered before it is durable.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
import pymongo
from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, PyMongoError

from svckit.commit import DURABLE, Job, Recent, Round, Written, failed_of, is_passing, is_too_large, take, written_of
from svckit.documents import (
    LOADED,
    Change,
    Command,
    Decide,
    Document,
    Form,
    OnCommit,
    check_same,
    created_once,
    too_large,
    utc_now,
)
from svckit.errors import Unavailable
from svckit.telemetry import current_traceparent

S = TypeVar("S", bound=msgspec.Struct)

FLIGHTS = 1
"""Writes under way at once; more of them only make the groups smaller."""
# How long the next write waits for more while many ask at once.
_GATHER_SECONDS = 0.003
GROUP = 400
"""Aggregates in one write at most."""


class _Call(Job[S]):
    """A job somebody awaits."""

    __slots__ = ("deadline", "future")

    def __init__(self, change: Change, *, deadline: float, future: asyncio.Future[Any]) -> None:
        super().__init__(change)
        self.deadline = deadline
        self.future = future

    def resolve(self) -> None:
        """Tells the caller how it ended, if it still waits."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Repository(Generic[S]):
    """All aggregates of one kind. `on_commit` gets what has new events, once per write.

    While the database is away a command waits up to `patience` seconds and then ends with Unavailable; whether it was carried
    out is then unknown, and repeating it with the same command is safe.
    """

    def __init__(
        self,
        collection: AsyncCollection[Document],
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
        self._waiting: dict[str, list[_Call[S]]] = {}
        self._busy: set[str] = set()
        self._flights: set[asyncio.Task[None]] = set()
        # Asking for the running loop costs a system call, and every command would do it several times.
        self._loop: asyncio.AbstractEventLoop | None = None
        self._scheduled = False

    async def get(self, id: str) -> S:
        """Returns an aggregate. Raises NotFound (<NAME>_NOT_FOUND) or Unavailable."""
        try:
            document = await self.collection.find_one({"_id": id}, {"outbox": False, "commands": False})
        except PyMongoError as error:
            raise _as_service_error(error) from error
        if document is None:
            raise self.form.not_found(id)
        return self.form.state(document)

    async def change(self, id: str, decide: Decide, *, command: Command | None) -> S:
        """Decides on an aggregate and returns it as saved; a repeated command returns it as it is now.

        `decide` may be called several times (lost races). Raises what it raises, NotFound, FailedPrecondition
        (REQUEST_ID_REUSED, TOO_LARGE), Conflict (CONTENTION, ALREADY_EXISTS for a unique index of the service) and Unavailable.
        """

        def existing(state: S | None) -> tuple[Any, Sequence[Any]]:
            if state is None:
                raise self.form.not_found(id)
            return decide(state)

        return await self._submit(Change(id, existing, command, current_traceparent()))

    async def upsert(self, id: str, decide: Decide, *, command: Command | None) -> S:
        """As `change`, but `decide` gets None where there is no aggregate yet, and begins one."""
        return await self._submit(Change(id, decide, command, current_traceparent()))

    async def create(self, id: str, state: S, events: Sequence[Any], *, command: Command) -> S:
        """Saves a new aggregate and returns it; a repeated command returns the one it created, whatever `id` is now.

        Raises FailedPrecondition (REQUEST_ID_REUSED, TOO_LARGE), Conflict (ALREADY_EXISTS) and Unavailable.
        """
        change = Change(id, lambda _: (state, events), command, current_traceparent(), creates=True)
        return await self._submit(change)

    async def created(self, command: Command) -> S | None:
        """Returns what an earlier `create` with this command made, as it is now; None if there was none.

        For a request that would be refused today but was taken before. Raises FailedPrecondition (REQUEST_ID_REUSED), Unavailable.
        """
        try:
            document = await self.collection.find_one({"created_by.key": command.key}, LOADED)
        except PyMongoError as error:
            raise _as_service_error(error) from error
        if document is None:
            return None
        check_same(created_once(document)["digest"], command)
        return self.form.state(document)

    async def settled(self) -> None:
        """Waits until nothing is waiting or being written; for a graceful stop."""
        while self._flights or self._waiting or self._busy:
            await asyncio.wait(self._flights, timeout=0.05) if self._flights else await asyncio.sleep(0.01)

    # ------------------------------------------------------------------------------------------------ group commit

    async def _submit(self, change: Change) -> S:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        call: _Call[S] = _Call(change, deadline=time.monotonic() + self._patience, future=self._loop.create_future())
        self._waiting.setdefault(change.id, []).append(call)
        self._schedule()
        result: S = await call.future
        return result

    def _schedule(self, *, after: float = 0.0) -> None:
        """Takes off once the event loop has run everybody who is ready now: they join the same write."""
        if self._loop and not self._scheduled:
            self._scheduled = True
            self._loop.call_later(after, self._take_off)

    def _take_off(self) -> None:
        self._scheduled = False
        if len(self._flights) >= FLIGHTS:
            return
        group = self._next_group()
        if self._loop and group:
            task = self._loop.create_task(self._fly(group))
            self._flights.add(task)
            task.add_done_callback(self._land)

    def _land(self, task: asyncio.Task[None]) -> None:
        self._flights.discard(task)
        # Many at once: whoever was just answered soon asks again, and one write of all costs far less than several.
        self._schedule(after=_GATHER_SECONDS if len(self._waiting) > 1 else 0.0)
        if not task.cancelled() and task.exception():
            asyncio.get_running_loop().call_exception_handler({"message": "group commit failed", "exception": task.exception()})

    def _next_group(self) -> list[_Call[S]]:
        """Takes what is waiting, except for aggregates that are being written just now."""
        ids = [id for id in self._waiting if id not in self._busy][:GROUP]
        group: list[_Call[S]] = []
        for id in ids:
            group += take(self._waiting[id])
            if not self._waiting[id]:
                del self._waiting[id]
        self._busy.update(ids)
        return group

    async def _fly(self, group: list[_Call[S]]) -> None:
        ids = {call.change.id for call in group}
        again = await self._commit_or_split([call for call in group if not call.future.cancelled()])
        held = {call.change.id for call in again}
        self._busy -= ids - held
        if again:
            # Losers wait a little, each for another time, or two processes would keep beating one another.
            pause = random.uniform(0, 0.002 * 2 ** min(again[0].tries, 6))
            asyncio.get_running_loop().call_later(pause, self._take_up_again, again, held)

    def _take_up_again(self, again: list[_Call[S]], held: set[str]) -> None:
        for call in reversed(again):
            self._waiting.setdefault(call.change.id, []).insert(0, call)
        self._busy -= held
        self._schedule()

    async def _commit_or_split(self, calls: list[_Call[S]]) -> list[_Call[S]]:
        """Commits a group; refused as a whole (one document too large), every aggregate, then every call goes by itself."""
        try:
            return await self._commit(calls)
        except Exception as error:
            by_id: dict[str, list[_Call[S]]] = {}
            # Who was answered meanwhile (patience over, or gone) must not be carried out after all.
            calls = [call for call in calls if not call.future.done()]
            for call in calls:
                call.reset()
                by_id.setdefault(call.change.id, []).append(call)
            if len(by_id) > 1:
                return [call for part in by_id.values() for call in await self._commit_or_split(part)]
            if len(calls) > 1:
                for call in calls:
                    call.alone = True
                return calls
            for call in calls:
                call.fail(_as_service_error(error))
                call.resolve()
            return []

    async def _commit(self, calls: list[_Call[S]]) -> list[_Call[S]]:
        """Runs rounds until the database has answered; resolves what is done and returns what has to be decided again."""
        pause = 0.02
        while calls:
            try:
                return await self._round(calls)
            except PyMongoError as error:
                if not is_passing(error):
                    raise
                calls = _still_patient(calls, error)
                await asyncio.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, 0.5)
        return []

    async def _round(self, calls: list[_Call[S]]) -> list[_Call[S]]:
        round_ = Round(self.form, calls, recent=self._recent)
        with pymongo.timeout(self._patience):
            ids = round_.begin(now=utc_now())
            found = await self.collection.find({"_id": {"$in": ids}}, LOADED).to_list() if ids else []
            writes = round_.decide(found, now=utc_now())
            committed = round_.settle(await self._write(writes) if writes else Written())
            if committed:
                self._on_commit(committed)
            for phantom in round_.phantoms:
                await self.collection.delete_one(phantom)
            if round_.unclear:
                keys = {"created_by.key": {"$in": list(round_.unclear)}}
                round_.settle_created(await self.collection.find(keys, LOADED).to_list())
        for call in calls:
            if call.done:
                call.resolve()
        return [call for call in calls if not call.done]

    async def _write(self, writes: list[Any]) -> Written:
        try:
            return written_of(await self.collection.bulk_write(writes, ordered=False))
        except BulkWriteError as error:
            return failed_of(error)


def _still_patient(calls: list[_Call[S]], error: PyMongoError) -> list[_Call[S]]:
    """Ends the calls whose patience is over; returns the others, undecided again."""
    now = time.monotonic()
    for call in calls:
        call.reset()
        if call.deadline <= now:
            call.fail(_as_service_error(error))
            call.resolve()
    return [call for call in calls if not call.done and not call.future.cancelled()]


def _as_service_error(error: Exception) -> Exception:
    if isinstance(error, PyMongoError) and is_passing(error):
        return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")
    if is_too_large(error):
        return too_large()
    return error

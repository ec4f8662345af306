"""Writes the audit trail for an api process. An answer waits for its entry; what comes meanwhile is written together."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from population.privacy import audit
from population.privacy.audit import Entry
from svckit.access import Caller
from svckit.deltas import stored
from svckit.documents import utc_now
from svckit.errors import Unavailable
from svckit.ids import new_id

ENTRIES = "audit_entries"
MOST_RESIDENTS = 200
# How long the next write waits for more while many look at once: one write of ten entries costs little more than one of one.
_GATHER_SECONDS = 0.003
Raw = dict[str, Any]


class Trail:
    """One chain of entries. After a write that failed a new chain begins: nobody knows what of the old one arrived."""

    def __init__(self, rows: AsyncCollection[Raw], *, key: bytes) -> None:
        self._rows = rows.with_options(write_concern=WriteConcern("majority", j=True))
        self._key = key
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._chain = self._last = new_id()
        self._number = 0

    async def record(
        self,
        caller: Caller,
        *,
        event: str,
        rpc: str,
        residents: tuple[str, ...] = (),
        count: int = 0,
        note: str = "",
        at: datetime | None = None,
    ) -> None:
        """Returns when it is safe in the database, everybody named: of many people in several entries.

        `count` may be more than are named. Raises Unavailable (AUDIT_UNAVAILABLE): then nothing may be shown.
        """
        said: dict[str, Any] = {"event": event, "rpc": rpc, "note": note, "at": at or utc_now()}
        starts = range(0, len(residents), MOST_RESIDENTS) or (0,)
        named = [residents[start : start + MOST_RESIDENTS] for start in starts]
        unnamed = max(0, count - len(residents))
        counts = [len(ids) + (0 if place else unnamed) for place, ids in enumerate(named)]
        written = [
            self._queued(_entry(caller, residents=ids, count=count, **said)) for ids, count in zip(named, counts, strict=True)
        ]
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(), name="audit trail")
        await (written[0] if len(written) == 1 else asyncio.gather(*written))

    def _queued(self, entry: Entry) -> asyncio.Future[None]:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        return written

    async def _write(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                await self._save(taken)
                if len(self._waiting) > 1:
                    await asyncio.sleep(_GATHER_SECONDS)
        finally:
            self._writing = None

    async def _save(self, taken: list[tuple[Entry, asyncio.Future[None]]]) -> None:
        failure: Exception | None = None
        try:
            await self._rows.insert_many([self._sealed(entry) for entry, _ in taken])
        except PyMongoError:
            self._begin()
            failure = Unavailable("Nothing can be recorded now, so nothing can be shown.", reason="AUDIT_UNAVAILABLE")
        for _, written in taken:
            if written.done():  # its call was cancelled
                continue
            if failure:
                written.set_exception(failure)
            else:
                written.set_result(None)

    def _sealed(self, entry: Entry) -> Raw:
        placed = msgspec.structs.replace(entry, chain=self._chain, number=self._number + 1)
        sealed = audit.seal(self._key, self._last, placed)
        self._number, self._last = sealed.number, sealed.digest
        return {"_id": sealed.entry_id, **stored(sealed)}

    def _begin(self) -> None:
        self._chain, self._number = new_id(), 0
        self._last = self._chain


def _entry(caller: Caller, *, residents: tuple[str, ...], **said: Any) -> Entry:
    return Entry(
        chain="",
        number=0,
        subject=caller.subject,
        name=caller.name,
        roles=tuple(sorted(caller.roles)),
        area=caller.area,
        department=caller.department,
        purpose=caller.purpose,
        residents=residents,
        **said,
    )

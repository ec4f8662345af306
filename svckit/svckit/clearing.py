"""Takes events out of their documents once the broker has them; a part of the relay (`outbox`)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from pymongo.asynchronous.collection import AsyncCollection

from svckit.documents import Document

T = TypeVar("T")

# Documents are cleared when nothing more was confirmed for a moment, or when it is time: once for several writes. That is sooner
# than a sweep would find what was sent (`outbox`), and a process that is killed leaves no more than this to be sent again.
_LULL_SECONDS, _LONGEST_LULL_SECONDS = 0.2, 1.5
_MOST_CONFIRMED = 8_000


class Clearing:
    """What was confirmed and still lies in its document. At worst an event is cleared again: nothing here need be remembered."""

    def __init__(self, collections: Mapping[str, AsyncCollection[Document]]) -> None:
        self._collections = collections
        self._confirmed: list[tuple[str, str, str]] = []
        self._news = asyncio.Event()
        self._busy = False

    @property
    def idle(self) -> bool:
        """Tells whether nothing waits."""
        return not (self._busy or self._confirmed)

    def add(self, collection: str, document: str, event: str) -> None:
        """Notes that the broker has an event."""
        self._confirmed.append((collection, document, event))
        self._news.set()

    async def run(self) -> None:
        """Clears for ever. Raises PyMongoError; what was not cleared then waits for the next run."""
        while True:
            await self._news.wait()
            await self._lull()
            self._news.clear()
            confirmed, self._confirmed = self._confirmed, []
            self._busy = True
            try:
                await self._clear(confirmed)
            except BaseException:
                self._confirmed += confirmed
                self._news.set()
                raise
            finally:
                self._busy = False

    async def _clear(self, confirmed: list[tuple[str, str, str]]) -> None:
        """One statement for each collection. The revision stays: what the aggregates are has not changed."""
        found: dict[str, tuple[set[str], list[str]]] = {}
        for collection, document, event in confirmed:
            documents, events = found.setdefault(collection, (set(), []))
            documents.add(document)
            events.append(event)
        for name, (documents, events) in found.items():
            pull = {"$pull": {"outbox": {"id": {"$in": events}}}}
            await asyncio.shield(undisturbed(self._collections[name].update_many({"_id": {"$in": list(documents)}}, pull)))

    async def _lull(self) -> None:
        now = asyncio.get_running_loop().time
        latest = now() + _LONGEST_LULL_SECONDS
        while (count := len(self._confirmed)) < _MOST_CONFIRMED and now() < latest:
            await asyncio.sleep(_LULL_SECONDS)
            if len(self._confirmed) == count:
                return


def undisturbed(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Starts a database operation that goes on by itself when we are cancelled: pymongo leaks the connection it is opening."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task

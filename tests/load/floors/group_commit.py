"""Group commit by hand: the least code that writes what has arrived with one bulk write."""

import asyncio

import pymongo
from pymongo import AsyncMongoClient


class GroupCommit:
    """Writes what has arrived with one bulk write; what arrives meanwhile waits for the next."""

    def __init__(self, mongo_uri: str, database: str) -> None:
        self.cases = AsyncMongoClient(mongo_uri)[database].get_collection(
            "cases", write_concern=pymongo.WriteConcern("majority", j=True)
        )
        self._pending: list[tuple[object, asyncio.Future[None]]] = []
        self._flushing = False

    async def write(self, operation: object) -> None:
        """Returns when the operation is on the majority."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((operation, done))
        if not self._flushing:
            self._flushing = True
            self._task = asyncio.ensure_future(self._flush())
        await done

    async def _flush(self) -> None:
        while self._pending:
            taken, self._pending = self._pending, []
            await self.cases.bulk_write([operation for operation, _ in taken], ordered=False)
            for _, done in taken:
                done.set_result(None)
        self._flushing = False

"""Residents by the numbers of their identity documents. Lookups that come at the same time share a query.

A lookup goes at once when no query is under way; what comes meanwhile goes together into the next. While many look at once, the next one
waits a moment for more: ten numbers cost the database and us little more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from population.store.residents import is_merged
from population.store.rows import OWNED_BY_STORE, Raw, Rows

MOST = 200
"""Lookups in one query."""
_GATHER_SECONDS = 0.002
Key = tuple[str, bytes]
"""City ("" for all) and blind index of a number."""
Waiting = tuple[tuple[Key, ...], asyncio.Future[list[Raw]]]


class Numbers:
    """Looks numbers up in `rows`, the documents of residents; for one event loop."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._waiting: list[Waiting] = []
        self._asking: asyncio.Task[None] | None = None

    async def find(self, *, indexes: Sequence[bytes], city: str) -> list[Raw]:
        """Returns the residents of a city with any of these numbers on an identity document, without those that were merged.

        Raises PyMongoError.
        """
        found: asyncio.Future[list[Raw]] = asyncio.get_running_loop().create_future()
        self._waiting.append((tuple((city, index) for index in indexes), found))
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask(), name="numbers")
        return await found

    async def _ask(self) -> None:
        try:
            while self._waiting:
                asked = self._next()
                try:
                    by_key = await self._found({key for keys, _ in asked for key in keys})
                except Exception as error:
                    _fail(asked, error)
                else:
                    _answer(asked, by_key)
                if len(self._waiting) > 1:
                    await asyncio.sleep(_GATHER_SECONDS)
        finally:
            self._asking = None

    def _next(self) -> list[Waiting]:
        taken, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        return taken

    async def _found(self, keys: Iterable[Key]) -> dict[Key, list[Raw]]:
        by_city: dict[str, list[bytes]] = {}
        for city, index in keys:
            by_city.setdefault(city, []).append(index)
        found: dict[Key, list[Raw]] = {}
        for city, indexes in by_city.items():
            for index, rows in (await self._of_city(city, indexes)).items():
                found[city, index] = rows
        return found

    async def _of_city(self, city: str, indexes: Sequence[bytes]) -> dict[bytes, list[Raw]]:
        """Nearly always it is the number of the first document; only where it is not the others are looked at."""
        here = {"city": city} if city else {}
        found: dict[bytes, list[Raw]] = {}
        for row in await self._rows.find({**here, "id_number.index": _any(indexes)}, OWNED_BY_STORE).to_list():
            found.setdefault(bytes(row["id_number"]["index"]), []).append(row)
        if missing := [index for index in indexes if index not in found]:
            others = await self._rows.find({"documents.number.index": _any(missing), **here}, OWNED_BY_STORE).to_list()
            for row in others:
                for index in {bytes(document["number"]["index"]) for document in row["documents"] if document.get("number")}:
                    found.setdefault(index, []).append(row)
        return found


def _any(indexes: Sequence[bytes]) -> Any:
    return {"$in": list(indexes)} if len(indexes) > 1 else indexes[0]


def _fail(asked: Iterable[Waiting], error: Exception) -> None:
    for _, found in asked:
        if not found.done():  # its call was cancelled
            found.set_exception(error)


def _answer(asked: Iterable[Waiting], by_key: Mapping[Key, list[Raw]]) -> None:
    for keys, found in asked:
        if not found.done():
            rows = {row["_id"]: row for key in keys for row in by_key.get(key, ())}
            found.set_result([row for row in rows.values() if not is_merged(row)])

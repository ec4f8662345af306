"""The live feed of an api process: facts of its own service wake the streams that wait for them; what they send is in the database."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from pika.exceptions import AMQPError

from svckit.amqp import Lane, Link, LinkLost
from svckit.cloudevents import SUBJECT
from svckit.frames import text_header
from svckit.topology import Topology

# Beyond so many ids a watcher that is slow to look may as well read everything.
_MOST_IDS = 10_000


class Watch:
    """What changed since the watcher last looked: iterate, or `await wait(timeout=…)`."""

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._everything = False
        self._news = asyncio.Event()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> frozenset[str]:
        """Waits for news and returns the changed ids; an empty set means that anything may have changed: read again."""
        await self._news.wait()
        return self._taken()

    async def wait(self, *, timeout: float) -> frozenset[str] | None:
        """Like iterating, but returns None when nothing happened for `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return None
        return self._taken()

    def _taken(self) -> frozenset[str]:
        ids = frozenset() if self._everything else frozenset(self._ids)
        self._ids.clear()
        self._everything = False
        self._news.clear()
        return ids

    def add(self, id: str) -> None:
        """Notes that an aggregate changed."""
        if not self._everything:
            self._ids.add(id)
        if len(self._ids) > _MOST_IDS:
            self.add_everything()
        self._news.set()

    def add_everything(self) -> None:
        """Notes that anything may have changed."""
        self._everything = True
        self._ids.clear()
        self._news.set()


class LiveFeed:
    """Consumes the facts of `topology.service` from an exclusive queue of this process and wakes watchers.

    Facts that pass while the broker is away are not seen: whoever watches is then told to read everything again.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._lane: Lane | None = None
        self._route: dict[str, str] = {}
        self._binding: asyncio.Task[Any] | None = None
        self._any: set[Watch] = set()
        self._by_id: defaultdict[str, set[Watch]] = defaultdict(set)

    @contextlib.asynccontextmanager
    async def watch(self, key: str | None = None) -> AsyncIterator[Watch]:
        """Opens a watch on one aggregate id, or on all (None). Open it before reading, or a change in between is missed."""
        watch = Watch()
        watchers = self._any if key is None else self._by_id[key]
        watchers.add(watch)
        try:
            await self._listen()
            yield watch
        finally:
            watchers.discard(watch)
            if key is not None and not watchers:
                self._by_id.pop(key, None)
            self._listen_while_watched()

    async def opened(self, link: Link) -> None:
        """Declares a new exclusive queue; tells every watcher to read again once facts flow into it."""
        lane = await link.lane()
        for exchange in self._topology.exchanges():
            await lane.call(lane.channel.exchange_declare, **exchange)
        queue = (await lane.call(lane.channel.queue_declare, queue="", exclusive=True, auto_delete=True)).method.queue
        lane.consume(queue, self._on_message, exclusive=True)
        self._route = {"queue": queue, "exchange": self._topology.exchange, "routing_key": f"{self._topology.service}.#"}
        self._lane = lane
        if self._any or self._by_id:
            await self._listen()
            self._wake_everybody()

    def lost(self) -> None:
        """Forgets the queue; watchers learn it when the feed is back."""
        self._lane = self._binding = None

    async def _listen(self) -> None:
        """Returns when facts flow. They do only while somebody watches: each costs the broker a copy and this process a look."""
        if self._binding is None and self._lane:
            bound = self._lane.call(self._lane.channel.queue_bind, **self._route)
            self._binding = asyncio.get_running_loop().create_task(bound)
        if self._binding:
            with contextlib.suppress(LinkLost, AMQPError):  # `opened` does it again
                await asyncio.shield(self._binding)

    def _listen_while_watched(self) -> None:
        if self._any or self._by_id or self._binding is None:
            return
        self._binding = None
        if self._lane and self._lane.channel.is_open:
            self._lane.channel.queue_unbind(**self._route)

    def _on_message(self, properties: bytes, body: bytes) -> None:
        id = text_header(properties, SUBJECT)
        for watch in self._any:
            watch.add(id)
        for watch in self._by_id.get(id, ()):
            watch.add(id)

    def _wake_everybody(self) -> None:
        for watchers in (self._any, *self._by_id.values()):
            for watch in watchers:
                watch.add_everything()

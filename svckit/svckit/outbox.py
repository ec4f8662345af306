"""The relay: publishes the events that wait inside the documents of one service and then takes them out.

Every api process runs one; the broker lets only one of them be active, by giving the wake messages of a service to a single
consumer. Whoever commits tells the active relay which documents have events; what its own process commits the relay gets with the
events, and need not read. A sweep finds what such hints missed. An event leaves its document only after the broker has confirmed
it, so none is lost; after a crash one may be sent twice. Events of one aggregate are sent in the order in which they happened.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime as dt
import itertools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import pika
from pymongo import WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from svckit import telemetry
from svckit.amqp import Lane, Link, LinkLost
from svckit.clearing import Clearing, undisturbed
from svckit.cloudevents import TYPE, Encoder
from svckit.documents import Committed, Document, OnCommit, utc_now
from svckit.frames import text_header
from svckit.topology import Topology
from svckit.wake import Wake

_log = logging.getLogger(__name__)

WINDOW = 500
"""Events sent and not yet confirmed, at most."""
_DOCUMENTS = 500
# Pause after each publishing: the first event goes at once; under load one reading serves many commits.
_GATHER_SECONDS = 0.02
# Events in memory that wait for the broker, at most; more are read from their documents when their turn comes.
_MOST_IN_HAND = 10_000
_SWEEP_SECONDS, _SWEEP_AGE = 3.0, dt.timedelta(seconds=2)
_ANY_AGE = dt.timedelta(days=-365)  # clocks differ, and step back
# How many confirmed events are remembered, so that a read that began before they were cleared does not send them again.
_REMEMBERED = 20_000


class _Sent:
    """One event on its way: where it lies, and which span ends when it is confirmed."""

    __slots__ = ("collection", "document", "event", "finish")

    def __init__(self, collection: str, document: str, event: str, finish: Callable[[], None] | None) -> None:
        self.collection = collection
        self.document = document
        self.event = event
        self.finish = finish


class Relay:
    """Publishes for one service; `follow` every collection of aggregates before the link is started.

    `unroutable` counts events nobody subscribed to, `published` those the broker confirmed.
    """

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._encoder = Encoder(f"/binglian/{topology.service}")
        self._collections: dict[str, AsyncCollection[Document]] = {}
        self._clearing = Clearing(self._collections)
        self._dirty: collections.defaultdict[str, dict[str, None]] = collections.defaultdict(dict)
        self._reading: collections.deque[list[str]] = collections.deque()
        self._in_hand: collections.deque[tuple[str, Document]] = collections.deque()
        self._refused_lately: set[str] = set()
        self._unconfirmed: dict[int, _Sent] = {}
        self._sending: set[str] = set()
        self._remembered: collections.OrderedDict[str, None] = collections.OrderedDict()
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._send: Callable[[str, bytes, bytes], None] = _not_sent
        self._wakes: Any = None
        self._active = False
        self._caught_up = False
        self._busy = False
        self._tag = 0
        self._swept = utc_now()
        self._sweep_before: dt.datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.published = 0
        self.unroutable = 0

    def follow(self, collection: AsyncCollection[Document]) -> OnCommit:
        """Publishes from this collection from now on; returns what to call after each write."""
        # Only what can no longer be rolled back is told to others. Clearing needs no such care: at worst it is done again.
        self._collections[collection.name] = collection.with_options(
            read_concern=ReadConcern("majority"), write_concern=WriteConcern(1)
        )
        return lambda committed: self._take(collection.name, committed)

    def _take(self, collection: str, committed: Sequence[Committed]) -> None:
        """Tells the active relay, here or in another process, what was committed."""
        if not self._active:
            self._publish_wake(Wake(collection, [one.id for one in committed]))
            return
        for one in committed:
            if self._is_next(collection, one):
                self._in_hand.extend((collection, event) for event in one.events)
                self._work.set()
            else:
                self._mark(collection, [one.id])

    def _is_next(self, collection: str, one: Committed) -> bool:
        """Tells whether every earlier event of the document was sent or is in hand: then these may follow without reading."""
        if not (one.follows and self._caught_up) or one.id in self._refused_lately or len(self._in_hand) > _MOST_IN_HAND:
            return False
        return one.id not in self._dirty[collection] and not any(one.id in ids for ids in self._reading)

    @property
    def idle(self) -> bool:
        """Tells whether nothing is known to be waiting here."""
        return not (self._busy or self._in_hand or any(self._dirty.values()) or self._unconfirmed) and self._clearing.idle

    # ------------------------------------------------------------------------------------------------ link

    async def opened(self, link: Link) -> None:
        """Declares, consumes wake messages and starts to work once this relay is the active one."""
        events, wakes = await link.lane(), await link.lane()
        for exchange in self._topology.exchanges():
            await events.call(events.channel.exchange_declare, **exchange)
        await wakes.call(wakes.channel.queue_declare, **self._topology.relay())
        await events.call(events.channel.confirm_delivery, ack_nack_callback=self._on_nack)
        events.on_message(self._on_return, on_ack=self._on_ack)
        self._begin(events, wakes)

    def _begin(self, events: Lane, wakes: Lane) -> None:
        self._send, self._wakes, self._tag = events.publisher(self._topology.exchange), wakes.channel, 0
        wakes.consume(self._topology.relay_queue, self._on_wake)
        start = asyncio.get_running_loop().create_task
        self._tasks = [start(self._forever(work)) for work in (self._pump, self._clearing.run, self._ask_for_sweeps)]

    def lost(self) -> None:
        """Stops; what was not confirmed counts as not sent."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        self._send, self._wakes = _not_sent, None
        self._active = self._caught_up = False
        self._unconfirmed.clear()
        self._sending.clear()
        self._forget()
        self._room.set()

    def _forget(self) -> None:
        """What waits is found again in the documents."""
        for known in (self._in_hand, self._dirty, self._reading):
            known.clear()

    async def _forever(self, work: Callable[[], Any]) -> None:
        """Repeats a loop whose database or channel failed; the link itself restarts everything when the broker is gone."""
        while True:
            try:
                await work()
            except (PyMongoError, LinkLost, pika.exceptions.AMQPError) as error:
                _log.warning("relay of %s waits: %s", self._topology.service, type(error).__name__)
            except Exception:
                _log.exception("relay of %s", self._topology.service)
            await asyncio.sleep(0.5)

    # ------------------------------------------------------------------------------------------------ wake messages

    def _publish_wake(self, wake: Wake) -> None:
        if self._wakes is not None and self._wakes.is_open:
            self._wakes.basic_publish("", self._topology.relay_queue, msgspec.json.encode(wake))

    def _on_wake(self, _properties: bytes, body: bytes) -> None:
        became_active, self._active = not self._active, True
        if became_active:
            self._sweep_soon(age=_ANY_AGE)
        wake = msgspec.json.decode(body, type=Wake)
        if wake.collection:
            self._mark(wake.collection, wake.ids)
        elif utc_now() - self._swept > dt.timedelta(seconds=_SWEEP_SECONDS / 2):
            self._sweep_soon(age=_SWEEP_AGE)

    def _sweep_soon(self, *, age: dt.timedelta) -> None:
        self._swept = utc_now()
        self._sweep_before = max(self._sweep_before or self._swept - age, self._swept - age)
        self._work.set()

    async def _ask_for_sweeps(self) -> None:
        """Every process asks; the broker hands the question to the active one, which so also learns that it is."""
        while True:
            self._publish_wake(Wake())
            await asyncio.sleep(_SWEEP_SECONDS)

    def _mark(self, collection: str, ids: Iterable[str]) -> None:
        if collection in self._collections:
            self._dirty[collection].update(dict.fromkeys(ids))
        self._work.set()

    # ------------------------------------------------------------------------------------------------ publishing

    async def _pump(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            self._busy = True
            try:
                await self._publish_in_hand()
                await self._publish_dirty()
                before, self._sweep_before = self._sweep_before, None
                if before:
                    await self._sweep(before)
                    self._caught_up = True
            except Exception:
                self._caught_up = False
                self._forget()
                self._sweep_soon(age=_ANY_AGE)
                raise
            finally:
                self._busy = False
            await asyncio.sleep(_GATHER_SECONDS)

    async def _sweep(self, before: dt.datetime) -> None:
        """Publishes what has been waiting since before that time, however much it is, and what is new in between."""
        for name, collection in self._collections.items():
            cursor = collection.find({"outbox.time": {"$lte": before}}, {"outbox": True}, batch_size=_DOCUMENTS)
            async with cursor:
                while documents := await asyncio.shield(undisturbed(cursor.to_list(_DOCUMENTS))):
                    await self._publish_all(name, documents)
                    await self._publish_in_hand()
                    await self._publish_dirty()

    async def _publish_in_hand(self) -> None:
        while self._in_hand:
            name, event = self._in_hand.popleft()
            await self._publish_new(name, event["subject"], event)

    async def _publish_dirty(self) -> None:
        for name in list(self._dirty):
            reading = self._read_ahead(name)
            while reading:
                documents = await asyncio.shield(reading)
                # The next are read while these are sent; later reads see no less, so the order is kept.
                reading = self._read_ahead(name)
                await self._publish_all(name, documents)
                self._reading.popleft()

    def _read_ahead(self, name: str) -> asyncio.Task[list[Document]] | None:
        dirty = self._dirty[name]
        ids = list(itertools.islice(dirty, _DOCUMENTS))
        for id in ids:
            del dirty[id]
        if not ids:
            return None
        self._reading.append(ids)
        found = self._collections[name].find({"_id": {"$in": ids}}, {"outbox": True})
        return undisturbed(found.to_list())

    async def _publish_all(self, name: str, documents: Iterable[Document]) -> None:
        for document in documents:
            for event in document.get("outbox", ()):
                await self._publish_new(name, document["_id"], event)

    async def _publish_new(self, name: str, document: str, event: Document) -> None:
        if self._is_new(name, document, event["id"]):
            while len(self._unconfirmed) >= WINDOW:
                self._room.clear()
                await self._room.wait()
            self._publish(name, document, event)

    def _is_new(self, name: str, document: str, event: str) -> bool:
        if event in self._remembered:
            # Read before it was cleared, or the clearing was undone by a change of primary.
            self._clearing.add(name, document, event)
            return False
        return event not in self._sending

    def _publish(self, name: str, document: str, event: Document) -> None:
        traceparent, finish = self._span(event) if telemetry.enabled() else (event["traceparent"], None)
        properties = self._encoder.properties(
            id=event["id"], type=event["type"], time=event["time"], subject=event["subject"], traceparent=traceparent
        )
        self._send(event["type"], properties, event["data"])
        self._tag += 1
        self._unconfirmed[self._tag] = _Sent(name, document, event["id"], finish)
        self._sending.add(event["id"])

    def _span(self, event: Document) -> tuple[str, Callable[[], None]]:
        delivery = telemetry.Delivery(event["type"], event["id"], event["subject"], event["traceparent"])
        (traceparent,), finish = telemetry.publish_spans(exchange=self._topology.exchange, deliveries=(delivery,))
        return traceparent, finish

    def _on_return(self, properties: bytes, _body: bytes) -> None:
        self.unroutable += 1
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("nobody subscribes to %s", text_header(properties, TYPE))

    # ------------------------------------------------------------------------------------------------ confirmation

    def _on_ack(self, tag: int, all_before: bool) -> None:
        self._end(tag, all_before, self._settle)

    def _on_nack(self, frame: Any) -> None:
        """Hears only of refusals: confirmations do not go by way of pika."""
        self._end(frame.method.delivery_tag, frame.method.multiple, self._refused)

    def _end(self, tag: int, all_before: bool, settle: Callable[[_Sent], None]) -> None:
        tags = list(itertools.takewhile(tag.__ge__, self._unconfirmed)) if all_before else [tag]  # in the order of sending
        for one in tags:
            sent = self._unconfirmed.pop(one, None)
            if sent is not None:
                self._sending.discard(sent.event)
                settle(sent)
        self._room.set()

    def _settle(self, sent: _Sent) -> None:
        self.published += 1
        if sent.finish:
            sent.finish()
        self._remembered[sent.event] = None
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
        self._clearing.add(sent.collection, sent.document, sent.event)

    def _refused(self, sent: _Sent) -> None:
        """Sends it again from its document, soon; of what was sent after it the order is lost."""
        _log.warning("the broker refused event %s", sent.event)
        self._refused_lately.add(sent.document)

        def again() -> None:
            self._refused_lately.discard(sent.document)
            self._mark(sent.collection, [sent.document])

        asyncio.get_running_loop().call_later(0.2, again)

    async def drain(self, *, seconds: float) -> None:
        """Waits until this relay has nothing left, at most so long; for a graceful stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._active and not self.idle:  # noqa: ASYNC110 - many things end it; it runs once, at the end
                    await asyncio.sleep(0.02)


def _not_sent(key: str, properties: bytes, body: bytes) -> None:
    raise LinkLost("the broker is away")

"""One connection of a worker process to the broker: pika's own loop in a green thread, opened again whenever it breaks.

The loop only reads, writes and keeps the heartbeat; handlers run in other green threads and hand it their acknowledgements. So a
slow handler never costs the connection, and a broken connection never costs a handler's work.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import eventlet
import msgspec
import pika
from eventlet.event import Event as Signal
from nameko.extensions import SharedExtension
from pika.adapters.select_connection import IOLoop

from svckit.frames import ByHand, Intake
from svckit.topology import Queue, Topology
from svckit.wake import Wake

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 5.0
_CLOSING_SECONDS = 3.0
_CONFIRM_SECONDS = 10.0


class Consumer(Protocol):
    """Who consumes one queue, on a channel of its own."""

    @property
    def queue(self) -> Queue:
        """What to declare and consume."""

    prefetch: int

    def opened(self, channel: Any) -> None:
        """Messages follow, from this channel."""

    def lost(self) -> None:
        """The channel is gone; what it delivered and was not acknowledged comes again."""

    def received(self, channel: Any, tag: int, properties: bytes, body: bytes) -> None:
        """One message, its properties still encoded. Must return at once."""


class _Connection(ByHand, pika.SelectConnection):  # type: ignore[misc]  # pika has no types
    """Messages are taken apart by hand: pika spends a third of a worker's time on that."""


class GreenLink(SharedExtension):  # type: ignore[misc]  # nameko has no types
    """nameko extension shared by all handlers of a worker. Reads `AMQP_URI`, `SERVICE` and `EXCHANGE` of the container's config."""

    def __init__(self) -> None:
        self._consumers: list[Consumer] = []
        self._loop: Any = None
        self._connection: Any = None
        self._sender: Any = None
        self._tag = 0
        self._confirms: dict[int, Signal] = {}
        self._stopping = False
        self._ended: Signal | None = None
        self.up = False

    def setup(self) -> None:
        """Reads the container's config."""
        config = self.container.config
        self.topology = Topology(config["SERVICE"], config["EXCHANGE"])
        self._retired = [self.topology.handler(name, ()).name for name in config.get("RETIRED", ())]
        self._parameters = pika.URLParameters(config["AMQP_URI"])
        self._parameters.client_properties = {"connection_name": f"{config['SERVICE']} worker"}

    def register(self, consumer: Consumer) -> None:
        """Adds a consumer; before `start`."""
        self._consumers.append(consumer)

    def start(self) -> None:
        """Begins to connect; never raises for a broker that is away."""
        self._ended = Signal()
        self.container.spawn_managed_thread(self._run, identifier="broker connection")

    def stop(self) -> None:
        """Sends what was acknowledged and closes the connection."""
        self._stopping = True
        self.call(self._close)
        with eventlet.Timeout(_CLOSING_SECONDS, False):
            if self._ended is not None:
                self._ended.wait()

    def kill(self) -> None:
        """Forgets the connection."""
        self._stopping = True

    # ------------------------------------------------------------------------------------------------ sending

    def call(self, work: Callable[[], None]) -> None:
        """Runs `work` inside the connection's loop, soon; dropped when the connection is gone."""
        loop = self._loop
        if loop is not None:
            loop.add_callback_threadsafe(work)

    def wake(self, collection: str, ids: Sequence[str]) -> None:
        """Tells the relay of the service that these documents have events. Only a hint: never fails, never waits."""
        body = msgspec.json.encode(Wake(collection, list(ids)))

        def send() -> None:
            if self._sender is not None and self._sender.is_open:
                self._tag += 1
                self._sender.basic_publish("", self.topology.relay_queue, body)

        self.call(send)

    def dead_letter(self, properties: Any, body: bytes) -> bool:
        """Puts a message into the service's dead-letter queue; returns whether the broker has confirmed it."""
        confirmed = Signal()
        self.call(lambda: self._send_dead(properties, body, confirmed))
        with eventlet.Timeout(_CONFIRM_SECONDS, False):
            return bool(confirmed.wait())
        return False

    def _send_dead(self, properties: Any, body: bytes, confirmed: Signal) -> None:
        if self._sender is None or not self._sender.is_open:
            confirmed.send(False)
            return
        self._tag += 1
        self._confirms[self._tag] = confirmed
        self._sender.basic_publish(self.topology.dead_exchange, self.topology.dead.name, body, properties, mandatory=True)

    def _on_confirm(self, frame: Any) -> None:
        tag, all_before = frame.method.delivery_tag, frame.method.multiple
        for one in [known for known in self._confirms if known == tag or (all_before and known < tag)]:
            self._confirms.pop(one).send(frame.method.NAME == "Basic.Ack")

    def _on_return(self, *_: Any) -> None:
        """A dead letter found no queue; the broker confirms it all the same, after this. It does not say which it was."""
        for confirmed in self._confirms.values():
            confirmed.send(False)
        self._confirms.clear()

    # ------------------------------------------------------------------------------------------------ life

    def _run(self) -> None:
        pause = 0.1
        while not self._stopping:
            try:
                if self._run_once():
                    pause = 0.1
            except Exception as error:
                _log.warning("broker connection failed: %r", error)
            finally:
                self._forget()
            if not self._stopping:
                eventlet.sleep(random.uniform(pause / 2, pause))
                pause = min(pause * 2, _LONGEST_PAUSE)
        if self._ended is not None and not self._ended.ready():
            self._ended.send(None)

    def _run_once(self) -> bool:
        """Runs one connection to its end; returns whether it ever was open."""
        loop = self._loop = IOLoop()
        self._connection = _Connection(
            self._parameters,
            on_open_callback=lambda _: self._on_open(),
            on_open_error_callback=lambda _, error: self._on_end("no broker connection yet: %r", error),
            on_close_callback=lambda _, error: self._on_end("broker connection lost: %r", error),
            custom_ioloop=loop,
        )
        loop.start()
        return self.up

    def _on_end(self, what: str, error: BaseException) -> None:
        if not self._stopping:
            _log.warning(what, error)
        self._loop.stop()

    def _close(self) -> None:
        if self._connection is not None and self._connection.is_open:
            self._connection.close()
        elif self._loop is not None:
            self._loop.stop()

    def _forget(self) -> None:
        self.up = False
        self._sender = None
        loop, self._loop = self._loop, None
        for consumer in self._consumers:
            consumer.lost()
        for signal in self._confirms.values():
            signal.send(False)
        self._confirms.clear()
        if loop is not None:
            loop.close()

    # ------------------------------------------------------------------------------------------------ opening

    def _on_open(self) -> None:
        self._tag = 0
        self._open_channel(self._declare)

    def _open_channel(self, then: Callable[[Any], None]) -> None:
        def on_open(channel: Any) -> None:
            channel.add_on_close_callback(self._on_channel_closed)
            then(channel)

        self._connection.channel(on_open_callback=on_open)

    def _on_channel_closed(self, channel: Any, reason: BaseException) -> None:
        """The broker closes a channel for a wrong declaration or an acknowledgement that came too late: start again."""
        if self._connection.is_open:
            _log.warning("the broker closed a channel: %r", reason)
            self._connection.close()

    def _declare(self, channel: Any) -> None:
        """Sends all declarations at once: the broker works a channel off in order, and a refusal closes it."""
        self._sender = channel
        channel.add_on_return_callback(self._on_return)
        for exchange in self.topology.exchanges():
            channel.exchange_declare(**exchange)
        channel.queue_declare(**self.topology.relay())
        for queue in (self.topology.dead, *(consumer.queue for consumer in self._consumers)):
            channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
            for key in queue.keys:
                channel.queue_bind(queue.name, queue.exchange, key)
        for name in self._retired:
            channel.queue_delete(name)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._consume())

    def _consume(self) -> None:
        self.up = True
        _log.info("connected to the broker")
        for consumer in self._consumers:
            self._open_channel(lambda channel, consumer=consumer: _start(channel, consumer))  # type: ignore[misc]


def _start(channel: Any, consumer: Consumer) -> None:
    channel.basic_qos(prefetch_count=consumer.prefetch)
    channel.add_on_cancel_callback(lambda _: channel.close())
    consumer.opened(channel)
    intake = Intake(lambda properties, body: consumer.received(channel, intake.tag, properties, body))
    channel.connection.intakes[channel.channel_number] = intake
    channel.basic_consume(consumer.queue.name, lambda *_: None)

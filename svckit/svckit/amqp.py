"""One connection of an api process to the broker, opened again whenever it breaks; pika inside the process's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from svckit.frames import FRAME_EXTRA, FRAME_MAX, ByHand, Intake, content_frames, publish_frame

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 5.0
_OPENING_SECONDS = 15.0


class _Connection(ByHand, AsyncioConnection):  # type: ignore[misc]  # pika has no types
    """Sends what is published in one turn of the event loop together; pika alone makes three system calls per message."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._gathered: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        super().__init__(*arguments, **named)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        self.frames_sent += len(marshaled_frames)
        self.send_frames(marshaled_frames)

    def send_frames(self, frames: Sequence[bytes]) -> None:
        """Sends frames that are encoded already, after everything sent before."""
        if not self._gathered:
            self._loop.call_soon(self._send_gathered)
        self._gathered += frames

    def _send_gathered(self) -> None:
        data = b"".join(self._gathered)
        self._gathered.clear()
        if not self.is_closed:
            self.bytes_sent += len(data)
            self._adapter_emit_data(data)


class LinkLost(ConnectionError):
    """The connection or one of its channels is gone."""


class Lane:
    """A channel whose declarations can be awaited."""

    def __init__(self, channel: Any, lost: asyncio.Future[BaseException]) -> None:
        self.channel = channel
        self._lost = lost

    async def call(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Calls a pika method that takes `callback` and returns the broker's answer. Raises LinkLost."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        method(**arguments, callback=lambda frame: _resolve(answer, frame))
        await asyncio.wait((answer, self._lost), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise LinkLost(str(self._lost.result()))
        return answer.result()

    def publisher(self, exchange: str) -> Callable[[str, bytes, bytes], None]:
        """Returns publish(routing key, encoded properties, body), mandatory. It raises LinkLost when the channel is closed."""
        channel, connection = self.channel, self.channel.connection
        number, most = channel.channel_number, connection.params.frame_max or FRAME_MAX
        starts: dict[str, bytes] = {}

        def publish(key: str, properties: bytes, body: bytes) -> None:
            if not channel.is_open:
                raise LinkLost("the channel is closed")
            start = starts.get(key) or starts.setdefault(key, publish_frame(number, exchange, key))
            connection.send_frames([start, *content_frames(number, properties, body, most - FRAME_EXTRA)])

        return publish

    def on_message(self, take: Callable[[bytes, bytes], None], *, on_ack: Callable[[int, bool], None] | None = None) -> None:
        """Hands what is delivered or returned on this channel to `take(encoded properties, body)`, confirmations to `on_ack`."""
        self.channel.connection.intakes[self.channel.channel_number] = Intake(take, on_ack=on_ack)

    def consume(self, queue: str, take: Callable[[bytes, bytes], None], *, exclusive: bool = False) -> None:
        """Hands every message of `queue` to `take(encoded properties, body)`; it counts as handled when it is sent."""
        self.on_message(take)
        self.channel.add_on_cancel_callback(lambda frame: self.channel.close())
        self.channel.basic_consume(queue, lambda *_: None, auto_ack=True, exclusive=exclusive)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


class Participant(Protocol):
    """Somebody who uses the link while it is up."""

    async def opened(self, link: Link) -> None:
        """The link is up: open lanes, declare, consume. May raise LinkLost."""

    def lost(self) -> None:
        """The link is gone; `opened` follows when it is back."""


class Link:
    """Keeps the connection alive. `name` shows in the broker's list of connections."""

    def __init__(self, uri: str, *, name: str, participants: Sequence[Participant]) -> None:
        self._parameters = pika.URLParameters(uri)
        self._parameters.client_properties = {"connection_name": name}
        self._participants = participants
        self._connection: Any = None
        self._lost: asyncio.Future[BaseException] | None = None
        self._task: asyncio.Task[None] | None = None
        self.up = asyncio.Event()

    def start(self) -> None:
        """Begins to connect, in the background: a process serves while the broker is away."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Closes the connection."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def lane(self) -> Lane:
        """Opens a channel; when the broker closes it, the whole link starts again. Raises LinkLost."""
        assert self._lost is not None
        lost = self._lost
        lane = Lane(None, lost)
        lane.channel = await lane.call(
            lambda callback: self._connection.channel(on_open_callback=callback),
        )
        lane.channel.add_on_close_callback(lambda _, reason: _resolve(lost, reason))
        return lane

    # ------------------------------------------------------------------------------------------------ life

    async def _run(self) -> None:
        pause = 0.1
        while True:
            try:
                await self._connect()
                for participant in self._participants:
                    await participant.opened(self)
                pause = 0.1
                self.up.set()
                assert self._lost is not None
                _log.warning("broker connection lost: %r", await asyncio.shield(self._lost))
            except (LinkLost, OSError, pika.exceptions.AMQPError) as error:
                _log.info("no broker connection yet: %r", error)
            finally:
                self.up.clear()
                await self._close()
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = loop.create_future()
        lost: asyncio.Future[BaseException] = loop.create_future()
        self._lost = lost  # each connection ends its own: one that was given up may still fail later
        self._connection = _Connection(
            self._parameters,
            on_open_callback=lambda connection: self._on_open(connection, opened),
            on_open_error_callback=lambda _, error: _resolve(lost, error),
            on_close_callback=lambda _, error: _resolve(lost, error),
            custom_ioloop=loop,
        )
        await asyncio.wait((opened, lost), timeout=_OPENING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not opened.done():
            raise LinkLost(str(lost.result()) if lost.done() else "the broker does not answer")

    def _on_open(self, connection: Any, opened: asyncio.Future[None]) -> None:
        _resolve(opened, None)
        if connection is not self._connection:  # it was given up while it was being opened
            connection.close()

    async def _close(self) -> None:
        for participant in self._participants:
            participant.lost()
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed:
            return
        closed = asyncio.Event()
        connection.add_on_close_callback(lambda *_: closed.set())
        if connection.is_open:
            connection.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), 2)

"""The least code that publishes with windowed confirms and consumes in micro-batches with bare pika on asyncio."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel

WINDOW = 500
PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/json")
Message = tuple[str, bytes] | tuple[str, bytes, pika.BasicProperties]


class Peer:
    """One connection with one channel: `publish` resolves when the broker has confirmed every message."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._sent = self._confirmed = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._room = asyncio.Event()
        self._room.set()

    async def open(self, *, prefetch: int = 400) -> "Peer":
        """Connects, opens a channel with confirms and the given prefetch."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[AsyncioConnection] = loop.create_future()
        AsyncioConnection(
            pika.URLParameters(self._uri),
            on_open_callback=opened.set_result,
            on_open_error_callback=lambda _c, error: opened.set_exception(error),
        )
        connection = await opened
        ready: asyncio.Future[Channel] = loop.create_future()
        connection.channel(on_open_callback=ready.set_result)
        self.channel = await ready
        await self._call(self.channel.confirm_delivery, self._on_confirm)
        await self._call(self.channel.basic_qos, prefetch_count=prefetch)
        return self

    async def _call(self, method: Callable[..., object], *args: object, **kwargs: object) -> None:
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        method(*args, callback=done.set_result, **kwargs)
        await done

    async def declare(self, *, exchange: str, queues: Iterable[tuple[str, str]]) -> None:
        """Declares a topic exchange and quorum queues, each bound with one routing key."""
        await self._call(self.channel.exchange_declare, exchange=exchange, exchange_type="topic", durable=True)
        for queue, key in queues:
            await self._call(self.channel.queue_declare, queue=queue, durable=True, arguments={"x-queue-type": "quorum"})
            await self._call(self.channel.queue_bind, queue=queue, exchange=exchange, routing_key=key)

    async def publish(self, exchange: str, messages: Iterable[Message]) -> None:
        """Publishes (routing key, body[, properties]), at most WINDOW unconfirmed at a time."""
        for key, body, *properties in messages:
            await self._room.wait()
            self.channel.basic_publish(exchange, key, body, properties[0] if properties else PERSISTENT)
            self._sent += 1
            if self._sent - self._confirmed >= WINDOW:
                self._room.clear()
        if self._confirmed < self._sent:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append((self._sent, waiter))
            await waiter

    def _on_confirm(self, frame: pika.frame.Method) -> None:
        self._confirmed = frame.method.delivery_tag if frame.method.multiple else max(self._confirmed + 1, 0)
        if self._sent - self._confirmed < WINDOW:
            self._room.set()
        while self._waiters and self._waiters[0][0] <= self._confirmed:
            self._waiters.pop(0)[1].set_result(None)

    def consume(self, queue: str, handle: Callable[[list[bytes]], Awaitable[None]], *, batch: int = 200) -> None:
        """Hands `handle` all bodies that wait (up to `batch`) and acknowledges them together afterwards."""
        waiting: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.channel.basic_consume(queue, lambda _c, method, _p, body: waiting.put_nowait((method.delivery_tag, body)))
        self._task = asyncio.ensure_future(self._drain(waiting, handle, batch))

    async def _drain(
        self, waiting: asyncio.Queue[tuple[int, bytes]], handle: Callable[[list[bytes]], Awaitable[None]], batch: int
    ) -> None:
        while True:
            taken = [await waiting.get()]
            while len(taken) < batch and not waiting.empty():
                taken.append(waiting.get_nowait())
            await handle([body for _, body in taken])
            self.channel.basic_ack(taken[-1][0], multiple=True)

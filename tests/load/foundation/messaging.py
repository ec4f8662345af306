"""`relay` against bare pika with windowed confirms; `consumer` (our nameko entrypoint) against bare pika in micro-batches."""

import asyncio
import json
import subprocess
import sys
import time
import uuid
from typing import Any

import pika
from pymongo import MongoClient
from pymongo.collection import Collection

from svckit.cloudevents import ID, SPECVERSION, SUBJECT, TIME, TYPE, Encoder
from svckit.documents import utc_now
from svckit.topology import Topology, declare
from tests.load.floors.amqp import Peer
from tests.load.harness import Row, against, compare
from tests.load.ours.relay_runner import BODY, TRACEPARENT
from tests.load.stack import Stack

EVENTS, MESSAGES = 20_000, 20_000
PATIENCE_SECONDS = 180


def relay(stack: Stack) -> Row:
    """Measures publishing what waits in documents, including taking it out of them."""
    return compare(
        "relay", ours=lambda: _relay(stack), floor=lambda: asyncio.run(_windowed(stack)), unit="events/s", target=0.6
    )


def consumer(stack: Stack) -> list[Row]:
    """Measures consuming with one guarded write a message; stock nameko stands beside it."""
    ours = compare(
        "consumer", ours=lambda: _ours(stack), floor=lambda: _floor(stack, "micro_batches"), unit="messages/s", target=0.7
    )
    stock = against(
        "consumer_vs_stock",
        ours=ours.runs["ours"],
        floor=lambda: _floor(stack, "stock_nameko", messages=MESSAGES // 10),
        unit="messages/s",
        target=5.0,
        note="stock nameko, one write a message",
    )
    return [ours, stock]


def _relay(stack: Stack) -> float:
    service = f"load{uuid.uuid4().hex[:8]}"
    _bound_queue(stack, "floor.relay", f"{service}.sink")
    command = [
        sys.executable,
        "-m",
        "tests.load.ours.relay_runner",
        "--mongo-uri",
        stack.mongo_uri,
        "--amqp-uri",
        stack.amqp_uri,
    ]
    ended = subprocess.run(
        [*command, "--service", service, "--events", str(EVENTS)], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    _drop_queue(stack, f"{service}.sink")
    if ended.returncode:
        raise RuntimeError(f"the relay ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    return float(ended.stdout.split()[-1])


async def _windowed(stack: Stack) -> float:
    _bound_queue(stack, "floor.relay", "floor.sink")
    peer = await Peer(stack.amqp_uri).open()
    started = time.monotonic()
    # The same messages as ours: the broker takes as long for the headers of an event as for the rest of it.
    await peer.publish("floor.relay", [("published", BODY, _event_properties())] * EVENTS)
    seconds = time.monotonic() - started
    _drop_queue(stack, "floor.sink")
    return EVENTS / seconds


def _event_properties() -> pika.BasicProperties:
    encoded = Encoder("/binglian/floor").properties(
        id=uuid.uuid4().hex, type="published", time=utc_now(), subject=uuid.uuid4().hex, traceparent=TRACEPARENT
    )
    return pika.BasicProperties().decode(encoded)


def _ours(stack: Stack) -> float:
    """Fills the queue first, so that what is measured is consuming alone."""
    exchange = f"load{uuid.uuid4().hex[:8]}"
    topology = Topology("loadconsumer", exchange)
    queue = topology.handler("take", ["consumed"])
    with _channel(stack) as channel:
        declare(channel, topology, [queue])
    _fill(stack, exchange, MESSAGES)
    rows = MongoClient(stack.mongo_uri)["binglian_loadconsumer"]["rows"]
    rows.drop()
    environment = stack.environment("loadconsumer")
    worker = stack.start(exchange, [sys.executable, "-m", "tests.load.ours.consumer_worker", exchange], environment=environment)
    rate = _rate(rows, MESSAGES, worker)
    worker.terminate()
    worker.wait()
    _drop_queue(stack, queue.name)
    return rate


def _floor(stack: Stack, module: str, *, messages: int = MESSAGES) -> float:
    name = f"floor{uuid.uuid4().hex[:8]}"
    _bound_queue(stack, name, name, key="consumed")
    _fill(stack, name, messages)
    rows = MongoClient(stack.mongo_uri)[name]["rows"]
    process = stack.floor(
        module, "--amqp-uri", stack.amqp_uri, "--mongo-uri", stack.mongo_uri, "--database", name, "--queue", name
    )
    rate = _rate(rows, messages, process)
    process.terminate()
    process.wait()
    _drop_queue(stack, name)
    return rate


def _rate(rows: Collection[Any], messages: int, process: subprocess.Popen[bytes]) -> float:
    """Documents a second between the first tenth and the last one."""
    first = _when(rows, messages // 10, process)
    return (messages - first[1]) / (_when(rows, messages, process)[0] - first[0])


def _when(rows: Collection[Any], count: int, process: subprocess.Popen[bytes]) -> tuple[float, int]:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (there := rows.estimated_document_count()) < count:
        if process.poll() is not None:
            raise RuntimeError(f"the consumer ended with {process.returncode} after {there} of {count} messages")
        if time.monotonic() > give_up:
            raise RuntimeError(f"only {there} of {count} messages were handled in {PATIENCE_SECONDS} s")
        time.sleep(0.01)
    return time.monotonic(), there


class _channel:
    """A blocking channel for a moment."""

    def __init__(self, stack: Stack) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(stack.amqp_uri))

    def __enter__(self) -> object:
        return self._connection.channel()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _bound_queue(stack: Stack, exchange: str, queue: str, *, key: str = "published") -> None:
    with _channel(stack) as channel:
        channel.exchange_declare(exchange, exchange_type="topic", durable=True)
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(queue, exchange, key)


def _drop_queue(stack: Stack, queue: str) -> None:
    with _channel(stack) as channel:
        channel.queue_delete(queue)


def _fill(stack: Stack, exchange: str, messages: int) -> None:
    """Publishes messages with the headers of our events; returns when the broker has confirmed all of them."""

    async def publish() -> None:
        await (await Peer(stack.amqp_uri).open()).publish(exchange, (_message() for _ in range(messages)))

    asyncio.run(publish())


def _message() -> tuple[str, bytes, pika.BasicProperties]:
    subject = uuid.uuid4().hex
    headers = {ID: subject, TYPE: "consumed", SUBJECT: subject, TIME: "2026-01-01T00:00:00.000Z", SPECVERSION: "1.0"}
    properties = pika.BasicProperties(delivery_mode=2, content_type="application/json", headers=headers)
    return "consumed", json.dumps({"subject": subject}, separators=(",", ":")).encode(), properties

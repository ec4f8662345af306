"""What the tests of bus, relay and dead letters share: a service of its own per test, with worker processes and a publisher."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
from pymongo import MongoClient

from svckit.cloudevents import Encoder
from svckit.embedded import free_port
from svckit.ids import new_id
from svckit.topology import Topology, declare

ROOT = Path(__file__).parents[3]


class Scene:
    """One service on the test servers: publishes facts, runs workers, looks at tallies and dead letters."""

    def __init__(self, *, mongo_uri: str, amqp_uri: str, database: str, exchange: str) -> None:
        self.service = f"s{new_id()[-8:]}"
        self.topology = Topology(self.service, exchange)
        self.mongo_uri, self.amqp_uri, self.database = mongo_uri, amqp_uri, database
        self.client: MongoClient[dict[str, Any]] = MongoClient(mongo_uri)
        self.tallies = self.client[database].tallies
        self.connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self.channel = self.connection.channel()
        keys = [f"{self.service}.told.v1", f"{self.service}.whispered.v1"]
        self.queue = self.topology.handler("count", keys)
        declare(self.channel, self.topology, [self.queue])
        self.channel.confirm_delivery()

    def tell(self, subject: str, number: int, *, id: str = "", body: bytes | None = None, **told: Any) -> str:
        """Publishes one fact and returns its event id."""
        id = id or new_id()
        headers = {
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": id,
            "cloudEvents:type": f"{self.service}.told.v1",
            "cloudEvents:time": "2026-11-22T06:00:00.000Z",
            "cloudEvents:subject": subject,
            "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        }
        properties = pika.BasicProperties(content_type="application/json", delivery_mode=2, headers=headers)
        data = body if body is not None else json.dumps({"number": number, **told}).encode()
        self.channel.basic_publish(self.topology.exchange, f"{self.service}.told.v1", data, properties, mandatory=True)
        return id

    @contextlib.contextmanager
    def worker(self, *, mongo_uri: str = "", amqp_uri: str = "") -> Iterator[Worker]:
        """Runs a worker process for the block."""
        worker = Worker(self, mongo_uri or self.mongo_uri, amqp_uri or self.amqp_uri)
        try:
            yield worker
        finally:
            worker.end()

    def numbers(self) -> dict[str, list[int]]:
        """What every aggregate was told, in the order it was taken in."""
        return {document["_id"]: document["numbers"] for document in self.tallies.find()}

    def waiting(self, name: str = "") -> int:
        """Number of ready messages in the handler's queue, or in another one."""
        declared = self.channel.queue_declare(name or self.queue.name, passive=True)
        return int(declared.method.message_count)

    def close(self) -> None:
        """Deletes what the broker keeps."""
        self.connection.process_data_events(0)
        for name in (self.queue.name, self.topology.dead.name, self.topology.relay_queue):
            self.channel.queue_delete(name)
        self.connection.close()
        self.client.close()


class Worker:
    """A worker process."""

    def __init__(self, scene: Scene, mongo_uri: str, amqp_uri: str) -> None:
        self.port = free_port()
        environment = {
            "BINGLIAN_MONGO_URI": mongo_uri,
            "BINGLIAN_AMQP_URI": amqp_uri,
            "BINGLIAN_MONGO_DATABASE": scene.database,
            "BINGLIAN_HEALTH_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-W", "ignore", "-m", "tests.integration.svckit.tally_worker"]
        self.process = subprocess.Popen(
            [*command, scene.service, scene.topology.exchange], env={**os.environ, **environment}, cwd=ROOT
        )

    def healthy(self) -> bool:
        """Tells whether /healthz answers 200."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def terminate(self) -> int:
        """Asks it to stop and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)

    def end(self) -> None:
        """Stops it, one way or the other."""
        if self.process.poll() is None:
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def wait_until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Waits for a condition; fails the test when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


__all__ = ["Encoder", "Scene", "Worker", "wait_until"]

"""One service with its api and its worker as processes, against real servers; what its siblings would say is published by hand."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
import httpx
import msgspec
import pika
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pymongo import MongoClient

from svckit import cloudevents
from svckit.embedded import free_port
from svckit.event_codec import type_of
from svckit.ids import new_id
from svckit.testing import child
from svckit.topology import EXCHANGE
from tests.issuer import Issuer, running_issuer

T = TypeVar("T")


@dataclass
class Service:
    """A running service. Stubs are made on `channel`; `database` is its own, `exchange` the one all facts go through."""

    channel: grpc.Channel
    issuer: Issuer
    database: Any
    broker: Any

    def metadata(self, **claims: Any) -> list[tuple[str, str]]:
        """The authorization of a caller with these claims."""
        return [("authorization", f"Bearer {self.issuer.token(**claims)}")]

    def publish(self, message: Message, *, traceparent: str = "", time: dt.datetime | None = None) -> None:
        """Publishes a fact of a sibling, given as its event message."""
        self.publish_json(type_of(message.DESCRIPTOR), MessageToJson(message).encode(), traceparent=traceparent, time=time)

    def publish_json(self, kind: str, data: bytes, *, traceparent: str = "", time: dt.datetime | None = None) -> None:
        """Publishes a fact of which only the JSON is known."""
        moment = (time or dt.datetime.now(dt.UTC)).isoformat(timespec="milliseconds")
        headers = {cloudevents.ID: new_id(), cloudevents.TYPE: kind, cloudevents.TIME: moment, cloudevents.SUBJECT: ""}
        properties = pika.BasicProperties(content_type="application/json", headers={**headers, "traceparent": traceparent})
        self.broker.basic_publish(EXCHANGE, kind, data, properties)

    def facts(self, *kinds: str) -> Callable[[], list[tuple[str, dict[str, Any]]]]:
        """Begins to listen for facts; the function returned gives those that have come so far, as (type, JSON)."""
        queue = self.broker.queue_declare("", exclusive=True).method.queue
        for kind in kinds:
            self.broker.queue_bind(queue, EXCHANGE, kind)
        heard: list[tuple[str, dict[str, Any]]] = []

        def so_far() -> list[tuple[str, dict[str, Any]]]:
            while True:
                method, _, body = self.broker.basic_get(queue, auto_ack=True)
                if method is None:
                    return heard
                heard.append((method.routing_key, msgspec.json.decode(body)))

        return so_far


@contextlib.contextmanager
def running_service(package: str, *, mongo_uri: str, amqp_uri: str, logs: Path) -> Iterator[Service]:
    """Starts `python -m <package> api` and `worker` with a database of their own; ready when the block starts."""
    port, worker_port, database = free_port(), free_port(), f"t_{package}_{new_id()[-12:]}"
    with running_issuer() as issuer, MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        variables = {
            "BINGLIAN_MONGO_URI": mongo_uri,
            "BINGLIAN_MONGO_DATABASE": database,
            "BINGLIAN_AMQP_URI": amqp_uri,
            "BINGLIAN_GRPC_PORT": str(port),
            "BINGLIAN_HEALTH_PORT": str(worker_port),
            "BINGLIAN_JWKS_URL": issuer.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        }
        # No heartbeat: nobody answers it while other tests run, and the broker would close the connection.
        connection = pika.BlockingConnection(pika.URLParameters(f"{amqp_uri}?heartbeat=0"))
        broker = connection.channel()
        with (
            child([sys.executable, "-m", package, "api"], log=logs / "api.log", environment=variables),
            child([sys.executable, "-m", package, "worker"], log=logs / "worker.log", environment=variables),
            grpc.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.max_reconnect_backoff_ms", 200),)) as channel,
        ):
            _await_ready(channel, worker_port)
            yield Service(channel, issuer, client[database], broker)
        connection.close()
        client.drop_database(database)


def _await_ready(channel: grpc.Channel, worker_port: int) -> None:
    health = health_pb2_grpc.HealthStub(channel)

    def api_serves() -> bool:
        with contextlib.suppress(grpc.RpcError):
            return bool(health.Check(health_pb2.HealthCheckRequest(), timeout=2).status == 1)
        return False

    def worker_listens() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{worker_port}/healthz").is_success
        return False

    eventually(api_serves, seconds=30)
    eventually(worker_listens, seconds=30)


def eventually(look: Callable[[], T], *, seconds: float = 10) -> T:
    """Returns what `look` gives as soon as it is true. Raises AssertionError when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)

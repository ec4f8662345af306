"""The broker as other services see it: publishing their facts, listening to ours."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pika

from svckit.cloudevents import ID, JSON, SPECVERSION, SUBJECT, TIME, TYPE, attribute
from svckit.documents import utc_now
from svckit.ids import new_id
from svckit.topology import EXCHANGE, Topology, declare

SILENCE = 0.2


class Broker:
    """One connection. `heard` are the facts of svc-mediation since the start: (type, event id, data)."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._queue = channel.queue_declare("", exclusive=True).method.queue
        channel.queue_bind(self._queue, EXCHANGE, "mediation.#")
        self.heard: list[tuple[str, str, dict[str, Any]]] = []

    def publish(self, kind: str, data: dict[str, Any], *, id: str = "") -> str:
        """Publishes a fact and returns its id."""
        event_id = id or new_id()
        headers = {ID: event_id, TYPE: kind, SUBJECT: "x", TIME: utc_now().isoformat(), SPECVERSION: "1.0"}
        properties = pika.BasicProperties(content_type=JSON, delivery_mode=2, headers=headers)
        self._channel.basic_publish(EXCHANGE, kind, json.dumps(data).encode(), properties)
        return event_id

    def listen_until(self, enough: Callable[[], bool], *, seconds: float = 20) -> None:
        """Hears facts until `enough` says so. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not enough():
            if time.monotonic() > deadline:
                raise TimeoutError(f"heard only {[kind for kind, _, _ in self.heard]}")
            self.listen()

    def listen(self) -> None:
        """Hears what has come, once."""
        for method, properties, body in self._channel.consume(self._queue, inactivity_timeout=SILENCE):
            if method is None:
                break
            self._channel.basic_ack(method.delivery_tag)
            headers = properties.headers
            self.heard.append((attribute(headers, TYPE), attribute(headers, ID), json.loads(body)))
        self._channel.cancel()

    def dead_letters(self) -> list[tuple[str, dict[str, Any]]]:
        """Takes what the service could not handle: (reason, data)."""
        found = []
        while True:
            method, properties, body = self._channel.basic_get("mediation.dead", auto_ack=True)
            if method is None:
                return found
            found.append((properties.headers.get("x-reason", ""), json.loads(body)))


@contextlib.contextmanager
def listening(amqp_uri: str) -> Iterator[Broker]:
    """A connection that hears everything svc-mediation publishes from now on."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    try:
        channel = connection.channel()
        declare(channel, Topology("mediation"))
        yield Broker(channel)
    finally:
        connection.close()

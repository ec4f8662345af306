"""Names and declarations on the broker: one topic exchange for all facts, quorum queues, one dead-letter queue per service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

EXCHANGE = "binglian"
DELIVERIES = 5
"""Failed deliveries after which the worker itself puts a message into the dead-letter queue, with the reason."""

# The broker's own limit only catches messages that kill the worker before it can say why. It counts every message that was
# merely waiting in a worker's buffer when the connection broke, so it has to be much larger than DELIVERIES.
_BROKER_DELIVERIES = 50
_MOST_LOOKS = 1_000_000_000
# Wake messages are hints; a sweep finds what they missed. A relay that is away must not fill the broker with them.
_MOST_WAKES = 10_000


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with the routing keys of `exchange` it is bound to."""

    name: str
    exchange: str
    keys: Sequence[str]
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Topology:
    """What one service has on the broker. Tests use exchanges of their own."""

    service: str
    exchange: str = EXCHANGE

    @property
    def dead_exchange(self) -> str:
        """Direct exchange of all messages that could not be handled; routing key: the service's dead-letter queue."""
        return f"{self.exchange}.dead"

    @property
    def relay_queue(self) -> str:
        """Queue of wake messages; its only active consumer is the relay of the service."""
        return f"{self.service}.relay"

    @property
    def dead(self) -> Queue:
        """The service's dead-letter queue."""
        name = f"{self.service}.dead"
        # Looking at dead letters gives them back, which counts as a delivery; RabbitMQ 4 would drop them after 20.
        return Queue(name, self.dead_exchange, (name,), {"x-queue-type": "quorum", "x-delivery-limit": _MOST_LOOKS})

    def handler(self, name: str, keys: Sequence[str]) -> Queue:
        """The queue of one handler, bound to the event types it takes."""
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": _BROKER_DELIVERIES,
            "x-dead-letter-exchange": self.dead_exchange,
            "x-dead-letter-routing-key": self.dead.name,
            # Without these two a message on its way to the dead-letter queue could be lost when the broker stops.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        return Queue(f"{self.service}.{name}", self.exchange, tuple(keys), arguments)

    def exchanges(self) -> Iterator[dict[str, Any]]:
        """Arguments of `exchange_declare` for the exchanges."""
        yield {"exchange": self.exchange, "exchange_type": "topic", "durable": True}
        yield {"exchange": self.dead_exchange, "exchange_type": "direct", "durable": True}

    def relay(self) -> dict[str, Any]:
        """Arguments of `queue_declare` for the relay's queue."""
        arguments = {"x-single-active-consumer": True, "x-max-length": _MOST_WAKES}
        return {"queue": self.relay_queue, "durable": True, "arguments": arguments}


def declare(channel: Any, topology: Topology, queues: Sequence[Queue] = ()) -> None:
    """Declares exchanges, the dead-letter queue and `queues` on a blocking pika channel."""
    for exchange in topology.exchanges():
        channel.exchange_declare(**exchange)
    for queue in (topology.dead, *queues):
        channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
        for key in queue.keys:
            channel.queue_bind(queue.name, queue.exchange, key)

"""Messages a service could not handle: `python -m svckit.deadletter list|replay --service NAME [--id EVENT_ID]`.

`list` shows them with their reasons and leaves them where they are. `replay` puts them back into the queues they came from, to be
handled once more as if new. The broker is the one of BINGLIAN_AMQP_URI.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pika

from svckit.cloudevents import ID, SUBJECT, TIME, TYPE, attribute
from svckit.topology import EXCHANGE, Topology, declare

# What describes earlier attempts; a replayed message starts afresh.
_HISTORY = ("x-delivery-count", "x-acquired-count", "x-death", "x-reason", "x-queue")
_HISTORY_PREFIX = ("x-first-death-", "x-last-death-")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in a dead-letter queue. `reason` tells why it is there, `queue` which handler gave it up."""

    tag: int
    queue: str
    reason: str
    properties: Any
    body: bytes

    def attribute(self, name: str) -> str:
        """Returns a CloudEvents attribute, "" when missing."""
        return attribute(self.properties.headers, name)


def dead_letters(channel: Any, *, topology: Topology) -> Iterator[DeadLetter]:
    """Takes the messages one by one, unacknowledged: what is not acknowledged returns when the channel closes."""
    while True:
        method, properties, body = channel.basic_get(topology.dead.name)
        if method is None:
            return
        headers = properties.headers or {}
        death = (headers.get("x-death") or [{}])[0]
        reason = headers.get("x-reason") or f"broker: {death.get('reason', 'unknown')}"
        queue = headers.get("x-queue") or death.get("queue", "")
        yield DeadLetter(method.delivery_tag, queue, reason, properties, body)


def replay(channel: Any, *, topology: Topology, id: str = "") -> tuple[int, int]:
    """Returns messages (all, or the one with that event id) to their queues. Returns how many went and how many could not."""
    channel.confirm_delivery()
    sent = kept = 0
    for letter in list(dead_letters(channel, topology=topology)):
        if id and letter.attribute(ID) != id:
            continue
        if _send_back(channel, letter):
            channel.basic_ack(letter.tag)
            sent += 1
        else:
            kept += 1
    return sent, kept


def _send_back(channel: Any, letter: DeadLetter) -> bool:
    """Publishes to the queue itself, past the exchange: no other subscriber must get it twice."""
    properties = letter.properties
    headers = properties.headers or {}
    properties.headers = {key: headers[key] for key in headers if key not in _HISTORY and not key.startswith(_HISTORY_PREFIX)}
    try:
        channel.basic_publish("", letter.queue, letter.body, properties, mandatory=True)
    except pika.exceptions.UnroutableError:
        return False
    return True


def show(channel: Any, *, topology: Topology, id: str = "") -> Iterator[str]:
    """Yields a line per message: event id, type, aggregate, time, handler's queue and reason. No data: it may be personal."""
    for letter in dead_letters(channel, topology=topology):
        if not id or letter.attribute(ID) == id:
            names = (ID, TYPE, SUBJECT, TIME)
            yield "  ".join([*(letter.attribute(name) or "-" for name in names), letter.queue or "-", letter.reason])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code (1: some messages could not be replayed)."""
    options = _parser().parse_args(arguments)
    if not options.amqp_uri:
        sys.exit("BINGLIAN_AMQP_URI is not set")
    try:
        connection = pika.BlockingConnection(pika.URLParameters(options.amqp_uri))
    except pika.exceptions.AMQPError:
        sys.exit("The broker of BINGLIAN_AMQP_URI does not answer.")
    topology = Topology(options.service, options.exchange)
    with connection:
        channel = connection.channel()
        declare(channel, topology)
        if options.action == "list":
            return _list(channel, topology, options.id)
        return _replay(channel, topology, options.id)


def _list(channel: Any, topology: Topology, id: str) -> int:
    count = 0
    for line in show(channel, topology=topology, id=id):
        sys.stdout.write(line + "\n")
        count += 1
    sys.stdout.write(f"{count} dead letters of {topology.service}\n")
    return 0


def _replay(channel: Any, topology: Topology, id: str) -> int:
    sent, kept = replay(channel, topology=topology, id=id)
    sys.stdout.write(f"{sent} messages replayed\n")
    if kept:
        sys.stdout.write(f"{kept} kept: their queue does not exist any more\n")
    return 1 if kept else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="svckit.deadletter", description="Messages a service could not handle.")
    parser.add_argument("action", choices=("list", "replay"))
    parser.add_argument("--service", required=True, help="the service that gave them up, for instance mediation")
    parser.add_argument("--id", default="", help="only the message with this event id")
    parser.add_argument("--amqp-uri", default=os.environ.get("BINGLIAN_AMQP_URI", ""), help="default: BINGLIAN_AMQP_URI")
    parser.add_argument("--exchange", default=EXCHANGE, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())

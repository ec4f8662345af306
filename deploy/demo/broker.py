"""Asks the broker of a stack how many messages lie in its dead-letter queues."""

import json

import pika
from pika.exceptions import ChannelClosedByBroker

from deploy.local.layout import SERVICES, Layout
from deploy.local.stack import environment_file


def dead_letters(layout: Layout) -> dict[str, int]:
    """Messages per dead-letter queue; a queue that was never made has none. Raises pika's AMQPError when the broker is away."""
    uri = json.loads(environment_file(layout).read_text())["BINGLIAN_AMQP_URI"]
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    try:
        return {queue: _waiting(connection, queue) for queue in (f"{service.replace('-', '_')}.dead" for service in SERVICES)}
    finally:
        connection.close()


def _waiting(connection: pika.BlockingConnection, queue: str) -> int:
    try:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)
    except ChannelClosedByBroker as closed:
        if closed.reply_code == 404:
            return 0
        raise

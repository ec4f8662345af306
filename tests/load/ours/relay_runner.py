"""Runs the relay of a service over a collection with many events waiting; prints events published and cleared a second."""

import argparse
import asyncio
import time
import uuid

import uvloop
from pymongo import AsyncMongoClient

from svckit.amqp import Link
from svckit.documents import Committed, utc_now
from svckit.outbox import Relay
from svckit.topology import Topology

BODY = b"x" * 400
"""About the size of a task event."""
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def measure(mongo_uri: str, amqp_uri: str, service: str, events: int) -> float:
    """Tells the relay of `events` documents with one event each and waits until all are read, confirmed and cleared."""
    rows = AsyncMongoClient(mongo_uri)[f"floor_{service}"]["cases"]
    await rows.drop()
    await rows.create_index("outbox.time", sparse=True)
    topology = Topology(service, exchange="floor.relay")
    relay = Relay(topology)
    committed = relay.follow(rows)
    link = Link(amqp_uri, name=service, participants=(relay,))
    link.start()
    await link.up.wait()
    await asyncio.sleep(4)  # until it knows that it is the active one
    made = [
        Committed(id, [_event(id)], follows=bool(__import__("os").environ.get("FOL")))
        for id in (uuid.uuid4().hex for _ in range(events))
    ]
    await rows.insert_many([{"_id": one.id, "revision": 1, "state": "reported", "outbox": one.events} for one in made])
    published, started = relay.published, time.monotonic()
    committed(made)
    while relay.published - published < events or not relay.idle:  # noqa: ASYNC110 - what is measured has no event for it
        await asyncio.sleep(0.005)
    seconds = time.monotonic() - started
    await link.stop()
    return events / seconds


def _event(subject: str) -> dict[str, object]:
    return {
        "id": uuid.uuid4().hex,
        "type": "published",
        "time": utc_now(),
        "subject": subject,
        "data": BODY,
        "traceparent": TRACEPARENT,
    }


def main() -> None:
    """Prints the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--mongo-uri", "--amqp-uri", "--service"):
        parser.add_argument(name, required=True)
    parser.add_argument("--events", type=int, required=True)
    args = parser.parse_args()
    print(uvloop.run(measure(args.mongo_uri, args.amqp_uri, args.service, args.events)))


if __name__ == "__main__":
    main()

"""Bare pika in micro-batches: everything that waits is written with one bulk write and acknowledged at once."""

import argparse
import asyncio

import pymongo
from pymongo import AsyncMongoClient

from tests.load.floors.amqp import Peer


async def consume(amqp_uri: str, mongo_uri: str, database: str, queue: str) -> None:
    """Writes one document a message, named by the message's body, until it is stopped."""
    rows = AsyncMongoClient(mongo_uri)[database].get_collection("rows", write_concern=pymongo.WriteConcern("majority", j=True))
    peer = await Peer(amqp_uri).open()

    async def write(bodies: list[bytes]) -> None:
        changes = [_change(body) for body in bodies]
        await rows.bulk_write(changes, ordered=False)

    peer.consume(queue, write)
    print("ready", flush=True)
    await asyncio.Event().wait()


def _change(body: bytes) -> pymongo.UpdateOne:
    """The same guarded write as ours: a document with its revision and the id of the message that made it."""
    id = body[12:44].decode()
    remembered = {"commands": {"$each": [{"key": id, "digest": "consumed"}], "$slice": -500}}
    return pymongo.UpdateOne(
        {"_id": id, "revision": 0}, {"$set": {"text": "done", "revision": 1}, "$push": remembered}, upsert=True
    )


def main() -> None:
    """Starts the consumer."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--amqp-uri", "--mongo-uri", "--database", "--queue"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    asyncio.run(consume(args.amqp_uri, args.mongo_uri, args.database, args.queue))


if __name__ == "__main__":
    main()

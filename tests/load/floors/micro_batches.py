"""Bare pika in micro-batches: everything that waits is written with one bulk write and acknowledged at once."""

import argparse
import asyncio

import pymongo
from pymongo import AsyncMongoClient

from tests.load.floors.amqp import Peer

DUPLICATE_KEY = 11000


async def consume(amqp_uri: str, mongo_uri: str, database: str, queue: str) -> None:
    """Writes one document a message, named by the message's body, until it is stopped."""
    rows = AsyncMongoClient(mongo_uri)[database].get_collection("rows", write_concern=pymongo.WriteConcern("majority", j=True))
    peer = await Peer(amqp_uri).open()

    async def write(bodies: list[bytes]) -> None:
        try:
            await rows.bulk_write([_insert(body) for body in bodies], ordered=False)
        except pymongo.errors.BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise

    peer.consume(queue, write)
    print("ready", flush=True)
    await asyncio.Event().wait()


def _insert(body: bytes) -> pymongo.InsertOne[dict[str, object]]:
    """The same write as ours: a document with its revision and the id of the message that made it; a second one changes nothing."""
    id = body[12:44].decode()
    return pymongo.InsertOne({"_id": id, "text": "done", "revision": 1, "commands": [{"key": id, "digest": "consumed"}]})


def main() -> None:
    """Starts the consumer."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--amqp-uri", "--mongo-uri", "--database", "--queue"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    asyncio.run(consume(args.amqp_uri, args.mongo_uri, args.database, args.queue))


if __name__ == "__main__":
    main()

"""A bare grpc.aio handler that finds one resident by the blind index of an identity number: no checks, no masks, no record."""

import argparse
import base64

import grpc
import uvloop
from bson import encode
from pymongo import AsyncMongoClient, MongoClient

from population.config import CommandSettings
from population.privacy.keyring import open_vault


async def serve(port: int, mongo_uri: str, database: str, field_key: str) -> None:
    """Serves until it is stopped."""
    settings = CommandSettings(mongo_uri=mongo_uri, field_key=field_key)
    vault = open_vault(settings, MongoClient(mongo_uri)[database])
    rows = AsyncMongoClient(mongo_uri, tz_aware=True)[database]["residents"]

    async def find(request: bytes, _context: object) -> bytes:
        index = vault.index(request.decode(), field="id_number")
        row = await rows.find_one({"city": "4205", "id_number.index": index})
        return encode({"name": row["name"], "_id": row["_id"]}) if row else b""

    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler("floor", {"Find": grpc.unary_unary_rpc_method_handler(find)})
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


def main() -> None:
    """Starts the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--mongo-uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--field-key", required=True, type=lambda text: base64.b64encode(base64.b64decode(text)).decode())
    args = parser.parse_args()
    uvloop.run(serve(args.port, args.mongo_uri, args.database, args.field_key))


if __name__ == "__main__":
    main()

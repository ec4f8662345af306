"""Bare grpc.aio handlers that make the same writes as ours, with group commit and nothing else: no checks, no rules, no trace.

`/floor/Report` inserts a case as svc-mediation stores it, with its event embedded, into a collection with the same indexes;
`/floor/Write` changes an existing document and adds an event.
"""

import argparse
import secrets

import grpc
import pymongo
import uvloop

from svckit.documents import utc_now
from tests.load.floors import cases
from tests.load.floors.group_commit import GroupCommit


def _handlers(commit: GroupCommit) -> grpc.GenericRpcHandler:
    like = cases.reported()

    async def report(request: bytes, _context: object) -> bytes:
        case_id = secrets.token_hex(16)
        event = {"id": secrets.token_hex(16), "type": "mediation.case_reported.v1", "time": utc_now(), "data": request}
        await commit.write(pymongo.InsertOne({**like, **cases.own(case_id), "outbox": [event]}))
        return case_id.encode()

    async def write(request: bytes, _context: object) -> bytes:
        case_id, _, task = request.decode().partition("/")
        event = {"id": secrets.token_hex(16), "type": "mediation.task_changed.v1", "time": utc_now(), "data": request}
        fields = {f"answers.{task or 'case'}": "done", "changed_at": event["time"]}
        change = {"$set": fields, "$inc": {"revision": 1}, "$push": {"outbox": event}}
        await commit.write(pymongo.UpdateOne({"_id": case_id}, change))
        return request

    unary = grpc.unary_unary_rpc_method_handler
    return grpc.method_handlers_generic_handler("floor", {"Report": unary(report), "Write": unary(write)})


async def serve(port: int, mongo_uri: str, database: str) -> None:
    """Serves until it is stopped."""
    cases.ensure_indexes(mongo_uri, database)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(GroupCommit(mongo_uri, database)),))
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
    args = parser.parse_args()
    uvloop.run(serve(args.port, args.mongo_uri, args.database))


if __name__ == "__main__":
    main()

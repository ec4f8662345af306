"""The fastest fan-out to K departments and back that can be written by hand on the same broker and database.

Roles, each a process: `departments` answers every dispatch, `join` writes the answers with one guarded bulk write a batch. The
client (in the bench process) reports and dispatches with group commit. Same promises as ours: majority writes, quorum queues,
persistent confirmed messages, each answer counted once, and no message lost by who dies between writing and publishing: it lies in
the document until the broker has confirmed it. A `whole` case is stored as ours is, with the fields and indexes by which people work
with it; a bare one has nothing but what the choreography itself needs. The database's name is the exchange's too.
"""

import argparse
import asyncio
from typing import Any

import orjson
import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from tests.load.floors import cases as stored
from tests.load.floors.amqp import Peer
from tests.load.floors.group_commit import GroupCommit


async def departments(amqp_uri: str, exchange: str, count: int) -> None:
    """Consumes the dispatches of `count` departments and publishes one answer for each."""
    for number in range(count):
        peer = await Peer(amqp_uri).open()
        queue = f"{exchange}.department.{number}"
        await peer.declare(exchange=exchange, queues=[(queue, "dispatched")])
        peer.consume(queue, _answer_with(peer, exchange, number))
    print("ready", flush=True)
    await asyncio.Event().wait()


def _answer_with(peer: Peer, exchange: str, number: int):
    async def answer(bodies: list[bytes]) -> None:
        cases = [orjson.loads(body)["case_id"] for body in bodies]
        await peer.publish(exchange, [("answered", orjson.dumps({"case_id": case, "task": number})) for case in cases])

    return answer


async def join(amqp_uri: str, mongo_uri: str, database: str, count: int) -> None:
    """Writes answers into the cases; the last one makes the case handled, once."""
    cases = AsyncMongoClient(mongo_uri)[database].get_collection(
        "cases", write_concern=pymongo.WriteConcern("majority", j=True)
    )
    peer = await Peer(amqp_uri).open()
    await peer.declare(exchange=database, queues=[(f"{database}.join", "answered")])
    publisher = await Peer(amqp_uri).open()

    async def write(bodies: list[bytes]) -> None:
        answers: dict[str, list[int]] = {}
        for body in bodies:
            answer = orjson.loads(body)
            answers.setdefault(answer["case_id"], []).append(answer["task"])
        found = cases.find({"_id": {"$in": list(answers)}}, {"done": 1, "revision": 1, "state": 1})
        changes: list[pymongo.UpdateOne] = []
        handled: dict[str, tuple[str, bytes]] = {}
        async for case in found:
            done = sorted({*case["done"], *answers[case["_id"]]})
            state = "handled" if len(done) == count else "parallel"
            fields = {"done": done, "state": state, "revision": case["revision"] + 1}
            if state == "handled" != case["state"]:
                message = orjson.dumps({"case_id": case["_id"]})
                handled[case["_id"]] = ("handled", message)
                fields["outbox.handled"] = message
            changes.append(pymongo.UpdateOne({"_id": case["_id"], "revision": case["revision"]}, {"$set": fields}))
        await cases.bulk_write(changes, ordered=False)
        await publisher.publish(database, handled.values())
        if handled:
            await clear(cases, "handled", list(handled))

    peer.consume(f"{database}.join", write)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def clear(cases: AsyncCollection[Any], message: str, ids: list[str]) -> None:
    """Takes out what the broker has confirmed; at worst it is sent again, so this need not wait for the majority."""
    sent = {"$unset": {f"outbox.{message}": True}}
    await cases.with_options(write_concern=pymongo.WriteConcern(1)).update_many({"_id": {"$in": ids}}, sent)


class Client:
    """Reports and dispatches cases with group commit: what arrives during a write waits for the next."""

    def __init__(self, *, mongo_uri: str, database: str, whole: bool) -> None:
        self._commit = GroupCommit(mongo_uri, database)
        self._exchange = database
        self._reported: dict[str, Any] = {"description": "burst pipe"}
        self._dispatched: dict[str, Any] = {}
        if whole:
            stored.ensure_indexes(mongo_uri, database)
            self._reported, self._dispatched = stored.reported(), stored.dispatched()
        self._confirmed: list[str] = []
        self._clearing: asyncio.Task[None] | None = None

    async def open(self, amqp_uri: str) -> "Client":
        """Connects to the broker."""
        self.peer = await Peer(amqp_uri).open()
        await self.peer.declare(exchange=self._exchange, queues=[])
        return self

    async def play(self, case_id: str, count: int) -> None:
        """Report, then dispatch to `count` departments, then publish the dispatch."""
        await self._commit.write(pymongo.InsertOne({**self._reported, **stored.own(case_id), "state": "reported"}))
        tasks = [{"department": number, "state": "assigned"} for number in range(count)]
        message = orjson.dumps({"case_id": case_id, "tasks": tasks})
        fields = {
            "tasks": tasks,
            **self._dispatched,
            "state": "parallel",
            "done": [],
            "revision": 2,
            "outbox": {"dispatched": message},
        }
        await self._commit.write(pymongo.UpdateOne({"_id": case_id, "revision": 1}, {"$set": fields}))
        await self.peer.publish(self._exchange, [("dispatched", message)])
        self._confirmed.append(case_id)
        if self._clearing is None or self._clearing.done():
            self._clearing = asyncio.ensure_future(self._clear())

    async def _clear(self) -> None:
        while self._confirmed:
            ids, self._confirmed = self._confirmed, []
            await clear(self._commit.cases, "dispatched", ids)

    async def close(self) -> None:
        """Returns when everything is cleared."""
        if self._clearing:
            await self._clearing


def main() -> None:
    """Starts one role of the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["departments", "join"])
    parser.add_argument("--amqp-uri", required=True)
    parser.add_argument("--mongo-uri", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--departments", type=int, default=5)
    args = parser.parse_args()
    if args.role == "departments":
        asyncio.run(departments(args.amqp_uri, args.database, args.departments))
    else:
        asyncio.run(join(args.amqp_uri, args.mongo_uri, args.database, args.departments))


if __name__ == "__main__":
    main()

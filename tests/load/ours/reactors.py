"""Five departments with zero work: each has its own queue of dispatches and answers its task with a fact through the broker.

The same transport as the floor's departments, so that what is compared is the case: report, dispatch, fan-out, join.
"""

import asyncio
import os

import orjson
import pika
import uvloop

from svckit.cloudevents import ID, SPECVERSION, SUBJECT, TIME, TYPE
from svckit.ids import new_id
from svckit.topology import EXCHANGE
from tests.load.floors.amqp import Peer

DISPATCHED, DONE = "mediation.case_dispatched.v1", "housing.house_check_completed.v1"
DEPARTMENTS = 5


def answer(event: dict[str, object], number: int) -> tuple[str, bytes, pika.BasicProperties]:
    """The fact that one task is done; all departments say it by the same type of event, as the case does not mind who says it."""
    task = event["tasks"][number]
    now = event["dispatchedAt"]
    data = {
        "task": {"caseId": event["caseId"], "taskId": task["taskId"], "caseNumber": event["number"]},
        "department": task["department"],
        "result": "done",
        "unifiedReply": "done",
        "by": "reactor",
        "at": now,
    }
    headers = {ID: new_id(), TYPE: DONE, SUBJECT: event["caseId"], TIME: now, SPECVERSION: "1.0"}
    return DONE, orjson.dumps(data), pika.BasicProperties(delivery_mode=2, content_type="application/json", headers=headers)


async def react(amqp_uri: str) -> None:
    """Answers every dispatch until it is stopped."""
    for number in range(DEPARTMENTS):
        peer = await Peer(amqp_uri).open()
        queue = f"load.department.{number}"
        await peer.declare(exchange=EXCHANGE, queues=[(queue, DISPATCHED)])
        peer.consume(queue, _answering(peer, number))
    print("ready", flush=True)
    await asyncio.Event().wait()


def _answering(peer: Peer, number: int):
    async def handle(bodies: list[bytes]) -> None:
        await peer.publish(EXCHANGE, [answer(orjson.loads(body), number) for body in bodies])

    return handle


if __name__ == "__main__":
    uvloop.run(react(os.environ["BINGLIAN_AMQP_URI"]))

"""`hot_case_40_departments`: 40 departments write into one case at once, against the same writes to 40 separate documents.

Each department accepts, writes notes and completes, one call after the other, beside the 39 others; both sides through the same
service, so that the ratio is what the heat costs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
import uvloop
from binglian.mediation.v1 import case_pb2, task_service_pb2
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub
from binglian.type.v1 import evidence_pb2

from tests.load.harness import Row, compare
from tests.load.mediation import stored
from tests.load.mediation.playing import Office, new_id
from tests.load.stack import Stack

NOTES = 3
ROUNDS_OF_CASES = 4
"""Times the 40 departments do so in one run, one after the other."""
Shares = list[tuple[case_pb2.Case, case_pb2.Task]]
Prepare = Callable[[grpc.aio.Channel], Awaitable[Shares]]


def run(stack: Stack) -> Row:
    """Measures writes a second; making the cases is not part of it."""
    address = stack.service("mediation")
    everybody = Office(stack, stored.DEPARTMENTS)
    alone = [Office(stack, [code]) for code in stored.DEPARTMENTS]

    async def one_case(channel: grpc.aio.Channel) -> Shares:
        case = await everybody.dispatched(channel, stored.GRIDS[0])
        return [(case, task) for task in case.tasks]

    async def separate(channel: grpc.aio.Channel) -> Shares:
        cases = await asyncio.gather(*(office.dispatched(channel, stored.GRIDS[0]) for office in alone))
        return [(case, case.tasks[0]) for case in cases]

    def writes(prepare: Prepare) -> float:
        rate = uvloop.run(_writes_per_second(address, everybody, prepare))
        stack.settle()
        return rate

    return compare(
        "hot_case_40_departments",
        ours=lambda: writes(one_case),
        floor=lambda: writes(separate),
        unit="writes/s",
        target=0.5,
        note=f"{len(stored.DEPARTMENTS)} departments in one case against one in each of as many",
    )


async def _writes_per_second(address: str, office: Office, prepare: Prepare) -> float:
    async with grpc.aio.insecure_channel(address) as channel:
        seconds, writes = 0.0, 0
        for _ in range(ROUNDS_OF_CASES):
            shares = await prepare(channel)
            started = time.monotonic()
            written = await asyncio.gather(*(_share(channel, office, case, task) for case, task in shares))
            seconds += time.monotonic() - started
            writes += sum(written)
        return writes / seconds


async def _share(channel: grpc.aio.Channel, office: Office, case: case_pb2.Case, task: case_pb2.Task) -> int:
    """What one department does; returns how many writes that were."""
    stub, metadata = TaskServiceStub(channel), office.departments[task.department]
    key = {"case_id": case.case_id, "task_id": task.task_id}
    await stub.AcceptTask(task_service_pb2.AcceptTaskRequest(**key, request_id=new_id()), metadata=metadata)
    for number in range(NOTES):
        note = task_service_pb2.ReportProgressRequest(**key, request_id=new_id(), text=f"进展 {number}")
        await stub.ReportProgress(note, metadata=metadata)
    reply = {"unified_reply": "已办结", "parties_informed": "电话"}
    # A department that has a case alone shows its work.
    photo = evidence_pb2.Attachment(uri="oss://after.jpg")
    done = task_service_pb2.CompleteTaskRequest(**key, request_id=new_id(), result="已办理", evidence=[photo], **reply)
    await stub.CompleteTask(done, metadata=metadata)
    return NOTES + 2

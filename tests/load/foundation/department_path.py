"""`department_path`: the same case with five departments answering by gRPC, against bare handlers making the same writes."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import grpc
import uvloop
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub

from svckit.embedded import free_port
from tests.load.asked import DEPARTMENTS, a_report
from tests.load.harness import Row, compare
from tests.load.stack import Stack

CASES, IN_FLIGHT = 400, 32


def run(stack: Stack, address: str) -> Row:
    """Report, dispatch, five times accept and complete: twelve calls and twelve writes a case on both sides."""
    port = free_port()
    stack.floor("grpc_floor", "--port", str(port), "--mongo-uri", stack.mongo_uri, "--database", "floor_path")
    play = _ours(stack)

    def answered() -> float:
        rate = uvloop.run(_cases_per_second(address, play))
        stack.settle()
        return rate

    return compare(
        "department_path",
        ours=answered,
        floor=lambda: uvloop.run(_cases_per_second(f"127.0.0.1:{port}", _bare)),
        unit="cases/s",
        target=0.5,
    )


async def _cases_per_second(address: str, play: Callable[[grpc.aio.Channel], Awaitable[None]]) -> float:
    async with grpc.aio.insecure_channel(address) as channel:
        left = iter(range(CASES))

        async def lane() -> None:
            for _ in left:
                await play(channel)

        started = time.monotonic()
        await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
        return CASES / (time.monotonic() - started)


def _ours(stack: Stack) -> Callable[[grpc.aio.Channel], Awaitable[None]]:
    dispatcher = _metadata(stack.token("dispatcher", ["DISPATCHER"]))
    departments = {
        code: _metadata(stack.token(f"dept-{code}", ["DEPT_HANDLER", "DEPT_LEAD"], department=code)) for code in DEPARTMENTS
    }
    plans = [
        case_service_pb2.TaskPlan(department=code, role=case_pb2.TASK_ROLE_JOINT if number else case_pb2.TASK_ROLE_LEAD)
        for number, code in enumerate(DEPARTMENTS)
    ]

    async def answer(stub: TaskServiceStub, case_id: str, task: case_pb2.Task) -> None:
        key = {"case_id": case_id, "task_id": task.task_id}
        metadata = departments[task.department]
        await stub.AcceptTask(task_service_pb2.AcceptTaskRequest(**key, request_id=str(uuid.uuid4())), metadata=metadata)
        done = task_service_pb2.CompleteTaskRequest(
            **key, request_id=str(uuid.uuid4()), result="已办理", unified_reply="已办结", parties_informed="电话"
        )
        await stub.CompleteTask(done, metadata=metadata)

    async def play(channel: grpc.aio.Channel) -> None:
        cases, tasks = CaseServiceStub(channel), TaskServiceStub(channel)
        case = (await cases.ReportCase(a_report(), metadata=dispatcher)).case
        dispatch = case_service_pb2.DispatchCaseRequest(case_id=case.case_id, request_id=str(uuid.uuid4()), tasks=plans)
        case = (await cases.DispatchCase(dispatch, metadata=dispatcher)).case
        await asyncio.gather(*(answer(tasks, case.case_id, task) for task in case.tasks))

    return play


async def _bare(channel: grpc.aio.Channel) -> None:
    report, write = channel.unary_unary("/floor/Report"), channel.unary_unary("/floor/Write")
    case_id = (await report(a_report().SerializeToString())).decode()
    await write(f"{case_id}/".encode())

    async def answer(task: int) -> None:
        await write(f"{case_id}/{task}".encode())
        await write(f"{case_id}/{task}".encode())

    await asyncio.gather(*(answer(task) for task in range(len(DEPARTMENTS))))


def _metadata(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)

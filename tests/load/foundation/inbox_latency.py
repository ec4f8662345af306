"""`inbox_latency`: from the call of DispatchCase until all five departments hold their task on their stream, at 20 cases a second."""

import asyncio
import time
import uuid

import grpc
import uvloop
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub

from tests.load.asked import a_report
from tests.load.foundation.fanout import DEPARTMENTS
from tests.load.harness import Row, below, percentile
from tests.load.stack import Stack

RATE, CASES = 20, 400
LIMIT_MS = 150.0
SETTLE_SECONDS = 3
"""A task that is not on its stream by then fails the measurement."""


def run(stack: Stack, address: str) -> list[Row]:
    """Measures p50 and p99 in milliseconds."""
    samples = uvloop.run(_measure(stack, address))
    note = f"{len(samples)} cases at {RATE}/s to {len(DEPARTMENTS)} streams"
    p50, p99 = percentile(samples, 0.5), percentile(samples, 0.99)
    return [
        Row("inbox_latency_p50", round(p50, 1), "ms", None, None, None, True, note),
        below("inbox_latency_p99", value=p99, unit="ms", limit=LIMIT_MS, note=note),
    ]


async def _measure(stack: Stack, address: str) -> list[float]:
    """Milliseconds per case."""
    seen: dict[str, dict[str, float]] = {}
    async with grpc.aio.insecure_channel(address) as channel:
        watchers = [asyncio.ensure_future(_watch(stack, channel, code, seen)) for code in DEPARTMENTS]
        await asyncio.sleep(2)
        begun = await _dispatch_all(stack, channel)
        await asyncio.sleep(SETTLE_SECONDS)
        for watcher in watchers:
            watcher.cancel()
    return [1000 * (max(seen[case_id].values()) - started) for case_id, started in begun.items()]


async def _watch(stack: Stack, channel: grpc.aio.Channel, code: str, seen: dict[str, dict[str, float]]) -> None:
    metadata = (("authorization", f"Bearer {stack.token(f'dept-{code}', ['DEPT_HANDLER'], department=code)}"),)
    async for message_ in TaskServiceStub(channel).WatchTasks(
        task_service_pb2.WatchTasksRequest(department=code), metadata=metadata
    ):
        seen.setdefault(message_.task.case_id, {}).setdefault(code, time.monotonic())


async def _dispatch_all(stack: Stack, channel: grpc.aio.Channel) -> dict[str, float]:
    """Dispatches CASES cases at RATE a second, each on its own tick; returns when each call began."""
    stub, begun = CaseServiceStub(channel), {}
    metadata = (("authorization", f"Bearer {stack.token('dispatcher', ['DISPATCHER'])}"),)
    cases = [(await stub.ReportCase(a_report(), metadata=metadata)).case for _ in range(CASES)]
    plans = [
        case_service_pb2.TaskPlan(department=code, role=case_pb2.TASK_ROLE_JOINT if number else case_pb2.TASK_ROLE_LEAD)
        for number, code in enumerate(DEPARTMENTS)
    ]

    async def dispatch(case: case_pb2.Case) -> None:
        begun[case.case_id] = time.monotonic()
        request = case_service_pb2.DispatchCaseRequest(case_id=case.case_id, request_id=str(uuid.uuid4()), tasks=plans)
        await stub.DispatchCase(request, metadata=metadata)

    first = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, case in enumerate(cases):
            await asyncio.sleep(first + number / RATE - time.monotonic())
            group.create_task(dispatch(case))
    return begun

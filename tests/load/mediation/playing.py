"""Plays whole cases through gRPC: report, dispatch, every department's work, check, closing."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Sequence

import grpc
import uvloop
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub
from binglian.type.v1 import evidence_pb2

from tests.load.stack import Stack

Metadata = tuple[tuple[str, str], ...]
PLACE = evidence_pb2.Point(longitude=111.3, latitude=30.7)


def new_id() -> str:
    """A request id."""
    return str(uuid.uuid4())


class Office:
    """The people of one city, each with a token."""

    def __init__(self, stack: Stack, departments: Sequence[str]) -> None:
        self.dispatcher = _metadata(stack.token("dispatcher", ["DISPATCHER"]))
        self.checker = _metadata(stack.token("checker", ["GRID_SUPERVISOR"]))
        self.departments = {
            code: _metadata(stack.token(f"dept-{code}", ["DEPT_HANDLER", "DEPT_LEAD"], department=code)) for code in departments
        }

    async def dispatched(self, channel: grpc.aio.Channel, area_code: str) -> case_pb2.Case:
        """A case sent to all departments, the first of which leads."""
        stub = CaseServiceStub(channel)
        report = case_service_pb2.ReportCaseRequest(
            request_id=new_id(), category="D0402", description="自来水主管破裂", area_code=area_code, point=PLACE
        )
        case = (await stub.ReportCase(report, metadata=self.dispatcher)).case
        plans = [
            case_service_pb2.TaskPlan(department=code, role=case_pb2.TASK_ROLE_JOINT if number else case_pb2.TASK_ROLE_LEAD)
            for number, code in enumerate(self.departments)
        ]
        request = case_service_pb2.DispatchCaseRequest(case_id=case.case_id, request_id=new_id(), tasks=plans)
        return (await stub.DispatchCase(request, metadata=self.dispatcher)).case

    async def work(self, channel: grpc.aio.Channel, case: case_pb2.Case, task: case_pb2.Task) -> None:
        """One department accepts its task and completes it."""
        stub, metadata = TaskServiceStub(channel), self.departments[task.department]
        key = {"case_id": case.case_id, "task_id": task.task_id}
        await stub.AcceptTask(task_service_pb2.AcceptTaskRequest(**key, request_id=new_id()), metadata=metadata)
        reply = {"unified_reply": "已办结", "parties_informed": "电话"}
        done = task_service_pb2.CompleteTaskRequest(**key, request_id=new_id(), result="已办理", **reply)
        await stub.CompleteTask(done, metadata=metadata)

    async def whole(self, channel: grpc.aio.Channel, area_code: str) -> None:
        """A case from report to closing."""
        case = await self.dispatched(channel, area_code)
        await asyncio.gather(*(self.work(channel, case, task) for task in case.tasks))
        stub = CaseServiceStub(channel)
        photo = evidence_pb2.Attachment(uri="oss://after.jpg", point=PLACE)
        check = case_service_pb2.VerifyCaseRequest(case_id=case.case_id, request_id=new_id(), passed=True, photos=[photo])
        await stub.VerifyCase(check, metadata=self.checker)
        close = case_service_pb2.CloseCaseRequest(case_id=case.case_id, request_id=new_id())
        await stub.CloseCase(close, metadata=self.dispatcher)


def whole_cases_per_second(office: Office, address: str, *, areas: Sequence[str], cases: int, in_flight: int) -> float:
    """Plays so many whole cases, spread over areas, and returns how many a second."""

    async def run() -> float:
        async with grpc.aio.insecure_channel(address) as channel:
            left = iter(range(cases))
            places = itertools.cycle(areas)

            async def lane() -> None:
                for _ in left:
                    await office.whole(channel, next(places))

            started = time.monotonic()
            await asyncio.gather(*(lane() for _ in range(in_flight)))
            return cases / (time.monotonic() - started)

    return uvloop.run(run())


def _metadata(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)

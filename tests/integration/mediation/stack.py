"""Processes of svc-mediation for its integration tests, and clients that call them as different people."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from binglian.housing.v1 import area_service_pb2, area_service_pb2_grpc
from binglian.mediation.v1 import case_pb2, case_service_pb2, case_service_pb2_grpc, task_service_pb2, task_service_pb2_grpc
from binglian.type.v1 import evidence_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

from svckit.embedded import free_port
from svckit.grpc_client import Channel
from svckit.ids import new_id
from svckit.statuses import DETAILS_KEY, serialize_status
from svckit.testing import child
from tests.issuer import Issuer

GRID_CODE = "42050200100310001"
PLACE = (111.2865, 30.6919)
ELSEWHERE = (118.24, 34.05)
NOWHERE = (111.0, 0.0)


class Housing(area_service_pb2_grpc.LocationServiceServicer):
    """Answers as svc-housing does: the grid of a point, OUTSIDE_CITY, or (for NOWHERE) too late."""

    def LocatePoint(self, request: Any, context: Any) -> Any:
        if request.point.latitude == NOWHERE[1]:
            time.sleep(1)
        if request.point.longitude > 115:
            info = error_details_pb2.ErrorInfo(reason="OUTSIDE_CITY", domain="binglian")
            details = serialize_status(grpc.StatusCode.NOT_FOUND, "outside", info)
            context.set_trailing_metadata(((DETAILS_KEY, details),))
            context.abort(grpc.StatusCode.NOT_FOUND, "outside")
        return area_service_pb2.LocatePointResponse(area_code=GRID_CODE)


@contextlib.contextmanager
def running_housing() -> Iterator[str]:
    """The address of such a housing service."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    area_service_pb2_grpc.add_LocationServiceServicer_to_server(Housing(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


@dataclass
class Stack:
    """Servers of the tests; processes start on demand and end with the stack."""

    home: Path
    mongo_uri: str
    amqp_uri: str
    database: str
    issuer: Issuer
    housing: str
    processes: contextlib.ExitStack
    addresses: list[str] = field(default_factory=list)
    apis: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """Settings of our processes."""
        return {
            "BINGLIAN_MONGO_URI": self.mongo_uri,
            "BINGLIAN_MONGO_DATABASE": self.database,
            "BINGLIAN_AMQP_URI": self.amqp_uri,
            "BINGLIAN_JWKS_URL": self.issuer.url,
            "BINGLIAN_HOUSING_ADDRESS": self.housing,
            "BINGLIAN_DRAIN_SECONDS": "1",
            **more,
        }

    def start_api(self, **more: str) -> str:
        """Starts an api process, with more settings, and returns its address once it serves."""
        port = free_port()
        log = self.home / f"api-{port}.log"
        process = self.start("api", log, BINGLIAN_GRPC_PORT=str(port), **more)
        address = f"127.0.0.1:{port}"
        _wait_until_serving(address, log)
        self.addresses.append(address)
        self.apis.append(process)
        return address

    def start_worker(self, **more: str) -> subprocess.Popen[bytes]:
        """Starts a worker process, with more settings, and returns it once it hears the broker."""
        port = free_port()
        log = self.home / f"worker-{port}.log"
        process = self.start("worker", log, BINGLIAN_HEALTH_PORT=str(port), **more)
        _wait_until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz").is_success, log, httpx.HTTPError)
        return process

    def start(self, process: str, log: Path, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mediation", process]
        return self.processes.enter_context(child(command, log=log, environment=os.environ | self.environment(**more)))

    def token(self, subject: str, role: str, *, area: str = "4205", department: str = "") -> str:
        """A token of one person."""
        return "Bearer " + self.issuer.token(sub=subject, roles=[role], area=area, department=department)


def _wait_until_serving(address: str, log: Path) -> None:
    serving = health_pb2.HealthCheckResponse.SERVING
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        _wait_until(lambda: stub.Check(health_pb2.HealthCheckRequest()).status == serving, log, grpc.RpcError)


def _wait_until(is_ready: Callable[[], bool], log: Path, passing: type[Exception]) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(passing):
            if is_ready():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


class Person:
    """Somebody with a token and a connection to one api process. Made inside the running loop; used as a context manager."""

    def __init__(self, stack: Stack, *, subject: str, role: str, area: str = "4205", department: str = "", at: int = 0) -> None:
        authorization = stack.token(subject, role, area=area, department=department)
        self.channel = Channel(stack.addresses[at], authorization=authorization)
        self.department = department
        self.cases: Any = case_service_pb2_grpc.CaseServiceStub(self.channel)  # type: ignore[arg-type]
        self.tasks: Any = task_service_pb2_grpc.TaskServiceStub(self.channel)  # type: ignore[arg-type]

    async def __aenter__(self) -> Person:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()

    async def report(self, **fields: Any) -> case_pb2.Case:
        """Reports a case in the grid of the tests."""
        given = {"category": "A0204", "description": "杂物堵塞楼道", "area_code": GRID_CODE, "request_id": new_id()}
        return (await self.cases.ReportCase(case_service_pb2.ReportCaseRequest(**(given | fields)))).case

    async def dispatch(self, case_id: str, *departments: str, **fields: Any) -> case_pb2.Case:
        """Dispatches to departments, the first of which leads; none: as the tables say."""
        tasks = [
            case_service_pb2.TaskPlan(department=code, role=case_pb2.TASK_ROLE_JOINT if index else case_pb2.TASK_ROLE_LEAD)
            for index, code in enumerate(departments)
        ]
        request = case_service_pb2.DispatchCaseRequest(case_id=case_id, tasks=tasks, request_id=new_id(), **fields)
        return (await self.cases.DispatchCase(request)).case

    async def get(self, case_id: str) -> case_pb2.Case:
        """Reads a case."""
        return (await self.cases.GetCase(case_service_pb2.GetCaseRequest(case_id=case_id))).case

    async def accept(self, case: case_pb2.Case, *, task_id: str = "") -> task_service_pb2.TaskView:
        """Accepts the task of the own department."""
        request = task_service_pb2.AcceptTaskRequest(
            case_id=case.case_id, task_id=task_id or task_of(case, self.department), request_id=new_id()
        )
        return (await self.tasks.AcceptTask(request)).task

    async def complete(self, case: case_pb2.Case, *, request_id: str = "", **fields: Any) -> task_service_pb2.TaskView:
        """Completes the task of the own department."""
        shown = [evidence_pb2.Attachment(uri="oss://photos/after.jpg")]
        given = {"result": "已处置", "evidence": shown, "unified_reply": "已办结", "parties_informed": "当面"} | fields
        request = task_service_pb2.CompleteTaskRequest(
            case_id=case.case_id, task_id=task_of(case, self.department), request_id=request_id or new_id(), **given
        )
        return (await self.tasks.CompleteTask(request)).task


def task_of(case: case_pb2.Case, department: str) -> str:
    """The id of a department's live task."""
    return next(
        task.task_id for task in case.tasks if task.department == department and task.state != case_pb2.TASK_STATE_REMOVED
    )

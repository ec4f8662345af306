"""A whole gateway over real HTTP in front of a real gRPC server whose answers the test decides."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest
import uvicorn
from binglian.mediation.v1 import case_pb2, case_service_pb2, case_service_pb2_grpc

from gateway.config import GatewaySettings
from gateway.server import Process
from svckit.embedded import free_port
from tests.issuer import Issuer, running_issuer

CASE_ID = "019a0000-0000-7000-8000-000000000001"


@dataclass
class Mediation(case_service_pb2_grpc.CaseServiceServicer):
    """Answers as the test says; remembers what it was asked and with which metadata."""

    requests: list[Any] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    refuse: Callable[[Any], Any] | None = None
    pause: float = 0.0
    script: list[Any] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    remaining: float | None = None

    async def _note(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        self.metadata = dict(context.invocation_metadata())
        self.remaining = context.time_remaining()
        await asyncio.sleep(self.pause)
        if self.refuse:
            await self.refuse(context)

    async def ReportCase(self, request: Any, context: Any) -> Any:
        await self._note(request, context)
        case = case_pb2.Case(case_id=CASE_ID, category=request.category, description=request.description, revision=1)
        return case_service_pb2.ReportCaseResponse(case=case)

    async def GetCase(self, request: Any, context: Any) -> Any:
        await self._note(request, context)
        return case_service_pb2.GetCaseResponse(case=case_pb2.Case(case_id=request.case_id, revision=2**40))

    async def ListCases(self, request: Any, context: Any) -> Any:
        await self._note(request, context)
        return case_service_pb2.ListCasesResponse(next_page_token="more")

    async def AcceptCase(self, request: Any, context: Any) -> Any:
        await self._note(request, context)
        return case_service_pb2.AcceptCaseResponse(case=case_pb2.Case(case_id=request.case_id))

    async def WatchCase(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await self._note(request, context)
        try:
            for step in self.script:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, str):
                    yield case_service_pb2.WatchCaseResponse(case=case_pb2.Case(case_id=request.case_id), cursor=step)
                else:
                    await step(context)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
async def mediation() -> AsyncIterator[Mediation]:
    """The servicer; its server listens on `mediation.port`."""
    servicer = Mediation()
    server = grpc.aio.server()
    case_service_pb2_grpc.add_CaseServiceServicer_to_server(servicer, server)
    servicer.port = server.add_insecure_port("127.0.0.1:0")  # type: ignore[attr-defined]
    await server.start()
    yield servicer
    await server.stop(0)


@pytest.fixture(scope="module")
def issuer() -> Any:
    with running_issuer() as running:
        yield running


@contextlib.asynccontextmanager
async def serving(settings: GatewaySettings, address: str) -> AsyncIterator[tuple[Process, str]]:
    """Runs a gateway in this loop; yields it with its base URL."""
    process = Process(settings, address_of=lambda _: address)
    config = uvicorn.Config(process.gateway, port=settings.http_port, lifespan="off", log_level="error", access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.ensure_future(server._serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # uvicorn has no event for it
    try:
        yield process, f"http://127.0.0.1:{settings.http_port}"
    finally:
        process.begin_end()
        server.should_exit = True
        await running
        await process.close()


@pytest.fixture
def settings(issuer: Issuer, tmp_path: Any) -> GatewaySettings:
    """A gateway that trusts the test's issuer; quick heartbeats."""
    return GatewaySettings(
        http_port=free_port(),
        issuer="binglian",
        jwks_url=issuer.url,
        heartbeat_seconds=0.2,
        max_body=2000,
        body_seconds=1.0,
        access_log=False,
        web_root=str(tmp_path),
    )


@pytest.fixture
async def client(mediation: Any, settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the gateway; `client.process` is the gateway itself."""
    async with (
        serving(settings, f"127.0.0.1:{mediation.port}") as (process, url),
        httpx.AsyncClient(base_url=url, timeout=10) as made,
    ):
        made.process = process  # type: ignore[attr-defined]
        yield made

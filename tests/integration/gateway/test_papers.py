"""Papers of a dispute through the gateway: a file answered as a whole, under its Chinese name, with the purpose passed on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
from binglian.mediation.v1 import agreement_service_pb2, agreement_service_pb2_grpc, dispute_pb2
from binglian.type.v1 import file_pb2

from gateway.config import GatewaySettings
from tests.integration.gateway.conftest import serving

DISPUTE = "019a0000-0000-7000-8000-000000000001"
PAPER = f"/v1/disputes/{DISPUTE}/papers/DISPUTE_PAPER_AGREEMENT"


class Agreements(agreement_service_pb2_grpc.AgreementServiceServicer):
    """Gives the same file to everybody who states a purpose."""

    port = 0

    def __init__(self) -> None:
        self.requests: list[Any] = []

    async def GetDisputePaper(self, request: Any, context: Any) -> Any:
        if ("x-purpose", "P04") not in tuple(context.invocation_metadata()):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "Say why.")
        self.requests.append(request)
        file = file_pb2.FilePart(content_type="application/pdf", name="人民调解协议书.pdf", data=b"%PDF-1.7\x00\xff")
        return agreement_service_pb2.GetDisputePaperResponse(file=file)


@pytest.fixture
async def agreements() -> AsyncIterator[Agreements]:
    servicer = Agreements()
    server = grpc.aio.server()
    agreement_service_pb2_grpc.add_AgreementServiceServicer_to_server(servicer, server)
    servicer.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield servicer
    await server.stop(0)


@pytest.fixture
async def browser(agreements: Agreements, settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(settings, f"127.0.0.1:{agreements.port}") as (_, url),
        httpx.AsyncClient(base_url=url, timeout=10) as client,
    ):
        yield client


async def test_a_paper_is_saved_under_its_name(browser: httpx.AsyncClient, agreements: Agreements) -> None:
    answer = await browser.get(PAPER, params={"format": "PAPER_FORMAT_PDF"}, headers={"x-purpose": "P04"})
    assert answer.content == b"%PDF-1.7\x00\xff"
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E4%BA%BA%E6%B0%91")
    request = agreements.requests[0]
    assert (request.dispute_id, request.paper) == (DISPUTE, dispute_pb2.DISPUTE_PAPER_AGREEMENT)
    assert request.format == dispute_pb2.PAPER_FORMAT_PDF


async def test_a_refusal_is_a_problem(browser: httpx.AsyncClient) -> None:
    answer = await browser.get(PAPER)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"

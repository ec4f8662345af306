"""Files through the gateway: bytes as they are, a plain error before the first, a cut connection after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import pytest
from binglian.mediation.v1 import case_pb2, search_pb2, search_service_pb2, search_service_pb2_grpc
from binglian.type.v1 import file_pb2

from gateway.config import GatewaySettings
from tests.integration.gateway.conftest import serving

EXPORT = "/v1/cases:export"


@dataclass
class Search(search_service_pb2_grpc.SearchServiceServicer):
    """Writes the pieces the test says; an error is raised in its place."""

    script: list[Any] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def ExportCases(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.requests.append(request)
        try:
            for step in self.script:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, grpc.StatusCode):
                    await context.abort(step, "Not that way.")
                else:
                    yield search_service_pb2.ExportCasesResponse(part=step)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@pytest.fixture
async def search() -> AsyncIterator[Search]:
    servicer = Search()
    server = grpc.aio.server()
    search_service_pb2_grpc.add_SearchServiceServicer_to_server(servicer, server)
    servicer.port = server.add_insecure_port("127.0.0.1:0")  # type: ignore[attr-defined]
    await server.start()
    yield servicer
    await server.stop(0)


@pytest.fixture
async def browser(search: Any, settings: GatewaySettings) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving(settings, f"127.0.0.1:{search.port}") as (_, url),
        httpx.AsyncClient(base_url=url, timeout=10) as client,
    ):
        yield client


def part(data: bytes, name: str = "", kind: str = "") -> file_pb2.FilePart:
    return file_pb2.FilePart(data=data, name=name, content_type=kind)


async def test_the_pieces_become_one_file_with_its_name(browser: httpx.AsyncClient, search: Search) -> None:
    search.script = [part(b"\xef\xbb\xbfa,b\r\n", "事件 1.csv", "text/csv; charset=utf-8"), part(b"1,2\r\n"), part(b"")]
    query = {"filter.text": "水管", "filter.states": ["CASE_STATE_CLOSED", "CASE_STATE_HANDLED"], "format": "EXPORT_FORMAT_CSV"}
    answer = await browser.get(EXPORT, params=query)
    assert answer.content == b"\xef\xbb\xbfa,b\r\n1,2\r\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E4%BA%8B%E4%BB%B6%201.csv"
    assert answer.headers["cache-control"] == "no-store"
    wanted = search_pb2.CaseFilter(text="水管", states=[case_pb2.CASE_STATE_CLOSED, case_pb2.CASE_STATE_HANDLED])
    assert search.requests[0].filter == wanted


async def test_a_refusal_is_a_problem_and_an_empty_stream_an_empty_file(browser: httpx.AsyncClient, search: Search) -> None:
    search.script = [grpc.StatusCode.PERMISSION_DENIED]
    refused = await browser.get(EXPORT)
    assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
    search.script = []
    empty = await browser.get(EXPORT)
    assert (empty.status_code, empty.content, empty.headers["content-disposition"]) == (200, b"", "attachment")
    assert (await browser.get(EXPORT, params={"format": "PAPER"})).status_code == 400


async def test_half_a_file_never_looks_whole(browser: httpx.AsyncClient, search: Search) -> None:
    search.script = [part(b"half", "a.csv"), grpc.StatusCode.INTERNAL]
    with pytest.raises(httpx.RemoteProtocolError):
        await browser.get(EXPORT)


async def test_who_leaves_ends_the_call(browser: httpx.AsyncClient, search: Search) -> None:
    search.script = [part(b"first", "a.csv"), *[step for _ in range(200) for step in (0.02, part(b"more"))], 30.0]
    async with browser.stream("GET", EXPORT) as answer:
        async for _ in answer.aiter_bytes():
            break
    await asyncio.wait_for(search.cancelled.wait(), 5)


async def test_head_has_no_body(browser: httpx.AsyncClient, search: Search) -> None:
    search.script = [part(b"a", "a.csv", "text/csv")]
    answer = await browser.head(EXPORT)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "text/csv")

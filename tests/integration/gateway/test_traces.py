"""GET /v1/traces/{trace_id} against a trace store over real HTTP."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from gateway.config import GatewaySettings
from tests.integration.gateway.conftest import serving
from tests.issuer import Issuer

TRACE = "0af7651916cd43dd8448eb211c80319c"


class Store(http.server.BaseHTTPRequestHandler):
    """A trace store with one trace."""

    def do_GET(self) -> None:
        found = self.path == f"/api/v3/traces/{TRACE}"
        broken = self.path.endswith("f" * 32)
        span = {"traceId": TRACE, "spanId": "b7ad6b7169203331", "name": "x", "startTimeUnixNano": "2", "endTimeUnixNano": "3"}
        older = {**span, "spanId": "b7ad6b7169203332", "startTimeUnixNano": "1"}
        body = json.dumps({"result": {"resourceSpans": [{"scopeSpans": [{"spans": [span, older]}]}]}}).encode()
        self.send_response(200 if found else 500 if broken else 404)
        self.end_headers()
        self.wfile.write(body if found else b"{}")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v3/traces/{{trace_id}}"
    server.shutdown()
    server.server_close()


@pytest.fixture
async def client(settings: GatewaySettings, store: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = dataclasses.replace(settings, trace_query_url=store)
    async with serving(settings, "127.0.0.1:1") as (_, url), httpx.AsyncClient(base_url=url) as made:
        yield made


def bearer(issuer: Issuer, *roles: str) -> dict[str, str]:
    return {"authorization": f"Bearer {issuer.token(roles=list(roles))}"}


async def test_staff_get_the_spans_oldest_first(client: httpx.AsyncClient, issuer: Issuer) -> None:
    answer = await client.get(f"/v1/traces/{TRACE}", headers=bearer(issuer, "RESIDENT", "DISPATCHER"))
    assert [span["startUnixNano"] for span in answer.json()["spans"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("trace_id", "roles", "status", "reason"),
    [
        (TRACE, ("RESIDENT",), 403, "ROLE_NOT_ALLOWED"),
        (TRACE, (), 403, "ROLE_NOT_ALLOWED"),
        ("nonsense", ("DISPATCHER",), 400, "INVALID_ARGUMENT"),
        ("a" * 32, ("DISPATCHER",), 404, "TRACE_NOT_FOUND"),
        ("f" * 32, ("DISPATCHER",), 503, "TRACES_UNAVAILABLE"),
    ],
)
async def test_refusals(
    client: httpx.AsyncClient, issuer: Issuer, trace_id: str, roles: tuple[str, ...], status: int, reason: str
) -> None:
    answer = await client.get(f"/v1/traces/{trace_id}", headers=bearer(issuer, *roles))
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)


async def test_without_a_token_nobody_sees_traces(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/v1/traces/{TRACE}")).status_code == 401

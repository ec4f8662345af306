"""Unary calls through the gateway: what arrives at the service, what comes back, and every kind of refusal."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2

from gateway.config import GatewaySettings
from tests.integration.gateway.conftest import CASE_ID

REPORT = {
    "requestId": "0123456789",
    "category": "A0204",
    "description": "消防通道堵塞",
    "point": {"longitude": 111.29, "latitude": 30.69},
    "happenedAt": "2026-05-01T08:30:00+08:00",
    "severity": "SEVERITY_S2",
}


async def test_a_body_arrives_as_the_message_it_describes(client: httpx.AsyncClient, mediation: Any) -> None:
    response = await client.post("/v1/cases", json=REPORT)
    assert response.status_code == 200
    assert response.json() == {"caseId": CASE_ID, "revision": "1", "category": "A0204", "description": "消防通道堵塞"}
    request = mediation.requests[0]
    assert (request.point.longitude, request.severity, request.happened_at.seconds) == (111.29, 2, 1777595400)


async def test_path_and_query_arrive_in_their_fields(client: httpx.AsyncClient, mediation: Any) -> None:
    await client.get("/v1/cases?states=CASE_STATE_PARALLEL&states=10&page_size=5&areaPrefix=420502&light=LIGHT_RED")
    request = mediation.requests[0]
    assert list(request.states) == [9, 10]
    assert (request.page_size, request.area_prefix, request.light) == (5, "420502", 3)
    response = await client.get(f"/v1/cases/{CASE_ID}")
    assert response.json() == {"caseId": CASE_ID, "revision": str(2**40)}


async def test_path_wins_over_an_absent_field_and_contradictions_are_refused(client: httpx.AsyncClient, mediation: Any) -> None:
    assert (await client.post(f"/v1/cases/{CASE_ID}:accept", json={"requestId": "01234567"})).json() == {"caseId": CASE_ID}
    same = await client.post(f"/v1/cases/{CASE_ID}:accept", json={"requestId": "01234567", "caseId": CASE_ID})
    other = await client.post(f"/v1/cases/{CASE_ID}:accept", json={"requestId": "01234567", "caseId": "else"})
    assert (same.status_code, other.status_code) == (200, 400)
    assert other.json()["reason"] == "PATH_CONTRADICTED"


async def test_identity_purpose_trace_and_deadline_go_along(client: httpx.AsyncClient, mediation: Any) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {
        "authorization": "Bearer token",
        "x-purpose": "P04",
        "traceparent": traceparent,
        "x-request-id": "mine-1",
        "x-request-timeout": "2.5",
        "x-forged": "no",
    }
    response = await client.get(f"/v1/cases/{CASE_ID}", headers=headers)
    assert response.headers["x-request-id"] == "mine-1"
    kept = {
        key: mediation.metadata.get(key) for key in ("authorization", "x-purpose", "traceparent", "x-request-id", "x-forged")
    }
    assert kept == {
        "authorization": "Bearer token",
        "x-purpose": "P04",
        "traceparent": traceparent,
        "x-request-id": "mine-1",
        "x-forged": None,
    }
    assert 1.5 < mediation.remaining <= 2.6


async def test_a_request_id_is_made_when_none_usable_is_given(client: httpx.AsyncClient) -> None:
    plain = await client.get(f"/v1/cases/{CASE_ID}")
    strange = await client.get(f"/v1/cases/{CASE_ID}", headers={"x-request-id": "a b" * 100})
    telling = [
        await client.get(f"/v1/cases/{CASE_ID}", headers={"x-request-id": text})
        for text in ("13812345678", "report-420502199001011234", "x" * 65)
    ]
    ids = {answer.headers["x-request-id"] for answer in (plain, strange, *telling)}
    assert len(ids) == 5
    assert all(re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{8}", text) for text in ids)


async def test_a_broken_traceparent_is_not_passed_on(client: httpx.AsyncClient, mediation: Any) -> None:
    await client.get(f"/v1/cases/{CASE_ID}", headers={"traceparent": "00-nonsense"})
    assert "traceparent" not in mediation.metadata


async def test_answers_may_not_be_stored_or_sniffed(client: httpx.AsyncClient) -> None:
    headers = (await client.get(f"/v1/cases/{CASE_ID}")).headers
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


async def test_head_and_options_are_understood(client: httpx.AsyncClient) -> None:
    head = await client.head(f"/v1/cases/{CASE_ID}")
    options = await client.options("/v1/cases")
    assert (head.status_code, head.content, int(head.headers["content-length"]) > 0) == (200, b"", True)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, POST, OPTIONS")


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "reason", "field"),
    [
        ("GET", "/v1/nothing", {}, 404, "ROUTE_NOT_FOUND", None),
        ("DELETE", "/v1/cases", {}, 405, "METHOD_NOT_ALLOWED", None),
        ("POST", "/v1/cases", {"content": b"{oops"}, 400, "MALFORMED_JSON", None),
        ("POST", "/v1/cases", {"json": {"colour": 1}}, 400, "INVALID_ARGUMENT", "colour"),
        ("POST", "/v1/cases", {"json": {"point": {"longitude": "east"}}}, 400, "INVALID_ARGUMENT", "point.longitude"),
        ("POST", "/v1/cases", {"content": b'{"category": "A", "category": "B"}'}, 400, "INVALID_ARGUMENT", "category"),
        ("POST", "/v1/cases?pageSize=1", {"json": {}}, 400, "INVALID_ARGUMENT", "pageSize"),
        ("GET", "/v1/cases?pageSize=many", {}, 400, "INVALID_ARGUMENT", "pageSize"),
        ("GET", "/v1/cases?pageSize=1&pageSize=2", {}, 400, "INVALID_ARGUMENT", "pageSize"),
        ("GET", "/v1/cases?size=1", {}, 400, "INVALID_ARGUMENT", "size"),
        ("GET", "/v1/cases?light=PINK", {}, 400, "INVALID_ARGUMENT", "light"),
        ("GET", "/v1/cases?department=%FF", {}, 400, "INVALID_ARGUMENT", "query"),
        ("GET", f"/v1/cases/{CASE_ID}?caseId=1", {}, 400, "PATH_CONTRADICTED", "caseId"),
        ("GET", "/v1/cases/%FF", {}, 400, "INVALID_ARGUMENT", None),
        ("POST", "/v1/cases", {"json": {"description": "x" * 2000}}, 413, "BODY_TOO_LARGE", None),
        ("POST", "/v1/cases", {"content": b"a=b", "headers": {"content-type": "text/plain"}}, 415, "UNSUPPORTED_MEDIA_TYPE", None),
        ("POST", "/v1/cases", {"content": b"{}", "headers": {"content-encoding": "gzip"}}, 415, "UNSUPPORTED_ENCODING", None),
        ("GET", "/v1/cases", {"headers": {"accept": "image/png"}}, 406, "NOT_ACCEPTABLE", None),
        ("GET", "/v1/cases", {"headers": {"x-request-timeout": "soon"}}, 400, "INVALID_TIMEOUT", None),
        ("GET", "/v1/cases", {"headers": {"x-request-timeout": "3600"}}, 400, "INVALID_TIMEOUT", None),
        ("GET", "/v1/cases", {"headers": {"x-purpose": "é".encode()}}, 400, "INVALID_HEADER", None),
        ("GET", "/v1/cases", {"headers": {"authorization": "Bearer a\tb"}}, 400, "INVALID_HEADER", None),
    ],
)  # fmt: skip
async def test_each_wrong_request_has_its_own_clear_problem(
    client: httpx.AsyncClient,
    mediation: Any,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    reason: str,
    field: str | None,
) -> None:
    response = await client.request(method, path, **sent)
    problem = response.json()
    assert (response.status_code, problem["status"], problem["reason"]) == (status, status, reason)
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["type"].startswith("urn:binglian:problem:")
    assert problem["title"]
    assert problem["detail"]
    assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
    assert not mediation.requests


async def test_malformed_json_is_refused_with_its_position(client: httpx.AsyncClient) -> None:
    problem = (await client.post("/v1/cases", content=b'{\n "category": }')).json()
    assert problem["metadata"] == {"line": "2", "column": "14"}


async def test_an_endless_body_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    async def flood() -> Any:
        for _ in range(100):
            yield b" " * 1000

    response = await client.post("/v1/cases", content=flood(), headers={"content-type": "application/json"})
    assert response.json()["reason"] == "BODY_TOO_LARGE"


def refusing(code: grpc.StatusCode, *details: Any, text: str = "Because.") -> Any:
    async def refuse(context: Any) -> None:
        packed = []
        for detail in details:
            wrapper = AnyMessage()
            wrapper.Pack(detail)
            packed.append(wrapper)
        status = status_pb2.Status(code=code.value[0], message=text, details=packed)
        await context.abort(code, text, (("grpc-status-details-bin", status.SerializeToString()),))

    return refuse


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 400),
        (grpc.StatusCode.UNAUTHENTICATED, 401),
        (grpc.StatusCode.PERMISSION_DENIED, 403),
        (grpc.StatusCode.NOT_FOUND, 404),
        (grpc.StatusCode.ABORTED, 409),
        (grpc.StatusCode.ALREADY_EXISTS, 409),
        (grpc.StatusCode.FAILED_PRECONDITION, 412),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
        (grpc.StatusCode.INTERNAL, 500),
        (grpc.StatusCode.UNAVAILABLE, 503),
    ],
)
async def test_the_status_of_the_service_becomes_a_problem(
    client: httpx.AsyncClient, mediation: Any, code: grpc.StatusCode, status: int
) -> None:
    mediation.refuse = refusing(
        code, error_details_pb2.ErrorInfo(reason="MY_REASON", domain="binglian", metadata={"state": "closed"})
    )
    response = await client.get(f"/v1/cases/{CASE_ID}")
    problem = response.json()
    assert (response.status_code, problem["reason"], problem["metadata"]) == (status, "MY_REASON", {"state": "closed"})
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert ("retry-after" in response.headers) == (status == 503)
    assert problem["detail"] == ("Something went wrong on our side." if status == 500 else "Because.")


async def test_field_violations_carry_json_names(client: httpx.AsyncClient, mediation: Any) -> None:
    wrong = error_details_pb2.BadRequest()
    wrong.field_violations.add(field="tasks[0].reassign_to", description="is unknown")
    mediation.refuse = refusing(grpc.StatusCode.INVALID_ARGUMENT, wrong, text="tasks[0].reassign_to: is unknown")
    problem = (await client.post("/v1/cases", json=REPORT)).json()
    assert problem["errors"] == [{"field": "tasks[0].reassignTo", "message": "is unknown"}]
    assert problem["detail"] == "tasks[0].reassignTo: is unknown"


async def test_a_body_that_does_not_come_is_not_waited_for(client: httpx.AsyncClient, settings: GatewaySettings) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", settings.http_port)
    writer.write(b"POST /v1/cases HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    answer = await asyncio.wait_for(reader.read(), timeout=5)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"BODY_TOO_SLOW" in answer
    writer.close()


async def test_a_slow_service_is_not_waited_for(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.pause = 5
    response = await client.get(f"/v1/cases/{CASE_ID}", headers={"x-request-timeout": "0.2"})
    assert (response.status_code, response.json()["reason"]) == (504, "DEADLINE_EXCEEDED")


async def test_a_service_that_is_away_is_named_neither_by_address_nor_blamed_on_the_caller(client: httpx.AsyncClient) -> None:
    response = await client.get(f"/v1/houses/{CASE_ID}")
    assert response.status_code in (501, 503)
    assert "127.0.0.1" not in json.dumps(response.json())


async def test_an_unroutable_get_of_a_browser_is_a_page_and_of_a_program_a_problem(
    client: httpx.AsyncClient, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><p>并联")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a1.js").write_text("let a = 1;\n" * 200)
    page = await client.get("/cases/1", headers={"accept": "text/html"})
    assert (page.status_code, page.text) == (200, "<!doctype html><p>并联")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    again = await client.get("/", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    script = await client.get("/assets/a1.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-encoding"] == "gzip"
    assert (await client.get("/cases/1")).status_code == 404
    for outside in ("/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/assets/%2e%2e/%2e%2e/x"):
        assert (await client.get(outside)).status_code == 404

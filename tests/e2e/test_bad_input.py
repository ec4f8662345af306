"""Every wrong request has its own clear error, the same over REST and gRPC, both through the one public port."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import descriptor_pool, json_format, message_factory
from pymongo import MongoClient

from deploy.demo.accounts import PASSWORD
from deploy.local.layout import Layout
from gateway import schema
from gateway.errors import STATUS, json_path
from tests.e2e.web.office import CENTER, GRID, Office
from tests.refusals import refusal

pytestmark = pytest.mark.e2e

BEIJING = {"longitude": 116.4, "latitude": 39.9}
C = grpc.StatusCode
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Wrong:
    """A request that must be refused; `{…}` in its values name cases of the fixture `cases`."""

    rpc: str
    body: Json
    code: grpc.StatusCode
    reason: str
    who: str = "dispatcher"
    fields: tuple[str, ...] = field(default=())
    purpose: str = ""


def report(**changes: Any) -> Json:
    body = {"requestId": uuid.uuid4().hex, "category": "A0204", "description": "消防通道堵塞", "areaCode": GRID, **changes}
    return {name: value for name, value in body.items() if value is not None}


def on(case: str, **more: Any) -> Json:
    return {"caseId": f"{{{case}}}", "requestId": uuid.uuid4().hex, **more}


REPORT, GET = "mediation.v1.CaseService/ReportCase", "mediation.v1.CaseService/GetCase"
ACCEPT_CASE, CLOSE = "mediation.v1.CaseService/AcceptCase", "mediation.v1.CaseService/CloseCase"
DISPATCH, ACCEPT = "mediation.v1.CaseService/DispatchCase", "mediation.v1.TaskService/AcceptTask"
FIND = "population.v1.ResidentService/FindResidents"
NASA = [{"department": "NASA", "role": "TASK_ROLE_LEAD"}]

WRONG: dict[str, Wrong] = {
    # Who asks.
    "no token": Wrong(GET, {"caseId": "{reported}"}, C.UNAUTHENTICATED, "TOKEN_MISSING", who="nobody"),
    "no JWT": Wrong(GET, {"caseId": "{reported}"}, C.UNAUTHENTICATED, "TOKEN_INVALID", who="nonsense"),
    "expired token": Wrong(GET, {"caseId": "{reported}"}, C.UNAUTHENTICATED, "TOKEN_EXPIRED", who="expired"),
    "token of another key": Wrong(GET, {"caseId": "{reported}"}, C.UNAUTHENTICATED, "KEY_UNKNOWN", who="forger"),
    "token with a forged signature": Wrong(GET, {"caseId": "{reported}"}, C.UNAUTHENTICATED, "TOKEN_INVALID", who="forger-of-ours"),
    "wrong role": Wrong(CLOSE, on("reported"), C.PERMISSION_DENIED, "ROLE_REQUIRED", who="resident"),
    "wrong area": Wrong(
        REPORT, report(areaCode="420502001004"), C.PERMISSION_DENIED, "AREA_NOT_ALLOWED", who="worker-shibanxi"
    ),
    "other city": Wrong(GET, {"caseId": "{reported}"}, C.NOT_FOUND, "CASE_NOT_FOUND", who="la-dispatcher"),
    "other department": Wrong(
        ACCEPT, on("dispatched", taskId="{task}"), C.PERMISSION_DENIED, "OTHER_DEPARTMENT", who="dept-psb"
    ),
    "no purpose stated": Wrong(FIND, {"idNumber": "990000199001010018"}, C.PERMISSION_DENIED, "PURPOSE_REQUIRED", who="clerk"),
    "a purpose the caller has not": Wrong(
        FIND, {"idNumber": "990000199001010018"}, C.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED", who="clerk", purpose="P10"
    ),
    # What is asked.
    "no such case": Wrong(GET, {"caseId": "01930000-0000-7000-8000-000000000000"}, C.NOT_FOUND, "CASE_NOT_FOUND"),
    "wrong state": Wrong(CLOSE, on("reported"), C.FAILED_PRECONDITION, "WRONG_STATE"),
    "stale revision": Wrong(ACCEPT_CASE, on("reported", revision="7"), C.FAILED_PRECONDITION, "STALE_REVISION"),
    "request id of another body": Wrong(
        REPORT, report(requestId="{request}", description="别的事"), C.FAILED_PRECONDITION, "REQUEST_ID_REUSED",
        who="worker", fields=("requestId",),
    ),
    "unknown category": Wrong(
        REPORT, report(category="Z9"), C.INVALID_ARGUMENT, "UNKNOWN_CATEGORY", fields=("category",)
    ),
    "unknown department": Wrong(
        DISPATCH, on("reported", tasks=NASA), C.INVALID_ARGUMENT, "UNKNOWN_DEPARTMENT", fields=("tasks[0].department",)
    ),
    "outside the district": Wrong(
        REPORT, report(areaCode=None, point=BEIJING), C.INVALID_ARGUMENT, "OUTSIDE_CITY", fields=("point",)
    ),
    "on no globe": Wrong(
        REPORT,
        report(point={"longitude": 200, "latitude": -91}),
        C.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
        fields=("point.latitude", "point.longitude"),
    ),
    "nowhere": Wrong(REPORT, report(areaCode=None), C.INVALID_ARGUMENT, "PLACE_REQUIRED", fields=("point",)),
    "without words": Wrong(
        REPORT, report(description=None), C.INVALID_ARGUMENT, "VALIDATION_FAILED", fields=("description",)
    ),
    "tomorrow": Wrong(
        REPORT,
        report(happenedAt=(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()),
        C.INVALID_ARGUMENT,
        "IN_FUTURE",
        fields=("happenedAt",),
    ),
    "a page token that is none": Wrong(
        "mediation.v1.CaseService/ListCases", {"pageToken": "***"}, C.INVALID_ARGUMENT, "INVALID_CURSOR", fields=("pageToken",)
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What the caller was told, in the terms of gRPC; fields by their JSON names, sorted."""

    status: int
    reason: str
    fields: tuple[str, ...]
    text: str


@pytest.fixture(scope="module")
def client(edge_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=edge_url, timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def channel(edge_url: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(edge_url.removeprefix("http://")) as made:
        yield made


@pytest.fixture(scope="module")
def cases(edge_url: str) -> dict[str, str]:
    """A reported and a dispatched case, its task, and the request id of a report that was taken."""
    office = Office(edge_url)
    office.seed_areas()
    request = uuid.uuid4().hex
    dispatched = office.dispatch(office.report("已派遣的事件"), {"department": "UMD"}, {"department": "PROP"})
    return {
        "reported": office.report("已上报的事件", requestId=request)["caseId"],
        "dispatched": dispatched["caseId"],
        "task": dispatched["tasks"][0]["taskId"],
        "request": request,
    }


@pytest.fixture(scope="module")
def token(client: httpx.Client, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Gives a seeded account's token, or one that is wrong in the named way; "" for nobody."""
    known: dict[str, str] = {"nobody": "", "nonsense": "abc"}

    def of(who: str) -> str:
        if who not in known:
            layout = request.getfixturevalue("suite") if who in BAD_TOKENS else None
            known[who] = BAD_TOKENS[who](layout) if layout else signed_in(client, who)
        return known[who]

    return of


def signed_in(client: httpx.Client, who: str) -> str:
    if who.startswith("dept-"):
        form = {"grant_type": "client_credentials", "client_id": who, "client_secret": PASSWORD}
    else:
        form = {"grant_type": "password", "username": who, "password": PASSWORD}
    return str(client.post("/oauth2/token", data=form).raise_for_status().json()["access_token"])


def minted(layout: Layout, *, seconds: float = 600, key: Ed25519PrivateKey | None = None, key_id: str = "") -> str:
    """A token as the suite's own issuer would sign it, unless it gets another key or another key id."""
    jwks = httpx.get(f"{layout.edge_url}/.well-known/jwks.json").json()["keys"]
    claims = {
        "iss": layout.edge_url, "aud": "binglian", "sub": "dispatcher", "name": "赵磊", "roles": ["DISPATCHER"],
        "area": "420502", "exp": time.time() + seconds,
    }  # fmt: skip
    signer = key or private_key(layout)
    return jwt.encode(claims, signer, algorithm="EdDSA", headers={"kid": key_id or jwks[0]["kid"]})


def private_key(layout: Layout) -> Ed25519PrivateKey:
    """The key of the suite's issuer, as only somebody with its database can read it."""
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{layout.ports.mongo}/?replicaSet=binglian") as database:
        newest = database["binglian_gateway"]["keys"].find_one(sort=[("created_at", -1)])
    assert newest
    return Ed25519PrivateKey.from_private_bytes(bytes(newest["private"]))


BAD_TOKENS: dict[str, Callable[[Layout], str]] = {
    "expired": lambda layout: minted(layout, seconds=-3600),
    "forger": lambda layout: minted(layout, key=Ed25519PrivateKey.generate(), key_id="mine"),
    "forger-of-ours": lambda layout: minted(layout, key=Ed25519PrivateKey.generate()),
}


def filled(value: Any, cases: Mapping[str, str]) -> Any:
    """The body with the ids of the fixture in it."""
    if isinstance(value, str) and value.startswith("{"):
        return cases[value[1:-1]]
    if isinstance(value, dict):
        return {name: filled(part, cases) for name, part in value.items()}
    return [filled(part, cases) for part in value] if isinstance(value, list) else value


def headers_of(wrong: Wrong, token: str) -> dict[str, str]:
    return ({"authorization": f"Bearer {token}"} if token else {}) | ({"x-purpose": wrong.purpose} if wrong.purpose else {})


def over_rest(client: httpx.Client, wrong: Wrong, body: dict[str, Any], token: str) -> Answer:
    rpc = next(rpc for rpc in schema.rpcs() if rpc.path.endswith(wrong.rpc))
    binding = rpc.bindings[0]
    path = binding.template
    for name in ("case_id", "task_id"):
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", body.pop(json_path(name)))
    sent: Any = {"json": body} if binding.body else {"params": body}
    answer = client.request(binding.verb, path, headers=headers_of(wrong, token), **sent)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["x-request-id"])
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    fields = tuple(sorted(error["field"] for error in problem.get("errors", ())))
    return Answer(answer.status_code, problem["reason"], fields, problem["detail"])


def over_grpc(channel: grpc.Channel, wrong: Wrong, body: dict[str, Any], token: str) -> Answer:
    service, _, method = f"binglian.{wrong.rpc}".partition("/")
    described = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
    request = json_format.ParseDict(body, message_factory.GetMessageClass(described.input_type)())
    answers = message_factory.GetMessageClass(described.output_type)
    call = channel.unary_unary(f"/{service}/{method}", lambda message: message.SerializeToString(), answers.FromString)
    told = refusal(call, request, metadata=tuple(headers_of(wrong, token).items()), timeout=30)
    fields = tuple(sorted(json_path(name) for name in told.fields))
    return Answer(STATUS[getattr(C, told.code)], told.reason, fields, told.code)


@pytest.mark.parametrize("transport", ["rest", "grpc"])
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_each_has_its_own_clear_error(
    client: httpx.Client,
    channel: grpc.Channel,
    cases: dict[str, str],
    token: Callable[[str], str],
    wrong: Wrong,
    transport: str,
) -> None:
    body = filled(dict(wrong.body), cases)
    given = token(wrong.who)
    answer = over_rest(client, wrong, body, given) if transport == "rest" else over_grpc(channel, wrong, body, given)
    assert (answer.status, answer.reason) == (STATUS[wrong.code], wrong.reason)
    assert answer.fields == wrong.fields
    assert answer.text


def test_nothing_of_it_was_done(client: httpx.Client, cases: dict[str, str], token: Callable[[str], str]) -> None:
    headers = {"authorization": f"Bearer {token('dispatcher')}"}
    case = client.get(f"/v1/cases/{cases['reported']}", headers=headers).json()
    assert (case["state"], case["revision"]) == ("CASE_STATE_REPORTED", "1")


HUGE = json.dumps(report(description="x" * 12_000_000)).encode()
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "reason", "fields"),
    [
        ("POST", "/v1/cases", {"content": HUGE}, 413, "BODY_TOO_LARGE", []),
        ("POST", "/v1/cases", {"content": b'{"category": "A"'}, 400, "MALFORMED_JSON", []),
        ("POST", "/v1/cases", {"json": report(colour="red")}, 400, "INVALID_ARGUMENT", ["colour"]),
        ("POST", "/v1/cases", {"json": report(severity="SEVERITY_S9")}, 400, "INVALID_ARGUMENT", ["severity"]),
        ("POST", "/v1/cases", {"content": b"a=b", "headers": {"content-type": FORM}}, 415, "UNSUPPORTED_MEDIA_TYPE", []),
        ("GET", "/v1/cases?pageSize=many", {}, 400, "INVALID_ARGUMENT", ["pageSize"]),
        ("GET", "/v1/nothing", {}, 404, "ROUTE_NOT_FOUND", []),
        ("DELETE", "/v1/cases", {}, 405, "METHOD_NOT_ALLOWED", []),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str | int) else "",
)  # fmt: skip
def test_what_only_rest_can_get_wrong(
    client: httpx.Client,
    token: Callable[[str], str],
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    reason: str,
    fields: list[str],
) -> None:
    headers = {"authorization": f"Bearer {token('worker')}", "content-type": "application/json", **sent.get("headers", {})}
    answer = client.request(method, path, **{**sent, "headers": headers})
    problem = answer.json()
    assert (answer.status_code, problem["reason"]) == (status, reason)
    assert [error["field"] for error in problem.get("errors", ())] == fields
    assert ("allow" in answer.headers) == (status == 405)


def test_malformed_json_is_told_with_its_place(client: httpx.Client, token: Callable[[str], str]) -> None:
    headers = {"authorization": f"Bearer {token('worker')}", "content-type": "application/json"}
    problem = client.post("/v1/cases", content=b'{"category": "A0204",\n "description": oops}', headers=headers).json()
    assert (problem["status"], problem["reason"]) == (400, "MALFORMED_JSON")
    assert problem["metadata"] == {"line": "2", "column": "17"}


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        (f"/binglian.{REPORT}", b"\xff\xff\xff", "INVALID_ARGUMENT"),
        (f"/binglian.{REPORT}", b"\x1a" + b"\x80\x80\x80\x05" + bytes(10_485_760), "RESOURCE_EXHAUSTED"),
        ("/binglian.mediation.v1.CaseService/FlyCase", b"", "UNIMPLEMENTED"),
        ("/binglian.mediation.v1.KiteService/FlyKite", b"", "UNIMPLEMENTED"),
    ],
    ids=["malformed message", "oversize message", "unknown rpc", "unknown service"],
)
def test_what_only_grpc_can_get_wrong(
    channel: grpc.Channel, token: Callable[[str], str], path: str, data: bytes, code: str
) -> None:
    call = channel.unary_unary(path, bytes, bytes)
    assert refusal(call, data, metadata=(("authorization", f"Bearer {token('worker')}"),), timeout=30).code == code


def test_wrong_credentials_are_told_as_the_standard_says(client: httpx.Client) -> None:
    answer = client.post("/oauth2/token", data={"grant_type": "password", "username": "worker", "password": "wrong"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    basic = base64.b64encode(b"dept-fire:wrong").decode()
    answer = client.post(
        "/oauth2/token", data={"grant_type": "client_credentials"}, headers={"authorization": f"Basic {basic}"}
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_repeated_request_is_done_once(client: httpx.Client, cases: dict[str, str], token: Callable[[str], str]) -> None:
    headers = {"authorization": f"Bearer {token('worker')}"}
    body = report(areaCode=None, point={"longitude": CENTER[0], "latitude": CENTER[1]})
    first, second = (client.post("/v1/cases", json=body, headers=headers).raise_for_status().json() for _ in range(2))
    assert (first["caseId"], first["revision"]) == (second["caseId"], second["revision"])

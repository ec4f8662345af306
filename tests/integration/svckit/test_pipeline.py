"""The pipeline around rpcs, through real grpc.aio servers and channels on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pymongo.errors import AutoReconnect

from svckit import errors, interceptors, telemetry
from svckit.access import current_authorization, current_caller, maybe_caller
from svckit.grpc_client import Channel
from svckit.grpc_server import MAX_MESSAGE_BYTES, GrpcServer
from svckit.interceptors import Pipeline
from svckit.statuses import DETAILS_KEY
from svckit.tokens import KeySet, TokenVerifier
from tests.issuer import Issuer, running_issuer
from tests.probe import pb, pb_grpc

TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"
PERSON = {"person_id": "p", "name": "王小明", "phone": "13812345678"}


class Probe(pb_grpc.ProbeServiceServicer):
    """Does what the request says."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.attempts = 0

    async def Open(self, request: Any, context: Any) -> Any:
        caller = maybe_caller()
        return pb.ProbeResponse(text=caller.subject if caller else "nobody", people=[PERSON])

    async def AnyToken(self, request: Any, context: Any) -> Any:
        return await self._act(request.act)

    async def ForRole(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse(text=current_caller().subject)

    async def ForPurpose(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse(people=[PERSON])

    async def Undeclared(self, request: Any, context: Any) -> Any:
        raise AssertionError("nobody may get here")

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            yield pb.ProbeResponse(text="first", people=[PERSON])
            if request.act == "fail":
                raise errors.NotFound("Gone.", reason="CASE_NOT_FOUND")
            if request.act == "wait":
                await asyncio.sleep(60)
        finally:
            self.ended.append(request.act)

    async def Take(self, requests: AsyncIterator[Any], context: Any) -> Any:
        acts = [(await self._act(request.act)) and request.act async for request in requests]
        self.ended.append("took")
        return pb.ProbeResponse(text=f"{current_caller().subject} {','.join(acts)}", people=[PERSON])

    async def _act(self, act: str) -> Any:
        if act in FAILURES:
            raise FAILURES[act]
        if act == "flaky":
            self.attempts += 1
            if self.attempts < 3:
                raise errors.Unavailable("Not yet.")
        if act == "sleep":
            try:
                await asyncio.sleep(60)
            finally:
                self.ended.append(act)
        if act == "slow":
            await asyncio.sleep(0.3)
        return pb.ProbeResponse(text=f"{current_authorization()} {telemetry.current_traceparent()}", people=[PERSON])


FAILURES: dict[str, Exception] = {
    "missing": errors.NotFound("There is no such case.", reason="CASE_NOT_FOUND", metadata={"id": "c1"}),
    "wrong": errors.InvalidArgument("The category is unknown.", reason="CATEGORY_UNKNOWN", field="category"),
    "state": errors.FailedPrecondition("The case is closed."),
    "denied": errors.PermissionDenied("Not yours."),
    "raced": errors.Conflict("Somebody was faster."),
    "exists": errors.Conflict("It is there already.", reason="ALREADY_EXISTS"),
    "away": errors.Unavailable("Later."),
    "mongo": AutoReconnect("mongo-host:27017: connection closed"),
    "bug": ValueError("王小明"),
}


@dataclass
class Setup:
    issuer: Issuer
    server: GrpcServer
    probe: Probe
    port: int
    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        return pb_grpc.ProbeServiceStub(self.channel)

    def metadata(self, *, purpose: str = "", **claims: Any) -> list[tuple[str, str]]:
        entries = [("authorization", f"Bearer {self.issuer.token(**claims)}"), ("traceparent", TRACEPARENT)]
        return entries + ([("x-purpose", purpose)] if purpose else [])


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running_issuer() as made:
        yield made


@pytest.fixture
async def setup(issuer: Issuer) -> AsyncIterator[Setup]:
    verifier = TokenVerifier(keys=KeySet(url=issuer.url), issuer="binglian", audience="binglian")
    server, probe = GrpcServer(pipeline=Pipeline(verifier=verifier)), Probe()
    server.add([(pb_grpc.add_ProbeServiceServicer_to_server, probe)])
    port = await server.start(host="127.0.0.1", port=0)
    await server.set_serving(True)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=(("grpc.enable_retries", 0),)) as channel:
        yield Setup(issuer, server, probe, port, channel)
        await server.stop(grace=0)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.use(tracer=provider.get_tracer("test"))
    yield exporter
    telemetry.use(tracer=None)
    provider.shutdown()


@dataclass
class Refusal:
    code: str
    message: str
    reason: str
    metadata: dict[str, str]
    fields: dict[str, str]


async def refusal(call: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    failure = caught.value
    details: Any = dict(failure.trailing_metadata() or ()).get(DETAILS_KEY, b"")
    info, wrong = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(details).details:
        detail.Unpack(info) or detail.Unpack(wrong)
    fields = {item.field: item.description for item in wrong.field_violations}
    return Refusal(failure.code().name, failure.details() or "", info.reason, dict(info.metadata), fields)


async def call(setup: Setup, act: str = "", **named: Any) -> Any:
    return await setup.stub.AnyToken(pb.ProbeRequest(act=act), metadata=setup.metadata(**named))


async def test_a_call_carries_caller_token_and_trace(setup: Setup) -> None:
    metadata = setup.metadata()
    response = await setup.stub.AnyToken(pb.ProbeRequest(), metadata=metadata)
    assert response.text == f"{metadata[0][1]} {TRACEPARENT}"
    assert (await setup.stub.ForRole(pb.ProbeRequest(), metadata=setup.metadata())).text == "u1"


@pytest.mark.parametrize(
    ("act", "code", "reason"),
    [
        ("missing", "NOT_FOUND", "CASE_NOT_FOUND"),
        ("wrong", "INVALID_ARGUMENT", "CATEGORY_UNKNOWN"),
        ("state", "FAILED_PRECONDITION", "FAILED_PRECONDITION"),
        ("denied", "PERMISSION_DENIED", "PERMISSION_DENIED"),
        ("raced", "ABORTED", "CONFLICT"),
        ("exists", "ALREADY_EXISTS", "ALREADY_EXISTS"),
        ("away", "UNAVAILABLE", "UNAVAILABLE"),
        ("mongo", "UNAVAILABLE", "DATABASE_UNAVAILABLE"),
        ("bug", "INTERNAL", "INTERNAL"),
    ],
)
async def test_each_error_has_its_status_and_reason(setup: Setup, act: str, code: str, reason: str) -> None:
    found = await refusal(call(setup, act))
    assert (found.code, found.reason) == (code, reason)


async def test_details_name_field_and_metadata(setup: Setup) -> None:
    assert (await refusal(call(setup, "wrong"))).fields == {"category": "The category is unknown."}
    assert (await refusal(call(setup, "missing"))).metadata == {"id": "c1"}


async def test_a_defect_says_nothing_but_the_trace(setup: Setup, caplog: pytest.LogCaptureFixture) -> None:
    found = await refusal(call(setup, "bug"))
    assert found.message == "Something went wrong on our side."
    assert found.metadata == {"trace_id": "ab" * 16}
    assert "ProbeService/AnyToken failed" in caplog.text


async def test_access_is_enforced(setup: Setup) -> None:
    request, stub = pb.ProbeRequest(), setup.stub
    resident = setup.metadata(roles=["RESIDENT"])
    assert (await refusal(stub.AnyToken(request))).reason == "TOKEN_MISSING"
    assert (await refusal(stub.AnyToken(request))).code == "UNAUTHENTICATED"
    assert (await refusal(stub.ForRole(request, metadata=resident))).reason == "ROLE_REQUIRED"
    assert (await refusal(stub.Undeclared(request, metadata=resident))).reason == "ACCESS_NOT_DECLARED"
    assert (await refusal(stub.ForPurpose(request, metadata=resident))).reason == "PURPOSE_REQUIRED"
    denied = await refusal(stub.AnyToken(request, metadata=setup.metadata(purpose="P05")))
    assert (denied.code, denied.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")


async def test_public_rpcs_know_the_caller_if_there_is_one(setup: Setup) -> None:
    assert (await setup.stub.Open(pb.ProbeRequest())).text == "nobody"
    assert (await setup.stub.Open(pb.ProbeRequest(), metadata=setup.metadata())).text == "u1"
    assert (await setup.stub.Open(pb.ProbeRequest(), metadata=[("authorization", "Bearer x")])).text == "nobody"


async def test_personal_data_is_shown_for_an_allowed_purpose_only(setup: Setup) -> None:
    masked, shown = await call(setup), await call(setup, purpose="P04")
    assert (masked.people[0].name, masked.people[0].phone) == ("王**", "138****5678")
    assert shown.people[0].name == "王小明"
    assert (await setup.stub.Open(pb.ProbeRequest())).people[0].name == "王**"
    stream = setup.stub.Watch(pb.ProbeRequest(), metadata=setup.metadata())
    assert [message.people[0].name async for message in stream] == ["王**"]


async def test_requests_are_validated(setup: Setup) -> None:
    found = await refusal(call(setup, "x" * 21))
    assert (found.code, found.reason, set(found.fields)) == ("INVALID_ARGUMENT", "VALIDATION_FAILED", {"act"})
    stream = setup.stub.Watch(pb.ProbeRequest(act="x" * 21), metadata=setup.metadata())
    assert (await refusal(anext(aiter(stream)))).reason == "VALIDATION_FAILED"


async def test_bytes_that_are_no_message_are_the_senders_fault(setup: Setup) -> None:
    raw = setup.channel.unary_unary("/binglian.probe.v1.ProbeService/AnyToken")
    found = await refusal(raw(b"\xff\xff", metadata=setup.metadata()))
    assert (found.code, found.reason) == ("INVALID_ARGUMENT", "MALFORMED_MESSAGE")


async def test_messages_beyond_the_limit_are_refused(setup: Setup) -> None:
    raw = setup.channel.unary_unary("/binglian.probe.v1.ProbeService/AnyToken")
    assert (await refusal(raw(bytes(MAX_MESSAGE_BYTES + 1), metadata=setup.metadata()))).code == "RESOURCE_EXHAUSTED"


async def test_a_stream_ends_with_its_error(setup: Setup) -> None:
    stream = setup.stub.Watch(pb.ProbeRequest(act="fail"), metadata=setup.metadata())
    received = aiter(stream)
    assert (await anext(received)).text == "first"
    assert (await refusal(anext(received))).reason == "CASE_NOT_FOUND"


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_cancelled_and_late_calls_stop_working(setup: Setup) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):
        await setup.stub.AnyToken(pb.ProbeRequest(act="sleep"), metadata=setup.metadata(), timeout=0.1)
    await eventually(lambda: setup.probe.ended == ["sleep"])
    stream = setup.stub.Watch(pb.ProbeRequest(act="wait"), metadata=setup.metadata())
    await anext(aiter(stream))
    stream.cancel()
    await eventually(lambda: setup.probe.ended == ["sleep", "wait"])


async def test_a_stream_lives_no_longer_than_its_token(setup: Setup) -> None:
    metadata = setup.metadata(exp=time.time() + 1.5)
    stream = aiter(setup.stub.Watch(pb.ProbeRequest(act="wait"), metadata=metadata))
    await anext(stream)
    async with asyncio.timeout(5):
        found = await refusal(anext(stream))
    assert (found.code, found.reason) == ("UNAVAILABLE", "TOKEN_EXPIRED")
    assert setup.probe.ended == ["wait"]


async def test_nobody_holds_more_streams_than_anybody_needs(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interceptors, "MOST_STREAMS", 2)

    def watch(subject: str) -> Any:
        return setup.stub.Watch(pb.ProbeRequest(act="wait"), metadata=setup.metadata(sub=subject))

    held = [watch("greedy") for _ in range(2)]
    for stream in held:
        await anext(aiter(stream))
    assert (await refusal(anext(aiter(watch("greedy"))))).reason == "TOO_MANY_STREAMS"
    assert (await anext(aiter(watch("other")))).text == "first"
    held[0].cancel()
    await eventually(lambda: setup.probe.ended)
    assert (await anext(aiter(watch("greedy")))).text == "first"


def said(*acts: str) -> list[Any]:
    return [pb.ProbeRequest(act=act) for act in acts]


async def test_a_stream_of_requests_ends_in_one_masked_answer(setup: Setup, spans: InMemorySpanExporter) -> None:
    answer = await setup.stub.Take(iter(said("a", "b", "c")), metadata=setup.metadata())
    assert (answer.text, answer.people[0].name) == ("u1 a,b,c", "王**")
    assert (await setup.stub.Take(iter([]), metadata=setup.metadata())).text == "u1 "
    assert [span.name for span in spans.get_finished_spans()] == ["binglian.probe.v1.ProbeService/Take"] * 2


async def test_a_stream_of_requests_needs_token_and_role(setup: Setup) -> None:
    assert (await refusal(setup.stub.Take(iter(said("a"))))).reason == "TOKEN_MISSING"
    resident = setup.metadata(roles=["RESIDENT"])
    assert (await refusal(setup.stub.Take(iter(said("a")), metadata=resident))).reason == "ROLE_REQUIRED"
    assert setup.probe.ended == []


async def test_each_request_of_a_stream_is_validated_and_the_wrong_one_named(setup: Setup) -> None:
    found = await refusal(setup.stub.Take(iter(said("a", "b", "x" * 21)), metadata=setup.metadata()))
    assert (found.code, found.reason, list(found.fields)) == ("INVALID_ARGUMENT", "VALIDATION_FAILED", ["messages[2].act"])
    found = await refusal(setup.stub.Take(iter(said("a", "missing")), metadata=setup.metadata()))
    assert (found.code, found.reason) == ("NOT_FOUND", "CASE_NOT_FOUND")


async def test_a_client_that_falls_silent_holds_no_place(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interceptors, "LONGEST_SILENCE_S", 0.2)

    async def silent() -> AsyncIterator[Any]:
        yield pb.ProbeRequest(act="a")
        await asyncio.sleep(60)

    assert (await refusal(setup.stub.Take(silent(), metadata=setup.metadata()))).reason == "STREAM_SILENT"
    assert (await setup.stub.Take(iter(said("a")), metadata=setup.metadata())).text == "u1 a"


async def test_stopping_lets_calls_finish_and_ends_streams(setup: Setup) -> None:
    stream = aiter(setup.stub.Watch(pb.ProbeRequest(act="wait"), metadata=setup.metadata()))
    await anext(stream)
    slow = asyncio.ensure_future(call(setup, "slow"))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(3):
        await setup.server.stop(grace=5)
    assert (await slow).people
    assert (await refusal(anext(stream))).reason == "SHUTTING_DOWN"


async def test_health_says_what_is_served(setup: Setup) -> None:
    stub = health_pb2_grpc.HealthStub(setup.channel)
    for service in ("", "binglian.probe.v1.ProbeService"):
        assert (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status == 1
    await setup.server.set_serving(False)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == 2
    assert (await refusal(stub.Check(health_pb2.HealthCheckRequest(service="x")))).code == "NOT_FOUND"


async def test_reflection_lists_every_service_of_ours(setup: Setup) -> None:
    def listed() -> list[str]:
        with grpc.insecure_channel(f"127.0.0.1:{setup.port}") as channel:
            return list(ProtoReflectionDescriptorDatabase(channel).get_services())

    names = await asyncio.to_thread(listed)
    assert {"binglian.mediation.v1.CaseService", "binglian.mediation.v1.TaskService", "grpc.health.v1.Health"} <= set(names)


async def test_spans_follow_the_callers_trace_and_tell_our_faults_from_theirs(
    setup: Setup, spans: InMemorySpanExporter
) -> None:
    await call(setup)
    for act in ("missing", "bug"):
        await refusal(call(setup, act))
    await eventually(lambda: len(spans.get_finished_spans()) == 3)
    good, missing, bug = spans.get_finished_spans()
    assert {f"{span.context.trace_id:x}" for span in (good, missing, bug)} == {"ab" * 16}
    assert f"{good.parent.span_id:x}" == "cd" * 8
    assert good.name == "binglian.probe.v1.ProbeService/AnyToken"
    assert good.attributes["rpc.response.status_code"] == "OK"
    assert (missing.status.status_code, missing.attributes["rpc.response.status_code"]) == (StatusCode.UNSET, "NOT_FOUND")
    assert (bug.status.status_code, bug.attributes["error.type"]) == (StatusCode.ERROR, "ValueError")
    assert "王小明" not in bug.to_json()


async def test_our_client_retries_maps_errors_and_passes_the_caller_on(setup: Setup, spans: InMemorySpanExporter) -> None:
    channel = Channel(f"127.0.0.1:{setup.port}", timeout=5, authorization=setup.metadata()[0][1])
    stub = pb_grpc.ProbeServiceStub(channel)
    try:
        with telemetry.span("outer", traceparent=TRACEPARENT):
            response = await stub.AnyToken(pb.ProbeRequest(act="flaky"))
        assert setup.probe.attempts == 3
        assert response.text.split()[2].startswith(f"00-{'ab' * 16}-")
        for act in ("missing", "wrong", "exists"):
            with pytest.raises(errors.ServiceError) as caught:
                await stub.AnyToken(pb.ProbeRequest(act=act))
            expected: Any = FAILURES[act]
            assert (type(caught.value), str(caught.value)) == (type(expected), str(expected))
            assert (caught.value.reason, caught.value.field) == (expected.reason, expected.field)
        with pytest.raises(errors.Unavailable) as late:
            await stub.AnyToken(pb.ProbeRequest(act="slow"), timeout=0.05)
        assert late.value.reason == "DEADLINE_EXCEEDED"
        with pytest.raises(errors.Unavailable) as broken:
            await stub.AnyToken(pb.ProbeRequest(act="bug"))
        assert broken.value.reason == "UPSTREAM_FAILED"
        assert [message.text async for message in stub.Watch(pb.ProbeRequest())] == ["first"]
        assert (await stub.Take(iter(said("a", "b")))).text == "u1 a,b"
        with pytest.raises(errors.NotFound):
            await stub.Take(iter(said("missing")))
        with pytest.raises(errors.NotFound):
            [message async for message in stub.Watch(pb.ProbeRequest(act="fail"))]
    finally:
        await channel.close()


async def test_handlers_of_the_wrong_kind_are_refused_at_start(setup: Setup) -> None:
    class Careless(Probe):
        def Open(self, request: Any, context: Any) -> Any:
            return pb.ProbeResponse()

    with pytest.raises(TypeError, match="Open"):
        setup.server.add([(pb_grpc.add_ProbeServiceServicer_to_server, Careless())])

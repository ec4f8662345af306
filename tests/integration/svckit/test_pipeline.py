"""The pipeline around rpcs, through real grpc.aio servers and channels on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from svckit import errors, telemetry
from svckit.grpc_client import Channel
from svckit.grpc_server import MAX_MESSAGE_BYTES
from tests.integration.svckit.probing import FAILURES, TRACEPARENT, Probe, Setup, call, eventually, refusal, said
from tests.probe import pb, pb_grpc


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


async def test_cancelled_and_late_calls_stop_working(setup: Setup) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):
        await setup.stub.AnyToken(pb.ProbeRequest(act="sleep"), metadata=setup.metadata(), timeout=0.1)
    await eventually(lambda: setup.probe.ended == ["sleep"])
    stream = setup.stub.Watch(pb.ProbeRequest(act="wait"), metadata=setup.metadata())
    await anext(aiter(stream))
    stream.cancel()
    await eventually(lambda: setup.probe.ended == ["sleep", "wait"])


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

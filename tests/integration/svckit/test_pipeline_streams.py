"""Streams through the pipeline: their errors, ends, limits and requests, through real grpc.aio servers and channels on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from svckit import interceptors
from tests.integration.svckit.probing import Setup, eventually, refusal, said
from tests.probe import pb


async def test_a_stream_ends_with_its_error(setup: Setup) -> None:
    stream = setup.stub.Watch(pb.ProbeRequest(act="fail"), metadata=setup.metadata())
    received = aiter(stream)
    assert (await anext(received)).text == "first"
    assert (await refusal(anext(received))).reason == "CASE_NOT_FOUND"


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

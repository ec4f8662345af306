"""The probe service behind the whole pipeline, on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from svckit import telemetry
from svckit.grpc_server import GrpcServer
from svckit.interceptors import Pipeline
from svckit.tokens import KeySet, TokenVerifier
from tests.integration.svckit.probing import Probe, Setup
from tests.issuer import Issuer, running_issuer
from tests.probe import pb_grpc


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

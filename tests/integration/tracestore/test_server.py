"""The trace store as a process: a real OpenTelemetry exporter in front, Jaeger's API v3 behind."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import time

import httpx
import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(folder, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "deploy.tracestore", "--port", str(port), "--data", str(folder)]
    return subprocess.Popen(command)


def await_ready(url: str) -> None:
    for _ in range(100):
        try:
            httpx.get(f"{url}/healthz").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the trace store does not answer")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    port = free_port()
    process = start(tmp_path_factory.mktemp("traces"), port)
    await_ready(f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(10) in (0, -15)


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_spans_of_the_sdk_are_found_at_once(url, compression):
    provider = TracerProvider(resource=Resource.create({"service.name": f"svc-{compression.value}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces", compression=compression)))
    with (
        provider.get_tracer("test").start_as_current_span("parent") as parent,
        provider.get_tracer("test").start_as_current_span("child"),
    ):
        trace_id = f"{parent.get_span_context().trace_id:032x}"
    provider.shutdown()
    (resource,) = httpx.get(f"{url}/api/v3/traces/{trace_id}").json()["result"]["resourceSpans"]
    assert [span["name"] for span in resource["scopeSpans"][0]["spans"]] == ["child", "parent"]
    assert f"svc-{compression.value}" in httpx.get(f"{url}/api/v3/services").json()["services"]
    assert f"svc-{compression.value}" in httpx.get(f"{url}/api/services").json()["data"]
    operations = httpx.get(f"{url}/api/v3/operations", params={"service": f"svc-{compression.value}"}).json()["operations"]
    assert operations == [{"name": "child", "spanKind": "internal"}, {"name": "parent", "spanKind": "internal"}]


def test_json_is_taken_too(url):
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    headers = {"content-type": "application/json; charset=utf-8", "content-encoding": "gzip"}
    answer = httpx.post(f"{url}/v1/traces", content=gzip.compress(body), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {})
    assert httpx.get(f"{url}/api/v3/traces/{'AB' * 16}").status_code == 200
    found = httpx.get(f"{url}/api/v3/traces", params={"query.service_name": "unknown_service"}).json()
    assert found["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] == "ab" * 16


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs"])
def test_metrics_and_logs_are_let_go(url, path):
    answer = httpx.post(url + path, content=b"anything", headers={"content-type": "application/x-protobuf"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/v3/traces/00ff", {}, 404),
        ("GET", "/api/v3/traces/zz", {}, 400),
        ("GET", "/api/v3/traces?query.durationMin=long", {}, 400),
        ("GET", "/nowhere", {}, 404),
        ("POST", "/nowhere", {}, 404),
        ("POST", "/v1/traces", {"content-type": "text/plain"}, 415),
        ("POST", "/v1/traces", {"content-type": "application/json"}, 400),
        ("POST", "/v1/traces", {"content-encoding": "gzip"}, 400),
    ],
)
def test_mistakes_are_told_in_jaegers_form(url, method, path, headers, status):
    content = b"not empty" if method == "POST" else None
    answer = httpx.request(method, url + path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]["httpCode"]) == (status, status)
    assert answer.json()["error"]["message"]


def test_what_was_taken_survives_a_restart(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    first = start(tmp_path, port)
    await_ready(url)
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "ef" * 16, "spanId": "cd" * 8}]}]}]})
    httpx.post(f"{url}/v1/traces", content=body, headers={"content-type": "application/json"}).raise_for_status()
    first.terminate()
    first.wait(10)
    second = start(tmp_path, port)
    await_ready(url)
    assert httpx.get(f"{url}/api/v3/traces/{'ef' * 16}").status_code == 200
    second.kill()
    second.wait(10)

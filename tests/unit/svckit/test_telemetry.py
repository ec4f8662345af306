from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from svckit import telemetry
from svckit.embedded import free_port
from svckit.telemetry import Delivery

TRACE, SPAN = "ab" * 16, "cd" * 8
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


class Collector:
    """Receives OTLP over HTTP."""

    def __init__(self) -> None:
        self.traces = ExportTraceServiceRequest()
        self.metrics = ExportMetricsServiceRequest()
        self.url = ""

    def take(self, path: str, body: bytes) -> None:
        target = {"/v1/traces": self.traces, "/v1/metrics": self.metrics}[path]
        target.MergeFromString(body)

    @property
    def spans(self) -> dict[str, object]:
        found = [span for resource in self.traces.resource_spans for scope in resource.scope_spans for span in scope.spans]
        return {span.name: span for span in found}


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.take(self.path, gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


def test_spans_and_metrics_reach_an_otlp_receiver(collector: Collector) -> None:
    stop = telemetry.setup(service="probe", endpoint=collector.url)
    record = telemetry.duration_histogram("probe.duration", description="d")
    with telemetry.span("outer", traceparent=TRACEPARENT, case__id="c1"), telemetry.span("inner"):
        record(0.1, {"a": "b"})
    stop()
    outer, inner = collector.spans["outer"], collector.spans["inner"]
    assert (outer.trace_id.hex(), outer.parent_span_id.hex()) == (TRACE, SPAN)
    assert inner.parent_span_id == outer.span_id
    assert {item.key: item.value.string_value for item in outer.attributes} == {"case.id": "c1"}
    resource = collector.traces.resource_spans[0].resource
    assert {"service.name": "probe"}.items() <= {item.key: item.value.string_value for item in resource.attributes}.items()
    assert collector.metrics.resource_metrics[0].scope_metrics[0].metrics[0].name == "probe.duration"


def test_a_receiver_that_is_away_does_not_hurt() -> None:
    stop = telemetry.setup(service="probe", endpoint=f"http://127.0.0.1:{free_port()}")
    began = time.monotonic()
    for _ in range(600):
        with telemetry.span("x"):
            pass
    assert time.monotonic() - began < 1
    stop()
    assert time.monotonic() - began < 5


def test_without_an_endpoint_the_trace_is_only_passed_on() -> None:
    telemetry.setup(service="probe")()
    assert telemetry.current_traceparent() == ""
    with telemetry.span("x", traceparent=TRACEPARENT) as span:
        assert span is None
        assert telemetry.current_traceparent() == TRACEPARENT
        assert telemetry.current_trace_id() == TRACE
    assert telemetry.current_traceparent() == ""


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "x",
        TRACEPARENT.upper(),
        TRACEPARENT[:-1],
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_broken_traceparent_begins_no_trace(broken: str) -> None:
    with telemetry.span("x", traceparent=broken):
        assert telemetry.current_traceparent() == ""


def test_unsampled_traces_stay_unsampled(collector: Collector) -> None:
    stop = telemetry.setup(service="probe", endpoint=collector.url)
    with telemetry.span("x", traceparent=f"00-{TRACE}-{SPAN}-00"):
        assert telemetry.current_traceparent().startswith(f"00-{TRACE}-")
        assert telemetry.current_traceparent().endswith("-00")
    stop()
    assert not collector.spans


def deliveries(count: int) -> list[Delivery]:
    return [Delivery(f"probe.happened{i}.v1", f"e{i}", "s", f"00-{i + 1:032x}-{SPAN}-01") for i in range(count)]


def test_messages_have_spans_in_their_own_traces(collector: Collector) -> None:
    stop = telemetry.setup(service="probe", endpoint=collector.url)
    sent, finish = telemetry.publish_spans(exchange="binglian", deliveries=deliveries(2))
    finish()
    with telemetry.process_spans(queue="q", deliveries=[Delivery("probe.happened1.v1", "e1", "s", sent[1])]) as processed:
        assert telemetry.current_traceparent() == processed[0]
    with telemetry.process_spans(queue="q", deliveries=deliveries(2)) as both:
        assert telemetry.current_traceparent() == ""
    stop()
    assert [text[3:35] for text in both] == [f"{1:032x}", f"{2:032x}"]
    send, process = collector.spans["send probe.happened1.v1"], collector.spans["process probe.happened1.v1"]
    assert send.trace_id.hex() == process.trace_id.hex() == f"{2:032x}"
    assert send.kind == send.SPAN_KIND_PRODUCER
    assert process.kind == process.SPAN_KIND_CONSUMER


def failed_processing(*, raised: bool) -> None:
    """A batch of two of which the handler fails: its exception leaves the block, or the block is told of it."""
    with telemetry.process_spans(queue="q", deliveries=deliveries(2)) as handling:
        if raised:
            raise KeyError("the name of a person")
        handling.failed(KeyError("the name of a person"))


@pytest.mark.parametrize("raised", [True, False])
def test_messages_whose_handler_failed_are_failed_in_their_traces(collector: Collector, raised: bool) -> None:
    stop = telemetry.setup(service="probe", endpoint=collector.url)
    with pytest.raises(KeyError) if raised else contextlib.nullcontext():
        failed_processing(raised=raised)
    with telemetry.process_spans(queue="q", deliveries=[Delivery("probe.fine.v1", "e9", "s", TRACEPARENT)]):
        pass
    stop()
    failed = [collector.spans[f"process probe.happened{i}.v1"] for i in range(2)]
    assert [span.status.code for span in failed] == [span.status.STATUS_CODE_ERROR for span in failed]
    for span in failed:
        assert {item.key: item.value.string_value for item in span.attributes}["error.type"] == "KeyError"
        assert "person" not in str(span), "the text of an error may hold personal data"
    fine = collector.spans["process probe.fine.v1"]
    assert fine.status.code == fine.status.STATUS_CODE_UNSET


def test_without_an_endpoint_messages_keep_their_traces() -> None:
    given = deliveries(2)
    traceparents, finish = telemetry.publish_spans(exchange="binglian", deliveries=given)
    finish()
    assert traceparents == [delivery.traceparent for delivery in given]
    with telemetry.process_spans(queue="q", deliveries=given[:1]):
        assert telemetry.current_traceparent() == given[0].traceparent

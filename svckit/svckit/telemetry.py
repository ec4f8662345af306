"""Traces and metrics over OTLP/HTTP, and the trace context that travels in `traceparent` headers.

Without an endpoint nothing is recorded and nothing is paid, but a `traceparent` that comes in is still passed on. A backend
that is away never hurts: spans wait in a bounded queue and are dropped when it is full. Sampling follows the caller; roots
follow the standard variables OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_QUEUE = 16_384
_BATCH = 512
_DELAY_MS = 1_000
_TIMEOUT_S = 5
_STOP_S = 3.0
_METRICS_MS = 15_000
_EMPTY = Context()
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(slots=True)
class _State:
    tracer: Tracer | None = None
    meter: metrics.Meter | None = None


_state = _State()


def setup(*, service: str, endpoint: str = "", version: str = "") -> Callable[[], None]:
    """Starts traces and metrics for this process and returns the function that flushes and stops them.

    `endpoint` is the base URL of an OTLP/HTTP receiver ("http://127.0.0.1:4318"); "" records nothing. Call once, before the
    servers and clients of the process are made.
    """
    if not endpoint:
        return lambda: None
    # The SDK is imported only where it is used: it costs 100 ms of start-up.
    from opentelemetry.sdk.resources import Resource

    identity = {"service.name": service, "service.namespace": "binglian", "service.version": version}
    resource = Resource.create({**identity, "service.instance.id": f"{socket.gethostname()}-{os.getpid()}"})
    stop_traces = _start_traces(resource, endpoint.rstrip("/"))
    stop_metrics = _start_metrics(resource, endpoint.rstrip("/"))

    def stop() -> None:
        _state.tracer = _state.meter = None
        _within(_STOP_S, stop_traces, stop_metrics)

    return stop


def _within(seconds: float, *works: Callable[[], None]) -> None:
    """Runs `works` at once and waits at most so long: a backend that is away must not keep a process from stopping."""
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _start_traces(resource: Any, endpoint: str) -> Callable[[], None]:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter, _QUEUE, _DELAY_MS, _BATCH))
    _state.tracer = provider.get_tracer("svckit")
    return provider.shutdown


def _start_metrics(resource: Any, endpoint: str) -> Callable[[], None]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    exporter = OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=_TIMEOUT_S)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=_METRICS_MS)
    # Exemplars cost a quarter of a recording and nobody looks at them here.
    provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False, exemplar_filter=AlwaysOffExemplarFilter())
    _state.meter = provider.get_meter("svckit")
    return provider.shutdown


def use(*, tracer: Tracer | None, meter: metrics.Meter | None = None) -> None:
    """Records with the given tracer and meter instead of OTLP ones; for tests that look at spans."""
    _state.tracer = tracer
    _state.meter = meter


def enabled() -> bool:
    """Tells whether spans are recorded in this process."""
    return _state.tracer is not None


# ---------------------------------------------------------------------------------------------------- trace context


def current_traceparent() -> str:
    """Returns the W3C traceparent of the running span, "" outside any trace."""
    return traceparent_of(trace.get_current_span())


def traceparent_of(span: Span) -> str:
    """Returns the W3C traceparent of a span, "" if it belongs to no trace."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context.is_valid else ""


def current_trace_id() -> str:
    """Returns the 32 hexadecimal digits of the running trace, "" outside any trace."""
    context = trace.get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else ""


def remote_context(traceparent: str) -> Context:
    """Returns the context in which a span continues the given trace; an empty or broken traceparent gives an empty context."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return _EMPTY
    trace_id, span_id, flags = (int(part, 16) for part in match.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 1))
    return trace.set_span_in_context(NonRecordingSpan(context), _EMPTY) if context.is_valid else _EMPTY


def attach(context: Context) -> contextvars.Token[Context]:
    """Makes `context` the current one; give the token to `detach`, unless the task ends anyway."""
    return otel_context.attach(context)


def detach(token: contextvars.Token[Context]) -> None:
    """Ends what `attach` began."""
    otel_context.detach(token)


# ---------------------------------------------------------------------------------------------------- spans


def start(
    *, name: str, kind: SpanKind, parent: Context | None = None, attributes: Mapping[str, Any] | None = None
) -> Span | None:
    """Starts a span below `parent` (default: the running span) without making it current; None when nothing is recorded."""
    tracer = _state.tracer
    return tracer.start_span(name, context=parent, kind=kind, attributes=attributes) if tracer else None


def entered(span: Span) -> Context:
    """Returns the current context with `span` as the running span."""
    return trace.set_span_in_context(span)


def fail(span: Span, error: BaseException) -> None:
    """Marks a span as failed by `error`. Only the type is recorded: the text may hold personal data."""
    fail_as(span, type(error).__qualname__)


def fail_as(span: Span, kind: str) -> None:
    """Marks a span as failed; `kind` is a status name or exception type."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


@contextlib.contextmanager
def span(name: str, *, kind: SpanKind = SpanKind.INTERNAL, traceparent: str = "", **attributes: Any) -> Iterator[Span | None]:
    """Runs the block inside a span below the running one, or below `traceparent`. Attribute names use "__" for dots."""
    parent = remote_context(traceparent) if traceparent else None
    opened = start(
        name=name, kind=kind, parent=parent, attributes={key.replace("__", "."): attributes[key] for key in attributes}
    )
    token = attach(entered(opened) if opened else parent or otel_context.get_current())
    try:
        yield opened
    except Exception as error:
        if opened:
            fail(opened, error)
        raise
    finally:
        detach(token)
        if opened:
            opened.end()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a span about one message needs: event type (routing key), event id, aggregate id and the trace it belongs to."""

    type: str
    id: str
    subject: str
    traceparent: str


def publish_spans(*, exchange: str, deliveries: Sequence[Delivery]) -> tuple[list[str], Callable[[], None]]:
    """Opens a PRODUCER span per message, each in its own trace.

    Returns the traceparents to send along, in order, and the function that ends the spans when the broker has confirmed.
    """
    spans = _message_spans("send", SpanKind.PRODUCER, exchange, deliveries)
    return _traceparents(spans, deliveries), lambda: _end(spans)


class Handling(list[str]):
    """Traceparents of the messages that are handled together, in order. `error` is what their handler failed with, if it failed."""

    error: BaseException | None = None

    def failed(self, error: BaseException) -> None:
        """Lets the spans of the messages end as failed by `error`, when the handler's exception does not leave the block itself."""
        self.error = error


@contextlib.contextmanager
def process_spans(*, queue: str, deliveries: Sequence[Delivery]) -> Iterator[Handling]:
    """Runs the block inside a CONSUMER span per message of a batch; yields their traceparents, in order.

    Events that the handling of message i creates carry traceparent i. With one message its span is also the running one. An
    exception that leaves the block, or that `failed` is told of, marks all spans: nobody knows which message it was about.
    """
    spans = _message_spans("process", SpanKind.CONSUMER, queue, deliveries)
    handling = Handling(_traceparents(spans, deliveries))
    token = attach(remote_context(handling[0])) if len(deliveries) == 1 else None
    try:
        yield handling
    except BaseException as error:
        handling.failed(error)
        raise
    finally:
        if token is not None:
            detach(token)
        _end(spans, handling.error)


def _message_spans(operation: str, kind: SpanKind, destination: str, deliveries: Sequence[Delivery]) -> list[Span]:
    """A span per delivery; none at all when nothing is recorded."""
    if _state.tracer is None:
        return []
    return [_message_span(operation, kind, destination, delivery, len(deliveries)) for delivery in deliveries]


def _traceparents(spans: Sequence[Span], deliveries: Sequence[Delivery]) -> list[str]:
    return [traceparent_of(opened) for opened in spans] or [delivery.traceparent for delivery in deliveries]


def _end(spans: Sequence[Span], error: BaseException | None = None) -> None:
    for opened in spans:
        if error is not None:
            fail(opened, error)
        opened.end()


def _message_span(operation: str, kind: SpanKind, destination: str, delivery: Delivery, batch: int) -> Span:
    attributes = {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
        "messaging.rabbitmq.destination.routing_key": delivery.type,
        "messaging.message.id": delivery.id,
        "messaging.batch.message_count": batch,
        "cloudevents.event_subject": delivery.subject,
    }
    parent = remote_context(delivery.traceparent)
    opened = start(name=f"{operation} {delivery.type}", kind=kind, parent=parent, attributes=attributes)
    return opened or trace.INVALID_SPAN


# ---------------------------------------------------------------------------------------------------- metrics


def duration_histogram(name: str, *, description: str) -> Callable[[float, Mapping[str, Any]], None]:
    """Returns the function that records (seconds, attributes) in a histogram; it does nothing when nothing is recorded."""
    if _state.meter is None:
        return _ignore
    histogram = _state.meter.create_histogram(
        name, unit="s", description=description, explicit_bucket_boundaries_advisory=_BUCKETS
    )
    return lambda seconds, attributes: histogram.record(seconds, attributes, _EMPTY)


def counter(name: str, *, description: str, unit: str = "1") -> Callable[[int, Mapping[str, Any]], None]:
    """Returns the function that adds (amount, attributes) to a counter; it does nothing when nothing is recorded."""
    if _state.meter is None:
        return _ignore
    made = _state.meter.create_counter(name, unit=unit, description=description)
    return lambda amount, attributes: made.add(amount, attributes, _EMPTY)


def gauge(name: str, *, description: str, read: Callable[[], float], unit: str = "1") -> None:
    """Reports `read()` at every export; does nothing when nothing is recorded."""
    if _state.meter is not None:
        callback = lambda _options: [metrics.Observation(read())]  # noqa: E731
        _state.meter.create_observable_gauge(name, [callback], unit=unit, description=description)


def _ignore(_amount: float, _attributes: Mapping[str, Any]) -> None:
    """Records nothing."""


clock = time.perf_counter

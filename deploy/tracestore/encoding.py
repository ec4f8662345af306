"""Spans as OTLP JSON, the form in which Jaeger's API v3 returns them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

JSON = dict[str, Any]


class TracesData:
    """Collects the spans of chosen traces into one `resourceSpans`, grouped by resource and scope, each span once."""

    def __init__(self, trace_ids: Iterable[bytes]) -> None:
        self._wanted = frozenset(trace_ids)
        self._seen: set[tuple[bytes, bytes]] = set()
        self._resources: dict[bytes, tuple[JSON, dict[bytes, JSON]]] = {}

    def add(self, request: ExportTraceServiceRequest) -> None:
        """Takes the wanted spans out of a stored export. An exporter that retried may have sent a span twice."""
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                spans = [_span(span) for span in scope.spans if span.trace_id in self._wanted and self._is_new(span)]
                if spans:
                    self._group(resource.resource, scope.scope)["spans"].extend(spans)

    def _is_new(self, span: Any) -> bool:
        key = (span.trace_id, span.span_id)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _group(self, resource: Any, scope: Any) -> JSON:
        key = resource.SerializeToString(deterministic=True)
        if key not in self._resources:
            self._resources[key] = ({"attributes": _attributes(resource.attributes)}, {})
        scopes = self._resources[key][1]
        name = scope.SerializeToString(deterministic=True)
        return scopes.setdefault(name, {"scope": _filled(name=scope.name, version=scope.version), "spans": []})

    def resource_spans(self) -> list[JSON]:
        """Returns what was collected."""
        return [{"resource": resource, "scopeSpans": list(scopes.values())} for resource, scopes in self._resources.values()]


def _span(span: Any) -> JSON:
    return _filled(
        traceId=span.trace_id.hex(),
        spanId=span.span_id.hex(),
        traceState=span.trace_state,
        parentSpanId=span.parent_span_id.hex(),
        flags=span.flags,
        name=span.name,
        kind=span.kind,
        startTimeUnixNano=str(span.start_time_unix_nano),
        endTimeUnixNano=str(span.end_time_unix_nano),
        attributes=_attributes(span.attributes),
        events=[_event(event) for event in span.events],
        links=[_link(link) for link in span.links],
    ) | {"status": _filled(code=span.status.code, message=span.status.message)}


def _event(event: Any) -> JSON:
    return _filled(timeUnixNano=str(event.time_unix_nano), name=event.name, attributes=_attributes(event.attributes))


def _link(link: Any) -> JSON:
    return _filled(
        traceId=link.trace_id.hex(),
        spanId=link.span_id.hex(),
        traceState=link.trace_state,
        attributes=_attributes(link.attributes),
    )


def _attributes(attributes: Any) -> list[JSON]:
    return [{"key": attribute.key, "value": _value(attribute.value)} for attribute in attributes]


def _value(value: Any) -> JSON:
    match value.WhichOneof("value"):
        case "string_value":
            return {"stringValue": value.string_value}
        case "bool_value":
            return {"boolValue": value.bool_value}
        case "int_value":
            return {"intValue": str(value.int_value)}
        case "double_value":
            return {"doubleValue": value.double_value}
        case "array_value":
            return {"arrayValue": {"values": [_value(item) for item in value.array_value.values]}}
        case "kvlist_value":
            return {"kvlistValue": {"values": _attributes(value.kvlist_value.values)}}
        case "bytes_value":
            return {"bytesValue": base64.b64encode(value.bytes_value).decode()}
    return {}


def plain_value(value: Any) -> str:
    """Returns an attribute's value as text, as a search compares it."""
    kind = value.WhichOneof("value")
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return str(getattr(value, kind)) if kind in ("string_value", "int_value", "double_value") else ""


def _filled(**fields: Any) -> JSON:
    return {name: value for name, value in fields.items() if value}

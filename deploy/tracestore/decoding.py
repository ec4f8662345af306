"""Bodies of OTLP/HTTP requests: gzip, protobuf and the OTLP flavour of proto3 JSON (ids in hexadecimal digits)."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MAX_BODY = 32 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_IDS = ("traceId", "spanId", "parentSpanId")


class BadBody(Exception):
    """The body cannot be read; the text says why."""


class BodyTooLarge(BadBody):
    """The body is larger than MAX_BODY once unpacked."""


def unpacked(body: bytes, *, encoding: str) -> bytes:
    """Returns the body without its content encoding ("", "identity", "gzip" or "deflate"). Raises BadBody, BodyTooLarge."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise BadBody(f"content encoding {encoding!r} is not supported")
    unzip = zlib.decompressobj(_GZIP if encoding == "gzip" else zlib.MAX_WBITS)
    try:
        data = unzip.decompress(body, MAX_BODY)
    except zlib.error as error:
        raise BadBody(f"the body is not {encoding}") from error
    if unzip.unconsumed_tail:
        raise BodyTooLarge("the unpacked body is too large")
    return data


def parsed(body: bytes, *, json: bool) -> tuple[ExportTraceServiceRequest, bytes]:
    """Returns the message of a trace export and its protobuf bytes. Raises BadBody."""
    if json:
        message = _from_json(body)
        return message, message.SerializeToString()
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise BadBody("the body is no ExportTraceServiceRequest") from error
    return message, body


def _from_json(body: bytes) -> ExportTraceServiceRequest:
    try:
        tree = orjson.loads(body)
        _each_span(tree, _hex_to_base64)
        return json_format.ParseDict(tree, ExportTraceServiceRequest(), ignore_unknown_fields=True)
    except (ValueError, TypeError, AttributeError, KeyError, json_format.ParseError) as error:
        raise BadBody("the body is no OTLP JSON of an ExportTraceServiceRequest") from error


def _each_span(tree: Any, change: Callable[[dict[str, Any]], None]) -> None:
    for resource in tree.get("resourceSpans", ()):
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                change(span)
                for link in span.get("links", ()):
                    change(link)


def _hex_to_base64(part: dict[str, Any]) -> None:
    for name in _IDS:
        if part.get(name):
            part[name] = base64.b64encode(bytes.fromhex(part[name])).decode()

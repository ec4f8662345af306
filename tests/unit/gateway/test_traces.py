"""The plain form of a trace, whatever store it comes from."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.traces import plain_spans

TRACE, SPAN, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"


def encode(value: str) -> str:
    return base64.b64encode(bytes.fromhex(value)).decode()


def spans(*, encoded: bool = False, scope: str = "scopeSpans") -> list[dict[str, Any]]:
    write = encode if encoded else str
    span = {
        "traceId": write(TRACE),
        "spanId": write(SPAN),
        "parentSpanId": write(PARENT),
        "name": "CaseService/ReportCase",
        "kind": 2 if encoded else "SPAN_KIND_SERVER",
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000005000000",
        "attributes": [
            {"key": "rpc.system", "value": {"stringValue": "grpc"}},
            {"key": "size", "value": {"intValue": "12"}},
            {"key": "ok", "value": {"boolValue": True}},
            {"key": "tags", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"doubleValue": 1.5}]}}},
            {"key": "nothing"},
        ],
        "status": {"code": "STATUS_CODE_ERROR"},
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "mediation"}}]}
    return [{"resource": resource, scope: [{"spans": [span]}]}]


@pytest.mark.parametrize(
    "document",
    [
        {"result": {"resourceSpans": spans()}},
        {"resourceSpans": spans()},
        {"batches": spans(encoded=True)},
        {"trace": {"resourceSpans": spans(encoded=True)}},
        {"batches": spans(scope="instrumentationLibrarySpans")},
    ],
    ids=["jaeger", "otlp", "tempo", "tempo v2", "old otlp"],
)
def test_every_store_gives_the_same_plain_spans(document: Any) -> None:
    assert list(plain_spans(document)) == [
        {
            "traceId": TRACE,
            "spanId": SPAN,
            "parentSpanId": PARENT,
            "name": "CaseService/ReportCase",
            "service": "mediation",
            "kind": "SERVER",
            "startUnixNano": "1700000000000000000",
            "endUnixNano": "1700000000005000000",
            "attributes": {"rpc.system": "grpc", "size": 12, "ok": True, "tags": ["a", 1.5], "nothing": None},
            "status": "ERROR",
        }
    ]


@pytest.mark.parametrize(
    "document", [None, [], {}, {"result": {}}, {"resourceSpans": [{}]}, {"batches": [{"scopeSpans": [{}]}]}]
)
def test_what_holds_no_spans_gives_none(document: Any) -> None:
    assert list(plain_spans(document)) == []

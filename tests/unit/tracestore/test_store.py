"""The trace store without its server: what is stored is found again, in the form Jaeger's API v3 returns."""

from __future__ import annotations

import gzip

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.tracestore import decoding, queries
from deploy.tracestore.store import Query, Retention, Store

SECOND = 10**9
TRACE = bytes.fromhex("5b8efff798038103d269b633813fc60c")
OTHER = bytes.fromhex("5b8efff798038103d269b633813fc60d")


def export(*spans: dict[str, object], service: str = "mediation") -> tuple[ExportTraceServiceRequest, bytes]:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_spans.add()
    scope.scope.name = "svckit"
    for span in spans:
        scope.spans.add(**span)
    return request, request.SerializeToString()


def span(number: int = 1, *, trace_id: bytes = TRACE, name: str = "ReportCase", start: int = 0, end: int = 1, **more: object):
    return {
        "trace_id": trace_id,
        "span_id": number.to_bytes(8, "big"),
        "name": name,
        "kind": 2,
        "start_time_unix_nano": start,
        "end_time_unix_nano": end,
        **more,
    }


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "traces.sqlite", retention=Retention())
    yield opened
    opened.close()


def spans_of(resource_spans) -> list[str]:
    return [found["spanId"] for resource in resource_spans for scope in resource["scopeSpans"] for found in scope["spans"]]


def test_a_trace_comes_back_as_otlp_json(store):
    parent = span(1, start=10, end=20)
    child = span(2, parent_span_id=(1).to_bytes(8, "big"), start=12, end=15)
    store.add([export(parent), export(child)])
    assert store.trace(TRACE) == [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "mediation"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "svckit"},
                    "spans": [
                        {
                            "traceId": TRACE.hex(),
                            "spanId": "0000000000000001",
                            "name": "ReportCase",
                            "kind": 2,
                            "startTimeUnixNano": "10",
                            "endTimeUnixNano": "20",
                            "status": {},
                        },
                        {
                            "traceId": TRACE.hex(),
                            "spanId": "0000000000000002",
                            "parentSpanId": "0000000000000001",
                            "name": "ReportCase",
                            "kind": 2,
                            "startTimeUnixNano": "12",
                            "endTimeUnixNano": "15",
                            "status": {},
                        },
                    ],
                }
            ],
        }
    ]


def test_other_traces_of_the_same_export_stay_out(store):
    store.add([export(span(1), span(2, trace_id=OTHER))])
    assert spans_of(store.trace(OTHER)) == ["0000000000000002"]
    assert store.trace(bytes(16)) == []


def test_a_span_sent_twice_comes_back_once(store):
    store.add([export(span(1)), export(span(1))])
    assert spans_of(store.trace(TRACE)) == ["0000000000000001"]


def test_every_kind_of_attribute_has_its_json_form(store):
    request, _ = export(span(1))
    attributes = request.resource_spans[0].scope_spans[0].spans[0].attributes
    attributes.add(key="text").value.string_value = "联"
    attributes.add(key="flag").value.bool_value = True
    attributes.add(key="number").value.int_value = 2**60
    attributes.add(key="real").value.double_value = 0.5
    attributes.add(key="bytes").value.bytes_value = b"\0\1"
    attributes.add(key="list").value.array_value.values.add().int_value = 1
    attributes.add(key="map").value.kvlist_value.values.add(key="k").value.string_value = "v"
    store.add([(request, request.SerializeToString())])
    (found,) = store.trace(TRACE)[0]["scopeSpans"][0]["spans"]
    assert {item["key"]: item["value"] for item in found["attributes"]} == {
        "text": {"stringValue": "联"},
        "flag": {"boolValue": True},
        "number": {"intValue": str(2**60)},
        "real": {"doubleValue": 0.5},
        "bytes": {"bytesValue": "AAE="},
        "list": {"arrayValue": {"values": [{"intValue": "1"}]}},
        "map": {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
    }


def test_what_is_returned_can_be_sent_in_again(store):
    sent = export(span(1, links=[{"trace_id": OTHER, "span_id": b"12345678"}], status={"code": 2}))
    store.add([sent])
    body = orjson.dumps({"resourceSpans": store.trace(TRACE)})
    request, _ = decoding.parsed(body, json=True)
    assert request == sent[0]


def test_services_and_operations_are_listed(store):
    store.add([export(span(1)), export(span(2, name="SELECT", kind=3), service="housing")])
    assert store.services() == ["housing", "mediation"]
    assert store.operations(service="housing") == [("SELECT", "client")]
    assert store.operations(service="housing", kind="server") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), 2),
        (Query(service="mediation"), 1),
        (Query(service="nobody"), 0),
        (Query(operation="ReportCase"), 1),
        (Query(service="housing", operation="ReportCase"), 0),
        (Query(start_min=50 * SECOND), 1),
        (Query(start_max=50 * SECOND), 1),
        (Query(duration_min=5 * SECOND), 1),
        (Query(duration_max=5 * SECOND), 1),
        (Query(attributes={"case.id": "7"}), 1),
        (Query(attributes={"case.id": "8"}), 0),
        (Query(limit=1), 1),
    ],
)
def test_traces_are_found_by(store, query, found):
    attribute = {"key": "case.id", "value": {"int_value": 7}}
    store.add(
        [
            export(span(1, start=SECOND, end=10 * SECOND, attributes=[attribute])),
            export(span(2, trace_id=OTHER, name="Locate", start=60 * SECOND, end=61 * SECOND), service="housing"),
        ]
    )
    assert len(store.find(query)) == found


def test_the_newest_traces_come_first(store):
    store.add([export(span(n, trace_id=bytes([n]) * 16, start=n)) for n in (3, 9, 5)])
    assert spans_of(store.find(Query(limit=1))) == ["0000000000000009"]


def test_a_database_is_found_again_after_a_restart(tmp_path):
    first = Store(tmp_path / "traces.sqlite", retention=Retention())
    first.add([export(span(1))])
    first.close()
    second = Store(tmp_path / "traces.sqlite", retention=Retention())
    assert spans_of(second.trace(TRACE)) == ["0000000000000001"]
    assert second.services() == ["mediation"]
    second.close()


def test_old_exports_are_removed(tmp_path):
    store = Store(tmp_path / "traces.sqlite", retention=Retention(seconds=-1))
    store.add([export(span(1))])
    assert store.prune() == 1
    assert store.trace(TRACE) == []
    store.close()


def test_the_file_stays_within_its_size(tmp_path):
    store = Store(tmp_path / "traces.sqlite", retention=Retention(size=2_000_000))
    for batch in range(6):
        store.add([export(span(n, trace_id=bytes([batch, n]) * 8, trace_state="x" * 8000)) for n in range(100)])
    assert store.size() > 2_000_000
    store.prune()
    assert store.size() <= 2_000_000
    assert store.trace(bytes([5, 99]) * 8)
    store.close()


def test_a_failed_group_leaves_nothing_behind(store):
    broken = export(span(1, start=2**63))
    with pytest.raises(OverflowError):
        store.add([export(span(2)), broken])
    assert store.trace(TRACE) == []


def test_gzip_is_unpacked_up_to_a_limit():
    assert decoding.unpacked(gzip.compress(b"abc"), encoding="gzip") == b"abc"
    with pytest.raises(decoding.BodyTooLarge):
        decoding.unpacked(gzip.compress(bytes(decoding.MAX_BODY + 1)), encoding="gzip")
    with pytest.raises(decoding.BadBody):
        decoding.unpacked(b"abc", encoding="gzip")
    with pytest.raises(decoding.BadBody):
        decoding.unpacked(b"abc", encoding="br")


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xy"}]}]}]}', b'{"resourceSpans":3}']
)
def test_json_that_is_no_export_is_refused(body):
    with pytest.raises(decoding.BadBody):
        decoding.parsed(body, json=True)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_export_or_a_named_refusal(body):
    for json in (False, True):
        try:
            decoding.parsed(body, json=json)
        except decoding.BadBody:
            continue


def test_times_are_read_to_the_nanosecond_in_both_spellings():
    assert queries.trace_query({"query.startTimeMin": "1970-01-01T00:00:01.123456789Z"}).start_min == 1_123_456_789
    assert queries.trace_query({"query.start_time_max": "1970-01-01T08:00:02+08:00"}).start_max == 2 * SECOND


def test_durations_are_read_as_go_writes_them():
    assert queries.trace_query({"query.durationMin": "1m1.5s"}).duration_min == 61_500_000_000
    assert queries.trace_query({"query.duration_max": "20ms"}).duration_max == 20_000_000


@pytest.mark.parametrize(
    "parameters",
    [
        {"query.startTimeMin": "yesterday"},
        {"query.startTimeMin": "2026-01-01T00:00:00"},
        {"query.durationMin": "5 minutes"},
        {"query.searchDepth": "0"},
        {"query.attributes": "[]"},
    ],
)
def test_malformed_parameters_are_named(parameters):
    with pytest.raises(queries.BadParameter, match=next(iter(parameters))):
        queries.trace_query(parameters)


def test_short_trace_ids_are_filled_up():
    assert queries.trace_id("1f") == bytes(15) + b"\x1f"
    with pytest.raises(queries.BadParameter):
        queries.trace_id("xyz")

"""Our encoder writes what pika's decoder reads, and our frames are pika's frames."""

import datetime as dt
import struct

import pika
from hypothesis import given
from hypothesis import strategies as st
from pika import frame, spec

from svckit.cloudevents import SUBJECT, Encoder, attribute, headers_of
from svckit.frames import BEFORE, Intake, content_frames, head_at, publish_frame, text_header

NOW = dt.datetime(2026, 11, 22, 8, 0, 0, 123_000, tzinfo=dt.UTC)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@given(texts, texts, texts)
def test_properties_are_read_back(id: str, subject: str, source: str) -> None:
    encoded = Encoder(source).properties(id=id, type="t.e.v1", time=NOW, subject=subject, traceparent="00-a-b-01")
    properties = pika.BasicProperties().decode(encoded)
    assert properties.content_type == "application/json"
    assert properties.delivery_mode == 2
    assert properties.headers == {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:source": source,
        "cloudEvents:type": "t.e.v1",
        "cloudEvents:id": id,
        "cloudEvents:time": "2026-11-22T08:00:00.123Z",
        "cloudEvents:subject": subject,
        "traceparent": "00-a-b-01",
    }


def test_without_a_trace_there_is_no_traceparent() -> None:
    encoded = Encoder("/s").properties(id="i", type="t", time=NOW.replace(tzinfo=None), subject="x", traceparent="")
    headers = pika.BasicProperties().decode(encoded).headers
    assert "traceparent" not in headers
    assert headers["cloudEvents:time"] == "2026-11-22T08:00:00.123Z"


def decoded(data: bytes) -> list[object]:
    frames = []
    while data:
        size, one = frame.decode_frame(data)
        frames.append(one)
        data = data[size:]
    return frames


@given(st.binary(max_size=50), st.integers(10, 20))
def test_frames_are_what_the_broker_expects(body: bytes, most: int) -> None:
    properties = Encoder("/s").properties(id="i", type="t", time=NOW, subject="x", traceparent="")
    data = b"".join([publish_frame(7, "ex", "a.b.v1"), *content_frames(7, properties, body, most)])
    method, header, *bodies = decoded(data)
    assert {one.channel_number for one in (method, header, *bodies)} == {7}
    assert isinstance(method.method, spec.Basic.Publish)
    assert (method.method.exchange, method.method.routing_key, method.method.mandatory) == ("ex", "a.b.v1", True)
    assert header.body_size == len(body)
    assert header.properties.headers["cloudEvents:id"] == "i"
    assert b"".join(one.fragment for one in bodies) == body
    assert all(len(one.fragment) <= most for one in bodies)


def test_a_publish_frame_is_the_one_pika_writes() -> None:
    ours = publish_frame(3, "exchange", "key")
    theirs = frame.Method(3, spec.Basic.Publish(exchange="exchange", routing_key="key", mandatory=True)).marshal()
    assert ours == theirs
    assert struct.unpack(">BHI", ours[:7]) == (1, 3, len(ours) - 8)


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), texts, st.integers(10, 20))
def test_an_intake_puts_messages_together(bodies: list[bytes], subject: str, most: int) -> None:
    properties = Encoder("/s").properties(id="i", type="t", time=NOW, subject=subject, traceparent="")
    deliver = frame.Method(7, spec.Basic.Deliver(consumer_tag="c", delivery_tag=1, exchange="e", routing_key="k")).marshal()
    data = b"".join(b"".join([deliver, *content_frames(7, properties, body, most)]) for body in bodies)
    taken: list[tuple[str, bytes]] = []
    intake = Intake(lambda properties, body: taken.append((text_header(properties, SUBJECT), body)))
    at = 0
    while at < len(data):
        kind, _, size = head_at(data, at)
        assert intake.take(kind, data, at + BEFORE, at + BEFORE + size)
        at += size + 8
    assert taken == [(subject, body) for body in bodies]


def test_an_intake_leaves_other_methods_to_pika() -> None:
    ack = frame.Method(7, spec.Basic.Ack(delivery_tag=1)).marshal()
    nack = frame.Method(7, spec.Basic.Nack(delivery_tag=1)).marshal()
    assert not Intake(lambda *_: None).take(1, ack, BEFORE, len(ack) - 1)
    assert not Intake(lambda *_: None, on_ack=lambda *_: None).take(1, nack, BEFORE, len(nack) - 1)


@given(st.integers(1, 2**63), st.booleans())
def test_an_intake_tells_what_the_broker_confirms(tag: int, multiple: bool) -> None:
    ack = frame.Method(7, spec.Basic.Ack(delivery_tag=tag, multiple=multiple)).marshal()
    told: list[tuple[int, bool]] = []
    assert Intake(lambda *_: None, on_ack=lambda *one: told.append(one)).take(1, ack, BEFORE, len(ack) - 1)
    assert told == [(tag, multiple)]


def test_a_header_that_is_not_there() -> None:
    assert text_header(b"", SUBJECT) == ""


def test_attributes_of_foreign_messages() -> None:
    assert attribute(None, "cloudEvents:id") == ""
    assert attribute({"cloudEvents:id": 7}, "cloudEvents:id") == ""
    assert attribute({"cloudEvents:id": "x"}, "cloudEvents:id") == "x"


@given(st.dictionaries(texts.filter(lambda text: len(text.encode()) < 256), texts, max_size=6), st.booleans())
def test_headers_are_read_whoever_wrote_them(headers: dict[str, str], counted: bool) -> None:
    written: dict[str, object] = {**headers, **({"x-delivery-count": 3} if counted else {})}
    properties = pika.BasicProperties(content_type="application/json", delivery_mode=2, headers=written)
    assert headers_of(b"".join(properties.encode())) == written


def test_headers_of_our_own_encoder_and_of_none() -> None:
    encoded = Encoder("/s").properties(id="i", type="t", time=NOW, subject="主体", traceparent="")
    assert headers_of(encoded) == pika.BasicProperties().decode(encoded).headers
    assert headers_of(b"".join(pika.BasicProperties().encode())) == {}


def test_an_intake_knows_the_delivery_tag() -> None:
    intake = Intake(lambda *_: None)
    deliver = spec.Basic.Deliver(
        consumer_tag="消费者", delivery_tag=2**40 + 7, redelivered=True, exchange="ex", routing_key="k"
    )
    method = frame.Method(3, deliver).marshal()
    assert intake.take(1, method, BEFORE, len(method) - 1)
    assert intake.tag == 2**40 + 7

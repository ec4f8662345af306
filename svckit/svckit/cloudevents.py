"""CloudEvents 1.0 over AMQP 0-9-1, binary mode: the event's attributes are headers, its JSON is the body."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Mapping
from typing import Any

import pika

from svckit.frames import text_headers

JSON = "application/json"
ID = "cloudEvents:id"
TYPE = "cloudEvents:type"
SOURCE = "cloudEvents:source"
TIME = "cloudEvents:time"
SUBJECT = "cloudEvents:subject"
SPECVERSION = "cloudEvents:specversion"
TRACEPARENT = "traceparent"

_PERSISTENT = 2
_CONTENT_TYPE_FLAG, _HEADERS_FLAG, _DELIVERY_MODE_FLAG = 1 << 15, 1 << 13, 1 << 12
_START = struct.pack(">HB", _CONTENT_TYPE_FLAG | _HEADERS_FLAG | _DELIVERY_MODE_FLAG, len(JSON)) + JSON.encode()
_END = bytes((_PERSISTENT,))
_length = struct.Struct(">I").pack


def headers_of(properties: bytes) -> dict[str, Any]:
    """Returns the headers of an encoded property list, whoever encoded it."""
    if properties.startswith(_START):
        headers = text_headers(properties, len(_START))
        if headers is not None:
            return headers
    return pika.BasicProperties().decode(properties).headers or {}


class Encoder:
    """Encodes the AMQP properties of the persistent events of one source; pika's own encoder takes half of a publish's time."""

    def __init__(self, source: str) -> None:
        self._fixed = _header(SPECVERSION, "1.0") + _header(SOURCE, source)
        self._types: dict[str, bytes] = {}

    def properties(self, *, id: str, type: str, time: dt.datetime, subject: str, traceparent: str) -> bytes:
        """Returns the property list of one event as it stands in a content header; `time` is UTC, aware or not."""
        start = self._types.get(type)
        if start is None:
            start = self._types[type] = self._fixed + _header(TYPE, type)
        moment = time.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        headers = b"".join(
            (start, _id(id), _time(moment), _subject(subject), _traceparent(traceparent) if traceparent else b"")
        )
        return b"".join((_START, _length(len(headers)), headers, _END))


def _key(name: str) -> bytes:
    encoded = name.encode()
    return bytes((len(encoded),)) + encoded + b"S"


def _header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return _key(name) + _length(len(encoded)) + encoded


class _Header:
    """A header whose name is encoded once."""

    __slots__ = ("_key",)

    def __init__(self, name: str) -> None:
        self._key = _key(name)

    def __call__(self, value: str) -> bytes:
        encoded = value.encode()
        return self._key + _length(len(encoded)) + encoded


_id, _time, _subject, _traceparent = _Header(ID), _Header(TIME), _Header(SUBJECT), _Header(TRACEPARENT)


def attribute(headers: Mapping[str, Any] | None, name: str) -> str:
    """Returns one attribute of a received event, "" when it is missing or no text."""
    value = (headers or {}).get(name, "")
    return value if isinstance(value, str) else ""

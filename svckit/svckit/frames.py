"""AMQP frames by hand, for what happens to every event: pika builds and takes apart each with a dozen Python objects.

Everything rare (opening, declaring, closing, heartbeats) stays with pika.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pika.frame import decode_frame

FRAME_MAX = 131_072
FRAME_EXTRA = 8
"""Bytes of a frame around its payload: seven before it and one behind it."""
BEFORE = FRAME_EXTRA - 1

_METHOD, _HEADER, _BODY, _FRAME_END = 1, 2, 3, b"\xce"
_BASIC, _PUBLISH, _MANDATORY = 60, 40, 1
_DELIVER, _RETURN, _ACK = (struct.pack(">HH", _BASIC, number) for number in (60, 50, 80))
_CONTENT_BYTES = 12
_TEXT = ord("S")

head_at = struct.Struct(">BHI").unpack_from
"""(kind, channel, size of the payload) of the frame that begins there."""
_head = struct.Struct(">BHI").pack
_content = struct.Struct(">HHQ").pack
_size_at = struct.Struct(">Q").unpack_from
_length_at = struct.Struct(">I").unpack_from


def publish_frame(channel: int, exchange: str, key: str) -> bytes:
    """Basic.Publish, mandatory; the same for every event of one type."""
    names = b"".join(bytes((len(name),)) + name for name in (exchange.encode(), key.encode()))
    method = struct.pack(">HHH", _BASIC, _PUBLISH, 0) + names + bytes((_MANDATORY,))
    return _head(_METHOD, channel, len(method)) + method + _FRAME_END


def content_frames(channel: int, properties: bytes, body: bytes, most: int) -> list[bytes]:
    """The header frame and the body frames of one message, with at most `most` bytes in each of these."""
    frames = [
        _head(_HEADER, channel, _CONTENT_BYTES + len(properties)),
        _content(_BASIC, 0, len(body)),
        properties,
        _FRAME_END,
    ]
    for start in range(0, len(body), most):
        part = body[start : start + most]
        frames += (_head(_BODY, channel, len(part)), part, _FRAME_END)
    return frames


def text_header(properties: bytes, name: str) -> str:
    """Returns one text header out of an encoded property list, "" when there is none; the others are not decoded."""
    encoded = name.encode()
    key = bytes((len(encoded),)) + encoded + b"S"
    found = properties.find(key)
    if found < 0:
        return ""
    start = found + len(key) + 4
    return properties[start : start + _length_at(properties, start - 4)[0]].decode()


def text_headers(properties: bytes, start: int) -> dict[str, str] | None:
    """Returns the header table that begins at `start` of an encoded property list, None when it holds more than texts."""
    headers = {}
    at = start + 4
    end = at + _length_at(properties, start)[0]
    while at < end:
        kind = at + 1 + properties[at]
        if properties[kind] != _TEXT:
            return None
        value = kind + 5
        after = value + _length_at(properties, kind + 1)[0]
        headers[properties[at + 1 : kind].decode()] = properties[value:after].decode()
        at = after
    return headers


class Intake:
    """Puts together the messages that are delivered or returned on one channel: `on_message(encoded properties, body)`.

    `tag` is the delivery tag of the latest message. `on_ack(tag, all before it too)` hears of what the broker confirms; without it
    these frames go to pika.
    """

    def __init__(
        self, on_message: Callable[[bytes, bytes], None], *, on_ack: Callable[[int, bool], None] | None = None
    ) -> None:
        self._on_message = on_message
        self._on_ack = on_ack
        self._properties = b""
        self._missing = 0
        self._parts: list[bytes] = []
        self.tag = 0

    def take(self, kind: int, data: bytes, start: int, end: int) -> bool:
        """Takes the payload data[start:end] of a frame; returns False when it is not part of a message."""
        if kind == _METHOD:
            method = data[start : start + 4]
            if method == _DELIVER:
                self.tag = _size_at(data, start + 5 + data[start + 4])[0]  # behind the consumer's tag
            elif method == _ACK and self._on_ack:
                self._on_ack(_size_at(data, start + 4)[0], bool(data[start + _CONTENT_BYTES] & 1))
                return True
            return method in (_DELIVER, _RETURN)
        if kind == _HEADER:
            self._missing = _size_at(data, start + 4)[0]
            self._properties = data[start + _CONTENT_BYTES : end]
        else:
            self._missing -= end - start
            self._parts.append(data[start:end])
        if not self._missing:
            parts, self._parts = self._parts, []
            self._on_message(self._properties, b"".join(parts))
        return True


class ByHand:
    """Mixin of a pika connection: messages of channels in `intakes` go past pika, everything else goes to it."""

    _frame_buffer: bytes
    bytes_received: int
    _process_frame: Callable[[Any], None]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.intakes: dict[int, Intake] = {}
        super().__init__(*arguments, **named)

    def _on_data_available(self, data_in: bytes) -> None:
        """Takes apart what arrived."""
        if not self.intakes:  # still greeting
            super()._on_data_available(data_in)  # type: ignore[misc]
            return
        data = self._frame_buffer + data_in
        at = 0
        while len(data) - at >= FRAME_EXTRA:
            kind, channel, size = head_at(data, at)
            end = at + FRAME_EXTRA + size
            if end > len(data):
                break
            intake = self.intakes.get(channel)
            if intake is None or not intake.take(kind, data, at + BEFORE, end - 1):
                self._process_frame(decode_frame(data[at:end])[1])
            at = end
        self._frame_buffer = data[at:]
        self.bytes_received += at  # by which pika knows that the broker is alive

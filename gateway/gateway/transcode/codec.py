"""A codec per message type: JSON bytes to wire bytes and back."""

from __future__ import annotations

from typing import Any

import orjson
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from gateway.transcode import anything
from gateway.transcode.decode import reader_of
from gateway.transcode.encode import writer_of
from gateway.transcode.failure import EncodeError
from gateway.transcode.text import read_json

anything.connect(reader_of=reader_of, writer_of=writer_of)


class Codec:
    """The proto3 JSON mapping of one message type.

    `new()` makes an empty message, `parse(bytes)` one from the wire; `read(message, data)` fills it from parsed JSON and
    `write(message)` returns data for orjson.
    """

    __slots__ = ("descriptor", "new", "parse", "read", "write")

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.new = message_factory.GetMessageClass(descriptor)
        self.parse = self.new.FromString
        self.read = reader_of(descriptor)
        self.write = writer_of(descriptor)

    def decode(self, text: bytes) -> Message:
        """Returns the message that JSON `text` describes. Raises DecodeError (JsonError when it is not JSON)."""
        message = self.new()
        self.read(message, read_json(text))
        return message

    def encode(self, message: Message) -> bytes:
        """Returns the JSON of a message, UTF-8. Raises EncodeError."""
        return dump(self.write(message))


def dump(data: Any) -> bytes:
    """Returns JSON of data made by a `write` function. Raises EncodeError when it is nested too deeply."""
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError as error:
        raise EncodeError(str(error)) from error


_codecs: dict[Descriptor, Codec] = {}


def codec_of(descriptor: Descriptor) -> Codec:
    """Returns the codec of a message type, compiled on first use."""
    found = _codecs.get(descriptor)
    return found or _codecs.setdefault(descriptor, Codec(descriptor))

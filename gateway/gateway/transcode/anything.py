"""google.protobuf.Any in JSON: the message it holds, with its type in "@type". Types are found in the default pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message

from gateway.transcode.failure import DecodeError, EncodeError, expected
from gateway.transcode.wellknown import WELL_KNOWN, WRAPPERS
from svckit.wellknown import descriptor_of

ANY = "google.protobuf.Any"

Reader = Callable[[Any, Any], None]
Writer = Callable[[Any], Any]
_readers: list[Callable[[Descriptor], Reader]] = []
_writers: list[Callable[[Descriptor], Writer]] = []


def connect(*, reader_of: Callable[[Descriptor], Reader], writer_of: Callable[[Descriptor], Writer]) -> None:
    """Tells where the codecs of other types are found; they need Any themselves, so they cannot be imported here."""
    _readers[:] = [reader_of]
    _writers[:] = [writer_of]


def _message_of(type_url: str) -> Message:
    try:
        descriptor = descriptor_pool.Default().FindMessageTypeByName(type_url.rpartition("/")[2])
    except KeyError:
        raise DecodeError(f"is of a type nobody here knows: {type_url[:200]}") from None
    return message_factory.GetMessageClass(descriptor)()


def _is_boxed(message: Message) -> bool:
    name = message.DESCRIPTOR.full_name
    return name in WELL_KNOWN or name in WRAPPERS or name == ANY


def read_any(message: Any, value: Any) -> None:
    """Fills an Any from an object with "@type". Raises DecodeError."""
    if value.__class__ is not dict:
        raise expected("an object", value)
    if not value:
        return
    type_url = value.get("@type")
    if type_url.__class__ is not str or "/" not in type_url:
        raise DecodeError("must be a type like type.googleapis.com/package.Message").inside("@type")
    inner = _message_of(type_url)
    _fill(inner, {key: item for key, item in value.items() if key != "@type"})
    message.type_url = type_url
    message.value = inner.SerializeToString()


def _fill(inner: Message, rest: dict[str, Any]) -> None:
    read = _readers[0](descriptor_of(inner))
    if not _is_boxed(inner):
        read(inner, rest)
        return
    if rest.keys() != {"value"}:
        raise DecodeError('must hold "@type" and "value" and nothing else')
    read(inner, rest["value"])


def write_any(message: Any) -> dict[str, Any]:
    """Returns the object with "@type" first. Raises EncodeError for an unknown type or bytes that are not of it."""
    if not message.type_url:
        return {}
    try:
        inner = _message_of(message.type_url)
        inner.ParseFromString(message.value)
    except (DecodeError, WireError) as error:
        raise EncodeError(f"an Any of {message.type_url} cannot be read") from error
    data = _writers[0](descriptor_of(inner))(inner)
    return {"@type": message.type_url, "value": data} if _is_boxed(inner) else {"@type": message.type_url, **data}

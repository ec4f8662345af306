"""Which texts of a request somebody wrote freely, found from its descriptor; each is screened before the handler sees it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from binglian.options.v1 import options_pb2
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from population.privacy.screening import check_text
from svckit.masking import sensitivity_of

_SHORTEST = 8
"""Where at most so few characters fit, there is a code."""
_NOT_WRITTEN = frozenset({"request_id", "page_token", "filter", "order_by", "paths", "update_mask"})


def check_request(request: Message) -> None:
    """Raises InvalidArgument (RESTRICTED_CONTENT, NUMBER_IN_TEXT) naming the first field that says what must not be kept."""
    _check(request, "")


def _check(message: Any, path: str) -> None:
    for field, sensitive in _texts(message.DESCRIPTOR):
        value = getattr(message, field.name)
        for place, text in enumerate(value) if field.is_repeated else ((-1, value),):
            if text:
                at = f"{path}{field.name}" if place < 0 else f"{path}{field.name}[{place}]"
                check_text(text, field=at, sensitive=sensitive)
    for field in _inner(message.DESCRIPTOR):
        for at, part in _parts(message, field):
            _check(part, f"{path}{field.name}{at}.")


def _parts(message: Any, field: FieldDescriptor) -> Iterator[tuple[str, Message]]:
    value = getattr(message, field.name)
    if field.is_repeated:
        yield from ((f"[{place}]", part) for place, part in enumerate(value))
    elif message.HasField(field.name):
        yield "", value


@cache
def _texts(descriptor: Descriptor) -> tuple[tuple[FieldDescriptor, bool], ...]:
    sensitive = options_pb2.SENSITIVITY_L3
    return tuple((field, sensitivity_of(field) >= sensitive) for field in descriptor.fields if _is_written(field))


@cache
def _inner(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Message fields that hold texts, however deep; maps are not used for what people write."""
    return tuple(field for field in descriptor.fields if _holds_texts(field, frozenset()))


def _holds_texts(field: FieldDescriptor, seen: frozenset[str]) -> bool:
    inner = field.message_type
    if inner is None or inner.GetOptions().map_entry or inner.full_name in seen or inner.file.package.startswith("google."):
        return False
    deeper = seen | {inner.full_name}
    return any(_is_written(each) or _holds_texts(each, deeper) for each in inner.fields)


def _is_written(field: FieldDescriptor) -> bool:
    """A text without a form: no id, code, pattern or link; those with a mask are made for numbers, but for names, which are written."""
    if field.type != FieldDescriptor.TYPE_STRING or field.name in _NOT_WRITTEN:
        return False
    if field.GetOptions().Extensions[options_pb2.personal].mask not in (options_pb2.MASK_UNSPECIFIED, options_pb2.MASK_NAME):
        return False
    rules = field.GetOptions().Extensions[validate_pb2.field]
    strings = rules.repeated.items.string if field.is_repeated else rules.string
    formed = (
        strings.HasField("pattern") or strings.WhichOneof("well_known") or strings.HasField("const") or strings.HasField("len")
    )
    return not formed and not 0 < strings.max_len <= _SHORTEST

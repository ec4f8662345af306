"""Path and query parameters into the fields of a message: `page_size=5`, `filter.state=OPEN`, `states=A&states=B`.

Field paths may use proto or JSON names. Scalars, enums, repeated ones of these, and the well-known types whose JSON is one
scalar (times, durations, masks, wrappers) can be set; other messages and maps cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote_plus

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.transcode.decode import reader_of
from gateway.transcode.failure import DecodeError
from gateway.transcode.scalars import parse_bool_text, text_parser_of
from gateway.transcode.wellknown import WRAPPERS
from svckit.wellknown import is_map, part_of

Set = Callable[[Any, Sequence[str]], None]
_TEXTUAL = {"google.protobuf.Timestamp", "google.protobuf.Duration", "google.protobuf.FieldMask"}
_MAX_PARAMETERS = 200


def read_query(text: str) -> dict[str, list[str]]:
    """Returns the values by name, in order. Raises DecodeError for broken percent-encoding and far too many parameters."""
    found: dict[str, list[str]] = {}
    pairs = text.split("&")
    if len(pairs) > _MAX_PARAMETERS:
        raise DecodeError(f"must not hold more than {_MAX_PARAMETERS} parameters").inside("query")
    for pair in pairs:
        if pair:
            name, _, value = pair.partition("=")
            found.setdefault(_decoded(name), []).append(_decoded(value))
    return found


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquote_plus(text, errors="strict")
    except UnicodeDecodeError as error:
        raise DecodeError("is not UTF-8").inside("query") from error


class Binder:
    """Sets fields of one message type from text. Setters are made when a path is first used; known paths are few."""

    __slots__ = ("_descriptor", "_setters")

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._setters: dict[str, Set] = {}

    def bind(self, message: Any, path: str, values: Sequence[str]) -> None:
        """Sets the field at `path`. Raises DecodeError naming it when it does not exist or a value does not fit."""
        setter = self._setters.get(path)
        try:
            if setter is None:
                setter = self._setters[path] = make_setter(self._descriptor, path)
            setter(message, values)
        except DecodeError as error:
            raise error.inside(path) from None

    def agrees(self, message: Any, path: str, value: str) -> bool:
        """Tells whether the field at `path` is unset or holds what `value` says: body and path must not contradict."""
        present = _at(message, path)
        if not present:
            return True
        other = type(message)()
        self.bind(other, path, (value,))
        return bool(present == _at(other, path))


def _at(message: Any, path: str) -> Any:
    for name in path.split("."):
        message = getattr(message, name)
    return message


def field_at(descriptor: Descriptor, path: str) -> list[FieldDescriptor]:
    """Returns the fields along a path. Raises DecodeError when one does not exist or cannot be looked into."""
    steps: list[FieldDescriptor] = []
    for name in path.split("."):
        inside = part_of(steps[-1]) if steps else descriptor
        field = inside.fields_by_name.get(name) or inside.fields_by_camelcase_name.get(name)
        if field is None:
            raise DecodeError("is not a field here")
        steps.append(field)
        if len(steps) < path.count(".") + 1 and (field.is_repeated or field.message_type is None):
            raise DecodeError("is not a field here")
    return steps


def settable(field: FieldDescriptor) -> bool:
    """Tells whether a field can be set from text."""
    kind = field.message_type
    return not is_map(field) and (kind is None or kind.full_name in _TEXTUAL or kind.full_name in WRAPPERS)


def make_setter(descriptor: Descriptor, path: str) -> Set:
    """Returns the function that sets the field at `path` from its texts. Raises DecodeError."""
    *parents, field = field_at(descriptor, path)
    if not settable(field):
        raise DecodeError("cannot be given as a parameter")
    names = [parent.name for parent in parents]
    setter = _repeated(field) if field.is_repeated else _single(field)

    def set_nested(message: Any, values: Sequence[str]) -> None:
        for name in names:
            message = getattr(message, name)
        setter(message, values)

    return set_nested if names else setter


def _single(field: FieldDescriptor) -> Set:
    name, parse = field.name, text_parser_of(field) if field.message_type is None else None
    read = None if parse else _reader(field)

    def set_one(message: Any, values: Sequence[str]) -> None:
        if len(values) != 1:
            raise DecodeError("is given more than once")
        if parse:
            setattr(message, name, parse(values[0]))
        elif read:
            part = getattr(message, name)
            part.SetInParent()
            read(part, values[0])

    return set_one


def _repeated(field: FieldDescriptor) -> Set:
    name, parse = field.name, text_parser_of(field) if field.message_type is None else None
    read = None if parse else _reader(field)

    def set_all(message: Any, values: Sequence[str]) -> None:
        parts = getattr(message, name)
        for value in values:
            if parse:
                parts.append(parse(value))
            elif read:
                read(parts.add(), value)

    return set_all


def _reader(field: FieldDescriptor) -> Callable[[Any, Any], None]:
    kind = part_of(field)
    read = reader_of(kind)
    if kind.full_name != "google.protobuf.BoolValue":
        return read
    return lambda part, text: read(part, parse_bool_text(text))

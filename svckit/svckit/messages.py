"""Between Python data and protobuf messages, by code generated once per message type.

Python data means: a dict, a raw database document or a `msgspec.Struct`, with proto field names (snake_case), short enum names
("parallel" for CASE_STATE_PARALLEL), aware UTC datetimes for Timestamp, timedelta for Duration, plain values for the wrapper
types, lists (or tuples) for repeated fields and dicts for maps. Nothing is masked here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from svckit.event_codec import event_fields, event_json, event_type
from svckit.generating import Workshop, assignment, attribute, indent
from svckit.wellknown import copy_message, descriptor_of, enum_names, enum_numbers, is_map, map_value, part_of, special_codec

__all__ = ["event_fields", "event_json", "event_type", "reader_of", "to_fields", "to_message"]

M = TypeVar("M", bound=Message)

_FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_shop = Workshop()


def to_message(cls: type[M], source: object, *, id_field: str = "") -> M:
    """Returns a `cls` filled from a dict, a raw document or a struct; what the message does not know is ignored.

    None and missing mean "not set". Nested messages may be given as messages of their type. `id_field` names the field that
    takes the `_id` of a raw document. Raises ValueError (unknown enum name, naive datetime) or TypeError (wrong type): the data
    is ours, so this is a defect, not a client's mistake.
    """
    message = cls()
    _writers(descriptor_of(cls))[type(source)](source, message)
    if id_field and isinstance(source, Mapping):
        setattr(message, id_field, source["_id"])
    return message


def to_fields(message: Message) -> dict[str, Any]:
    """Returns the fields of a message as Python data, as `msgspec.convert` and the operations take them.

    Unset messages, unset `optional` fields and unspecified enums are absent; everything else is present, empty or not. Times
    are cut to milliseconds. Raises InvalidArgument for an enum number or a time that does not exist.
    """
    fields: dict[str, Any] = reader_of(descriptor_of(message))(message)
    return fields


# ---------------------------------------------------------------------------------------------------- Python data → message


class _Writers(dict[type, Callable[[Any, Any], None]]):
    """The generated functions that fill one message type, by the Python type of the source."""

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._special = special_codec(descriptor)

    def __missing__(self, kind: type) -> Callable[[Any, Any], None]:
        if issubclass(kind, Message):
            self[kind] = copy_message
        elif self._special:
            self[kind] = self._special[0]
        else:
            self[kind] = _compile_writer(self._descriptor, kind)
        return self[kind]


@functools.cache
def _writers(descriptor: Descriptor) -> _Writers:
    return _Writers(descriptor)


def _compile_writer(descriptor: Descriptor, kind: type) -> Callable[[Any, Any], None]:
    lines = ["get = source.get"] if issubclass(kind, Mapping) else []
    for field in descriptor.fields:
        value = _source_of(field.name, kind)
        if value:
            lines += [f"v = {value}", *_write_field(field)]
    return _shop.compile(f"write_{descriptor.name}", "source, message", lines)


def _source_of(name: str, kind: type) -> str:
    if issubclass(kind, Mapping):
        return f"get({name!r})"
    if issubclass(kind, msgspec.Struct):
        return attribute("source", name) if name in kind.__struct_fields__ else ""
    if issubclass(kind, str | bytes | int | float | list | tuple):
        raise TypeError(f"a {kind.__name__} cannot become a message")
    return f"getattr(source, {name!r}, None)"


def _write_field(field: FieldDescriptor) -> list[str]:
    if is_map(field):
        return ["if v:", *indent(_write_map(field))]
    if field.is_repeated:
        return ["if v:", *indent(_write_repeated(field))]
    if field.message_type:
        return ["if v is not None:", *indent(_write_single(field))]
    always = field.has_presence or field.cpp_type in _FLOATS  # a float may be -0.0, which is not the default
    return ["if v is not None:" if always else "if v:", *indent([assignment("message", field.name, _number(field, "v"))])]


def _write_single(field: FieldDescriptor) -> list[str]:
    lines = [f"part = {attribute('message', field.name)}", "part.SetInParent()"]
    return [*lines, f"{_fill(part_of(field), 'v')}(v, part)"]


def _write_repeated(field: FieldDescriptor) -> list[str]:
    parts = attribute("message", field.name)
    if field.message_type:
        return [f"add = {parts}.add", "for x in v:", f"    {_fill(part_of(field), 'x')}(x, add())"]
    if field.enum_type:
        return [f"{parts}.extend([{_number(field, 'x')} for x in v])"]
    return [f"{parts}.extend(v)"]


def _write_map(field: FieldDescriptor) -> list[str]:
    value = map_value(field)
    lines = [f"parts = {attribute('message', field.name)}", "for k, x in v.items():"]
    if value.message_type:
        return [*lines, f"    {_fill(part_of(value), 'x')}(x, parts[k])"]
    return [*lines, f"    parts[k] = {_number(value, 'x')}"]


def _fill(descriptor: Descriptor, variable: str) -> str:
    return f"{_shop.bind(_writers(descriptor))}[type({variable})]"


def _number(field: FieldDescriptor, variable: str) -> str:
    if not field.enum_type:
        return variable
    return f"{_shop.bind(enum_numbers(field))}[{variable}]"


# ---------------------------------------------------------------------------------------------------- message → Python data

_readers: dict[Descriptor, str] = {}


def reader_of(descriptor: Descriptor) -> Callable[[Message], Any]:
    """Returns the generated function behind `to_fields` for one message type."""
    return _shop.function(_reader(descriptor))


def _reader(descriptor: Descriptor) -> str:
    name = _readers.get(descriptor)
    if name is None:
        name = f"read{len(_readers)}_{descriptor.name}"
        special = special_codec(descriptor)
        if special:
            name = _shop.bind(special[1])
            _readers[descriptor] = name
            return name
        _readers[descriptor] = name
        _shop.compile(name, "message", _read_lines(descriptor))
    return name


def _read_lines(descriptor: Descriptor) -> list[str]:
    plain = [field for field in descriptor.fields if _always_present(field)]
    items = ", ".join(f"{field.name!r}: {_read_value(field)}" for field in plain)
    lines = [f"fields = {{{items}}}"]
    for field in descriptor.fields:
        if not _always_present(field):
            lines += _read_optional(field)
    return [*lines, "return fields"]


def _always_present(field: FieldDescriptor) -> bool:
    return field.is_repeated or not (field.has_presence or field.enum_type)


def _read_optional(field: FieldDescriptor) -> list[str]:
    value = _read_value(field)
    condition = f"message.HasField({field.name!r})" if field.has_presence else attribute("message", field.name)
    return [f"if {condition}:", f"    fields[{field.name!r}] = {value}"]


def _read_value(field: FieldDescriptor) -> str:
    value = attribute("message", field.name)
    if is_map(field):
        return f"{{k: {_read_item(map_value(field), 'x')} for k, x in {value}.items()}}"
    if not field.is_repeated:
        return _read_item(field, value)
    item = _read_item(field, "x")
    return f"list({value})" if item == "x" else f"[{item} for x in {value}]"


def _read_item(field: FieldDescriptor, value: str) -> str:
    if field.message_type:
        return f"{_reader(part_of(field))}({value})"
    if field.enum_type:
        return f"{_shop.bind(enum_names(field))}[{value}]"
    return value

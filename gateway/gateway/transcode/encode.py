"""Messages to JSON-ready Python data, by functions generated once per message type.

Canonical proto3 JSON: lowerCamelCase names, fields without presence left out at their default, enums by name, 64-bit integers
as strings. `writer_of(descriptor)` returns `write(message) -> data for orjson`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import copysign
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.transcode.anything import ANY, write_any
from gateway.transcode.scalars import enum_names, write_bytes, write_double, write_float
from gateway.transcode.wellknown import WELL_KNOWN, WRAPPERS
from svckit.generating import Workshop, attribute, indent
from svckit.wellknown import enum_of, is_map, map_key, map_value

F = FieldDescriptor
_LONG = {F.CPPTYPE_INT64, F.CPPTYPE_UINT64}
_FLOATS = {F.CPPTYPE_DOUBLE, F.CPPTYPE_FLOAT}
_shop = Workshop()
_writers: dict[Descriptor, str] = {}


def writer_of(descriptor: Descriptor) -> Callable[[Any], Any]:
    """Returns the function that turns a message of this type into data for orjson. It raises EncodeError."""
    return _shop.function(_writer(descriptor))


def _writer(descriptor: Descriptor) -> str:
    name = _writers.get(descriptor)
    if name is None:
        name = _special(descriptor) or f"write{len(_writers)}_{descriptor.name}"
        _writers[descriptor] = name  # before compiling: a message may contain itself
        if descriptor.full_name in WRAPPERS:
            _shop.compile(name, "m", [f"return {_item(descriptor.fields_by_name['value'], 'm.value')}"])
        elif not _special(descriptor):
            _shop.compile(name, "m", _lines(descriptor))
    return name


def _special(descriptor: Descriptor) -> str:
    if descriptor.full_name == ANY:
        return _shop.bind(write_any)
    known = WELL_KNOWN.get(descriptor.full_name)
    return _shop.bind(known.write) if known else ""


def _lines(descriptor: Descriptor) -> list[str]:
    lines = ["d = {}"]
    for field in sorted(descriptor.fields, key=lambda field: field.number):
        lines += _field(field)
    return [*lines, "return d"]


def _field(field: FieldDescriptor) -> list[str]:
    value = attribute("m", field.name)
    if is_map(field):
        return [f"v = {value}", "if v:", *indent(_map(field))]
    if field.is_repeated:
        return [f"v = {value}", "if v:", f"    d[{field.json_name!r}] = {_list(field)}"]
    if field.has_presence:
        return [f"if m.HasField({field.name!r}):", f"    d[{field.json_name!r}] = {_item(field, value)}"]
    return [f"v = {value}", f"if {_not_default(field)}:", f"    d[{field.json_name!r}] = {_item(field, 'v')}"]


def _not_default(field: FieldDescriptor) -> str:
    # -0.0 equals 0.0 but is not the default.
    return f"v or {_shop.bind(copysign)}(1.0, v) < 0" if field.cpp_type in _FLOATS else "v"


def _list(field: FieldDescriptor) -> str:
    item = _item(field, "x")
    return "list(v)" if item == "x" else f"[{item} for x in v]"


def _map(field: FieldDescriptor) -> list[str]:
    key, value = map_key(field), map_value(field)
    text = {F.CPPTYPE_STRING: "k", F.CPPTYPE_BOOL: "'true' if k else 'false'"}.get(key.cpp_type, "str(k)")
    return [f"d[{field.json_name!r}] = {{{text}: {_item(value, 'v[k]')} for k in v}}"]


def _item(field: FieldDescriptor, value: str) -> str:
    """The expression that turns one value of the field into JSON data."""
    if field.message_type:
        return f"{_writer(field.message_type)}({value})"
    if field.enum_type:
        return _enum(field, value)
    if field.type == F.TYPE_BYTES:
        return f"{_shop.bind(write_bytes)}({value})"
    if field.cpp_type in _LONG:
        return f"str({value})"
    if field.cpp_type == F.CPPTYPE_FLOAT:
        return f"{_shop.bind(write_float)}({value})"
    if field.cpp_type == F.CPPTYPE_DOUBLE:
        return f"{_shop.bind(write_double)}({value})"
    return value


def _enum(field: FieldDescriptor, value: str) -> str:
    if enum_of(field).full_name == "google.protobuf.NullValue":
        return "None"
    names = _shop.bind(_names(field))
    if value.isidentifier():
        return f"{names}.get({value}, {value})"
    return f"{_shop.bind(_named)}({names}, {value})"


def _named(names: dict[int, str], number: int) -> str | int:
    return names.get(number, number)


_enum_tables: dict[Any, dict[int, str]] = {}


def _names(field: FieldDescriptor) -> dict[int, str]:
    return _enum_tables.setdefault(field.enum_type, enum_names(enum_of(field)))


def field_writer(field: FieldDescriptor) -> Callable[[Any], Any]:
    """Returns the function that turns one field of a message into JSON data, present or not (for `response_body`)."""
    value = attribute("m", field.name)
    item = _item(field, "x" if field.is_repeated else value)
    body = f"[{item} for x in {value}]" if field.is_repeated else item
    return _shop.compile(f"field_{field.full_name.replace('.', '_')}", "m", [f"return {body}"])

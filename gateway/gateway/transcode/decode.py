"""Parsed JSON into messages, by functions generated once per message type.

`reader_of(descriptor)` returns `read(message, value)`, which fills an empty message and raises DecodeError. Accepted: JSON names and
proto names, everything the proto3 JSON mapping allows. Refused: unknown fields, a field under both its names, two members of
one oneof, null elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway.transcode.anything import ANY, read_any
from gateway.transcode.failure import DecodeError, expected
from gateway.transcode.scalars import parser_of, text_parser_of
from gateway.transcode.wellknown import WELL_KNOWN, WRAPPERS
from svckit.generating import Workshop, assignment, attribute, indent
from svckit.wellknown import is_map, map_key, map_value

Read = Callable[[Any, Any], None]
_shop = Workshop()
_readers: dict[Descriptor, str] = {}


def reader_of(descriptor: Descriptor) -> Read:
    """Returns the function that fills a message of this type from parsed JSON."""
    return _shop.function(_reader(descriptor))


def _reader(descriptor: Descriptor) -> str:
    name = _readers.get(descriptor)
    if name is None:
        name = _special(descriptor) or f"read{len(_readers)}_{descriptor.name}"
        _readers[descriptor] = name  # before compiling: a message may contain itself
        if descriptor.full_name in WRAPPERS:
            parse = _shop.bind(parser_of(descriptor.fields_by_name["value"]))
            _shop.compile(name, "message, value", [f"message.value = {parse}(value)"])
        elif not _special(descriptor):
            _compile(name, descriptor)
    return name


def _special(descriptor: Descriptor) -> str:
    if descriptor.full_name == ANY:
        return _shop.bind(read_any)
    known = WELL_KNOWN.get(descriptor.full_name)
    return _shop.bind(known.read) if known else ""


def _compile(name: str, descriptor: Descriptor) -> None:
    setters = {field.json_name: _setter(field, f"{name}_{field.name}") for field in descriptor.fields}
    aliases = {field.name: field.json_name for field in descriptor.fields if field.name not in setters}
    find, alias = _shop.bind(setters.get), _shop.bind(_alias_finder(setters, aliases))
    oneofs = _oneofs(descriptor)
    lines = [
        "if value.__class__ is not dict:",
        f"    raise {_shop.bind(expected)}('an object', value)",
        "for key, item in value.items():",
        f"    setter = {find}(key) or {alias}(key, value)",
        "    try:",
        "        setter(message, item)",
        f"    except {_shop.bind(DecodeError)} as error:",
        "        raise error.inside(key)",
        *([f"{_shop.bind(_check_oneofs)}(value, {_shop.bind(oneofs)})"] if oneofs else []),
    ]
    _shop.compile(name, "message, value", lines)


def _alias_finder(setters: dict[str, Read], aliases: dict[str, str]) -> Callable[[str, dict[str, Any]], Read]:
    def find(key: str, value: dict[str, Any]) -> Read:
        json_name = aliases.get(key)
        if json_name is None:
            raise DecodeError("is not a field here").inside(key)
        if json_name in value:
            raise DecodeError(f"is given twice, also as {json_name}").inside(key)
        return setters[json_name]

    return find


Oneofs = tuple[tuple[tuple[str, str], ...], ...]


def _oneofs(descriptor: Descriptor) -> Oneofs:
    """The groups of fields of which one at most may be given, each field as (JSON name, proto name)."""
    groups = ([(field.json_name, field.name) for field in oneof.fields] for oneof in descriptor.oneofs)
    return tuple(tuple(group) for group in groups if len(group) > 1)


def _check_oneofs(value: dict[str, Any], oneofs: Oneofs) -> None:
    for group in oneofs:
        given = [json for json, proto in group if value.get(json) is not None or value.get(proto) is not None]
        if len(given) > 1:
            raise DecodeError(f"excludes {given[0]}").inside(given[1])


# ---------------------------------------------------------------------------------------------------- one field


def _setter(field: FieldDescriptor, name: str) -> Read:
    if is_map(field):
        lines = _map(field)
    elif field.is_repeated:
        lines = _repeated(field)
    else:
        lines = _single(field)
    if not _takes_null(field):
        lines = ["if v is None:", "    return", *lines]
    return _shop.compile(f"set_{name}", "m, v", lines)


def _takes_null(field: FieldDescriptor) -> bool:
    return not field.is_repeated and bool(
        (field.message_type and field.message_type.full_name == "google.protobuf.Value") or _is_null_value(field)
    )


def _is_null_value(field: FieldDescriptor) -> bool:
    return bool(field.enum_type and field.enum_type.full_name == "google.protobuf.NullValue")


def _single(field: FieldDescriptor) -> list[str]:
    if field.message_type:
        return [f"part = {attribute('m', field.name)}", "part.SetInParent()", f"{_reader(field.message_type)}(part, v)"]
    parse = f"{_shop.bind(parser_of(field))}(v)"
    return [assignment("m", field.name, f"0 if v is None else {parse}" if _is_null_value(field) else parse)]


def _repeated(field: FieldDescriptor) -> list[str]:
    parts = attribute("m", field.name)
    head = [
        "if v.__class__ is not list:",
        f"    raise {_shop.bind(expected)}('an array', v)",
        f"add = {parts}.{'add' if field.message_type else 'append'}",
        "i = -1",
        "try:",
    ]
    # Counting by hand: the index is wanted only when an element is wrong.
    body = ["    for x in v:", "        i += 1", *indent(indent(_no_null(field, "x"))), f"        {_element(field)}"]
    return [*head, *body, f"except {_shop.bind(DecodeError)} as error:", "    raise error.inside(i)"]


def _element(field: FieldDescriptor) -> str:
    if field.message_type:
        return f"{_reader(field.message_type)}(add(), x)"
    return f"add({_shop.bind(parser_of(field))}(x))"


def _no_null(field: FieldDescriptor, variable: str) -> list[str]:
    if field.message_type and field.message_type.full_name == "google.protobuf.Value":
        return []
    return [f"if {variable} is None:", f"    raise {_shop.bind(DecodeError)}('must not be null')"]


def _map(field: FieldDescriptor) -> list[str]:
    key, value = map_key(field), map_value(field)
    fill = (
        f"{_reader(value.message_type)}(parts[key], x)"
        if value.message_type
        else f"parts[key] = {_shop.bind(parser_of(value))}(x)"
    )
    return [
        "if v.__class__ is not dict:",
        f"    raise {_shop.bind(expected)}('an object', v)",
        f"parts = {attribute('m', field.name)}",
        "for k, x in v.items():",
        "    try:",
        f"        key = {_shop.bind(text_parser_of(key))}(k)",
        *indent(indent(_no_null(value, "x"))),
        f"        {fill}",
        f"    except {_shop.bind(DecodeError)} as error:",
        "        raise error.inside(k)",
    ]

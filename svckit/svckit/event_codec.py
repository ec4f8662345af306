"""Events as JSON: the proto3 JSON of the event's message, written from domain structs and read back, by generated code.

An event is a struct named like its message in `binglian/<service>/v1/events.proto`; the message's option
`(binglian.options.v1.event)` is its type and routing key.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import importlib
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from svckit.generating import Workshop, attribute, indent
from svckit.wellknown import UTC, WRAPPERS, EnumNumbers, enum_names, enum_numbers, enum_of, is_map, map_key, map_value, part_of

_LONG = frozenset(
    (
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_SINT64,
    )
)
_FLOAT = frozenset((FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT))
_shop = Workshop()
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def event_type(event: Any) -> str:
    """Returns the type of an event struct or class, which is its routing key: "mediation.case_dispatched.v1".

    Raises LookupError when no event message carries the name of the struct's class.
    """
    kind: Any = event if isinstance(event, type) else type(event)
    return _described(kind)[0]


def event_json(event: Any) -> bytes:
    """Returns the proto3 JSON of an event struct (camelCase, full enum names, RFC 3339 with milliseconds, no defaults)."""
    kind: Any = type(event)
    return message_json(_described(kind)[1], event)


def message_json(descriptor: Descriptor, source: object) -> bytes:
    """Returns the proto3 JSON of Python data for any message type, as `event_json` does for events."""
    return _encode(_writers(descriptor)[type(source)](source))


def event_fields(event_type: str, data: bytes | str) -> dict[str, Any]:
    """Returns the fields of a received event in the form of `messages.to_fields`, whoever published it.

    Unknown fields and enum names of a newer publisher are left out. Raises LookupError for a type that no proto declares and
    ValueError for data that is not the JSON of this event.
    """
    return message_fields(_by_type(event_type.partition(".")[0])[event_type], data)


def message_fields(descriptor: Descriptor, data: bytes | str) -> dict[str, Any]:
    """Returns the fields in proto3 JSON of any message type, as `event_fields` does for events."""
    try:
        fields: dict[str, Any] = _shop.function(_parser(descriptor))(_decode(data))
    except (TypeError, AttributeError, msgspec.DecodeError) as error:
        raise ValueError(f"this is not the JSON of {descriptor.full_name}") from error
    return fields


def bind_events(*, module: str, events: ModuleType) -> None:
    """Says that the event structs of the Python module `module` are described by the messages of `events`.

    Needed only where the rule "structs of package X belong to binglian.X.v1.events_pb2" does not hold, as in tests.
    """
    _bound[module] = events


# ---------------------------------------------------------------------------------------------------- finding the message

_bound: dict[str, ModuleType] = {}


@functools.cache
def _described(kind: type) -> tuple[str, Descriptor]:
    events = _bound.get(kind.__module__) or _events_of(kind.__module__.partition(".")[0])
    descriptor = described_in(events, kind.__name__)
    return type_of(descriptor), descriptor


def described_in(events: ModuleType, name: str) -> Descriptor:
    """Returns the message called `name` of a module of generated code. Raises LookupError when there is none."""
    descriptor: Descriptor | None = events.DESCRIPTOR.message_types_by_name.get(name)
    if descriptor is None:
        raise LookupError(f"{events.__name__} has no message {name}")
    return descriptor


def type_of(descriptor: Descriptor) -> str:
    """Returns the event type declared by a message. Raises LookupError when it declares none."""
    from binglian.options.v1 import options_pb2

    name: str = descriptor.GetOptions().Extensions[options_pb2.event]
    if not name:
        raise LookupError(f"{descriptor.full_name} lacks the option (binglian.options.v1.event)")
    return name


def _events_of(service: str) -> ModuleType:
    try:
        return importlib.import_module(f"binglian.{service}.v1.events_pb2")
    except ImportError as error:
        raise LookupError(f"no events are declared for {service!r}") from error


class _Types(dict[str, Descriptor]):
    def __missing__(self, key: str) -> Descriptor:
        raise LookupError(f"no proto declares the event type {key!r}")


@functools.cache
def _by_type(service: str) -> Mapping[str, Descriptor]:
    from binglian.options.v1 import options_pb2

    messages = _events_of(service).DESCRIPTOR.message_types_by_name.values()
    keyed = ((message.GetOptions().Extensions[options_pb2.event], message) for message in messages)
    return _Types((key, message) for key, message in keyed if key)


# ---------------------------------------------------------------------------------------------------- struct → JSON


class _Writers(dict[type, Callable[[Any], Any]]):
    """The generated functions that turn a source of one Python type into the JSON-like dict of one message."""

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        self._descriptor = descriptor

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        special = _SPECIAL_OUT.get(self._descriptor.full_name)
        self[kind] = special or _compile_writer(self._descriptor, kind)
        return self[kind]


@functools.cache
def _writers(descriptor: Descriptor) -> _Writers:
    return _Writers(descriptor)


def _compile_writer(descriptor: Descriptor, kind: type) -> Callable[[Any], Any]:
    mapping = issubclass(kind, Mapping)
    lines = ["out = {}"]
    for field in descriptor.fields:
        if mapping:
            lines.append(f"v = source.get({field.name!r})")
        elif field.name in getattr(kind, "__struct_fields__", ()):
            lines.append(f"v = {attribute('source', field.name)}")
        else:
            continue
        lines += _write_field(field)
    return _shop.compile(f"write_{descriptor.name}", "source", [*lines, "return out"])


def _write_field(field: FieldDescriptor) -> list[str]:
    value = _out_item(field, "v")
    if is_map(field):
        value = f"{{{_key_out(field)}: {_out_item(map_value(field), 'x')} for k, x in v.items()}}"
    elif field.is_repeated:
        value = f"[{_out_item(field, 'x')} for x in v]" if _out_item(field, "x") != "x" else "v"
    return [_condition(field), *indent([f"out[{field.json_name!r}] = {value}"])]


def _condition(field: FieldDescriptor) -> str:
    if field.is_repeated:
        return "if v:"
    if field.has_presence:
        return "if v is not None:"
    return "if v or str(v) == '-0.0':" if field.type in _FLOAT else "if v:"  # minus zero is not the default


def _key_out(field: FieldDescriptor) -> str:
    key = map_key(field)
    if key.type == FieldDescriptor.TYPE_STRING:
        return "k"
    return "('true' if k else 'false')" if key.type == FieldDescriptor.TYPE_BOOL else "str(k)"


def _out_item(field: FieldDescriptor, value: str) -> str:
    if field.message_type:
        return f"{_shop.bind(_writers(part_of(field)))}[type({value})]({value})"
    if field.enum_type:
        return f"{_shop.bind(_enum_out(field))}[{value}]"
    converter = _scalar_out(field.type)
    return f"{_shop.bind(converter)}({value})" if converter else value


def _scalar_out(kind: int) -> Callable[[Any], Any] | None:
    if kind in _LONG:
        return str
    if kind in _FLOAT:
        return _float_out
    return _bytes_out if kind == FieldDescriptor.TYPE_BYTES else None


def _float_out(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _bytes_out(value: bytes) -> str:
    return base64.b64encode(value).decode()


class _EnumOut(dict[Any, str]):
    """Full name of an enum value by its short name, full name or number."""

    def __init__(self, numbers: EnumNumbers, field: FieldDescriptor) -> None:
        names = {value.number: value.name for value in reversed(enum_of(field).values)}
        super().__init__((key, names[number]) for key, number in numbers.items())
        self._numbers = numbers

    def __missing__(self, key: object) -> str:
        return str(self._numbers[key])  # raises the ValueError that names the enum


@functools.cache
def _enum_out(field: FieldDescriptor) -> _EnumOut:
    return _EnumOut(enum_numbers(field), field)


def timestamp_json(value: dt.datetime) -> str:
    """Returns RFC 3339 in UTC with milliseconds. Raises ValueError for a naive datetime."""
    if value.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot become a Timestamp")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(timespec="milliseconds")[:-6] + "Z"


def _duration_json(value: dt.timedelta) -> str:
    micros = value // dt.timedelta(microseconds=1)
    whole, part = divmod(abs(micros), 1_000_000)
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{part:06d}s" if part else f"{sign}{whole}s"


def _same(value: Any) -> Any:
    return value


def _unsupported(_value: Any) -> Any:
    raise NotImplementedError("events hold no Any and no FieldMask")


_SPECIAL_OUT: dict[str, Callable[[Any], Any]] = {
    "google.protobuf.Timestamp": timestamp_json,
    "google.protobuf.Duration": _duration_json,
    **dict.fromkeys(("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue", *WRAPPERS), _same),
    **dict.fromkeys(("google.protobuf.Int64Value", "google.protobuf.UInt64Value"), str),
    **dict.fromkeys(("google.protobuf.DoubleValue", "google.protobuf.FloatValue"), _float_out),
    "google.protobuf.BytesValue": _bytes_out,
    **dict.fromkeys(("google.protobuf.Any", "google.protobuf.FieldMask"), _unsupported),
}


# ---------------------------------------------------------------------------------------------------- JSON → fields

_parsers: dict[Descriptor, str] = {}


def _parser(descriptor: Descriptor) -> str:
    name = _parsers.get(descriptor)
    if name is None:
        special = _SPECIAL_IN.get(descriptor.full_name)
        name = _shop.bind(special) if special else f"parse{len(_parsers)}_{descriptor.name}"
        _parsers[descriptor] = name
        if not special:
            _shop.compile(name, "source", _parse_lines(descriptor))
    return name


def _parse_lines(descriptor: Descriptor) -> list[str]:
    lines = ["get = source.get", "fields = {}"]
    for field in descriptor.fields:
        lines.append(f"v = get({field.json_name!r})")
        lines += _parse_field(field)
    return [*lines, "return fields"]


def _parse_field(field: FieldDescriptor) -> list[str]:
    target = f"fields[{field.name!r}]"
    if is_map(field):
        value = map_value(field)
        items = f"{_key_in(field)}: {_in_item(value, 'x')} for k, x in v.items(){_if_known(value)}"
        return [f"{target} = {{{items}}} if v else {{}}"]
    if field.is_repeated:
        return [f"{target} = [{_in_item(field, 'x')} for x in v{_if_known(field)}] if v else []"]
    if field.enum_type:
        condition = "" if field.has_presence else f" and v != {field.enum_type.values_by_number[0].name!r}"
        return [f"if v in {_shop.bind(_enum_in(field))}{condition}:", f"    {target} = {_in_item(field, 'v')}"]
    if field.has_presence:
        return ["if v is not None:", f"    {target} = {_in_item(field, 'v')}"]
    return [f"{target} = {_in_item(field, 'v')} if v is not None else {field.default_value!r}"]


def _if_known(field: FieldDescriptor) -> str:
    return f" if x in {_shop.bind(_enum_in(field))}" if field.enum_type else ""


def _key_in(field: FieldDescriptor) -> str:
    key = map_key(field)
    if key.type == FieldDescriptor.TYPE_STRING:
        return "k"
    return "(k == 'true')" if key.type == FieldDescriptor.TYPE_BOOL else "int(k)"


def _in_item(field: FieldDescriptor, value: str) -> str:
    if field.message_type:
        return f"{_parser(part_of(field))}({value})"
    if field.enum_type:
        return f"{_shop.bind(_enum_in(field))}[{value}]"
    if field.type in _LONG:
        return f"int({value})"
    if field.type in _FLOAT:
        return f"float({value})"
    return f"{_shop.bind(base64.b64decode)}({value})" if field.type == FieldDescriptor.TYPE_BYTES else value


@functools.cache
def _enum_in(field: FieldDescriptor) -> dict[Any, str]:
    names = enum_names(field)
    return {value.name: names[value.number] for value in enum_of(field).values}


def parse_timestamp(text: str) -> dt.datetime:
    """Returns the aware UTC datetime of an RFC 3339 text, cut to milliseconds."""
    value = dt.datetime.fromisoformat(text)
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.replace(microsecond=value.microsecond // 1000 * 1000) if value.microsecond % 1000 else value


def _parse_duration(text: str) -> dt.timedelta:
    whole, _, part = text.removesuffix("s").lstrip("-").partition(".")
    value = dt.timedelta(seconds=int(whole), microseconds=int(part[:6].ljust(6, "0") or 0))
    return -value if text.startswith("-") else value


_SPECIAL_IN: dict[str, Callable[[Any], Any]] = {
    "google.protobuf.Timestamp": parse_timestamp,
    "google.protobuf.Duration": _parse_duration,
    **dict.fromkeys(("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue", *WRAPPERS), _same),
    **dict.fromkeys(("google.protobuf.Int64Value", "google.protobuf.UInt64Value"), int),
    **dict.fromkeys(("google.protobuf.DoubleValue", "google.protobuf.FloatValue"), float),
    "google.protobuf.BytesValue": base64.b64decode,
    **dict.fromkeys(("google.protobuf.Any", "google.protobuf.FieldMask"), _unsupported),
}

__all__ = ["bind_events", "event_fields", "event_json", "event_type", "parse_timestamp", "timestamp_json", "type_of"]

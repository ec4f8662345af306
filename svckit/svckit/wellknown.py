"""Python values of the well-known protobuf types, and short names of enum values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from svckit.errors import InvalidArgument

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MILLI = 1_000_000
WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)


def write_timestamp(value: dt.datetime, message: Any) -> None:
    """Fills a Timestamp from an aware datetime. Raises ValueError for a naive one: nobody knows when that is."""
    if value.tzinfo is None:
        raise ValueError("a datetime without a time zone cannot become a Timestamp")
    delta = value - EPOCH
    message.seconds = delta.days * 86400 + delta.seconds
    message.nanos = delta.microseconds * 1000


def read_timestamp(message: Any) -> dt.datetime:
    """Returns an aware UTC datetime, cut to milliseconds as the database keeps it. InvalidArgument outside years 1 to 9999."""
    try:
        return EPOCH + dt.timedelta(seconds=message.seconds, milliseconds=message.nanos // _MILLI)
    except OverflowError as error:
        raise InvalidArgument("A time lies outside the years 1 to 9999.", reason="TIME_OUT_OF_RANGE") from error


def write_duration(value: dt.timedelta, message: Any) -> None:
    """Fills a Duration from a timedelta."""
    message.FromTimedelta(value)


def read_duration(message: Any) -> dt.timedelta:
    """Returns a timedelta, cut to microseconds."""
    found: dt.timedelta = message.ToTimedelta()
    return found


def _write_wrapper(value: Any, message: Any) -> None:
    message.value = value


def _read_wrapper(message: Any) -> Any:
    return message.value


def _write_struct(value: dict[str, Any], message: Any) -> None:
    message.update(value)


def _read_struct(message: Any) -> dict[str, Any]:
    return {key: read_value(item) for key, item in message.fields.items()}


def _write_list(value: list[Any], message: Any) -> None:
    message.extend(value)


def _read_list(message: Any) -> list[Any]:
    return [read_value(item) for item in message.values]


def write_value(value: Any, message: Any) -> None:
    """Fills a google.protobuf.Value from JSON-like Python data."""
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, int | float):
        message.number_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, dict):
        message.struct_value.SetInParent()
        message.struct_value.update(value)
    else:
        message.list_value.SetInParent()
        message.list_value.extend(value)


def read_value(message: Any) -> Any:
    """Returns the JSON-like Python data of a google.protobuf.Value."""
    kind = message.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    if kind == "struct_value":
        return _read_struct(message.struct_value)
    if kind == "list_value":
        return _read_list(message.list_value)
    return getattr(message, kind)


def _write_mask(value: list[str], message: Any) -> None:
    message.paths.extend(value)


def _read_mask(message: Any) -> list[str]:
    return list(message.paths)


Write = Callable[[Any, Any], None]
Read = Callable[[Any], Any]

_SPECIAL: dict[str, tuple[Write, Read]] = {
    "google.protobuf.Timestamp": (write_timestamp, read_timestamp),
    "google.protobuf.Duration": (write_duration, read_duration),
    "google.protobuf.Struct": (_write_struct, _read_struct),
    "google.protobuf.ListValue": (_write_list, _read_list),
    "google.protobuf.Value": (write_value, read_value),
    "google.protobuf.FieldMask": (_write_mask, _read_mask),
    **dict.fromkeys(WRAPPERS, (_write_wrapper, _read_wrapper)),
}


def special_codec(descriptor: Descriptor) -> tuple[Write, Read] | None:
    """Returns (write, read) of a well-known type, None for an ordinary message."""
    return _SPECIAL.get(descriptor.full_name)


def copy_message(value: Message, message: Message) -> None:
    """Fills a message from one of its own type."""
    message.CopyFrom(value)


class EnumNumbers(dict[Any, int]):
    """Number of an enum value by its short name, full name or number. An unknown name raises ValueError."""

    def __init__(self, descriptor: EnumDescriptor) -> None:
        super().__init__()
        self._name = descriptor.full_name
        for value in descriptor.values:
            for key in (short_name(value.name, descriptor), value.name, value.number):
                self.setdefault(key, value.number)
        self[""] = self[None] = 0

    def __missing__(self, key: object) -> int:
        raise ValueError(f"{key!r} is not a value of {self._name}")


class EnumNames(dict[int, str]):
    """Short name of an enum value by its number. An unknown number raises InvalidArgument: it came from outside."""

    def __init__(self, descriptor: EnumDescriptor) -> None:
        super().__init__()
        self._name = descriptor.full_name
        for value in descriptor.values:
            self.setdefault(value.number, short_name(value.name, descriptor))

    def __missing__(self, key: int) -> str:
        raise InvalidArgument(f"{key} is not a value of {self._name}.", reason="ENUM_UNKNOWN")


def short_name(value: str, descriptor: EnumDescriptor) -> str:
    """Returns the lower-case tail of an enum value: CASE_STATE_PARALLEL of CaseState becomes "parallel"."""
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in descriptor.name).lstrip("_") + "_"
    return value.removeprefix(prefix).lower()


_numbers: dict[EnumDescriptor, EnumNumbers] = {}
_names: dict[EnumDescriptor, EnumNames] = {}


def enum_numbers(field: FieldDescriptor) -> EnumNumbers:
    """Returns the table short name → number of the field's enum."""
    enum = enum_of(field)
    return _numbers.setdefault(enum, EnumNumbers(enum))


def enum_names(field: FieldDescriptor) -> EnumNames:
    """Returns the table number → short name of the field's enum."""
    enum = enum_of(field)
    return _names.setdefault(enum, EnumNames(enum))


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """Returns the enum of an enum field."""
    if field.enum_type is None:
        raise TypeError(f"{field.full_name} is no enum")
    return field.enum_type


def part_of(field: FieldDescriptor) -> Descriptor:
    """Returns the message type of a message field."""
    if field.message_type is None:
        raise TypeError(f"{field.full_name} holds no message")
    return field.message_type


def map_value(field: FieldDescriptor) -> FieldDescriptor:
    """Returns the field that describes the values of a map field."""
    return part_of(field).fields_by_name["value"]


def map_key(field: FieldDescriptor) -> FieldDescriptor:
    """Returns the field that describes the keys of a map field."""
    return part_of(field).fields_by_name["key"]


def descriptor_of(message: Message | type[Message]) -> Descriptor:
    """Returns the descriptor of a message or message class."""
    return cast(Descriptor, message.DESCRIPTOR)


def is_map(field: FieldDescriptor) -> bool:
    """Tells whether the field is a map."""
    return bool(field.is_repeated and field.message_type and field.message_type.GetOptions().map_entry)

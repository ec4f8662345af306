"""JSON forms of the scalar types, both ways. Parsers raise DecodeError, without a path: the caller knows where it is."""

from __future__ import annotations

import binascii
import math
import re
import struct
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from gateway.transcode.failure import DecodeError, expected

Parse = Callable[[Any], Any]

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"-?[0-9]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_MAX_DIGITS = 400  # int() and float() of longer texts cost time and cannot be in range anyway
FLOAT_MAX = float.fromhex("0x1.fffffep+127")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

F = FieldDescriptor
_INT32 = (-(2**31), 2**31 - 1)
_INT64 = (-(2**63), 2**63 - 1)
_RANGES = {
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), (0, 2**32 - 1)),
    **dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), (0, 2**64 - 1)),
}


def int_parser(low: int, high: int) -> Parse:
    """Returns the parser of an integer type: numbers without a fraction, or the same in a string."""

    def parse(value: Any) -> int:
        number = value if value.__class__ is int else _whole(value)
        if low <= number <= high:
            return number
        raise DecodeError(f"must lie between {low} and {high}")

    return parse


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return _whole_text(value)
    if isinstance(value, bool) or not isinstance(value, float):
        raise expected("a whole number", value)
    # orjson reads integers beyond 64 bits as floats: at the edge nobody knows any more what was written.
    if not value.is_integer() or not -(2.0**63) < value < 2.0**64:
        raise DecodeError("must be a whole number within the range of its type")
    return int(value)


def _whole_text(value: str) -> int:
    if len(value) > _MAX_DIGITS or not _DECIMAL.fullmatch(value):
        raise DecodeError("must be a whole number")
    try:
        return int(value)
    except ValueError:
        return _whole(float(value))


def parse_double(value: Any) -> float:
    """Reads a double: a number, the same in a string, or "NaN", "Infinity", "-Infinity"."""
    if value.__class__ is float:
        return value  # orjson lets no bare NaN or infinity through
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise expected("a number", value)
    return float(value) if isinstance(value, int) else _real_text(value)


def _real_text(value: str) -> float:
    special = _SPECIAL.get(value)
    if special is not None:
        return special
    if len(value) > _MAX_DIGITS or not _DECIMAL.fullmatch(value):
        raise DecodeError('must be a number, "NaN", "Infinity" or "-Infinity"')
    number = float(value)
    if math.isinf(number):
        raise DecodeError("is too large for a double")
    return number


def parse_float(value: Any) -> float:
    """Reads a float: as a double, within the range of 32 bits."""
    number = parse_double(value)
    if -FLOAT_MAX <= number <= FLOAT_MAX or not math.isfinite(number):
        return number
    raise DecodeError("is too large for a float")


def parse_bool(value: Any) -> bool:
    """Reads true or false."""
    if value.__class__ is bool:
        return value
    raise expected("true or false", value)


def parse_bool_text(value: str) -> bool:
    """Reads "true" or "false" (map keys, query parameters)."""
    if value == "true":
        return True
    if value == "false":
        return False
    raise DecodeError('must be "true" or "false"')


def parse_string(value: Any) -> str:
    """Reads a string."""
    if value.__class__ is str:
        return value
    raise expected("a string", value)


def parse_bytes(value: Any) -> bytes:
    """Reads base64, standard or URL-safe alphabet, padded or not."""
    text = parse_string(value)
    if not _BASE64.fullmatch(text):
        raise DecodeError("must be base64")
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise DecodeError("must be base64") from error


def enum_parser(descriptor: EnumDescriptor) -> Parse:
    """Returns the parser of an enum: names, and any 32-bit number (proto3 enums are open)."""
    numbers = {value.name: value.number for value in descriptor.values}
    in_range = int_parser(*_INT32)

    def parse(value: Any) -> int:
        if value.__class__ is str:
            number = numbers.get(value)
            return number if number is not None else unnamed(value)
        return in_range(value)

    def unnamed(value: str) -> int:
        if len(value) > _MAX_DIGITS or not _INTEGER.fullmatch(value):
            raise DecodeError(f"is not a value of {descriptor.name}")
        return in_range(int(value))

    return parse


_PARSERS: dict[int, Parse] = {
    F.TYPE_DOUBLE: parse_double,
    F.TYPE_FLOAT: parse_float,
    F.TYPE_BOOL: parse_bool,
    F.TYPE_STRING: parse_string,
    F.TYPE_BYTES: parse_bytes,
    **{kind: int_parser(*limits) for kind, limits in _RANGES.items()},
}
_enum_parsers: dict[EnumDescriptor, Parse] = {}


def parser_of(field: FieldDescriptor) -> Parse:
    """Returns the parser of one value of a scalar or enum field."""
    if field.enum_type is None:
        return _PARSERS[field.type]
    found = _enum_parsers.get(field.enum_type)
    return found or _enum_parsers.setdefault(field.enum_type, enum_parser(field.enum_type))


def text_parser_of(field: FieldDescriptor) -> Parse:
    """Returns the parser for values that always arrive as text: map keys, path and query parameters."""
    return parse_bool_text if field.type == F.TYPE_BOOL else parser_of(field)


# ---------------------------------------------------------------------------------------------------------- to JSON


def write_bytes(value: bytes) -> str:
    """Returns base64, standard alphabet with padding."""
    return binascii.b2a_base64(value, newline=False).decode()


def write_double(value: float) -> float | str:
    """Returns the number, or the name of a value JSON has no number for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def write_float(value: float) -> float | str:
    """Returns the shortest number that reads back as the same 32-bit float, or the name of a special value."""
    if not math.isfinite(value):
        return write_double(value)
    for precision in (6, 7, 8, 9):
        short = float(f"{value:.{precision}g}")
        if abs(short) <= FLOAT_MAX and struct.unpack("f", struct.pack("f", short))[0] == value:
            return short
    return value  # the largest: rounded, it would be too large to be read back


def enum_names(descriptor: EnumDescriptor) -> dict[int, str]:
    """Returns the names by number; of several names for a number the first declared."""
    names: dict[int, str] = {}
    for value in descriptor.values:
        names.setdefault(value.number, value.name)
    return names

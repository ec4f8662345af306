"""JSON forms of the well-known types that have one of their own, both ways.

`read(message, value)` fills a message from parsed JSON and raises DecodeError; `write(message)` returns what goes into the JSON
and raises EncodeError. Any needs the codecs of other types and stands in `anything`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.transcode.failure import DecodeError, EncodeError, expected
from gateway.transcode.scalars import parse_double, parse_string

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_DAY_MINUTES = 24 * 60
_MIN_SECONDS = -62135596800
_MAX_SECONDS = 253402300799
_MAX_DURATION = 315_576_000_000
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_MASK_PATH = re.compile(r"[a-zA-Z0-9.]+")


class WellKnown(NamedTuple):
    """How one well-known type is read from and written to JSON."""

    read: Callable[[Any, Any], None]
    write: Callable[[Any], Any]


# ---------------------------------------------------------------------------------------------------- Timestamp


def read_timestamp(message: Any, value: Any) -> None:
    """Fills a Timestamp from RFC 3339 text with "Z" or an offset, up to nine fractional digits."""
    match = _TIMESTAMP.fullmatch(parse_string(value))
    if match is None:
        raise DecodeError("must be a time like 2026-05-01T08:30:00Z")
    minute, second, fraction, sign, hours, minutes = match.groups()
    seconds = _minute_number(minute) * 60 + int(second)
    if sign:
        seconds -= _offset(sign, int(hours), int(minutes))
        if not _MIN_SECONDS <= seconds <= _MAX_SECONDS:
            raise DecodeError("must lie within the years 1 to 9999")
    message.seconds = seconds
    if fraction:
        message.nanos = int(fraction.ljust(9, "0"))


@lru_cache(maxsize=4096)
def _minute_number(text: str) -> int:
    """Minutes from 1970 to "2026-05-01T08:30". The times of one request mostly share a few minutes, hence the cache."""
    try:
        day = dt.date(int(text[:4]), int(text[5:7]), int(text[8:10])).toordinal() - _EPOCH_DAY
        time = dt.time(int(text[11:13]), int(text[14:16]))
    except ValueError as error:
        raise DecodeError(f"is not a time that exists ({error})") from error
    return day * _DAY_MINUTES + time.hour * 60 + time.minute


def _offset(sign: str, hours: int, minutes: int) -> int:
    if hours > 23 or minutes > 59:
        raise DecodeError("has an offset that does not exist")
    seconds = hours * 3600 + minutes * 60
    return -seconds if sign == "-" else seconds


def write_timestamp(message: Any) -> str:
    """Returns RFC 3339 text in UTC with 0, 3, 6 or 9 fractional digits."""
    seconds = message.seconds
    nanos = message.nanos
    if not _MIN_SECONDS <= seconds <= _MAX_SECONDS or not 0 <= nanos < 1_000_000_000:
        raise EncodeError("a Timestamp lies outside the years 1 to 9999")
    return f"{_minute_text(seconds // 60)}:{seconds % 60:02}{_fraction(nanos)}Z"


@lru_cache(maxsize=4096)
def _minute_text(number: int) -> str:
    day, minute = divmod(number, _DAY_MINUTES)
    return f"{dt.date.fromordinal(day + _EPOCH_DAY).isoformat()}T{minute // 60:02}:{minute % 60:02}"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    if not nanos % 1_000_000:
        return f".{nanos // 1_000_000:03}"
    if not nanos % 1000:
        return f".{nanos // 1000:06}"
    return f".{nanos:09}"


# ---------------------------------------------------------------------------------------------------- Duration


def read_duration(message: Any, value: Any) -> None:
    """Fills a Duration from seconds with an "s": "90s", "-1.5s"."""
    match = _DURATION.fullmatch(parse_string(value))
    if match is None:
        raise DecodeError('must be a duration in seconds like "90s" or "1.5s"')
    sign = -1 if match[1] else 1
    seconds = int(match[2])
    nanos = int(match[3].ljust(9, "0")) if match[3] else 0
    if seconds > _MAX_DURATION or (seconds == _MAX_DURATION and nanos):
        raise DecodeError("is longer than 10,000 years")
    message.seconds = sign * seconds
    message.nanos = sign * nanos


def write_duration(message: Any) -> str:
    """Returns the seconds with 0, 3, 6 or 9 fractional digits and an "s"."""
    seconds = message.seconds
    nanos = message.nanos
    if abs(seconds) > _MAX_DURATION or abs(nanos) > 999_999_999 or seconds * nanos < 0:
        raise EncodeError("a Duration is longer than 10,000 years or of two minds about its sign")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


# ---------------------------------------------------------------------------------------------------- FieldMask


def read_mask(message: Any, value: Any) -> None:
    """Fills a FieldMask from lowerCamelCase paths joined by commas."""
    text = parse_string(value)
    for path in text.split(",") if text else ():
        if not _MASK_PATH.fullmatch(path):
            raise DecodeError("must be lowerCamelCase paths joined by commas")
        message.paths.append(re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), path))


def write_mask(message: Any) -> str:
    """Returns lowerCamelCase paths joined by commas."""
    return ",".join(_camel_path(path) for path in message.paths)


def _camel_path(path: str) -> str:
    camel = re.sub(r"_([a-z])", lambda match: match[1].upper(), path)
    if "_" in camel or path != path.lower():
        raise EncodeError("a FieldMask holds a path that has no lowerCamelCase form")
    return camel


# ---------------------------------------------------------------------------------------------------- Struct, Value, ListValue


def read_struct(message: Any, value: Any) -> None:
    """Fills a Struct from an object."""
    if value.__class__ is not dict:
        raise expected("an object", value)
    for key, item in value.items():
        read_value(message.fields[key], item)


def read_list(message: Any, value: Any) -> None:
    """Fills a ListValue from an array."""
    if value.__class__ is not list:
        raise expected("an array", value)
    for item in value:
        read_value(message.values.add(), item)


def read_value(message: Any, value: Any) -> None:
    """Fills a Value from anything JSON can say."""
    kind = value.__class__
    if value is None:
        message.null_value = 0
    elif kind is bool:
        message.bool_value = value
    elif kind is str:
        message.string_value = value
    elif kind is dict:
        message.struct_value.SetInParent()
        read_struct(message.struct_value, value)
    elif kind is list:
        message.list_value.SetInParent()
        read_list(message.list_value, value)
    else:
        message.number_value = parse_double(value)


def write_struct(message: Any) -> dict[str, Any]:
    """Returns the object."""
    return {key: write_value(value) for key, value in message.fields.items()}


def write_list(message: Any) -> list[Any]:
    """Returns the array."""
    return [write_value(value) for value in message.values]


def write_value(message: Any) -> Any:
    """Returns the JSON value; a Value that says nothing is null."""
    kind = message.WhichOneof("kind")
    if kind == "string_value":
        return message.string_value
    if kind == "number_value":
        return _finite(message.number_value)
    if kind == "bool_value":
        return message.bool_value
    if kind == "struct_value":
        return write_struct(message.struct_value)
    if kind == "list_value":
        return write_list(message.list_value)
    return None


def _finite(number: float) -> float:
    if number - number != 0:
        raise EncodeError("a Value holds a number JSON cannot say")
    return number


WELL_KNOWN: dict[str, WellKnown] = {
    "google.protobuf.Timestamp": WellKnown(read_timestamp, write_timestamp),
    "google.protobuf.Duration": WellKnown(read_duration, write_duration),
    "google.protobuf.FieldMask": WellKnown(read_mask, write_mask),
    "google.protobuf.Struct": WellKnown(read_struct, write_struct),
    "google.protobuf.ListValue": WellKnown(read_list, write_list),
    "google.protobuf.Value": WellKnown(read_value, write_value),
}
_BOXED = ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
WRAPPERS = frozenset(f"google.protobuf.{kind}Value" for kind in _BOXED)

"""Hypothesis strategies for protobuf messages of any type, and the message type that has every kind of field."""

from __future__ import annotations

import importlib.resources
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import (  # noqa: F401  -- the well-known types must be loaded before everything.proto
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from grpc_tools import protoc
from hypothesis import strategies as st

HERE = Path(__file__).parent
F = FieldDescriptor


@cache
def everything() -> Descriptor:
    """Compiles everything.proto and returns the descriptor of its message."""
    bundled = importlib.resources.files("grpc_tools") / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "everything.binpb"
        assert protoc.main(["protoc", f"-I{HERE}", f"-I{bundled}", f"--descriptor_set_out={target}", "everything.proto"]) == 0
        files = descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes())
    pool = descriptor_pool.Default()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool.FindMessageTypeByName("binglian.testing.v1.Everything")


TEXT = st.text(max_size=12)
_INT32 = st.integers(-(2**31), 2**31 - 1)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    F.TYPE_DOUBLE: st.floats(),
    F.TYPE_FLOAT: st.floats(width=32),
    F.TYPE_BOOL: st.booleans(),
    F.TYPE_STRING: TEXT,
    F.TYPE_BYTES: st.binary(max_size=12),
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), st.integers(0, 2**32 - 1)),
    **dict.fromkeys((F.TYPE_UINT64, F.TYPE_FIXED64), st.integers(0, 2**64 - 1)),
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def _fill_timestamp(draw: Callable[..., Any], message: Any, _: int) -> None:
    message.seconds = draw(st.integers(-62135596800, 253402300799))
    message.nanos = draw(st.sampled_from([0, 123_000_000, 123_456_000]) | st.integers(0, 999_999_999))


def _fill_duration(draw: Callable[..., Any], message: Any, _: int) -> None:
    sign = draw(st.sampled_from([1, -1]))
    message.seconds = sign * draw(st.integers(0, 315_575_999_999))
    message.nanos = sign * draw(st.sampled_from([0, 5_000_000]) | st.integers(0, 999_999_999))


def _fill_mask(draw: Callable[..., Any], message: Any, _: int) -> None:
    message.paths.extend(draw(st.lists(st.from_regex(r"\A[a-z]{1,4}(_[a-z]{1,3})?(\.[a-z]{1,4})?\Z"), max_size=3)))


def _fill_value(draw: Callable[..., Any], message: Any, _: int) -> None:
    value = draw(_JSON)
    if value is None:
        message.null_value = 0
    elif isinstance(value, bool):
        message.bool_value = value
    elif isinstance(value, float):
        message.number_value = value
    elif isinstance(value, str):
        message.string_value = value
    elif isinstance(value, dict):
        message.struct_value.update(value)
    else:
        message.list_value.extend(value)


def _fill_struct(draw: Callable[..., Any], message: Any, _: int) -> None:
    message.update(draw(st.dictionaries(TEXT, _JSON, max_size=3)))


def _fill_list(draw: Callable[..., Any], message: Any, _: int) -> None:
    message.extend(draw(st.lists(_JSON, max_size=3)))


def _fill_any(draw: Callable[..., Any], message: Any, depth: int) -> None:
    inner = draw(st.sampled_from(["Timestamp", "StringValue", "Struct", "FieldMask", "Empty"]))
    descriptor = descriptor_pool.Default().FindMessageTypeByName(f"google.protobuf.{inner}")
    message.Pack(draw(messages(descriptor, depth=depth + 1)))


_SPECIAL = {
    "google.protobuf.Timestamp": _fill_timestamp,
    "google.protobuf.Duration": _fill_duration,
    "google.protobuf.FieldMask": _fill_mask,
    "google.protobuf.Value": _fill_value,
    "google.protobuf.Struct": _fill_struct,
    "google.protobuf.ListValue": _fill_list,
    "google.protobuf.Any": _fill_any,
}


@st.composite
def messages(draw: Callable[..., Any], descriptor: Descriptor, *, depth: int = 0) -> Any:
    """A random message of the type; each field is set or not, nested at most three levels deep."""
    message = message_factory.GetMessageClass(descriptor)()
    fill = _SPECIAL.get(descriptor.full_name, _fill_fields)
    fill(draw, message, depth)
    return message


def _fill_fields(draw: Callable[..., Any], message: Any, depth: int) -> None:
    fields = [field for field in message.DESCRIPTOR.fields if depth < 3 or not field.message_type]
    if not fields:
        return
    chosen = draw(st.sets(st.sampled_from(range(len(fields))), max_size=min(len(fields), 6 if depth else 12)))
    for index in sorted(chosen):
        _set(draw, message, fields[index], depth)


def _set(draw: Callable[..., Any], message: Any, field: FieldDescriptor, depth: int) -> None:
    if field.message_type and field.message_type.GetOptions().map_entry:
        _set_map(draw, getattr(message, field.name), field, depth)
    elif field.is_repeated:
        value = _value(field, depth)
        getattr(message, field.name).extend(draw(st.lists(value, max_size=2)))
    elif field.message_type:
        getattr(message, field.name).CopyFrom(draw(messages(field.message_type, depth=depth + 1)))
    else:
        setattr(message, field.name, draw(_value(field, depth)))


def _set_map(draw: Callable[..., Any], target: Any, field: FieldDescriptor, depth: int) -> None:
    key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    for name, item in draw(st.dictionaries(_value(key, depth), _value(value, depth), max_size=2)).items():
        if value.message_type:
            target[name].CopyFrom(item)
        else:
            target[name] = item


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type:
        return messages(field.message_type, depth=depth + 1)
    if field.enum_type:
        names = st.sampled_from([value.number for value in field.enum_type.values])
        return names if field.enum_type.full_name == "google.protobuf.NullValue" else names | _INT32
    return _SCALARS[field.type]

"""Facts: whoever waits for one finds somebody who tells it, and what the domain says is what the proto promises."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import inspect
import math
import pkgutil
import typing
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from binglian.options.v1 import options_pb2
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.docs.events import find_consumers, matches
from svckit.messages import event_fields, event_json, event_type

PACKAGES = ("assessment", "fire_safety", "housing", "mediation", "population")
UTC = st.just(dt.UTC)
# What every JSON reader, Timestamp and int32 can hold; times in milliseconds, as the domain keeps them.
MOMENTS = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2200, 1, 1), timezones=UTC).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(0, 2**31 - 1)
FLOATS = st.floats(-1e6, 1e6).filter(lambda value: not (value == 0 and math.copysign(1, value) < 0))


def event_messages(package: str) -> dict[str, Descriptor]:
    """Event messages of a service by their routing key."""
    file = importlib.import_module(f"binglian.{package}.v1.events_pb2").DESCRIPTOR
    found = {message.GetOptions().Extensions[options_pb2.event]: message for message in file.message_types_by_name.values()}
    return {key: message for key, message in found.items() if key}


def modules(package: str) -> Iterator[Any]:
    """The domain of a service, whether it is a module or a package."""
    domain = importlib.import_module(f"{package}.domain")
    yield domain
    for info in pkgutil.iter_modules(getattr(domain, "__path__", ())):
        yield importlib.import_module(f"{package}.domain.{info.name}")


def event_struct(package: str, name: str) -> type[msgspec.Struct] | None:
    """The domain's struct of this name."""
    return next((vars(module)[name] for module in modules(package) if name in vars(module)), None)


EVENTS = {key: (package, message) for package in PACKAGES for key, message in event_messages(package).items()}


@cache
def consumers() -> dict[str, list[str]]:
    return find_consumers()


def test_every_fact_somebody_waits_for_is_one() -> None:
    unknown = {
        f"{', '.join(handlers)} waits for {pattern}"
        for pattern, handlers in consumers().items()
        if not any(matches(pattern, key) for key in EVENTS)
    }
    assert unknown == set()


@cache
def made(package: str) -> set[str]:
    """Names of everything that is called anywhere in a service."""
    folder = Path(inspect.getfile(importlib.import_module(package))).parent
    calls = (
        node.func
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    )
    return {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}


@pytest.mark.parametrize("key", EVENTS)
def test_every_fact_has_a_struct_that_the_service_makes(key: str) -> None:
    package, message = EVENTS[key]
    struct = event_struct(package, message.name)
    assert struct is not None
    assert set(struct.__struct_fields__) == set(message.fields_by_name)
    assert message.name in made(package), f"{package} never tells {key}"


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Anything a field of this type may hold."""
    origin, inner = typing.get_origin(kind), [one for one in typing.get_args(kind) if one is not type(None)]
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if inner:
        return st.one_of(*([st.none()] if type(None) in typing.get_args(kind) else []), *map(values, inner))
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if issubclass(kind, msgspec.Struct):
        return structs(kind)
    plain: dict[Any, Any] = {dt.datetime: MOMENTS, str: TEXTS, bool: st.booleans(), int: NUMBERS, float: FLOATS}
    return typing.cast("st.SearchStrategy[Any]", plain[kind])


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any struct of this type."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: values(hints[name]) for name in kind.__struct_fields__})


@pytest.mark.parametrize("key", EVENTS)
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_what_is_sent_is_the_json_of_the_message_and_arrives_whole(key: str, data: st.DataObject) -> None:
    package, message = EVENTS[key]
    struct = event_struct(package, message.name)
    assert struct is not None
    fact = data.draw(structs(struct))
    sent = event_json(fact)
    assert event_type(fact) == key
    read = json_format.Parse(sent, message_factory.GetMessageClass(message)())
    again = json_format.Parse(json_format.MessageToJson(read), message_factory.GetMessageClass(message)())
    assert again == read
    assert plain(event_fields(key, sent)) == plain(event_fields(key, json_format.MessageToJson(read).encode()))
    for name in struct.__struct_fields__:
        assert_same(getattr(fact, name), getattr(read, name), f"{key} {name}")


def plain(value: Any) -> Any:
    """Without the difference between lists and tuples, enums and texts."""
    return msgspec.json.decode(msgspec.json.encode(value))


def assert_same(ours: Any, theirs: Any, where: str) -> None:
    """The field of the struct and the field of the message hold the same."""
    if isinstance(ours, dt.datetime):
        assert theirs.ToDatetime(dt.UTC) == ours, where
    elif isinstance(ours, msgspec.Struct):
        for name in ours.__struct_fields__:
            assert_same(getattr(ours, name), getattr(theirs, name), f"{where}.{name}")
    elif isinstance(ours, tuple):
        assert len(ours) == len(theirs), where
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other, where)
    elif ours is not None and not isinstance(ours, Enum):
        assert theirs == ours, where

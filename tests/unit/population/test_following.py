"""What the events of svc-mediation mean here, and that our own facts are what their protos say."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import pkgutil
import typing
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from binglian.population.v1 import events_pb2

from population import domain
from svckit.event_codec import event_fields, event_json, event_type

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
MODULES = [importlib.import_module(f"{domain.__name__}.{info.name}") for info in pkgutil.iter_modules(domain.__path__)]
MESSAGES = events_pb2.DESCRIPTOR.message_types_by_name
FACTS = [
    kind
    for module in MODULES
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if name in MESSAGES and kind.__module__ == module.__name__
]


def filled(kind: Any) -> Any:
    """A value of a type with something in every field."""
    if typing.get_origin(kind) is tuple:
        return (filled(typing.get_args(kind)[0]),)
    if typing.get_args(kind):
        return filled(typing.get_args(kind)[0])
    if issubclass(kind, msgspec.Struct):
        return kind(**{name: filled(hint) for name, hint in typing.get_type_hints(kind).items()})
    if issubclass(kind, StrEnum):
        return list(kind)[-1]
    return {str: "text", float: 1.5, int: 3, bool: True, dt.datetime: NOW}[kind]


def test_every_event_message_has_its_struct() -> None:
    assert {kind.__name__ for kind in FACTS} == set(MESSAGES)


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_a_fact_arrives_as_it_was_sent(kind: type) -> None:
    fact = filled(kind)
    fields = event_fields(event_type(fact), event_json(fact))
    # Facts are camelCase in JSON; what is read back has the names of the protos.
    assert plain(fields) == plain(msgspec.structs.asdict(fact))


def plain(value: Any) -> Any:
    """The value without the difference between tuples and lists, enums and texts."""
    return msgspec.json.decode(msgspec.json.encode(value))

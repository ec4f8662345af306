"""What the events of svc-mediation mean here, and that our own facts are what their protos say."""

from __future__ import annotations

import datetime as dt
import inspect
import typing
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from binglian.housing.v1 import events_pb2

from housing import domain, following
from svckit.event_codec import event_fields, event_json, event_type

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
FACTS = [
    kind
    for _, kind in inspect.getmembers(domain, inspect.isclass)
    if kind.__name__ in events_pb2.DESCRIPTOR.message_types_by_name
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
    assert {kind.__name__ for kind in FACTS} == set(events_pb2.DESCRIPTOR.message_types_by_name)


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
def test_a_fact_arrives_as_it_was_sent(kind: type) -> None:
    fact = filled(kind)
    fields = event_fields(event_type(fact), event_json(fact))
    # Facts are camelCase in JSON; what is read back has the names of the protos.
    assert plain(fields) == plain(msgspec.structs.asdict(fact))


def plain(value: Any) -> Any:
    """The value without the difference between tuples and lists, enums and texts."""
    return msgspec.json.decode(msgspec.json.encode(value))


POINT = {"longitude": 111.28, "latitude": 30.69}


def a_case(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {
        "case_id": "c",
        "number": "420502-2026-000001",
        "city": "4205",
        "area_code": "420502001003",
        "category": "B",
        "description": "",
        "address": "",
        "point": POINT,
        "tasks": list(tasks),
    }


def a_task(task_id: str, department: str, **fields: Any) -> dict[str, Any]:
    return {"task_id": task_id, "department": department, "instruction": ""} | fields


def test_only_tasks_of_housing_that_can_start_are_opened() -> None:
    fields = a_case(
        a_task("1", "FIRE", assigned_at=NOW),
        a_task("2", "HOUSING"),
        a_task("3", "HOUSING", assigned_at=NOW, due_at=NOW),
    )
    (opening,) = following.read(event_type="mediation.case_dispatched.v1", fields=fields)
    assert isinstance(opening, following.Opening)
    assert (opening.assignment.task.task_id, opening.at, opening.assignment.due_at) == ("3", NOW, NOW)


@pytest.mark.parametrize(
    ("area_code", "point", "wanted"),
    [
        ("420502001003", POINT, True),
        ("", POINT, True),
        ("42050200100310001", POINT, False),
        ("420502001003", None, False),
    ],
)
def test_cases_without_a_grid_but_with_a_point_are_located(area_code: str, point: Any, wanted: bool) -> None:
    fields = {"case_id": "c", "city": "4205", "area_code": area_code} | ({"point": point} if point else {})
    assert (following.unlocated(fields) is not None) is wanted


def test_the_clock_of_a_replayed_case_runs_in_its_own_past() -> None:
    then, delay = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.timedelta(seconds=2)
    assert following.case_time(since=then, published=NOW, now=NOW + delay) == then + delay
    assert following.case_time(since=NOW, published=NOW, now=NOW + delay) == NOW + delay
    assert following.case_time(since=NOW, published=NOW, now=NOW - delay) == NOW

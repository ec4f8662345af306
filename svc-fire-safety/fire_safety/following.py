"""What the events of svc-mediation mean for inspections. Pure: fields of an event in, what has to be done out."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from fire_safety.domain import DEPARTMENT, Assignment, Inspection, Point, TaskRef

Fields = Mapping[str, Any]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "inspections.binglian")


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the department came back: it has to be inspected again."""

    case_id: str
    task_id: str
    reason: str
    at: dt.datetime
    traceparent: str = ""


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """A task is no longer the department's, or was reported done: an inspection asked for before that has no purpose.

    `task_id` "" means all tasks of the case: it was closed.
    """

    case_id: str
    at: dt.datetime
    task_id: str = ""
    traceparent: str = ""


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """A case taken without its area has one now."""

    case_id: str
    area_code: str
    traceparent: str = ""


Followed = Assignment | Return | Departure | Location


def inspection_id(task_id: str, *, asked_at: dt.datetime) -> str:
    """Returns the id of the inspection a task asks for at that instant: a repeated event leads to the same inspection."""
    return str(uuid.uuid5(_NAMESPACE, f"{task_id}/{asked_at.isoformat(timespec='milliseconds')}"))


def read(*, event_type: str, fields: Fields, traceparent: str) -> tuple[Followed, ...]:
    """Returns what an event, given as `svckit.event_codec.event_fields`, asks of us; () if it is about other departments.

    Raises KeyError for a type that is not in `FOLLOWED`.
    """
    return tuple(replace(item, traceparent=traceparent) for item in FOLLOWED[event_type](fields))


def _dispatched(fields: Fields) -> Iterable[Followed]:
    return (_assignment(fields, task) for task in fields["tasks"] if _is_ours(task))


def _assigned(fields: Fields) -> Iterable[Followed]:
    return (_assignment(fields, task) for task in (fields["task"],) if _is_ours(task))


def _is_ours(task: Fields) -> bool:
    """A task that waits for others is announced again when it can start."""
    return bool(task["department"] == DEPARTMENT and "assigned_at" in task)


def _assignment(fields: Fields, task: Fields) -> Assignment:
    point = fields.get("point")
    return Assignment(
        task=TaskRef(case_id=fields["case_id"], task_id=task["task_id"], case_number=fields["number"]),
        department=task["department"],
        city=fields["city"],
        area_code=fields["area_code"] or fields["city"],
        asked_at=task["assigned_at"],
        point=Point(point["longitude"], point["latitude"]) if point else None,
        address=fields["address"],
        description=fields["description"],
        instruction=task["instruction"],
        due_at=task.get("due_at"),
    )


def _returned(fields: Fields) -> Iterable[Followed]:
    if fields["department"] == DEPARTMENT:
        yield Return(case_id=fields["case_id"], task_id=fields["task_id"], reason=fields["reason"], at=fields["returned_at"])


def _completed(fields: Fields) -> Iterable[Followed]:
    if fields["department"] == DEPARTMENT:
        yield Departure(case_id=fields["case_id"], task_id=fields["task_id"], at=fields["completed_at"])


def _ruled(fields: Fields) -> Iterable[Followed]:
    if fields["department"] == DEPARTMENT and fields["upheld"]:
        yield Departure(case_id=fields["case_id"], task_id=fields["task_id"], at=fields["ruled_at"])


def _removed(fields: Fields) -> Iterable[Followed]:
    if fields["department"] == DEPARTMENT:
        yield Departure(case_id=fields["case_id"], task_id=fields["task_id"], at=fields["removed_at"])


def _closed(fields: Fields) -> Iterable[Followed]:
    yield Departure(case_id=fields["case_id"], at=fields["closed_at"])


def _located(fields: Fields) -> Iterable[Followed]:
    yield Location(case_id=fields["case_id"], area_code=fields["area_code"])


FOLLOWED: Mapping[str, Callable[[Fields], Iterable[Followed]]] = {
    "mediation.case_dispatched.v1": _dispatched,
    "mediation.task_assigned.v1": _assigned,
    "mediation.task_returned.v1": _returned,
    "mediation.task_completed.v1": _completed,
    "mediation.objection_ruled.v1": _ruled,
    "mediation.task_removed.v1": _removed,
    "mediation.case_closed.v1": _closed,
    "mediation.case_located.v1": _located,
}
"""Every event that is followed, by its type."""

OF_DEPARTMENTS = frozenset(FOLLOWED) - {"mediation.case_closed.v1", "mediation.case_located.v1"}
"""Those of them that concern us only when they name our department."""


def again(earlier: Inspection, returned: Return) -> Assignment:
    """Returns the assignment of a task that came back: at the same spot, with the reason as the instruction."""
    assert earlier.task is not None, "only inspections of tasks come back"
    return Assignment(
        task=earlier.task,
        department=earlier.department,
        city=earlier.city,
        area_code=earlier.area_code,
        asked_at=returned.at,
        point=earlier.point,
        address=earlier.address,
        description=earlier.description,
        instruction=returned.reason,
        place_id=earlier.place_id,
        place_type=earlier.place_type,
        traceparent=returned.traceparent,
    )

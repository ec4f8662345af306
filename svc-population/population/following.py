"""What the events of svc-mediation mean for verification orders. Pure: fields of an event in, what has to be done out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from population.domain.verification import Assignment, Point, TaskRef
from population.policies.verification import DEPARTMENTS, asks_for_verification

Fields = Mapping[str, Any]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A task that asks for a verification can start, since `at`."""

    assignment: Assignment
    at: datetime


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """A task was sent back."""

    task_id: str
    reason: str
    at: datetime


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """A task is no longer the department's."""

    task_id: str
    at: datetime


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A case was closed: whatever is still open for it has no purpose any more."""

    case_id: str
    at: datetime


class Location(msgspec.Struct, frozen=True, kw_only=True):
    """The area of a case was found later."""

    case_id: str
    area_code: str


Followed = Opening | Return | Departure | Closing | Location


def read(*, event_type: str, fields: Fields) -> Iterable[Followed]:
    """Returns what an event, given as `svckit.event_codec.event_fields`, asks of us; nothing if it is about other departments.

    Raises KeyError for a type that is not in `FOLLOWED`.
    """
    return FOLLOWED[event_type](fields)


def case_time(*, since: datetime, published: datetime, now: datetime) -> datetime:
    """Returns the time on the clock of the case: when the task could start plus how long the news took to get here.

    For a case of today that is now; for one that is replayed from the past it is the same moment of that past.
    """
    return since + max(now - published, timedelta(0))


def _dispatched(fields: Fields) -> Iterable[Followed]:
    return (_opening(fields, task) for task in fields["tasks"] if _is_ours(fields, task))


def _assigned(fields: Fields) -> Iterable[Followed]:
    return (_opening(fields, task) for task in (fields["task"],) if _is_ours(fields, task))


def _is_ours(fields: Fields, task: Fields) -> bool:
    """A task that waits for others is announced again when it can start."""
    asks = asks_for_verification(category=fields["category"], department=task["department"])
    return asks and "assigned_at" in task


def _opening(fields: Fields, task: Fields) -> Opening:
    point = fields.get("point")
    assignment = Assignment(
        task=TaskRef(case_id=fields["case_id"], task_id=task["task_id"], case_number=fields["number"]),
        department=task["department"],
        category=fields["category"],
        city=fields["city"],
        area_code=fields["area_code"],
        description=fields["description"],
        instruction=task["instruction"],
        point=Point(**point) if point else None,
        address=fields["address"],
        due_at=task.get("due_at"),
    )
    return Opening(assignment=assignment, at=task["assigned_at"])


def _returned(fields: Fields) -> Iterable[Followed]:
    if fields["department"] in DEPARTMENTS:
        yield Return(task_id=fields["task_id"], reason=fields["reason"], at=fields["returned_at"])


def _ruled(fields: Fields) -> Iterable[Followed]:
    if fields["department"] in DEPARTMENTS and fields["upheld"]:
        yield Departure(task_id=fields["task_id"], at=fields["ruled_at"])


def _removed(fields: Fields) -> Iterable[Followed]:
    if fields["department"] in DEPARTMENTS:
        yield Departure(task_id=fields["task_id"], at=fields["removed_at"])


def _closed(fields: Fields) -> Iterable[Followed]:
    yield Closing(case_id=fields["case_id"], at=fields["closed_at"])


def _located(fields: Fields) -> Iterable[Followed]:
    yield Location(case_id=fields["case_id"], area_code=fields["area_code"])


FOLLOWED: Mapping[str, Callable[[Fields], Iterable[Followed]]] = {
    "mediation.case_dispatched.v1": _dispatched,
    "mediation.task_assigned.v1": _assigned,
    "mediation.task_returned.v1": _returned,
    "mediation.objection_ruled.v1": _ruled,
    "mediation.task_removed.v1": _removed,
    "mediation.case_closed.v1": _closed,
    "mediation.case_located.v1": _located,
}
"""Every event about tasks that is followed, by its type. Tasks that are done without us are not: they come by the dozen, and what stays
open for them is cancelled with the closing of the case."""

ABOUT_CASES = frozenset({"mediation.case_closed.v1", "mediation.case_located.v1"})
"""Those of them that name no department."""

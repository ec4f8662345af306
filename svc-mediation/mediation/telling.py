"""Who is told what: for every fact of ours that concerns somebody, the posts and people that hear of it. Pure.

A post is a role, with its department where the role has one; who holds it for an area that contains the case sees the notice, and
whoever is on duty for it gets it by message. The reporter is told how the case ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from mediation.domain.notice import NoticeKind, Post
from mediation.domain.states import ClockKind, TaskRole, TaskState
from mediation.domain.workflow import CHECKERS, DEPARTMENT, RULERS

Fields = Mapping[str, Any]
COORDINATOR = Post(roles=frozenset({"DISPATCHER"}))
RULER = Post(roles=RULERS)
CHECKER = Post(roles=CHECKERS)
# GW-04 and the red light of e-supervision: whoever coordinates and whoever supervises hear of it beside the department.
OVERSEER = Post(roles=frozenset({"DISPATCHER", "SUPERVISION"}))
# An import repeats what happened long ago; nobody needs to be woken by it.
HISTORY = timedelta(days=1)
_TIMES = (
    "dispatched_at",
    "objected_at",
    "ruled_at",
    "returned_at",
    "handled_at",
    "verified_at",
    "closed_at",
    "rejected_at",
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: to a post, or (`post` None) to the reporter of the case."""

    kind: NoticeKind
    post: Post | None
    task_id: str = ""
    department: str = ""
    clock: ClockKind | None = None
    due_at: datetime | None = None
    positive: bool = False
    reason: str = ""


def department_post(code: str) -> Post:
    """Returns the post of those who lead and handle in a department."""
    return Post(roles=DEPARTMENT, department=code)


def tell(kind: str, fields: Fields, case: Fields) -> list[Told]:
    """Returns what a fact of ours (`kind` its type) makes us tell; `case` is the stored case, of which it uses the tasks."""
    return list(TELLS[kind](fields, case))


def when(fields: Fields, recorded_at: datetime) -> datetime:
    """Returns when a fact happened; facts that do not say so happened when they were recorded."""
    task = fields.get("task", {})
    times = (fields.get(name) for name in _TIMES)
    return next((at for at in (*times, task.get("assigned_at")) if at is not None), recorded_at)


def is_history(happened_at: datetime, recorded_at: datetime) -> bool:
    """Tells whether a fact was recorded so long after it happened that telling it would only confuse."""
    return recorded_at - happened_at > HISTORY


def _dispatched(fields: Fields, case: Fields) -> Iterator[Told]:
    for task in fields["tasks"]:
        # Tasks that wait for others are told when they can start.
        if task.get("assigned_at") is not None:
            yield _assigned_task(task)


def _assigned(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _assigned_task(fields["task"])


def _assigned_task(task: Fields) -> Told:
    code = task["department"]
    return Told(
        kind=NoticeKind.ASSIGNED,
        post=department_post(code),
        task_id=task["task_id"],
        department=code,
        due_at=task.get("due_at"),
    )


def _light(fields: Fields, case: Fields) -> Iterator[Told]:
    told = Told(
        kind=NoticeKind(fields["light"]),
        post=COORDINATOR,
        task_id=fields["task_id"],
        department=fields["department"],
        clock=ClockKind(fields["clock"]),
        due_at=fields.get("due_at"),
    )
    if told.department:
        yield msgspec.structs.replace(told, post=department_post(told.department))
    if told.kind is NoticeKind.RED:
        yield msgspec.structs.replace(told, post=OVERSEER)
    elif not told.department:
        yield told


def _objected(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.OBJECTED, RULER, fields, reason=fields["reason"])


def _ruled(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.RULED, department_post(fields["department"]), fields, positive=fields["upheld"])


def _returned(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.RETURNED, department_post(fields["department"]), fields, reason=fields["reason"])


def _of_task(kind: NoticeKind, post: Post, fields: Fields, **more: Any) -> Told:
    return Told(kind=kind, post=post, task_id=fields["task_id"], department=fields["department"], **more)


def _handled(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.HANDLED, post=CHECKER)


def _verified(fields: Fields, case: Fields) -> Iterator[Told]:
    passed = fields["passed"]
    yield from _to_lead(NoticeKind.VERIFIED, case, positive=passed)
    if passed:
        # Somebody has to close it now. What failed is told to each department as its own rework.
        yield Told(kind=NoticeKind.VERIFIED, post=COORDINATOR, positive=True)


def _closed(fields: Fields, case: Fields) -> Iterator[Told]:
    yield from _to_lead(NoticeKind.CLOSED, case)
    yield Told(kind=NoticeKind.CLOSED, post=None)


def _rejected(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.REJECTED, post=None, reason=fields["reason"])


def _to_lead(kind: NoticeKind, case: Fields, *, positive: bool = False) -> Iterator[Told]:
    live = (task for task in case.get("tasks", ()) if task["role"] == TaskRole.LEAD and task["state"] != TaskState.REMOVED)
    for task in live:
        yield Told(kind=kind, post=department_post(task["department"]), department=task["department"], positive=positive)


TELLS: dict[str, Callable[[Fields, Fields], Iterator[Told]]] = {
    "mediation.case_dispatched.v1": _dispatched,
    "mediation.task_assigned.v1": _assigned,
    "mediation.light_turned.v1": _light,
    "mediation.task_objected.v1": _objected,
    "mediation.objection_ruled.v1": _ruled,
    "mediation.task_returned.v1": _returned,
    "mediation.case_handled.v1": _handled,
    "mediation.case_verified.v1": _verified,
    "mediation.case_closed.v1": _closed,
    "mediation.case_rejected.v1": _rejected,
}

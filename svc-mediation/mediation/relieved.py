"""What no longer concerns departments that were taken out of a case or let off: found when somebody looks, so that it is never late.

Their notices of it are no work any more. Of suspected domestic violence they keep nothing but that they have no part in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from pymongo.asynchronous.collection import AsyncCollection

from mediation.domain import Actor, TaskState
from mediation.domain.notice import NoticeKind
from mediation.policies.protecting import PROTECTED_CATEGORY, hidden_from

Document = dict[str, Any]
# By these a department hears that it was taken out, or let off.
LEAVING = frozenset({NoticeKind.REMOVED, NoticeKind.RULED, NoticeKind.DECIDED})
_TASK = ("task_id", "department", "state")
_FOUND = {f"{field}.{name}": True for field in ("tasks", "earlier_tasks") for name in _TASK}


class Left(msgspec.Struct, frozen=True):
    """Of a case that some department had to leave: the tasks that were taken out, and the departments with a part in it still."""

    task_ids: frozenset[str]
    departments: frozenset[str]


async def left_by(
    cases: AsyncCollection[Document], *, case_ids: Iterable[str], departments: Collection[str]
) -> dict[str, Left]:
    """Returns, by id, those of the cases in which a task of one of the departments was taken out."""
    ids = sorted({case_id for case_id in case_ids if case_id})
    if not ids or not departments:
        return {}
    gone = {"$elemMatch": {"department": {"$in": sorted(departments)}, "state": TaskState.REMOVED.value}}
    where = {"_id": {"$in": ids}, "$or": [{"tasks": gone}, {"earlier_tasks": gone}]}
    return {case["_id"]: _left(case) async for case in cases.find(where, _FOUND)}


def _left(case: Document) -> Left:
    present = case.get("tasks", ())
    tasks = (*present, *case.get("earlier_tasks", ()))
    return Left(
        frozenset(task["task_id"] for task in tasks if task["state"] == TaskState.REMOVED),
        frozenset(task["department"] for task in present if task["state"] != TaskState.REMOVED),
    )


def is_over(notice: Mapping[str, Any], left: Left | None) -> bool:
    """Tells whether a notice asks a department for work on a task that was taken out."""
    return left is not None and notice["kind"] not in LEAVING and notice.get("task_id", "") in left.task_ids


def is_withheld(notice: Mapping[str, Any], left: Left | None, by: Actor) -> bool:
    """Tells whether the caller may not know any more what a notice to a department says."""
    if left is None or notice["kind"] in LEAVING or notice["category"] != PROTECTED_CATEGORY:
        return False
    return hidden_from(notice["category"], left.departments, by)


def is_order_withheld(order: Mapping[str, Any], left: Left | None, by: Actor) -> bool:
    """Tells whether the caller may not know any more what an order demanded of the caller's department."""
    return left is not None and hidden_from(order["category"], left.departments, by)

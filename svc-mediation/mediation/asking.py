"""What people ask for becomes an `Ask`: the fields of CaseFilter and TaskFilter, the caller's view, the time of day. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mediation import inbox, policies, texts
from mediation.domain import Point
from mediation.domain.states import OPEN_TASK_STATES
from mediation.finding import Ask, due_range, window_end
from mediation.store import Filter, still_open, view_of
from mediation.wording import wanted
from svckit.access import Caller
from svckit.documents import created_by
from svckit.errors import InvalidArgument

DEFAULT_METRES = 200
_NEVER = "none of them"


def of_cases(fields: Mapping[str, Any], *, caller: Caller, now: datetime) -> Ask:
    """Returns the ask for cases of a CaseFilter. Raises InvalidArgument (field `filter.…`).

    Reasons: NO_WORDS, UNKNOWN_DEPARTMENT, UNKNOWN_SOURCE, EMPTY_SPAN.
    """
    department = fields.get("department", "")
    if department:
        policies.check_department_code(department, field="filter.department")
    due = _due(fields, now=now)
    key = department or inbox.ANY
    parts = [*_plain_parts(fields), *_of_department(department), *_of_reporter(fields.get("reporter", ""))]
    if due:
        parts.append({f"inbox.{key}": due})
    return Ask(
        view=view_of(caller, prefix=fields.get("area_prefix", "")),
        where={"$and": parts} if parts else {},
        words=wanted(fields["text"], field="filter.text") if fields.get("text", "").strip() else None,
        wording=_place(fields),
        due_key=key,
    )


def of_tasks(fields: Mapping[str, Any], *, caller: Caller, now: datetime) -> tuple[Ask, Filter]:
    """Returns the ask for the cases of a TaskFilter, and the conditions on a task.

    Raises InvalidArgument (UNKNOWN_DEPARTMENT) and OtherDepartment.
    """
    department = policies.department_shown(caller, fields.get("department", ""))
    key = department or inbox.ANY
    task: Filter = {"state": {"$in": list(fields.get("states") or sorted(OPEN_TASK_STATES))}}
    task |= {"department": department} if department else {}
    task |= {"handler": caller.subject} if fields.get("mine") else {}
    task |= {"light": fields["light"]} if "light" in fields else {}
    parts: list[Filter] = [{"category": texts.starting_with(fields["category"])}] if fields.get("category") else []
    if end := window_end(fields.get("due", ""), now=now):
        task["due_at"] = {"$lt": end}
        if OPEN_TASK_STATES.issuperset(task["state"]["$in"]):
            parts.append({f"inbox.{key}": {"$gte": "", "$lt": inbox.mark(end)}})
    view = view_of(caller, prefix=fields.get("area_prefix", ""))
    return Ask(view=view, where={"$and": parts} if parts else {}, due_key=key), task


def _plain_parts(fields: Mapping[str, Any]) -> list[Filter]:
    parts: list[Filter] = []
    if fields.get("states") or fields.get("open"):
        parts.append({"state": {"$in": _states(fields)}})
    if "light" in fields:
        parts.append({"light": fields["light"]})
    if fields.get("category"):
        parts.append({"category": texts.starting_with(fields["category"])})
    if fields.get("severities"):
        parts.append({"severity": {"$in": list(fields["severities"])}})
    if fields.get("sources"):
        parts.append({"source": {"$in": _sources(fields["sources"])}})
    if fields.get("external_id"):
        parts.append({"external_id": fields["external_id"]})
    if reported := texts.reported_between(*_span(fields, "reported")):
        parts.append(reported)
    return parts


def _sources(codes: Sequence[str]) -> list[str]:
    for index, code in enumerate(codes):
        policies.check_source(code, field=f"filter.sources[{index}]")
    return list(codes)


def _states(fields: Mapping[str, Any]) -> list[str]:
    """The states asked for; of `open` and `states` those in both, or a state no case is in."""
    of_open: list[str] = still_open()["state"]["$in"]
    named = list(fields.get("states") or of_open)
    return [state for state in named if not fields.get("open") or state in of_open] or [_NEVER]


def _of_department(department: str) -> list[Filter]:
    return [{"tasks.department": department}] if department else []


def _of_reporter(reporter: str) -> list[Filter]:
    return [{"reporter.subject": reporter, **created_by(reporter)}] if reporter else []


def _due(fields: Mapping[str, Any], *, now: datetime) -> Filter | None:
    start, end = _span(fields, "due")
    window = window_end(fields.get("due", ""), now=now)
    return due_range(start=start, end=min(end, window) if end and window else end or window)


def _span(fields: Mapping[str, Any], name: str) -> tuple[datetime | None, datetime | None]:
    start, end = fields.get(f"{name}_from"), fields.get(f"{name}_before")
    if start and end and start >= end:
        raise InvalidArgument("This span of time ends before it begins.", field=f"filter.{name}_before", reason="EMPTY_SPAN")
    return start, end


def _place(fields: Mapping[str, Any]) -> Filter | None:
    if "near" not in fields:
        return None
    point = Point(fields["near"]["longitude"], fields["near"]["latitude"])
    return texts.near(point, metres=fields.get("radius") or DEFAULT_METRES)

"""What a report and a dispatch must look like."""

from __future__ import annotations

from collections.abc import Sequence

from mediation import routing
from mediation.domain import TaskPlan, TaskRole
from mediation.policies.access import check_department_code
from svckit.errors import InvalidArgument


def check_report(*, category: str, source: str, has_place: bool) -> None:
    """Raises InvalidArgument for an unknown category or source, or a report from nowhere."""
    routing.find(category)
    check_source(source)
    if not has_place:
        raise InvalidArgument("A case needs a point or an area code.", field="point", reason="PLACE_REQUIRED")


def check_source(source: str, *, field: str = "source") -> None:
    """Raises InvalidArgument unless event_source.csv has the source."""
    if not routing.is_source(source):
        raise InvalidArgument(f"Source {source!r} is not in event_source.csv.", field=field, reason="UNKNOWN_SOURCE")


def check_plans(plans: Sequence[TaskPlan]) -> None:
    """Raises InvalidArgument (naming the field) unless the plans can become the tasks of one case.

    One lead, known departments that differ, keys that differ, and `after` naming other keys without a circle.
    """
    leads = [plan for plan in plans if plan.role is TaskRole.LEAD]
    if len(leads) != 1:
        raise InvalidArgument("Exactly one task leads.", field="tasks", reason="LEAD_COUNT")
    keys = [plan.key or plan.department for plan in plans]
    _check_departments(plans)
    check_unique(keys, "key", "Two tasks have the same key.", "DUPLICATE_KEY")
    for index, plan in enumerate(plans):
        _check_after(plan, index, keys)
    check_acyclic({key: plan.after for key, plan in zip(keys, plans, strict=True)}, keys)


def _check_departments(plans: Sequence[TaskPlan]) -> None:
    for index, plan in enumerate(plans):
        check_department_code(plan.department, field=f"tasks[{index}].department")
    departments = [plan.department for plan in plans]
    check_unique(departments, "department", "A department has one task in a case.", "DUPLICATE_DEPARTMENT")


def check_unique(values: list[str], name: str, message: str, reason: str) -> None:
    """Raises InvalidArgument naming the first task whose `name` repeats that of another."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise InvalidArgument(message, field=f"tasks[{index}].{name}", reason=reason)


def _check_after(plan: TaskPlan, index: int, keys: list[str]) -> None:
    for place, key in enumerate(plan.after):
        if key not in keys:
            message = f"No task of this dispatch has the key {key!r}."
            raise InvalidArgument(message, field=f"tasks[{index}].after[{place}]", reason="UNKNOWN_KEY")


def check_acyclic(after: dict[str, tuple[str, ...]], keys: list[str]) -> None:
    """Raises InvalidArgument (CYCLE): takes away what waits for nothing, again and again; what remains waits for itself."""
    left = dict(after)
    while free := [key for key, needs in left.items() if left.keys().isdisjoint(needs)]:
        for key in free:
            del left[key]
    if left:
        index = keys.index(next(iter(left)))
        circle = ", ".join(left)
        raise InvalidArgument(f"These tasks wait for each other: {circle}.", field=f"tasks[{index}].after", reason="CYCLE")

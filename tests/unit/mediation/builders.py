"""Cases, people, times and refusals for the tests of svc-mediation. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mediation import operations
from mediation.domain import Attachment, Case, JoinPolicy, Point, Task, TaskPlan, TaskRole
from svckit.access import Caller
from svckit.errors import ServiceError

# A Monday morning in Yichang.
START = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
PLACE = Point(111.2865, 30.6919)
GRID_CODE = "42050200100310001"

DISPATCHER = Caller("dispatcher-1", roles=frozenset({"DISPATCHER"}), area="420502")
WORKER = Caller("worker-1", roles=frozenset({"GRID_WORKER"}), area="420502001003")
CHECKER = Caller("checker-1", roles=frozenset({"GRID_SUPERVISOR"}), area="420502001")
RESIDENT = Caller("resident-1", roles=frozenset({"RESIDENT"}), area="420502001003")
IMPORTER = Caller("importer-1", roles=frozenset({"IMPORTER"}), area="4205")

DEPARTMENTS = ("PMC", "FIRE", "UMD", "PROP", "HOUSING", "PSB", "JUST", "STREET", "CIVIL", "ENV")


def department(code: str, *, lead: bool = False) -> Caller:
    """Someone of a department."""
    role = "DEPT_LEAD" if lead else "DEPT_HANDLER"
    return Caller(f"{code.lower()}-1", roles=frozenset({role}), area="420502", department=code)


def ids() -> Callable[[], str]:
    """Ids that differ and sort by the order they were made in."""
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-7000-8000-{next(numbers):012d}"


def after_start(**passed: float) -> datetime:
    """A time so long after the start of the test's clock."""
    return START + timedelta(**passed)


def reported(**fields: object) -> Case:
    """A case as a grid worker reports it."""
    given = {
        "case_id": "01930000-0000-7000-8000-000000000001",
        "number": "420502-2026-000001",
        "category": "A0204",
        "description": "杂物堵塞楼道",
        "area_code": GRID_CODE,
        "point": PLACE,
        "by": WORKER,
        "at": START,
        "now": START,
    }
    return operations.report_case(**(given | fields))[0]  # type: ignore[arg-type]


def plans(*departments: str, after: dict[str, Sequence[str]] | None = None) -> list[TaskPlan]:
    """Plans of which the first leads; `after` by department."""
    waits = after or {}
    return [
        TaskPlan(department=code, role=TaskRole.JOINT if index else TaskRole.LEAD, after=tuple(waits.get(code, ())))
        for index, code in enumerate(departments)
    ]


def dispatched(
    *departments: str,
    after: dict[str, Sequence[str]] | None = None,
    join_policy: JoinPolicy = JoinPolicy.ALL,
    at: datetime = START,
    **fields: object,
) -> Case:
    """A case that was sent to some departments, the first of which leads."""
    return operations.dispatch(
        reported(**fields),
        plans=plans(*departments, after=after),
        join_policy=join_policy,
        by=DISPATCHER,
        at=at,
        now=at,
        new_id=ids(),
    )[0]


def task_of(case: Case, code: str) -> Task:
    """The live task of a department."""
    return next(task for task in case.tasks if task.department == code and task.state != "removed")


def accepted(case: Case, code: str, at: datetime = START) -> Case:
    """The case after a department accepted its task."""
    return operations.accept_task(case, task_id=task_of(case, code).task_id, by=department(code), at=at, now=at)[0]


def done(case: Case, *codes: str, at: datetime = START) -> Case:
    """The case after departments accepted and completed their tasks, in the order given."""
    for code in codes:
        if task_of(case, code).state == "assigned":
            case = accepted(case, code, at)
        case = operations.complete_task(
            case,
            task_id=task_of(case, code).task_id,
            result="已处置",
            evidence=(photo(),),
            unified_reply="已清理" if task_of(case, code).is_lead else "",
            parties_informed="当面" if task_of(case, code).is_lead else "",
            by=department(code),
            at=at,
            now=at,
        )[0]
    return case


def photo(point: Point | None = PLACE) -> Attachment:
    """A photograph taken at a point."""
    return Attachment(uri="oss://photos/after.jpg", point=point)


def verified(case: Case, at: datetime = START) -> Case:
    """The case after a passed check."""
    return operations.verify_case(case, passed=True, photos=(photo(),), by=CHECKER, at=at, now=at)[0]


def names(facts: Sequence[object]) -> list[str]:
    """The class names of some facts."""
    return [type(fact).__name__ for fact in facts]


def refused(
    expected: str, verb: Callable[..., Any], /, *arguments: Any, kind: type[ServiceError] = ServiceError, **named: Any
) -> str:
    """Expects a refusal with this reason; returns the field it names."""
    with pytest.raises(kind) as refusal:
        verb(*arguments, **named)
    assert refusal.value.reason == expected
    return refusal.value.field


def when(**passed: float) -> dict[str, Any]:
    moment = after_start(**passed)
    return {"at": moment, "now": moment}

"""The verbs of the assessment: take facts, count departments, compare. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from assessment import policies
from assessment.domain import CaseAssessed, CaseLedger, CategoryComparison, DepartmentFigures, Fact, StepKind
from assessment.ledgers import ledger_of


def take_facts(
    ledger: CaseLedger | None, *, case_id: str, facts: Iterable[Fact]
) -> tuple[CaseLedger, tuple[CaseAssessed, ...]]:
    """Returns the ledger that also knows `facts` (the same object when it knew them all).

    A closed case is announced, and announced again when facts that arrive later change its figures.
    """
    known = ledger.facts if ledger else ()
    together = policies.union(known, facts)
    if ledger is not None and together == known:
        return ledger, ()
    taken = ledger_of(case_id=case_id, facts=together)
    assessed = _assessed(taken)
    if assessed is None or (ledger is not None and assessed == _assessed(ledger)):
        return taken, ()
    return taken, (assessed,)


def _assessed(ledger: CaseLedger) -> CaseAssessed | None:
    if ledger.closed_at is None or not (ledger.reported_at and ledger.dispatched_at and ledger.handled_at):
        return None
    return CaseAssessed(
        case_id=ledger.case_id,
        number=ledger.number,
        city=ledger.city,
        area_code=ledger.area_code,
        category=ledger.category,
        actual_minutes=ledger.actual_minutes,
        serial_minutes=ledger.serial_minutes,
        critical_departments=tuple(step.department for step in ledger.critical_path if step.kind is StepKind.TASK),
        late_departments=_late_departments(ledger),
        closed_at=ledger.closed_at,
    )


def _late_departments(ledger: CaseLedger) -> tuple[str, ...]:
    late = (task.department for task in ledger.tasks if task.done_at and not task.done_on_time)
    return tuple(dict.fromkeys(late))


# ---------------------------------------------------------------------------------------------------- figures

Row = Mapping[str, Any]


def department_figures(rows: Iterable[Row]) -> tuple[DepartmentFigures, ...]:
    """Returns the figures of every department, by code, from tasks counted into bins.

    Each row counts the tasks of a department (`by`) in one bin of a `measure`, waiting or working; those not done are in the bin
    None. It holds their `count`, the `total` of their minutes, and the counts of DepartmentFigures.
    """
    groups = _by_group(rows)
    return tuple(_figures(department, groups[department]) for department in sorted(groups))


_COUNTS = (
    "accepted",
    "accepted_on_time",
    "done",
    "done_on_time",
    "returned",
    "objections_overruled",
    "red",
    "critical",
)


def _figures(department: str, rows: list[Row]) -> DepartmentFigures:
    # The rows of either measure hold all tasks of the department.
    waiting, working = _of(rows, "waiting"), _of(rows, "working")
    return DepartmentFigures(
        department=department,
        tasks=_sum(waiting, "count"),
        median_waiting_minutes=policies.median_of(waiting),
        median_working_minutes=policies.median_of(working),
        **{name: _sum(waiting, name) for name in _COUNTS},
    )


def compare_categories(rows: Iterable[Row]) -> tuple[tuple[CategoryComparison, ...], CategoryComparison]:
    """Returns the comparison per category, by code, and that of all of them together, from handled cases counted into bins.

    Each row counts the cases of a category (`by`) in one bin of a `measure`, actual, serial or saved; those that are not parallel
    are in the bin None. It holds their `count`, the `total` of their minutes, and `parallel_cases`.
    """
    groups = _by_group(rows)
    categories = tuple(_comparison(category, groups[category]) for category in sorted(groups))
    return categories, _comparison("", [row for own in groups.values() for row in own])


def _comparison(category: str, rows: list[Row]) -> CategoryComparison:
    actual = _of(rows, "actual")
    return CategoryComparison(
        category=category,
        cases=_sum(actual, "count"),
        parallel_cases=_sum(actual, "parallel_cases"),
        median_actual_minutes=policies.median_of(actual),
        median_serial_minutes=policies.median_of(_of(rows, "serial")),
        median_saved_minutes=policies.median_of(_of(rows, "saved")),
    )


def _by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["by"], []).append(row)
    return groups


def _of(rows: list[Row], measure: str) -> list[Row]:
    return [row for row in rows if row["measure"] == measure]


def _sum(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows)

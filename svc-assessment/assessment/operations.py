"""The verbs of the assessment: take facts, count departments, compare. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from assessment import policies
from assessment.domain import CaseAssessed, CaseLedger, CategoryComparison, CriticalMinutes, DepartmentFigures, Fact, StepKind
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


def department_figures(rows: Iterable[Row], orders: Mapping[str, Row] | None = None) -> tuple[DepartmentFigures, ...]:
    """Returns the figures of every department, by code, from tasks counted into bins, and counts of orders by department.

    Each row counts the tasks of a department (`by`) in one bin of a `measure`, waiting or working; those not done are in the bin
    None. It holds their `count`, the `total` of their minutes, and the counts of DepartmentFigures.
    """
    groups, orders = _by_group(rows), orders or {}
    departments = sorted(groups.keys() | orders.keys())
    return tuple(_figures(department, groups.get(department, []), orders.get(department, {})) for department in departments)


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


def _figures(department: str, rows: list[Row], orders: Row) -> DepartmentFigures:
    # The rows of either measure hold all tasks of the department.
    waiting, working = _of(rows, "waiting"), _of(rows, "working")
    return DepartmentFigures(
        department=department,
        tasks=_sum(waiting, "count"),
        median_waiting_minutes=policies.median_of(waiting),
        median_working_minutes=policies.median_of(working),
        **{name: _sum(waiting, name) for name in _COUNTS},
        **orders,
    )


def compare_categories(rows: Iterable[Row]) -> tuple[tuple[CategoryComparison, ...], CategoryComparison]:
    """Returns the comparison per category, by code, and that of all of them together, from handled cases counted into bins.

    Each row counts the cases of a category (`by`) in one bin of a `measure`, actual, serial, saved, waiting, working or suspended;
    those that are not parallel are in the bin None. It holds their `count`, the `total` of their minutes, and `parallel_cases`.
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
        **{f"median_{measure}_minutes": policies.median_of(_of(rows, measure)) for measure in _TIMES},
    )


_TIMES = ("actual", "serial", "saved", "waiting", "working", "suspended")


def critical_minutes(rows: Iterable[Row]) -> tuple[tuple[CriticalMinutes, ...], tuple[CriticalMinutes, ...]]:
    """Returns who had the minutes of critical paths: per category, by code, and of all categories; the largest share first.

    Each row counts the shares of a department in one `bin`: `category`, `kind`, `department`, their `count`, the `total` of their
    minutes, and how many of these were waiting, working and suspended.
    """
    rows = list(rows)
    own = _attributed(rows, lambda row: (row["category"], row["kind"], row["department"]))
    all_ = _attributed(rows, lambda row: ("", row["kind"], row["department"]))
    return own, all_


def _attributed(rows: Iterable[Row], key: Callable[[Row], tuple[str, str, str]]) -> tuple[CriticalMinutes, ...]:
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    whole: dict[str, float] = {}
    for (category, *_), own in groups.items():
        whole[category] = whole.get(category, 0.0) + _total(own, "total")
    found = (_critical(place, own, whole[place[0]]) for place, own in groups.items())
    return tuple(sorted(found, key=lambda one: (one.category, -one.minutes, one.kind, one.department)))


def _critical(place: tuple[str, str, str], rows: list[Row], whole: float) -> CriticalMinutes:
    category, kind, department = place
    minutes = _total(rows, "total")
    return CriticalMinutes(
        category=category,
        kind=StepKind(kind),
        department=department,
        cases=_sum(rows, "count"),
        minutes=minutes,
        median_minutes=policies.median_of(rows),
        share=minutes / whole if whole else 0.0,
        **{name: _total(rows, name) for name in ("waiting_minutes", "working_minutes", "suspended_minutes")},
    )


def _total(rows: list[Row], name: str) -> float:
    return float(sum(row[name] for row in rows))


def _by_group(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["by"], []).append(row)
    return groups


def _of(rows: list[Row], measure: str) -> list[Row]:
    return [row for row in rows if row["measure"] == measure]


def _sum(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows)

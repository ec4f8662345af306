"""The verbs of the assessment: take facts, count departments, compare. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from assessment import policies
from assessment.domain import CaseAssessed, CaseLedger, CategoryComparison, DepartmentFigures, Fact, Light, StepKind
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


class FigureCounter:
    """Counts tasks into figures of departments. `tasks` are raw task records of the month; removed ones do not count."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, list[float]] = {}
        self._working: dict[str, list[float]] = {}

    def add(self, task: Mapping[str, Any]) -> None:
        """Counts one task record (fields of domain.TaskRecord, as stored)."""
        if task["removed"]:
            return
        department = task["department"]
        counts = self._counts.setdefault(department, {})
        for name, amount in _counted(task).items():
            counts[name] = counts.get(name, 0) + int(amount)
        if task.get("done_at"):
            self._waiting.setdefault(department, []).append(task["waiting_minutes"])
            self._working.setdefault(department, []).append(task["working_minutes"])

    def figures(self) -> tuple[DepartmentFigures, ...]:
        """Returns the figures, by department code."""
        return tuple(
            DepartmentFigures(
                department=department,
                median_waiting_minutes=_median(self._waiting.get(department, ())),
                median_working_minutes=_median(self._working.get(department, ())),
                **self._counts[department],
            )
            for department in sorted(self._counts)
        )


def _counted(task: Mapping[str, Any]) -> dict[str, int | bool]:
    accepted, done = task.get("accepted_at") is not None, task.get("done_at") is not None
    return {
        "tasks": 1,
        "accepted": accepted,
        "accepted_on_time": accepted and task["accepted_on_time"],
        "done": done,
        "done_on_time": done and task["done_on_time"],
        "returned": task["returns"] > 0,
        "objections_overruled": task["objections_overruled"],
        "red": task["light"] == Light.RED,
        "critical": done and task["critical"],
    }


class ComparisonCounter:
    """Collects handled cases into the comparison of the parallel with the serial way."""

    def __init__(self) -> None:
        self._cases: dict[str, int] = {}
        self._times: dict[str, list[tuple[float, float]]] = {}

    def add(self, ledger: Mapping[str, Any]) -> None:
        """Counts one handled case (fields category, parallel, actual_minutes, serial_minutes, as stored)."""
        category = ledger["category"]
        self._cases[category] = self._cases.get(category, 0) + 1
        if ledger["parallel"]:
            self._times.setdefault(category, []).append((ledger["actual_minutes"], ledger["serial_minutes"]))

    def categories(self) -> tuple[CategoryComparison, ...]:
        """Returns one row per category, by code."""
        return tuple(
            _comparison(category, self._cases[category], self._times.get(category, [])) for category in sorted(self._cases)
        )

    def total(self) -> CategoryComparison:
        """Returns the row of all categories together."""
        return _comparison("", sum(self._cases.values()), [pair for times in self._times.values() for pair in times])


def _comparison(category: str, cases: int, times: list[tuple[float, float]]) -> CategoryComparison:
    return CategoryComparison(
        category=category,
        cases=cases,
        parallel_cases=len(times),
        median_actual_minutes=_median([actual for actual, _ in times]),
        median_serial_minutes=_median([serial for _, serial in times]),
        median_saved_minutes=_median([serial - actual for actual, serial in times]),
    )


def _median(values: Iterable[float]) -> float:
    known = list(values)
    return statistics.median(known) if known else 0.0

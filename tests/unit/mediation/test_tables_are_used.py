"""Every row of the route and limit tables decides something, and what it says is what is felt: read here a second time."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

from mediation import calendar, routing
from mediation.domain import Calendar, Limit, Limits, Severity, TaskRole

DEPARTMENTS = set(routing.departments())
LETTERS = {"city_component": "C", "city_event": "D"}


def table(name: str) -> list[dict[str, str]]:
    """The rows of one of our tables."""
    text = resources.files("mediation").joinpath(f"codes/{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


DISPUTES = {row["category"]: row for row in table("dispute_route")}
CATEGORIES = [row["code"] for row in table("dispute_category")]
CITY = [(name, row) for name in LETTERS for row in table(name)]


def decided_by(category: str) -> dict[str, str]:
    """The row of a dispute: its own, else its two-digit parent's."""
    return DISPUTES.get(category) or DISPUTES[category[:2]]


def test_every_dispute_row_decides_a_category() -> None:
    assert {decided_by(code)["category"] for code in CATEGORIES} == set(DISPUTES)
    assert len(DISPUTES) == 43


@pytest.mark.parametrize("code", CATEGORIES)
def test_a_dispute_goes_as_its_row_says(code: str) -> None:
    row = decided_by(code)
    route = routing.find(f"A{code}")
    assert [route.lead, route.lead_escalated] == [row["lead_dept_local"], row["lead_dept_escalated"]]
    assert list(route.joints) == row["joint_depts"].split(";")
    assert {route.lead, route.lead_escalated, *route.joints} <= DEPARTMENTS
    assert route.parallel_default is (row["parallel_default"] == "Y")
    assert route.escalates is (row["start_level"] in ("L3", "L4", "L5"))
    assert row["law"] in route.basis
    assert row["statutory_limit"] in route.basis
    assert (route.accept, route.respond) == (hours(row["accept_work_h"]), hours(row["first_response_work_h"]))
    assert route.resolve == days(row["resolve_wd"])


def hours(text: str) -> Limit:
    """Working hours of the dispute table; a multiple of a working day is so many working days."""
    minutes = round(float(text) * 60)
    return Limit(minutes, Calendar.WORK, minutes % 450 == 0)


def days(text: str) -> Limit:
    """Working days of the dispute table, or "60cd": calendar days."""
    if text.endswith("cd"):
        return Limit(int(text[:-2]) * 1440, Calendar.STATUTORY)
    return Limit(int(text) * 450, Calendar.WORK, whole_days=True)


@pytest.mark.parametrize(("name", "row"), CITY, ids=lambda each: each["code"] if isinstance(each, dict) else each)
def test_components_and_events_go_as_their_rows_say(name: str, row: dict[str, str]) -> None:
    route = routing.find(LETTERS[name] + row["code"])
    assert route.lead == row["default_dept"]
    assert route.lead in DEPARTMENTS
    counted = Calendar.WORK if row["clock"] == "work" else Calendar.STATUTORY
    assert (route.resolve.minutes, route.resolve.calendar) == (round(float(row["resolve_h"]) * 60), counted)
    if "respond_h" in row:
        assert route.respond
        assert (route.respond.minutes, route.respond.calendar) == (round(float(row["respond_h"]) * 60), counted)
    marked = [each for each in Severity if each.upper() in row.get("limit_basis", "").split()]
    assert route.severity is (marked[0] if marked else Severity.S4)


def test_a_gas_leak_and_a_crowd_are_grave_by_themselves() -> None:
    assert [routing.find(code).severity for code in ("D0403", "D0409", "D0401")] == [Severity.S1, Severity.S2, Severity.S4]


def test_every_joint_row_belongs_to_an_event_and_every_letter_has_a_route() -> None:
    for row in table("joint_route"):
        assert routing.find(row["category"]).joints == tuple(row["joints"].split(";"))
    for row in table("category"):
        route = routing.find(row["code"])
        assert row["default_lead"] in (route.lead, route.lead_escalated), row["code"]


@pytest.mark.parametrize("row", table("case_severity"), ids=lambda row: row["code"])
def test_severities(row: dict[str, str]) -> None:
    counted = Calendar.WORK if row["clock"] == "work" else Calendar.STATUTORY
    limits = routing.severity_limits(Severity(row["code"].lower()))
    assert [(each.minutes, each.calendar) for each in limits] == [
        (int(row["accept_min"]), counted),
        (int(row["first_response_min"]), counted),
    ]


def felt(category: str, severity: Severity) -> Limits:
    return routing.case_limits(category, severity)


def test_of_two_limits_that_count_otherwise_both_bind() -> None:
    """A17 S3: 0.5 working hours to accept by its row, 2 hours by the clock for S3: on a Friday evening the clock wins."""
    accept = felt("A17", Severity.S3).accept
    assert (accept.minutes, accept.calendar) == (30, Calendar.WORK)
    assert accept.rival == Limit(120, Calendar.STATUTORY)
    # S3 says 2 hours by the clock where the row gives a working day and more: shorter whatever the hour.
    assert felt("A0303", Severity.S3).accept == Limit(120, Calendar.STATUTORY)


def test_counters_keep_staggered_hours_and_the_departments_beside_them_do_not() -> None:
    """GW-13: open over noon and in the evening, so a day of the counter is 10.5 hours."""
    assert calendar.minutes_per_day(Calendar.STAGGERED) == 630
    whole = felt("E", Severity.S4)
    assert whole.resolve == Limit(5 * 630, Calendar.STAGGERED, whole_days=True)
    assert whole.accept == Limit(480, Calendar.STAGGERED)
    assert routing.task_limits("E", Severity.S4, TaskRole.LEAD, "COMM") == whole
    assert routing.task_limits("E", Severity.S4, TaskRole.LEAD, "CIVIL").resolve == Limit(2250, Calendar.WORK, whole_days=True)
    assert routing.task_limits("E", Severity.S4, TaskRole.JOINT, "HRSS").resolve == Limit(1800, Calendar.WORK, whole_days=True)

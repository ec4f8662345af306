"""Who handles what, and how fast: the route tables of `codes/` read into one look-up.

A category is a letter of category.csv, alone or with a code: A + dispute code (A0204; inherits from its two-digit parent), C + component
code (C0101), D + event code (D0102), B + a code of grid_route.csv (B01). Minutes of the severity table tighten the limits of the route.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec

from mediation import calendar
from mediation.domain import Calendar, Limit, Limits, Plan, Severity, TaskPlan, TaskRole
from svckit.errors import InvalidArgument

WORKING_DAY_MINUTES = 450
_DAY_MINUTES = 1440
# Clock-hour limits up to this length (three days) are emergencies of sorts: working hours have no place beside them.
_NEVER_WAITS = 3 * _DAY_MINUTES
# parallel_policy.yaml, timing: joint departments leave the lead a fifth of the limit to bring the answers together.
JOINT_SHARE = 0.8
# parallel_policy.yaml, objection: "GRID decides inside 4 work hours".
_RULING_MINUTES = 240
# parallel_policy.yaml, lead_rule: from this level on the higher department leads.
_ESCALATED_LEVELS = frozenset({"L3", "L4", "L5"})
_ESCALATED_SEVERITIES = frozenset({Severity.S1, Severity.S2})
# parallel_policy.yaml, trigger: these go to all departments at once whatever the row says.
_PARALLEL_SEVERITIES = frozenset({Severity.S1, Severity.S2, Severity.S3})


class UnknownCategory(InvalidArgument):
    """No table has this category."""

    default_reason = "UNKNOWN_CATEGORY"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the route tables. `accept` and `respond` are None where only the severity sets them."""

    category: str
    lead: str
    resolve: Limit
    basis: str
    lead_escalated: str = ""
    escalates: bool = False
    joints: tuple[str, ...] = ()
    parallel_default: bool = False
    accept: Limit | None = None
    respond: Limit | None = None
    severity: Severity = Severity.S4
    # The lead serves people at a counter that keeps staggered hours (GW-13, 错时服务).
    at_counter: bool = False


@cache
def plan(category: str, severity: Severity) -> Plan:
    """Returns the tasks the tables propose, the lead first. Raises UnknownCategory (field `category`)."""
    route = find(category)
    lead = route.lead
    if route.escalates or severity in _ESCALATED_SEVERITIES:
        lead = route.lead_escalated or route.lead
    joints = [department for department in route.joints if department != lead]
    tasks = [TaskPlan(department=lead, role=TaskRole.LEAD)]
    tasks += [TaskPlan(department=department, role=TaskRole.JOINT) for department in joints]
    parallel = bool(joints) and (route.parallel_default or severity in _PARALLEL_SEVERITIES)
    return Plan(tasks=tuple(tasks), parallel_by_default=parallel, basis=route.basis)


@cache
def case_limits(category: str, severity: Severity) -> Limits:
    """Returns the limits of a case as a whole, which are those of its lead task. Raises UnknownCategory."""
    route = find(category)
    limits = _office_limits(route, severity)
    return _staggered(limits) if route.at_counter else limits


@cache
def task_limits(category: str, severity: Severity, role: TaskRole, department: str = "") -> Limits:
    """Returns the limits of one task: the lead has the limit of the case, a joint department 0.8 of it.

    A counter's staggered hours are those of the department of the route; another `department` works office hours.
    """
    route = find(category)
    if role is TaskRole.LEAD and department in ("", route.lead):
        return case_limits(category, severity)
    limits = _office_limits(route, severity)
    if role is TaskRole.LEAD:
        return limits
    minutes = math.ceil(limits.resolve.minutes * JOINT_SHARE)
    resolve = msgspec.structs.replace(limits.resolve, minutes=minutes)
    return Limits(accept=_within(limits.accept, resolve), respond=_within(limits.respond, resolve), resolve=resolve)


def severity_limits(severity: Severity) -> tuple[Limit, Limit]:
    """Returns the accept and the first-response limit of case_severity.csv."""
    return _severity_limits()[severity]


def ruling_limit(severity: Severity) -> Limit:
    """Returns how long a coordinator may take to rule on an objection: 4 working hours (parallel_policy.yaml, objection).

    For S1 every hour counts, as in every limit of it.
    """
    return Limit(_RULING_MINUTES, Calendar.STATUTORY if severity is Severity.S1 else Calendar.WORK)


def find(category: str) -> Route:
    """Returns the row that decides for a category, its parent's where it has none. Raises UnknownCategory."""
    route = _routes().get(category)
    if route is None:
        raise UnknownCategory(f"Category {category!r} is in no code table.", field="category")
    return route


def is_department(code: str) -> bool:
    """Tells whether department.csv has the code."""
    return code in _codes("department")


def departments() -> tuple[str, ...]:
    """Returns the codes of department.csv, sorted."""
    return tuple(sorted(_codes("department")))


def is_source(code: str) -> bool:
    """Tells whether event_source.csv has the code."""
    return code in _codes("event_source")


def categories() -> tuple[str, ...]:
    """Returns every category that can be reported, sorted."""
    return tuple(sorted(_routes()))


@cache
def _routes() -> dict[str, Route]:
    found = {route.category: route for route in _grid_routes()}
    found |= {route.category: route for route in _disputes()}
    found |= {route.category: route for route in _city("city_event", "D")}
    found |= {route.category: route for route in _city("city_component", "C")}
    # A dispute nobody has classified yet goes the way of "other", a petition the way of the petition row.
    found["A"] = msgspec.structs.replace(found["A99"], category="A")
    found["J"] = msgspec.structs.replace(found["A21"], category="J")
    return found


def _grid_routes() -> Iterator[Route]:
    for row in _rows("grid_route"):
        yield Route(
            category=row["category"],
            lead=row["lead"],
            joints=_list(row["joints"]),
            parallel_default=row["parallel_default"] == "Y",
            resolve=parse_limit(row["resolve"]),
            at_counter=row["hours"] == "staggered",
            basis=f"grid_route.csv {row['category']}: {row['basis']}",
        )


def _disputes() -> Iterator[Route]:
    rows = {row["category"]: row for row in _rows("dispute_route")}
    for category in _rows("dispute_category"):
        code = category["code"]
        row = rows.get(code) or rows[code[:2]]
        yield _dispute(code, row, Severity(category["default_severity"].lower()))


def _dispute(code: str, row: dict[str, str], severity: Severity) -> Route:
    days = row["resolve_wd"]
    law = " ".join(part for part in (row["law"], row["statutory_limit"]) if part)
    return Route(
        category=f"A{code}",
        lead=row["lead_dept_local"],
        lead_escalated=row["lead_dept_escalated"],
        escalates=row["start_level"] in _ESCALATED_LEVELS,
        joints=_list(row["joint_depts"]),
        parallel_default=row["parallel_default"] == "Y",
        accept=parse_limit(row["accept_work_h"] + "wh"),
        respond=parse_limit(row["first_response_work_h"] + "wh"),
        resolve=parse_limit(days if days.endswith("cd") else f"{days}wd"),
        basis=f"dispute_route.csv {row['category']}: {law}".rstrip(": "),
        severity=severity,
    )


def _city(table: str, letter: str) -> Iterator[Route]:
    joint_rows = {row["category"]: row for row in _rows("joint_route")}
    for row in _rows(table):
        category = letter + row["code"]
        unit = "wh" if row["clock"] == "work" else "h"
        joint = joint_rows.get(category, {"joints": "", "parallel_default": "N", "basis": ""})
        yield Route(
            category=category,
            lead=row["default_dept"],
            joints=_list(joint["joints"]),
            parallel_default=joint["parallel_default"] == "Y",
            respond=parse_limit(row["respond_h"] + unit) if "respond_h" in row else None,
            resolve=parse_limit(row["resolve_h"] + unit),
            severity=_severity_in(row.get("limit_basis", "")),
            basis=f"{table}.csv {row['code']}: {joint['basis']}".rstrip(": "),
        )


def _severity_in(basis: str) -> Severity:
    """The event table names the severity of the few events that are not ordinary beside their limits: "P S1"."""
    found = re.search(r"\bS[1-4]\b", basis)
    return Severity(found[0].lower()) if found else Severity.S4


def parse_limit(text: str) -> Limit:
    """Reads a limit of the tables: "4wh" working hours, "10wd" working days, "24h" hours, "60cd" calendar days."""
    for unit, minutes, counted in (
        ("wh", 60, Calendar.WORK),
        ("wd", WORKING_DAY_MINUTES, Calendar.WORK),
        ("cd", _DAY_MINUTES, Calendar.STATUTORY),
        ("h", 60, Calendar.STATUTORY),
    ):
        if text.endswith(unit):
            return _limit(round(float(text.removesuffix(unit)) * minutes), counted)
    raise ValueError(f"{text!r} is no limit")


def _limit(minutes: int, calendar: Calendar) -> Limit:
    # Tables give working days also as hours: 22.5 is three days of 7.5 hours.
    whole_days = calendar is Calendar.WORK and minutes % WORKING_DAY_MINUTES == 0
    return Limit(minutes, calendar, whole_days)


def _by_the_clock(limit: Limit) -> Limit:
    """A working day of an emergency is a day: S1 counts every hour (INDEX.md)."""
    if limit.calendar is Calendar.STATUTORY:
        return limit
    days = limit.minutes / WORKING_DAY_MINUTES
    minutes = round(days * _DAY_MINUTES) if limit.whole_days else limit.minutes
    return Limit(minutes, Calendar.STATUTORY)


def _office_limits(route: Route, severity: Severity) -> Limits:
    accept, respond = severity_limits(severity)
    resolve = _by_the_clock(route.resolve) if severity is Severity.S1 else route.resolve
    return Limits(
        accept=_within(_tighter(route.accept, accept, severity), resolve),
        respond=_within(_tighter(route.respond, respond, severity), resolve),
        resolve=resolve,
    )


def _tighter(route: Limit | None, severity_limit: Limit, severity: Severity) -> Limit:
    """The row of the category and the row of the severity both bind: the one that ends first is felt."""
    if route is None:
        return severity_limit
    return _sooner(severity_limit, _by_the_clock(route) if severity is Severity.S1 else route)


def _within(limit: Limit, resolve: Limit) -> Limit:
    """Nobody has longer to answer than to finish, nor may the answer wait for Monday when the work may not."""
    if resolve.calendar is Calendar.STATUTORY and resolve.minutes <= _NEVER_WAITS:
        return Limit(min(limit.minutes, resolve.minutes), Calendar.STATUTORY)
    return _sooner(limit, resolve)


def _sooner(*limits: Limit) -> Limit:
    """Of limits that all bind the one that ends first; where that depends on the hour it starts, the one has the other as rival."""
    flat = [each for limit in limits for each in (msgspec.structs.replace(limit, rival=None), limit.rival) if each]
    clock = min((each for each in flat if each.calendar is Calendar.STATUTORY), key=_length, default=None)
    work = min((each for each in flat if each.calendar is not Calendar.STATUTORY), key=_length, default=None)
    if clock is None or work is None:
        return clock or work or limits[0]
    # So many minutes by the clock are over before as many working minutes are.
    return clock if clock.minutes <= work.minutes else msgspec.structs.replace(work, rival=clock)


def _length(limit: Limit) -> tuple[int, bool]:
    return limit.minutes, limit.whole_days


def _staggered(limits: Limits) -> Limits:
    return Limits(accept=_at_counter(limits.accept), respond=_at_counter(limits.respond), resolve=_at_counter(limits.resolve))


def _at_counter(limit: Limit) -> Limit:
    """The same days or hours of work by the hours of the counter."""
    if limit.calendar is Calendar.STATUTORY:
        return limit
    days = limit.minutes // WORKING_DAY_MINUTES
    minutes = days * calendar.minutes_per_day(Calendar.STAGGERED) if limit.whole_days else limit.minutes
    return msgspec.structs.replace(limit, minutes=minutes, calendar=Calendar.STAGGERED)


@cache
def _severity_limits() -> dict[Severity, tuple[Limit, Limit]]:
    found = {}
    for row in _rows("case_severity"):
        calendar = Calendar.WORK if row["clock"] == "work" else Calendar.STATUTORY
        minutes = int(row["accept_min"]), int(row["first_response_min"])
        found[Severity(row["code"].lower())] = (Limit(minutes[0], calendar), Limit(minutes[1], calendar))
    return found


@cache
def _codes(table: str) -> frozenset[str]:
    return frozenset(row["code"] for row in _rows(table))


def _rows(table: str) -> list[dict[str, str]]:
    text = resources.files("mediation").joinpath(f"codes/{table}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)

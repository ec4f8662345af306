"""The escalation ladder: levels and limits of the tables, climbing by hand and by time, and what it leaves alone."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation import calendar, clocks, ladder, operations
from mediation.domain import CaseLevel, CaseState, Light, Severity
from mediation.domain.supervision import LADDER
from mediation.operations import escalating, flow
from mediation.policies.supervision import CLIMBING_STATES
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

from .builders import (
    CHECKER,
    DISPATCHER,
    IMPORTER,
    RESIDENT,
    START,
    WORKER,
    after_start,
    department,
    dispatched,
    done,
    ids,
    plans,
    refused,
    reported,
    task_of,
)
from .orders import CITY, COMMUNITY, DISTRICT, STREET

ROWS = list(csv.DictReader(resources.files("mediation").joinpath("codes/case_level.csv").read_text("utf-8").splitlines()))
FAR = after_start(days=120)
L1, L2, L3, L4, L5 = (CaseLevel(f"l{number}") for number in range(1, 6))


def close_of(days: int, at: datetime = START) -> datetime:
    """The close of the working day on which so many working days end."""
    return calendar.end_of_working_day(at, days * calendar.minutes_per_day())


def lifted(case, by=WORKER, *, at: datetime = START, **fields):
    return escalating.escalate_case(case, reason="网格无力处置", by=by, at=at, now=at, **fields)


# ----------------------------------------------------------------------------------------------------------------- the tables


def test_the_ladder_is_that_of_the_table() -> None:
    ours = {(row.source, row.target) for row in LADDER}
    assert ours == {(row["code"].lower(), row["escalate_to"].lower()) for row in ROWS if row["escalate_to"]}
    for row in LADDER:
        level = ladder.levels()[CaseLevel(row.source)]
        assert level.role in row.by
        assert f" {level.stay_days} working day" in row.guard
    for row, by in ((each, Caller("x", roles=frozenset({role}), area="420502")) for each in LADDER for role in each.by):
        assert ladder.rank_of(by) >= ladder.rank(CaseLevel(row.source)), (row.source, by.roles)


@pytest.mark.parametrize(
    ("category", "severity", "level"),
    [
        ("D0102", "s4", L1),
        ("D0102", "s3", L2),
        ("D0102", "s2", L4),
        ("D0102", "s1", L4),
        ("A0204", "s4", L1),
        ("A0105", "s4", L2),
        ("A", "s4", L1),
    ],
)
def test_a_case_begins_at_the_level_of_its_kind(category: str, severity: str, level: CaseLevel) -> None:
    case = reported(category=category, severity=Severity(severity))
    assert (case.level, [rung.level for rung in case.rungs]) == (level, [level])


def test_every_kind_of_case_has_a_level() -> None:
    from mediation import routing

    for category in routing.categories():
        for severity in Severity:
            assert ladder.rank(ladder.start_level(category, severity)) >= 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_a_stay_is_as_long_as_the_table_says(row: dict[str, str]) -> None:
    level = CaseLevel(row["code"].lower())
    end = ladder.leaves_at(level, Severity.S4, since=START)
    emergency = ladder.leaves_at(level, Severity.S1, since=START)
    if not row["escalate_to"]:
        assert end is emergency is None
        return
    assert end == close_of(int(row["default_stay_wd"]))
    assert emergency == START + timedelta(days=int(row["default_stay_wd"]))


# -------------------------------------------------------------------------------------------------------------------- by hand


def test_lifting_adds_a_level_and_takes_nothing_from_anybody() -> None:
    case = dispatched("PMC", "FIRE")
    higher, (fact,) = lifted(case, at=after_start(hours=1))
    assert (higher.level, higher.state, higher.tasks, higher.clocks) == (L2, case.state, case.tasks, case.clocks)
    assert (fact.from_level, fact.to_level, fact.role, fact.level_area) == (L1, L2, "GRID_SUPERVISOR", "420502001003")
    assert (fact.by_hand, fact.reason, fact.escalated_by) == (True, "网格无力处置", "worker-1")
    assert higher.level_due_at == fact.due_at == close_of(3)
    assert higher.steps[-1].verb == "escalate_case"
    assert operations.accept_task(higher, task_id=task_of(higher, "FIRE").task_id, by=department("FIRE"), at=FAR, now=FAR)


def test_step_by_step_up_to_the_city() -> None:
    case = dispatched("PMC")
    areas = []
    for by in (WORKER, COMMUNITY, STREET, DISTRICT):
        case, (fact,) = lifted(case, by)
        areas.append(fact.level_area)
    assert areas == ["420502001003", "420502001", "420502", "4205"]
    assert (case.level, case.level_due_at) == (L5, None)
    refused("TOP_LEVEL", lifted, case, CITY, kind=FailedPrecondition)


def test_whoever_is_below_the_level_has_let_go() -> None:
    case = lifted(dispatched("PMC"))[0]
    refused("LEVEL_TOO_LOW", lifted, case, WORKER, kind=PermissionDenied)
    case = lifted(case, CHECKER)[0]
    for by in (WORKER, COMMUNITY):
        refused("LEVEL_TOO_LOW", lifted, case, by, kind=PermissionDenied)
    for by in (STREET, DISPATCHER, CITY, IMPORTER):
        assert lifted(case, by)[0].level is L4


def test_only_people_who_answer_for_a_level_lift_cases() -> None:
    for by in (RESIDENT, department("FIRE", lead=True)):
        refused("ROLE_REQUIRED", lifted, dispatched("PMC"), by, kind=PermissionDenied)


def test_a_case_only_climbs_and_skips_levels_in_emergencies_only() -> None:
    case = lifted(dispatched("PMC"))[0]
    for level in (L1, L2):
        assert refused("LEVEL_NOT_HIGHER", lifted, case, STREET, to_level=level, kind=InvalidArgument) == "to_level"
    assert refused("LEVEL_SKIPPED", lifted, case, STREET, to_level=L4, kind=InvalidArgument) == "to_level"
    grave = replace(case, severity=Severity.S2)
    assert lifted(grave, STREET, to_level=L5)[0].level is L5


@pytest.mark.parametrize("state", sorted(frozenset(CaseState) - CLIMBING_STATES))
def test_a_case_nobody_works_on_does_not_climb(state: CaseState) -> None:
    case = replace(dispatched("PMC"), state=state)
    refused("WRONG_STATE", lifted, case, CITY, kind=FailedPrecondition)
    assert escalating.climb(case, now=FAR) == (replace(case, level_due_at=None), ())


def test_a_case_older_than_the_ladder_begins_when_it_is_lifted_or_moved() -> None:
    old = replace(dispatched("PMC"), level=CaseLevel.UNSPECIFIED, rungs=(), level_due_at=None)
    assert escalating.climb(old, now=FAR) == (old, ())
    assert lifted(old)[0].level is L2
    moved = operations.accept_task(old, task_id=old.tasks[0].task_id, by=department("PMC"), at=START, now=START)[0]
    assert (moved.level, moved.level_due_at) == (L1, close_of(1))


# -------------------------------------------------------------------------------------------------------------------- by time


def test_a_case_climbs_when_its_stay_is_over_and_not_before() -> None:
    case = dispatched("PMC")
    assert case.level_due_at == close_of(1)
    assert escalating.climb(case, now=close_of(1) - timedelta(milliseconds=1)) == (case, ())
    higher, (fact,) = escalating.climb(case, now=close_of(1))
    assert (higher.level, fact.by_hand, fact.escalated_by) == (L2, False, "system")
    assert higher.level_due_at == close_of(3, close_of(1))
    assert escalating.climb(higher, now=close_of(1)) == (higher, ())


def test_what_happened_before_it_was_recorded_is_no_stay_of_anybody() -> None:
    """An import of old cases, and a report written offline, begin their stay on arrival: the diary of the past stays as it was."""
    now = after_start(days=60)
    case = reported(at=START, now=now, by=IMPORTER)
    assert (case.rungs[0].at, case.level_due_at) == (now, close_of(1, now))
    assert escalating.climb(case, now=now) == (case, ())
    sent = operations.dispatch(case, plans=plans("PMC"), by=IMPORTER, at=after_start(hours=1), now=now, new_id=ids())[0]
    closed = done(sent, "PMC", at=after_start(hours=2))
    assert closed.handled_at == after_start(hours=2)
    assert closed.level_due_at is None


def test_after_a_pause_every_step_has_its_true_time() -> None:
    case, facts = escalating.climb(dispatched("PMC"), now=FAR)
    ends = [close_of(1)]
    for days in (3, 5, 10):
        ends.append(close_of(days, ends[-1]))
    assert [fact.escalated_at for fact in facts] == ends
    assert [fact.to_level for fact in facts] == [L2, L3, L4, L5]
    assert [rung.at for rung in case.rungs] == [START, *ends]
    assert case.level_due_at is None


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=40))
def test_any_rounds_of_the_timer_end_where_one_round_would(minutes: list[int]) -> None:
    case, now = dispatched("PMC"), START
    for passed in minutes:
        now += timedelta(minutes=passed)
        case = escalating.climb(case, now=now)[0]
    assert case.rungs == escalating.climb(dispatched("PMC"), now=now)[0].rungs


def test_the_late_departments_are_named() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD"), "UMD")
    _, facts = escalating.climb(case, now=FAR)
    late = facts[-1].late_tasks
    assert {task.department for task in late} == {"PMC", "FIRE"}
    assert [task.due_at for task in late] == [
        clocks.due_at(task_of(case, task.department).clocks, clocks.ClockKind.RESOLVE) for task in late
    ]
    assert lifted(case)[1][0].late_tasks == ()


def test_time_in_which_nobody_could_act_does_not_count() -> None:
    case = done(dispatched("PMC"), "PMC", at=after_start(hours=1))
    assert (case.state, case.level_due_at) == (CaseState.HANDLED, None)
    assert escalating.climb(case, now=FAR) == (case, ())
    back = close_of(2)
    case = operations.verify_case(
        case, passed=False, text="x", failed_task_ids=[case.tasks[0].task_id], by=CHECKER, at=back, now=back
    )[0]
    # One working hour was used; the rest of the day begins again when the case comes back, and ends at a close.
    assert case.state == CaseState.REWORK
    assert case.level_due_at == close_of(1, back)


def test_nothing_stops_the_stay_of_an_emergency() -> None:
    case = done(dispatched("PMC", severity=Severity.S1), "PMC", at=after_start(hours=1))
    back = after_start(days=2)
    case = operations.verify_case(
        case, passed=False, text="x", failed_task_ids=[case.tasks[0].task_id], by=CHECKER, at=back, now=back
    )[0]
    assert (case.level, case.level_due_at) == (L4, START + timedelta(days=10))


def test_a_step_touches_the_stay_only_where_the_state_says_so() -> None:
    case = dispatched("PMC")
    assert flow.record(case, verb="x", by=WORKER, at=START, now=START).level_due_at == case.level_due_at
    assert case.light is Light.GREEN

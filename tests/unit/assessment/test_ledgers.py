"""A ledger is a function of the set of facts: order and repetition change nothing, and its minutes add up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment import intake, operations
from assessment.domain import CaseAssessed, CaseLedger, Light, StepKind
from tests.unit.assessment import histories
from tests.unit.assessment.histories import History, dispatched, minute, on_case, on_task, planned, reported, ruled


def taken(history: History, *, batch: int = 1) -> CaseLedger:
    """The ledger after the events of `history`, taken `batch` at a time."""
    ledger: CaseLedger | None = None
    for start in range(0, len(history), batch):
        ledger, _ = operations.take_facts(ledger, case_id="case", facts=facts(history[start : start + batch]))
    assert ledger is not None
    return ledger


def facts(history: History) -> list[object]:
    said = (intake.facts_of(event_type=kind, fields=fields, event_time=at) for kind, at, fields in history)
    return [fact for item in said if item for fact in item[1]]


@given(seed=st.integers(0, 10_000), shuffle=st.integers(), batch=st.integers(1, 7))
def test_any_order_and_any_repetition_of_the_events_end_in_the_same_ledger(seed, shuffle, batch):
    history = histories.random_history(seed)
    rng = random.Random(shuffle)
    disorderly = history + rng.choices(history, k=len(history) // 2)
    rng.shuffle(disorderly)
    assert taken(disorderly, batch=batch) == taken(history)


@given(seed=st.integers(0, 10_000))
def test_the_critical_path_tiles_the_time_from_report_to_handled(seed):
    ledger = taken(histories.random_history(seed))
    assert ledger.critical_path[0].started_at == ledger.reported_at
    assert ledger.critical_path[-1].ended_at == ledger.handled_at
    for earlier, later in zip(ledger.critical_path, ledger.critical_path[1:], strict=False):
        assert earlier.ended_at == later.started_at
    assert sum(step.minutes for step in ledger.critical_path) == pytest.approx(ledger.actual_minutes)


@given(seed=st.integers(0, 10_000))
def test_serial_work_is_never_modelled_faster_than_parallel_work(seed):
    ledger = taken(histories.random_history(seed))
    assert ledger.serial_minutes >= ledger.actual_minutes - 1e-6


@given(seed=st.integers(0, 10_000))
def test_steps_of_tasks_split_into_waiting_working_and_standstill(seed):
    for step in taken(histories.random_history(seed)).critical_path:
        if step.kind is StepKind.TASK:
            parts = (step.waiting_minutes, step.working_minutes, step.suspended_minutes)
            assert min(parts) >= 0
            assert sum(parts) == pytest.approx(step.minutes)


@given(seed=st.integers(0, 10_000))
def test_the_shares_of_the_departments_add_up_to_the_critical_path(seed):
    ledger = taken(histories.random_history(seed))
    for name in ("minutes", "waiting_minutes", "working_minutes", "suspended_minutes"):
        shares = sum(getattr(share, name) for share in ledger.critical_shares)
        assert shares == pytest.approx(sum(getattr(step, name) for step in ledger.critical_path))
    assert len({(share.kind, share.department) for share in ledger.critical_shares}) == len(ledger.critical_shares)


@given(seed=st.integers(0, 10_000))
def test_a_standstill_is_on_the_critical_path_once_and_nobodys_work(seed):
    ledger = taken(histories.random_history(seed))
    assert sum(step.suspended_minutes for step in ledger.critical_path) == pytest.approx(ledger.suspended_minutes)
    assert ledger.actual_minutes >= ledger.suspended_minutes - 1e-6


def three_departments() -> History:
    """Dispatched after 10 min; FIRE is done at 70, UMD at 130; PSB waits for FIRE and is done at 200."""
    tasks = [
        planned("fire", "FIRE", at=10, lead=True),
        planned("umd", "UMD", at=10),
        planned("psb", "PSB", at=None, after=["fire"]),
    ]
    return [
        reported(),
        dispatched(10, tasks),
        on_task("accepted", "fire", "FIRE", 20),
        on_task("accepted", "umd", "UMD", 40),
        on_task("completed", "fire", "FIRE", 70),
        histories.assigned("psb", "PSB", 70, after=["fire"]),
        on_task("accepted", "psb", "PSB", 100, on_time=False),
        on_task("completed", "umd", "UMD", 130),
        on_task("completed", "psb", "PSB", 200, on_time=False),
        on_case("handled", 200),
    ]


def test_the_path_goes_back_from_the_last_task_through_those_it_waited_for():
    ledger = taken(three_departments())
    steps = [(step.kind.value, step.department, step.minutes, step.waiting_minutes) for step in ledger.critical_path]
    assert steps == [("dispatch", "", 10, 0), ("task", "FIRE", 60, 10), ("task", "PSB", 130, 30)]
    assert [task.critical for task in ledger.tasks] == [True, False, True]


def test_the_serial_model_adds_every_tasks_own_time_to_the_time_of_the_dispatch():
    ledger = taken(three_departments())
    assert ledger.actual_minutes == 200
    assert ledger.serial_minutes == 10 + 60 + 120 + 130
    assert ledger.parallel


def test_waiting_and_working_minutes_are_told_apart():
    ledger = taken(three_departments())
    assert (ledger.waiting_minutes, ledger.working_minutes) == (10 + 30 + 30, 50 + 90 + 100)


def test_a_case_with_one_task_takes_as_long_either_way():
    history = [
        reported(),
        dispatched(5, [planned("t", "UMD", at=5, lead=True)]),
        on_task("accepted", "t", "UMD", 6),
        on_task("completed", "t", "UMD", 50),
        on_case("handled", 50),
        on_case("verified", 80, passed=False, failed_task_ids=["t"]),
        on_task("returned", "t", "UMD", 80, reason="no"),
        on_task("accepted", "t", "UMD", 85),
        on_task("completed", "t", "UMD", 95),
        on_case("handled", 95),
    ]
    ledger = taken(history)
    assert ledger.actual_minutes == ledger.serial_minutes == 95
    assert not ledger.parallel
    assert [step.kind.value for step in ledger.critical_path] == ["dispatch", "task", "coordination", "task"]


def test_rework_after_the_check_waits_for_the_task_that_ended_last_before_it():
    history = [
        *three_departments(),
        on_task("returned", "umd", "UMD", 260, reason="again"),
        on_task("accepted", "umd", "UMD", 270),
        on_task("completed", "umd", "UMD", 300),
        on_case("handled", 300),
    ]
    ledger = taken(history)
    chain = [(step.kind.value, step.department) for step in ledger.critical_path]
    assert chain == [("dispatch", ""), ("task", "FIRE"), ("task", "PSB"), ("coordination", ""), ("task", "UMD")]


def test_a_case_in_rework_is_not_handled():
    history = [*three_departments(), on_task("returned", "umd", "UMD", 260, reason="again")]
    ledger = taken(history)
    assert ledger.handled_at is None
    assert ledger.critical_path == ()
    umd = next(task for task in ledger.tasks if task.task_id == "umd")
    assert (umd.done_at, umd.returns) == (None, 1)


def test_an_upheld_objection_without_a_successor_removes_the_task():
    history = [
        reported(),
        dispatched(5, [planned("t", "UMD", at=5, lead=True), planned("u", "PSB", at=5)]),
        on_task("objected", "u", "PSB", 9, reason="not ours"),
        ruled("u", "PSB", upheld=True, reassigned_to="", at=20),
    ]
    task = taken(history).tasks[1]
    assert (task.removed, task.objections, task.objections_overruled) == (True, 1, 0)


def test_an_overruled_objection_counts_against_the_department():
    history = [
        reported(),
        dispatched(5, [planned("t", "UMD", at=5, lead=True)]),
        on_task("objected", "t", "UMD", 9, reason="not ours"),
        ruled("t", "UMD", upheld=False, reassigned_to="UMD", at=20),
    ]
    task = taken(history).tasks[0]
    assert (task.removed, task.objections_overruled) == (False, 1)


def test_a_task_given_to_another_department_is_followed_by_the_one_in_its_stead():
    history = [
        reported(),
        dispatched(5, [planned("t", "UMD", at=5, lead=True), planned("u", "PSB", at=5)]),
        on_task("objected", "u", "PSB", 9, reason="not ours"),
        ruled("u", "PSB", upheld=True, reassigned_to="ENV", at=20),
        histories.assigned("v", "ENV", 20),
        on_task("accepted", "t", "UMD", 6),
        on_task("completed", "t", "UMD", 15),
        on_task("accepted", "v", "ENV", 30),
        on_task("completed", "v", "ENV", 60),
        on_case("handled", 60),
    ]
    ledger = taken(history)
    assert [(task.department, task.removed) for task in ledger.tasks] == [("UMD", False), ("PSB", True), ("ENV", False)]
    assert [(step.kind.value, step.department, step.minutes) for step in ledger.critical_path] == [
        ("dispatch", "", 5),
        ("coordination", "", 15),
        ("task", "ENV", 40),
    ]


def test_a_task_nobody_needed_any_more_is_removed_when_the_case_is_closed():
    history = [
        reported(),
        dispatched(5, [planned("t", "UMD", at=5, lead=True), planned("u", "PSB", at=5)]),
        on_task("completed", "t", "UMD", 15),
        on_case("handled", 15),
    ]
    assert not taken(history).tasks[1].removed
    assert taken([*history, on_case("closed", 20)]).tasks[1].removed


def test_rework_begins_where_the_department_goes_on_with_it():
    history = [
        *three_departments(),
        on_task("returned", "umd", "UMD", 260, reason="again"),
        on_task("progressed", "umd", "UMD", 280),
        on_task("completed", "umd", "UMD", 300),
        on_case("handled", 300),
    ]
    last = taken(history).critical_path[-1]
    assert (last.waiting_minutes, last.working_minutes) == (20, 20)


def test_the_worst_light_is_kept():
    history = [
        dispatched(5, [planned("t", "UMD", at=5, lead=True)]),
        light("yellow", 50),
        light("red", 60),
        light("yellow", 70),
    ]
    assert taken(history).tasks[0].light is Light.RED


def light(colour: str, at: float) -> tuple[str, object, dict[str, object]]:
    fields = {"case_id": "case", "task_id": "t", "department": "UMD", "light": colour, "due_at": minute(at)}
    return "mediation.light_turned.v1", minute(at), fields


def test_a_case_without_an_area_counts_for_its_city_until_it_is_located():
    lost = reported(area_code="")
    assert taken([lost]).scope == "4205"
    located = ("mediation.case_located.v1", minute(1), {"case_id": "case", "area_code": "420502001003"})
    assert taken([located, lost]).scope == "420502001003"


def test_a_closed_case_is_announced_once_and_again_when_its_figures_change():
    history = [*three_departments(), on_case("closed", 260)]
    ledger: CaseLedger | None = None
    announced: list[CaseAssessed] = []
    for event in [*history, *history]:
        ledger, events = operations.take_facts(ledger, case_id="case", facts=facts([event]))
        announced += events
    assert [event.serial_minutes for event in announced] == [320]
    assert announced[0].critical_departments == ("FIRE", "PSB")
    assert announced[0].late_departments == ("PSB",)


def test_known_facts_give_back_the_very_same_ledger():
    history = three_departments()
    ledger = taken(history)
    again, events = operations.take_facts(ledger, case_id="case", facts=facts(history))
    assert again is ledger
    assert events == ()


def test_the_hazards_of_an_inspection_stand_beside_its_task():
    found = {
        "task": {"case_id": "case", "task_id": "fire", "case_number": ""},
        "department": "FIRE",
        "at": minute(65),
        "hazards": [{}, {}],
        "inspection_id": "i",
    }
    ledger = taken([*three_departments(), ("fire_safety.inspection_completed.v1", minute(65), found)])
    assert [task.hazards_found for task in ledger.tasks] == [2, 0, 0]

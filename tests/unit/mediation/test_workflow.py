"""The workflow table against the source it was written from, and against the operations."""

from __future__ import annotations

import inspect
from importlib import resources
from pathlib import Path

import yaml

from deploy.docs import diagrams
from mediation import operations
from mediation.domain import CASE_TRANSITIONS, TASK_TRANSITIONS, CaseState, TaskState
from mediation.domain.states import FINAL_STATES, OPEN_TASK_STATES

SOURCE = yaml.safe_load(resources.files("mediation").joinpath("codes/workflow.yaml").read_text("utf-8"))
README = Path(__file__).parents[3] / "svc-mediation" / "README.md"

# Ours beyond the source: what follows for cases of several departments, and ways back out of what would else have no end.
BEYOND = {
    ("draft", "withdrawn"),  # a draft nobody wants any more
    ("returned", "rejected"),  # the facts never came
    ("merged", "reported"),  # unmerge
    ("self_handled", "accepted"),  # the grid cannot do it after all
    ("dispatched", "parallel"),  # departments are added, or the lead changes
    ("handling", "parallel"),
    ("parallel", "parallel"),
    ("parallel", "suspended"),
    ("suspended", "parallel"),
    ("parallel", "transferred"),
    ("rework", "parallel"),
    ("rework", "self_handled"),
}


def test_every_state_appears() -> None:
    assert {row.source for row in CASE_TRANSITIONS} | {row.target for row in CASE_TRANSITIONS} == set(CaseState)
    assert {row.source for row in TASK_TRANSITIONS} | {row.target for row in TASK_TRANSITIONS} == set(TaskState)
    assert {state["id"] for state in SOURCE["states"]} == set(CaseState)


def test_every_transition_of_the_source_is_here() -> None:
    ours = {(row.source, row.target) for row in CASE_TRANSITIONS}
    assert {(row["from"], row["to"]) for row in SOURCE["transitions"]} <= ours
    assert ours - {(row["from"], row["to"]) for row in SOURCE["transitions"]} == BEYOND


def test_roles_are_those_of_the_source() -> None:
    ours = {(row.verb, row.source, row.target): row.by for row in CASE_TRANSITIONS}
    for verb, source, target in (
        ("accept_case", "reported", "accepted"),
        ("reject_case", "reported", "rejected"),
        ("dispatch", "accepted", "parallel"),
        ("verify_case", "handled", "verified"),
        ("close_case", "verified", "closed"),
        ("send_back_case", "reported", "returned"),
        ("merge_case", "reported", "merged"),
        ("handle_case", "accepted", "self_handled"),
        ("report_result", "self_handled", "handled"),
        ("suspend_case", "handling", "suspended"),
        ("transfer_case", "handling", "transferred"),
        ("withdraw_case", "accepted", "withdrawn"),
        ("reopen_case", "evaluated", "accepted"),
    ):
        given = next(row["by"] for row in SOURCE["transitions"] if (row["from"], row["to"]) == (source, target))
        assert ours[verb, CaseState(source), CaseState(target)] == set(given)


def test_final_states_are_left_by_nobody_but_the_dissatisfied_and_those_merged_by_mistake() -> None:
    left = {row.source for row in CASE_TRANSITIONS if row.source in FINAL_STATES}
    assert left == {CaseState.CLOSED, CaseState.EVALUATED, CaseState.MERGED}
    assert {state["id"] for state in SOURCE["states"] if state.get("final")} <= FINAL_STATES


def test_every_open_task_can_move_on() -> None:
    assert {row.source for row in TASK_TRANSITIONS} >= OPEN_TASK_STATES


def test_every_verb_on_tasks_is_an_operation() -> None:
    assert {row.verb for row in TASK_TRANSITIONS} - {"start_task"} <= set(operations.__all__)


def test_every_verb_on_cases_is_an_operation() -> None:
    assert {row.verb for row in CASE_TRANSITIONS} - {"resume_work"} <= set(operations.__all__)


def test_operations_take_keywords_only() -> None:
    for name in operations.__all__:
        if name == "Outcome":
            continue
        kinds = [each.kind for each in inspect.signature(getattr(operations, name)).parameters.values()]
        assert kinds[1:] == [inspect.Parameter.KEYWORD_ONLY] * (len(kinds) - 1), name


def test_the_diagrams_in_the_readme_are_drawn_from_the_table() -> None:
    text = README.read_text("utf-8")
    assert text == diagrams.redraw(text), "run `make docs`"
    assert "parallel --> handled" in text
    assert "returned --> done" in text

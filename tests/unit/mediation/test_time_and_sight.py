"""Of the verbs: the times they may name, the place of a case, who sees it, when its lights turn."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib import resources

import pytest
from msgspec.structs import replace

from mediation import operations, policies
from mediation.domain import Attachment, Case, Light, Progress
from mediation.domain.workflow import OWN_CASES_ONLY
from mediation.store import view_of
from svckit.access import Caller
from svckit.errors import FailedPrecondition, NotFound

from .builders import (
    DISPATCHER,
    GRID_CODE,
    IMPORTER,
    RESIDENT,
    START,
    WORKER,
    accepted,
    after_start,
    department,
    dispatched,
    names,
    photo,
    refused,
    reported,
    task_of,
    when,
)


def test_a_late_step_is_recorded_at_the_time_of_the_one_before() -> None:
    case = accepted(dispatched("PMC", "FIRE"), "PMC", after_start(hours=3))
    case, facts = operations.accept_task(
        case, task_id=case.tasks[1].task_id, by=department("FIRE"), at=after_start(hours=1), now=after_start(hours=4)
    )
    assert facts[0].accepted_at == after_start(hours=3)  # type: ignore[attr-defined]
    assert case.changed_at == after_start(hours=4)


@pytest.mark.parametrize(
    ("by", "ago", "offline", "reason"),
    [
        (WORKER, timedelta(hours=-1), True, "IN_FUTURE"),
        (IMPORTER, timedelta(hours=-1), True, "IN_FUTURE"),
        (WORKER, timedelta(days=8), True, "TOO_OLD"),
        (DISPATCHER, timedelta(minutes=1), False, "HAPPENED_AT_NOT_ALLOWED"),
    ],
)
def test_times_nobody_may_name(by: Caller, ago: timedelta, offline: bool, reason: str) -> None:
    refused(reason, policies.check_happened_at, by, START - ago, now=START, offline=offline)


def test_no_photograph_is_from_the_future() -> None:
    shown = [Attachment(uri="oss://a.jpg"), Attachment(uri="oss://b.jpg", taken_at=START + timedelta(seconds=2))]
    policies.check_taken(shown, field="photos", now=START)
    late = Attachment(uri="oss://c.jpg", taken_at=START + timedelta(seconds=3))
    assert refused("IN_FUTURE", policies.check_taken, [*shown, late], field="photos", now=START) == "photos[2].taken_at"


def test_times_that_may_be_named() -> None:
    assert policies.check_happened_at(WORKER, None, now=START) == START
    assert policies.check_happened_at(WORKER, START - timedelta(days=6), now=START, offline=True) == START - timedelta(days=6)
    assert policies.check_happened_at(IMPORTER, START - timedelta(days=3000), now=START) == START - timedelta(days=3000)
    assert policies.check_happened_at(WORKER, START + timedelta(seconds=1), now=START, offline=True) == START


def test_a_case_is_located_once() -> None:
    case = reported(area_code="420502", point=None)
    located, facts = operations.locate_case(case, area_code=GRID_CODE, by=IMPORTER, **when())
    assert (located.area_code, names(facts)) == (GRID_CODE, ["CaseLocated"])
    assert operations.locate_case(located, area_code="42050200100310009", by=IMPORTER, **when()) == (located, ())
    refused("OTHER_CITY", operations.locate_case, case, area_code="51010400100310001", by=IMPORTER, **when())


def with_notes(case: Case, code: str, *, notes: int, attachments: int = 0) -> Case:
    note = Progress(at=START, by=WORKER.subject, text="进展", attachments=(photo(),) * attachments)
    full = replace(task_of(case, code), progress=(note,) * notes)
    return replace(case, tasks=tuple(full if task.task_id == full.task_id else task for task in case.tasks))


def test_a_case_holds_so_many_notes_and_attachments() -> None:
    case = accepted(dispatched("PMC", "FIRE", "ENV"), "ENV")

    def note(case: Case, attachments: int = 0) -> Case:
        given = {"task_id": task_of(case, "ENV").task_id, "text": "x", "attachments": (photo(),) * attachments}
        return operations.report_progress(case, **given, by=department("ENV"), **when())[0]

    refused("TOO_MANY_NOTES", note, with_notes(case, "ENV", notes=200))
    both = with_notes(with_notes(case, "PMC", notes=200), "FIRE", notes=200)
    refused("TOO_MANY_NOTES", note, both, kind=FailedPrecondition)
    heavy = with_notes(case, "PMC", notes=25, attachments=20)
    refused("TOO_MANY_ATTACHMENTS", note, heavy, 1, kind=FailedPrecondition)
    assert task_of(note(heavy), "ENV").progress
    assert task_of(note(with_notes(case, "PMC", notes=24, attachments=20), 20), "ENV").progress


def test_who_sees_a_case() -> None:
    case = reported()
    assert policies.can_see(case, DISPATCHER)
    assert policies.can_see(case, WORKER)
    assert not policies.can_see(case, RESIDENT)
    assert policies.can_see(reported(by=RESIDENT), RESIDENT)
    assert not policies.can_see(case, Caller("x", area="5101"))
    elsewhere = Caller(WORKER.subject, roles=WORKER.roles, area="420502009")
    assert policies.can_see(case, elsewhere), "reporters see what they reported"


def test_whose_scope_is_no_area_sees_own_cases_only() -> None:
    """The table of roles decides. Only auditors belong to the platform and still read: the diary of a case is a log they audit."""
    text = resources.files("housing").joinpath("codes/grid_role.csv").read_text("utf-8")
    areas = {"grid", "community", "street", "district", "department"}
    rows = [row for row in csv.DictReader(text.splitlines()) if row["code"] != "AUDITOR"]
    own = {row["code"] for row in rows if row["data_scope"] not in areas or "无居民数据权限" in row["duty_zh"]}
    assert own == OWN_CASES_ONLY
    assert {"VOLUNTEER", "LIAISON", "PROPERTY_MGR"} <= own


@pytest.mark.parametrize("roles", [(), ("RESIDENT",), ("VOLUNTEER", "LIAISON"), ("PROPERTY_MGR",), ("SYS_ADMIN",)])
def test_an_area_alone_shows_nobody_the_cases_of_others(roles: tuple[str, ...]) -> None:
    stranger = Caller("x", roles=frozenset(roles), area="")
    assert not policies.can_see(reported(), stranger)
    assert view_of(stranger).reporter == "x"
    worker_too = Caller("x", roles=frozenset({*roles, "GRID_WORKER"}), area="4205")
    assert policies.can_see(reported(), worker_too)
    assert not view_of(worker_too).reporter


def test_lights_turn_once_and_in_order() -> None:
    case = dispatched("PMC")
    assert operations.turn_lights(case, now=START) == (case, ())
    assert case.next_light_at
    yellow, facts = operations.turn_lights(case, now=case.next_light_at)
    assert names(facts) == ["LightTurned"]
    assert yellow.light is Light.YELLOW
    red, facts = operations.turn_lights(yellow, now=after_start(days=60))
    # From green to red at once, after a pause of the timer, is one turn for each clock.
    assert {(fact.clock, fact.task_id) for fact in facts} == {  # type: ignore[attr-defined]
        (clock.kind, task_id)
        for holder, task_id in ((case, ""), (case.tasks[0], case.tasks[0].task_id))
        for clock in holder.clocks
        if clock.met_at is None
    }
    assert (red.light, red.next_light_at, red.tasks[0].light) == (Light.RED, None, Light.RED)


def test_unknown_tasks() -> None:
    refused(
        "TASK_NOT_FOUND", operations.accept_task, dispatched("PMC"), task_id="x", by=department("PMC"), kind=NotFound, **when()
    )

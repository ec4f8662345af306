"""What the events of svc-mediation mean for inspections."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path
from typing import Any

from fire_safety import following
from fire_safety.domain import Assignment, Point
from fire_safety.following import Departure, Followed, Location, Return

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
CASE = {
    "case_id": "c",
    "number": "420502-2026-000001",
    "city": "4205",
    "area_code": "420502001003",
    "description": "堵塞",
    "address": "一路",
    "point": {"longitude": 111.3, "latitude": 30.7},
}


def task(department: str = "FIRE", **more: Any) -> dict[str, Any]:
    return {"task_id": "t", "department": department, "after": [], "instruction": "看看", "assigned_at": NOW, **more}


def read(kind: str, **fields: Any) -> tuple[Followed, ...]:
    return following.read(event_type=f"mediation.{kind}.v1", fields=fields, traceparent="00-a-b-01")


def test_a_dispatch_asks_for_an_inspection_of_each_task_that_can_start():
    waiting = task()
    del waiting["assigned_at"]
    (assignment,) = read("case_dispatched", **CASE, tasks=[task("UMD"), waiting, task(due_at=NOW)])
    assert isinstance(assignment, Assignment)
    assert (assignment.task.task_id, assignment.instruction, assignment.asked_at) == ("t", "看看", NOW)
    assert (assignment.point, assignment.due_at) == (Point(111.3, 30.7), NOW)
    assert assignment.traceparent == "00-a-b-01"


def test_a_task_is_asked_for_when_it_can_start_at_last():
    assert len(read("task_assigned", **CASE, task=task())) == 1
    assert read("task_assigned", **CASE, task=task("UMD")) == ()


def test_a_case_without_an_area_is_inspected_in_its_city():
    (assignment,) = read("task_assigned", **{**CASE, "area_code": ""}, task=task())
    assert isinstance(assignment, Assignment)
    assert assignment.area_code == "4205"


def test_what_happens_to_the_departments_tasks_is_followed():
    own = {"case_id": "c", "task_id": "t", "department": "FIRE"}
    (returned,) = read("task_returned", **own, reason="again", returned_at=NOW)
    assert returned == Return(case_id="c", task_id="t", reason="again", at=NOW, traceparent="00-a-b-01")
    gone = Departure(case_id="c", task_id="t", at=NOW, traceparent="00-a-b-01")
    assert read("task_completed", **own, completed_at=NOW) == (gone,)
    assert read("objection_ruled", **own, upheld=True, ruled_at=NOW) == (gone,)
    assert read("objection_ruled", **own, upheld=False, ruled_at=NOW) == ()


def test_what_happens_to_other_departments_is_not():
    other = {"case_id": "c", "task_id": "t", "department": "UMD"}
    assert read("task_returned", **other, reason="again", returned_at=NOW) == ()
    assert read("task_completed", **other, completed_at=NOW) == ()
    assert read("objection_ruled", **other, upheld=True, ruled_at=NOW) == ()


def test_the_end_and_the_place_of_a_case_concern_all_its_inspections():
    assert read("case_closed", case_id="c", closed_at=NOW) == (Departure(case_id="c", at=NOW, traceparent="00-a-b-01"),)
    assert read("case_located", case_id="c", area_code="420502") == (
        Location(case_id="c", area_code="420502", traceparent="00-a-b-01"),
    )


def test_the_same_request_leads_to_the_same_inspection():
    one = following.inspection_id("t", asked_at=NOW)
    assert one == following.inspection_id("t", asked_at=NOW)
    assert one != following.inspection_id("t", asked_at=NOW + dt.timedelta(milliseconds=1))


def test_what_is_subscribed_is_what_can_be_read():
    # Read, not imported: nameko patches what imports it.
    tree = ast.parse(Path(following.__file__).with_name("events.py").read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "handles")
    keys = {ast.literal_eval(argument) for call in calls for argument in call.args}
    assert keys - {"fire_safety.inspection_completed.v1"} == set(following.FOLLOWED)

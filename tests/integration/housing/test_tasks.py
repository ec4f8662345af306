"""What svc-mediation's facts do here: house checks and locations."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from binglian.housing.v1 import house_check_pb2 as pb
from binglian.housing.v1 import house_service_pb2

from svckit.ids import new_id
from tests.integration.housing.district import COMMUNITY, GRIDS, District, center
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def publish(district: District, kind: str, **data: Any) -> None:
    district.service.publish_json(f"mediation.{kind}.v1", msgspec.json.encode(data))


def a_task(department: str = "HOUSING", **fields: Any) -> dict[str, Any]:
    return {"taskId": new_id(), "department": department, "role": "TASK_ROLE_JOINT", "assignedAt": now()} | fields


def dispatch(district: District, *tasks: dict[str, Any], case_id: str = "", **fields: Any) -> str:
    case_id = case_id or new_id()
    data: dict[str, Any] = {
        "caseId": case_id,
        "number": "420502-2026-000001",
        "city": "4205",
        "areaCode": GRIDS[0],
        "category": "B",
        "description": "出租屋通道堵塞",
        "dispatchedAt": now(),
        "tasks": tasks,
        "somethingNew": {"from": "a newer version"},
    }
    publish(district, "case_dispatched", **(data | fields))
    return case_id


def checks_of(district: District, case_id: str, state: int = pb.HOUSE_CHECK_STATE_OPEN) -> list[pb.HouseCheck]:
    request = pb.ListHouseChecksRequest(case_id=case_id, state=state)
    return list(district.checks.ListHouseChecks(request, **district.handler).house_checks)


def opened(district: District, case_id: str) -> pb.HouseCheck:
    return eventually(lambda: checks_of(district, case_id))[0]


def complete(district: District, check_id: str, **fields: Any) -> pb.HouseCheck:
    given = {"outcome": pb.HOUSE_CHECK_OUTCOME_CLEAR, "result": "未见隐患", "request_id": new_id()} | fields
    return district.checks.CompleteHouseCheck(
        pb.CompleteHouseCheckRequest(check_id=check_id, **given), **district.handler
    ).house_check


def test_a_task_is_answered_by_a_house_check(district: District) -> None:
    facts = district.service.facts("housing.house_check_opened.v1", "housing.house_check_completed.v1")
    task = a_task(instruction="核查出租登记", dueAt="2026-12-31T00:00:00Z")
    case_id = dispatch(district, a_task("FIRE"), task, a_task(assignedAt=None))
    check = opened(district, case_id)
    assert len(checks_of(district, case_id)) == 1
    assert (check.check_id, check.instruction, check.description) == (task["taskId"], "核查出租登记", "出租屋通道堵塞")
    assert check.due_at.ToJsonString() == "2026-12-31T00:00:00Z"
    photo = {"uri": "photo:1", "point": {"longitude": 111.28, "latitude": 30.69}}
    done = complete(district, check.check_id, evidence=[photo], unified_reply="已核查", revision=check.revision)
    assert (done.state, done.completed_by, done.revision) == (pb.HOUSE_CHECK_STATE_COMPLETED, "handler", check.revision + 1)

    told = eventually(lambda: [fact for fact in facts() if fact[1]["task"]["caseId"] == case_id][1:] and facts())
    (opening, first), (closing, second) = [fact for fact in told if fact[1]["task"]["caseId"] == case_id]
    reference = {"caseId": case_id, "taskId": task["taskId"], "caseNumber": "420502-2026-000001"}
    assert (opening, closing) == ("housing.house_check_opened.v1", "housing.house_check_completed.v1")
    assert (first["task"], first["department"], first["by"]) == (reference, "HOUSING", "svc-housing")
    assert (second["task"], second["result"], second["by"]) == (reference, "未见隐患", "handler")
    assert (second["unifiedReply"], second["evidence"][0]["uri"]) == ("已核查", "photo:1")
    assert first["at"] <= second["at"]


def test_the_same_dispatch_twice_opens_one_check(district: District) -> None:
    facts = district.service.facts("housing.house_check_opened.v1")
    task, case_id = a_task(), new_id()
    for _ in range(3):
        dispatch(district, task, case_id=case_id)
    dispatch(district, marker := a_task())
    eventually(lambda: [data for _, data in facts() if data["task"]["taskId"] == marker["taskId"]])
    assert len([data for _, data in facts() if data["task"]["taskId"] == task["taskId"]]) == 1


def test_a_task_that_waited_opens_its_check_when_it_can_start(district: District) -> None:
    task = a_task(assignedAt=None, after=["x"])
    case_id = dispatch(district, task)
    publish(
        district,
        "task_assigned",
        caseId=case_id,
        number="420502-2026-000002",
        task=task | {"assignedAt": now()},
        areaCode=GRIDS[0],
        category="B",
        city="4205",
    )
    assert opened(district, case_id).task.case_number == "420502-2026-000002"


def test_rework_and_a_task_that_is_taken_away(district: District) -> None:
    task = a_task()
    case_id = dispatch(district, task)
    complete(district, opened(district, case_id).check_id)
    about = {"caseId": case_id, "taskId": task["taskId"], "department": "HOUSING"}
    publish(district, "task_returned", **about, reason="照片不清", returnedAt=now())
    again = opened(district, case_id)
    assert (again.returns, again.return_reason, again.outcome) == (1, "照片不清", 0)
    publish(district, "objection_ruled", **about, upheld=True, ruledAt=now())
    eventually(lambda: checks_of(district, case_id, pb.HOUSE_CHECK_STATE_CANCELLED))
    request = pb.CompleteHouseCheckRequest(
        check_id=task["taskId"], request_id=new_id(), outcome=pb.HOUSE_CHECK_OUTCOME_CLEAR, result="x"
    )
    said = refusal(district.checks.CompleteHouseCheck, request, **district.handler)
    assert (said.code, said.reason) == ("FAILED_PRECONDITION", "WRONG_STATE")


def test_a_closed_case_needs_no_check(district: District) -> None:
    case_id = dispatch(district, a_task())
    opened(district, case_id)
    publish(district, "case_closed", caseId=case_id, closedAt=now())
    eventually(lambda: checks_of(district, case_id, pb.HOUSE_CHECK_STATE_CANCELLED))


def test_a_check_moves_to_the_area_that_was_found(district: District) -> None:
    case_id = dispatch(district, a_task(), areaCode="")
    eventually(lambda: district.service.database["house_checks"].count_documents({"task.case_id": case_id}))
    assert not checks_of(district, case_id)
    publish(district, "case_located", caseId=case_id, areaCode=GRIDS[2])
    assert opened(district, case_id).area_code == GRIDS[2]


def test_hazards_are_noted_on_the_house(district: District) -> None:
    house = district.house(district.building())
    check = opened(district, dispatch(district, a_task()))
    complete(
        district,
        check.check_id,
        outcome=pb.HOUSE_CHECK_OUTCOME_ORDERED,
        hazards=["02", "07"],
        house_id=house.house_id,
    )
    get = house_service_pb2.GetHouseRequest(house_id=house.house_id)
    noted = eventually(lambda: _with_hazards(district.houses.GetHouse(get, **district.worker).house))
    assert list(noted.hazards) == ["02", "07"]
    assert noted.HasField("checked_at")


def _with_hazards(house: Any) -> Any:
    return house if house.hazards else None


def test_who_may_complete_a_check(district: District) -> None:
    check = opened(district, dispatch(district, a_task()))
    request = pb.CompleteHouseCheckRequest(
        check_id=check.check_id, request_id=new_id(), outcome=pb.HOUSE_CHECK_OUTCOME_CLEAR, result="x"
    )
    fire = district.caller("fireman", "DEPT_HANDLER", area="4205", department="FIRE")
    assert refusal(district.checks.CompleteHouseCheck, request, **fire).reason == "OTHER_DEPARTMENT"
    assert refusal(district.checks.CompleteHouseCheck, request, **district.stranger).reason == "AREA_NOT_ALLOWED"
    volunteer = district.caller("v", "VOLUNTEER", area="4205")
    assert refusal(district.checks.CompleteHouseCheck, request, **volunteer).reason == "ROLE_REQUIRED"
    unknown = pb.CompleteHouseCheckRequest(
        check_id=check.check_id,
        request_id=new_id(),
        outcome=pb.HOUSE_CHECK_OUTCOME_CLEAR,
        result="x",
        house_id=new_id(),
    )
    assert refusal(district.checks.CompleteHouseCheck, unknown, **district.handler).reason == "HOUSE_UNKNOWN"


def test_who_names_a_time_of_weeks_ago_is_told_which_field_is_wrong(district: District) -> None:
    check = opened(district, dispatch(district, a_task()))
    request = pb.CompleteHouseCheckRequest(
        check_id=check.check_id,
        request_id=new_id(),
        outcome=pb.HOUSE_CHECK_OUTCOME_CLEAR,
        result="x",
        happened_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=8),
    )
    said = refusal(district.checks.CompleteHouseCheck, request, **district.handler)
    assert (said.code, said.reason, said.fields) == ("INVALID_ARGUMENT", "TOO_OLD", ("happened_at",))


def report(district: District, **fields: Any) -> str:
    case_id = new_id()
    data: dict[str, Any] = {"caseId": case_id, "city": "4205", "areaCode": "4205", "category": "D0402", "reportedAt": now()}
    publish(district, "case_reported", **(data | fields))
    return case_id


def test_a_case_without_a_grid_is_located(district: District) -> None:
    facts = district.service.facts("housing.case_located.v1")
    point = {"longitude": center(2).longitude, "latitude": center(2).latitude}
    skipped = [
        report(district, areaCode=GRIDS[0], point=point),
        report(district, areaCode="420503", point=point),
        report(district),
        report(district, point={"longitude": 118.0, "latitude": 34.0}),
        report(district, city="9901", areaCode="9901", point=point),
    ]
    located = [report(district, point=point), report(district, areaCode=COMMUNITY, point=point)]
    told = eventually(lambda: len(facts()) >= 2 and facts())
    assert {(data["caseId"], data["areaCode"]) for _, data in told} == {(case_id, GRIDS[1]) for case_id in located}
    assert not set(skipped) & {data["caseId"] for _, data in told}


def test_many_tasks_at_once(district: District) -> None:
    tasks = [a_task() for _ in range(300)]
    for task in tasks:
        dispatch(district, task)
    wanted = {"_id": {"$in": [task["taskId"] for task in tasks]}}
    eventually(lambda: district.service.database["house_checks"].count_documents(wanted) == 300, seconds=20)

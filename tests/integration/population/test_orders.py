"""What svc-mediation's facts do here: verification orders."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from binglian.population.v1 import verification_pb2 as pb

from svckit.ids import new_id
from tests.integration.population.people import GRID, People
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def a_task(department: str, **fields: Any) -> dict[str, Any]:
    return {"taskId": new_id(), "department": department, "role": "TASK_ROLE_JOINT", "assignedAt": now()} | fields


def publish(people: People, kind: str, **data: Any) -> None:
    people.service.publish_json(f"mediation.{kind}.v1", msgspec.json.encode(data))


def dispatch(people: People, *tasks: dict[str, Any], category: str = "L", case_id: str = "") -> str:
    case_id = case_id or new_id()
    publish(
        people,
        "case_dispatched",
        caseId=case_id,
        number="420502-2026-000001",
        city="4205",
        areaCode=GRID,
        category=category,
        description="两来源地址不一致",
        tasks=tasks,
    )
    return case_id


def orders_of(people: People, case_id: str, state: int = pb.VERIFICATION_STATE_OPEN) -> list[pb.VerificationOrder]:
    request = pb.ListVerificationsRequest(case_id=case_id, state=state)
    return list(people.orders.ListVerifications(request, **people.worker).orders)


def opened(people: People, case_id: str, count: int = 1) -> list[pb.VerificationOrder]:
    eventually(lambda: len(orders_of(people, case_id)) == count)
    return orders_of(people, case_id)


def test_a_task_is_answered_by_a_verification(people: People) -> None:
    facts = people.service.facts("population.verification_opened.v1", "population.verification_completed.v1")
    task = a_task("COMM", instruction="核实居住地址")
    case_id = dispatch(people, task, a_task("PSB"), a_task("HEALTH", assignedAt=None, after=[task["taskId"]]))
    (order,) = opened(people, case_id)
    assert (order.order_id, order.department, order.instruction) == (task["taskId"], "COMM", "核实居住地址")
    resident = people.enter()
    request = pb.CompleteVerificationRequest(
        order_id=order.order_id,
        request_id=new_id(),
        outcome=pb.VERIFICATION_OUTCOME_CORRECTED,
        result="已搬至二单元",
        resident_id=resident.resident_id,
        evidence=[{"uri": "photo:7"}],
    )
    done = people.orders.CompleteVerification(request, **people.worker).order
    assert (done.state, done.completed_by, done.resident_id) == (
        pb.VERIFICATION_STATE_COMPLETED,
        "worker",
        resident.resident_id,
    )
    assert people.orders.CompleteVerification(request, **people.worker).order == done
    told = eventually(lambda: [fact for fact in facts() if fact[1]["task"]["caseId"] == case_id][1:] and facts())
    (_, first), (kind, second) = [fact for fact in told if fact[1]["task"]["caseId"] == case_id]
    reference = {"caseId": case_id, "taskId": task["taskId"], "caseNumber": "420502-2026-000001"}
    assert first["task"] == second["task"] == reference
    assert (kind, second["department"], second["by"], second["result"], second["unifiedReply"]) == (
        "population.verification_completed.v1",
        "COMM",
        "worker",
        "已搬至二单元",
        "已搬至二单元",
    )


def test_which_tasks_open_an_order(people: People) -> None:
    silent = [
        dispatch(people, a_task("COMM"), category="A0204"),
        dispatch(people, a_task("HEALTH"), category="E"),
        dispatch(people, a_task("PSB"), category="L"),
    ]
    asking = dispatch(people, a_task("COMM"), category="E"), dispatch(people, a_task("CIVIL"), a_task("HEALTH"))
    opened(people, asking[0])
    assert {order.department for order in opened(people, asking[1], count=2)} == {"CIVIL", "HEALTH"}
    assert not any(orders_of(people, case_id) for case_id in silent)


def test_waiting_rework_and_going_away(people: People) -> None:
    task = a_task("HEALTH", assignedAt=None)
    case_id = dispatch(people, task)
    assigned = {"caseId": case_id, "number": "n", "areaCode": GRID, "category": "L", "city": "4205"}
    publish(people, "task_assigned", **assigned, task=task | {"assignedAt": now()})
    (order,) = opened(people, case_id)
    request = pb.CompleteVerificationRequest(
        order_id=order.order_id, request_id=new_id(), outcome=pb.VERIFICATION_OUTCOME_CONFIRMED, result="属实"
    )
    other = people.caller("x", "DEPT_HANDLER", area="4205", department="CIVIL")
    assert refusal(people.orders.CompleteVerification, request, **other).reason == "OTHER_DEPARTMENT"
    health = people.caller("h", "DEPT_HANDLER", area="4205", department="HEALTH")
    people.orders.CompleteVerification(request, **health)
    about = {"caseId": case_id, "taskId": task["taskId"], "department": "HEALTH"}
    publish(people, "task_returned", **about, reason="缺照片", returnedAt=now())
    (again,) = opened(people, case_id)
    assert (again.returns, again.return_reason) == (1, "缺照片")
    publish(people, "objection_ruled", **about, upheld=True, ruledAt=now())
    eventually(lambda: orders_of(people, case_id, pb.VERIFICATION_STATE_CANCELLED))


def test_the_resident_named_must_be_entered(people: People) -> None:
    (order,) = opened(people, dispatch(people, a_task("COMM")))
    request = pb.CompleteVerificationRequest(
        order_id=order.order_id,
        request_id=new_id(),
        outcome=pb.VERIFICATION_OUTCOME_CONFIRMED,
        result="属实",
        resident_id=new_id(),
    )
    assert refusal(people.orders.CompleteVerification, request, **people.worker).reason == "RESIDENT_UNKNOWN"


def test_who_names_a_time_of_weeks_ago_is_told_which_field_is_wrong(people: People) -> None:
    (order,) = opened(people, dispatch(people, a_task("COMM")))
    request = pb.CompleteVerificationRequest(
        order_id=order.order_id,
        request_id=new_id(),
        outcome=pb.VERIFICATION_OUTCOME_CONFIRMED,
        result="属实",
        happened_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=8),
    )
    said = refusal(people.orders.CompleteVerification, request, **people.worker)
    assert (said.code, said.reason, said.fields) == ("INVALID_ARGUMENT", "TOO_OLD", ("happened_at",))


def test_a_case_that_is_located_and_closed(people: People) -> None:
    case_id = dispatch(people, a_task("COMM"))
    opened(people, case_id)
    publish(people, "case_located", caseId=case_id, areaCode=GRID[:-1] + "9")
    eventually(lambda: orders_of(people, case_id)[0].area_code == GRID[:-1] + "9")
    publish(people, "case_closed", caseId=case_id, closedAt=now())
    eventually(lambda: orders_of(people, case_id, pb.VERIFICATION_STATE_CANCELLED))

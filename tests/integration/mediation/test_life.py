"""A case from report to closing through real processes, reads and lists included."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.type.v1 import evidence_pb2

from svckit.ids import new_id
from tests.integration.mediation.stack import GRID_CODE, NOWHERE, PLACE, Person, Stack, task_of

pytestmark = pytest.mark.integration


async def test_from_report_to_closing(stack: Stack, documents: Any) -> None:
    async with (
        Person(stack, subject="worker", role="GRID_WORKER", area="420502001003") as worker,
        Person(stack, subject="dispatcher", role="DISPATCHER", at=1) as dispatcher,
        Person(stack, subject="pmc", role="DEPT_LEAD", department="PMC") as lead,
        Person(stack, subject="fire", role="DEPT_HANDLER", department="FIRE", at=1) as fire,
        Person(stack, subject="checker", role="GRID_SUPERVISOR", area="420502001") as checker,
    ):
        case = await worker.report(point=evidence_pb2.Point(longitude=PLACE[0], latitude=PLACE[1]), area_code="")
        assert (case.state, case.area_code, case.city, case.revision) == (case_pb2.CASE_STATE_REPORTED, GRID_CODE, "4205", 1)
        assert case.number.startswith("420502-")
        case = await dispatcher.dispatch(case.case_id, "PMC", "FIRE")
        assert case.state == case_pb2.CASE_STATE_PARALLEL
        assert [len(task.clocks) for task in case.tasks] == [3, 3]
        await fire.accept(case)
        await lead.accept(case)
        await lead.complete(case)
        last = await fire.complete(case)
        assert (last.case_state, last.task.task_id) == (case_pb2.CASE_STATE_HANDLED, task_of(case, "FIRE"))
        case = await worker.get(case.case_id)
        assert (case.state, case.revision) == (case_pb2.CASE_STATE_HANDLED, last.revision)
        assert case.unified_reply == "已办结"
        assert [task.critical for task in case.tasks] == [False, True]
        photo = evidence_pb2.Attachment(uri="oss://after.jpg", point=evidence_pb2.Point(longitude=PLACE[0], latitude=PLACE[1]))
        verify = case_service_pb2.VerifyCaseRequest(case_id=case.case_id, request_id=new_id(), passed=True, photos=[photo])
        assert (await checker.cases.VerifyCase(verify)).case.state == case_pb2.CASE_STATE_VERIFIED
        close = case_service_pb2.CloseCaseRequest(case_id=case.case_id, request_id=new_id())
        await dispatcher.cases.CloseCase(close)
        case = await worker.get(case.case_id)
    assert case.state == case_pb2.CASE_STATE_CLOSED
    assert [step.verb for step in case.steps] == [
        "report_case", "accept_case", "dispatch", "accept_task", "accept_task", "complete_task", "complete_task",
        "verify_case", "close_case",
    ]  # fmt: skip
    assert documents.find_one({"_id": case.case_id})["revision"] == case.revision


async def test_a_case_is_taken_when_housing_is_silent(stack: Stack) -> None:
    async with Person(stack, subject="worker", role="GRID_WORKER", area="420502001003") as worker:
        case = await worker.report(point=evidence_pb2.Point(longitude=NOWHERE[0], latitude=NOWHERE[1]), area_code="")
    assert case.area_code == "420502001003"


async def test_numbers_are_unique_across_processes(stack: Stack) -> None:
    numbers = []
    for process in (0, 1, 0, 1):
        async with Person(stack, subject="n", role="DISPATCHER", at=process) as person:
            numbers += [(await person.report()).number for _ in range(30)]
    assert len(set(numbers)) == len(numbers)


async def test_plan_dispatch_and_dispatch_agree(stack: Stack) -> None:
    async with Person(stack, subject="dispatcher", role="DISPATCHER") as person:
        case = await person.report(category="D0402")
        plan = await person.cases.PlanDispatch(case_service_pb2.PlanDispatchRequest(case_id=case.case_id))
        assert plan.parallel_by_default
        case = await person.dispatch(case.case_id)
    assert [(task.department, task.role) for task in case.tasks] == [(task.department, task.role) for task in plan.tasks]
    assert case.route_basis == plan.basis


async def test_lists_and_counts_keep_to_the_area(stack: Stack) -> None:
    area = "420583002001"
    async with (
        Person(stack, subject="a", role="DISPATCHER") as here,
        Person(stack, subject="b", role="DISPATCHER", area="420502") as there,
        Person(stack, subject="r", role="RESIDENT", area="4205") as resident,
    ):
        made = [(await here.report(area_code=area, category="D0102")).case_id for _ in range(7)]
        await here.dispatch(made[0], "UMD", "PROP")
        own = (await resident.report(area_code=area)).case_id
        listed, token = [], ""
        while True:
            request = case_service_pb2.ListCasesRequest(area_prefix=area, page_size=3, page_token=token)
            page = await here.cases.ListCases(request)
            listed += [case.case_id for case in page.cases]
            token = page.next_page_token
            if not token:
                break
        assert sorted(listed) == sorted([*made, own])
        assert listed[0] == own
        wanted = case_service_pb2.ListCasesRequest(area_prefix=area, department="PROP")
        assert [case.case_id for case in (await here.cases.ListCases(wanted)).cases] == [made[0]]
        by_state = case_service_pb2.ListCasesRequest(area_prefix=area, states=[case_pb2.CASE_STATE_PARALLEL])
        assert len((await here.cases.ListCases(by_state)).cases) == 1
        assert not (await there.cases.ListCases(case_service_pb2.ListCasesRequest(area_prefix=area))).cases
        mine = await resident.cases.ListCases(case_service_pb2.ListCasesRequest())
        assert [case.case_id for case in mine.cases] == [own]
        counted = await here.cases.CountCases(case_service_pb2.CountCasesRequest(area_prefix=area))
        assert {each.state: each.count for each in counted.states} == {
            case_pb2.CASE_STATE_REPORTED: 7,
            case_pb2.CASE_STATE_PARALLEL: 1,
        }
        assert sum(each.count for each in counted.lights) == 8


async def test_tasks_of_a_department_by_due_time(stack: Stack) -> None:
    async with (
        Person(stack, subject="a", role="DISPATCHER") as dispatcher,
        Person(stack, subject="cult", role="DEPT_HANDLER", department="CULT") as culture,
    ):
        slow = await dispatcher.dispatch((await dispatcher.report(category="A06")).case_id, "CULT")
        fast = await dispatcher.dispatch((await dispatcher.report(category="D0403")).case_id, "CULT")
        first = await culture.tasks.ListTasks(task_service_pb2.ListTasksRequest(page_size=1))
        second = await culture.tasks.ListTasks(task_service_pb2.ListTasksRequest(page_size=1, page_token=first.next_page_token))
    assert [page.tasks[0].case_id for page in (first, second)] == [fast.case_id, slow.case_id]
    assert not second.next_page_token
    assert first.tasks[0].task.task_id == fast.tasks[0].task_id

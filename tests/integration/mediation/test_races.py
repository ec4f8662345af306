"""Departments that answer at the same instant, through two processes: nothing is lost, the join happens once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, task_service_pb2
from binglian.type.v1.evidence_pb2 import Point

from mediation import routing
from svckit.errors import FailedPrecondition, InvalidArgument
from svckit.ids import new_id
from tests.integration.mediation.stack import PLACE, Person, Stack, task_of

pytestmark = pytest.mark.integration
DEPARTMENTS = routing.departments()


def handled_facts(documents: Any, case_id: str) -> int:
    """How often the case was joined, from its diary, which nothing ever leaves."""
    states = [step["state"] for step in documents.find_one({"_id": case_id})["steps"]]
    return sum(state == "handled" and before != "handled" for before, state in itertools.pairwise(states))


@contextlib.asynccontextmanager
async def department_people(stack: Stack, *codes: str) -> Any:
    """One person for each department, alternately at both processes."""
    async with contextlib.AsyncExitStack() as people:
        yield [
            await people.enter_async_context(
                Person(stack, subject=f"{code}-1", role="DEPT_LEAD", department=code, at=index % len(stack.addresses))
            )
            for index, code in enumerate(codes)
        ]


async def dispatched(stack: Stack, *codes: str) -> case_pb2.Case:
    async with Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher:
        return await dispatcher.dispatch((await dispatcher.report()).case_id, *codes)


async def test_two_departments_at_the_same_instant(stack: Stack, documents: Any) -> None:
    async with department_people(stack, "PMC", "FIRE") as people:
        for _ in range(20):
            case = await dispatched(stack, "PMC", "FIRE")
            await asyncio.gather(*(person.accept(case) for person in people))
            after = await asyncio.gather(*(person.complete(case) for person in people))
            assert sorted(each.case_state for each in after)[-1] == case_pb2.CASE_STATE_HANDLED
            assert handled_facts(documents, case.case_id) == 1
            stored = documents.find_one({"_id": case.case_id})
            assert {task["state"] for task in stored["tasks"]} == {"done"}


async def test_forty_departments_at_once(stack: Stack, documents: Any) -> None:
    assert len(DEPARTMENTS) == 40
    case = await dispatched(stack, *DEPARTMENTS)
    async with department_people(stack, *DEPARTMENTS) as people:
        await asyncio.gather(*(person.accept(case) for person in people))
        after = await asyncio.gather(*(person.complete(case) for person in people))
    stored = documents.find_one({"_id": case.case_id})
    assert stored["state"] == "handled"
    assert {task["state"] for task in stored["tasks"]} == {"done"}
    assert len(stored["steps"]) == 3 + 80
    assert handled_facts(documents, case.case_id) == 1
    assert max(each.revision for each in after) == stored["revision"]
    times = [step["at"] for step in stored["steps"]]
    assert times == sorted(times)


async def test_a_repeated_request_changes_nothing(stack: Stack, documents: Any) -> None:
    case = await dispatched(stack, "PMC", "FIRE")
    request_id = new_id()
    async with department_people(stack, "PMC", "PMC") as (one, two):
        await one.accept(case)
        # Ten times at once, through both processes: an impatient client behind a bad line.
        answers = await asyncio.gather(*(person.complete(case, request_id=request_id) for person in (one, two) * 5))
        assert {answer.revision for answer in answers} == {answers[0].revision}
        with pytest.raises(FailedPrecondition, match="another request") as refusal:
            await one.complete(case, request_id=request_id, result="别的结果")
    assert refusal.value.reason == "REQUEST_ID_REUSED"
    verbs = [step["verb"] for step in documents.find_one({"_id": case.case_id})["steps"]]
    assert verbs.count("complete_task") == 1


async def test_a_repeated_report_is_one_case(stack: Stack, documents: Any) -> None:
    request_id = new_id()
    async with (
        Person(stack, subject="worker", role="GRID_WORKER") as here,
        Person(stack, subject="worker", role="GRID_WORKER", at=1) as there,
    ):
        made = await asyncio.gather(*(person.report(request_id=request_id) for person in (here, there) * 5))
    assert len({case.case_id for case in made}) == 1
    assert documents.count_documents({"created_by.key": f"worker:{request_id}"}) == 1


async def test_a_repeated_report_is_its_case_even_if_it_would_be_refused_by_now(stack: Stack, documents: Any) -> None:
    """The first answer was lost; meanwhile the reporter moved on, and the place lies in no area of theirs any more."""
    request_id, place = new_id(), Point(longitude=PLACE[0], latitude=PLACE[1])
    async with (
        Person(stack, subject="mover", role="GRID_WORKER", area="4205") as before,
        Person(stack, subject="mover", role="GRID_WORKER", area="4206") as after,
    ):
        first = await before.report(request_id=request_id, point=place, area_code="")
        again = await after.report(request_id=request_id, point=place, area_code="")
        assert (again.case_id, again.number) == (first.case_id, first.number)
        with pytest.raises(InvalidArgument) as refusal:
            await after.report(point=place, area_code="")
        assert refusal.value.reason == "OUTSIDE_CITY"
        with pytest.raises(FailedPrecondition) as reused:
            await after.report(request_id=request_id, point=place, area_code="", description="别的")
        assert reused.value.reason == "REQUEST_ID_REUSED"
    assert documents.count_documents({"reporter.subject": "mover"}) == 1


async def test_only_one_of_two_who_saw_the_same_revision_wins(stack: Stack) -> None:
    async with (
        Person(stack, subject="one", role="DISPATCHER") as one,
        Person(stack, subject="two", role="DISPATCHER", at=1) as two,
    ):
        case = await one.report()
        outcomes = await asyncio.gather(
            *(person.dispatch(case.case_id, "PMC", "FIRE", revision=case.revision) for person in (one, two)),
            return_exceptions=True,
        )
    refused = [outcome for outcome in outcomes if isinstance(outcome, FailedPrecondition)]
    assert [error.reason for error in refused] == ["STALE_REVISION"]
    won = next(outcome for outcome in outcomes if isinstance(outcome, case_pb2.Case))
    assert len(won.tasks) == 2


async def test_objection_and_ruling_race_with_the_others(stack: Stack, documents: Any) -> None:
    """The last joint department is let off at the very moment the lead finishes: the case is handled, whoever was first."""
    async with (
        department_people(stack, "PMC", "FIRE") as (lead, fire),
        Person(stack, subject="dispatcher", role="DISPATCHER", at=1) as dispatcher,
    ):
        for _ in range(5):
            case = await dispatched(stack, "PMC", "FIRE")
            await lead.accept(case)
            target = {"case_id": case.case_id, "task_id": task_of(case, "FIRE"), "reason": "非职责"}
            await fire.tasks.ObjectTask(task_service_pb2.ObjectTaskRequest(**target, request_id=new_id()))
            ruling = task_service_pb2.RuleObjectionRequest(**target, request_id=new_id(), upheld=True)
            await asyncio.gather(lead.complete(case), dispatcher.tasks.RuleObjection(ruling))
            assert documents.find_one({"_id": case.case_id})["state"] == "handled"
            assert handled_facts(documents, case.case_id) == 1

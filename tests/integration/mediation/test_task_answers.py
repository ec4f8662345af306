"""What departments hear of what they did to a task: the task, as lists show it, and only while they may know of the case."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, task_service_pb2

from svckit.errors import NotFound
from svckit.ids import new_id
from tests.integration.mediation.stack import Person, Stack, task_of

pytestmark = pytest.mark.integration


async def listed(person: Person, case: case_pb2.Case) -> task_service_pb2.TaskView:
    """The department's task of a case as ListTasks shows it."""
    states = [case_pb2.TASK_STATE_ACCEPTED, case_pb2.TASK_STATE_DONE]
    found = await person.tasks.ListTasks(task_service_pb2.ListTasksRequest(states=states, page_size=200))
    return next(view for view in found.tasks if view.case_id == case.case_id)


async def test_an_answer_is_the_task_as_lists_show_it_and_a_repeated_request_hears_how_it_stands(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="umd", role="DEPT_LEAD", department="UMD") as umd,
    ):
        case = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC", "UMD")
        task_id = task_of(case, "UMD")
        accept = task_service_pb2.AcceptTaskRequest(case_id=case.case_id, task_id=task_id, request_id=new_id())
        accepted = (await umd.tasks.AcceptTask(accept)).task
        assert accepted == await listed(umd, case)
        assert (accepted.case_number, accepted.revision) == (case.number, case.revision + 1)
        done = await umd.complete(case)
        assert done == await listed(umd, case)
        assert (await umd.tasks.AcceptTask(accept)).task == done
    assert (done.task.task_id, done.task.state) == (task_id, case_pb2.TASK_STATE_DONE)


async def test_a_repeated_request_of_somebody_who_left_hears_nothing(stack: Stack) -> None:
    """Suspected violence is known to the departments that help; who goes to another one takes no request along."""
    helper: dict[str, Any] = {"subject": "helper", "role": "DEPT_LEAD"}
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, department="WF", **helper) as helping,
        Person(stack, department="JUST", **helper) as gone,
    ):
        case = await dispatcher.report(category="A0105", description="深夜有人呼救求助")
        case = await dispatcher.dispatch(case.case_id, "PSB", "WF")
        accept = task_service_pb2.AcceptTaskRequest(case_id=case.case_id, task_id=task_of(case, "WF"), request_id=new_id())
        assert (await helping.tasks.AcceptTask(accept)).task.description == case.description
        with pytest.raises(NotFound) as refusal:
            await gone.tasks.AcceptTask(accept)
    assert refusal.value.reason == "CASE_NOT_FOUND"

"""What verbs on a task answer with: that task as ListTasks and WatchTasks show it, and nothing of anybody else."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, task_service_pb2
from google.protobuf.descriptor import Descriptor
from msgspec import to_builtins
from msgspec.structs import replace

from mediation import operations
from mediation.domain import Case
from mediation.policies import CaseNotFound, TaskNotFound
from mediation.rpc import translate
from svckit.messages import to_message
from tests.unit.mediation.builders import (
    DISPATCHER,
    PLACE,
    RESIDENT,
    START,
    accepted,
    department,
    dispatched,
    done,
    ids,
    task_of,
)

VERBS = ("AcceptTask", "ReportProgress", "CompleteTask", "ObjectTask", "RuleObjection", "ReturnTask")


def shown(case: Case, code: str, *, task_id: str = "", caller: Any = DISPATCHER) -> task_service_pb2.TaskView:
    """The answer to somebody who did something to a department's task."""
    task_id = task_id or task_of(case, code).task_id
    answer = translate.task_answer(task_service_pb2.AcceptTaskResponse, case, task_id=task_id, caller=caller)
    return answer.task  # type: ignore[no-any-return]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_with_a_task_alone(verb: str) -> None:
    response: Descriptor = task_service_pb2.DESCRIPTOR.message_types_by_name[f"{verb}Response"]
    assert [(field.name, field.message_type.name) for field in response.fields] == [("task", "TaskView")]


def test_an_answer_is_what_lists_and_streams_show() -> None:
    case = replace(
        done(accepted(dispatched("PMC", "FIRE"), "FIRE"), "PMC"), revision=7, address="西陵一路18号", traceparent="00-4b-00-01"
    )
    document = to_builtins(case, builtin_types=(type(START),))
    for place, code in enumerate(("PMC", "FIRE")):
        listed = to_message(task_service_pb2.TaskView, translate.task_view(document, document["tasks"][place]))
        assert shown(case, code) == listed
        assert (listed.revision, listed.case_state, listed.task.department) == (7, case_pb2.CASE_STATE_PARALLEL, code)
    assert (listed.point.longitude, listed.point.latitude) == (PLACE.longitude, PLACE.latitude)


def test_nothing_of_others_is_in_an_answer() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD"), "FIRE")
    fire = task_of(case, "FIRE")
    case = replace(
        case,
        tasks=tuple(replace(task, result="别人的结果") if task is fire else task for task in case.tasks),
        reporter=replace(case.reporter, name="王小明", phone="13812345678"),
    )
    told = shown(case, "PMC").SerializeToString()
    for secret in ("别人的结果", "王小明", "13812345678", case.reporter.subject, fire.task_id, "FIRE", "UMD"):
        assert secret.encode() not in told


def test_a_repeated_request_finds_a_task_of_before_the_case_was_reopened() -> None:
    case = done(dispatched("PMC", "FIRE"), "PMC", "FIRE")
    first = task_of(case, "FIRE")
    reopened = replace(case, tasks=dispatched("PMC").tasks, earlier_tasks=case.tasks)
    answer = shown(reopened, "FIRE", task_id=first.task_id)
    assert (answer.task.task_id, answer.task.state) == (first.task_id, case_pb2.TASK_STATE_DONE)
    with pytest.raises(TaskNotFound):
        shown(case, "FIRE", task_id="01930000-0000-7000-8000-00000000ffff")


def test_an_upheld_objection_answers_with_the_task_it_was_about() -> None:
    case = dispatched("PMC", "FIRE")
    task_id = task_of(case, "FIRE").task_id
    about: dict[str, Any] = {"task_id": task_id, "reason": "非职责", "at": START, "now": START}
    case = operations.object_task(case, by=department("FIRE"), **about)[0]
    ruling = {**about, "upheld": True, "reassign_to": "ENV", "by": DISPATCHER, "new_id": ids()}
    case = operations.rule_objection(case, **ruling)[0]
    answer = shown(case, "FIRE", task_id=task_id)
    assert (answer.task.task_id, answer.task.state) == (task_id, case_pb2.TASK_STATE_REMOVED)
    assert {task.department for task in case.tasks} == {"PMC", "FIRE", "ENV"}


def test_who_may_not_know_of_a_case_gets_no_task_of_it_either() -> None:
    violence = dispatched("PSB", "WF", category="A0105")
    assert shown(violence, "WF", caller=department("WF")).description == violence.description
    for stranger in (department("JUST"), RESIDENT, replace_area(department("WF"), "420503")):
        with pytest.raises(CaseNotFound):
            shown(violence, "WF", caller=stranger)


def replace_area(caller: Any, area: str) -> Any:
    """The same person, moved elsewhere."""
    return type(caller)(caller.subject, roles=caller.roles, area=area, department=caller.department)

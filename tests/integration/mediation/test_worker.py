"""What other services publish becomes answers of departments: twice, shuffled, wrong; and lights turn once."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from tests.integration.mediation.broker import Broker, listening
from tests.integration.mediation.stack import Person, Stack, task_of

pytestmark = pytest.mark.integration
SERVICES = {
    "FIRE": ("fire_safety.inspection_opened.v1", "fire_safety.inspection_completed.v1"),
    "HOUSING": ("housing.house_check_opened.v1", "housing.house_check_completed.v1"),
    "GRID": ("population.verification_opened.v1", "population.verification_completed.v1"),
}


@pytest.fixture(scope="module")
def workers(stack: Stack) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two worker processes: whatever one does, the other does at the same time."""
    running = [stack.start_worker(), stack.start_worker()]
    yield running
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=20)


@pytest.fixture
def broker(amqp_uri: str, workers: Any) -> Iterator[Broker]:
    with listening(amqp_uri) as made:
        yield made


def answer(case: case_pb2.Case, department: str, *, completed: bool) -> tuple[str, dict[str, Any]]:
    """The fact by which a service answers the task of its department."""
    data: dict[str, Any] = {
        "task": {"caseId": case.case_id, "taskId": task_of(case, department), "caseNumber": case.number},
        "department": department,
        "by": f"{department.lower()}-inspector",
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if completed:
        data |= {
            "result": "检查完成",
            "evidence": [{"uri": "oss://photo.jpg", "point": {"longitude": 111.2, "latitude": 30.6}}],
        }
    return SERVICES[department][completed], data


async def dispatched(stack: Stack, *codes: str, **fields: Any) -> case_pb2.Case:
    async with Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher:
        return await dispatcher.dispatch((await dispatcher.report(**fields)).case_id, *codes)


async def wait_for_state(documents: Any, case_id: str, state: str) -> dict[str, Any]:
    for _ in range(300):
        case: dict[str, Any] = documents.find_one({"_id": case_id})
        if case["state"] == state:
            return case
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{case_id} stays {case['state']}: {[(task['department'], task['state']) for task in case['tasks']]}")


async def test_services_answer_in_any_order_and_twice(stack: Stack, documents: Any, broker: Broker) -> None:
    cases = [await dispatched(stack, *SERVICES) for _ in range(20)]
    facts = [answer(case, code, completed=completed) for case in cases for code in SERVICES for completed in (False, True)]
    order = [(kind, data, f"{data['task']['taskId']}-{kind}") for kind, data in facts] * 2
    random.Random(7).shuffle(order)
    for kind, data, id in order:
        broker.publish(kind, data, id=id)
    for case in cases:
        stored = await wait_for_state(documents, case.case_id, "handled")
        assert {task["state"] for task in stored["tasks"]} == {"done"}
        assert stored["unified_reply"] == "检查完成"
        assert {task["handler"] for task in stored["tasks"]} == {f"{code.lower()}-inspector" for code in SERVICES}
    ours = {case.case_id for case in cases}

    def handled() -> Counter[str]:
        # The relay may publish twice after a crash, with the same event id; nobody crashed here.
        return Counter(
            data["caseId"] for kind, _, data in broker.heard if kind == "mediation.case_handled.v1" and data["caseId"] in ours
        )

    broker.listen_until(lambda: len(handled()) == len(cases))
    assert set(handled().values()) == {1}


async def test_two_services_complete_while_a_person_does(stack: Stack, documents: Any, broker: Broker) -> None:
    case = await dispatched(stack, "PMC", "FIRE", "HOUSING")
    async with Person(stack, subject="pmc", role="DEPT_LEAD", department="PMC") as lead:
        await lead.accept(case)
        for code in ("FIRE", "HOUSING"):
            broker.publish(*answer(case, code, completed=True))
        await lead.complete(case)
    stored = await wait_for_state(documents, case.case_id, "handled")
    assert stored["unified_reply"] == "已办结"


async def test_an_answer_nobody_can_place_becomes_a_dead_letter(stack: Stack, documents: Any, broker: Broker) -> None:
    case = await dispatched(stack, "FIRE")
    kind, data = answer(case, "FIRE", completed=True)
    lost = data | {"task": data["task"] | {"caseId": "01930000-0000-7000-8000-00000000dead"}}
    broker.publish(kind, lost)
    broker.publish(kind, data)
    # The good one beside it does not wait for the bad one.
    await wait_for_state(documents, case.case_id, "handled")
    found: list[tuple[str, dict[str, Any]]] = []
    for _ in range(200):
        found += broker.dead_letters()
        if any(entry == lost for _, entry in found):
            break
        await asyncio.sleep(0.1)
    assert next(reason for reason, entry in found if entry == lost).startswith("CASE_NOT_FOUND")


async def test_a_case_gets_its_grid_later(stack: Stack, documents: Any, broker: Broker) -> None:
    async with Person(stack, subject="worker", role="GRID_WORKER", area="420502") as worker:
        case = await worker.report(area_code="420502")
    broker.publish("housing.case_located.v1", {"caseId": case.case_id, "areaCode": "42050200100310002"})
    located = ("mediation.case_located.v1", case.case_id)
    broker.listen_until(lambda: located in [(kind, data["caseId"]) for kind, _, data in broker.heard])
    assert documents.find_one({"_id": case.case_id})["area_code"] == "42050200100310002"


async def test_lights_turn_once_with_two_workers_also_after_a_pause(stack: Stack, documents: Any, broker: Broker) -> None:
    """Reported as of yesterday: every limit of this emergency passed while nobody looked."""
    yesterday = Timestamp()
    yesterday.FromDatetime(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
    async with Person(stack, subject="importer", role="IMPORTER") as importer:
        reports = [
            await importer.report(category="D0403", severity=case_pb2.SEVERITY_S1, happened_at=yesterday) for _ in range(30)
        ]
        ours = {case.case_id for case in reports}
        for case in reports:
            await importer.dispatch(case.case_id, "UTIL_GAS", "FIRE", happened_at=yesterday)

    def turned() -> Counter[tuple[str, str, str, str]]:
        return Counter(
            (data["caseId"], data.get("taskId", ""), data["clock"], data["light"])
            for kind, _, data in broker.heard
            if kind == "mediation.light_turned.v1" and data["caseId"] in ours
        )

    def red(case_id: str) -> int:
        return sum(key[0] == case_id and key[3] == "LIGHT_RED" for key in turned())

    # Three clocks for each of two tasks, and those of the case itself that still ran.
    broker.listen_until(lambda: all(red(case_id) >= 8 for case_id in ours))
    await asyncio.sleep(1.5)
    broker.listen()
    assert set(turned().values()) == {1}
    assert documents.count_documents({"_id": {"$in": list(ours)}, "light": "red", "next_light_at": None}) == len(ours)

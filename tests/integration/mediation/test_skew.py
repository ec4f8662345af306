"""Machines whose clocks are 2 s ahead and 2 s behind serve the same cases: no step is lost or out of order, no light is wrong.

The clocks of the tests and of the worker are right.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2

from mediation import history
from svckit.errors import InvalidArgument
from svckit.ids import new_id
from tests.integration.mediation.stack import GRID_CODE, Person, Stack

pytestmark = pytest.mark.integration
SKEW = 2.0
ROUNDS = 12
_HERE = Path(__file__).parent / "skewed"


@pytest.fixture(scope="module")
def machines(stack: Stack) -> Iterator[tuple[int, int]]:
    """Which of the stack's processes are ahead and behind."""
    for seconds in (SKEW, -SKEW):
        stack.start_api(SKEW_SECONDS=str(seconds), PYTHONPATH=str(_HERE))
    yield len(stack.addresses) - 2, len(stack.addresses) - 1
    # No other test shall meet them.
    for process in (stack.apis.pop(), stack.apis.pop()):
        process.terminate()
        process.wait(30)
    del stack.addresses[-2:]


@pytest.fixture
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """A worker whose clock is right."""
    process = stack.start_worker()
    yield process
    process.terminate()
    process.wait(30)


@pytest.fixture
async def pairs(stack: Stack, machines: tuple[int, int]) -> AsyncIterator[dict[str, list[Person]]]:
    """The same people at either machine: first ahead, then behind."""
    made = {
        who: [Person(stack, subject=who, role=role, department=department, at=at) for at in machines]
        for who, role, department in (
            ("worker", "GRID_WORKER", ""),
            ("dispatcher", "DISPATCHER", ""),
            ("checker", "GRID_SUPERVISOR", ""),
            ("pmc", "DEPT_LEAD", "PMC"),
            ("umd", "DEPT_LEAD", "UMD"),
        )
    }
    yield made
    for people in made.values():
        for person in people:
            await person.channel.close()


async def test_the_machines_disagree(pairs: dict[str, list[Person]]) -> None:
    ahead, behind = [await person.report() for person in pairs["worker"]]
    apart = ahead.reported_at.ToDatetime() - behind.reported_at.ToDatetime()
    assert dt.timedelta(seconds=3) < apart < dt.timedelta(seconds=5), "the test would prove nothing"


async def test_no_step_is_lost_or_out_of_order(pairs: dict[str, list[Person]], documents: Any) -> None:
    """Every verb at the machine whose clock is not that of the verb before it; every version arrives in a stream at both."""
    ahead, behind = 0, 1
    case = await pairs["worker"][ahead].report()
    seen: list[list[int]] = [[], []]
    streams = [asyncio.create_task(_watch(pairs["dispatcher"][at], case.case_id, seen[at])) for at in (ahead, behind)]
    await _until(lambda: all(seen))
    accept = case_service_pb2.AcceptCaseRequest(case_id=case.case_id, request_id=new_id())
    await pairs["dispatcher"][behind].cases.AcceptCase(accept)
    case = await pairs["dispatcher"][ahead].dispatch(case.case_id, "PMC", "UMD")
    await pairs["pmc"][behind].accept(case)
    await pairs["umd"][ahead].accept(case)
    for number in range(ROUNDS):
        who = pairs["umd"][number % 2]
        note = task_service_pb2.ReportProgressRequest(
            case_id=case.case_id, task_id=_task(case, "UMD"), request_id=new_id(), text=f"进展 {number}"
        )
        await who.tasks.ReportProgress(note)
    await pairs["umd"][behind].complete(case)
    last = await pairs["pmc"][ahead].complete(case)
    assert last.case_state == case_pb2.CASE_STATE_HANDLED
    await _until(lambda: all(each[-1:] == [last.revision] for each in seen))
    for stream in streams:
        stream.cancel()

    case = await pairs["pmc"][ahead].get(case.case_id)
    verbs = ["report_case", "accept_case", "dispatch", "accept_task", "accept_task"]
    verbs += ["report_progress"] * ROUNDS + ["complete_task"] * 2
    assert [step.verb for step in case.steps] == verbs
    times = [step.at.ToDatetime() for step in case.steps]
    assert times == sorted(times)
    notes = next(task for task in case.tasks if task.department == "UMD").progress
    assert [note.text for note in notes] == [f"进展 {number}" for number in range(ROUNDS)]
    stored = documents.find_one({"_id": case.case_id})
    assert history.flaw_of(stored, stored["steps"]) is None
    for revisions in seen:
        assert revisions == sorted(revisions), "a stream never goes back"


async def test_streams_of_an_area_miss_nothing(pairs: dict[str, list[Person]]) -> None:
    """Who resumes at one machine where the other left off hears of everything that changed meanwhile at either."""
    ahead, behind = pairs["dispatcher"]
    area = GRID_CODE[:-2] + "91"
    for first, second in ((ahead, behind), (behind, ahead)):
        known = await pairs["worker"][0].report(area_code=area)
        cursor = await _cursor_of(first, area, known.case_id)
        fresh = {(await pairs["worker"][number % 2].report(area_code=area)).case_id for number in range(6)}
        heard: set[str] = set()
        request = case_service_pb2.WatchCasesRequest(area_prefix=area, cursor=cursor)
        async with asyncio.timeout(20):
            async for message in second.cases.WatchCases(request):
                heard.add(message.case.case_id)
                if fresh <= heard:
                    break


async def test_lights_are_right_at_both_machines(
    stack: Stack, pairs: dict[str, list[Person]], worker: Any, documents: Any
) -> None:
    """A light is at most as early as the clock is ahead, and never turns back."""
    lights = (case_pb2.LIGHT_GREEN, case_pb2.LIGHT_YELLOW, case_pb2.LIGHT_RED)
    case = await pairs["worker"][0].report(severity=case_pb2.SEVERITY_S1)
    clock = next(each for each in case.clocks if each.kind == case_pb2.CLOCK_KIND_ACCEPT)
    begun = dt.datetime.now(dt.UTC)
    # Its limit shall end within this test: the stored clock is moved, and the timer told.
    yellow, due = begun + dt.timedelta(seconds=5), begun + dt.timedelta(seconds=9)
    place = next(index for index, each in enumerate(case.clocks) if each.kind == clock.kind)
    moved = {f"clocks.{place}.yellow_at": yellow, f"clocks.{place}.due_at": due, "next_light_at": yellow}
    documents.update_one({"_id": case.case_id}, {"$set": moved, "$inc": {"revision": 1}})
    shown: list[Any] = []
    while dt.datetime.now(dt.UTC) < due + dt.timedelta(seconds=SKEW + 1):
        asked = dt.datetime.now(dt.UTC)
        for at, skew in enumerate((SKEW, -SKEW)):
            found = next(each for each in (await pairs["dispatcher"][at].get(case.case_id)).clocks if each.kind == clock.kind)
            answered, theirs = dt.datetime.now(dt.UTC), dt.timedelta(seconds=skew)
            right = {lights[(now + theirs >= yellow) + (now + theirs >= due)] for now in (asked, answered)}
            assert found.light in right
        stored = documents.find_one({"_id": case.case_id})
        shown.append(stored["clocks"][place]["light"])
        await asyncio.sleep(0.3)
    order = ["green", "yellow", "red"]
    assert shown == sorted(shown, key=order.index)
    assert shown[-1] == "red"


async def test_what_is_met_in_time_by_a_slow_clock_is_met_in_time(pairs: dict[str, list[Person]], documents: Any) -> None:
    """Whoever accepts at the slow machine is not late because another machine already showed red; the step stands where it was made."""
    ahead, behind = pairs["dispatcher"]
    case = await pairs["worker"][1].report()
    place = next(index for index, each in enumerate(case.clocks) if each.kind == case_pb2.CLOCK_KIND_ACCEPT)
    due = dt.datetime.now(dt.UTC)
    early = due - dt.timedelta(seconds=1)
    moved = {f"clocks.{place}.yellow_at": early, f"clocks.{place}.due_at": due}
    documents.update_one({"_id": case.case_id}, {"$set": moved, "$inc": {"revision": 1}})
    assert (await ahead.get(case.case_id)).clocks[place].light == case_pb2.LIGHT_RED
    accept = case_service_pb2.AcceptCaseRequest(case_id=case.case_id, request_id=new_id())
    met = (await behind.cases.AcceptCase(accept)).case.clocks[place]
    assert met.kind == case_pb2.CLOCK_KIND_ACCEPT
    assert met.light != case_pb2.LIGHT_RED
    assert (await ahead.get(case.case_id)).clocks[place].light == met.light, "what is met shows one light everywhere"


async def test_a_time_from_the_other_machine_is_no_future(stack: Stack, machines: tuple[int, int]) -> None:
    """A report made offline on a device that is right is taken by the machine that is behind; 2 s are cut, more is refused."""
    _, behind = machines
    async with Person(stack, subject="device", role="GRID_WORKER", at=behind) as device:
        now = dt.datetime.now(dt.UTC)
        taken = await device.report(happened_at=now - dt.timedelta(seconds=0.5))
        assert taken.reported_at.ToDatetime(tzinfo=dt.UTC) <= now
        with pytest.raises(InvalidArgument) as refused:
            await device.report(happened_at=now + dt.timedelta(seconds=5))
        assert refused.value.reason == "IN_FUTURE"


async def _watch(person: Person, case_id: str, revisions: list[int]) -> None:
    stream = person.cases.WatchCase(case_service_pb2.WatchCaseRequest(case_id=case_id))
    async for message in stream:
        # One by one: the test looks at them while the stream goes on.
        revisions += [message.case.revision]


async def _cursor_of(person: Person, area: str, case_id: str) -> str:
    async for message in person.cases.WatchCases(case_service_pb2.WatchCasesRequest(area_prefix=area)):
        if message.case.case_id == case_id:
            return str(message.cursor)
    raise AssertionError("the stream ended")


async def _until(condition: Any, seconds: float = 20) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came"
        await asyncio.sleep(0.05)


def _task(case: case_pb2.Case, department: str) -> str:
    return next(task.task_id for task in case.tasks if task.department == department)

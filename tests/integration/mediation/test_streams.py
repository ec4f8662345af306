"""Streams lose nothing: broken off and resumed at random, on other processes, also when theirs was killed."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2

from svckit.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from tests.integration.mediation.stack import Person, Stack, task_of

pytestmark = pytest.mark.integration
SECONDS = 30


def watching(person: Person, *, cursor: str = "", department: str = "") -> AsyncIterator[Any]:
    request = task_service_pb2.WatchTasksRequest(cursor=cursor, department=department)
    return person.tasks.WatchTasks(request)  # type: ignore[no-any-return]


async def test_every_task_arrives_whatever_breaks(stack: Stack) -> None:
    """A department system that is cut off after a few messages, again and again, while cases come and its people work."""
    randomly = random.Random(3)
    expected: set[str] = set()
    seen: dict[str, dict[int, int]] = {}

    async def work() -> None:
        async with (
            Person(stack, subject="dispatcher", role="DISPATCHER", at=1) as dispatcher,
            Person(stack, subject="agri", role="DEPT_HANDLER", department="AGRI") as handler,
        ):
            for _ in range(40):
                case = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC", "AGRI")
                expected.add(task_of(case, "AGRI"))
                await handler.accept(case)

    async def listen() -> None:
        cursor = ""
        while not _all_accepted(expected, seen, 40):
            async with (
                Person(
                    stack, subject="agri-system", role="DEPT_HANDLER", department="AGRI", at=randomly.randrange(2)
                ) as system,
                contextlib.aclosing(watching(system, cursor=cursor)) as messages,
            ):  # type: ignore[type-var]
                left = randomly.randrange(1, 8)
                async for message in messages:
                    view = message.task
                    seen.setdefault(view.task.task_id, {})[view.revision] = view.task.state
                    cursor = message.cursor
                    left -= 1
                    if not left:
                        break

    async with asyncio.timeout(SECONDS):
        await asyncio.gather(work(), listen())
    assert expected <= set(seen)


def _all_accepted(expected: set[str], seen: dict[str, dict[int, int]], count: int) -> bool:
    latest = {task_id: versions[max(versions)] for task_id, versions in seen.items()}
    return len(expected) == count and all(latest.get(task_id) == case_pb2.TASK_STATE_ACCEPTED for task_id in expected)


async def test_a_new_stream_begins_with_the_open_tasks(stack: Stack) -> None:
    async with (
        Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher,
        Person(stack, subject="dpf", role="DEPT_LEAD", department="DPF", at=1) as people,
    ):
        waiting = await dispatcher.dispatch((await dispatcher.report()).case_id, "DPF")
        over = await dispatcher.dispatch((await dispatcher.report()).case_id, "DPF")
        await people.accept(over)
        await people.complete(over)
        async with asyncio.timeout(SECONDS), contextlib.aclosing(watching(people)) as messages:  # type: ignore[type-var]
            first = await anext(messages)
            assert first.task.case_id == waiting.case_id
            assert first.task.case_number == waiting.number
            later = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC", "DPF")
            assert (await anext(messages)).task.case_id == later.case_id


async def test_another_department_sees_nothing_of_it(stack: Stack) -> None:
    async with (
        Person(stack, subject="env", role="DEPT_HANDLER", department="ENV") as env,
        Person(stack, subject="r", role="DEPT_HANDLER") as nobody,
    ):
        with pytest.raises(PermissionDenied) as refusal:
            await anext(watching(env, department="FIRE"))
        assert refusal.value.reason == "OTHER_DEPARTMENT"
        with pytest.raises(PermissionDenied):
            await anext(watching(nobody))
        with pytest.raises(InvalidArgument) as wrong:
            await anext(watching(env, cursor="not a cursor"))
        assert (wrong.value.reason, wrong.value.field) == ("INVALID_CURSOR", "cursor")


async def test_one_case_is_shown_at_every_step(stack: Stack) -> None:
    async with (
        Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher,
        Person(stack, subject="pmc", role="DEPT_LEAD", department="PMC", at=1) as lead,
    ):
        case = await dispatcher.report()
        request = case_service_pb2.WatchCaseRequest(case_id=case.case_id)
        states = []
        async with asyncio.timeout(SECONDS), contextlib.aclosing(lead.cases.WatchCase(request)) as messages:
            states.append((await anext(messages)).case.state)
            case = await dispatcher.dispatch(case.case_id, "PMC")
            states.append((await anext(messages)).case.state)
            await lead.accept(case)
            message = await anext(messages)
            states.append(message.case.state)
            assert message.case.steps[-1].verb == "accept_task"
        assert states == [case_pb2.CASE_STATE_REPORTED, case_pb2.CASE_STATE_DISPATCHED, case_pb2.CASE_STATE_HANDLING]
        request.cursor = message.cursor
        async with asyncio.timeout(SECONDS), contextlib.aclosing(dispatcher.cases.WatchCase(request)) as messages:
            await lead.complete(case)
            assert (await anext(messages)).case.state == case_pb2.CASE_STATE_HANDLED
    async with Person(stack, subject="x", role="DISPATCHER", area="5101") as stranger:
        with pytest.raises(NotFound):
            await anext(stranger.cases.WatchCase(case_service_pb2.WatchCaseRequest(case_id=case.case_id)))


async def test_the_board_follows_an_area_through_the_death_of_its_process(stack: Stack) -> None:
    """Two hundred changes; the process that serves the stream is killed in the middle and the board goes on with another."""
    area = "420581001002"
    stack.start_api()
    doomed = len(stack.addresses) - 1
    seen: dict[str, int] = {}
    made: dict[str, int] = {}

    async def work() -> None:
        async with Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher:
            for number in range(100):
                case = await dispatcher.report(area_code=area, category="D0102")
                case = await dispatcher.dispatch(case.case_id, "UMD", "PROP")
                made[case.case_id] = case.revision
                await dispatcher.report(area_code="420506001001")
                if number == 50:
                    stack.apis[doomed].kill()

    async def board() -> None:
        cursor, at = "", doomed
        while len(made) < 100 or seen != made:
            async with Person(stack, subject="screen", role="SUPERVISION", at=at) as screen:
                request = case_service_pb2.WatchCasesRequest(area_prefix="420581", cursor=cursor)
                with contextlib.suppress(Unavailable, TimeoutError):
                    async with asyncio.timeout(5), contextlib.aclosing(screen.cases.WatchCases(request)) as messages:
                        async for message in messages:
                            assert message.case.area_code == area
                            seen[message.case.case_id] = max(message.case.revision, seen.get(message.case.case_id, 0))
                            cursor = message.cursor
                            if seen == made and len(made) == 100:
                                return
            at = 0

    async with asyncio.timeout(SECONDS * 2):
        await asyncio.gather(work(), board())
    assert seen == made


async def test_a_dispatch_is_on_every_screen_at_once(stack: Stack) -> None:
    """Five departments hold their stream; the task is there within half a second even on a busy test machine."""
    codes = ("PMC", "FIRE", "UMD", "PROP", "PSB")
    arrived: dict[str, list[float]] = {}

    async def listen(person: Person) -> None:
        async for message in watching(person):
            arrived.setdefault(message.task.case_id, []).append(time.perf_counter())

    async with contextlib.AsyncExitStack() as people:
        systems = [
            await people.enter_async_context(
                Person(stack, subject=f"s-{code}", role="DEPT_HANDLER", department=code, area="420503", at=index % 2)
            )
            for index, code in enumerate(codes)
        ]
        dispatcher = await people.enter_async_context(Person(stack, subject="d", role="DISPATCHER"))
        listening = [asyncio.create_task(listen(system)) for system in systems]
        await asyncio.sleep(0.5)
        delays = []
        for _ in range(20):
            case = await dispatcher.report(area_code="420503001001")
            sent = time.perf_counter()
            await dispatcher.dispatch(case.case_id, *codes)
            async with asyncio.timeout(SECONDS):
                while len(arrived.get(case.case_id, ())) < len(codes):  # noqa: ASYNC110 - five listeners, one clock
                    await asyncio.sleep(0.005)
            delays.append(max(arrived[case.case_id]) - sent)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
    assert sorted(delays)[len(delays) // 2] < 0.5
    print("dispatch to all five:", [round(delay * 1000) for delay in sorted(delays)], "ms")


async def test_a_board_that_breaks_off_in_its_beginning_goes_on_there(stack: Stack, documents: Any) -> None:
    """More open cases than one batch, some of which change while the first are shown: none is missed, none shown as it was."""
    area = "420583001004"
    made: list[str] = []
    async with (
        Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher,
        Person(stack, subject="screen", role="SUPERVISION", at=1) as screen,
    ):
        made = [(await dispatcher.report(area_code=area, category="D0102")).case_id for _ in range(70)]
        for number, case_id in enumerate(made):
            at = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2, seconds=-number)
            documents.update_one({"_id": case_id}, {"$set": {"changed_at": at}, "$inc": {"revision": 1}})
        seen: dict[str, case_pb2.Case] = {}
        order: list[str] = []
        request = case_service_pb2.WatchCasesRequest(area_prefix=area)
        async with asyncio.timeout(SECONDS), contextlib.aclosing(screen.cases.WatchCases(request)) as messages:
            async for message in messages:
                order.append(message.case.case_id)
                if len(order) == 1:
                    # Of those to come, one that was to be shown soon and one of a later batch; both are now the youngest changes.
                    await dispatcher.dispatch(made[45], "PMC")
                    await dispatcher.dispatch(made[60], "PMC")
                if len(order) == 40:
                    request.cursor = message.cursor
                    break
        assert order == made[:40]
        async with asyncio.timeout(SECONDS), contextlib.aclosing(screen.cases.WatchCases(request)) as messages:
            async for message in messages:
                seen[message.case.case_id] = message.case
                if seen.keys() >= set(made[40:]):
                    break
    assert {seen[made[45]].state, seen[made[60]].state} == {case_pb2.CASE_STATE_DISPATCHED}
    assert not seen.keys() & set(made[:39])

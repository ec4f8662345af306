"""`fanout_vs_*`: report, dispatch to five departments that answer through the broker with zero work, join; cases a second at saturation."""

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
import uvloop
from binglian.mediation.v1 import case_pb2, case_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from pymongo import MongoClient
from pymongo.collection import Collection

from svckit.embedded import free_port
from tests.load.asked import DEPARTMENTS, a_report
from tests.load.harness import Row, against, compare
from tests.load.stack import Stack, program, wait_for_line

CASES, IN_FLIGHT = 1500, 64
PATIENCE_SECONDS = 180


def run(stack: Stack, address: str, wanted: Callable[[str], bool]) -> list[Row]:
    """Measures ours against the choreography by hand, then the ready-made tools against the same figures of ours."""
    rows = []
    ours = _ours(stack, address)
    by_hand = compare(
        "fanout_vs_handwritten",
        ours=ours,
        floor=_by_hand(stack, whole=True),
        unit="cases/s",
        target=0.35,
        note="same case stored",
    )
    rows.append(by_hand)
    if wanted("fanout_vs_bare"):
        rows.append(
            against(
                "fanout_vs_bare",
                ours=by_hand.runs["ours"],
                floor=_by_hand(stack, whole=False),
                unit="cases/s",
                target=None,
                note="for comparison: a case of five fields, no index",
            )
        )
    if wanted("fanout_vs_celery"):
        rows.append(
            against(
                "fanout_vs_celery",
                ours=by_hand.runs["ours"],
                floor=_celery(stack),
                unit="cases/s",
                target=3.5,
                note="chord of 5, same broker",
            )
        )
    if wanted("fanout_vs_temporal"):
        rows.append(
            against(
                "fanout_vs_temporal",
                ours=by_hand.runs["ours"],
                floor=_temporal(stack),
                unit="cases/s",
                target=7.0,
                note="dev server in memory",
            )
        )
    return rows


def _ours(stack: Stack, address: str) -> Callable[[], float]:
    environment = stack.environment("reactors")
    reactors = stack.start("reactors", [sys.executable, "-m", "tests.load.ours.reactors"], environment=environment)
    wait_for_line(stack.home / "reactors.log", "ready", reactors)
    metadata = (("authorization", f"Bearer {stack.token('dispatcher', ['DISPATCHER'])}"),)
    cases = MongoClient(stack.mongo_uri)["binglian_mediation"]["cases"]
    plans = [
        case_service_pb2.TaskPlan(department=code, role=case_pb2.TASK_ROLE_JOINT if number else case_pb2.TASK_ROLE_LEAD)
        for number, code in enumerate(DEPARTMENTS)
    ]

    played: list[str] = []

    async def play(channel: grpc.aio.Channel) -> None:
        stub = CaseServiceStub(channel)
        case = (await stub.ReportCase(a_report(), metadata=metadata)).case
        played.append(case.case_id)
        request = case_service_pb2.DispatchCaseRequest(case_id=case.case_id, request_id=str(uuid.uuid4()), tasks=plans)
        await stub.DispatchCase(request, metadata=metadata)

    async def drive() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            await _all(lambda: play(channel))

    def once() -> float:
        played.clear()
        started = time.monotonic()
        uvloop.run(drive())
        _wait_until_handled(cases, played)
        seconds = time.monotonic() - started
        stack.settle()
        return CASES / seconds

    return once


def _by_hand(stack: Stack, *, whole: bool) -> Callable[[], float]:
    from tests.load.floors.choreography import Client

    database = "floor_whole" if whole else "floor_bare"
    common = ("--amqp-uri", stack.amqp_uri, "--mongo-uri", stack.mongo_uri, "--database", database)
    for role in ("departments", "join"):
        stack.floor("choreography", role, *common)
    cases = MongoClient(stack.mongo_uri)[database]["cases"]

    async def drive(ids: list[str]) -> None:
        client = await Client(mongo_uri=stack.mongo_uri, database=database, whole=whole).open(stack.amqp_uri)
        left = iter(ids)
        await _all(lambda: client.play(next(left), len(DEPARTMENTS)))
        await client.close()

    def once() -> float:
        ids = [uuid.uuid4().hex for _ in range(CASES)]
        started = time.monotonic()
        asyncio.run(drive(ids))
        _wait_until_handled(cases, ids)
        return CASES / (time.monotonic() - started)

    return once


async def _all(play: Callable[[], Awaitable[None]]) -> None:
    """Plays CASES cases with IN_FLIGHT at once."""
    left = iter(range(CASES))

    async def lane() -> None:
        for _ in left:
            await play()

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))


def _celery(stack: Stack) -> Callable[[], float]:
    import os

    result = stack.mongo_uri.replace("/?", "/floor_celery?")
    environment = {"FLOOR_AMQP_URI": stack.amqp_uri, "FLOOR_RESULT_URI": result, "PYTHONPATH": "."}
    os.environ.update(environment)
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "tests.load.floors.celery_app",
        "worker",
        "--concurrency",
        "2",
        "--loglevel",
        "INFO",
    ]
    worker = stack.start("celery", command, environment=environment)
    wait_for_line(stack.home / "celery.log", "ready.", worker)
    from tests.load.floors.celery_app import fan_out

    count = 150

    def once() -> float:
        started = time.monotonic()
        results = [fan_out(str(number), len(DEPARTMENTS)) for number in range(count)]
        for result in results:
            result.get(timeout=PATIENCE_SECONDS, interval=0.05)
        return count / (time.monotonic() - started)

    return once


def _temporal(stack: Stack) -> Callable[[], float]:
    from temporalio.client import Client

    from tests.load.floors.temporal_app import QUEUE, FanOut

    port = free_port()
    stack.start(
        "temporal",
        [
            program("temporal"),
            "server",
            "start-dev",
            "--headless",
            "--ip",
            "127.0.0.1",
            "--port",
            str(port),
            "--log-level",
            "error",
        ],
    )
    address, count = f"127.0.0.1:{port}", 200

    async def connected() -> Client:
        for _ in range(200):
            try:
                return await Client.connect(address)
            except RuntimeError:
                await asyncio.sleep(0.1)
        raise RuntimeError("the Temporal dev server did not start")

    asyncio.run(connected())
    stack.floor("temporal_app", "--address", address)

    async def drive() -> None:
        client = await connected()
        room = asyncio.Semaphore(IN_FLIGHT)

        async def one() -> None:
            async with room:
                await client.execute_workflow(FanOut.run, len(DEPARTMENTS), id=uuid.uuid4().hex, task_queue=QUEUE)

        await asyncio.gather(*(one() for _ in range(count)))

    def once() -> float:
        started = time.monotonic()
        asyncio.run(drive())
        return count / (time.monotonic() - started)

    return once


def _wait_until_handled(cases: Collection[Any], ids: Iterable[str]) -> None:
    """Asks for those only that were not handled when it asked last: counting all of them would be work of its own."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    waiting = set(ids)
    while waiting:
        if time.monotonic() > give_up:
            raise RuntimeError(f"{len(waiting)} cases were lost, or are very slow: not all were handled in time")
        handled = cases.find({"_id": {"$in": list(waiting)}, "state": "handled"}, {"_id": True})
        waiting.difference_update(case["_id"] for case in handled)
        time.sleep(0.02)

"""10,000 clocks overdue at once: worked off in order and once by two workers, one of which is killed, while new cases go on."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from svckit.due import BATCH
from svckit.ids import new_id
from tests.integration.mediation.broker import Broker, listening
from tests.integration.mediation.stack import Person, Stack

pytestmark = pytest.mark.integration
CASES, CLOCKS = 5_000, 2
PATIENCE = 120.0
STEP = dt.timedelta(seconds=7)


@pytest.fixture
def broker(amqp_uri: str) -> Iterator[Broker]:
    with listening(amqp_uri) as made:
        yield made


async def overdue(stack: Stack, documents: Any, count: int) -> dict[str, dt.datetime]:
    """Cases that waited for a dispatcher while no worker ran: id and the time of their first light, oldest first.

    Copies of one that was reported by the front door, made by hand so that the test does not take longer than the timer.
    """
    async with Person(stack, subject="worker", role="GRID_WORKER", area="420502") as worker:
        first = await worker.report(category="A0204")
    template = documents.find_one({"_id": first.case_id})
    documents.update_one({"_id": first.case_id}, {"$set": {"next_light_at": None}})
    since = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=30)
    made = [copied(template, number, since + number * STEP) for number in range(count)]
    documents.insert_many(made)
    return {each["_id"]: each["next_light_at"] for each in made}


def copied(template: dict[str, Any], number: int, yellow_at: dt.datetime) -> dict[str, Any]:
    at = {"started_at": yellow_at - dt.timedelta(hours=1), "yellow_at": yellow_at, "due_at": yellow_at + dt.timedelta(hours=1)}
    case_id = new_id()
    return {
        **{name: value for name, value in template.items() if name not in ("outbox", "commands", "created_by")},
        "_id": case_id,
        "number": f"420502-2001-{number:06d}",
        "clocks": [{**clock, **at} for clock in template["clocks"]],
        "next_light_at": yellow_at,
        "revision": 1,
    }


async def run_new_cases(stack: Stack, stop: asyncio.Event) -> list[float]:
    """Reports, dispatches, accepts and completes cases one after another; returns the seconds each took."""
    took = []
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="f", role="DEPT_LEAD", department="FIRE") as fire,
    ):
        while not stop.is_set():
            started = time.perf_counter()
            case = await dispatcher.dispatch((await dispatcher.report()).case_id, "FIRE")
            await fire.accept(case)
            await fire.complete(case)
            took.append(time.perf_counter() - started)
            await asyncio.sleep(0.05)
    return took


async def wait_until_turned(documents: Any, ids: list[str], *, left: int = 0) -> None:
    deadline = time.monotonic() + PATIENCE
    while documents.count_documents({"_id": {"$in": ids}, "next_light_at": {"$ne": None}}) > left:
        assert time.monotonic() < deadline, "lights wait"
        await asyncio.sleep(0.1)


async def test_ten_thousand_overdue_clocks(stack: Stack, documents: Any, broker: Broker) -> None:
    # Nobody begins, whoever still runs, until both workers are there and one more light has come due behind the whole backlog.
    with standing_by(documents):
        due = await overdue(stack, documents, CASES)
        ids, stop = list(due), asyncio.Event()
        fresh = await waiting_case(stack, documents)
        workers = [stack.start_worker(), stack.start_worker()]
        fall_due(documents, fresh)
    started = time.monotonic()
    new_cases = asyncio.create_task(run_new_cases(stack, stop))
    try:
        await wait_until_turned(documents, ids, left=CASES * 9 // 10)
        workers[0].kill()
        await wait_until_turned(documents, [fresh, *ids])
        rate = CASES * CLOCKS / (time.monotonic() - started)
    finally:
        stop.set()
        took = await new_cases
        for worker in workers:
            worker.terminate()
            worker.wait(timeout=20)
    print(f"{rate:,.0f} clocks/s; new cases {sorted(took)[len(took) // 2] * 1000:.0f} ms")
    assert sorted(took)[len(took) * 9 // 10] < 2.0
    check_order(documents, due, fresh)
    check_once(broker, due)


@contextlib.contextmanager
def standing_by(documents: Any) -> Iterator[None]:
    """Keeps workers from turning lights meanwhile, as another worker would that holds the lease."""
    leases, name = documents.database["leases"], f"{documents.name}.next_light_at"
    until = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    leases.update_one({"_id": name}, {"$set": {"owner": "the test", "until": until}}, upsert=True)
    yield
    leases.update_one({"_id": name}, {"$set": {"until": None}})


async def waiting_case(stack: Stack, documents: Any) -> str:
    """A case whose lights do not turn yet."""
    async with Person(stack, subject="worker", role="GRID_WORKER", area="420502") as worker:
        case = await worker.report(category="A0204")
    documents.update_one({"_id": case.case_id}, {"$set": {"next_light_at": None}, "$inc": {"revision": 1}})
    return case.case_id


def fall_due(documents: Any, case_id: str) -> None:
    """Makes its lights due this very moment."""
    now = dt.datetime.now(dt.UTC)
    soon = {"yellow_at": now, "due_at": now + dt.timedelta(milliseconds=1)}
    clocks = [{**clock, **soon} for clock in documents.find_one({"_id": case_id})["clocks"]]
    documents.update_one({"_id": case_id}, {"$set": {"clocks": clocks, "next_light_at": now}, "$inc": {"revision": 1}})


def check_order(documents: Any, due: dict[str, dt.datetime], fresh: str) -> None:
    """Who was due earlier turned earlier, batch by batch; the fresh one did not wait for more than the first of the batches."""
    turned = {row["_id"]: row["changed_at"] for row in documents.find({"_id": {"$in": [*due, fresh]}}, {"changed_at": True})}
    times = [turned[case_id] for case_id in due]
    assert times == sorted(times)
    assert turned[fresh] <= times[BATCH]


def check_once(broker: Broker, due: dict[str, dt.datetime]) -> None:
    """One red light for each clock, with the time it was really due."""
    heard: list[dict[str, Any]] = []

    def enough() -> bool:
        heard[:] = [data for kind, _, data in unique(broker) if kind == "mediation.light_turned.v1" and data["caseId"] in due]
        return len(heard) >= CASES * CLOCKS

    broker.listen_until(enough, seconds=PATIENCE)
    broker.listen()
    enough()
    counted = Counter((data["caseId"], data["clock"], data["light"]) for data in heard)
    assert set(counted.values()) == {1}
    assert len(counted) == CASES * CLOCKS
    for data in heard:
        true = due[data["caseId"]] + dt.timedelta(hours=1)
        assert dt.datetime.fromisoformat(data["dueAt"]) == dt.datetime.fromisoformat(data["since"]) == true


def unique(broker: Broker) -> list[tuple[str, str, dict[str, Any]]]:
    """What was heard, each event once: the relay may publish again after a crash, with the same id."""
    return list({id: (kind, id, data) for kind, id, data in broker.heard}.values())

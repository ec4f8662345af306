"""Two workers whose clocks are 2 s ahead and 2 s behind share the timers: everything happens once, at its true time, and in order.

Which of them works is the lease's to say; here the test says it, and then lets both believe they hold it. The clocks of the test and
of two api processes are right, a third one is ahead.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from binglian.mediation.v1 import case_flow_service_pb2, case_flow_service_pb2_grpc, case_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from mediation import history
from svckit.ids import new_id
from tests.integration.mediation.broker import Broker, listening
from tests.integration.mediation.stack import Person, Stack
from tests.integration.mediation.supervisors import street

pytestmark = pytest.mark.integration
SKEW = 2.0
CASES = 60
APART = dt.timedelta(seconds=0.1)
# After its yellow light: when a case climbs, and when it is due.
CLIMBS, DUE = dt.timedelta(seconds=1), dt.timedelta(seconds=2.5)
FIELDS = ("next_light_at", "level_due_at", "ends_by_itself_at")
ORDER = ["green", "yellow", "red"]
_HERE = Path(__file__).parent / "skewed"


@dataclass
class Turns:
    """Who of the workers does what the timers say."""

    leases: Any
    ahead: str
    behind: str

    def give(self, *owners: str) -> None:
        """Gives all leases to one; to nobody, and so to whoever asks, when none or both are named."""
        until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=10)
        to = {"owner": owners[0], "until": until} if len(owners) == 1 else {"until": None}
        self.leases.update_many({}, {"$set": to})


@pytest.fixture(scope="module")
def ahead(stack: Stack) -> Iterator[int]:
    """An api process that is ahead."""
    stack.start_api(SKEW_SECONDS=str(SKEW), PYTHONPATH=str(_HERE))
    yield len(stack.addresses) - 1
    process = stack.apis.pop()
    process.terminate()
    process.wait(30)
    del stack.addresses[-1:]


@pytest.fixture
def turns(stack: Stack, documents: Any) -> Iterator[Turns]:
    """Both workers, known by the names they have in leases."""
    leases = documents.database["leases"]
    leases.delete_many({})
    running, names = [], []
    for seconds in (SKEW, -SKEW):
        leases.update_many({}, {"$set": {"owner": "nobody", "until": dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)}})
        running.append(stack.start_worker(SKEW_SECONDS=str(seconds), PYTHONPATH=str(_HERE)))
        leases.update_many({}, {"$set": {"until": None}})
        names.append(_name_of_another(leases, names))
    yield Turns(leases, *names)
    for process in running:
        process.terminate()
    for process in running:
        process.wait(30)


def _name_of_another(leases: Any, known: Sequence[str]) -> str:
    """The first holder of a lease that is not known yet; who is known gives way."""
    deadline = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)
    while dt.datetime.now(dt.UTC) < deadline:
        holder = leases.find_one({"owner": {"$nin": [*known, "nobody"]}})
        if holder:
            return str(holder["owner"])
        leases.update_many({}, {"$set": {"until": None}})
    raise TimeoutError("no worker took a lease")


@pytest.fixture
def broker(amqp_uri: str) -> Iterator[Broker]:
    with listening(amqp_uri) as made:
        yield made


@pytest.fixture
async def people(stack: Stack, ahead: int) -> AsyncIterator[dict[str, Person]]:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="d", role="DISPATCHER", at=ahead) as early,
        Person(stack, subject="f", role="DEPT_HANDLER", department="FIRE") as fire,
    ):
        yield {"dispatcher": dispatcher, "early": early, "fire": fire}


async def test_timers_that_change_hands(
    stack: Stack, people: dict[str, Person], turns: Turns, documents: Any, broker: Broker
) -> None:
    """First the one ahead, then the one behind, then both at once: each thing happens once, with the time it was due."""
    turns.give("nobody")
    made = [await people["dispatcher"].report() for _ in range(CASES)]
    suspended = [await suspended_case(people, seconds=4 + number) for number in range(4)]
    orders = documents.database["supervision_orders"]
    async with street(stack) as overseer:
        ordered = [(await overseer.issue(case.case_id, department="PSB")).order_id for case in made[:4]]
    begin = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=1)
    yellow = {case.case_id: begin + number * APART for number, case in enumerate(made)}
    for case_id, at in yellow.items():
        schedule(documents, case_id, at)
    for number, order_id in enumerate(ordered):
        at = begin + dt.timedelta(seconds=number)
        overdue = {"clock.yellow_at": at, "clock.due_at": at + DUE, "raise_at": at + DUE, "next_turn_at": at}
        orders.update_one({"_id": order_id}, {"$set": overdue, "$inc": {"revision": 1}})

    closing = asyncio.create_task(close_some(people["early"], list(yellow)[::3], yellow))
    sampling = asyncio.create_task(lights_over_time(documents, list(yellow)))
    turns.give(turns.ahead)
    await asyncio.sleep(2.5)
    turns.give(turns.behind)
    turned = count_turned(documents, list(yellow))
    await asyncio.sleep(5.5)
    assert count_turned(documents, list(yellow)) > turned, "the one behind had nothing to do: the test would prove nothing"
    over = begin + CASES * APART + DUE + dt.timedelta(seconds=SKEW + 1)
    while dt.datetime.now(dt.UTC) < over:
        turns.give(turns.ahead, turns.behind)
        await asyncio.sleep(0.02)
    closed = await closing
    sampling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sampling
    await asyncio.to_thread(listen_for_all, broker)

    check_lights(broker, documents, yellow, closed)
    check_climbs(broker, documents, yellow, closed)
    check_orders(broker, ordered)
    for case in suspended:
        (resumed,) = said(broker, "mediation.case_resumed.v1", case["_id"])
        assert dt.datetime.fromisoformat(resumed["resumedAt"]) == case["suspension"]["until"]
    check_notices(documents, [*yellow, *(case["_id"] for case in suspended)])


def schedule(documents: Any, case_id: str, yellow: dt.datetime) -> None:
    """Moves all clocks of a case, and the time it climbs."""
    times = {"yellow_at": yellow, "due_at": yellow + DUE}
    clocks = [clock | times for clock in documents.find_one({"_id": case_id})["clocks"]]
    moved = {"clocks": clocks, "next_light_at": yellow, "level_due_at": yellow + CLIMBS}
    documents.update_one({"_id": case_id}, {"$set": moved, "$inc": {"revision": 1}})


async def suspended_case(people: dict[str, Person], *, seconds: int) -> Any:
    """A case that is suspended for so long."""
    case = await people["dispatcher"].dispatch((await people["dispatcher"].report()).case_id, "FIRE")
    await people["fire"].accept(case)
    until = Timestamp()
    until.FromDatetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds))
    ways = case_flow_service_pb2_grpc.CaseFlowServiceStub(people["dispatcher"].channel)  # type: ignore[call-overload]
    request = case_flow_service_pb2.SuspendCaseRequest(case_id=case.case_id, until=until, reason="待检测", request_id=new_id())
    suspended = (await ways.SuspendCase(request)).case
    return {"_id": case.case_id, "suspension": {"until": suspended.suspension.until.ToDatetime(tzinfo=dt.UTC)}}


async def close_some(early: Person, ids: Sequence[str], yellow: dict[str, dt.datetime]) -> set[str]:
    """Ends cases at the machine that is ahead, each some seconds before or after it climbs."""

    async def end(number: int, case_id: str) -> None:
        at = yellow[case_id] + CLIMBS + dt.timedelta(seconds=number % 7 - 4)
        await asyncio.sleep((at - dt.datetime.now(dt.UTC)).total_seconds())
        request = case_service_pb2.RejectCaseRequest(case_id=case_id, reason="不属于受理范围", request_id=new_id())
        await early.cases.RejectCase(request)

    await asyncio.gather(*(end(number, case_id) for number, case_id in enumerate(ids)))
    return set(ids)


async def lights_over_time(documents: Any, ids: list[str]) -> None:
    """Looks at the stored lights again and again: none ever turns back."""
    before: dict[tuple[str, int], str] = {}
    while True:
        for case in documents.find({"_id": {"$in": ids}, "state": "reported"}, {"clocks.light": True}):
            for place, clock in enumerate(case["clocks"]):
                key = case["_id"], place
                assert ORDER.index(clock["light"]) >= ORDER.index(before.get(key, "green"))
                before[key] = clock["light"]
        await asyncio.sleep(0.15)


def count_turned(documents: Any, ids: list[str]) -> int:
    return int(documents.count_documents({"_id": {"$in": ids}, "light": {"$in": ["yellow", "red"]}}))


def listen_for_all(broker: Broker) -> None:
    """Hears facts until no more come."""
    known = -1
    while known != len(broker.heard):
        known = len(broker.heard)
        for _ in range(5):
            broker.listen()


def said(broker: Broker, kind: str, id: str) -> list[dict[str, Any]]:
    """What was published about a case or an order, each fact once, in order."""
    unique = {event_id: data for type_, event_id, data in broker.heard if type_ == kind}
    return [data for data in unique.values() if id in (data["caseId"], data.get("orderId"))]


def once(facts: Sequence[dict[str, Any]], what: Callable[[dict[str, Any]], Any]) -> None:
    assert max(Counter(map(what, facts)).values(), default=1) == 1


def check_lights(broker: Broker, documents: Any, yellow: dict[str, dt.datetime], closed: set[str]) -> None:
    """Every clock turned yellow at most once and red once, in this order, and said when it was due."""
    for case_id, at in yellow.items():
        facts = said(broker, "mediation.light_turned.v1", case_id)
        once(facts, lambda data: (data["clock"], data["light"]))
        for data in facts:
            light = data["light"].removeprefix("LIGHT_").lower()
            assert dt.datetime.fromisoformat(data["since"]) == (at if light == "yellow" else at + DUE)
            assert dt.datetime.fromisoformat(data["dueAt"]) == at + DUE
        for clock in documents.find_one({"_id": case_id})["clocks"]:
            mine = [data["light"] for data in facts if data["clock"] == f"CLOCK_KIND_{clock['kind'].upper()}"]
            assert mine in (["LIGHT_YELLOW", "LIGHT_RED"], ["LIGHT_RED"]) or case_id in closed
            assert case_id in closed or clock["light"] == "red"


def check_climbs(broker: Broker, documents: Any, yellow: dict[str, dt.datetime], closed: set[str]) -> None:
    """Every case climbed once, at its time; none after it was over, and its history says so too."""
    for case_id, at in yellow.items():
        climbs = said(broker, "mediation.case_escalated.v1", case_id)
        assert [dt.datetime.fromisoformat(data["escalatedAt"]) for data in climbs] == [at + CLIMBS] * len(climbs)
        assert len(climbs) == 1 or case_id in closed
        case = documents.find_one({"_id": case_id})
        verbs = [step["verb"] for step in case["steps"]]
        assert verbs.count("escalate_case") == len(climbs) <= 1
        if case_id in closed:
            assert verbs[-1] == "reject_case"
            assert [case[field] for field in FIELDS] == [None] * len(FIELDS)
        times = [step["at"] for step in case["steps"]]
        assert times == sorted(times)
        assert history.flaw_of(case, case["steps"]) is None


def check_orders(broker: Broker, ordered: Sequence[str]) -> None:
    for order_id in ordered:
        once(said(broker, "mediation.supervision_light_turned.v1", order_id), lambda data: data["light"])
        late = said(broker, "mediation.supervision_overdue.v1", order_id)
        assert len(late) <= 1
        assert all(data["overdueAt"] == data["dueAt"] for data in late)


def check_notices(documents: Any, ids: Sequence[str]) -> None:
    """Nobody was told the same thing twice."""
    told = list(documents.database["notices"].find({"case_id": {"$in": list(ids)}}))
    key = ("case_id", "kind", "clock", "task_id", "department", "roles", "post_department", "subjects", "due_at", "happened_at")
    assert told
    assert max(Counter(repr([notice.get(name) for name in key]) for notice in told).values()) == 1

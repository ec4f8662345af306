"""The relay and the live feed against a real broker: nothing lost, order kept per aggregate, one active relay."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pika
import pytest
from pymongo import AsyncMongoClient

from svckit import telemetry
from svckit.amqp import Link
from svckit.cloudevents import ID, SUBJECT
from svckit.documents import INDEXES, Command, Form
from svckit.ids import new_id
from svckit.live import LiveFeed
from svckit.outbox import Relay
from svckit.store import Repository
from svckit.topology import Topology
from tests.integration.svckit.proxy import Proxy
from tests.integration.svckit.tallies import Scene, wait_until

pytestmark = pytest.mark.integration


class Counter(msgspec.Struct, frozen=True):
    counter_id: str
    count: int = 0


class Counted(msgspec.Struct, frozen=True):
    count: int


class Api:
    """What an api process has: repository, relay, live feed, link."""

    def __init__(self, *, mongo_uri: str, amqp_uri: str, database: str, topology: Topology) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_uri)
        self.collection = self.client[database].counters
        self.relay, self.live = Relay(topology), LiveFeed(topology)
        kind = f"{topology.service}.counted.v1"
        form = Form(Counter, id_field="counter_id", encode=lambda event: (kind, msgspec.json.encode(event)))
        self.repository = Repository(self.collection, form=form, on_commit=self.relay.follow(self.collection))
        self.link = Link(amqp_uri, name="test", participants=(self.relay, self.live))

    async def start(self) -> None:
        self.link.start()
        await asyncio.wait_for(self.link.up.wait(), 15)

    async def create(self, id: str) -> None:
        await self.repository.create(id, Counter(id), (Counted(0),), command=Command(f"create {id}", "d"))

    async def count(self, id: str, times: int = 1) -> None:
        def once(state: Counter) -> tuple[Counter, tuple[Counted]]:
            return msgspec.structs.replace(state, count=state.count + 1), (Counted(state.count + 1),)

        await asyncio.gather(*(self.repository.change(id, once, command=Command(new_id(), "d")) for _ in range(times)))

    async def cleared(self, *, seconds: float = 20) -> None:
        """Waits until no event waits in any document."""
        async with asyncio.timeout(seconds):
            # Another process clears them.
            while await self.collection.count_documents({"outbox.0": {"$exists": True}}):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self.repository.settled()
        await self.link.stop()
        await self.client.close()


class Listener:
    """A queue of the test's own that takes every fact of the service."""

    def __init__(self, amqp_uri: str, topology: Topology) -> None:
        self.connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
        self.channel = self.connection.channel()
        for exchange in topology.exchanges():
            self.channel.exchange_declare(**exchange)
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, topology.exchange, f"{topology.service}.#")

    def heard(self) -> list[tuple[str, int, Any]]:
        """Aggregate, count and properties of all messages so far, each event once, in the order of their first arrival."""
        found: dict[str, tuple[str, int, Any]] = {}
        while True:
            method, properties, body = self.channel.basic_get(self.queue, auto_ack=True)
            if method is None:
                return list(found.values())
            headers = properties.headers
            found.setdefault(headers[ID], (headers[SUBJECT], msgspec.json.decode(body).get("count"), properties))


@pytest.fixture
def topology(exchange_name) -> Topology:
    return Topology(f"s{new_id()[-8:]}", exchange_name)


@pytest.fixture
def listener(amqp_uri, topology) -> Iterator[Listener]:
    made = Listener(amqp_uri, topology)
    yield made
    made.channel.queue_delete(topology.relay_queue)
    made.connection.close()


@pytest.fixture
def make(mongo_uri, amqp_uri, database_name, topology):
    """Makes apis of one service, as if in processes of their own."""
    database = f"{database_name}_{new_id()[-6:]}"

    def make_one(**other: str) -> Api:
        return Api(**{"mongo_uri": mongo_uri, "amqp_uri": amqp_uri, "database": database, "topology": topology, **other})

    return make_one


@contextlib.asynccontextmanager
async def running(*apis: Api) -> AsyncIterator[None]:
    for api in apis:
        await api.collection.create_indexes(list(INDEXES))
        await api.start()
    try:
        yield
    finally:
        for api in apis:
            await api.stop()


def orders(heard: list[tuple[str, int, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for id, count, _ in heard:
        found.setdefault(id, []).append(count)
    return found


async def test_events_arrive_in_order_and_leave_the_documents(make, listener) -> None:
    api = make()
    ids = [new_id() for _ in range(20)]
    async with running(api):
        await asyncio.gather(*(api.create(id) for id in ids))
        await asyncio.gather(*(api.count(id, 30) for id in ids))
        await api.cleared()
        assert api.relay.unroutable == 0
        revision = (await api.collection.find_one({"_id": ids[0]}))["revision"]
        assert revision <= 31, "clearing must not count as a change"
    assert orders(listener.heard()) == {id: list(range(31)) for id in ids}


async def test_an_event_is_a_cloud_event(make, listener, topology) -> None:
    api = make()
    async with running(api):
        with telemetry.span("report", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"):
            await api.create("c1")
        await api.cleared()
    ((_, _, properties),) = listener.heard()
    headers = properties.headers
    assert properties.content_type == "application/json"
    assert properties.delivery_mode == 2
    assert headers.pop("cloudEvents:id")
    assert headers.pop("cloudEvents:time").endswith("Z")
    assert headers.pop("traceparent").startswith(f"00-{'a' * 32}-")
    assert headers == {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:type": f"{topology.service}.counted.v1",
        "cloudEvents:source": f"/binglian/{topology.service}",
        "cloudEvents:subject": "c1",
    }


async def test_a_fact_nobody_subscribed_to_is_no_trouble(make, listener, amqp_uri) -> None:
    listener.channel.queue_delete(listener.queue)
    api = make()
    api.link = Link(amqp_uri, name="without live feed", participants=(api.relay,))
    async with running(api):
        await api.create("c1")
        await api.cleared()
        assert (api.relay.published, api.relay.unroutable) == (1, 1)


async def test_what_was_left_before_the_start_is_swept_up(make, listener) -> None:
    away = make()
    ids = [new_id() for _ in range(600)]
    await away.collection.create_indexes(list(INDEXES))
    await asyncio.gather(*(away.create(id) for id in ids))
    await away.client.close()
    api = make()
    async with running(api):
        await api.cleared()
    assert orders(listener.heard()) == {id: [0] for id in ids}


async def test_only_one_relay_is_active_and_another_takes_over(make, listener) -> None:
    first, second = make(), make()
    async with running(first, second):
        await asyncio.gather(*(first.create(f"c{at}") for at in range(50)))
        await second.count("c0", 10)
        await first.cleared()
        assert 0 in (first.relay.published, second.relay.published)
        active, other = (first, second) if first.relay.published else (second, first)
        await active.link.stop()
        await asyncio.gather(*(active.count(f"c{at}") for at in range(50)))
        await other.cleared()
        assert other.relay.published == 50
    found = orders(listener.heard())
    assert found["c0"] == list(range(12))
    assert all(found[f"c{at}"] == [0, 1] for at in range(1, 50))


async def test_two_processes_that_change_the_same_aggregates_keep_their_order(make, listener) -> None:
    first, second = make(), make()
    ids = [new_id() for _ in range(20)]
    async with running(first, second):
        await asyncio.gather(*(first.create(id) for id in ids))
        for api in (first, second, first, first, second) * 4:
            await asyncio.gather(*(api.count(id) for id in ids))
        await first.cleared()
    assert orders(listener.heard()) == {id: list(range(21)) for id in ids}


async def test_broken_connections_lose_nothing_and_keep_the_order(make, listener, amqp_uri) -> None:
    proxy = Proxy(amqp_uri)
    api = make(amqp_uri=proxy.uri)
    ids = [new_id() for _ in range(10)]
    try:
        async with running(api):
            await asyncio.gather(*(api.create(id) for id in ids))
            for turn in range(8):
                await asyncio.gather(*(api.count(id, 20) for id in ids))
                if turn % 2:
                    proxy.cut()
                await asyncio.sleep(0.05)
            await api.cleared(seconds=30)
    finally:
        proxy.close()
    assert orders(listener.heard()) == {id: list(range(161)) for id in ids}


async def test_what_a_worker_commits_is_published_by_the_relay(make, mongo_uri, amqp_uri, database_name, exchange_name) -> None:
    database = f"{database_name}_{new_id()[-6:]}"
    scene = Scene(mongo_uri=mongo_uri, amqp_uri=amqp_uri, database=database, exchange=exchange_name)
    listener = Listener(amqp_uri, scene.topology)
    api = make(database=database, topology=scene.topology)
    api.relay.follow(api.client[database].tallies)
    async with running(api):
        with scene.worker() as worker:
            await asyncio.to_thread(wait_until, worker.healthy)
            started = asyncio.get_running_loop().time()
            for number in range(5):
                scene.tell("t", number)
            await asyncio.to_thread(wait_until, lambda: scene.tallies.count_documents({"count": 5, "outbox": []}) == 1)
            assert asyncio.get_running_loop().time() - started < 2, "it was the sweep, not the wake message"
    assert [count for _, count, _ in listener.heard() if count] == [1, 2, 3, 4, 5]
    listener.connection.close()
    scene.close()


class TestLiveFeed:
    async def test_a_change_wakes_who_watches_it(self, make, listener) -> None:
        api = make()
        async with running(api), api.live.watch("c1") as one, api.live.watch("c2") as two, api.live.watch() as all_:
            await api.create("c1")
            await api.create("c3")
            assert await one.wait(timeout=5) == {"c1"}
            seen = set()
            while seen != {"c1", "c3"}:
                seen |= await all_.wait(timeout=5)
            assert await two.wait(timeout=0.1) is None

    async def test_many_changes_are_one_waking(self, make, listener) -> None:
        api = make()
        async with running(api), api.live.watch("c1") as watch:
            await api.create("c1")
            await api.count("c1", 50)
            await api.cleared()
            await asyncio.sleep(0.2)
            assert await anext(watch) == {"c1"}
            assert await watch.wait(timeout=0.1) is None

    async def test_every_process_hears_what_one_commits(self, make, listener) -> None:
        first, second = make(), make()
        async with running(first, second), first.live.watch("c1") as here, second.live.watch("c1") as there:
            await second.create("c1")
            assert await here.wait(timeout=5) == await there.wait(timeout=5) == {"c1"}

    async def test_after_a_gap_everything_is_read_again(self, make, listener, amqp_uri) -> None:
        proxy = Proxy(amqp_uri)
        api = make(amqp_uri=proxy.uri)
        try:
            async with running(api), api.live.watch("c1") as watch:
                await api.create("c1")
                assert await watch.wait(timeout=5) == {"c1"}
                proxy.cut()
                assert await watch.wait(timeout=5) == frozenset()
        finally:
            proxy.close()

    async def test_watches_leave_nothing_behind(self, topology) -> None:
        feed = LiveFeed(topology)
        async with feed.watch("c1"), feed.watch("c1"), feed.watch():
            assert len(feed._by_id["c1"]) == 2
        assert not feed._by_id
        assert not feed._any

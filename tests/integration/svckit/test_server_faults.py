"""Commands, relay, broker and worker together while database and broker are killed or change their primary."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from svckit.amqp import Link
from svckit.documents import INDEXES, Command, Form
from svckit.embedded import MongoServer, RabbitServer, free_port
from svckit.errors import Unavailable
from svckit.ids import new_id
from svckit.outbox import Relay
from svckit.store import Repository
from svckit.testing import child
from tests.integration.svckit.tallies import Scene, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.slow]


class Killable:
    """A server that can be killed and started again on its data. All is done in one thread: a child ends with its thread."""

    def __init__(self, server: Any, *, log: Path, environment: dict[str, str] | None = None) -> None:
        self.server, self._log, self._environment = server, log, environment
        self._running = contextlib.ExitStack()

        self._thread = ThreadPoolExecutor(1)

    def start(self) -> None:
        self._thread.submit(self._start).result()

    def kill(self) -> None:
        """As `kill -9`."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._thread.submit(self._running.close).result()
        self._thread.shutdown()

    def _start(self) -> None:
        self._process = self._running.enter_context(child(self.server.command(), log=self._log, environment=self._environment))
        self.server.wait_until_ready()


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory) -> Iterator[Killable]:
    home = tmp_path_factory.mktemp("killable-rabbit")
    server = RabbitServer(home=home, port=free_port(), distribution_port=free_port(), epmd_port=free_port())
    with child(server.epmd_command(), log=home / "epmd-log", environment=server.environment()):
        killable = Killable(server, log=home / "out", environment=server.environment())
        killable.start()
        yield killable
        killable.stop()


@pytest.fixture(scope="module")
def mongo(tmp_path_factory) -> Iterator[Killable]:
    home = tmp_path_factory.mktemp("killable-mongo")
    killable = Killable(MongoServer(home=home, port=free_port(), cache_gb=0.25), log=home / "out")
    killable.start()
    yield killable
    killable.stop()


class Counter(msgspec.Struct, frozen=True):
    counter_id: str
    count: int = 0


class Told(msgspec.Struct, frozen=True):
    number: int


class Traffic:
    """Clients that repeat every command until it is acknowledged, and an api that relays the events to the scene's worker."""

    def __init__(self, scene: Scene) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            scene.mongo_uri, serverSelectionTimeoutMS=2000, connectTimeoutMS=2000
        )
        self.collection = self.client[scene.database].counters
        self.relay = Relay(scene.topology)
        kind = f"{scene.service}.told.v1"
        form = Form(Counter, id_field="counter_id", encode=lambda event: (kind, msgspec.json.encode(event)))
        commit = self.relay.follow(self.collection)
        self.repository = Repository(self.collection, form=form, on_commit=commit, patience=3)
        self.link = Link(scene.amqp_uri, name="traffic", participants=(self.relay,))
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    async def client_of(self, id: str) -> None:
        await self._insist(lambda command: self.repository.create(id, Counter(id), (), command=command))
        self.acknowledged[id] = 0
        while not self.stopping:
            await self._insist(lambda command: self.repository.change(id, _count, command=command))
            self.acknowledged[id] += 1
            await asyncio.sleep(0.002)

    async def _insist(self, call: Any) -> None:
        command = Command(new_id(), "d")
        while True:
            with contextlib.suppress(Unavailable):
                await call(command)
                return

    async def close(self) -> None:
        await self.link.stop()
        await self.client.close()


def _count(state: Counter) -> tuple[Counter, tuple[Told]]:
    return msgspec.structs.replace(state, count=state.count + 1), (Told(state.count),)


@contextlib.asynccontextmanager
async def traffic(scene: Scene) -> AsyncIterator[Traffic]:
    """Runs 30 clients, the api and a worker for the block; then checks that every acknowledged command arrived exactly once."""
    made = Traffic(scene)
    await made.collection.create_indexes(list(INDEXES))
    made.link.start()
    with scene.worker() as worker:
        await asyncio.to_thread(wait_until, worker.healthy)
        clients = [asyncio.create_task(made.client_of(f"c{at}")) for at in range(30)]
        await asyncio.sleep(1)
        yield made
        made.stopping = True
        await asyncio.gather(*clients)
        expected = {id: list(range(count)) for id, count in made.acknowledged.items()}
        stored = {one["_id"]: one["count"] async for one in made.collection.find()}
        assert stored == made.acknowledged
        await asyncio.to_thread(wait_until, lambda: _sorted(scene.numbers()) == expected, seconds=60)
        assert await asyncio.to_thread(worker.terminate) == 0
    assert await made.collection.count_documents({"outbox.0": {"$exists": True}}) == 0
    await made.close()


def _sorted(numbers: dict[str, list[int]]) -> dict[str, list[int]]:
    return {id: sorted(got) for id, got in numbers.items()}


def scene_of(mongo_uri: str, amqp_uri: str) -> Scene:
    name = f"f{new_id()[-8:]}"
    return Scene(mongo_uri=mongo_uri, amqp_uri=amqp_uri, database=name, exchange=f"{name}.events")


async def test_a_killed_broker_comes_back(mongo: Killable, rabbit: Killable) -> None:
    scene = scene_of(mongo.server.uri, rabbit.server.uri)
    scene.connection.close()
    async with traffic(scene) as made:
        await asyncio.to_thread(rabbit.kill)
        before = sum(made.acknowledged.values())
        await asyncio.sleep(1)
        assert sum(made.acknowledged.values()) > before, "commands do not need the broker"
        await asyncio.to_thread(rabbit.start)
        await asyncio.sleep(1)
    scene.client.close()


async def test_a_killed_database_comes_back(mongo: Killable, rabbit: Killable) -> None:
    scene = scene_of(mongo.server.uri, rabbit.server.uri)
    async with traffic(scene):
        await asyncio.to_thread(mongo.kill)
        await asyncio.sleep(4)  # longer than anybody's patience
        await asyncio.to_thread(mongo.start)
        await asyncio.sleep(1)
    scene.close()


async def test_a_primary_steps_down(mongo: Killable, rabbit: Killable) -> None:
    scene = scene_of(mongo.server.uri, rabbit.server.uri)
    async with traffic(scene):
        for _ in range(2):
            await asyncio.to_thread(_step_down, mongo.server.uri)
            await asyncio.sleep(3)
    scene.close()


def _step_down(uri: str) -> None:
    with MongoClient(uri) as client, contextlib.suppress(AutoReconnect, OperationFailure):
        client.admin.command("replSetStepDown", 1, force=True)

"""The same behaviour from both repositories: the asynchronous one of the api and the synchronous one of the worker."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec
import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect

from svckit.batch import BatchRepository
from svckit.commit import Written
from svckit.documents import INDEXES, Change, Command, Form
from svckit.errors import Conflict, FailedPrecondition, NotFound, ServiceError, Unavailable
from svckit.ids import new_id
from svckit.store import Repository, _Call
from tests.integration.svckit.proxy import Proxy

pytestmark = pytest.mark.integration


class Account(msgspec.Struct, frozen=True):
    account_id: str
    total: int = 0
    entries: tuple[int, ...] = ()
    email: str = ""


class Added(msgspec.Struct, frozen=True):
    amount: int


FORM = Form(Account, id_field="account_id", encode=lambda event: ("test.added.v1", msgspec.json.encode(event)))


def add(amount: int):
    def decide(account: Account | None) -> tuple[Account, Sequence[Added]]:
        if account is None:
            raise NotFound("There is no such account.", reason="ACCOUNT_NOT_FOUND")
        if amount < 0:
            raise FailedPrecondition("Nothing can be taken out.", reason="NEGATIVE")
        total = account.total + amount
        return msgspec.structs.replace(account, total=total, entries=(*account.entries, amount)), (Added(amount),)

    return decide


def creating(state: Account, *events: Added):
    return lambda _: (state, events)


class Store(Protocol):
    committed: list[str]
    raw: Any

    async def apply(self, changes: Sequence[Change]) -> list[Any]: ...


class AsyncStore:
    def __init__(self, uri: str, database: str, collection: str, **options: Any) -> None:
        self.client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
        self.raw = MongoClient(uri)[database][collection]
        self.committed: list[str] = []
        self.repository = Repository(
            self.client[database][collection],
            form=FORM,
            on_commit=lambda done: self.committed.extend(one.id for one in done),
            **options,
        )

    async def apply(self, changes: Sequence[Change]) -> list[Any]:
        return await asyncio.gather(*(self._apply(change) for change in changes), return_exceptions=True)

    async def _apply(self, change: Change) -> Any:
        if change.creates:
            state, events = change.decide(None)
            return await self.repository.create(change.id, state, events, command=change.command)
        return await self.repository.change(change.id, change.decide, command=change.command)

    async def close(self) -> None:
        await self.repository.settled()
        await self.client.close()
        self.raw.database.client.close()


class BatchStore:
    def __init__(self, uri: str, database: str, collection: str, **options: Any) -> None:
        self.client: MongoClient[dict[str, Any]] = MongoClient(uri)
        self.raw = self.client[database][collection]
        self.committed: list[str] = []
        self.repository = BatchRepository(
            self.raw, form=FORM, on_commit=lambda done: self.committed.extend(one.id for one in done), **options
        )

    async def apply(self, changes: Sequence[Change]) -> list[Any]:
        try:
            return await asyncio.to_thread(self.repository.apply, changes)
        except Unavailable as error:
            return [error for _ in changes]

    async def close(self) -> None:
        self.client.close()


@pytest.fixture(params=[AsyncStore, BatchStore], ids=["async", "batch"])
def kind(request) -> type:
    return request.param


@pytest.fixture
async def store(kind, mongo_uri, database_name) -> AsyncIterator[Store]:
    made = kind(mongo_uri, database_name, f"accounts_{new_id()}")
    made.raw.create_indexes(list(INDEXES))
    yield made
    await made.close()


def command(key: str | None = None, digest: str = "d") -> Command:
    return Command(key or new_id(), digest)


async def opened(store: Store, id: str = "a1") -> str:
    (state,) = await store.apply([Change(id, creating(Account(id)), command(), creates=True)])
    assert state == Account(id)
    return id


async def test_create_change_and_what_is_stored(store: Store) -> None:
    id = await opened(store)
    first, second = await store.apply([Change(id, add(2), command("k1")), Change(id, add(3), command("k2"))])
    assert (first.total, second.total) == (2, 5)
    document = store.raw.find_one({"_id": id})
    assert document["entries"] == [2, 3]
    assert document["revision"] == 2
    assert [entry["data"] for entry in document["outbox"]] == [b'{"amount":2}', b'{"amount":3}']
    assert [entry["key"] for entry in document["commands"]] == ["k1", "k2"]
    assert set(store.committed) == {id}


async def test_get(store: Store) -> None:
    id = await opened(store)

    async def get(wanted: str) -> Account:
        found = store.repository.get(wanted)
        return await found if asyncio.iscoroutine(found) else found

    assert await get(id) == Account(id)
    with pytest.raises(NotFound) as caught:
        await get("nobody")
    assert caught.value.reason == "ACCOUNT_NOT_FOUND"


async def test_a_command_that_raises_fails_only_its_caller(store: Store) -> None:
    id = await opened(store)
    outcome = await store.apply(
        [
            Change(id, add(1), command()),
            Change(id, add(-1), command()),
            Change("nobody", add(1), command()),
            Change(id, add(4), command()),
        ]
    )
    assert [getattr(one, "total", getattr(one, "reason", None)) for one in outcome] == [1, "NEGATIVE", "ACCOUNT_NOT_FOUND", 5]


async def test_repeated_commands_change_nothing(store: Store) -> None:
    id = await opened(store)
    for _ in range(3):
        outcome = await store.apply([Change(id, add(5), command("same"))] * 2)
        assert [one.total for one in outcome] == [5, 5]
    assert store.raw.find_one({"_id": id})["revision"] == 2


async def test_another_body_under_the_same_key_is_refused(store: Store) -> None:
    id = await opened(store)
    await store.apply([Change(id, add(5), command("same"))])
    (refused,) = await store.apply([Change(id, add(6), command("same", "other"))])
    assert isinstance(refused, FailedPrecondition)
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_repeated_creations_return_the_first(store: Store) -> None:
    same = command("create")
    outcome = await store.apply([Change(f"a{at}", creating(Account(f"a{at}")), same, creates=True) for at in range(5)])
    outcome += await store.apply([Change("a9", creating(Account("a9")), same, creates=True)])
    ids = {one.account_id for one in outcome}
    assert len(ids) == 1
    assert store.raw.count_documents({}) == 1
    (refused,) = await store.apply([Change("a7", creating(Account("a7")), command("create", "other"), creates=True)])
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_an_id_that_is_taken(store: Store) -> None:
    id = await opened(store)
    (refused,) = await store.apply([Change(id, creating(Account(id)), command(), creates=True)])
    assert isinstance(refused, Conflict)
    assert refused.reason == "ALREADY_EXISTS"


async def test_a_unique_index_of_the_service_refuses_only_the_guilty(store: Store) -> None:
    store.raw.create_index("email", unique=True, partialFilterExpression={"email": {"$gt": ""}})
    await store.apply([Change("a1", creating(Account("a1", email="x@y")), command(), creates=True)])
    await opened(store, "a2")

    def take_mail(account: Account) -> tuple[Account, Sequence[Added]]:
        return msgspec.structs.replace(account, email="x@y"), ()

    outcome = await store.apply(
        [
            Change("a2", add(1), command()),
            Change("a2", take_mail, command()),
            Change("a2", add(2), command()),
            Change("a3", creating(Account("a3", email="x@y")), command(), creates=True),
            Change("a4", creating(Account("a4")), command(), creates=True),
        ]
    )
    assert [type(one) for one in outcome] == [Account, Conflict, Account, Conflict, Account]
    assert outcome[1].metadata == {"key": "email"}
    assert store.raw.find_one({"_id": "a2"})["entries"] == [1, 2]


async def test_a_defect_in_one_document_does_not_fail_its_neighbours(store: Store) -> None:
    await opened(store, "a1")
    await opened(store, "a2")

    def burst(account: Account) -> tuple[Account, Sequence[Added]]:
        return msgspec.structs.replace(account, email="x" * 17_000_000), ()

    if isinstance(store, BatchStore):
        with pytest.raises(Exception, match="BSONObj"):
            await store.apply([Change("a1", burst, command()), Change("a2", add(1), command("k"))])
        outcome = [None, *await store.apply([Change("a2", add(1), command("k"))])]
    else:
        changes = [Change("a1", burst, command()), Change("a2", add(1), command()), Change("a1", add(3), command())]
        outcome = await store.apply(changes)
        assert outcome[0].reason == "TOO_LARGE"
        assert outcome[2].entries == (3,), "who only shared the document is served"
    assert outcome[1].total == 1
    assert not store.raw.find_one({"_id": "a1"})["email"]


async def test_a_document_that_grows_too_large_bit_by_bit_is_refused_by_name(store: Store) -> None:
    await opened(store, "a1")
    store.raw.update_one({"_id": "a1"}, {"$set": {"ballast": "x" * 10_000_000}})

    def swell(account: Account) -> tuple[Account, Sequence[Added]]:
        return msgspec.structs.replace(account, email="x" * 8_000_000), ()

    (refused,) = await store.apply([Change("a1", swell, command())])
    assert isinstance(refused, FailedPrecondition)
    assert refused.reason == "TOO_LARGE"
    (served,) = await store.apply([Change("a1", add(1), command())])
    assert served.total == 1


class Failing(Repository[Account]):
    """A repository whose next writes end in these errors, then as usual."""

    errors: list[Exception]

    async def _write(self, writes: list[Any]) -> Written:
        if self.errors:
            raise self.errors.pop(0)
        return await super()._write(writes)


async def test_who_was_told_that_patience_is_over_is_not_carried_out_with_the_rest(mongo_uri, database_name) -> None:
    """The connection breaks while one caller's patience ends; then the group as a whole is refused and goes one by one."""
    async with AsyncMongoClient[dict[str, Any]](mongo_uri) as client:
        repository = Failing(client[database_name][f"accounts_{new_id()}"], form=FORM)
        repository.errors = [AutoReconnect("gone"), ValueError("refused as a whole")]

        def opening(id: str, deadline: float) -> _Call[Account]:
            future = asyncio.get_running_loop().create_future()
            return _Call(Change(id, creating(Account(id)), command(), creates=True), deadline=deadline, future=future)

        late, patient, third = opening("late", 0), opening("patient", math.inf), opening("third", math.inf)
        assert await repository._commit_or_split([late, patient, third]) == []
        assert isinstance(late.future.exception(), Unavailable)
        assert [call.future.result().account_id for call in (patient, third)] == ["patient", "third"]
        assert await repository.collection.find_one({"_id": "late"}) is None


async def test_what_somebody_deleted_stays_deleted(store) -> None:
    await opened(store, "a1")
    (changed,) = await store.apply([Change("a1", add(1), command())])
    assert changed.total == 1
    store.raw.delete_one({"_id": "a1"})
    (refused,) = await store.apply([Change("a1", add(1), command())])
    assert isinstance(refused, NotFound)
    assert store.raw.find_one({"_id": "a1"}) is None


async def test_writers_of_several_processes_lose_nothing(kind, mongo_uri, database_name) -> None:
    """Each store stands for one process: between them only the revision guards."""
    collection = f"accounts_{new_id()}"
    stores = [kind(mongo_uri, database_name, collection) for _ in range(4)]
    stores[0].raw.create_indexes(list(INDEXES))
    ids = [await opened(stores[0], f"a{at}") for at in range(3)]
    work = [[Change(ids[at % 3], add(1), command()) for at in range(30)] for _ in stores]
    outcomes = await asyncio.gather(*(store.apply(changes) for store, changes in zip(stores, work, strict=True)))
    assert not [one for outcome in outcomes for one in outcome if isinstance(one, Exception)]
    documents = list(stores[0].raw.find())
    assert [document["total"] for document in documents] == [40, 40, 40]
    assert all(len(document["outbox"]) == 40 == len({entry["id"] for entry in document["outbox"]}) for document in documents)
    assert all(document["revision"] <= 41 for document in documents)
    for store in stores:
        await store.close()


async def test_the_same_command_from_several_processes_takes_effect_once(kind, mongo_uri, database_name) -> None:
    collection = f"accounts_{new_id()}"
    stores = [kind(mongo_uri, database_name, collection) for _ in range(4)]
    stores[0].raw.create_indexes(list(INDEXES))
    same = command("once")
    outcomes = await asyncio.gather(
        *(store.apply([Change(f"a{at}", creating(Account(f"a{at}")), same, creates=True)]) for at, store in enumerate(stores))
    )
    ids = {one.account_id for outcome in outcomes for one in outcome}
    assert len(ids) == 1
    id = ids.pop()
    await asyncio.gather(*(store.apply([Change(id, add(7), command("add"))] * 3) for store in stores))
    assert stores[0].raw.find_one({"_id": id})["entries"] == [7]
    for store in stores:
        await store.close()


async def test_an_unknown_outcome_is_tried_again_without_a_second_effect(kind, mongo_uri, database_name) -> None:
    """The server carries a write out and the connection breaks before it can say so: the worst moment."""
    proxy = Proxy(mongo_uri)
    direct = proxy.uri.partition("?")[0] + "?directConnection=true&retryWrites=false"
    store = kind(direct, database_name, f"accounts_{new_id()}")
    try:
        store.raw.create_indexes(list(INDEXES))
        id = await opened(store)
        proxy.swallow_reply(b"update\x00", times=3)
        outcome = await store.apply([Change(id, add(at + 1), command()) for at in range(3)])
        outcome += await store.apply([Change("b1", creating(Account("b1"), Added(1)), command(), creates=True)])
        assert proxy.swallowed == 3
        # A repeated command returns the state as it is by then, so only the end is certain.
        assert outcome[2].total == 6
        assert outcome[3] == Account("b1")
        document = store.raw.find_one({"_id": id})
        assert sorted(document["entries"]) == [1, 2, 3]
        assert len(document["outbox"]) == 3
        assert len(store.raw.find_one({"_id": "b1"})["outbox"]) == 1
    finally:
        await store.close()
        proxy.close()


async def test_a_database_that_is_away_ends_in_unavailable(kind, database_name) -> None:
    nowhere = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
    store = kind(nowhere, database_name, "accounts", patience=0.5)
    (outcome,) = await store.apply([Change("a1", add(1), command())])
    assert isinstance(outcome, Unavailable)
    assert isinstance(outcome, ServiceError)
    await store.close()

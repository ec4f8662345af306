"""Timers of a worker against a real database: once, in order, with the present beside the past, and past what is broken."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient

from svckit import due as due_module
from svckit.batch import BatchRepository
from svckit.documents import Decide, Form, utc_now
from svckit.due import BATCH, OVERDUE_SHARE, DueDocuments
from svckit.errors import FailedPrecondition
from svckit.lease import Lease

pytestmark = pytest.mark.integration
HOUR = dt.timedelta(hours=1)


class Egg(msgspec.Struct, frozen=True):
    """Something that is done when its time has come; "rotten" and "stuck" ones never get there."""

    egg_id: str
    kind: str = ""
    ready_at: dt.datetime | None = None
    rings: int = 0


class Rang(msgspec.Struct, frozen=True):
    rings: int


FORM = Form(Egg, id_field="egg_id", encode=lambda event: ("test.rang.v1", msgspec.json.encode(event)))


def ring(now: dt.datetime) -> Decide:
    def decide(egg: Egg | None) -> tuple[Egg | None, tuple[Rang, ...]]:
        if egg is None or egg.ready_at is None or egg.ready_at > now:
            return egg, ()
        if egg.kind == "rotten":
            raise ZeroDivisionError
        if egg.kind == "refused":
            raise FailedPrecondition("Not this one.", reason="REFUSED")
        if egg.kind == "stuck":
            return msgspec.structs.replace(egg, rings=egg.rings + 1), ()
        return msgspec.structs.replace(egg, rings=egg.rings + 1, ready_at=None), (Rang(egg.rings + 1),)

    return decide


class Kitchen:
    """A collection of eggs, and what has been committed in which order."""

    def __init__(self, client: MongoClient[Any], name: str) -> None:
        self.client, self.name = client, name
        self.eggs = client[name]["eggs"]
        # As the services have it: only of those that wait for something.
        self.eggs.create_index("ready_at", name="ready", partialFilterExpression={"ready_at": {"$type": "date"}})
        self.rang: list[str] = []

    def lay(self, ids: range, ready_at: dt.datetime, *, step: dt.timedelta = dt.timedelta(), kind: str = "") -> None:
        self.eggs.insert_many(
            [{"_id": f"{n:06d}", "kind": kind, "ready_at": ready_at + step * (n - ids.start), "revision": 1} for n in ids]
        )

    def timer(self, *, owner: str = "") -> DueDocuments[Egg]:
        """A worker's timer; with an `owner` as another process would have it."""
        repository = BatchRepository(self.eggs, form=FORM, on_commit=lambda done: self.rang.extend(one.id for one in done))
        timer = DueDocuments(repository, field="ready_at", decide=ring)
        if owner:
            timer._lease = Lease(self.client[self.name]["leases"], "eggs.ready_at", owner=owner)
        return timer


@pytest.fixture
def kitchen(mongo_uri: str) -> Iterator[Kitchen]:
    name = f"t{utc_now().timestamp():.0f}{id(object())}"
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        yield Kitchen(client, name)
        client.drop_database(name)


def test_a_backlog_is_worked_off_in_order_and_once(kitchen: Kitchen) -> None:
    kitchen.lay(range(1_000), utc_now() - 10 * HOUR, step=dt.timedelta(seconds=1))
    timer = kitchen.timer()
    while timer.work():
        pass
    assert kitchen.rang == [f"{n:06d}" for n in range(1_000)]
    assert kitchen.eggs.count_documents({"rings": 1, "ready_at": None, "outbox.0": {"$exists": True}}) == 1_000


def test_what_is_due_is_found_by_the_index_of_what_waits(kitchen: Kitchen) -> None:
    kitchen.lay(range(10), utc_now() - HOUR)
    assert kitchen.timer().work() == 10
    (index,) = kitchen.eggs.aggregate([{"$indexStats": {}}, {"$match": {"name": "ready"}}])
    assert index["accesses"]["ops"] > 0


def test_what_is_due_now_does_not_wait_for_the_backlog(kitchen: Kitchen) -> None:
    kitchen.lay(range(1_000), utc_now() - 10 * HOUR, step=dt.timedelta(seconds=1))
    kitchen.lay(range(5_000, 5_010), utc_now())
    timer = kitchen.timer()
    timer._save(timer._due(utc_now()), utc_now())
    oldest = [f"{n:06d}" for n in range(BATCH - 10)]
    assert kitchen.rang == [*oldest, *(f"{n:06d}" for n in range(5_000, 5_010))]


def test_a_busy_present_leaves_the_backlog_its_share(kitchen: Kitchen) -> None:
    kitchen.lay(range(1_000), utc_now() - 10 * HOUR, step=dt.timedelta(seconds=1))
    kitchen.lay(range(5_000, 5_400), utc_now())
    timer = kitchen.timer()
    timer._save(timer._due(utc_now()), utc_now())
    assert [id < "005000" for id in kitchen.rang].count(True) == OVERDUE_SHARE
    assert len(kitchen.rang) == BATCH


def test_what_is_not_due_waits(kitchen: Kitchen) -> None:
    kitchen.lay(range(3), utc_now() + HOUR)
    assert kitchen.timer().work() == 0


@pytest.mark.parametrize("kind", ["rotten", "refused", "stuck"])
def test_a_broken_one_stops_nobody(kitchen: Kitchen, kind: str) -> None:
    """It is the oldest, and would come first again and again."""
    kitchen.lay(range(3), utc_now() - 20 * HOUR, kind=kind)
    kitchen.lay(range(10, 10 + BATCH), utc_now() - HOUR)
    timer = kitchen.timer()
    while timer.work():
        pass
    assert sorted(kitchen.rang) == [f"{n:06d}" for n in range(10, 10 + BATCH)]
    assert set(timer._aside) == {"000000", "000001", "000002"}


def test_a_document_that_cannot_be_read_stops_nobody(kitchen: Kitchen) -> None:
    kitchen.lay(range(1), utc_now() - HOUR)
    kitchen.eggs.insert_one({"_id": "x", "kind": 7, "ready_at": utc_now() - 2 * HOUR, "revision": 1})
    timer = kitchen.timer()
    while timer.work():
        pass
    assert kitchen.rang == ["000000"]


def test_one_works_while_the_other_stands_by_and_takes_over(kitchen: Kitchen) -> None:
    first, second = kitchen.timer(owner="one"), kitchen.timer(owner="two")
    kitchen.lay(range(10), utc_now() - HOUR)
    assert (first.work(), second.work()) == (10, 0)
    kitchen.lay(range(10, 20), utc_now() - HOUR)
    assert second.work() == 0
    first._lease = Lease(kitchen.client[kitchen.name]["leases"], "eggs.ready_at", seconds=0.1, owner="one")
    assert first.work() == 10
    kitchen.lay(range(20, 30), utc_now() - HOUR)
    threading.Event().wait(0.2)
    assert (second.work(), first.work()) == (10, 0)


def test_a_lease_ends_by_itself(kitchen: Kitchen) -> None:
    leases = kitchen.client[kitchen.name]["leases"]
    short, other = Lease(leases, "x", seconds=0.2, owner="one"), Lease(leases, "x", owner="two")
    assert short.hold()
    assert short.hold()
    assert not other.hold()
    threading.Event().wait(0.3)
    assert other.hold()
    assert not short.hold()


def test_two_who_both_believe_to_hold_the_lease_ring_once(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_module.Lease, "hold", lambda _: True)
    kitchen.lay(range(2_000), utc_now() - HOUR)
    timers = [kitchen.timer(owner="one"), kitchen.timer(owner="two")]

    def run(timer: DueDocuments[Egg]) -> None:
        while timer.work():
            pass

    threads = [threading.Thread(target=run, args=(timer,)) for timer in timers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kitchen.eggs.count_documents({"rings": 1, "ready_at": None}) == 2_000
    assert len(kitchen.rang) == len(set(kitchen.rang)) == 2_000


def test_nothing_is_done_while_the_database_is_away() -> None:
    with MongoClient[Any]("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100", connect=False) as client:
        timer = DueDocuments(BatchRepository(client["x"]["eggs"], form=FORM), field="ready_at", decide=ring)
        assert timer.work() == 0

"""One round of a group commit against a collection that is a dict: any mix of changes, creations, races and repetitions."""

import collections
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import InsertOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, WTimeoutError

from svckit.commit import MOST_TRIES, RECENT, Job, Recent, Round, Written, failed_of, is_passing, take
from svckit.documents import Change, Command, Form, utc_now
from svckit.errors import Conflict, FailedPrecondition, NotFound


class Box(msgspec.Struct, frozen=True):
    box_id: str
    items: tuple[int, ...] = ()


class Put(msgspec.Struct, frozen=True):
    item: int


FORM = Form(Box, id_field="box_id", encode=lambda event: ("t.put.v1", msgspec.json.encode(event)))


def putting(item: int):
    def decide(box: Box | None) -> tuple[Box, tuple[Put, ...]]:
        if box is None:
            raise NotFound("no box")
        if item in box.items:
            raise FailedPrecondition("it is there", reason="THERE")
        return msgspec.structs.replace(box, items=(*box.items, item)), (Put(item),)

    return decide


class Rows:
    """What a collection does with guarded upserts."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def load(self, ids: list[str]) -> list[dict[str, Any]]:
        return [dict(self.documents[id]) for id in ids if id in self.documents]

    def write(self, writes: list[Any]) -> Written:
        upserted = frozenset(
            index for index, one in enumerate(writes) if isinstance(one, UpdateOne) and one._filter["_id"] not in self.documents
        )
        return Written([error for index, write in enumerate(writes) if (error := self._write(index, write))], upserted)

    def _write(self, index: int, write: Any) -> dict[str, Any] | None:
        if isinstance(write, InsertOne):
            return self._insert(index, dict(write._doc))
        id, update = write._filter["_id"], write._doc
        document = self.documents.get(id, {"_id": id, "revision": write._filter["revision"]})
        if document["revision"] != write._filter["revision"]:
            return {"index": index, "code": 11000, "keyPattern": {"_id": 1}}
        if self._is_created(update["$set"]):
            return {"index": index, "code": 11000, "keyPattern": {"created_by.key": 1}}
        document = _with(document, update["$set"])
        for name, push in update.get("$push", {}).items():
            document[name] = [*document.get(name, ()), *push["$each"]]
        self.documents[id] = document
        return None

    def _insert(self, index: int, document: dict[str, Any]) -> dict[str, Any] | None:
        if document["_id"] in self.documents:
            return {"index": index, "code": 11000, "keyPattern": {"_id": 1}}
        if self._is_created(document):
            return {"index": index, "code": 11000, "keyPattern": {"created_by.key": 1}}
        self.documents[document["_id"]] = document
        return None

    def _is_created(self, fields: dict[str, Any]) -> bool:
        key = fields.get("created_by", {}).get("key")
        return key and any(one.get("created_by", {}).get("key") == key for one in self.documents.values())


def _with(document: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """`$set`, also of elements of a list and at its end."""
    changed = dict(document)
    for path, value in fields.items():
        name, _, at = path.partition(".")
        if at and name not in changed:
            value = {at: value}  # MongoDB makes no list
        elif at:
            items = list(changed[name])
            items[int(at) : int(at) + 1] = [value]
            value = items
        changed[name] = value
    return changed


def run(rows: Rows, jobs: list[Job], *, recent: Recent | None = None, meddle=lambda: None) -> list[Job]:
    """Runs rounds until all jobs are done, as the shells do."""
    recent = recent or Recent()
    waiting: dict[str, list[Job]] = {}
    for job in jobs:
        waiting.setdefault(job.change.id, []).append(job)
    while waiting:
        round_ = Round(FORM, [job for queue in waiting.values() for job in take(queue)], recent=recent)
        writes = round_.decide(rows.load(round_.begin(now=utc_now())), now=utc_now())
        meddle()
        round_.settle(rows.write(writes))
        for phantom in round_.phantoms:
            rows.documents.pop(phantom["_id"])
        if round_.unclear:
            found = [one for one in rows.documents.values() if one.get("created_by", {}).get("key") in round_.unclear]
            round_.settle_created(found)
        for job in reversed(round_.again):
            waiting[job.change.id].insert(0, job)
        waiting = {id: queue for id, queue in waiting.items() if queue}
    return jobs


def creation(id: str, key: str) -> Change:
    return Change(id, lambda _: (Box(id), ()), Command(key, "d"), creates=True)


changes = st.one_of(
    st.builds(
        lambda id, item: Change(id, putting(item), Command(f"put {id} {item}", "d")), st.sampled_from("abc"), st.integers(0, 5)
    ),
    st.builds(creation, st.sampled_from("abc"), st.sampled_from(("k1", "k2", "k3", "k4"))),
)


@given(st.lists(changes, max_size=30), st.lists(st.sampled_from("abc"), max_size=8))
def test_every_job_ends_and_every_effect_has_its_event(batch: list[Change], races: list[str]) -> None:
    rows, recent = Rows(), Recent()
    run(rows, [Job(creation("a", "first"))], recent=recent)
    racing = iter(races)

    def meddle() -> None:
        """Somebody else wins a race for one document."""
        if (id := next(racing, None)) in rows.documents:
            rows.documents[id]["revision"] += 1

    # In several batches, so that what was written last is decided on without loading.
    jobs = [
        job
        for at in range(0, len(batch), 5)
        for job in run(rows, [Job(one) for one in batch[at : at + 5]], recent=recent, meddle=meddle)
    ]
    assert all(job.done for job in jobs)
    assert not [job.error for job in jobs if job.error and not isinstance(job.error, NotFound | FailedPrecondition | Conflict)]
    for document in rows.documents.values():
        assert [msgspec.json.decode(event["data"])["item"] for event in document.get("outbox", ())] == list(document["items"])
        assert len({command["key"] for command in document.get("commands", ())}) == len(document.get("commands", ()))
    creators = collections.Counter(document["created_by"]["key"] for document in rows.documents.values())
    assert all(count == 1 for count in creators.values())


@given(st.lists(st.integers(0, 9), max_size=10))
def test_repeating_a_whole_batch_changes_nothing(items: list[int]) -> None:
    rows = Rows()
    batch = [creation("a", "k"), *(Change("a", putting(item), Command(f"{at}", "d")) for at, item in enumerate(items))]
    run(rows, [Job(change) for change in batch])
    before = rows.documents["a"]
    again = run(rows, [Job(change) for change in batch])
    assert rows.documents["a"]["items"] == before["items"]
    assert rows.documents["a"].get("outbox") == before.get("outbox")
    assert all(isinstance(job.error, FailedPrecondition) or job.result.items == tuple(before["items"]) for job in again)


def test_who_always_loses_is_told_so() -> None:
    rows = Rows()
    run(rows, [Job(creation("a", "k"))])

    def meddle() -> None:
        rows.documents["a"]["revision"] += 1

    (job,) = run(rows, [Job(Change("a", putting(1), Command("p", "d")))], meddle=meddle)
    assert isinstance(job.error, Conflict)
    assert job.error.reason == "CONTENTION"
    assert job.tries == MOST_TRIES


def test_what_was_written_last_is_not_loaded_again() -> None:
    rows, recent = Rows(), Recent()
    run(rows, [Job(creation("a", "k"))], recent=recent)
    round_ = Round(FORM, [Job(Change("a", putting(1), Command("p", "d")))], recent=recent)
    assert round_.begin(now=utc_now()) == []
    later = Round(FORM, [Job(Change("a", putting(1), Command("p", "d")))], recent=recent)
    assert later.begin(now=utc_now() + RECENT) == ["a"]


def test_a_refusal_is_decided_on_what_the_database_has() -> None:
    rows, recent = Rows(), Recent()
    run(rows, [Job(creation("a", "k")), Job(Change("a", putting(1), Command("p", "d")))], recent=recent)
    # Somebody else takes it out: here it still seems to be there.
    rows.documents["a"] |= {"items": [], "revision": 5}
    (job,) = run(rows, [Job(Change("a", putting(1), Command("q", "d")))], recent=recent)
    assert job.error is None
    assert tuple(rows.documents["a"]["items"]) == (1,)


def test_what_somebody_else_changed_is_decided_again() -> None:
    rows, recent = Rows(), Recent()
    run(rows, [Job(creation("a", "k"))], recent=recent)
    rows.documents["a"] |= {"items": [7], "revision": 5}
    (job,) = run(rows, [Job(Change("a", putting(1), Command("p", "d")))], recent=recent)
    assert job.result.items == (7, 1)
    assert (job.tries, rows.documents["a"]["revision"]) == (1, 6)


def test_what_was_deleted_meanwhile_is_not_found_and_does_not_come_back() -> None:
    rows, recent = Rows(), Recent()
    run(rows, [Job(creation("a", "k")), Job(Change("a", putting(1), Command("p", "d")))], recent=recent)
    del rows.documents["a"]
    (job,) = run(rows, [Job(Change("a", putting(2), Command("q", "d")))], recent=recent)
    assert isinstance(job.error, NotFound)
    assert not rows.documents


def test_who_was_refused_because_of_what_was_not_saved_is_decided_again() -> None:
    rows = Rows()
    run(rows, [Job(creation("b", "k"))])
    repeated, other = run(rows, [Job(creation("a", "k")), Job(creation("a", "l"))])
    assert (repeated.error, repeated.result.box_id) == (None, "b")
    assert (other.error, other.result.box_id) == (None, "a")


def test_a_refused_write_is_repeated_one_by_one_to_find_the_guilty() -> None:
    jobs = [Job(Change("a", putting(item), Command(str(item), "d"))) for item in range(3)]
    round_ = Round(FORM, jobs, recent=Recent())
    assert round_.begin(now=utc_now()) == ["a"]
    round_.decide([{"_id": "a", "revision": 1, "items": []}], now=utc_now())
    round_.settle(Written([{"index": 0, "code": 11000, "keyPattern": {"email": 1}}]))
    assert round_.again == jobs
    assert all(job.alone for job in jobs)
    waiting = list(jobs)
    assert take(waiting) == jobs[:1]
    round_ = Round(FORM, jobs[:1], recent=Recent())
    round_.decide([{"_id": "a", "revision": 1, "items": []}], now=utc_now())
    round_.settle(Written([{"index": 0, "code": 11000, "keyPattern": {"email": 1}}]))
    assert isinstance(jobs[0].error, Conflict)
    assert jobs[0].error.metadata == {"key": "email"}


def test_take_stops_before_one_that_must_go_alone() -> None:
    jobs = [Job(Change("a", putting(item))) for item in range(4)]
    jobs[2].alone = True
    waiting = list(jobs)
    assert [take(waiting), take(waiting), take(waiting)] == [jobs[:2], jobs[2:3], jobs[3:]]


def test_what_may_succeed_in_a_moment() -> None:
    assert is_passing(AutoReconnect("gone"))
    assert is_passing(WTimeoutError("late"))
    assert is_passing(OperationFailure("no majority to read from yet", 134))
    assert not is_passing(OperationFailure("no", 13))
    assert not is_passing(ValueError())


def test_an_unconfirmed_majority_is_not_success() -> None:
    with pytest.raises(WTimeoutError):
        failed_of(BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}))
    errors = [{"index": 0, "code": 11000}]
    assert failed_of(BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})).errors == errors

"""What is written for a decision: only what changed, guarded, with events and commands beside it."""

import datetime as dt
import enum

import msgspec
import pytest

from svckit.access import Caller
from svckit.documents import COMMANDS_KEPT, Change, Command, Draft, Form, Version, check_same, command_of, utc_now
from svckit.entries import part
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument

NOW = dt.datetime(2026, 11, 22, 8, 0, tzinfo=dt.UTC)


class State(enum.StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Step(msgspec.Struct, frozen=True):
    by: str
    at: dt.datetime


class Thing(msgspec.Struct, frozen=True):
    thing_id: str
    state: State = State.OPEN
    count: int = 0
    steps: tuple[Step, ...] = ()
    secret: bytes = b""


class ThingCounted(msgspec.Struct, frozen=True, rename="camel"):
    thing_id: str
    new_count: int


FORM = Form(Thing, id_field="thing_id", encode=lambda event: ("test.thing_counted.v1", msgspec.json.encode(event)))


def count(thing: Thing) -> tuple[Thing, tuple[ThingCounted, ...]]:
    after = msgspec.structs.replace(thing, count=thing.count + 1)
    return after, (ThingCounted(thing.thing_id, after.count),)


def document(**fields: object) -> dict[str, object]:
    return {"_id": "t1", "revision": 3, "state": "open", "count": 5, **fields}


def draft(**fields: object) -> Draft[Thing]:
    return Draft(FORM, "t1", FORM.version(document(**fields)))


def change(key: str = "k1", digest: str = "d", **fields: object) -> Change:
    return Change("t1", count, Command(key, digest), **fields)


def parts(write: object) -> tuple[dict, dict]:
    return write._filter, write._doc


def test_only_changed_fields_are_written_under_the_revision_that_was_read() -> None:
    one = draft()
    assert one.apply(change(traceparent="00-1-2-01"), now=NOW).count == 6
    guard, update = parts(one.write())
    assert guard == {"_id": "t1", "revision": 3}
    assert update["$set"] == {"count": 6, "revision": 4}
    (event,) = update["$push"]["outbox"]["$each"]
    assert event.pop("id")
    assert event == {
        "type": "test.thing_counted.v1",
        "time": NOW,
        "subject": "t1",
        "data": b'{"thingId":"t1","newCount":6}',
        "traceparent": "00-1-2-01",
    }
    assert update["$push"]["commands"] == {"$each": [{"key": "k1", "digest": "d"}], "$slice": -COMMANDS_KEPT}


def test_several_commands_share_one_write() -> None:
    one = draft()
    assert [one.apply(change(f"k{at}"), now=NOW).count for at in range(3)] == [6, 7, 8]
    _, update = parts(one.write())
    assert update["$set"] == {"count": 8, "revision": 4}
    assert len(update["$push"]["outbox"]["$each"]) == len(update["$push"]["commands"]["$each"]) == 3


def test_a_command_that_raises_leaves_no_trace() -> None:
    one = draft()

    def refuse(thing: Thing) -> None:
        raise FailedPrecondition("no", reason="NO")

    with pytest.raises(FailedPrecondition):
        one.apply(Change("t1", refuse, Command("k", "d")), now=NOW)
    assert not one.is_changed


def test_a_repeated_command_changes_nothing_and_another_body_is_refused() -> None:
    one = draft(commands=[{"key": "k1", "digest": "d"}])
    assert one.apply(change(), now=NOW).count == 5
    with pytest.raises(FailedPrecondition) as caught:
        one.apply(change(digest="other"), now=NOW)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    assert not one.is_changed


def test_a_command_is_recorded_even_when_it_changes_nothing() -> None:
    one = draft()
    one.apply(Change("t1", lambda thing: (thing, ()), Command("k", "d")), now=NOW)
    _, update = parts(one.write())
    assert update["$set"] == {"revision": 4}
    assert "outbox" not in update["$push"]


def test_a_timer_that_changes_nothing_writes_nothing() -> None:
    one = draft()
    one.apply(Change("t1", lambda thing: (thing, ())), now=NOW)
    assert not one.is_changed


def test_a_creation_is_written_whole_and_remembers_its_command() -> None:
    one = Draft(FORM, "t1", None)
    step = Step("a", NOW)
    state = Thing("t1", steps=(step,), secret=b"\x00\xff")
    one.apply(Change("t1", lambda _: (state, ()), Command("k", "d"), creates=True), now=NOW)
    guard, update = parts(one.write())
    assert guard == {"_id": "t1", "revision": 0}
    assert update["$set"] == {
        "state": "open",
        "count": 0,
        "steps": ({"by": "a", "at": NOW},),
        "secret": b"\x00\xff",
        "revision": 1,
        "created_by": {"key": "k", "digest": "d"},
    }
    assert FORM.state({"_id": "t1", **update["$set"]}) == state
    assert one.write(insert=True)._doc == {"_id": "t1", **update["$set"]}
    assert one.version == Version(state, 1, {"k": "d"})


def test_of_a_list_only_the_changed_and_the_new_elements_are_written() -> None:
    a, b, c = (Step(by, NOW) for by in "abc")
    before = Thing("t1", steps=(a, b))
    assert FORM.changed(before, Thing("t1", steps=(a, c, b))) == {
        "steps.1.by": "c",
        "steps.2": {"by": "b", "at": NOW},
    }
    assert FORM.changed(before, Thing("t1", steps=(a,))) == {"steps": ({"by": "a", "at": NOW},)}
    # MongoDB would make an object of a path into a list that is not there yet.
    assert FORM.changed(Thing("t1"), before) == {"steps": ({"by": "a", "at": NOW}, {"by": "b", "at": NOW})}


def test_nothing_is_created_twice() -> None:
    with pytest.raises(Conflict) as caught:
        draft().apply(change(creates=True), now=NOW)
    assert caught.value.reason == "ALREADY_EXISTS"


def test_a_decision_may_leave_a_missing_document_missing() -> None:
    one = Draft(FORM, "t1", None)
    assert one.apply(Change("t1", lambda _: (None, ()), Command("k", "d")), now=NOW) is None
    assert not one.is_changed


def test_a_state_may_not_vanish() -> None:
    with pytest.raises(TypeError):
        draft().apply(Change("t1", lambda _: (None, ())), now=NOW)


class Shown(msgspec.Struct, frozen=True):
    shown_id: str
    revision: int = 0
    count: int = 0


def test_a_state_that_shows_its_revision_has_the_one_it_is_saved_under() -> None:
    form = Form(Shown, id_field="shown_id")
    one = Draft(form, "t1", None)
    made = one.apply(Change("t1", lambda _: (Shown("t1"), ()), Command("k", "d"), creates=True), now=NOW)
    assert made.revision == 1
    two = Draft(form, "t1", form.version({"_id": "t1", "revision": 4, "count": 1}))
    same = two.apply(Change("t1", lambda shown: (shown, ())), now=NOW)
    assert same.revision == 4
    more = two.apply(Change("t1", lambda shown: (msgspec.structs.replace(shown, count=2), ()), Command("k", "d")), now=NOW)
    assert more.revision == 5
    assert parts(two.write())[1]["$set"] == {"count": 2, "revision": 5}


def test_not_found_names_the_kind() -> None:
    assert FORM.not_found("x").reason == "THING_NOT_FOUND"


def test_times_are_whole_milliseconds() -> None:
    assert utc_now().microsecond % 1000 == 0


class TestCommandOf:
    caller = Caller("worker-7")

    def request(self, **fields: str) -> object:
        from binglian.mediation.v1 import case_service_pb2

        return case_service_pb2.AcceptCaseRequest(**fields)

    def test_same_request_same_command(self) -> None:
        one = command_of(self.request(request_id="r", case_id="c"), self.caller)
        assert one == command_of(self.request(request_id="r", case_id="c"), self.caller)
        assert one.key == "worker-7:r"

    def test_no_two_commands_share_a_key(self) -> None:
        def key(subject: str, request_id: str) -> str:
            return command_of(self.request(request_id=request_id), Caller(subject)).key

        assert key("a:b", "c") != key("a", "b:c")
        assert key("a%3Ab", "c") != key("a:b", "c")
        assert key("a", "b#1") != part(command_of(self.request(request_id="b"), Caller("a")), 1).key

    def test_the_body_and_the_kind_of_request_count(self) -> None:
        from binglian.mediation.v1 import case_service_pb2

        one = command_of(self.request(request_id="r", case_id="c"), self.caller)
        assert one.digest != command_of(self.request(request_id="r", case_id="d"), self.caller).digest
        other = case_service_pb2.CloseCaseRequest(request_id="r", case_id="c")
        assert command_of(other, self.caller).digest != one.digest

    def test_a_request_id_is_needed(self) -> None:
        with pytest.raises(InvalidArgument):
            command_of(self.request(case_id="c"), self.caller)


def test_same_key_other_digest() -> None:
    check_same("d", Command("k", "d"))
    with pytest.raises(FailedPrecondition):
        check_same("e", Command("k", "d"))

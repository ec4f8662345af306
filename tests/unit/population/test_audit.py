"""The audit trail: chains that show every alteration, and a guard that records by construction."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from binglian.population.v1 import question_service_pb2, register_pb2, resident_pb2, resident_service_pb2
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from population.privacy import audit
from population.privacy.audit import Anchor, Entry, Head
from population.privacy.guard import PrivacyGuard, event_of
from population.privacy.subjects import people_in
from svckit.access import Caller
from svckit.errors import InvalidArgument

KEY = bytes(32)
NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
SERVICE = resident_service_pb2.DESCRIPTOR.services_by_name["ResidentService"]
PURPOSEFUL = Caller("u1", name="徐静", roles=frozenset({"COMM_CLERK"}), area="4205", purpose="P01")


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        entry = Entry(chain="c", number=number, at=NOW, event="AE03", subject=f"u{number}", rpc="R/Get", residents=("r1",))
        entries.append(audit.seal(KEY, entries[-1].digest if entries else "c", entry))
    return entries


def test_a_whole_chain_has_no_flaw_and_may_have_lost_its_oldest_to_retention() -> None:
    entries = chain(5)
    assert audit.verify_chain(KEY, entries) is None
    trimmed = Head(chain="c", number=2, digest=entries[1].digest)
    assert audit.verify_chain(KEY, entries[2:], trimmed=trimmed) is None
    assert audit.verify_chain(KEY, entries[2:]) is not None


@given(st.data())
def test_no_entry_is_altered_removed_moved_or_invented_unseen(data: st.DataObject) -> None:
    entries = chain(6)
    place = data.draw(st.integers(0, 4))
    deed = data.draw(st.sampled_from(["alter", "remove", "swap", "invent", "reseal"]))
    if deed == "alter":
        entries[place] = replace(entries[place], subject="nobody")
    elif deed == "remove":
        del entries[place]
    elif deed == "swap":
        entries[place], entries[place + 1] = entries[place + 1], entries[place]
    elif deed == "invent":
        entries.insert(place, replace(entries[place], residents=()))
    else:  # with another key
        entries[place] = audit.seal(
            b"x" * 32, entries[place - 1].digest if place else "c", replace(entries[place], subject="x")
        )
    assert audit.verify_chain(KEY, entries) is not None


def test_anchors_tell_when_the_end_of_a_chain_was_cut_off() -> None:
    entries = chain(3)
    heads = (Head(chain="c", number=3, digest=entries[2].digest),)
    first = audit.seal_anchor(KEY, "", Anchor(number=1, at=NOW, heads=heads))
    second = audit.seal_anchor(KEY, first.digest, Anchor(number=2, at=NOW, heads=()))
    digests = {entry.entry_id: entry.digest for entry in entries}
    assert audit.verify_anchors(KEY, [first, second], digests, {}) is None
    assert audit.verify_anchors(KEY, [second], digests, {}) is not None
    assert audit.verify_anchors(KEY, [replace(first, heads=()), second], digests, {}) is not None
    del digests["c:000000003"]
    assert audit.verify_anchors(KEY, [first, second], digests, {}) is not None
    assert audit.verify_anchors(KEY, [first, second], digests, {"c": 3}) is None


class Heard:
    """Keeps what would be recorded."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    async def record(self, caller: Caller, **fields: Any) -> None:
        self.entries.append({"subject": caller.subject, "purpose": caller.purpose} | fields)


def guard_of(rpc: str, *, restricted: frozenset[str] = frozenset()) -> tuple[Any, Heard]:
    heard = Heard()
    guard = PrivacyGuard(trail=heard, restricted=lambda _: restricted)  # type: ignore[arg-type]
    return guard.of(SERVICE.methods_by_name[rpc]), heard


def resident(id: str) -> resident_pb2.Resident:
    return resident_pb2.Resident(resident_id=id, name="王小明", phone="13812345678")


async def test_what_a_purpose_shows_is_recorded_and_masked_answers_are_not() -> None:
    guard, heard = guard_of("ListResidents")
    answer = resident_service_pb2.ListResidentsResponse(residents=[resident("r1"), resident("r2")])
    request = resident_service_pb2.ListResidentsRequest()
    assert await guard.shown(Caller("u1"), request, answer) is answer
    assert await guard.shown(Caller("u1", purpose="P08"), request, answer) is answer
    assert heard.entries == []
    assert await guard.shown(PURPOSEFUL, request, answer) is answer
    assert [(each["event"], each["rpc"], each["residents"]) for each in heard.entries] == [
        ("AE05", "ResidentService/ListResidents", ("r1", "r2"))
    ]
    assert await guard.shown(PURPOSEFUL, request, resident_service_pb2.ListResidentsResponse())
    assert len(heard.entries) == 1


async def test_every_change_is_recorded_whoever_states_what() -> None:
    guard, heard = guard_of("UpdateResident")
    answer = resident_service_pb2.UpdateResidentResponse(resident=resident("r1"))
    await guard.shown(Caller("u1"), resident_service_pb2.UpdateResidentRequest(resident_id="r1"), answer)
    assert [(each["event"], each["residents"]) for each in heard.entries] == [("AE06", ("r1",))]


async def test_a_search_by_number_is_recorded_also_when_nobody_was_found() -> None:
    guard, heard = guard_of("FindResidents")
    await guard.shown(PURPOSEFUL, resident_service_pb2.FindResidentsRequest(), resident_service_pb2.FindResidentsResponse())
    assert [(each["event"], each["residents"]) for each in heard.entries] == [("AE04", ())]


async def test_what_is_restricted_stays_masked_for_all_but_a_few_purposes() -> None:
    guard, _ = guard_of("ListResidents", restricted=frozenset({"r2"}))
    answer = resident_service_pb2.ListResidentsResponse(residents=[resident("r1"), resident("r2")])
    shown = await guard.shown(PURPOSEFUL, resident_service_pb2.ListResidentsRequest(), answer)
    assert [each.name for each in shown.residents] == ["王小明", "王**"]
    assert [each.name for each in answer.residents] == ["王小明", "王小明"]
    emergency = Caller("u1", purpose="P10")
    assert await guard.shown(emergency, resident_service_pb2.ListResidentsRequest(), answer) is answer


def test_texts_of_every_change_are_screened_and_names_numbers_and_ids_are_not() -> None:
    from binglian.population.v1 import verification_pb2 as orders

    complete = orders.DESCRIPTOR.services_by_name["VerificationService"].methods_by_name["CompleteVerification"]
    guard = PrivacyGuard(trail=Heard(), restricted=frozenset).of(complete)  # type: ignore[arg-type]
    assert guard
    fine = orders.CompleteVerificationRequest(request_id="13812345678", result="属实，已核对", unified_reply="已处理")
    guard.check(PURPOSEFUL, fine)
    for field in ("result", "unified_reply"):
        with pytest.raises(InvalidArgument) as refused:
            guard.check(PURPOSEFUL, orders.CompleteVerificationRequest(**{"result": "x"} | {field: "其人有前科"}))
        assert (refused.value.field, refused.value.reason) == (field, "RESTRICTED_CONTENT")
    drafts, _ = guard_of("CreateResident")
    draft = resident_service_pb2.ResidentDraft(name="王小明", id_number="11010519491231002X", phone="13812345678")
    drafts.check(PURPOSEFUL, resident_service_pb2.CreateResidentRequest(resident=draft))


@pytest.mark.parametrize(
    ("service", "rpc", "event"),
    [
        (question_service_pb2, "QuestionService/FindPeople", "AE05"),
        (register_pb2, "RegisterService/FindResidentsByName", "AE05"),
        (resident_service_pb2, "ResidentService/FindResidents", "AE04"),
        (resident_service_pb2, "ResidentService/RevealResident", "AE03"),
    ],
)
def test_lists_of_people_are_bulk_looks_at_one_are_not(service: Any, rpc: str, event: str) -> None:
    name, _, method = rpc.partition("/")
    assert event_of(service.DESCRIPTOR.services_by_name[name].methods_by_name[method]) == event


def test_people_are_found_however_deep() -> None:
    answer = resident_service_pb2.ListResidentsResponse(residents=[resident("r1"), resident("r1"), resident("r2")])
    assert [id for id, _ in people_in(answer)] == ["r1", "r1", "r2"]
    assert [id for id, _ in people_in(resident_service_pb2.CreateResidentsResponse(resident_ids=["a", "b"]))] == ["a", "b"]
    assert list(people_in(question_service_pb2.CountPeopleResponse())) == []

"""The register through a real service: names, moves, deaths, documents, households, merges."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.population.v1 import merge_pb2, merge_pb2_grpc, register_pb2, register_pb2_grpc, resident_pb2
from binglian.population.v1 import resident_service_pb2 as pb

from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, People, id_number
from tests.refusals import refusal

pytestmark = pytest.mark.integration

ELSEWHERE = "42050300200110001"
HOME, SECOND_HOME = (new_id() for _ in range(2))


class Register:
    """The verbs of the register as a clerk of the city uses them."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.register = register_pb2_grpc.RegisterServiceStub(people.service.channel)
        self.merges = merge_pb2_grpc.MergeServiceStub(people.service.channel)
        self.clerk = people.clerk
        self.looking = people.caller("clerk", "COMM_CLERK", area=CITY, purpose="P01")

    def search(self, name: str, *, area: str = "", **fields: Any) -> list[str]:
        request = register_pb2.FindResidentsByNameRequest(name=name, area_prefix=area, **fields)
        return [one.resident_id for one in self.register.FindResidentsByName(request, **self.looking).residents]

    def get(self, resident_id: str) -> resident_pb2.Resident:
        request = pb.RevealResidentRequest(resident_id=resident_id)
        return self.people.residents.RevealResident(request, **self.looking).resident

    def find(self, number: str) -> list[str]:
        found = self.people.residents.FindResidents(pb.FindResidentsRequest(id_number=number), **self.looking)
        return [one.resident_id for one in found.residents]

    def home(self, house_id: str = HOME, *, area: str = GRID, since: str = "2024-01-01") -> dict[str, Any]:
        return {"house_id": house_id, "area_code": area, "since": since}


@pytest.fixture(scope="module")
def register(people: People) -> Register:
    return Register(people)


def test_people_are_found_by_name_in_every_way_it_is_typed(people: People, register: Register) -> None:
    one = people.enter(name="单忻砾", name_latin="SHAN, Xinli").resident_id
    for typed in ("单忻砾", "单忻", "shanxinli", "shan xin li", "sxl", "danxinli", "dxl", "Xinli Shan"):
        assert one in register.search(typed), typed
        assert one in register.search(typed, area=GRID[:12]), typed
    assert one in register.search("忻砾", area=GRID[:12])
    assert register.search("忻砾") == []
    assert one not in register.search("shanxinli", area=ELSEWHERE[:12])
    request = register_pb2.FindResidentsByNameRequest(name="sxl")
    assert refusal(register.register.FindResidentsByName, request, **people.clerk).reason == "PURPOSE_REQUIRED"
    request = register_pb2.FindResidentsByNameRequest(name="··")
    assert refusal(register.register.FindResidentsByName, request, **register.looking).fields == ("name",)


def test_a_new_name_is_found_and_the_old_one_no_more(people: People, register: Register) -> None:
    resident = people.enter(name="仇岱峥")
    assert resident.resident_id in register.search("qiudaizheng")
    request = pb.UpdateResidentRequest(
        resident_id=resident.resident_id, request_id=new_id(), update_mask={"paths": ["name"]}, name="仇岱嵘"
    )
    people.residents.UpdateResident(request, **people.steward)
    assert resident.resident_id in register.search("choudairong")
    assert register.search("qiudaizheng") == []


def test_moves_show_who_lives_elsewhere_than_registered(people: People, register: Register) -> None:
    resident = people.enter(resident_type="", registered={"area_code": GRID}, residence=register.home())
    assert (resident.match_flag, resident.resident_type) == ("01", "01")
    move = register_pb2.MoveResidentRequest(
        resident_id=resident.resident_id,
        request_id=new_id(),
        home=register.home(SECOND_HOME, area=ELSEWHERE, since="2025-05-01"),
    )
    moved = register.register.MoveResident(move, **people.clerk).resident
    assert moved == register.register.MoveResident(move, **people.clerk).resident
    assert (moved.match_flag, moved.resident_type, moved.area_code) == ("02", "04", ELSEWHERE)
    assert [(item.house_id, item.until) for item in moved.residences] == [("", ""), (HOME, "2025-04-30"), (SECOND_HOME, "")]
    listed = people.residents.ListResidents(pb.ListResidentsRequest(area_prefix=ELSEWHERE, match_flag="02"), **people.clerk)
    assert resident.resident_id in {one.resident_id for one in listed.residents}
    # The grid worker of the old home no longer sees who moved away.
    assert refusal(people.residents.GetResident, pb.GetResidentRequest(resident_id=moved.resident_id), **people.worker)
    wrong = register_pb2.MoveResidentRequest(
        resident_id=resident.resident_id, request_id=new_id(), home=register.home(area="420602001001")
    )
    said = refusal(register.register.MoveResident, wrong, **people.clerk)
    assert (said.reason, said.fields) == ("OTHER_CITY", ("home.area_code",))


def listed(people: People, **more: Any) -> set[str]:
    """Ids of all pages of the grid: other tests of a run have their people there too."""
    request, found = pb.ListResidentsRequest(area_prefix=GRID, page_size=200, **more), set()
    while True:
        page = people.residents.ListResidents(request, **people.clerk)
        found |= {one.resident_id for one in page.residents}
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def test_the_dead_are_not_listed_and_come_back_when_it_was_a_mistake(people: People, register: Register) -> None:
    resident = people.enter()
    death = register_pb2.RecordDeathRequest(
        resident_id=resident.resident_id, request_id=new_id(), died_on="2026-01-05", reason="医学证明"
    )
    dead = register.register.RecordDeath(death, **people.clerk).resident
    assert dead.standing.status == resident_pb2.RESIDENT_STATUS_DECEASED
    assert resident.resident_id not in listed(people)
    assert resident.resident_id in listed(people, include_departed=True)
    again = register_pb2.RecordDeathRequest(
        resident_id=resident.resident_id, request_id=new_id(), died_on="2026-01-05", reason="重复"
    )
    assert refusal(register.register.RecordDeath, again, **people.clerk).reason == "DEPARTED"
    restore = register_pb2.RestoreResidentRequest(resident_id=resident.resident_id, request_id=new_id())
    back = register.register.RestoreResident(restore, **people.clerk).resident
    assert not back.HasField("standing")


def test_people_are_found_by_every_document_and_nobody_else_may_have_it(people: People, register: Register) -> None:
    resident = people.enter(id_doc_type="", id_number="", birth_date="1949-12-31")
    permit = register_pb2.AddIdDocumentRequest(
        resident_id=resident.resident_id, request_id=new_id(), id_doc_type="516", id_number="H77654321", primary=True
    )
    assert register.register.AddIdDocument(permit, **people.clerk).resident.id_doc_type == "516"
    card = register_pb2.AddIdDocumentRequest(
        resident_id=resident.resident_id, request_id=new_id(), id_doc_type="414", id_number="K7765432", primary=True
    )
    changed = register.register.AddIdDocument(card, **people.clerk).resident
    assert [(item.id_doc_type, "*" in item.number) for item in changed.documents] == [("516", True)]
    for number in ("H77654321", "h7765432102", "K7765432"):
        assert register.find(number) == [resident.resident_id]
    other = people.enter()
    card.resident_id, card.request_id = other.resident_id, new_id()
    assert refusal(register.register.AddIdDocument, card, **people.clerk).reason == "ID_NUMBER_EXISTS"
    draft = people.draft(id_doc_type="516", id_number="H7765432103")
    create = pb.CreateResidentRequest(request_id=new_id(), resident=draft)
    assert refusal(people.residents.CreateResident, create, **people.worker).reason == "ID_NUMBER_EXISTS"


def test_a_household_changes_its_head_and_moves(people: People, register: Register) -> None:
    draft = {"area_code": GRID, "house_id": HOME}
    request = pb.CreateHouseholdRequest(request_id=new_id(), household=draft)
    household = people.households.CreateHousehold(request, **people.clerk).household
    family = [
        people.enter(
            name=name,
            household_id=household.household_id,
            household_relation=relation,
            sex=sex,
            id_doc_type="",
            id_number="",
            residence=register.home(),
        )
        for name, relation, sex in (("周甲", "02", "1"), ("周乙", "12", "2"), ("周丙", "20", "1"))
    ]
    head, wife, son = (one.resident_id for one in family)
    set_head = pb.SetHouseholdHeadRequest(household_id=household.household_id, request_id=new_id(), head_id=son)
    changed = people.households.SetHouseholdHead(set_head, **people.clerk)
    assert changed.household.head_id == son
    assert {one.resident_id: one.household_relation for one in changed.members} == {son: "02", head: "51", wife: "52"}
    assert changed.members[0].resident_id == son
    again = people.households.SetHouseholdHead(set_head, **people.clerk)
    assert again.members == changed.members
    stranger = pb.SetHouseholdHeadRequest(household_id=household.household_id, request_id=new_id(), head_id=new_id())
    assert refusal(people.households.SetHouseholdHead, stranger, **people.clerk).reason == "NOT_A_MEMBER"
    home = register.home(SECOND_HOME, area=ELSEWHERE, since="2025-06-01")
    move = pb.MoveHouseholdRequest(household_id=household.household_id, request_id=new_id(), home=home)
    moved = people.households.MoveHousehold(move, **people.clerk)
    assert (moved.household.house_id, moved.household.area_code) == (SECOND_HOME, ELSEWHERE)
    assert set(moved.moved_ids) == {head, wife, son}
    assert set(people.households.MoveHousehold(move, **people.clerk).moved_ids) == {head, wife, son}
    assert {register.get(one).area_code for one in (head, wife, son)} == {ELSEWHERE}


def test_duplicates_are_suggested_merged_and_taken_apart(people: People, register: Register) -> None:
    number = id_number()
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    one = people.enter(name="佟珺瑶", id_number=number, phone="10055550001").resident_id
    other = people.enter(name="佟君瑶", id_doc_type="", id_number="", birth_date=born, sex="1", phone="10055550001").resident_id
    suggested = register.merges.FindDuplicates(merge_pb2.FindDuplicatesRequest(resident_id=one), **people.clerk)
    assert [item.resident.resident_id for item in suggested.candidates] == [other]
    found = suggested.candidates[0].score
    assert found.probability > 0.9
    assert {item.field: item.agreement for item in found.fields}["name"] == merge_pb2.AGREEMENT_NEAR
    pairs = register.merges.ListDuplicates(merge_pb2.ListDuplicatesRequest(area_prefix=GRID, limit=200), **people.clerk).pairs
    assert {one, other} in [{pair.one.resident_id, pair.other.resident_id} for pair in pairs]

    request = merge_pb2.MergeResidentsRequest(resident_id=other, absorbed_id=one, request_id=new_id(), reason="本人确认")
    merge = register.merges.MergeResidents(request, **people.clerk).merge
    assert merge.state == merge_pb2.MERGE_STATE_MERGED
    assert register.merges.MergeResidents(request, **people.clerk).merge == merge
    assert register.find(number) == [other]
    assert register.get(other).id_number == number
    assert register.get(one).standing.merged_into == other
    assert register.search("tongjunyao") == [other]

    undo = merge_pb2.UndoMergeRequest(merge_id=merge.merge_id, request_id=new_id(), reason="是两个人")
    undone = register.merges.UndoMerge(undo, **people.clerk).merge
    assert (undone.state, list(undone.kept_fields)) == (merge_pb2.MERGE_STATE_UNDONE, [])
    assert register.find(number) == [one]
    assert register.get(other).id_number == ""
    assert register.get(other).id_doc_type == "999"
    # Whoever took a merge apart has said that these are two persons.
    suggested = register.merges.FindDuplicates(merge_pb2.FindDuplicatesRequest(resident_id=one), **people.clerk)
    assert list(suggested.candidates) == []
    listed = register.merges.ListMerges(merge_pb2.ListMergesRequest(resident_id=one), **people.clerk)
    assert [item.merge_id for item in listed.merges] == [merge.merge_id]


def test_two_persons_are_not_suggested_again(people: People, register: Register) -> None:
    drafts = [{"name": "褚遂钰", "id_doc_type": "", "id_number": "", "birth_date": "1970-07-07", "sex": "2"} for _ in range(2)]
    one, other = (people.enter(**draft).resident_id for draft in drafts)
    suggest = merge_pb2.FindDuplicatesRequest(resident_id=one)
    assert [item.resident.resident_id for item in register.merges.FindDuplicates(suggest, **people.clerk).candidates] == [other]
    dismiss = merge_pb2.DismissDuplicateRequest(resident_id=one, other_id=other, request_id=new_id(), reason="双胞胎")
    assert register.merges.DismissDuplicate(dismiss, **people.clerk).merge.state == merge_pb2.MERGE_STATE_DISMISSED
    assert list(register.merges.FindDuplicates(suggest, **people.clerk).candidates) == []


def test_a_merge_that_was_broken_off_is_finished(people: People, register: Register) -> None:
    """What a process that died left behind: decided, nothing carried out."""
    one, other = (people.enter(id_doc_type="", id_number="", phone="").resident_id for _ in range(2))
    request = merge_pb2.MergeResidentsRequest(resident_id=one, absorbed_id=other, request_id=new_id(), reason="x")
    merge = register.merges.MergeResidents(request, **people.clerk).merge
    database = people.service.database
    # As if the steps after the decision had not been answered: they are repeated and change nothing more.
    database["merges"].update_one({"_id": merge.merge_id}, {"$set": {"state": "confirmed"}, "$unset": {"commands": ""}})
    again = register.merges.MergeResidents(request, **people.clerk).merge
    assert again.state == merge_pb2.MERGE_STATE_MERGED
    assert register.get(other).standing.merged_into == one

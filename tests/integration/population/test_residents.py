"""Residents through a real service."""

from __future__ import annotations

import time
from concurrent import futures
from typing import Any

import grpc
import pytest
from binglian.population.v1 import resident_pb2
from binglian.population.v1 import resident_service_pb2 as pb

from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, OTHER_GRID, People, id_number
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


def get(resident_id: str) -> pb.GetResidentRequest:
    return pb.GetResidentRequest(resident_id=resident_id)


def test_answers_are_masked_unless_a_purpose_is_stated(people: People) -> None:
    number = id_number()
    resident = people.enter(id_number=number)
    assert (resident.name, resident.phone) == ("王**", "100****5678")
    assert resident.birth_date == f"{number[6:10]}-**-**"
    assert resident.id_number[:6] == "990000"
    assert "*" in resident.id_number
    masked = people.residents.GetResident(get(resident.resident_id), **people.worker).resident
    assert masked == resident
    reveal = pb.RevealResidentRequest(resident_id=resident.resident_id)
    shown = people.residents.RevealResident(reveal, **people.stating("P01")).resident
    assert (shown.name, shown.phone, shown.id_number) == ("王小明", "10012345678", number)
    assert shown.birth_date == f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def test_revealing_needs_the_right_purpose(people: People) -> None:
    reveal = pb.RevealResidentRequest(resident_id=people.enter().resident_id)
    assert refusal(people.residents.RevealResident, reveal, **people.worker).reason == "PURPOSE_REQUIRED"
    assert refusal(people.residents.RevealResident, reveal, **people.stating("P07")).reason == "PURPOSE_NOT_ALLOWED"
    nosy = people.caller("nosy", "GRID_WORKER", area=GRID, purpose="P01", purposes=["P06"])
    assert refusal(people.residents.RevealResident, reveal, **nosy).reason == "PURPOSE_NOT_ALLOWED"


@pytest.mark.parametrize("role", ["VOLUNTEER", "GRID_INFORMANT", "SYS_ADMIN", "RESIDENT", "DISPATCHER"])
def test_some_roles_see_no_residents_at_all(people: People, role: str) -> None:
    someone = people.caller("someone", role, area=CITY)
    for method, request in (
        (people.residents.GetResident, get(new_id())),
        (people.residents.ListResidents, pb.ListResidentsRequest()),
    ):
        assert refusal(method, request, **someone).reason == "ROLE_REQUIRED"


def test_numbers_are_unreadable_in_the_database(people: People) -> None:
    number = id_number()
    resident = people.enter(id_number=number, phone="10087654321")
    stored = people.service.database["residents"].find_one({"_id": resident.resident_id})
    assert number not in repr(stored)
    assert "10087654321" not in repr(stored)
    assert isinstance(stored["id_number"]["cipher"], bytes)
    assert number not in people.log.read_text()


def test_somebody_is_found_by_number(people: People) -> None:
    number = id_number()
    resident = people.enter(id_number=number)
    request = pb.FindResidentsRequest(id_number=number.lower())
    assert refusal(people.residents.FindResidents, request, **people.worker).reason == "PURPOSE_REQUIRED"
    found = people.residents.FindResidents(request, **people.stating("P11")).residents
    assert [(item.resident_id, item.id_number) for item in found] == [(resident.resident_id, number)]
    elsewhere = people.caller("other", "GRID_WORKER", area=OTHER_GRID, purpose="P11")
    assert not people.residents.FindResidents(request, **elsewhere).residents
    nobody = pb.FindResidentsRequest(id_number=id_number())
    assert not people.residents.FindResidents(nobody, **people.stating("P11")).residents


def test_who_looks_at_the_same_time_gets_their_own(people: People) -> None:
    """Lookups share queries; everybody gets an answer of their own, and an entry in the trail of their own."""
    numbers = [id_number() for _ in range(12)]
    entered = {number: people.enter(id_number=number).resident_id for number in numbers}
    elsewhere = people.caller("other", "GRID_WORKER", area=OTHER_GRID, purpose="P11")

    def look(number: str, caller: dict[str, Any]) -> Any:
        found = people.residents.FindResidents.future(pb.FindResidentsRequest(id_number=number), **caller)
        return number, caller is not elsewhere, found

    asked = [look(number, people.stating("P11")) for number in [*numbers, id_number(), *numbers]]
    asked += [look(number, elsewhere) for number in numbers]
    for number, own_city, found in asked:
        expected = [entered[number]] if own_city and number in entered else []
        assert [one.resident_id for one in found.result().residents] == expected


def test_an_identity_number_is_there_once_in_a_city(people: People) -> None:
    number = id_number()
    resident = people.enter(id_number=number)
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(id_number=number))
    said = refusal(people.residents.CreateResident, request, **people.worker)
    assert (said.code, said.reason) == ("ALREADY_EXISTS", "ID_NUMBER_EXISTS")
    assert said.metadata == {"resident_id": resident.resident_id}
    elsewhere = people.caller("other", "COMM_CLERK", area=OTHER_GRID)
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(id_number=number, area_code=OTHER_GRID))
    assert refusal(people.residents.CreateResident, request, **elsewhere).metadata == {}
    other_city = people.caller("la", "COMM_CLERK", area="9901")
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(id_number=number, area_code="990101001001"))
    assert people.residents.CreateResident(request, **other_city).resident.city == "9901"


def test_the_same_request_again_is_the_same_resident(people: People) -> None:
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft())
    first = people.residents.CreateResident(request, **people.worker).resident
    assert people.residents.CreateResident(request, **people.worker).resident == first
    other = pb.CreateResidentRequest(request_id=request.request_id, resident=people.draft())
    assert refusal(people.residents.CreateResident, other, **people.worker).reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"id_number": "110105194912310021"}, "ID_NUMBER_INVALID", "id_number"),
        ({"birth_date": "1901-01-01"}, "BIRTH_DATE_CONTRADICTS", "birth_date"),
        ({"resident_type": "88"}, "CODE_UNKNOWN", "resident_type"),
        ({"area_code": "420502"}, "INVALID_ARGUMENT", "resident.area_code"),
        ({"phone": "call me"}, "INVALID_ARGUMENT", "resident.phone"),
    ],
)
def test_wrong_residents_are_refused(people: People, fields: dict[str, str], reason: str, field: str) -> None:
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(**fields))
    said = refusal(people.residents.CreateResident, request, **people.worker)
    assert (said.code, said.fields) == ("INVALID_ARGUMENT", (field,))
    assert said.reason in (reason, "VALIDATION_FAILED", "INVALID_REQUEST")


def test_facts_name_nobody(people: People) -> None:
    facts = people.service.facts("population.#")
    house = new_id()
    resident = people.enter(residence={"house_id": house, "tenure": resident_pb2.TENURE_TENANT})
    told = eventually(lambda: [fact for fact in facts() if fact[1].get("residentId") == resident.resident_id][1:] and facts())
    mine = {kind: data for kind, data in told if data["residentId"] == resident.resident_id}
    assert set(mine["population.resident_registered.v1"]) == {"residentId", "areaCode", "residentType", "at"}
    assert mine["population.residence_started.v1"]["houseId"] == house
    assert "小明" not in repr(told)


def test_moving_in_and_out(people: People) -> None:
    house = new_id()
    resident = people.enter()
    start = pb.StartResidenceRequest(
        resident_id=resident.resident_id,
        request_id=new_id(),
        residence={"house_id": house, "since": "2025-07-01", "tenure": resident_pb2.TENURE_TENANT},
    )
    housed = people.residents.StartResidence(start, **people.worker).resident
    assert people.residents.StartResidence(start, **people.worker).resident == housed
    assert (housed.residences[0].area_code, housed.revision) == (GRID, 2)
    listed = pb.ListResidentsRequest(house_id=house)
    assert [r.resident_id for r in people.residents.ListResidents(listed, **people.worker).residents] == [resident.resident_id]
    people.enter(registered={"house_id": house, "area_code": GRID, "since": "2020-01-01"})
    found = people.residents.ListResidents(listed, **people.worker).residents
    assert [r.resident_id for r in found] == [resident.resident_id], "who is only registered in a house does not live there"
    end = pb.EndResidenceRequest(
        resident_id=resident.resident_id,
        residence_id=housed.residences[0].residence_id,
        request_id=new_id(),
        until="2026-01-31",
    )
    moved = people.residents.EndResidence(end, **people.worker).resident
    assert moved.residences[0].until == "2026-01-31"
    assert not people.residents.ListResidents(listed, **people.worker).residents
    again = pb.EndResidenceRequest(
        resident_id=resident.resident_id, residence_id=housed.residences[0].residence_id, request_id=new_id()
    )
    assert refusal(people.residents.EndResidence, again, **people.worker).reason == "RESIDENCE_ENDED"


def test_updates(people: People) -> None:
    resident = people.enter()
    request = pb.UpdateResidentRequest(
        resident_id=resident.resident_id,
        request_id=new_id(),
        revision=1,
        update_mask={"paths": ["name", "phone"]},
        name="王大明",
        phone="10000000001",
        resident_type="03",
    )
    said = refusal(people.residents.UpdateResident, request, **people.worker)
    assert (said.code, said.reason, said.metadata) == ("PERMISSION_DENIED", "SUBMIT_FIELDS", {"field": "name"})
    changed = people.residents.UpdateResident(request, **people.steward).resident
    assert (changed.phone, changed.resident_type, changed.revision) == ("100****0001", "01", 2)
    wrong = pb.UpdateResidentRequest(
        resident_id=resident.resident_id, request_id=new_id(), update_mask={"paths": ["id_number"]}
    )
    assert refusal(people.residents.UpdateResident, wrong, **people.worker).reason == "FIELD_NOT_CHANGEABLE"
    stranger = people.caller("s", "GRID_WORKER", area=OTHER_GRID)
    out = pb.UpdateResidentRequest(
        resident_id=resident.resident_id, request_id=new_id(), update_mask={"paths": ["household_id"]}
    )
    assert people.residents.UpdateResident(out, **people.worker).resident.revision == 3
    out.request_id = new_id()
    assert refusal(people.residents.UpdateResident, out, **stranger).reason == "AREA_NOT_ALLOWED"
    assert refusal(people.residents.GetResident, get(resident.resident_id), **stranger).reason == "RESIDENT_NOT_FOUND"
    away = pb.UpdateResidentRequest(
        resident_id=resident.resident_id, request_id=new_id(), update_mask={"paths": ["area_code"]}, area_code=OTHER_GRID
    )
    assert refusal(people.residents.UpdateResident, away, **people.worker).reason == "AREA_NOT_ALLOWED"


def test_nobody_moves_people_into_the_areas_of_others(people: People) -> None:
    away = {"house_id": new_id(), "area_code": OTHER_GRID}
    start = pb.StartResidenceRequest(resident_id=people.enter().resident_id, request_id=new_id(), residence=away)
    create = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(residence=away))
    many = pb.CreateResidentsRequest(request_id=new_id(), residents=[people.draft(), people.draft(residence=away)])
    importer = people.caller("here", "IMPORTER", area=GRID[:12])
    for call, request in (
        (people.residents.StartResidence, start),
        (people.residents.CreateResident, create),
        (people.residents.CreateResidents, many),
    ):
        assert refusal(call, request, **importer).reason == "AREA_NOT_ALLOWED"
    assert not people.service.database["residents"].count_documents({"residences.area_code": OTHER_GRID})
    household = {"area_code": OTHER_GRID}
    one = pb.CreateHouseholdRequest(request_id=new_id(), household=household)
    assert refusal(people.households.CreateHousehold, one, **people.worker).reason == "AREA_NOT_ALLOWED"
    two = pb.CreateHouseholdsRequest(request_id=new_id(), households=[{"area_code": GRID}, household])
    assert refusal(people.households.CreateHouseholds, two, **importer).reason == "AREA_NOT_ALLOWED"


def test_households(people: People) -> None:
    create = pb.CreateHouseholdRequest(request_id=new_id(), household={"area_code": GRID, "match_flag": "01"})
    household = people.households.CreateHousehold(create, **people.worker).household
    request = pb.GetHouseholdRequest(household_id=household.household_id)
    assert people.households.GetHousehold(request, **people.worker).household == household
    member = people.enter(household_id=household.household_id, household_relation="02")
    listed = pb.ListResidentsRequest(household_id=household.household_id)
    assert [r.resident_id for r in people.residents.ListResidents(listed, **people.worker).residents] == [member.resident_id]
    missing = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(household_id=new_id()))
    assert refusal(people.residents.CreateResident, missing, **people.worker).reason == "HOUSEHOLD_MISSING"
    stranger = people.caller("s", "GRID_WORKER", area=OTHER_GRID)
    assert refusal(people.households.GetHousehold, request, **stranger).reason == "HOUSEHOLD_NOT_FOUND"


def test_many_at_once_and_the_same_again(people: People) -> None:
    area = "42050200300110001"
    drafts = [people.draft(area_code=area, residence={"house_id": new_id()}) for _ in range(500)]
    request = pb.CreateResidentsRequest(request_id=new_id(), residents=drafts)
    begun = time.perf_counter()
    ids = people.residents.CreateResidents(request, **people.importer).resident_ids
    took = time.perf_counter() - begun
    assert len(set(ids)) == 500
    assert took < 5
    assert people.residents.CreateResidents(request, **people.importer).resident_ids == ids
    assert people.service.database["residents"].count_documents({"area_code": area}) == 500
    seen: list[str] = []
    token = ""
    while True:
        page = people.residents.ListResidents(
            pb.ListResidentsRequest(area_prefix=area, page_size=200, page_token=token), **people.clerk
        )
        seen += [resident.resident_id for resident in page.residents]
        token = page.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(ids)


def test_one_wrong_entry_and_nothing_is_written(people: People) -> None:
    area, number = "42050200300110002", id_number()
    drafts = [
        people.draft(area_code=area),
        people.draft(area_code=area, id_number="990000196001010011"),
        people.draft(area_code=area, resident_type="88"),
    ]
    request = pb.CreateResidentsRequest(request_id=new_id(), residents=drafts)
    said = refusal(people.residents.CreateResidents, request, **people.importer)
    assert said.fields == ("residents[1].id_number", "residents[2].resident_type")
    twice = [people.draft(area_code=area, id_number=number) for _ in range(2)]
    request = pb.CreateResidentsRequest(request_id=new_id(), residents=twice)
    said = refusal(people.residents.CreateResidents, request, **people.importer)
    assert (said.reason, said.fields) == ("ID_NUMBER_TWICE", ("residents[1].id_number",))
    people.enter(id_number=number)
    request = pb.CreateResidentsRequest(request_id=new_id(), residents=twice[:1])
    assert refusal(people.residents.CreateResidents, request, **people.importer).reason == "ID_NUMBER_EXISTS"
    assert people.service.database["residents"].count_documents({"area_code": area}) == 0


def test_of_two_at_once_with_one_number_one_wins(people: People) -> None:
    draft = people.draft()
    requests = [pb.CreateResidentRequest(request_id=new_id(), resident=draft) for _ in range(12)]

    def attempt(request: pb.CreateResidentRequest) -> str:
        try:
            return people.residents.CreateResident(request, **people.worker).resident.resident_id
        except grpc.RpcError as error:
            return error.code().name  # type: ignore[attr-defined]

    with futures.ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(attempt, requests))
        repeated = set(pool.map(attempt, [requests[outcomes.index(max(outcomes, key=len))]] * 12))
    winners = {outcome for outcome in outcomes if outcome != "ALREADY_EXISTS"}
    assert len(winners) == 1
    assert repeated == winners


def test_a_request_sent_many_times_at_once_enters_one_person(people: People) -> None:
    request = pb.CreateResidentRequest(request_id=new_id(), resident=people.draft())
    with futures.ThreadPoolExecutor(12) as pool:
        ids = set(pool.map(lambda _: people.residents.CreateResident(request, **people.worker).resident.resident_id, range(12)))
    assert len(ids) == 1
    assert people.service.database["residents"].count_documents({"_id": {"$in": list(ids)}}) == 1

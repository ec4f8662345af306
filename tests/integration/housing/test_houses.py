"""Buildings and houses through a real service."""

from __future__ import annotations

import pytest
from binglian.housing.v1 import house_pb2, house_service_pb2

from svckit.ids import new_id
from tests.integration.housing.district import COMMUNITY, GRIDS, District
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


def test_a_house_stands_where_its_building_stands(district: District) -> None:
    facts = district.service.facts("housing.house_registered.v1")
    house = district.house(district.building(), use=house_pb2.HOUSE_USE_DWELLING, occupancy="02", rent_use="01")
    assert (house.area_code, house.city, house.ownership, house.revision) == (GRIDS[0], "4205", "99", 1)
    got = district.houses.GetHouse(house_service_pb2.GetHouseRequest(house_id=house.house_id), **district.worker).house
    assert got == house
    told = eventually(lambda: [data for _, data in facts() if data["houseId"] == house.house_id])
    assert told[0]["use"] == "HOUSE_USE_DWELLING"


def test_a_lift_is_added_and_a_storey_put_right(district: District) -> None:
    facts = district.service.facts("housing.building_changed.v1", "housing.house_changed.v1")
    building = district.building()
    house = district.house(building, floor=3)
    request = house_service_pb2.UpdateBuildingRequest(
        building_id=building, request_id=new_id(), update_mask={"paths": ["lift", "point"]}, lift=True
    )
    request.point.longitude, request.point.latitude = 111.28, 30.69
    changed = district.buildings.UpdateBuilding(request, **district.worker).building
    assert (changed.lift, changed.name, changed.revision) == (True, "3号楼", 2)
    assert district.buildings.UpdateBuilding(request, **district.worker).building == changed
    higher = house_service_pb2.UpdateHouseRequest(
        house_id=house.house_id, request_id=new_id(), update_mask={"paths": ["floor"]}, floor=5
    )
    assert district.houses.UpdateHouse(higher, **district.worker).house.floor == 5

    def told() -> list[tuple[str, object]]:
        mine = [data for _, data in facts() if data["buildingId"] == building]
        return [("lift", one.get("lift")) if "floors" in one else ("floor", one["floor"]) for one in mine]

    eventually(lambda: sorted(map(str, told())) == sorted(map(str, [("lift", None), ("lift", True), ("floor", 5)])))


def test_a_door_is_there_once(district: District) -> None:
    building = district.building()
    house = district.house(building, unit="1")
    request = house_service_pb2.CreateHouseRequest(
        request_id=new_id(), house={"building_id": building, "unit": "1", "number": "301"}
    )
    said = refusal(district.houses.CreateHouse, request, **district.worker)
    assert (said.code, said.metadata) == ("ALREADY_EXISTS", {"house_id": house.house_id})
    district.house(building, unit="2")


def test_many_at_once_and_the_same_again(district: District) -> None:
    building = district.building()
    request = house_service_pb2.CreateHousesRequest(
        request_id=new_id(), houses=[{"building_id": building, "number": str(number)} for number in range(101, 601)]
    )
    ids = district.houses.CreateHouses(request, **district.importer).house_ids
    assert len(set(ids)) == 500
    assert district.houses.CreateHouses(request, **district.importer).house_ids == ids
    assert district.service.database["houses"].count_documents({"building_id": building}) == 500
    listed: list[str] = []
    token = ""
    while True:
        page = district.houses.ListHouses(
            house_service_pb2.ListHousesRequest(building_id=building, page_size=150, page_token=token), **district.worker
        )
        listed += [house.number for house in page.houses]
        token = page.next_page_token
        if not token:
            break
    assert listed == [str(number) for number in range(101, 601)]


def test_one_wrong_entry_and_nothing_is_written(district: District) -> None:
    building = district.building()
    houses = [
        {"building_id": building, "number": "1"},
        {"building_id": building, "number": "2", "occupancy": "77"},
        {"building_id": building, "number": "3", "rent_use": "01"},
    ]
    request = house_service_pb2.CreateHousesRequest(request_id=new_id(), houses=houses)
    said = refusal(district.houses.CreateHouses, request, **district.importer)
    assert (said.code, said.fields) == ("INVALID_ARGUMENT", ("houses[1].occupancy", "houses[2].rent_use"))
    assert district.service.database["houses"].count_documents({"building_id": building}) == 0


def test_what_a_house_needs(district: District) -> None:
    nowhere = house_service_pb2.CreateHouseRequest(request_id=new_id(), house={"building_id": new_id(), "number": "1"})
    assert refusal(district.houses.CreateHouse, nowhere, **district.worker).reason == "BUILDING_MISSING"
    lost = house_service_pb2.CreateBuildingRequest(
        request_id=new_id(), building={"area_code": f"{COMMUNITY}19999", "name": "楼", "building_type": "01"}
    )
    assert refusal(district.buildings.CreateBuilding, lost, **district.worker).reason == "AREA_MISSING"


def test_houses_of_other_areas_are_invisible(district: District) -> None:
    building = district.building()
    house = district.house(building)
    elsewhere = district.caller("other", "GRID_WORKER", area=GRIDS[3])
    get = house_service_pb2.GetHouseRequest(house_id=house.house_id)
    assert refusal(district.houses.GetHouse, get, **elsewhere).reason == "HOUSE_NOT_FOUND"
    query = house_service_pb2.ListHousesRequest(building_id=building, area_prefix=GRIDS[0])
    assert not district.houses.ListHouses(query, **elsewhere).houses
    buildings = district.buildings.ListBuildings(house_service_pb2.ListBuildingsRequest(area_prefix=COMMUNITY), **elsewhere)
    assert not buildings.buildings
    request = house_service_pb2.CreateHouseRequest(request_id=new_id(), house={"building_id": building, "number": "9"})
    assert refusal(district.houses.CreateHouse, request, **elsewhere).reason == "AREA_NOT_ALLOWED"


@pytest.mark.parametrize("role", ["RESIDENT", "VOLUNTEER", "MERCHANT", "SYS_ADMIN"])
def test_the_neighbours_houses_are_for_staff(district: District, role: str) -> None:
    building = district.building()
    house = district.house(building)
    outsider = district.caller("outsider", role, area=GRIDS[0])
    calls = [
        (district.houses.GetHouse, house_service_pb2.GetHouseRequest(house_id=house.house_id)),
        (district.houses.ListHouses, house_service_pb2.ListHousesRequest()),
        (district.buildings.GetBuilding, house_service_pb2.GetBuildingRequest(building_id=building)),
        (district.buildings.ListBuildings, house_service_pb2.ListBuildingsRequest()),
    ]
    assert [refusal(call, request, **outsider).code for call, request in calls] == ["PERMISSION_DENIED"] * len(calls)


def test_an_update_changes_what_is_named(district: District) -> None:
    house = district.house(district.building())
    request = house_service_pb2.UpdateHouseRequest(
        house_id=house.house_id,
        request_id=new_id(),
        revision=1,
        update_mask={"paths": ["occupancy", "rent_use"]},
        occupancy="02",
        rent_use="01",
        ownership="11",
    )
    changed = district.houses.UpdateHouse(request, **district.worker).house
    assert (changed.occupancy, changed.rent_use, changed.ownership, changed.revision) == ("02", "01", "99", 2)
    assert district.houses.UpdateHouse(request, **district.worker).house == changed

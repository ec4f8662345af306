"""Areas and locations through a real service."""

from __future__ import annotations

import pytest
from binglian.housing.v1 import area_pb2, area_service_pb2

from svckit.ids import new_id
from tests.integration.housing.district import CITY, COMMUNITY, GRIDS, SIDE, SOUTH, WEST, District, center, polygon
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


def locate(district: District, longitude: float, latitude: float, **named: str) -> area_service_pb2.LocatePointResponse:
    request = area_service_pb2.LocatePointRequest(point={"longitude": longitude, "latitude": latitude}, **named)
    return district.locations.LocatePoint(request, **district.worker)


def test_a_point_becomes_a_grid_with_its_path(district: District) -> None:
    point = center(3)
    found = locate(district, point.longitude, point.latitude)
    assert found.area_code == GRIDS[2]
    assert [place.name for place in found.path] == ["宜昌市", "西陵区", "西陵街道", "石板溪社区", "第3网格"]
    assert locate(district, WEST + SIDE, SOUTH + SIDE).area_code == GRIDS[0]


def test_a_point_outside_is_refused(district: District) -> None:
    request = area_service_pb2.LocatePointRequest(point={"longitude": 118.2, "latitude": 34.0}, city=CITY)
    said = refusal(district.locations.LocatePoint, request, **district.worker)
    assert (said.code, said.reason) == ("NOT_FOUND", "OUTSIDE_CITY")


def test_cities_are_kept_apart(district: District) -> None:
    request = area_service_pb2.LocatePointRequest(point=center(1), city=CITY)
    assert refusal(district.locations.LocatePoint, request, **district.stranger).reason == "AREA_NOT_ALLOWED"
    unmapped = area_service_pb2.LocatePointRequest(point=center(1))
    assert refusal(district.locations.LocatePoint, unmapped, **district.stranger).reason == "CITY_NOT_MAPPED"
    assert refusal(district.locations.LocatePoint, unmapped, **district.importer).fields == ("city",)
    get = area_service_pb2.GetAreaRequest(area_code=COMMUNITY)
    assert refusal(district.areas.GetArea, get, **district.stranger).code == "NOT_FOUND"
    assert not district.areas.ListAreas(area_service_pb2.ListAreasRequest(), **district.stranger).areas


def test_importing_again_changes_nothing(district: District) -> None:
    again = {"area_code": GRIDS[1], "name": "第2网格", "polygons": [polygon(1, 0)], "grid_class": 2}
    before = district.areas.GetArea(area_service_pb2.GetAreaRequest(area_code=GRIDS[1]), **district.worker)
    answer = district.import_areas(again)
    assert (answer.created, answer.updated, answer.unchanged) == (0, 0, 1)
    after = district.areas.GetArea(area_service_pb2.GetAreaRequest(area_code=GRIDS[1]), **district.worker)
    assert after == before
    assert (after.area.revision, after.area.level, after.area.grid_type) == (1, area_pb2.AREA_LEVEL_GRID, "1")


def test_a_changed_area_is_told_and_found_at_once(district: District) -> None:
    facts = district.service.facts("housing.area_changed.v1")
    code = f"{COMMUNITY}20001"
    assert district.import_areas({"area_code": code, "name": "集贸市场", "polygons": [polygon(7, 7)]}).created == 1
    assert locate(district, WEST + 7.5 * SIDE, SOUTH + 7.5 * SIDE).area_code == code
    told = eventually(lambda: [data for _, data in facts() if data["areaCode"] == code])
    assert told[0] | {"at": ""} == {
        "areaCode": code,
        "level": "AREA_LEVEL_GRID",
        "name": "集贸市场",
        "parentCode": COMMUNITY,
        "city": CITY,
        "at": "",
    }
    assert district.import_areas({"area_code": code, "name": "中心集贸市场", "polygons": [polygon(8, 8)]}).updated == 1
    assert locate(district, WEST + 8.5 * SIDE, SOUTH + 8.5 * SIDE).path[-1].name == "中心集贸市场"


def test_one_wrong_entry_and_nothing_is_written(district: District) -> None:
    request = area_service_pb2.ImportAreasRequest(
        request_id=new_id(),
        areas=[
            {"area_code": f"{COMMUNITY}10050", "name": "好"},
            {"area_code": f"{COMMUNITY}10051", "name": "坏", "polygons": [{"outer": {"points": [{"longitude": 1}] * 3}}]},
            {"area_code": "420502", "name": "西陵区", "grid_class": 1},
        ],
    )
    said = refusal(district.areas.ImportAreas, request, **district.importer)
    assert said.code == "INVALID_ARGUMENT"
    assert said.fields == ("areas[1].polygons", "areas[2].grid_class")
    get = area_service_pb2.GetAreaRequest(area_code=f"{COMMUNITY}10050")
    assert refusal(district.areas.GetArea, get, **district.worker).reason == "AREA_NOT_FOUND"


def test_an_area_needs_the_one_above(district: District) -> None:
    request = area_service_pb2.CreateAreaRequest(request_id=new_id(), area={"area_code": "420503001", "name": "街道"})
    said = refusal(district.areas.CreateArea, request, **district.importer)
    assert (said.code, said.reason) == ("FAILED_PRECONDITION", "PARENT_MISSING")


def test_create_update_retire(district: District) -> None:
    code = f"{COMMUNITY}30001"
    create = area_service_pb2.CreateAreaRequest(request_id=new_id(), area={"area_code": code, "name": "一单元"})
    created = district.areas.CreateArea(create, **district.importer).area
    assert district.areas.CreateArea(create, **district.importer).area == created
    other = area_service_pb2.CreateAreaRequest(request_id=new_id(), area={"area_code": code, "name": "一单元"})
    assert refusal(district.areas.CreateArea, other, **district.importer).code == "ALREADY_EXISTS"
    reused = area_service_pb2.CreateAreaRequest(request_id=create.request_id, area={"area_code": code, "name": "二单元"})
    assert refusal(district.areas.CreateArea, reused, **district.importer).reason == "REQUEST_ID_REUSED"
    update = area_service_pb2.UpdateAreaRequest(
        area_code=code,
        request_id=new_id(),
        revision=created.revision,
        update_mask={"paths": ["roster"]},
        roster=[{"role": "GRID_WORKER", "subject": "u7", "name": "李明"}],
    )
    updated = district.areas.UpdateArea(update, **district.importer).area
    assert (updated.roster[0].subject, updated.name, updated.revision) == ("u7", "一单元", created.revision + 1)
    late = area_service_pb2.UpdateAreaRequest(
        area_code=code, request_id=new_id(), revision=created.revision, update_mask={"paths": ["name"]}, name="三单元"
    )
    assert refusal(district.areas.UpdateArea, late, **district.importer).reason == "REVISION_CHANGED"
    steward = district.caller("steward", "DATA_STEWARD", area=CITY)
    parent = area_service_pb2.RetireAreaRequest(area_code=COMMUNITY, request_id=new_id())
    assert refusal(district.areas.RetireArea, parent, **steward).reason == "HAS_CHILDREN"
    retire = area_service_pb2.RetireAreaRequest(area_code=code, request_id=new_id())
    assert district.areas.RetireArea(retire, **steward).area.HasField("retired_at")
    again = area_service_pb2.ImportAreasRequest(request_id=new_id(), areas=[{"area_code": code, "name": "一单元"}])
    assert refusal(district.areas.ImportAreas, again, **district.importer).reason == "AREA_RETIRED"


def test_lists_and_trees(district: District) -> None:
    first = district.areas.ListAreas(
        area_service_pb2.ListAreasRequest(parent_code=COMMUNITY, page_size=3, area_prefix=f"{COMMUNITY}1"), **district.worker
    )
    assert [area.area_code for area in first.areas] == list(GRIDS[:3])
    assert not first.areas[0].polygons
    rest = district.areas.ListAreas(
        area_service_pb2.ListAreasRequest(
            parent_code=COMMUNITY,
            page_size=3,
            area_prefix=f"{COMMUNITY}1",
            page_token=first.next_page_token,
            with_polygons=True,
        ),
        **district.worker,
    )
    assert [area.area_code for area in rest.areas] == [GRIDS[3]]
    assert rest.areas[0].polygons
    assert not rest.next_page_token
    wrong = area_service_pb2.ListAreasRequest(page_token="xyz")
    assert refusal(district.areas.ListAreas, wrong, **district.worker).reason == "PAGE_TOKEN_INVALID"
    tree = district.areas.GetAreaTree(area_service_pb2.GetAreaTreeRequest(area_code=CITY, depth=3), **district.worker).tree
    assert tree.children[0].children[0].children[0].area.name == "石板溪社区"
    assert tree.children[0].children[0].children[0].mapped
    assert tree.children[0].children[0].children[0].child_count >= 4
    assert not tree.children[0].children[0].children[0].children


def test_only_some_roles_draw_areas(district: District) -> None:
    request = area_service_pb2.CreateAreaRequest(request_id=new_id(), area={"area_code": f"{COMMUNITY}10009", "name": "x"})
    assert refusal(district.areas.CreateArea, request, **district.worker).reason == "ROLE_REQUIRED"
    elsewhere = district.caller("steward", "DATA_STEWARD", area="420503")
    assert refusal(district.areas.CreateArea, request, **elsewhere).reason == "AREA_NOT_ALLOWED"

"""A small district drawn into a running svc-housing, and calls to it as different people."""

from __future__ import annotations

from typing import Any

from binglian.housing.v1 import (
    area_service_pb2,
    area_service_pb2_grpc,
    house_check_pb2_grpc,
    house_service_pb2,
    house_service_pb2_grpc,
)
from binglian.type.v1 import evidence_pb2

from svckit.ids import new_id
from tests.services import Service

CITY = "4205"
COMMUNITY = "420502001003"
GRIDS = tuple(f"{COMMUNITY}1{number:04d}" for number in range(1, 5))
WEST, SOUTH, SIDE = 111.28, 30.69, 0.01


def polygon(column: int, row: int, size: int = 1) -> dict[str, Any]:
    """A square of the checkerboard as the protos want it."""
    west, south, side = WEST + column * SIDE, SOUTH + row * SIDE, SIDE * size
    corners = ((west, south), (west + side, south), (west + side, south + side), (west, south + side))
    return {"outer": {"points": [{"longitude": x, "latitude": y} for x, y in corners]}}


def center(number: int) -> evidence_pb2.Point:
    """The middle of grid 1 to 4."""
    row, column = divmod(number - 1, 2)
    return evidence_pb2.Point(longitude=WEST + (column + 0.5) * SIDE, latitude=SOUTH + (row + 0.5) * SIDE)


class District:
    """Stubs of the running service, and who calls them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.areas = area_service_pb2_grpc.AreaServiceStub(service.channel)
        self.locations = area_service_pb2_grpc.LocationServiceStub(service.channel)
        self.buildings = house_service_pb2_grpc.BuildingServiceStub(service.channel)
        self.houses = house_service_pb2_grpc.HouseServiceStub(service.channel)
        self.checks = house_check_pb2_grpc.HouseCheckServiceStub(service.channel)
        self.importer = self.caller("importer", "IMPORTER", area="")
        self.worker = self.caller("worker", "GRID_WORKER", area=COMMUNITY)
        self.handler = self.caller("handler", "DEPT_HANDLER", area="420502", department="HOUSING")
        self.stranger = self.caller("stranger", "GRID_WORKER", area="9901")

    def caller(self, subject: str, role: str, *, area: str, department: str = "") -> dict[str, Any]:
        """Named arguments of a call by this person."""
        return {"metadata": self.service.metadata(sub=subject, roles=[role], area=area, department=department)}

    def draw(self) -> None:
        """Imports the areas."""
        drafts = [
            {"area_code": CITY, "name": "宜昌市"},
            {"area_code": "420502", "name": "西陵区"},
            {"area_code": "420502001", "name": "西陵街道"},
            {"area_code": COMMUNITY, "name": "石板溪社区", "polygons": [polygon(0, 0, 2)]},
        ]
        drafts += [
            {"area_code": code, "name": f"第{at + 1}网格", "polygons": [polygon(at % 2, at // 2)], "grid_class": 2}
            for at, code in enumerate(GRIDS)
        ]
        self.import_areas(*drafts)

    def import_areas(self, *drafts: dict[str, Any], request_id: str = "") -> area_service_pb2.ImportAreasResponse:
        """Imports areas as the importer."""
        request = area_service_pb2.ImportAreasRequest(request_id=request_id or new_id(), areas=drafts)
        return self.areas.ImportAreas(request, **self.importer)

    def building(self, *, area_code: str = GRIDS[0], name: str = "3号楼") -> str:
        """The id of a new building."""
        draft = {"area_code": area_code, "name": name, "building_type": "01", "floors": 6}
        request = house_service_pb2.CreateBuildingRequest(request_id=new_id(), building=draft)
        return self.buildings.CreateBuilding(request, **self.worker).building.building_id

    def house(self, building_id: str, **fields: Any) -> Any:
        """A new house."""
        draft = {"building_id": building_id, "number": "301"} | fields
        request = house_service_pb2.CreateHouseRequest(request_id=new_id(), house=draft)
        return self.houses.CreateHouse(request, **self.worker).house

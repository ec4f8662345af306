"""BuildingService and HouseService."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from binglian.housing.v1 import house_pb2, house_service_pb2_grpc
from binglian.housing.v1 import house_service_pb2 as pb

from housing import operations, store
from housing.domain import Area, Building, BuildingChanged, BuildingDraft, House, HouseDraft, HouseRegistered
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import Command, command_of, utc_now
from svckit.entries import judge_all, part
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 100
Door = tuple[str, str, str]


class BuildingServicer(house_service_pb2_grpc.BuildingServiceServicer):
    """Buildings of the caller's area."""

    def __init__(self, *, buildings: Repository[Building], areas: Repository[Area]) -> None:
        self._buildings = buildings
        self._areas = areas

    async def CreateBuilding(self, request: pb.CreateBuildingRequest, context: object) -> pb.CreateBuildingResponse:
        """See the proto."""
        building, events = self._new(request.building)
        await self._check_areas([building])
        command = command_of(request, current_caller())
        building = await self._buildings.create(building.building_id, building, events, command=command)
        return pb.CreateBuildingResponse(building=to_message(house_pb2.Building, building))

    async def CreateBuildings(self, request: pb.CreateBuildingsRequest, context: object) -> pb.CreateBuildingsResponse:
        """See the proto."""
        made = judge_all(request.buildings, lambda _, message: self._new(message), field="buildings")
        await self._check_areas([building for building, _ in made])
        command = command_of(request, current_caller())
        saved = await asyncio.gather(
            *(
                self._buildings.create(building.building_id, building, events, command=part(command, index))
                for index, (building, events) in enumerate(made)
            )
        )
        return pb.CreateBuildingsResponse(building_ids=[building.building_id for building in saved])

    async def GetBuilding(self, request: pb.GetBuildingRequest, context: object) -> pb.GetBuildingResponse:
        """See the proto."""
        building = await self._buildings.get(request.building_id)
        if not may_act_in(current_caller(), building.area_code):
            raise self._buildings.form.not_found(request.building_id)
        return pb.GetBuildingResponse(building=to_message(house_pb2.Building, building))

    async def ListBuildings(self, request: pb.ListBuildingsRequest, context: object) -> pb.ListBuildingsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListBuildingsResponse()
        rows, token = await page_of(
            self._buildings.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        buildings = [to_message(house_pb2.Building, row, id_field="building_id") for row in rows]
        return pb.ListBuildingsResponse(buildings=buildings, next_page_token=token)

    async def UpdateBuilding(self, request: pb.UpdateBuildingRequest, context: object) -> pb.UpdateBuildingResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        fields = to_fields(request)
        values = msgspec.convert({"area_code": "", **fields}, BuildingDraft)

        def decide(building: Building) -> Any:
            check_area(caller, building.area_code)
            return operations.update_building(
                building, fields=fields["update_mask"], values=values, revision=request.revision, now=now
            )

        building = await self._buildings.change(request.building_id, decide, command=command_of(request, caller))
        return pb.UpdateBuildingResponse(building=to_message(house_pb2.Building, building))

    def _new(self, message: pb.BuildingDraft) -> tuple[Building, tuple[BuildingChanged, ...]]:
        draft = msgspec.convert(to_fields(message), BuildingDraft)
        check_area(current_caller(), draft.area_code)
        return operations.create_building(draft=draft, building_id=new_id(), now=utc_now())

    async def _check_areas(self, buildings: Sequence[Building]) -> None:
        needed = {building.area_code for building in buildings}
        missing = needed - await store.areas_in_use(self._areas.collection, needed)
        if missing:
            raise FailedPrecondition(
                f"The area {min(missing)} does not exist.", reason="AREA_MISSING", metadata={"area_code": min(missing)}
            )


class HouseServicer(house_service_pb2_grpc.HouseServiceServicer):
    """Houses of the caller's area."""

    def __init__(self, *, houses: Repository[House], buildings: Repository[Building]) -> None:
        self._houses = houses
        self._buildings = buildings

    async def CreateHouse(self, request: pb.CreateHouseRequest, context: object) -> pb.CreateHouseResponse:
        """See the proto."""
        areas = await self._areas_of([request.house.building_id])
        house, events = self._new(request.house, areas)
        command = command_of(request, current_caller())
        await self._check_doors([house], [command])
        house = await self._houses.create(house.house_id, house, events, command=command)
        return pb.CreateHouseResponse(house=to_message(house_pb2.House, house))

    async def CreateHouses(self, request: pb.CreateHousesRequest, context: object) -> pb.CreateHousesResponse:
        """See the proto."""
        areas = await self._areas_of({draft.building_id for draft in request.houses})
        made = judge_all(request.houses, lambda _, message: self._new(message, areas), field="houses")
        check_no_door_twice([house for house, _ in made])
        command = command_of(request, current_caller())
        commands = [part(command, index) for index in range(len(made))]
        await self._check_doors([house for house, _ in made], commands)
        saved = await asyncio.gather(
            *(
                self._houses.create(house.house_id, house, events, command=own)
                for (house, events), own in zip(made, commands, strict=True)
            )
        )
        return pb.CreateHousesResponse(house_ids=[house.house_id for house in saved])

    async def UpdateHouse(self, request: pb.UpdateHouseRequest, context: object) -> pb.UpdateHouseResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        fields = to_fields(request)
        values = msgspec.convert({"building_id": "", "number": "", **fields}, HouseDraft)

        def decide(house: House) -> Any:
            check_area(caller, house.area_code)
            return operations.update_house(
                house, fields=fields["update_mask"], values=values, revision=request.revision, now=now
            )

        house = await self._houses.change(request.house_id, decide, command=command_of(request, caller))
        return pb.UpdateHouseResponse(house=to_message(house_pb2.House, house))

    async def GetHouse(self, request: pb.GetHouseRequest, context: object) -> pb.GetHouseResponse:
        """See the proto."""
        house = await self._houses.get(request.house_id)
        if not may_act_in(current_caller(), house.area_code):
            raise self._houses.form.not_found(request.house_id)
        return pb.GetHouseResponse(house=to_message(house_pb2.House, house))

    async def ListHouses(self, request: pb.ListHousesRequest, context: object) -> pb.ListHousesResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListHousesResponse()
        query |= {name: value for name in ("building_id", "occupancy") if (value := getattr(request, name))}
        rows, token = await page_of(
            self._houses.collection,
            query=query,
            keys=("building_id", "unit", "number"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        houses = [to_message(house_pb2.House, row, id_field="house_id") for row in rows]
        return pb.ListHousesResponse(houses=houses, next_page_token=token)

    def _new(self, message: pb.HouseDraft, areas: dict[str, str]) -> tuple[House, tuple[HouseRegistered, ...]]:
        area_code = areas.get(message.building_id)
        if area_code is None:
            raise FailedPrecondition(
                f"The building {message.building_id} does not exist.",
                reason="BUILDING_MISSING",
                metadata={"building_id": message.building_id},
            )
        check_area(current_caller(), area_code)
        draft = msgspec.convert(to_fields(message), HouseDraft)
        return operations.create_house(draft=draft, area_code=area_code, house_id=new_id(), now=utc_now())

    async def _areas_of(self, building_ids: Collection[str]) -> dict[str, str]:
        rows = self._buildings.collection.find({"_id": {"$in": list(building_ids)}}, {"area_code": True})
        return {row["_id"]: row["area_code"] async for row in rows}

    async def _check_doors(self, houses: Sequence[House], commands: Sequence[Command]) -> None:
        """Raises Conflict (ALREADY_EXISTS) for a door another command has given to a house; the same command may come again."""
        mine = {command.key for command in commands}
        for row in await store.houses_at(self._houses.collection, [_door(house) for house in houses]):
            if row["created_by"]["key"] not in mine:
                raise Conflict(
                    f"There is a house {row['unit']}-{row['number']} in this building already.",
                    reason="ALREADY_EXISTS",
                    metadata={"house_id": row["_id"]},
                )


def check_no_door_twice(houses: Sequence[House]) -> None:
    """Raises InvalidArgument (DOOR_TWICE) naming the second house behind one door."""
    seen: set[Door] = set()
    for index, house in enumerate(houses):
        if _door(house) in seen:
            raise InvalidArgument("This door is there twice.", reason="DOOR_TWICE", field=f"houses[{index}].number")
        seen.add(_door(house))


def _door(house: House) -> Door:
    return house.building_id, house.unit, house.number

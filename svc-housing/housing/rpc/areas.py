"""AreaService and LocationService."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from binglian.housing.v1 import area_pb2, area_service_pb2_grpc
from binglian.housing.v1 import area_service_pb2 as pb

from housing import operations, store
from housing.atlas import Atlas
from housing.domain import Area, AreaDraft
from housing.keeper import AtlasKeeper
from housing.policies import check_area_draft, check_area_in_use, check_parent_known, parent_of
from svckit.access import Caller, check_area, current_caller
from svckit.documents import Command, command_of, utc_now
from svckit.entries import judge_all, part
from svckit.errors import InvalidArgument, PermissionDenied
from svckit.messages import to_fields, to_message
from svckit.paging import code_range, page_of
from svckit.store import Repository

DEFAULT_PAGE = 100


class AreaServicer(area_service_pb2_grpc.AreaServiceServicer):
    """The tree of areas."""

    def __init__(self, *, areas: Repository[Area], keeper: AtlasKeeper) -> None:
        self._areas = areas
        self._keeper = keeper

    async def CreateArea(self, request: pb.CreateAreaRequest, context: object) -> pb.CreateAreaResponse:
        """See the proto."""
        caller = current_caller()
        draft = _draft(request.area)
        check_area(caller, draft.area_code)
        area, events = operations.create_area(draft=draft, now=utc_now())
        check_parent_known(area.area_code, await store.areas_in_use(self._areas.collection, [area.parent_code]))
        area = await self._areas.create(area.area_code, area, events, command=command_of(request, caller))
        await self._keeper.atlas(at_once=True)
        return pb.CreateAreaResponse(area=to_message(area_pb2.Area, area))

    async def ImportAreas(self, request: pb.ImportAreasRequest, context: object) -> pb.ImportAreasResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        drafts = judge_all(request.areas, lambda _, message: _judged(message, caller), field="areas")
        check_no_code_twice(drafts)
        existing = await self._existing([draft.area_code for draft in drafts])
        await self._check_parents(drafts)
        command = command_of(request, caller)
        writes = [
            self._put(draft, existing.get(draft.area_code), part(command, index), now) for index, draft in enumerate(drafts)
        ]
        outcomes = await asyncio.gather(*writes)
        await self._keeper.atlas(at_once=True)
        return pb.ImportAreasResponse(**{name: outcomes.count(name) for name in ("created", "updated", "unchanged")})

    async def UpdateArea(self, request: pb.UpdateAreaRequest, context: object) -> pb.UpdateAreaResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        check_area(caller, request.area_code)
        fields = to_fields(request)
        draft = msgspec.convert(fields, AreaDraft)
        area = await self._areas.change(
            request.area_code,
            lambda area: operations.update_area(
                area, fields=fields["update_mask"], draft=draft, revision=request.revision, now=now
            ),
            command=command_of(request, caller),
        )
        await self._keeper.atlas(at_once=True)
        return pb.UpdateAreaResponse(area=to_message(area_pb2.Area, area))

    async def RetireArea(self, request: pb.RetireAreaRequest, context: object) -> pb.RetireAreaResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        check_area(caller, request.area_code)
        below = await store.has_areas_below(self._areas.collection, request.area_code)
        area = await self._areas.change(
            request.area_code,
            lambda area: operations.retire_area(area, has_children=below, revision=request.revision, now=now),
            command=command_of(request, caller),
        )
        await self._keeper.atlas(at_once=True)
        return pb.RetireAreaResponse(area=to_message(area_pb2.Area, area))

    async def GetArea(self, request: pb.GetAreaRequest, context: object) -> pb.GetAreaResponse:
        """See the proto."""
        self._check_city(request.area_code)
        return pb.GetAreaResponse(area=to_message(area_pb2.Area, await self._areas.get(request.area_code)))

    async def ListAreas(self, request: pb.ListAreasRequest, context: object) -> pb.ListAreasResponse:
        """See the proto."""
        rows, token = await page_of(
            self._areas.collection,
            query=_query(request, city=current_caller().city),
            keys=("_id",),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
            hidden=() if request.with_polygons else ("polygons",),
        )
        areas = [to_message(area_pb2.Area, row, id_field="area_code") for row in rows]
        return pb.ListAreasResponse(areas=areas, next_page_token=token)

    async def GetAreaTree(self, request: pb.GetAreaTreeRequest, context: object) -> pb.GetAreaTreeResponse:
        """See the proto."""
        self._check_city(request.area_code)
        root = await self._areas.get(request.area_code)
        below: dict[str, list[dict[str, Any]]] = defaultdict(list)
        frontier: Collection[str] = [root.area_code]
        # One level more than asked for: its areas are only counted.
        for _ in range((request.depth or 1) + 1):
            rows = await store.areas_below(self._areas.collection, frontier)
            for row in rows:
                below[row["parent_code"]].append(row)
            frontier = [row["_id"] for row in rows]
        top = {"_id": root.area_code, "name": root.name, "level": root.level.value, "center": root.center}
        return pb.GetAreaTreeResponse(tree=_node(top, below, depth=request.depth or 1))

    def _check_city(self, area_code: str) -> None:
        """Areas of another city do not exist for the caller."""
        if not area_code.startswith(current_caller().city):
            raise self._areas.form.not_found(area_code)

    async def _existing(self, codes: list[str]) -> dict[str, Area]:
        rows = await self._areas.collection.find({"_id": {"$in": codes}}, store.OWNED_BY_STORE).to_list()
        areas = {row["_id"]: self._areas.form.state(row) for row in rows}
        for area in areas.values():
            check_area_in_use(area)
        return areas

    async def _check_parents(self, drafts: list[AreaDraft]) -> None:
        given = {draft.area_code for draft in drafts}
        needed = {parent_of(code) for code in given} - given - {""}
        known = given | await store.areas_in_use(self._areas.collection, needed)
        for draft in drafts:
            check_parent_known(draft.area_code, known)

    async def _put(self, draft: AreaDraft, existing: Area | None, command: Command, now: datetime) -> str:
        """Creates or replaces one area and tells which: "created", "updated" or "unchanged"."""
        if existing is None:
            area, events = operations.create_area(draft=draft, now=now)
            await self._areas.create(area.area_code, area, events, command=command)
            return "created"
        if not operations.replace_area(existing, draft=draft, now=now)[1]:
            return "unchanged"
        await self._areas.change(
            draft.area_code, lambda area: operations.replace_area(area, draft=draft, now=now), command=command
        )
        return "updated"


class LocationServicer(area_service_pb2_grpc.LocationServiceServicer):
    """Finds the area of a point."""

    def __init__(self, *, keeper: AtlasKeeper) -> None:
        self._keeper = keeper

    async def LocatePoint(self, request: pb.LocatePointRequest, context: object) -> pb.LocatePointResponse:
        """See the proto."""
        city = city_of(request.city, current_caller())
        atlas = await self._keeper.atlas()
        code = atlas.locate(city=city, longitude=request.point.longitude, latitude=request.point.latitude)
        return pb.LocatePointResponse(area_code=code, path=_path(atlas, code))


def city_of(wanted: str, caller: Caller) -> str:
    """Returns the city to look in. Raises InvalidArgument (CITY_MISSING) or PermissionDenied (AREA_NOT_ALLOWED)."""
    if not (wanted or caller.city):
        raise InvalidArgument("Say in which city.", reason="CITY_MISSING", field="city")
    if wanted and caller.city and wanted != caller.city:
        raise PermissionDenied("You may not look into another city.", reason="AREA_NOT_ALLOWED", metadata={"area": caller.area})
    return wanted or caller.city


def check_no_code_twice(drafts: list[AreaDraft]) -> None:
    """Raises InvalidArgument (CODE_TWICE) naming the second entry of a code."""
    seen: set[str] = set()
    for index, draft in enumerate(drafts):
        if draft.area_code in seen:
            raise InvalidArgument("This code is there twice.", reason="CODE_TWICE", field=f"areas[{index}].area_code")
        seen.add(draft.area_code)


def _draft(message: pb.AreaDraft) -> AreaDraft:
    return msgspec.convert(to_fields(message), AreaDraft)


def _judged(message: pb.AreaDraft, caller: Caller) -> AreaDraft:
    draft = _draft(message)
    check_area(caller, draft.area_code)
    check_area_draft(draft)
    return draft


def _query(request: pb.ListAreasRequest, *, city: str) -> dict[str, Any]:
    fields = to_fields(request)
    query: dict[str, Any] = {name: fields[name] for name in ("level", "parent_code", "external_id") if fields.get(name)}
    if city:
        query["city"] = city
    if request.area_prefix:
        query["_id"] = code_range(request.area_prefix)
    return query if request.with_retired else query | {"retired_at": None}


def _node(row: dict[str, Any], below: dict[str, list[dict[str, Any]]], *, depth: int) -> area_pb2.AreaNode:
    children = below.get(row["_id"], [])
    return area_pb2.AreaNode(
        area=to_message(area_pb2.AreaName, row, id_field="area_code"),
        children=[_node(child, below, depth=depth - 1) for child in children] if depth else [],
        child_count=len(children),
        mapped=row.get("center") is not None,
    )


def _path(atlas: Atlas, code: str) -> list[area_pb2.AreaName]:
    return [to_message(area_pb2.AreaName, place) for place in atlas.path(code)]

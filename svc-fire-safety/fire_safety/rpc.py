"""gRPC servicers: translate, call one operation, translate back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from binglian.fire_safety.v1 import inspection_pb2, place_pb2
from binglian.fire_safety.v1 import inspection_service_pb2 as inspections_pb
from binglian.fire_safety.v1 import place_service_pb2 as places_pb
from binglian.fire_safety.v1.inspection_service_pb2_grpc import InspectionServiceServicer
from binglian.fire_safety.v1.place_service_pb2_grpc import PlaceServiceServicer

from fire_safety import operations, store
from fire_safety.domain import Inspection, ItemAnswer, Place, PlaceDraft, Result
from svckit.access import Caller, check_area, current_caller, may_act_in
from svckit.documents import Command, command_of, utc_now
from svckit.entries import part
from svckit.errors import Conflict, InvalidArgument, PermissionDenied
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

PAGE_SIZE = 50


class Places(PlaceServiceServicer):
    """The register of places."""

    def __init__(self, places: Repository[Place]) -> None:
        self._places = places

    async def CreatePlace(self, request: places_pb.CreatePlaceRequest, context: object) -> places_pb.CreatePlaceResponse:
        """See the proto."""
        caller = current_caller()
        place = await self._create(draft_of(request.place), caller=caller, command=command_of(request, caller))
        return places_pb.CreatePlaceResponse(place=to_message(place_pb2.Place, place))

    async def GetPlace(self, request: places_pb.GetPlaceRequest, context: object) -> places_pb.GetPlaceResponse:
        """See the proto."""
        place = await visible_place(self._places, request.place_id)
        return places_pb.GetPlaceResponse(place=to_message(place_pb2.Place, place))

    async def ListPlaces(self, request: places_pb.ListPlacesRequest, context: object) -> places_pb.ListPlacesResponse:
        """See the proto."""
        query = {
            **store.within(own=current_caller().area, wanted=request.area_prefix),
            **store.equal(place_type=request.place_type, external_id=request.external_id),
        }
        rows, token = await page_of(
            self._places.collection,
            query=query,
            keys=store.PLACES_KEYS,
            token=request.page_token,
            size=request.page_size or PAGE_SIZE,
        )
        places = [to_message(place_pb2.Place, row, id_field="place_id") for row in rows]
        return places_pb.ListPlacesResponse(places=places, next_page_token=token)

    async def ImportPlaces(self, request: places_pb.ImportPlacesRequest, context: object) -> places_pb.ImportPlacesResponse:
        """See the proto. The rows are written together and answered one by one."""
        caller = current_caller()
        whole = command_of(request, caller)
        rows = (
            self._import(draft_of(draft), caller=caller, command=part(whole, row)) for row, draft in enumerate(request.places)
        )
        return import_report(await asyncio.gather(*rows, return_exceptions=True))

    async def _import(self, draft: PlaceDraft, *, caller: Caller, command: Command) -> Place:
        if not draft.external_id:
            raise InvalidArgument("An imported place needs its number.", reason="EXTERNAL_ID_MISSING")
        return await self._create(draft, caller=caller, command=command)

    async def _create(self, draft: PlaceDraft, *, caller: Caller, command: Command) -> Place:
        check_area(caller, draft.area_code)
        place, facts = operations.create_place(place_id=new_id(), draft=draft, now=utc_now())
        return await self._places.create(place.place_id, place, facts, command=command)


class Inspections(InspectionServiceServicer):
    """What inspectors do."""

    def __init__(self, inspections: Repository[Inspection], places: Repository[Place]) -> None:
        self._inspections = inspections
        self._places = places

    async def OpenInspection(
        self, request: inspections_pb.OpenInspectionRequest, context: object
    ) -> inspections_pb.OpenInspectionResponse:
        """See the proto."""
        caller = current_caller()
        inspection, facts = operations.open_for_place(
            inspection_id=new_id(),
            place=await visible_place(self._places, request.place_id),
            inspection_type=request.inspection_type,
            by=caller,
            now=utc_now(),
        )
        command = command_of(request, caller)
        opened = await self._inspections.create(inspection.inspection_id, inspection, facts, command=command)
        return inspections_pb.OpenInspectionResponse(inspection=to_message(inspection_pb2.Inspection, opened))

    async def GetInspection(
        self, request: inspections_pb.GetInspectionRequest, context: object
    ) -> inspections_pb.GetInspectionResponse:
        """See the proto."""
        inspection = await self._inspections.get(request.inspection_id)
        self._check_visible(inspection, current_caller())
        return inspections_pb.GetInspectionResponse(inspection=to_message(inspection_pb2.Inspection, inspection))

    async def ListInspections(
        self, request: inspections_pb.ListInspectionsRequest, context: object
    ) -> inspections_pb.ListInspectionsResponse:
        """See the proto."""
        states = to_fields(request)["states"]
        query = {
            **store.within(own=current_caller().area, wanted=request.area_prefix),
            **store.equal(place_id=request.place_id, task__case_id=request.case_id, task__task_id=request.task_id),
            **({"state": {"$in": states}} if states else {}),
        }
        rows, token = await page_of(
            self._inspections.collection,
            query=query,
            keys=store.INSPECTIONS_KEYS,
            token=request.page_token,
            size=request.page_size or PAGE_SIZE,
        )
        inspections = [to_message(inspection_pb2.Inspection, row, id_field="inspection_id") for row in rows]
        return inspections_pb.ListInspectionsResponse(inspections=inspections, next_page_token=token)

    async def RecordItems(
        self, request: inspections_pb.RecordItemsRequest, context: object
    ) -> inspections_pb.RecordItemsResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        answers = answers_of(request.answers)

        def decide(inspection: Inspection) -> Any:
            self._check_visible(inspection, caller)
            return operations.record_items(inspection, answers=answers, by=caller, now=now)

        inspection = await self._inspections.change(request.inspection_id, decide, command=command_of(request, caller))
        return inspections_pb.RecordItemsResponse(inspection=to_message(inspection_pb2.Inspection, inspection))

    async def CompleteInspection(
        self, request: inspections_pb.CompleteInspectionRequest, context: object
    ) -> inspections_pb.CompleteInspectionResponse:
        """See the proto. The fact that goes out completes the task of the case."""
        caller, now = current_caller(), utc_now()
        result = msgspec.convert(to_fields(request), Result)

        def decide(inspection: Inspection) -> Any:
            self._check_visible(inspection, caller)
            return operations.complete_inspection(inspection, result=result, by=caller, now=now)

        inspection = await self._inspections.change(request.inspection_id, decide, command=command_of(request, caller))
        return inspections_pb.CompleteInspectionResponse(inspection=to_message(inspection_pb2.Inspection, inspection))

    def _check_visible(self, inspection: Inspection, caller: Caller) -> None:
        """What lies outside the caller's area does not exist for them."""
        if not may_act_in(caller, inspection.area_code or inspection.city):
            raise self._inspections.form.not_found(inspection.inspection_id)


async def visible_place(places: Repository[Place], place_id: str) -> Place:
    """Returns a place of the caller's area. Raises NotFound."""
    place = await places.get(place_id)
    if not may_act_in(current_caller(), place.area_code):
        raise places.form.not_found(place_id)
    return place


def draft_of(message: place_pb2.PlaceDraft) -> PlaceDraft:
    """Returns the domain's draft of a message."""
    return msgspec.convert(to_fields(message), PlaceDraft)


def answers_of(messages: Iterable[inspections_pb.ItemAnswer]) -> list[ItemAnswer]:
    """Returns the domain's answers of messages."""
    return [msgspec.convert(to_fields(message), ItemAnswer) for message in messages]


def import_report(outcomes: Iterable[Place | BaseException]) -> places_pb.ImportPlacesResponse:
    """Returns the report of an import. Raises what is not about one row: a reused request id, a database that is away."""
    report = places_pb.ImportPlacesResponse()
    for row, outcome in enumerate(outcomes):
        match outcome:
            case Conflict(reason="ALREADY_EXISTS"):
                report.existing += 1
            case InvalidArgument() | PermissionDenied():
                report.errors.add(row=row, reason=outcome.reason, message=outcome.message)
            case BaseException():
                raise outcome
            case _:
                report.created += 1
    return report

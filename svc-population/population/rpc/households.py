"""HouseholdService."""

from __future__ import annotations

import asyncio

import msgspec
from binglian.population.v1 import resident_pb2, resident_service_pb2_grpc
from binglian.population.v1 import resident_service_pb2 as pb

from population import operations, store
from population.domain.household import Household, HouseholdDraft
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.entries import judge_all, part
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50


class HouseholdServicer(resident_service_pb2_grpc.HouseholdServiceServicer):
    """Households of the caller's area."""

    def __init__(self, *, households: Repository[Household]) -> None:
        self._households = households

    async def CreateHousehold(self, request: pb.CreateHouseholdRequest, context: object) -> pb.CreateHouseholdResponse:
        """See the proto."""
        household = _new(request.household)
        command = command_of(request, current_caller())
        household = await self._households.create(household.household_id, household, (), command=command)
        return pb.CreateHouseholdResponse(household=to_message(resident_pb2.Household, household))

    async def CreateHouseholds(self, request: pb.CreateHouseholdsRequest, context: object) -> pb.CreateHouseholdsResponse:
        """See the proto."""
        households = judge_all(request.households, lambda _, message: _new(message), field="households")
        command = command_of(request, current_caller())
        saved = await asyncio.gather(
            *(
                self._households.create(household.household_id, household, (), command=part(command, index))
                for index, household in enumerate(households)
            )
        )
        return pb.CreateHouseholdsResponse(household_ids=[household.household_id for household in saved])

    async def GetHousehold(self, request: pb.GetHouseholdRequest, context: object) -> pb.GetHouseholdResponse:
        """See the proto."""
        household = await self._households.get(request.household_id)
        if not may_act_in(current_caller(), household.area_code):
            raise self._households.form.not_found(request.household_id)
        return pb.GetHouseholdResponse(household=to_message(resident_pb2.Household, household))

    async def ListHouseholds(self, request: pb.ListHouseholdsRequest, context: object) -> pb.ListHouseholdsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListHouseholdsResponse()
        query |= {"house_id": request.house_id} if request.house_id else {}
        rows, token = await page_of(
            self._households.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        households = [to_message(resident_pb2.Household, row, id_field="household_id") for row in rows]
        return pb.ListHouseholdsResponse(households=households, next_page_token=token)


def _new(message: pb.HouseholdDraft) -> Household:
    draft = msgspec.convert(to_fields(message), HouseholdDraft)
    check_area(current_caller(), draft.area_code)
    return operations.create_household(draft=draft, household_id=new_id(), now=utc_now())[0]

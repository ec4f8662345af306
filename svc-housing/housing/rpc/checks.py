"""HouseCheckService."""

from __future__ import annotations

from typing import Any

import msgspec
from binglian.housing.v1 import house_check_pb2 as pb
from binglian.housing.v1 import house_check_pb2_grpc

from housing import operations, store
from housing.domain import Findings, House, HouseCheck, HouseCheckState
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import InvalidArgument, NotFound
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50


class HouseCheckServicer(house_check_pb2_grpc.HouseCheckServiceServicer):
    """House checks of the caller's area."""

    def __init__(self, *, checks: Repository[HouseCheck], houses: Repository[House]) -> None:
        self._checks = checks
        self._houses = houses

    async def GetHouseCheck(self, request: pb.GetHouseCheckRequest, context: object) -> pb.GetHouseCheckResponse:
        """See the proto."""
        check = await self._checks.get(request.check_id)
        if not may_act_in(current_caller(), check.area_code):
            raise self._checks.form.not_found(request.check_id)
        return pb.GetHouseCheckResponse(house_check=to_message(pb.HouseCheck, check))

    async def ListHouseChecks(self, request: pb.ListHouseChecksRequest, context: object) -> pb.ListHouseChecksResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListHouseChecksResponse()
        query |= {"state": to_fields(request).get("state", HouseCheckState.OPEN.value)}
        query |= {"task.case_id": request.case_id} if request.case_id else {}
        rows, token = await page_of(
            self._checks.collection,
            query=query,
            keys=("_id",),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        checks = [to_message(pb.HouseCheck, row, id_field="check_id") for row in rows]
        return pb.ListHouseChecksResponse(house_checks=checks, next_page_token=token)

    async def CompleteHouseCheck(self, request: pb.CompleteHouseCheckRequest, context: object) -> pb.CompleteHouseCheckResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        fields = to_fields(request)
        findings = msgspec.convert(fields, Findings)
        await self._check_house(findings.house_id)

        def decide(check: HouseCheck) -> Any:
            check_area(caller, check.area_code)
            return operations.complete_check(
                check,
                findings=findings,
                revision=request.revision,
                by=caller,
                happened_at=fields.get("happened_at"),
                now=now,
            )

        check = await self._checks.change(request.check_id, decide, command=command_of(request, caller))
        return pb.CompleteHouseCheckResponse(house_check=to_message(pb.HouseCheck, check))

    async def _check_house(self, house_id: str) -> None:
        """Raises InvalidArgument (HOUSE_UNKNOWN) unless the house is registered in the caller's area, or none is named."""
        if not house_id:
            return
        try:
            house = await self._houses.get(house_id)
        except NotFound:
            house = None
        if house is None or not may_act_in(current_caller(), house.area_code):
            raise InvalidArgument("There is no such house.", reason="HOUSE_UNKNOWN", field="house_id")

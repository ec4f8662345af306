"""VerificationService."""

from __future__ import annotations

from typing import Any

import msgspec
from binglian.population.v1 import verification_pb2 as pb
from binglian.population.v1 import verification_pb2_grpc

from population import operations, store
from population.domain.resident import Resident
from population.domain.verification import Findings, VerificationOrder, VerificationState
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import InvalidArgument
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50


class VerificationServicer(verification_pb2_grpc.VerificationServiceServicer):
    """Verification orders of the caller's area."""

    def __init__(self, *, orders: Repository[VerificationOrder], residents: Repository[Resident]) -> None:
        self._orders = orders
        self._residents = residents

    async def GetVerification(self, request: pb.GetVerificationRequest, context: object) -> pb.GetVerificationResponse:
        """See the proto."""
        order = await self._orders.get(request.order_id)
        if not may_act_in(current_caller(), order.area_code):
            raise self._orders.form.not_found(request.order_id)
        return pb.GetVerificationResponse(order=to_message(pb.VerificationOrder, order))

    async def ListVerifications(self, request: pb.ListVerificationsRequest, context: object) -> pb.ListVerificationsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListVerificationsResponse()
        query |= {"state": to_fields(request).get("state", VerificationState.OPEN.value)}
        query |= {"task.case_id": request.case_id} if request.case_id else {}
        rows, token = await page_of(
            self._orders.collection,
            query=query,
            keys=("_id",),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        orders = [to_message(pb.VerificationOrder, row, id_field="order_id") for row in rows]
        return pb.ListVerificationsResponse(orders=orders, next_page_token=token)

    async def CompleteVerification(
        self, request: pb.CompleteVerificationRequest, context: object
    ) -> pb.CompleteVerificationResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        fields = to_fields(request)
        findings = msgspec.convert(fields, Findings)
        await self._check_resident(findings.resident_id)

        def decide(order: VerificationOrder) -> Any:
            check_area(caller, order.area_code)
            return operations.complete_order(
                order,
                findings=findings,
                revision=request.revision,
                by=caller,
                happened_at=fields.get("happened_at"),
                now=now,
            )

        order = await self._orders.change(request.order_id, decide, command=command_of(request, caller))
        return pb.CompleteVerificationResponse(order=to_message(pb.VerificationOrder, order))

    async def _check_resident(self, resident_id: str) -> None:
        """Raises InvalidArgument (RESIDENT_UNKNOWN) unless the person is entered in the caller's area, or nobody is named."""
        if not resident_id:
            return
        own_area = current_caller().area
        if resident_id not in await store.known(self._residents.collection, [resident_id], own_area=own_area):
            raise InvalidArgument("There is no such resident.", reason="RESIDENT_UNKNOWN", field="resident_id")

"""NoticeService and RosterService."""

from __future__ import annotations

from typing import Any

import msgspec
from binglian.mediation.v1 import notice_pb2, notice_service_pb2_grpc
from binglian.mediation.v1 import notice_service_pb2 as pb

from mediation import notice_store as store
from mediation.domain.notice import Delivery, Duty, DutyDraft
from mediation.operations import deliveries, roster
from mediation.policies.roster import check_own_roster, department_bound
from mediation.quiet import Shift
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository

DEFAULT_PAGE = 50


class NoticeServicer(notice_service_pb2_grpc.NoticeServiceServicer):
    """What the caller is told, and the messages sent because of it."""

    def __init__(self, *, search: store.NoticeSearch, deliveries: Repository[Delivery], quiet: Shift) -> None:
        self._search = search
        self._deliveries = deliveries
        self._quiet = quiet

    async def ListNotices(self, request: pb.ListNoticesRequest, context: object) -> pb.ListNoticesResponse:
        """See the proto."""
        caller = current_caller()
        rows, token = await self._search.page(
            caller, unread_only=request.unread_only, token=request.page_token, size=request.page_size or DEFAULT_PAGE
        )
        notices = [to_message(notice_pb2.Notice, row) for row in rows]
        return pb.ListNoticesResponse(notices=notices, next_page_token=token, unread=await self._search.unread(caller))

    async def MarkRead(self, request: pb.MarkReadRequest, context: object) -> pb.MarkReadResponse:
        """See the proto."""
        caller = current_caller()
        await self._search.mark_read(caller, notice_ids=request.notice_ids, until=utc_now())
        return pb.MarkReadResponse(unread=await self._search.unread(caller))

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: object) -> pb.ListDeliveriesResponse:
        """See the proto."""
        fields = to_fields(request)
        query = store.in_area(current_caller())
        if query is not None and fields["states"]:
            query["state"] = {"$in": fields["states"]}
        if query is not None and "channel" in fields:
            query["channel"] = fields["channel"]
        rows, token = await store.listed(
            self._deliveries.collection,
            query=query,
            keys=store.NEWEST,
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(notice_pb2.Delivery, row, id_field="delivery_id") for row in rows]
        return pb.ListDeliveriesResponse(deliveries=found, next_page_token=token)

    async def ReplayDelivery(self, request: pb.ReplayDeliveryRequest, context: object) -> pb.ReplayDeliveryResponse:
        """See the proto."""
        caller, form = current_caller(), self._deliveries.form

        def decide(delivery: Delivery) -> tuple[Delivery, tuple[Any, ...]]:
            if not may_act_in(caller, delivery.area_code):
                raise form.not_found(delivery.delivery_id)
            return deliveries.replay(delivery, quiet=self._quiet, now=utc_now()), ()

        saved = await self._deliveries.change(request.delivery_id, decide, command=command_of(request, caller))
        return pb.ReplayDeliveryResponse(delivery=to_message(notice_pb2.Delivery, saved))


class RosterServicer(notice_service_pb2_grpc.RosterServiceServicer):
    """Who is on duty. `hosts` are those webhooks may call."""

    def __init__(self, *, duties: Repository[Duty], hosts: tuple[str, ...]) -> None:
        self._duties = duties
        self._hosts = hosts

    async def CreateDuty(self, request: pb.CreateDutyRequest, context: object) -> pb.CreateDutyResponse:
        """See the proto."""
        caller = current_caller()
        draft = _draft(request.duty)
        duty = roster.create_duty(draft=draft, duty_id=new_id(), hosts=self._hosts, now=utc_now())
        check_area(caller, duty.area_code)
        check_own_roster(caller, duty.department)
        saved = await self._duties.create(duty.duty_id, duty, (), command=command_of(request, caller))
        return pb.CreateDutyResponse(duty=to_message(notice_pb2.Duty, saved))

    async def GetDuty(self, request: pb.GetDutyRequest, context: object) -> pb.GetDutyResponse:
        """See the proto."""
        duty = await self._duties.get(request.duty_id)
        self._check_visible(duty)
        return pb.GetDutyResponse(duty=to_message(notice_pb2.Duty, duty))

    async def ListDuties(self, request: pb.ListDutiesRequest, context: object) -> pb.ListDutiesResponse:
        """See the proto."""
        rows, token = await store.listed(
            self._duties.collection,
            query=store.on_roster(current_caller(), prefix=request.area_prefix, department=request.department),
            keys=store.ROSTER,
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        duties = [to_message(notice_pb2.Duty, row, id_field="duty_id") for row in rows]
        return pb.ListDutiesResponse(duties=duties, next_page_token=token)

    async def UpdateDuty(self, request: pb.UpdateDutyRequest, context: object) -> pb.UpdateDutyResponse:
        """See the proto."""
        caller = current_caller()
        draft, fields = _draft(request.duty), to_fields(request)["update_mask"]

        def decide(duty: Duty) -> tuple[Duty, tuple[Any, ...]]:
            self._check_visible(duty)
            changed = roster.update_duty(
                duty, draft=draft, fields=fields, revision=request.revision, hosts=self._hosts, now=utc_now()
            )
            check_area(caller, changed.area_code)
            check_own_roster(caller, changed.department)
            return changed, ()

        saved = await self._duties.change(request.duty_id, decide, command=command_of(request, caller))
        return pb.UpdateDutyResponse(duty=to_message(notice_pb2.Duty, saved))

    async def RemoveDuty(self, request: pb.RemoveDutyRequest, context: object) -> pb.RemoveDutyResponse:
        """See the proto."""

        def decide(duty: Duty) -> tuple[Duty, tuple[Any, ...]]:
            self._check_visible(duty)
            return roster.remove_duty(duty, now=utc_now()), ()

        saved = await self._duties.change(request.duty_id, decide, command=command_of(request, current_caller()))
        return pb.RemoveDutyResponse(duty=to_message(notice_pb2.Duty, saved))

    def _check_visible(self, duty: Duty) -> None:
        """Raises NotFound for duties of other areas and, for people of a department, of other departments."""
        caller = current_caller()
        bound = department_bound(caller)
        if not may_act_in(caller, duty.area_code) or (bound is not None and duty.department != bound):
            raise self._duties.form.not_found(duty.duty_id)


def _draft(message: Any) -> DutyDraft:
    return msgspec.convert(to_fields(message), DutyDraft)

"""DataRightsService and MyDataService."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
from binglian.population.v1 import data_rights_pb2 as messages
from binglian.population.v1 import data_rights_service_pb2 as pb
from binglian.population.v1 import data_rights_service_pb2_grpc as grpc
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec.structs import replace
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from population import store
from population.domain.data_request import (
    DataDecision,
    DataRequest,
    DataRequestDraft,
    DataRequestState,
    PrivacyMarks,
    Requester,
)
from population.domain.resident import Resident
from population.operations import data_rights as operations
from population.policies.data_rights import ERASE, check_not_own_account, holds_link, marks_data
from population.policies.standing import check_here
from population.privacy.holdings import Holdings
from population.privacy.seen import accesses_page
from population.store.merges import merged_since
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import Command, command_of, utc_now
from svckit.errors import Conflict, FailedPrecondition, NotFound
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50
ACCOUNTS = "resident_accounts"
_DECEASED = "deceased"
Raw = dict[str, Any]


class Rights:
    """What both services do: requests, marks, copies, accesses."""

    def __init__(
        self,
        *,
        requests: Repository[DataRequest],
        marks: Repository[PrivacyMarks],
        residents: Repository[Resident],
        database: AsyncDatabase[Raw],
        holdings: Holdings,
    ) -> None:
        self.requests = requests
        self.marks = marks
        self.residents = residents
        self.holdings = holdings
        self.accounts = database[ACCOUNTS]
        self.entries = database["audit_entries"]
        self.merges = database["merges"]

    async def resident(self, resident_id: str) -> Resident:
        """Returns somebody of the caller's area. Raises NotFound."""
        resident = await self.residents.get(resident_id)
        if not may_act_in(current_caller(), resident.area_code):
            raise self.residents.form.not_found(resident_id)
        return resident

    async def mine(self) -> Resident:
        """Returns the resident the caller's account was linked to. Raises FailedPrecondition (ACCOUNT_NOT_LINKED, ACCOUNT_LINK_RESTS)."""
        link = await self.accounts.find_one({"_id": current_caller().subject})
        if link is None:
            raise FailedPrecondition(
                "Your account is not linked to the register yet: show your identity document at the community's counter.",
                reason="ACCOUNT_NOT_LINKED",
            )
        resident = await self.residents.get(link["resident_id"])
        if not holds_link(resident) or await merged_since(self.merges, resident.resident_id, link["linked_at"]):
            raise FailedPrecondition(
                "Your entry in the register is not the one your account was linked to: show your identity document at the counter again.",
                reason="ACCOUNT_LINK_RESTS",
            )
        return resident

    async def submit(self, request: Any, resident: Resident, draft: DataRequestDraft, *, online: bool) -> messages.DataRequest:
        """Enters a request and marks what is in dispute."""
        caller, now = current_caller(), utc_now()
        made, events = operations.submit(
            draft=draft,
            resident=resident,
            data_request_id=new_id(),
            deceased=getattr(resident.standing, "status", "") == _DECEASED,
            by=caller.subject,
            online=online,
            now=now,
        )
        saved = await self.requests.create(made.data_request_id, made, events, command=command_of(request, caller))
        await self.mark(saved)
        return shown(saved)

    async def mark(self, request: DataRequest) -> None:
        """Brings the person's marks to what the request asks for; repeating it changes nothing."""
        now = utc_now()
        if not marks_data(request):
            return
        for resident_id in await self.holdings.entries_of(request.resident_id):
            # The marks are made when the first request needs them; two at once make them once.
            with contextlib.suppress(Conflict):
                first = replace(operations.unmarked(request, now=now), resident_id=resident_id)
                await self.marks.create(resident_id, first, (), command=Command(f"marks:{resident_id}", ""))
            await self.marks.change(
                resident_id,
                lambda marks: (operations.marked(marks, request=request, now=now), ()),
                command=Command(f"marks:{request.data_request_id}:{request.state}", ""),
            )

    async def copy(self, resident: Resident) -> tuple[str, int, Timestamp]:
        """Everything about somebody."""
        text, count = await self.holdings.copy(resident.resident_id)
        at = Timestamp()
        at.FromDatetime(utc_now())
        return text, count, at


class DataRightsServicer(grpc.DataRightsServiceServicer):
    """Requests at the counter, and their decisions."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def SubmitDataRequest(self, request: pb.SubmitDataRequestRequest, context: object) -> pb.SubmitDataRequestResponse:
        """See the proto."""
        resident = await self._rights.resident(request.resident_id)
        draft = msgspec.convert(to_fields(request), DataRequestDraft)
        return pb.SubmitDataRequestResponse(data_request=await self._rights.submit(request, resident, draft, online=False))

    async def GetDataRequest(self, request: pb.GetDataRequestRequest, context: object) -> pb.GetDataRequestResponse:
        """See the proto."""
        found = await self._rights.requests.get(request.data_request_id)
        if not may_act_in(current_caller(), found.area_code):
            raise self._rights.requests.form.not_found(request.data_request_id)
        return pb.GetDataRequestResponse(data_request=shown(found))

    async def ListDataRequests(self, request: pb.ListDataRequestsRequest, context: object) -> pb.ListDataRequestsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListDataRequestsResponse()
        query |= {"state": state} if (state := to_fields(request).get("state")) else {}
        query |= {"resident_id": request.resident_id} if request.resident_id else {}
        if request.overdue:
            is_open = [DataRequestState.SUBMITTED.value, DataRequestState.GRANTED.value]
            query = {"$and": [query, {"due_at": {"$lt": utc_now()}, "state": {"$in": is_open}}]}
        rows, token = await self._page(request, query, ("due_at", "_id"))
        return pb.ListDataRequestsResponse(data_requests=rows, next_page_token=token)

    async def ListRetentionDuties(
        self, request: pb.ListRetentionDutiesRequest, context: object
    ) -> pb.ListRetentionDutiesResponse:
        """See the proto."""
        resident = await self._rights.resident(request.resident_id)
        duties = await self._rights.holdings.duties(resident.resident_id)
        return pb.ListRetentionDutiesResponse(duties=[to_message(messages.RetentionDuty, duty) for duty in duties])

    async def DecideDataRequest(self, request: pb.DecideDataRequestRequest, context: object) -> pb.DecideDataRequestResponse:
        """See the proto."""
        by, decision = current_caller().subject, DataDecision(to_fields(request)["decision"])
        changed = await self._change(
            request,
            lambda found, now: operations.decide(
                found, decision=decision, reason=request.reason, revision=request.revision, by=by, now=now
            ),
        )
        await self._rights.mark(changed)
        return pb.DecideDataRequestResponse(data_request=shown(changed))

    async def ExtendDataRequest(self, request: pb.ExtendDataRequestRequest, context: object) -> pb.ExtendDataRequestResponse:
        """See the proto."""
        changed = await self._change(
            request,
            lambda found, now: operations.extend(found, reason=request.reason, revision=request.revision, now=now),
        )
        return pb.ExtendDataRequestResponse(data_request=shown(changed))

    async def CarryOutDataRequest(
        self, request: pb.CarryOutDataRequestRequest, context: object
    ) -> pb.CarryOutDataRequestResponse:
        """The request is ended first and the person erased afterwards: repeated after a failure in between, it goes on."""
        found = await self._rights.requests.get(request.data_request_id)
        duties = await self._rights.holdings.duties(found.resident_id) if found.kind == ERASE else ()
        changed = await self._change(
            request,
            lambda each, now: operations.carry_out(each, duties=duties, done=request.done, revision=request.revision, now=now),
        )
        await self._rights.mark(changed)
        if changed.kind == ERASE and not changed.duties:
            await self._erase(changed)
        return pb.CarryOutDataRequestResponse(data_request=shown(changed))

    async def WithdrawDataRequest(
        self, request: pb.WithdrawDataRequestRequest, context: object
    ) -> pb.WithdrawDataRequestResponse:
        """See the proto."""
        changed = await self._change(request, lambda found, now: operations.withdraw(found, revision=request.revision, now=now))
        await self._rights.mark(changed)
        return pb.WithdrawDataRequestResponse(data_request=shown(changed))

    async def LiftRestriction(self, request: pb.LiftRestrictionRequest, context: object) -> pb.LiftRestrictionResponse:
        """See the proto."""
        resident, now = await self._rights.resident(request.resident_id), utc_now()
        command = command_of(request, current_caller())
        await self._rights.marks.change(resident.resident_id, lambda marks: operations.lift(marks, now=now), command=command)
        for other in (await self._rights.holdings.entries_of(resident.resident_id))[1:]:
            with contextlib.suppress(NotFound, FailedPrecondition):
                await self._rights.marks.change(other, lambda marks: operations.lift(marks, now=now), command=command)
        return pb.LiftRestrictionResponse()

    async def GetDataCopy(self, request: pb.GetDataCopyRequest, context: object) -> pb.GetDataCopyResponse:
        """See the proto."""
        text, count, at = await self._rights.copy(await self._rights.resident(request.resident_id))
        return pb.GetDataCopyResponse(json=text, documents=count, at=at)

    async def ListDataAccesses(self, request: pb.ListDataAccessesRequest, context: object) -> pb.ListDataAccessesResponse:
        """See the proto."""
        resident = await self._rights.resident(request.resident_id)
        entries = await self._rights.holdings.entries_of(resident.resident_id)
        found, token = await accesses_page(self._rights.entries, entries, request)
        return pb.ListDataAccessesResponse(accesses=found, next_page_token=token)

    async def LinkAccount(self, request: pb.LinkAccountRequest, context: object) -> pb.LinkAccountResponse:
        """See the proto."""
        caller = current_caller()
        check_not_own_account(request.account, by=caller.subject)
        resident = await self._rights.resident(request.resident_id)
        check_here(resident)
        link = {"_id": request.account, "resident_id": resident.resident_id}
        linked = {"$set": {"linked_by": caller.subject, "linked_at": utc_now()}}
        try:
            # Linked again to the same person, it was checked again.
            await self._rights.accounts.update_one(link, linked, upsert=True)
        except DuplicateKeyError:
            raise Conflict("This account belongs to somebody else.", reason="ACCOUNT_LINKED") from None
        return pb.LinkAccountResponse()

    async def UnlinkAccount(self, request: pb.UnlinkAccountRequest, context: object) -> pb.UnlinkAccountResponse:
        """See the proto."""
        resident = await self._rights.resident(request.resident_id)
        links: Raw = {"resident_id": {"$in": await self._rights.holdings.entries_of(resident.resident_id)}}
        links |= {"_id": request.account} if request.account else {}
        ended = await self._rights.accounts.delete_many(links)
        return pb.UnlinkAccountResponse(unlinked=ended.deleted_count)

    async def _change(self, request: Any, decide: Callable[[DataRequest, Any], Any]) -> DataRequest:
        caller, now = current_caller(), utc_now()

        def decided(found: DataRequest) -> Any:
            check_area(caller, found.area_code)
            return decide(found, now)

        return await self._rights.requests.change(request.data_request_id, decided, command=command_of(request, caller))

    async def _erase(self, request: DataRequest) -> None:
        now = utc_now()
        command = Command(f"erase:{request.data_request_id}", "")
        entries = await self._rights.holdings.entries_of(request.resident_id)
        for resident_id in entries:
            with contextlib.suppress(NotFound):
                await self._rights.residents.change(
                    resident_id, lambda each: operations.erase(each, cause="request", now=now), command=command
                )
        await self._rights.holdings.erase_elsewhere(entries)

    async def _page(self, request: Any, query: Raw, keys: tuple[str, ...]) -> tuple[list[messages.DataRequest], str]:
        rows = self._rights.requests.collection
        size = request.page_size or DEFAULT_PAGE
        found, token = await page_of(rows, query=query, keys=keys, token=request.page_token, size=size)
        return [shown_row(row) for row in found], token


class MyDataServicer(grpc.MyDataServiceServicer):
    """What residents do themselves."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def ListMyAccesses(self, request: pb.ListMyAccessesRequest, context: object) -> pb.ListMyAccessesResponse:
        """See the proto."""
        me = await self._rights.mine()
        entries = await self._rights.holdings.entries_of(me.resident_id)
        found, token = await accesses_page(self._rights.entries, entries, request)
        return pb.ListMyAccessesResponse(accesses=found, next_page_token=token)

    async def GetMyData(self, request: pb.GetMyDataRequest, context: object) -> pb.GetMyDataResponse:
        """See the proto."""
        text, count, at = await self._rights.copy(await self._rights.mine())
        return pb.GetMyDataResponse(json=text, documents=count, at=at)

    async def SubmitMyDataRequest(
        self, request: pb.SubmitMyDataRequestRequest, context: object
    ) -> pb.SubmitMyDataRequestResponse:
        """See the proto."""
        draft = msgspec.convert({**to_fields(request), "requester": Requester.SELF.value}, DataRequestDraft)
        made = await self._rights.submit(request, await self._rights.mine(), draft, online=True)
        return pb.SubmitMyDataRequestResponse(data_request=made)

    async def ListMyDataRequests(self, request: pb.ListMyDataRequestsRequest, context: object) -> pb.ListMyDataRequestsResponse:
        """See the proto."""
        me = await self._rights.mine()
        rows, token = await page_of(
            self._rights.requests.collection,
            query={"resident_id": me.resident_id},
            keys=("-submitted_at", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        return pb.ListMyDataRequestsResponse(data_requests=[shown_row(row) for row in rows], next_page_token=token)


def shown(request: DataRequest) -> messages.DataRequest:
    """Returns a request as its message."""
    return to_message(messages.DataRequest, request)


def shown_row(row: Raw) -> messages.DataRequest:
    """Returns a stored request as its message."""
    return to_message(messages.DataRequest, row, id_field="data_request_id")

"""WelfareService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import msgspec
from binglian.population.v1 import welfare_pb2 as pb
from binglian.population.v1 import welfare_pb2_grpc as grpc_pb

from population import store
from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.domain.verification import Attachment
from population.domain.welfare import AlertCause, AlertStage, WelfareState, WelfareWatch
from population.operations import welfare as operations
from population.policies.residences import lasting_residences
from population.policies.standing import check_here
from population.policies.welfare import check_drawn_day, check_waterworks
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50
CHUNK = 500
_OPEN_STAGES = [AlertStage.CALL.value, AlertStage.VISIT.value, AlertStage.HELP.value]


class WelfareServicer(grpc_pb.WelfareServiceServicer):
    """Houses of the caller's area that are looked after."""

    def __init__(self, *, watches: Repository[WelfareWatch], residents: Repository[Resident], vault: Vault) -> None:
        self._watches = watches
        self._residents = residents
        self._vault = vault

    async def StartWatch(self, request: pb.StartWatchRequest, context: object) -> pb.StartWatchResponse:
        """See the proto."""
        caller, watch_id = current_caller(), new_id()
        resident = await self._residents.get(request.resident_id)
        if not may_act_in(caller, resident.area_code):
            raise self._residents.form.not_found(request.resident_id)
        check_here(resident)
        homes = lasting_residences(resident.residences, ResidenceKind.ACTUAL)
        residence = next((one for one in homes if one.house_id == request.house_id), None)
        if residence is None:
            raise FailedPrecondition("The person does not live in that house.", reason="LIVES_ELSEWHERE")
        if not request.consent.sha256:
            raise InvalidArgument(
                "The signed consent needs the hash of its picture.", reason="CONSENT_MISSING", field="consent.sha256"
            )
        contacts = self._vault.seal(request.contacts, field="contacts", owner=watch_id) if request.contacts else None
        watch, events = operations.start_watch(
            watch_id=watch_id,
            resident_id=request.resident_id,
            house_id=request.house_id,
            area_code=residence.area_code,
            consent=msgspec.convert(to_fields(request.consent), Attachment),
            contacts=contacts,
            now=utc_now(),
        )
        try:
            watch = await self._watches.create(watch_id, watch, events, command=command_of(request, caller))
        except Conflict as error:
            raise Conflict("This house is looked after already.", reason="WATCHED_ALREADY") from error
        return pb.StartWatchResponse(watch=self._shown(watch))

    async def EndWatch(self, request: pb.EndWatchRequest, context: object) -> pb.EndWatchResponse:
        """See the proto."""
        decide = partial(operations.end_watch, by=current_caller(), now=utc_now())
        return pb.EndWatchResponse(watch=await self._change(request, decide))

    async def NoteAbsence(self, request: pb.NoteAbsenceRequest, context: object) -> pb.NoteAbsenceResponse:
        """See the proto."""
        decide = partial(operations.note_absence, away_until=request.away_until, now=utc_now())
        return pb.NoteAbsenceResponse(watch=await self._change(request, decide))

    async def RaiseAlert(self, request: pb.RaiseAlertRequest, context: object) -> pb.RaiseAlertResponse:
        """See the proto."""
        cause = AlertCause(to_fields(request)["cause"])
        decide = partial(operations.raise_alert, cause=cause, alert_id=new_id(), now=utc_now())
        return pb.RaiseAlertResponse(watch=await self._change(request, decide))

    async def TakeStep(self, request: pb.TakeStepRequest, context: object) -> pb.TakeStepResponse:
        """See the proto."""
        fields = to_fields(request)
        decide = partial(
            operations.take_step,
            stage=AlertStage(fields["stage"]),
            well=request.well,
            result=request.result,
            evidence=msgspec.convert(fields.get("evidence", ()), tuple[Attachment, ...]),
            by=current_caller(),
            now=utc_now(),
        )
        return pb.TakeStepResponse(watch=await self._change(request, decide))

    async def GetWatch(self, request: pb.GetWatchRequest, context: object) -> pb.GetWatchResponse:
        """See the proto."""
        watch = await self._watches.get(request.watch_id)
        if not may_act_in(current_caller(), watch.area_code):
            raise self._watches.form.not_found(request.watch_id)
        return pb.GetWatchResponse(watch=self._shown(watch))

    async def ListWatches(self, request: pb.ListWatchesRequest, context: object) -> pb.ListWatchesResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListWatchesResponse()
        query |= {"state": WelfareState.ACTIVE.value}
        query |= {"alert.stage": {"$in": _OPEN_STAGES}} if request.alerting else {}
        rows, token = await page_of(
            self._watches.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [self._shown(self._watches.form.state(row)) for row in rows]
        return pb.ListWatchesResponse(watches=found, next_page_token=token)

    async def PushDrawn(self, requests: AsyncIterator[pb.PushDrawnRequest], context: object) -> pb.PushDrawnResponse:
        """See the proto."""
        check_waterworks(current_caller())
        outcome, chunk = pb.PushDrawnResponse(), []
        async for request in requests:
            chunk.append(request)
            if len(chunk) == CHUNK:
                await self._hear(chunk, outcome)
                chunk = []
        await self._hear(chunk, outcome)
        return outcome

    async def _hear(self, chunk: Sequence[pb.PushDrawnRequest], outcome: pb.PushDrawnResponse) -> None:
        """Of houses nobody signed up for not even the number is kept."""
        now = utc_now()
        query = {"house_id": {"$in": [one.house_id for one in chunk]}, "state": WelfareState.ACTIVE.value}
        watched: dict[str, list[str]] = {}
        async for row in self._watches.collection.find(query, {"house_id": True, "area_code": True}):
            if may_act_in(current_caller(), row["area_code"]):
                watched.setdefault(row["house_id"], []).append(row["_id"])
        hearing = []
        for one in sorted(chunk, key=lambda one: one.day):
            outcome.received += 1
            try:
                check_drawn_day(one.day, now=now)
            except InvalidArgument:
                outcome.refused_count += 1
                continue
            for watch_id in watched.get(one.house_id, ()):
                decide = partial(operations.hear_of_day, day=one.day, drawn=one.drawn, alert_id=new_id(), now=now)
                hearing.append(self._watches.upsert(watch_id, _if_there(decide), command=None))
        await asyncio.gather(*hearing)

    async def _change(self, request: Any, decide: Any) -> pb.WelfareWatch:
        caller = current_caller()

        def decide_in_area(watch: WelfareWatch) -> Any:
            check_area(caller, watch.area_code)
            return decide(watch)

        watch = await self._watches.change(request.watch_id, decide_in_area, command=command_of(request, caller))
        return self._shown(watch)

    def _shown(self, watch: WelfareWatch) -> pb.WelfareWatch:
        fields = msgspec.structs.asdict(watch)
        sealed = fields.pop("contacts")
        opened = self._vault.open(sealed.cipher, field="contacts", owner=watch.watch_id) if sealed else ""
        return to_message(pb.WelfareWatch, {**fields, "contacts": opened})


def _if_there(decide: Any) -> Any:
    """A watch that is gone meanwhile hears nothing."""
    return lambda watch: (None, ()) if watch is None else decide(watch)

"""LifeEventService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from functools import partial
from typing import Any

import msgspec
from binglian.population.v1 import life_event_pb2 as pb
from binglian.population.v1 import life_event_pb2_grpc as grpc_pb

from population import store
from population.department_feed import CHUNK
from population.domain.life_event import LifeEvent, LifeEventOutcome, LifeEventReport, LifeEventState, Subject
from population.domain.resident import Resident
from population.domain.verification import Attachment
from population.life_event_feed import FOUND, LifeEventFeedReport, people_of, subject_of
from population.operations import life_events as operations
from population.policies.life_events import check_report, check_source, rule_of
from population.policies.requests import local_day
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import ServiceError
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50
GRID = "GRID"


class LifeEventServicer(grpc_pb.LifeEventServiceServicer):
    """Life events of the caller's area."""

    def __init__(
        self,
        *,
        events: Repository[LifeEvent],
        residents: Repository[Resident],
        vault: Vault,
        election_day: date | None,
    ) -> None:
        self._events = events
        self._residents = residents
        self._vault = vault
        self._election_day = election_day

    async def ReportLifeEvent(self, request: pb.ReportLifeEventRequest, context: object) -> pb.ReportLifeEventResponse:
        """See the proto."""
        caller = current_caller()
        report = report_of(request.report)
        check_source(rule_of(report.rule), caller)
        check_report(report, today=local_day(utc_now()))
        (subject,) = await self._subjects([report])
        event = await self._receive(report, subject)
        return pb.ReportLifeEventResponse(life_event=to_message(pb.LifeEvent, event))

    async def PushLifeEvents(
        self, requests: AsyncIterator[pb.PushLifeEventsRequest], context: object
    ) -> pb.PushLifeEventsResponse:
        """See the proto."""
        outcome = LifeEventFeedReport(refused=[])
        chunk: list[tuple[int, LifeEventReport]] = []
        row = 0
        async for request in requests:
            chunk.append((row, report_of(request.report)))
            row += 1
            if len(chunk) == CHUNK:
                await self._take(chunk, outcome)
                chunk = []
        await self._take(chunk, outcome)
        return to_message(pb.PushLifeEventsResponse, outcome)

    async def GetLifeEvent(self, request: pb.GetLifeEventRequest, context: object) -> pb.GetLifeEventResponse:
        """See the proto."""
        event = await self._events.get(request.life_event_id)
        if not may_act_in(current_caller(), event.area_code):
            raise self._events.form.not_found(request.life_event_id)
        return pb.GetLifeEventResponse(life_event=to_message(pb.LifeEvent, event))

    async def ListLifeEvents(self, request: pb.ListLifeEventsRequest, context: object) -> pb.ListLifeEventsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListLifeEventsResponse()
        query |= {"state": to_fields(request).get("state", LifeEventState.OPEN.value)}
        query |= {name: value for name in ("rule", "resident_id") if (value := getattr(request, name))}
        rows, token = await page_of(
            self._events.collection,
            query=query,
            keys=("due_at", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(pb.LifeEvent, row, id_field="life_event_id") for row in rows]
        return pb.ListLifeEventsResponse(life_events=found, next_page_token=token)

    async def CompleteLifeEvent(self, request: pb.CompleteLifeEventRequest, context: object) -> pb.CompleteLifeEventResponse:
        """See the proto."""
        fields = to_fields(request)
        decide = partial(
            operations.complete_life_event,
            outcome=LifeEventOutcome(fields["outcome"]),
            result=request.result,
            evidence=msgspec.convert(fields.get("evidence", ()), tuple[Attachment, ...]),
            revision=request.revision,
            by=current_caller(),
            happened_at=fields.get("happened_at"),
            now=utc_now(),
        )
        return pb.CompleteLifeEventResponse(life_event=await self._change(request, decide))

    async def CancelLifeEvent(self, request: pb.CancelLifeEventRequest, context: object) -> pb.CancelLifeEventResponse:
        """See the proto."""
        decide = partial(operations.cancel_life_event, reason=request.reason, now=utc_now())
        return pb.CancelLifeEventResponse(life_event=await self._change(request, decide))

    async def WithdrawLifeEvent(self, request: pb.WithdrawLifeEventRequest, context: object) -> pb.WithdrawLifeEventResponse:
        """See the proto."""
        decide = partial(operations.withdraw_life_event, now=utc_now())
        return pb.WithdrawLifeEventResponse(life_event=await self._change(request, decide))

    async def _change(self, request: Any, decide: Any) -> pb.LifeEvent:
        caller = current_caller()

        def decide_in_area(event: LifeEvent) -> Any:
            check_area(caller, event.area_code)
            if caller.department:
                check_source(rule_of(event.rule), caller)
            return decide(event)

        event = await self._events.change(request.life_event_id, decide_in_area, command=command_of(request, caller))
        return to_message(pb.LifeEvent, event)

    async def _subjects(self, reports: Sequence[LifeEventReport]) -> list[Subject]:
        area = current_caller().area
        query = people_of(reports, area=area, vault=self._vault)
        rows = await self._residents.collection.find(query, FOUND).to_list() if query else []
        return [subject_of(report, rows=rows, area=area, vault=self._vault) for report in reports]

    async def _receive(self, report: LifeEventReport, subject: Subject) -> LifeEvent:
        decide = partial(
            operations.receive,
            report=report,
            subject=subject,
            source=current_caller().department or GRID,
            election_day=self._election_day,
            now=utc_now(),
        )
        # Its id is that of what happened: told again by anybody it is the same, so no command has to be remembered.
        return await self._events.upsert(operations.life_event_id(report, subject), decide, command=None)

    async def _take(self, chunk: Sequence[tuple[int, LifeEventReport]], outcome: LifeEventFeedReport) -> None:
        caller, today, begun = current_caller(), local_day(utc_now()), utc_now()
        sound = []
        for row, report in chunk:
            outcome.received += 1
            try:
                check_source(check_report(report, today=today), caller)
            except ServiceError as error:
                outcome.refuse(row, error)
            else:
                sound.append((row, report))
        subjects = await self._subjects([report for _, report in sound])
        saving = [self._receive(report, subject) for (_, report), subject in zip(sound, subjects, strict=True)]
        opened: set[str] = set()
        for (row, _), saved in zip(sound, await asyncio.gather(*saving, return_exceptions=True), strict=True):
            if isinstance(saved, ServiceError):
                outcome.refuse(row, saved)
            elif isinstance(saved, BaseException):
                raise saved
            elif saved.received_at >= begun and saved.life_event_id not in opened:
                opened.add(saved.life_event_id)
                outcome.opened += 1
            else:
                outcome.repeated_events += 1


def report_of(message: pb.LifeEventReport) -> LifeEventReport:
    """Returns a report as the domain has it."""
    return msgspec.convert(to_fields(message), LifeEventReport)

"""CollectionService: proposals of the grid, records of departments, checks and conflicts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from binglian.population.v1 import collection_pb2
from binglian.population.v1 import collection_service_pb2 as pb
from binglian.population.v1 import collection_service_pb2_grpc as grpc_pb

from population import store
from population.department_feed import (
    CHUNK,
    DepartmentRecord,
    FeedReport,
    Source,
    command_for,
    decision,
    judged,
    query_of,
    registered_of,
)
from population.domain.collection import ConflictChoice, FieldEdit, FieldLedger, FieldValue, Registered
from population.domain.resident import Resident
from population.domain.verification import Attachment
from population.operations import collection as operations
from population.policies.standing import check_here
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import NotFound, PermissionDenied, ServiceError
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50


class CollectionServicer(grpc_pb.CollectionServiceServicer):
    """Fields of residents of the caller's area, with their sources."""

    def __init__(self, *, ledgers: Repository[FieldLedger], residents: Repository[Resident], vault: Vault) -> None:
        self._ledgers = ledgers
        self._residents = residents
        self._vault = vault

    async def SubmitFields(self, request: pb.SubmitFieldsRequest, context: object) -> pb.SubmitFieldsResponse:
        """See the proto."""
        caller, now, fields = current_caller(), utc_now(), to_fields(request)
        resident = await self._resident(request.resident_id)
        registered = registered_of(resident, self._vault)
        edits = msgspec.convert(fields["edits"], list[FieldEdit])

        def decide(ledger: FieldLedger | None) -> Any:
            check_here(resident)
            return operations.submit_fields(
                ledger,
                registered=registered,
                edits=edits,
                by=caller,
                observed_at=fields.get("observed_at"),
                check_id=new_id(),
                texts=self._vault,
                now=now,
            )

        ledger = await self._ledgers.upsert(request.resident_id, decide, command=command_of(request, caller))
        outcomes = [
            to_message(pb.SubmitFieldsResponse.Outcome, {"field": edit.field, "outcome": operations.outcome_of(ledger, edit)})
            for edit in edits
        ]
        return pb.SubmitFieldsResponse(outcomes=outcomes, ledger=self._shown(ledger))

    async def GetFieldLedger(self, request: pb.GetFieldLedgerRequest, context: object) -> pb.GetFieldLedgerResponse:
        """See the proto."""
        registered = await self._registered(request.resident_id)
        try:
            ledger = await self._ledgers.get(request.resident_id)
        except NotFound:
            # Nobody said anything yet: there is what the register has.
            ledger = operations.begin_ledger(registered=registered, texts=self._vault, now=utc_now())
        return pb.GetFieldLedgerResponse(ledger=self._shown(ledger))

    async def ListFieldChecks(self, request: pb.ListFieldChecksRequest, context: object) -> pb.ListFieldChecksResponse:
        """See the proto."""
        open_ones = {"check_due_at": {"$type": "date"}}
        ledgers, token = await self._page(request, open_ones, ("check_due_at", "_id"))
        return pb.ListFieldChecksResponse(ledgers=ledgers, next_page_token=token)

    async def ListFieldConflicts(self, request: pb.ListFieldConflictsRequest, context: object) -> pb.ListFieldConflictsResponse:
        """See the proto."""
        ledgers, token = await self._page(request, {"conflicts": {"$gt": 0}}, ("area_code", "_id"))
        return pb.ListFieldConflictsResponse(ledgers=ledgers, next_page_token=token)

    async def CompleteFieldCheck(self, request: pb.CompleteFieldCheckRequest, context: object) -> pb.CompleteFieldCheckResponse:
        """See the proto."""
        caller, now, fields = current_caller(), utc_now(), to_fields(request)
        registered = await self._registered(request.resident_id)
        found = msgspec.convert(fields.get("found", []), list[FieldValue])
        evidence = msgspec.convert(fields["evidence"], tuple[Attachment, ...])

        def decide(ledger: FieldLedger) -> Any:
            return operations.complete_check(
                ledger,
                registered=registered,
                check_id=request.check_id,
                found=found,
                declined=list(request.declined),
                evidence=evidence,
                revision=request.revision,
                by=caller,
                happened_at=fields.get("happened_at"),
                texts=self._vault,
                now=now,
            )

        ledger = await self._ledgers.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.CompleteFieldCheckResponse(ledger=self._shown(ledger))

    async def ResolveFieldConflict(
        self, request: pb.ResolveFieldConflictRequest, context: object
    ) -> pb.ResolveFieldConflictResponse:
        """See the proto."""
        caller, now, fields = current_caller(), utc_now(), to_fields(request)

        def decide(ledger: FieldLedger) -> Any:
            check_area(caller, ledger.area_code)
            return operations.resolve_conflict(
                ledger,
                field=request.field,
                choice=ConflictChoice(fields["choice"]),
                revision=request.revision,
                by=caller,
                check_id=new_id(),
                texts=self._vault,
                now=now,
            )

        ledger = await self._ledgers.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.ResolveFieldConflictResponse(ledger=self._shown(ledger))

    async def PushRecords(self, requests: AsyncIterator[pb.PushRecordsRequest], context: object) -> pb.PushRecordsResponse:
        """See the proto."""
        source: Source | None = None
        report, chunk, row = FeedReport(refused=[]), [], 0
        async for request in requests:
            source = source or feeding(request.request_id)
            chunk.append((row, record_of(request.record)))
            row += 1
            if len(chunk) == CHUNK:
                await self._take(chunk, source, report)
                chunk = []
        if chunk and source:
            await self._take(chunk, source, report)
        return pb.PushRecordsResponse(report=to_message(pb.FeedReport, report))

    async def PushRecordBatch(self, request: pb.PushRecordBatchRequest, context: object) -> pb.PushRecordBatchResponse:
        """See the proto."""
        report, source = FeedReport(refused=[]), feeding(request.request_id)
        records = list(enumerate(record_of(record) for record in request.records))
        for start in range(0, len(records), CHUNK):
            await self._take(records[start : start + CHUNK], source, report)
        return pb.PushRecordBatchResponse(report=to_message(pb.FeedReport, report))

    async def _take(self, chunk: Sequence[tuple[int, DepartmentRecord]], source: Source, report: FeedReport) -> None:
        now = utc_now()
        query = query_of(chunk, source=source, vault=self._vault)
        rows = await self._residents.collection.find(query, store.OWNED_BY_STORE).to_list()
        found = judged(chunk, rows=rows, source=source, vault=self._vault, report=report, now=now)
        saving = (
            self._ledgers.upsert(
                item.registered.resident_id,
                decision(item, source=source, vault=self._vault, now=now),
                command=command_for(item, source=source, vault=self._vault),
            )
            for item in found
        )
        for item, outcome in zip(found, await asyncio.gather(*saving, return_exceptions=True), strict=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, ServiceError):
                raise outcome
            report.settle(item, outcome)

    async def _registered(self, resident_id: str) -> Registered:
        return registered_of(await self._resident(resident_id), self._vault)

    async def _resident(self, resident_id: str) -> Resident:
        resident = await self._residents.get(resident_id)
        if not may_act_in(current_caller(), resident.area_code):
            raise self._residents.form.not_found(resident_id)
        return resident

    async def _page(
        self, request: Any, condition: Mapping[str, Any], keys: tuple[str, ...]
    ) -> tuple[list[collection_pb2.FieldLedger], str]:
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return [], ""
        rows, token = await page_of(
            self._ledgers.collection,
            query=query | dict(condition),
            keys=keys,
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        return [self._shown(self._ledgers.form.state(row)) for row in rows], token

    def _shown(self, ledger: FieldLedger) -> collection_pb2.FieldLedger:
        """The ledger in clear text; the server masks it unless the caller stated a purpose."""
        message = to_message(collection_pb2.FieldLedger, ledger)
        for shown, entry in zip(message.entries, ledger.entries, strict=True):
            self._open(shown, entry, ledger.resident_id)
        return message

    def _open(self, shown: collection_pb2.FieldEntry, entry: Any, owner: str) -> None:
        places = [(shown.accepted, entry.accepted)]
        places += zip(shown.observations, entry.observations, strict=True)
        places += zip(shown.overridden, entry.overridden, strict=True)
        if entry.conflict:
            places += [(shown.conflict.present, entry.conflict.present), (shown.conflict.late, entry.conflict.late)]
            if entry.conflict.seen_secret:
                cipher = entry.conflict.seen_secret.cipher
                shown.conflict.seen = self._vault.open(cipher, field=entry.field, owner=owner)
        for message, source in places:
            if source.secret:
                message.value = self._vault.open(source.secret.cipher, field=entry.field, owner=owner)


def feeding(feed: str) -> Source:
    """Returns who feeds. Raises PermissionDenied (DEPARTMENT_MISSING): only a department has records of its own."""
    caller = current_caller()
    if not caller.department:
        raise PermissionDenied("Only a department can send its records.", reason="DEPARTMENT_MISSING")
    return Source(department=caller.department, by=caller.subject, area=caller.area, feed=feed)


def record_of(message: pb.DepartmentRecord) -> DepartmentRecord:
    """Returns a record as the domain has it."""
    fields: dict[str, Any] = to_fields(message)
    as_of: datetime | None = fields.get("as_of")
    return DepartmentRecord(
        id_number=message.id_number, fields=msgspec.convert(fields["fields"], tuple[FieldValue, ...]), as_of=as_of
    )

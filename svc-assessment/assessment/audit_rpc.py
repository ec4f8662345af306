"""LedgerAuditService."""

from __future__ import annotations

from typing import Any

from binglian.assessment.v1 import ledger_audit_service_pb2 as pb
from binglian.assessment.v1.ledger_audit_service_pb2_grpc import LedgerAuditServiceServicer

from svckit.access import current_caller
from svckit.audits import AuditKind, AuditLog, shown_to, wanted
from svckit.messages import to_fields, to_message

PAGE_SIZE = 50


class LedgerAudits(LedgerAuditServiceServicer):
    """What auditors read of exports of the time ledger."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    async def ListLedgerAuditEntries(
        self, request: pb.ListLedgerAuditEntriesRequest, context: object
    ) -> pb.ListLedgerAuditEntriesResponse:
        """Returns a page of records; that somebody looked is one as well."""
        caller, fields = current_caller(), to_fields(request)
        kinds = [AuditKind.EXPORT] if request.exports_only else []
        asked = wanted(kinds=kinds, by=request.by, since=fields.get("since"), before=fields.get("before"))
        where: dict[str, Any] = {"$and": [shown_to(caller), asked]}
        rows, token = await self._log.page(where, token=request.page_token, size=request.page_size or PAGE_SIZE)
        await self._log.begin(caller, kind=AuditKind.AUDIT_READ, what="audits", query=request, rows=len(rows), complete=True)
        entries = [to_message(pb.LedgerAuditEntry, row, id_field="entry_id") for row in rows]
        return pb.ListLedgerAuditEntriesResponse(entries=entries, next_page_token=token)

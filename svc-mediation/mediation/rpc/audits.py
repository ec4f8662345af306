"""AuditService."""

from __future__ import annotations

from typing import Any

from binglian.mediation.v1 import audit_pb2, audit_service_pb2_grpc
from binglian.mediation.v1 import audit_service_pb2 as pb

from mediation.rpc.translate import instant
from svckit.access import current_caller
from svckit.audits import AuditKind, AuditLog, shown_to, wanted
from svckit.messages import to_fields, to_message

DEFAULT_PAGE = 50


class AuditServicer(audit_service_pb2_grpc.AuditServiceServicer):
    """What auditors read."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    async def ListAuditEntries(self, request: Any, context: Any) -> Any:
        """Returns a page of records; that somebody looked is one as well."""
        caller = current_caller()
        asked = wanted(
            kinds=to_fields(request)["kinds"],
            by=request.by,
            since=instant(request.since, field="since") if request.HasField("since") else None,
            before=instant(request.before, field="before") if request.HasField("before") else None,
        )
        where = {"$and": [shown_to(caller), asked]}
        rows, token = await self._log.page(where, token=request.page_token, size=request.page_size or DEFAULT_PAGE)
        await self._log.begin(caller, kind=AuditKind.AUDIT_READ, what="audits", query=request, rows=len(rows), complete=True)
        entries = [to_message(audit_pb2.AuditEntry, row, id_field="entry_id") for row in rows]
        return pb.ListAuditEntriesResponse(entries=entries, next_page_token=token)

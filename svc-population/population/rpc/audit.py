"""DataAuditService."""

from __future__ import annotations

from typing import Any

from binglian.population.v1 import data_rights_pb2 as messages
from binglian.population.v1 import data_rights_service_pb2 as pb
from binglian.population.v1 import data_rights_service_pb2_grpc as grpc
from pymongo.asynchronous.database import AsyncDatabase

from population.domain.audit_alert import AuditAlert, AuditAlertState
from population.operations.audit_alerts import close_alert
from population.privacy.rules import rules
from population.privacy.seen import DEFAULT_PAGE, entries_page
from svckit.access import current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.messages import to_fields, to_message
from svckit.paging import code_range, narrowed, page_of
from svckit.store import Repository


class AuditServicer(grpc.DataAuditServiceServicer):
    """The audit trail of the caller's area, its alerts, and what retention did."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], *, alerts: Repository[AuditAlert]) -> None:
        self._alerts = alerts
        self._entries = database["audit_entries"]
        self._runs = database["retention_runs"]

    async def ListDataAuditEntries(
        self, request: pb.ListDataAuditEntriesRequest, context: object
    ) -> pb.ListDataAuditEntriesResponse:
        """See the proto."""
        query = condition(request, own=current_caller().area)
        if query is None:
            return pb.ListDataAuditEntriesResponse()
        entries, token = await entries_page(self._entries, query, request)
        return pb.ListDataAuditEntriesResponse(entries=entries, next_page_token=token)

    async def ListAuditAlerts(self, request: pb.ListAuditAlertsRequest, context: object) -> pb.ListAuditAlertsResponse:
        """See the proto."""
        prefix = narrowed(own=current_caller().area, wanted=request.area_prefix)
        if prefix is None:
            return pb.ListAuditAlertsResponse()
        query: dict[str, Any] = {"state": to_fields(request).get("state", AuditAlertState.OPEN.value)}
        query |= {"area_code": code_range(prefix)} if prefix else {}
        query |= {name: value for name in ("subject", "event") if (value := getattr(request, name))}
        found, token = await page_of(
            self._alerts.collection,
            query=query,
            keys=("-raised_at", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        alerts = [to_message(messages.AuditAlert, row, id_field="alert_id") for row in found]
        return pb.ListAuditAlertsResponse(alerts=alerts, next_page_token=token)

    async def CloseAuditAlert(self, request: pb.CloseAuditAlertRequest, context: object) -> pb.CloseAuditAlertResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()

        def decide(alert: AuditAlert) -> Any:
            if not may_act_in(caller, alert.area_code):
                raise self._alerts.form.not_found(alert.alert_id)
            return close_alert(alert, finding=request.finding, by=caller, now=now)

        alert = await self._alerts.change(request.alert_id, decide, command=command_of(request, caller))
        return pb.CloseAuditAlertResponse(alert=to_message(messages.AuditAlert, alert))

    async def ListRetentionRuns(self, request: pb.ListRetentionRunsRequest, context: object) -> pb.ListRetentionRunsResponse:
        """See the proto."""
        size = request.page_size or DEFAULT_PAGE
        found, token = await page_of(self._runs, query={}, keys=("-day", "_id"), token=request.page_token, size=size)
        known = rules().rules
        runs = [
            to_message(messages.RetentionRun, row | {"basis": known[row["rule"]].basis if row["rule"] in known else ""})
            for row in found
        ]
        return pb.ListRetentionRunsResponse(runs=runs, next_page_token=token)


def condition(request: pb.ListDataAuditEntriesRequest, *, own: str) -> dict[str, Any] | None:
    """Returns the filter of a search in the trail, None when nothing can fulfil it. Callers of other areas stay hidden."""
    prefix = narrowed(own=own, wanted=request.area_prefix)
    if prefix is None:
        return None
    query: dict[str, Any] = {"area": code_range(prefix)} if prefix else {}
    query |= {name: value for name in ("subject", "event") if (value := getattr(request, name))}
    query |= {"residents": request.resident_id} if request.resident_id else {}
    fields = to_fields(request)
    times = {mark: fields[name] for mark, name in (("$gte", "since"), ("$lt", "before")) if fields.get(name)}
    return query | ({"at": times} if times else {})

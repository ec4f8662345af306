"""gRPC servicer: translate, ask, translate back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from binglian.assessment.v1 import assessment_service_pb2 as pb
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceServicer
from binglian.assessment.v1.ledger_pb2 import CaseLedger as CaseLedgerMessage
from binglian.type.v1.file_pb2 import FilePart

from assessment import operations, store, tables
from assessment.domain import CaseLedger, CategoryComparison, CriticalMinutes
from assessment.policies import category_hidden_from, is_hidden, period_of
from svckit.access import current_caller, may_act_in
from svckit.audits import AuditKind, AuditLog
from svckit.documents import utc_now
from svckit.messages import to_message
from svckit.paging import page_of
from svckit.store import Repository

PAGE_SIZE = 50
# Ledgers in one piece of a file: some 100 KB.
EXPORT_BATCH = 500
_TABLES = {
    pb.LEDGER_TABLE_UNSPECIFIED: tables.CASES,
    pb.LEDGER_TABLE_CASES: tables.CASES,
    pb.LEDGER_TABLE_TASKS: tables.TASKS,
    pb.LEDGER_TABLE_STEPS: tables.STEPS,
    pb.LEDGER_TABLE_CATEGORIES: tables.CATEGORIES,
    pb.LEDGER_TABLE_CRITICAL_MINUTES: tables.CRITICAL_MINUTES,
}


class Assessment(AssessmentServiceServicer):
    """Ledgers, figures and the comparison. Read only."""

    def __init__(self, ledgers: Repository[CaseLedger], *, audit: AuditLog) -> None:
        self._ledgers = ledgers
        self._audit = audit

    async def GetCaseLedger(self, request: pb.GetCaseLedgerRequest, context: object) -> pb.GetCaseLedgerResponse:
        """See the proto."""
        ledger = await self._ledgers.get(request.case_id)
        # Until the report has arrived nobody knows whose case it is.
        if not ledger.scope or not may_act_in(current_caller(), ledger.scope) or _is_hidden(ledger):
            raise self._ledgers.form.not_found(request.case_id)
        return pb.GetCaseLedgerResponse(ledger=to_message(CaseLedgerMessage, ledger))

    async def ListCaseLedgers(self, request: pb.ListCaseLedgersRequest, context: object) -> pb.ListCaseLedgersResponse:
        """See the proto."""
        query = _query(request) | (store.in_month(request.period) if request.period else {})
        if request.department:
            query["tasks.department"] = request.department
        if request.handled_only:
            query |= store.handled()
        rows, token = await page_of(
            self._ledgers.collection,
            query=query,
            keys=store.LEDGERS_KEYS,
            token=request.page_token,
            size=request.page_size or PAGE_SIZE,
            hidden=store.HIDDEN,
        )
        ledgers = [to_message(CaseLedgerMessage, row, id_field="case_id") for row in rows]
        return pb.ListCaseLedgersResponse(ledgers=ledgers, next_page_token=token)

    async def ListDepartmentFigures(
        self, request: pb.ListDepartmentFiguresRequest, context: object
    ) -> pb.ListDepartmentFiguresResponse:
        """See the proto."""
        period = request.period or period_of(utc_now())
        within = store.within(own=current_caller().area, wanted=request.area_prefix)
        rows = await store.spread_of_tasks(self._ledgers.collection, period=period, query=within)
        orders = await store.orders_by_department(self._ledgers.collection, period=period, query=within)
        figures = [to_message(pb.DepartmentFigures, row) for row in operations.department_figures(rows, orders)]
        return pb.ListDepartmentFiguresResponse(figures=figures, period=period)

    async def GetComparison(self, request: pb.GetComparisonRequest, context: object) -> pb.GetComparisonResponse:
        """See the proto."""
        categories, total = await self._compared(_query(request))
        return pb.GetComparisonResponse(
            categories=[to_message(pb.CategoryComparison, row) for row in categories],
            total=to_message(pb.CategoryComparison, total),
        )

    async def ListCriticalMinutes(
        self, request: pb.ListCriticalMinutesRequest, context: object
    ) -> pb.ListCriticalMinutesResponse:
        """See the proto."""
        period = request.period or period_of(utc_now())
        query = _query(request) | {"period": period}
        if request.parallel_only:
            query["parallel"] = True
        categories, totals = await self._attributed(query)
        return pb.ListCriticalMinutesResponse(
            categories=[to_message(pb.CriticalMinutes, row) for row in categories],
            totals=[to_message(pb.CriticalMinutes, row) for row in totals],
            period=period,
        )

    async def ExportLedgers(self, request: pb.ExportLedgersRequest, context: object) -> AsyncIterator[pb.ExportLedgersResponse]:
        """See the proto."""
        table = _TABLES[request.table]
        period = request.period or period_of(utc_now())
        query = _query(request) | ({"_id": request.case_id} if request.case_id else {"period": period})
        listed = query if request.case_id else query | store.in_month(period)
        if request.department:
            listed["tasks.department"] = request.department
        name = f"{table.name}-{request.case_id or period}.csv"
        entry = await self._audit.begin(current_caller(), kind=AuditKind.EXPORT, what=f"{table.name}.csv", query=request)
        given, complete = 0, False
        try:
            yield _part(tables.head(table), name=name, content_type="text/csv; charset=utf-8")
            async for sources in self._sources(table, query, listed):
                text, rows = tables.body(table, sources)
                given += rows
                yield _part(text)
            complete = True
        finally:
            # Also of a file that was broken off it is on record how much went out.
            await self._audit.end(entry, rows=given, complete=complete)

    async def _sources(
        self, table: tables.Table, query: dict[str, Any], listed: dict[str, Any]
    ) -> AsyncIterator[Sequence[Any]]:
        """What the rows of a table come from, a batch at a time: figures of what matches `query`, or the ledgers that match `listed`."""
        if table is tables.CATEGORIES:
            categories, total = await self._compared(query)
            yield (*categories, total)
        elif table is tables.CRITICAL_MINUTES:
            own, totals = await self._attributed(query)
            yield (*own, *totals)
        else:
            async for rows in store.batches(self._ledgers.collection, query=listed, size=EXPORT_BATCH):
                yield rows

    async def _compared(self, query: dict[str, Any]) -> tuple[tuple[CategoryComparison, ...], CategoryComparison]:
        return operations.compare_categories(await store.spread_of_cases(self._ledgers.collection, query=query))

    async def _attributed(self, query: dict[str, Any]) -> tuple[tuple[CriticalMinutes, ...], tuple[CriticalMinutes, ...]]:
        return operations.critical_minutes(await store.spread_of_shares(self._ledgers.collection, query=query))


def _part(text: str, **more: str) -> pb.ExportLedgersResponse:
    return pb.ExportLedgersResponse(part=FilePart(data=text.encode(), **more))


def _hidden_category() -> str:
    caller = current_caller()
    return category_hidden_from(roles=caller.roles, department=caller.department)


def _is_hidden(ledger: CaseLedger) -> bool:
    return is_hidden(ledger, hidden=_hidden_category(), department=current_caller().department)


def _query(request: Any) -> dict[str, Any]:
    """The conditions that lists and the comparison share: area, category (of what the caller may know), month of the report."""
    query = {
        "scope": {"$gt": ""},
        **store.within(own=current_caller().area, wanted=request.area_prefix),
        **store.in_category(request.category, hidden=_hidden_category()),
    }
    return query | {"period": request.period} if request.period else query

"""gRPC servicer: translate, ask, translate back."""

from __future__ import annotations

from typing import Any

from binglian.assessment.v1 import assessment_service_pb2 as pb
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceServicer
from binglian.assessment.v1.ledger_pb2 import CaseLedger as CaseLedgerMessage

from assessment import operations, store
from assessment.domain import CaseLedger
from assessment.policies import period_of
from svckit.access import current_caller, may_act_in
from svckit.documents import utc_now
from svckit.messages import to_message
from svckit.paging import page_of
from svckit.store import Repository

PAGE_SIZE = 50


class Assessment(AssessmentServiceServicer):
    """Ledgers, figures and the comparison. Read only."""

    def __init__(self, ledgers: Repository[CaseLedger]) -> None:
        self._ledgers = ledgers

    async def GetCaseLedger(self, request: pb.GetCaseLedgerRequest, context: object) -> pb.GetCaseLedgerResponse:
        """See the proto."""
        ledger = await self._ledgers.get(request.case_id)
        # Until the report has arrived nobody knows whose case it is.
        if not ledger.scope or not may_act_in(current_caller(), ledger.scope):
            raise self._ledgers.form.not_found(request.case_id)
        return pb.GetCaseLedgerResponse(ledger=to_message(CaseLedgerMessage, ledger))

    async def ListCaseLedgers(self, request: pb.ListCaseLedgersRequest, context: object) -> pb.ListCaseLedgersResponse:
        """See the proto."""
        query = _query(request)
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
        figures = [to_message(pb.DepartmentFigures, row) for row in operations.department_figures(rows)]
        return pb.ListDepartmentFiguresResponse(figures=figures, period=period)

    async def GetComparison(self, request: pb.GetComparisonRequest, context: object) -> pb.GetComparisonResponse:
        """See the proto."""
        rows = await store.spread_of_cases(self._ledgers.collection, query=_query(request))
        categories, total = operations.compare_categories(rows)
        return pb.GetComparisonResponse(
            categories=[to_message(pb.CategoryComparison, row) for row in categories],
            total=to_message(pb.CategoryComparison, total),
        )


def _query(request: Any) -> dict[str, Any]:
    """The conditions that lists and the comparison share: area, category, month of the report."""
    query = {
        "scope": {"$gt": ""},
        **store.within(own=current_caller().area, wanted=request.area_prefix),
        **store.in_category(request.category),
    }
    return query | {"period": request.period} if request.period else query

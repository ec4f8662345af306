"""VisitFiguresService: translate, ask, translate back."""

from __future__ import annotations

from binglian.assessment.v1 import visit_service_pb2 as pb
from binglian.assessment.v1.visit_service_pb2_grpc import VisitFiguresServiceServicer

from assessment import visit_store
from assessment.policies import period_of
from assessment.visits import AreaRoster, VisitPeriod, check_street, parts_of, worker_visits
from svckit.access import current_caller
from svckit.documents import utc_now
from svckit.messages import to_message
from svckit.paging import narrowed
from svckit.store import Repository

_SEE_OTHERS = (
    "GRID_SUPERVISOR",
    "STATION_HEAD",
    "COMM_CLERK",
    "STREET_CENTER",
    "DISPATCHER",
    "SUPERVISION",
    "ASSESSOR",
    "AUDITOR",
    "IMPORTER",
)


class VisitFigures(VisitFiguresServiceServicer):
    """Kept and missed visits. Read only."""

    def __init__(self, *, periods: Repository[VisitPeriod], rosters: Repository[AreaRoster]) -> None:
        self._periods = periods
        self._rosters = rosters

    async def ListVisitFigures(self, request: pb.ListVisitFiguresRequest, context: object) -> pb.ListVisitFiguresResponse:
        """See the proto."""
        own, month = current_caller().area, request.period or period_of(utc_now())
        query = visit_store.periods(month=month, own=own, wanted=request.area_prefix, rule=request.rule)
        if query is None:
            return pb.ListVisitFiguresResponse(period=month)
        digits = parts_of(narrowed(own=own, wanted=request.area_prefix) or "")
        rows = await visit_store.by_area(self._periods.collection, query=query, digits=digits)
        return pb.ListVisitFiguresResponse(areas=[to_message(pb.AreaVisits, row) for row in rows], period=month)

    async def ListWorkerVisitFigures(
        self, request: pb.ListWorkerVisitFiguresRequest, context: object
    ) -> pb.ListWorkerVisitFiguresResponse:
        """See the proto."""
        caller, month = current_caller(), request.period or period_of(utc_now())
        query = visit_store.periods(month=month, own=caller.area, wanted=request.area_prefix, rule=request.rule)
        if query is None:
            return pb.ListWorkerVisitFiguresResponse(period=month)
        check_street(narrowed(own=caller.area, wanted=request.area_prefix) or "")
        made = await visit_store.made_by(self._periods.collection, query=query)
        missed = await visit_store.missed_in(self._periods.collection, query=query)
        found = worker_visits(made, missed, await self._rosters_of({row["area_code"] for row in missed}))
        if not caller.has_role(*_SEE_OTHERS):
            found = tuple(one for one in found if one.subject == caller.subject)
        return pb.ListWorkerVisitFiguresResponse(workers=[to_message(pb.WorkerVisits, one) for one in found], period=month)

    async def _rosters_of(self, areas: set[str]) -> dict[str, AreaRoster]:
        rows = await self._rosters.collection.find({"_id": {"$in": sorted(areas)}}).to_list()
        return {row["_id"]: self._rosters.form.state(row) for row in rows}

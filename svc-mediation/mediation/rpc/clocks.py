"""ClockService."""

from __future__ import annotations

from typing import Any

import msgspec
from binglian.mediation.v1 import clock_service_pb2, clock_service_pb2_grpc

from mediation import explaining, policies
from mediation.domain import Case
from mediation.explaining import Explained
from svckit.access import current_caller
from svckit.documents import utc_now
from svckit.messages import to_message
from svckit.store import Repository


class ClockServicer(clock_service_pb2_grpc.ClockServiceServicer):
    """Clocks in words."""

    def __init__(self, *, cases: Repository[Case]) -> None:
        self._cases = cases

    async def ExplainClocks(self, request: Any, context: Any) -> Any:
        """Explains every clock of a case."""
        case = await self._cases.get(request.case_id)
        policies.check_visible(case, current_caller())
        found = explaining.explain(case, now=utc_now())
        return to_message(clock_service_pb2.ExplainClocksResponse, {"clocks": [_shown(each) for each in found]})


def _shown(explained: Explained) -> dict[str, Any]:
    days = [{**msgspec.structs.asdict(each), "day": each.day.isoformat()} for each in explained.days]
    return {**msgspec.structs.asdict(explained), "days": days}

"""HistoryService."""

from __future__ import annotations

from typing import Any

from binglian.mediation.v1 import history_service_pb2 as pb
from binglian.mediation.v1 import history_service_pb2_grpc

from mediation import history
from mediation.archive import StepArchive
from mediation.domain import Case, Step
from mediation.rpc.changing import CaseVerbs
from svckit.errors import InvalidArgument
from svckit.messages import to_message
from svckit.store import Repository

DEFAULT_PAGE = 200


class HistoryServicer(history_service_pb2_grpc.HistoryServiceServicer):
    """The histories of cases, archive and all."""

    def __init__(self, *, cases: Repository[Case], archive: StepArchive) -> None:
        self._verbs = CaseVerbs(cases)
        self._archive = archive

    async def ListSteps(self, request: Any, context: Any) -> Any:
        """Returns a page of steps, oldest first."""
        case = await self._verbs.visible(request.case_id)
        begin = _place(request.page_token)
        end = min(begin + (request.page_size or DEFAULT_PAGE), case.history.count)
        steps = await self._steps(case, begin, end)
        token = str(end) if end < case.history.count else ""
        return to_message(pb.ListStepsResponse, {"steps": steps, "next_page_token": token})

    async def _steps(self, case: Case, begin: int, end: int) -> list[Step]:
        archived = case.history.archived
        old = await self._archive.read(case.case_id, begin=begin, end=min(end, archived)) if begin < archived else []
        return [*old, *case.steps[max(begin - archived, 0) : max(end - archived, 0)]]

    async def GetHistoryCheck(self, request: Any, context: Any) -> Any:
        """Works out the chain anew, from what the database holds."""
        await self._verbs.visible(request.case_id)
        document, entries = await self._archive.whole(request.case_id)
        flaw = history.flaw_of(document, entries)
        found: dict[str, Any] = {"whole": flaw is None, "count": len(entries)}
        if flaw:
            found |= {"broken": flaw.entry, "why": flaw.why}
        return to_message(pb.GetHistoryCheckResponse, {"check": found})


def _place(token: str) -> int:
    if not token:
        return 0
    if not token.isascii() or not token.isdigit():
        raise InvalidArgument("This is no token of ours.", field="page_token", reason="INVALID_CURSOR")
    return int(token)

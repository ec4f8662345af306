"""SearchService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from binglian.mediation.v1 import case_pb2, search_pb2, search_service_pb2_grpc
from binglian.mediation.v1 import search_service_pb2 as pb
from binglian.options.v1 import options_pb2
from binglian.type.v1 import file_pb2

from mediation import asking, cursors, exporting, policies, sheets
from mediation.counting import tally
from mediation.cursors import Cursor
from mediation.domain.search import SavedSearch
from mediation.finding import MOST_COUNTED, Ask, Finder, Page
from mediation.operations.searches import forget_search, save_search
from mediation.rpc import translate
from mediation.search_store import SavedSearches
from mediation.store import CaseSearch, Document, lit, view_of
from svckit.access import Caller, current_caller
from svckit.audits import AuditKind, AuditLog
from svckit.documents import command_of, utc_now
from svckit.errors import InvalidArgument
from svckit.ids import new_id
from svckit.masking import masker_of
from svckit.messages import to_fields, to_message
from svckit.store import Repository

DEFAULT_PAGE = 50
# Rows of a file that are read, masked and written at once.
ROWS_AT_ONCE = 500
_MASK = masker_of(case_pb2.Case.DESCRIPTOR)
_MASK_RESTRICTED = masker_of(case_pb2.Case.DESCRIPTOR, hides=options_pb2.SENSITIVITY_L4)


class SearchServicer(search_service_pb2_grpc.SearchServiceServicer):
    """Finds, counts, writes files, keeps searches."""

    def __init__(
        self,
        *,
        search: CaseSearch,
        finder: Finder,
        searches: Repository[SavedSearch],
        saved: SavedSearches,
        audit: AuditLog,
    ) -> None:
        self._audit = audit
        self._search = search
        self._finder = finder
        self._searches = searches
        self._saved = saved

    # ------------------------------------------------------------------------------------------------------------ finding

    async def FindCases(self, request: pb.FindCasesRequest, context: object) -> pb.FindCasesResponse:
        """See the proto."""
        ask = _ask(request)
        after = cursors.parse(request.page_token, field="page_token")
        cases, last = await self._page(request, ask, after=after, size=request.page_size or DEFAULT_PAGE)
        now = utc_now()
        fields = {"cases": [lit(case, now=now) for case in cases], "next_page_token": str(last) if last else ""}
        return to_message(pb.FindCasesResponse, fields)

    async def _page(self, request: Any, ask: Ask, *, after: Cursor | None, size: int) -> Page:
        order = _order(request, ask)
        if not request.filter.duplicates_of:
            return await self._finder.page(ask, order=order, after=after, size=size)
        case = await self._visible(request.filter.duplicates_of)
        return (await self._finder.duplicates(case, ask))[:size], None

    async def _visible(self, case_id: str) -> Document:
        case = await self._search.one(case_id)
        caller = current_caller()
        if case is None or not (case["reporter"]["subject"] == caller.subject or view_of(caller).shows(case)):
            raise policies.CaseNotFound(f"Case {case_id} does not exist.")
        return case

    async def FindTasks(self, request: pb.FindTasksRequest, context: object) -> pb.FindTasksResponse:
        """See the proto."""
        ask, wanted = asking.of_tasks(to_fields(request.filter), caller=current_caller(), now=utc_now())
        after = cursors.parse(request.page_token, field="page_token")
        cases, last = await self._finder.tasks(ask, wanted=wanted, after=after, size=request.page_size or DEFAULT_PAGE)
        views = [translate.task_view(case, case["task"]) for case in cases]
        return to_message(pb.FindTasksResponse, {"tasks": views, "next_page_token": str(last) if last else ""})

    async def CountFoundCases(self, request: pb.CountFoundCasesRequest, context: object) -> pb.CountFoundCasesResponse:
        """See the proto."""
        rows, more = await self._finder.facets(_ask(request))
        total = sum(row["count"] for row in rows)
        return pb.CountFoundCasesResponse(
            total=min(total, MOST_COUNTED),
            more=more,
            states=_counts(rows, "state", prefix="CASE_STATE_"),
            lights=_counts(rows, "light", prefix="LIGHT_"),
            severities=_counts(rows, "severity", prefix="SEVERITY_"),
            categories=_counts(rows, "category"),
            departments=_counts(rows, "lead"),
        )

    # -------------------------------------------------------------------------------------------------------------- files

    async def ExportCases(self, request: pb.ExportCasesRequest, context: object) -> AsyncIterator[pb.ExportCasesResponse]:
        """See the proto."""
        caller = current_caller()
        ask, language = _ask(request), request.language or "zh"
        sheet: sheets.Sheet = sheets.XlsxSheet() if request.format == pb.EXPORT_FORMAT_XLSX else sheets.CsvSheet()
        name = f"cases-{utc_now():%Y%m%d-%H%M%S}.{sheet.extension}"
        head = file_pb2.FilePart(content_type=sheet.content_type, name=name, data=sheet.rows([exporting.headings(language)]))
        entry = await self._audit.begin(caller, kind=AuditKind.EXPORT, what=sheet.extension, query=request)
        given, complete = 0, False
        try:
            yield pb.ExportCasesResponse(part=head)
            after: Cursor | None = None
            while True:
                cases, after = await self._page(request, ask, after=after, size=ROWS_AT_ONCE)
                data = await asyncio.to_thread(_written, sheet, cases, caller, language)
                given += len(cases)
                yield pb.ExportCasesResponse(part=file_pb2.FilePart(data=data))
                if after is None:
                    break
            yield pb.ExportCasesResponse(part=file_pb2.FilePart(data=sheet.end()))
            complete = True
        finally:
            # Also of a file that was broken off it is on record how much went out.
            await self._audit.end(entry, rows=given, complete=complete)

    # -------------------------------------------------------------------------------------------------------------- keeping

    async def SaveSearch(self, request: pb.SaveSearchRequest, context: object) -> pb.SaveSearchResponse:
        """See the proto."""
        caller = current_caller()
        cases = to_fields(request.cases) if request.HasField("cases") else None
        tasks = to_fields(request.tasks) if request.HasField("tasks") else None
        # What nobody could search for is not kept either.
        asking.of_cases(cases or {}, caller=caller, now=utc_now())
        if tasks is not None:
            asking.of_tasks(tasks, caller=caller, now=utc_now())
        search = save_search(
            search_id=new_id(),
            name=request.name,
            shared=request.shared,
            kept=await self._saved.kept(caller),
            by=caller,
            now=utc_now(),
            cases=cases,
            tasks=tasks,
        )
        saved = await self._searches.create(search.search_id, search, (), command=command_of(request, caller))
        return pb.SaveSearchResponse(search=_shown(saved))

    async def ListSearches(self, request: pb.ListSearchesRequest, context: object) -> pb.ListSearchesResponse:
        """See the proto."""
        return pb.ListSearchesResponse(searches=[_shown(search) for search in await self._saved.of(current_caller())])

    async def ForgetSearch(self, request: pb.ForgetSearchRequest, context: object) -> pb.ForgetSearchResponse:
        """See the proto."""
        caller = current_caller()
        await self._searches.change(
            request.search_id,
            lambda search: forget_search(search, by=caller, now=utc_now()),
            command=command_of(request, caller),
        )
        return pb.ForgetSearchResponse()


def _ask(request: Any) -> Ask:
    return asking.of_cases(to_fields(request.filter), caller=current_caller(), now=utc_now())


def _order(request: Any, ask: Ask) -> str:
    """The order asked for. What is found by words or place comes newest report first."""
    order = {search_pb2.CASE_ORDER_CHANGED: "changed", search_pb2.CASE_ORDER_DUE: "due"}.get(request.order, "reported")
    if order != "reported" and (ask.words or ask.wording is not None):
        message = "What is found by words or place is listed by the time of the report."
        raise InvalidArgument(message, field="order", reason="ORDER_NOT_WITH_WORDS")
    return order


def _counts(rows: list[Any], key: str, *, prefix: str = "") -> list[Any]:
    return [
        pb.CountFoundCasesResponse.Count(value=prefix + (value.upper() if prefix else value), count=count)
        for value, count in tally(rows, key)
    ]


def _written(sheet: sheets.Sheet, cases: Sequence[Document], caller: Caller, language: str) -> bytes:
    """Writes rows, masked as the answer of an rpc would be: the file's bytes are no message that anybody masks later."""
    mask = _MASK_RESTRICTED if caller.purpose else _MASK
    now = utc_now()
    messages = [to_message(case_pb2.Case, lit(case, now=now)) for case in cases]
    return sheet.rows(exporting.row(mask(message) if mask else message, language=language) for message in messages)


def _shown(search: Any) -> Any:
    return to_message(search_pb2.SavedSearch, search)

"""CaseService."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from binglian.mediation.v1 import case_service_pb2, case_service_pb2_grpc

from mediation import cursors, operations, policies, routing
from mediation.counting import Counts
from mediation.domain import Case, JoinPolicy, Severity
from mediation.locating import Locator
from mediation.operations import Outcome
from mediation.rpc import translate
from mediation.rpc.checking import checks_texts
from mediation.store import CaseNumbers, CaseSearch, Document, Filter, lit, still_open, view_of, with_task_of
from mediation.streams import Hub, position_of
from svckit.access import Caller, check_area, current_caller
from svckit.documents import command_of, utc_now
from svckit.errors import PermissionDenied, ServiceError
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository
from svckit.telemetry import current_traceparent

DEFAULT_PAGE = 50


@checks_texts
class CaseServicer(case_service_pb2_grpc.CaseServiceServicer):
    """What coordinators, reporters and pages do with cases."""

    def __init__(
        self,
        *,
        cases: Repository[Case],
        search: CaseSearch,
        counts: Counts,
        numbers: CaseNumbers,
        hub: Hub,
        locator: Locator,
    ) -> None:
        self._cases = cases
        self._search = search
        self._counts = counts
        self._numbers = numbers
        self._hub = hub
        self._locator = locator

    # ----------------------------------------------------------------------------------------------------------- changing

    async def ReportCase(self, request: Any, context: Any) -> Any:
        """Takes a report; the area comes from housing, or later from an event where housing is silent."""
        caller = current_caller()
        command = command_of(request, caller)
        try:
            case, facts = await self._reported(request, caller)
        except ServiceError:
            # A repeated report gets its case even if the map, the clock or the caller's area would refuse it by now.
            saved = await self._cases.created(command)
            if saved is None:
                raise
        else:
            saved = await self._cases.create(case.case_id, case, facts, command=command)
        return translate.answer(case_service_pb2.ReportCaseResponse, saved)

    async def _reported(self, request: Any, caller: Caller) -> Outcome:
        at = translate.happened(request, caller, offline=True)
        if request.external_id and not caller.has_role("IMPORTER"):
            raise PermissionDenied("Only an import gives numbers of other systems.", reason="EXTERNAL_ID_NOT_ALLOWED")
        source = request.source or translate.DEFAULT_SOURCE
        point = translate.point(request)
        policies.check_report(category=request.category, source=source, has_place=bool(point or request.area_code))
        if request.area_code:
            check_area(caller, request.area_code)
        area_code = await self._locator.area_of(point, given=request.area_code, caller=caller)
        return operations.report_case(
            case_id=new_id(),
            number=await self._numbers.next(area_code=area_code, at=at),
            category=request.category,
            severity=translate.severity(request.severity),
            source=source,
            description=request.description,
            area_code=area_code,
            point=point,
            address=request.address,
            photos=translate.attachments(request.photos, field="photos"),
            reporter_name=request.reporter_name,
            reporter_phone=request.reporter_phone,
            external_id=request.external_id,
            traceparent=current_traceparent(),
            by=caller,
            at=at,
            now=utc_now(),
        )

    async def AcceptCase(self, request: Any, context: Any) -> Any:
        """Accepts a reported case."""
        return await self._change(
            case_service_pb2.AcceptCaseResponse,
            request,
            lambda case, by, at: operations.accept_case(case, by=by, at=at, now=utc_now()),
        )

    async def RejectCase(self, request: Any, context: Any) -> Any:
        """Refuses a reported case."""
        return await self._change(
            case_service_pb2.RejectCaseResponse,
            request,
            lambda case, by, at: operations.reject_case(
                case, reason=request.reason, notice=request.notice, by=by, at=at, now=utc_now()
            ),
        )

    async def DispatchCase(self, request: Any, context: Any) -> Any:
        """Creates all tasks of a case at once."""
        plans = [translate.plan(message) for message in request.tasks]
        policy = JoinPolicy(to_fields(request).get("join_policy", JoinPolicy.ALL))
        return await self._change(
            case_service_pb2.DispatchCaseResponse,
            request,
            lambda case, by, at: operations.dispatch(
                case, by=by, at=at, now=utc_now(), new_id=new_id, plans=plans, join_policy=policy, reason=request.reason
            ),
        )

    async def VerifyCase(self, request: Any, context: Any) -> Any:
        """Records the check on site."""
        photos = translate.attachments(request.photos, field="photos")
        return await self._change(
            case_service_pb2.VerifyCaseResponse,
            request,
            lambda case, by, at: operations.verify_case(
                case,
                passed=request.passed,
                text=request.text,
                photos=photos,
                failed_task_ids=request.failed_task_ids,
                by=by,
                at=at,
                now=utc_now(),
            ),
        )

    async def CloseCase(self, request: Any, context: Any) -> Any:
        """Closes a verified case."""
        return await self._change(
            case_service_pb2.CloseCaseResponse,
            request,
            lambda case, by, at: operations.close_case(case, by=by, at=at, now=utc_now()),
        )

    async def _change(self, response: type[Any], request: Any, verb: Callable[[Case, Caller, Any], Outcome]) -> Any:
        caller = current_caller()
        at = translate.happened(request, caller)

        def decide(case: Case) -> Outcome:
            translate.check_readable(case, caller, request.revision)
            return verb(case, caller, at)

        saved = await self._cases.change(request.case_id, decide, command=command_of(request, caller))
        return translate.answer(response, saved)

    # ------------------------------------------------------------------------------------------------------------ reading

    async def GetCase(self, request: Any, context: Any) -> Any:
        """Returns one case with its lights as of now."""
        case = await self._visible(request.case_id)
        return to_message(case_service_pb2.GetCaseResponse, {"case": lit(case, now=utc_now())})

    async def PlanDispatch(self, request: Any, context: Any) -> Any:
        """Returns what the route tables propose."""
        case = await self._visible(request.case_id)
        plan = routing.plan(case["category"], Severity(case["severity"]))
        return to_message(case_service_pb2.PlanDispatchResponse, plan)

    async def ListCases(self, request: Any, context: Any) -> Any:
        """Returns a page of cases, newest change first."""
        where = {"$and": [view_of(current_caller(), prefix=request.area_prefix).where, _asked(request)]}
        after = cursors.parse(request.page_token, field="page_token")
        cases, last = await self._search.page(where, after=after, size=request.page_size or DEFAULT_PAGE)
        fields = {"cases": cases, "next_page_token": str(last) if last else ""}
        return to_message(case_service_pb2.ListCasesResponse, fields)

    async def CountCases(self, request: Any, context: Any) -> Any:
        """Counts cases by state, open ones by light."""
        states, lights = await self._counts.standing(view_of(current_caller(), prefix=request.area_prefix))
        fields = {
            "lights": [{"light": light, "count": count} for light, count in sorted(lights.items())],
            "states": [{"state": state, "count": count} for state, count in sorted(states.items())],
        }
        return to_message(case_service_pb2.CountCasesResponse, fields)

    async def _visible(self, case_id: str) -> Document:
        case = await self._search.one(case_id)
        if case is None or not can_read(case, current_caller()):
            raise policies.CaseNotFound(f"Case {case_id} does not exist.")
        return case

    # ----------------------------------------------------------------------------------------------------------- watching

    async def WatchCase(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Streams one case: now, unless the cursor knows this version, and at every change."""
        cursor = cursors.parse(request.cursor, field="cursor")
        async with self._hub.subscribe(lambda case: case["case_id"] == request.case_id) as changes:
            shown = cursor.at if cursor else None
            while True:
                case = await self._visible(request.case_id)
                if shown is None or case["changed_at"] > shown:
                    shown = case["changed_at"]
                    yield _watched(case_service_pb2.WatchCaseResponse, case, position_of(case))
                await changes.take()

    async def WatchCases(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Streams the cases of an area: the open ones, or what changed since the cursor, then every change."""
        view = view_of(current_caller(), prefix=request.area_prefix)
        follow = self._hub.follow(
            where=view.where,
            first={"$and": [view.where, still_open()]},
            wants=view.shows,
            cursor=cursors.parse(request.cursor, field="cursor"),
        )
        async with contextlib.aclosing(follow) as cases:
            async for case, resume in cases:
                yield _watched(case_service_pb2.WatchCasesResponse, case, resume)


def can_read(case: Document, caller: Caller) -> bool:
    """Tells of a document what `policies.check_visible` tells of a case."""
    return case["reporter"]["subject"] == caller.subject or view_of(caller).shows(case)


def _watched(response: type[Any], case: Document, resume: cursors.Cursor) -> Any:
    return to_message(response, {"case": case, "cursor": str(resume)})


def _asked(request: Any) -> Filter:
    fields = to_fields(request)
    where: Filter = {}
    if fields["states"]:
        where["state"] = {"$in": fields["states"]}
    if "light" in fields:
        where["light"] = fields["light"]
    if request.department:
        where |= with_task_of(request.department)
    if request.category:
        where["category"] = {"$gte": request.category, "$lt": request.category + "\uffff"}
    if request.external_id:
        where["external_id"] = request.external_id
    return where

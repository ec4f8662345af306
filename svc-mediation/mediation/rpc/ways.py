"""CaseFlowService."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from binglian.mediation.v1 import case_flow_service_pb2 as pb
from binglian.mediation.v1 import case_flow_service_pb2_grpc

from mediation import cursors, duplicates, operations
from mediation.domain import Case, LegalRoute
from mediation.locating import Locator
from mediation.operations import Outcome
from mediation.rpc import translate
from mediation.rpc.changing import CaseVerbs
from mediation.rpc.checking import checks_texts
from mediation.similar import SimilarCases
from mediation.store import CaseNumbers
from svckit.access import Caller, check_area, current_caller
from svckit.documents import command_of, utc_now
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository
from svckit.telemetry import current_traceparent

DEFAULT_PAGE, DEFAULT_DUPLICATES = 50, 5


@checks_texts
class CaseFlowServicer(case_flow_service_pb2_grpc.CaseFlowServiceServicer):
    """The ways of a case beside being dispatched and closed."""

    def __init__(
        self,
        *,
        cases: Repository[Case],
        similar: SimilarCases,
        numbers: CaseNumbers,
        locator: Locator,
    ) -> None:
        self._verbs = CaseVerbs(cases)
        self._similar = similar
        self._numbers = numbers
        self._locator = locator

    # ------------------------------------------------------------------------------------------------------------- drafts

    async def DraftCase(self, request: Any, context: Any) -> Any:
        """Keeps a draft."""
        caller = current_caller()
        at = translate.happened(request, caller, offline=True)
        case, facts = operations.draft_case(
            case_id=new_id(),
            number=await self._numbers.next(area_code=caller.area, at=at),
            category=request.category,
            description=request.description,
            severity=translate.severity(request.severity),
            source=request.source or translate.DEFAULT_SOURCE,
            point=translate.point(request),
            address=request.address,
            photos=translate.attachments(request.photos, field="photos"),
            reporter_name=request.reporter_name,
            reporter_phone=request.reporter_phone,
            traceparent=current_traceparent(),
            by=caller,
            at=at,
            now=utc_now(),
        )
        saved = await self._verbs.cases.create(case.case_id, case, facts, command=command_of(request, caller))
        return translate.answer(pb.DraftCaseResponse, saved)

    async def ListDrafts(self, request: Any, context: Any) -> Any:
        """Returns a page of the caller's drafts."""
        after = cursors.parse(request.page_token, field="page_token")
        drafts, last = await self._similar.drafts_of(
            current_caller().subject, after=after, size=request.page_size or DEFAULT_PAGE
        )
        return to_message(pb.ListDraftsResponse, {"cases": drafts, "next_page_token": str(last) if last else ""})

    async def DiscardDraft(self, request: Any, context: Any) -> Any:
        """Throws a draft away."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.discard_draft(case, by=by, at=at, now=utc_now())

        await self._verbs.changed(request, verb)
        return pb.DiscardDraftResponse()

    async def SubmitCase(self, request: Any, context: Any) -> Any:
        """Reports a draft; the area comes from housing, as for a report."""
        caller = current_caller()
        if request.area_code:
            check_area(caller, request.area_code)
        draft = await self._verbs.visible(request.case_id)
        point = translate.point(request)
        area_code = await self._locator.area_of(point or draft.point, given=request.area_code, caller=caller)

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.submit_case(
                case,
                category=request.category,
                description=request.description,
                point=point,
                area_code=area_code,
                address=request.address,
                severity=translate.severity(request.severity),
                photos=translate.attachments(request.photos, field="photos"),
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.SubmitCaseResponse, request, verb, offline=True)

    # ------------------------------------------------------------------------------------------------- before acceptance

    async def SendBackCase(self, request: Any, context: Any) -> Any:
        """Sends a report back."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.send_back_case(case, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.SendBackCaseResponse, request, verb)

    async def ResubmitCase(self, request: Any, context: Any) -> Any:
        """Adds the facts."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.resubmit_case(
                case,
                description=request.description,
                point=translate.point(request),
                address=request.address,
                photos=translate.attachments(request.photos, field="photos"),
                remark=request.remark,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.ResubmitCaseResponse, request, verb)

    async def WithdrawCase(self, request: Any, context: Any) -> Any:
        """Withdraws a case."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.withdraw_case(case, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.WithdrawCaseResponse, request, verb)

    async def ListDuplicates(self, request: Any, context: Any) -> Any:
        """Suggests duplicates."""
        case = _compared(await self._verbs.visible(request.case_id))
        candidates = await self._similar.candidates(case, caller=current_caller())
        found = duplicates.likeliest(case, candidates, most=request.page_size or DEFAULT_DUPLICATES)
        rows = [{"case": other, **_shares(alike)} for other, alike in found]
        return to_message(pb.ListDuplicatesResponse, {"duplicates": rows})

    async def MergeCase(self, request: Any, context: Any) -> Any:
        """Merges a report into another case, as that one is now: what happens to it meanwhile, the merged one hears."""
        parent = await self._verbs.visible(request.into)

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.merge_case(case, parent=parent, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.MergeCaseResponse, request, verb)

    async def UnmergeCase(self, request: Any, context: Any) -> Any:
        """Takes a merged case apart."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.unmerge_case(case, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.UnmergeCaseResponse, request, verb)

    # ------------------------------------------------------------------------------------------------------ being handled

    async def HandleCase(self, request: Any, context: Any) -> Any:
        """Begins to handle a case in the grid."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.handle_case(case, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.HandleCaseResponse, request, verb)

    async def ReportResult(self, request: Any, context: Any) -> Any:
        """Reports what the grid did."""
        evidence = translate.attachments(request.evidence, field="evidence")

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.report_result(case, result=request.result, evidence=evidence, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.ReportResultResponse, request, verb)

    async def RecallCase(self, request: Any, context: Any) -> Any:
        """Takes a case back."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.recall_case(case, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.RecallCaseResponse, request, verb)

    async def SuspendCase(self, request: Any, context: Any) -> Any:
        """Suspends a case."""
        until = translate.instant(request.until, field="until")

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.suspend_case(case, reason=request.reason, until=until, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.SuspendCaseResponse, request, verb)

    async def ResumeCase(self, request: Any, context: Any) -> Any:
        """Lets a suspended case go on."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.resume_case(case, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.ResumeCaseResponse, request, verb)

    async def TransferCase(self, request: Any, context: Any) -> Any:
        """Hands a case to another legal route."""
        route = LegalRoute(to_fields(request)["route"])

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.transfer_case(
                case,
                route=route,
                authority=request.authority,
                notice=request.notice,
                remedies=request.remedies,
                reason=request.reason,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.TransferCaseResponse, request, verb)

    # ------------------------------------------------------------------------------------------------------------ the end

    async def EvaluateCase(self, request: Any, context: Any) -> Any:
        """Rates the outcome."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.evaluate_case(case, rating=request.rating, comment=request.comment, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.EvaluateCaseResponse, request, verb)

    async def ReopenCase(self, request: Any, context: Any) -> Any:
        """Begins a case anew."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.reopen_case(case, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.ReopenCaseResponse, request, verb)


def _compared(case: Case) -> dict[str, Any]:
    """Returns what likeness looks at."""
    point = case.point
    return {
        "case_id": case.case_id,
        "point": {"longitude": point.longitude, "latitude": point.latitude} if point else None,
        "city": case.city,
        "area_code": case.area_code,
        "category": case.category,
        "reported_at": case.reported_at,
        "description": case.description,
        "address": case.address,
    }


def _shares(alike: duplicates.Likeness) -> dict[str, float]:
    return {
        "score": alike.score,
        "place": alike.place,
        "category": alike.category,
        "time": alike.time,
        "text": alike.text,
    }

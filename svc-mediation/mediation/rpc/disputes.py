"""DisputeService."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from binglian.mediation.v1 import dispute_service_pb2 as pb
from binglian.mediation.v1 import dispute_service_pb2_grpc

from mediation import cursors, dispute_codes
from mediation.committee_store import CommitteeRegister
from mediation.dispute_figures import DisputeCounting, present_period
from mediation.dispute_store import DisputeSearch, Filter, due_before, shown_to
from mediation.domain import Case
from mediation.domain.committee import MediationCommittee
from mediation.domain.dispute import Attendance, Committee, Dispute, Mediator, Party, PoliceGround, RecusalGround
from mediation.operations import disputes as operations
from mediation.operations.dispute_flow import Outcome
from mediation.policies.access import check_visible
from mediation.policies.committees import check_mediator_of, check_registered
from mediation.policies.protecting import check_texts
from mediation.rpc.mediating import Mediating, struct, structs
from mediation.rpc.translate import attachments, instant
from svckit.access import Caller, current_caller
from svckit.documents import command_of, utc_now
from svckit.errors import ServiceError
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import narrowed
from svckit.store import Repository
from svckit.telemetry import current_traceparent

DEFAULT_PAGE = 50


class DisputeServicer(dispute_service_pb2_grpc.DisputeServiceServicer):
    """What mediators and the heads of communities do with disputes."""

    def __init__(
        self,
        *,
        disputes: Repository[Dispute],
        cases: Repository[Case],
        search: DisputeSearch,
        counting: DisputeCounting,
        register: CommitteeRegister,
    ) -> None:
        self._counting = counting
        self._register = register
        self._disputes = disputes
        self._cases = cases
        self._search = search
        self._mediating = Mediating(disputes)

    # ----------------------------------------------------------------------------------------------------------- beginning

    async def OpenDispute(self, request: Any, context: Any) -> Any:
        """Registers an application. Repeated, it gets its dispute even if the case is closed by now, or the dispute itself in its way."""
        command = command_of(request, current_caller())
        try:
            dispute, facts = await self._opened(request, current_caller())
            saved = await self._disputes.create(dispute.dispute_id, dispute, facts, command=command)
        except ServiceError:
            created = await self._disputes.created(command)
            if created is None:
                raise
            saved = created
        return to_message(pb.OpenDisputeResponse, {"dispute": saved})

    async def _opened(self, request: Any, caller: Caller) -> Outcome:
        check_texts(to_fields(request))
        case = await self._cases.get(request.case_id)
        check_visible(case, caller)
        registered = await self._register.by_code(request.committee.code)
        committee = check_registered(registered, area_code=case.area_code)
        return operations.open_dispute(
            dispute_id=new_id(),
            case=case,
            category=request.category or case.category[1:],
            description=request.description,
            committee=_as_registered(committee),
            parties=[struct(party, Party, party_id=new_id()) for party in request.parties],
            people_involved=request.people_involved,
            condition=request.condition,
            traceparent=current_traceparent(),
            by=caller,
            now=utc_now(),
        )

    async def AddParty(self, request: Any, context: Any) -> Any:
        """Adds a party."""
        party = struct(request.party, Party, party_id=new_id())
        return await self._mediating.change(
            pb.AddPartyResponse,
            request,
            lambda dispute, by, now: operations.add_party(dispute, party=party, by=by, now=now),
        )

    async def RecordConsent(self, request: Any, context: Any) -> Any:
        """Records what a party says to being mediated."""
        return await self._mediating.change(
            pb.RecordConsentResponse,
            request,
            lambda dispute, by, now: operations.record_consent(
                dispute, party_id=request.party_id, given=request.given, text=request.text, by=by, now=now
            ),
        )

    async def AppointMediator(self, request: Any, context: Any) -> Any:
        """Names the mediator."""
        fields = to_fields(request)
        declared = [RecusalGround(ground) for ground in fields["declared"]]
        belongs_to = await self._register.of_mediator(request.subject)

        def verb(dispute: Dispute, by: Caller, now: datetime) -> Outcome:
            mediator = Mediator(
                subject=request.subject,
                name=check_mediator_of(dispute, belongs_to, subject=request.subject, field="subject"),
                appointed_at=now,
                by_parties=request.by_parties,
                accepted_by=tuple(request.accepted_by),
            )
            return operations.appoint_mediator(dispute, mediator=mediator, declared=declared, by=by, now=now)

        return await self._mediating.change(pb.AppointMediatorResponse, request, verb)

    async def AcceptMediator(self, request: Any, context: Any) -> Any:
        """Records that a party accepts the mediator."""
        return await self._mediating.change(
            pb.AcceptMediatorResponse,
            request,
            lambda dispute, by, now: operations.accept_mediator(dispute, party_id=request.party_id, by=by, now=now),
        )

    async def RecuseMediator(self, request: Any, context: Any) -> Any:
        """Puts a substitute in the mediator's place."""
        ground = RecusalGround(to_fields(request)["ground"])
        subject = request.substitute_subject
        belongs_to = await self._register.of_mediator(subject) if subject else None

        def verb(dispute: Dispute, by: Caller, now: datetime) -> Outcome:
            substitute = None
            if subject:
                name = check_mediator_of(dispute, belongs_to, subject=subject, field="substitute_subject")
                substitute = Mediator(subject=subject, name=name, appointed_at=now)
            return operations.recuse_mediator(
                dispute, ground=ground, reason=request.reason, substitute=substitute, by=by, now=now
            )

        return await self._mediating.change(pb.RecuseMediatorResponse, request, verb)

    async def BeginMediation(self, request: Any, context: Any) -> Any:
        """Begins the mediation."""
        return await self._mediating.change(
            pb.BeginMediationResponse,
            request,
            lambda dispute, by, now: operations.begin_mediation(dispute, by=by, now=now),
        )

    # ----------------------------------------------------------------------------------------------------------- mediating

    async def RecordSession(self, request: Any, context: Any) -> Any:
        """Adds a session."""
        held_at = instant(request.held_at) if request.HasField("held_at") else None
        next_at = instant(request.next_at) if request.HasField("next_at") else None
        return await self._mediating.change(
            pb.RecordSessionResponse,
            request,
            lambda dispute, by, now: operations.record_session(
                dispute,
                record=request.record,
                attendance=structs(request.attendance, Attendance),
                held_at=held_at,
                length_minutes=request.length_minutes,
                place=request.place,
                method=request.method,
                attachments=attachments(request.attachments, field="attachments"),
                next_at=next_at,
                by=by,
                now=now,
                new_id=new_id,
            ),
        )

    async def ExtendMediation(self, request: Any, context: Any) -> Any:
        """Moves the limit."""
        until = instant(request.until)
        return await self._mediating.change(
            pb.ExtendMediationResponse,
            request,
            lambda dispute, by, now: operations.extend_mediation(
                dispute, until=until, agreed_by=request.agreed_by, by=by, now=now
            ),
        )

    async def PauseMediationClock(self, request: Any, context: Any) -> Any:
        """Stops the clock during an appraisal."""
        return await self._mediating.change(
            pb.PauseMediationClockResponse,
            request,
            lambda dispute, by, now: operations.pause_clock(dispute, reason=request.reason, by=by, now=now),
        )

    async def ResumeMediationClock(self, request: Any, context: Any) -> Any:
        """Lets the clock run on."""
        return await self._mediating.change(
            pb.ResumeMediationClockResponse,
            request,
            lambda dispute, by, now: operations.resume_clock(dispute, by=by, now=now),
        )

    async def InformPolice(self, request: Any, context: Any) -> Any:
        """Notes that the police was told."""
        ground = PoliceGround(to_fields(request)["ground"])
        return await self._mediating.change(
            pb.InformPoliceResponse,
            request,
            lambda dispute, by, now: operations.inform_police(dispute, ground=ground, text=request.text, by=by, now=now),
        )

    async def EndMediation(self, request: Any, context: Any) -> Any:
        """Ends a mediation without an agreement."""
        return await self._mediating.change(
            pb.EndMediationResponse,
            request,
            lambda dispute, by, now: operations.end_mediation(
                dispute, result=request.result, text=request.text, told=request.told, way=request.way, by=by, now=now
            ),
        )

    async def NotifyRemedies(self, request: Any, context: Any) -> Any:
        """Records that the parties know their remedies."""
        return await self._mediating.change(
            pb.NotifyRemediesResponse,
            request,
            lambda dispute, by, now: operations.notify_remedies(dispute, told=request.told, way=request.way, by=by, now=now),
        )

    # ------------------------------------------------------------------------------------------------------------- reading

    async def GetDispute(self, request: Any, context: Any) -> Any:
        """Returns one dispute."""
        return to_message(pb.GetDisputeResponse, {"dispute": await self._mediating.visible(request.dispute_id)})

    async def ListDisputes(self, request: Any, context: Any) -> Any:
        """Returns a page of disputes, newest change first."""
        where = {"$and": [shown_to(current_caller(), prefix=request.area_prefix), _asked(request)]}
        after = cursors.parse(request.page_token, field="page_token")
        found, last = await self._search.page(where, after=after, size=request.page_size or DEFAULT_PAGE)
        fields = {"disputes": found, "next_page_token": str(last) if last else ""}
        return to_message(pb.ListDisputesResponse, fields)

    async def CountDisputes(self, request: Any, context: Any) -> Any:
        """Returns the figures of a period."""
        caller = current_caller()
        period = request.period or present_period(utc_now())
        area = narrowed(own=caller.area, wanted=request.area_prefix) or request.area_prefix
        found = await self._counting.figures(shown_to(caller, prefix=request.area_prefix), area=area, period=period)
        table = dispute_codes.results()
        results = [
            {"result": code, "resolved": table.get(code, {}).get("counts_as_resolved") == "Y", "count": count}
            for code, count in sorted(found.results.items())
        ]
        fields = {
            "total": found.total,
            "results": results,
            "categories": [{"category": code, "counts": counts} for code, counts in found.categories.items()],
            "areas": [{"area_code": code, "counts": counts} for code, counts in found.areas.items()],
            "period": period,
        }
        return to_message(pb.CountDisputesResponse, fields)


def _as_registered(committee: MediationCommittee) -> Committee:
    """The committee as the papers of the dispute name it: as it was when the application came."""
    chair = committee.chair
    return Committee(
        code=committee.code,
        name=committee.name,
        chair_subject=chair.subject,
        chair_name=chair.name,
        phone=committee.phone,
    )


def _asked(request: Any) -> Filter:
    where: Filter = {}
    states = to_fields(request)["states"]
    if states:
        where["state"] = {"$in": states}
    if request.case_id:
        where["case_id"] = request.case_id
    if request.mediator:
        where["mediators.subject"] = request.mediator
    if request.HasField("due_before"):
        where |= due_before(instant(request.due_before))
    return where

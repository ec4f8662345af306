"""CareService: the care register and visit plans."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import msgspec
from binglian.population.v1 import care_pb2 as pb
from binglian.population.v1 import care_pb2_grpc as grpc_pb

from population import store
from population.domain.care import CareEntry, CareState, VisitPlan, VisitPlanState
from population.domain.life_event import Consent
from population.domain.resident import Resident
from population.domain.verification import Attachment
from population.operations import care as operations
from population.policies.care import categories_counted, categories_seen, category_of
from population.policies.standing import check_lives_here
from population.questions.asking import area_of
from population.rpc import figures
from population.rpc.care_register import CareRegister
from population.statistics.areas import check_level
from population.statistics.care import depth_of, told
from svckit.access import Caller, check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import Conflict, PermissionDenied
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50
_SPACE = uuid.UUID("0d4d6c6e-4a53-5b0a-8c6f-0f3b6b1c7a10")


class CareServicer(grpc_pb.CareServiceServicer):
    """The care register of the caller's area, as far as the caller may know of it."""

    def __init__(
        self, *, entries: Repository[CareEntry], plans: Repository[VisitPlan], residents: Repository[Resident]
    ) -> None:
        self._entries = entries
        self._register = CareRegister(entries.collection)
        self._plans = plans
        self._residents = residents

    async def EnterCare(self, request: pb.EnterCareRequest, context: object) -> pb.EnterCareResponse:
        """See the proto."""
        caller = current_caller()
        resident = await self._resident(request.resident_id)
        check_lives_here(resident)
        entry, events = operations.enter_care(
            care_id=new_id(),
            resident_id=request.resident_id,
            area_code=resident.area_code,
            category=request.category,
            consent=Consent(to_fields(request)["consent"]),
            basis=request.basis,
            expires_on=request.expires_on,
            by=caller,
            now=utc_now(),
        )
        if entry.category not in seen_by(caller):
            raise PermissionDenied("This category is for others to keep.", reason="CATEGORY_NOT_YOURS")
        try:
            entry = await self._entries.create(entry.care_id, entry, events, command=command_of(request, caller))
        except Conflict as error:
            raise Conflict("The person is on the register for this already.", reason="IN_CARE_ALREADY") from error
        return pb.EnterCareResponse(entry=to_message(pb.CareEntry, entry))

    async def RenewCare(self, request: pb.RenewCareRequest, context: object) -> pb.RenewCareResponse:
        """See the proto."""
        decide = partial(operations.renew_care, expires_on=request.expires_on, revision=request.revision, now=utc_now())
        return pb.RenewCareResponse(entry=await self._change(request, decide))

    async def EndCare(self, request: pb.EndCareRequest, context: object) -> pb.EndCareResponse:
        """See the proto."""
        decide = partial(operations.end_care, reason=request.reason, withdrawn=request.withdrawn, now=utc_now())
        return pb.EndCareResponse(entry=await self._change(request, decide))

    async def GetCareEntry(self, request: pb.GetCareEntryRequest, context: object) -> pb.GetCareEntryResponse:
        """See the proto."""
        entry = await self._entries.get(request.care_id)
        self._check_known(entry, current_caller())
        return pb.GetCareEntryResponse(entry=to_message(pb.CareEntry, entry))

    async def ListCareEntries(self, request: pb.ListCareEntriesRequest, context: object) -> pb.ListCareEntriesResponse:
        """See the proto."""
        caller = current_caller()
        query = store.in_area(own=caller.area, wanted=request.area_prefix)
        seen = seen_by(caller) & ({request.category} if request.category else seen_by(caller))
        if query is None or not seen:
            return pb.ListCareEntriesResponse()
        query |= {"state": to_fields(request).get("state", CareState.ACTIVE.value), "category": {"$in": sorted(seen)}}
        query |= {"resident_id": request.resident_id} if request.resident_id else {}
        rows, token = await page_of(
            self._entries.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(pb.CareEntry, row, id_field="care_id") for row in rows]
        return pb.ListCareEntriesResponse(entries=found, next_page_token=token)

    async def CountCare(self, request: pb.CountCareRequest, context: object) -> pb.CountCareResponse:
        """See the proto. The whole city is counted, whoever asks for which part: what is withheld is the same for all."""
        caller, now = current_caller(), utc_now()
        categories = countable(caller, request.category)
        prefix = area_of(caller, request.area_prefix)
        if prefix is None:
            return pb.CountCareResponse(freshness=figures.fresh(now))
        check_level(prefix)
        depth = depth_of(inside=prefix, digits=request.by_digits)
        register = await self._register.of(prefix[:4], depth=depth)
        counts = []
        for category in sorted(categories):
            total, below = told(register.by_category.get(category), inside=prefix, digits=request.by_digits)
            counts.append(pb.CareCount(category=category, total=figures.count_of(total), areas=figures.areas(below)))
        return pb.CountCareResponse(categories=counts, freshness=figures.fresh(utc_now(), as_of=register.read_at))

    async def StartVisitPlan(self, request: pb.StartVisitPlanRequest, context: object) -> pb.StartVisitPlanResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        check_area(caller, request.area_code)
        if request.resident_id:
            check_lives_here(await self._resident(request.resident_id))
            await self._check_unplanned(request)
        named = f"{request.rule}|{request.area_code}|{request.resident_id}"
        plan_id = str(uuid.uuid5(_SPACE, named))

        def decide(plan: VisitPlan | None) -> Any:
            if plan is None:
                return operations.start_plan(
                    plan_id=plan_id,
                    rule=request.rule,
                    area_code=request.area_code,
                    resident_id=request.resident_id,
                    now=now,
                )
            if plan.state is VisitPlanState.ACTIVE:
                raise Conflict("Such visits are planned already.", reason="PLANNED_ALREADY", metadata={"plan_id": plan_id})
            return operations.resume_plan(plan, now=now)

        plan = await self._plans.upsert(plan_id, decide, command=command_of(request, caller))
        return pb.StartVisitPlanResponse(plan=to_message(pb.VisitPlan, plan))

    async def EndVisitPlan(self, request: pb.EndVisitPlanRequest, context: object) -> pb.EndVisitPlanResponse:
        """See the proto."""
        plan = await self._change_plan(request, partial(operations.end_plan, now=utc_now()))
        return pb.EndVisitPlanResponse(plan=plan)

    async def ListVisitPlans(self, request: pb.ListVisitPlansRequest, context: object) -> pb.ListVisitPlansResponse:
        """See the proto."""
        caller = current_caller()
        query = store.in_area(own=caller.area, wanted=request.area_prefix)
        if query is None:
            return pb.ListVisitPlansResponse()
        query |= {"state": to_fields(request).get("state", VisitPlanState.ACTIVE.value)}
        query |= {name: value for name in ("rule", "resident_id") if (value := getattr(request, name))}
        query |= {"visited": False} if request.to_visit else {}
        if not caller.has_role("COMM_CLERK", "GRID_SUPERVISOR", "STATION_HEAD", "STREET_CENTER"):
            # Whose visits are for the community to make may be a secret to the grid.
            query |= {"responsible_role": "GRID_WORKER"}
        rows, token = await page_of(
            self._plans.collection,
            query=query,
            keys=("due_at", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(pb.VisitPlan, row, id_field="plan_id") for row in rows]
        return pb.ListVisitPlansResponse(plans=found, next_page_token=token)

    async def RecordVisit(self, request: pb.RecordVisitRequest, context: object) -> pb.RecordVisitResponse:
        """See the proto."""
        fields = to_fields(request)
        decide = partial(
            operations.record_visit,
            notes=request.notes,
            nothing_to_report=request.nothing_to_report,
            evidence=msgspec.convert(fields.get("evidence", ()), tuple[Attachment, ...]),
            by=current_caller(),
            happened_at=fields.get("happened_at"),
            now=utc_now(),
        )
        return pb.RecordVisitResponse(plan=await self._change_plan(request, decide))

    async def _check_unplanned(self, request: pb.StartVisitPlanRequest) -> None:
        """Raises Conflict (PLANNED_ALREADY), also for a plan that came along from another grid or entry."""
        mine: dict[str, Any] = {"resident_id": request.resident_id, "rule": request.rule, "state": VisitPlanState.ACTIVE.value}
        mine |= {"commands.key": {"$ne": command_of(request, current_caller()).key}}
        if plan := await self._plans.collection.find_one(mine, {"_id": True}):
            raise Conflict("Such visits are planned already.", reason="PLANNED_ALREADY", metadata={"plan_id": plan["_id"]})

    async def _resident(self, resident_id: str) -> Resident:
        resident = await self._residents.get(resident_id)
        if not may_act_in(current_caller(), resident.area_code):
            raise self._residents.form.not_found(resident_id)
        return resident

    def _check_known(self, entry: CareEntry, caller: Caller) -> None:
        """Raises NotFound for who may not know that the entry exists."""
        if not may_act_in(caller, entry.area_code) or entry.category not in seen_by(caller):
            raise self._entries.form.not_found(entry.care_id)

    async def _change(self, request: Any, decide: Any) -> pb.CareEntry:
        caller = current_caller()

        def decide_known(entry: CareEntry) -> Any:
            self._check_known(entry, caller)
            return decide(entry)

        entry = await self._entries.change(request.care_id, decide_known, command=command_of(request, caller))
        return to_message(pb.CareEntry, entry)

    async def _change_plan(self, request: Any, decide: Any) -> pb.VisitPlan:
        caller = current_caller()

        def decide_in_area(plan: VisitPlan) -> Any:
            check_area(caller, plan.area_code)
            return decide(plan)

        plan = await self._plans.change(request.plan_id, decide_in_area, command=command_of(request, caller))
        return to_message(pb.VisitPlan, plan)


def seen_by(caller: Caller) -> frozenset[str]:
    """Returns the categories a caller may know of; an import knows all that are kept here."""
    roles = caller.roles | ({"COMM_CLERK", "STREET_CENTER"} if "IMPORTER" in caller.roles else set())
    return categories_seen(roles=roles, department=caller.department)


def countable(caller: Caller, wanted: str) -> frozenset[str]:
    """Returns the categories to count: the one that is wanted, else all the caller may count.

    Raises PermissionDenied (CATEGORY_NOT_YOURS) and what `category_of` raises.
    """
    counted = categories_counted(roles=caller.roles) | seen_by(caller)
    if not wanted:
        return counted
    if category_of(wanted).code not in counted:
        raise PermissionDenied("This category is for others to count.", reason="CATEGORY_NOT_YOURS", field="category")
    return frozenset({wanted})

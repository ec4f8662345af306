"""MergeService: duplicates suggested with their score, merged by people, taken apart again."""

from __future__ import annotations

import asyncio
from typing import Any

from binglian.population.v1 import merge_pb2 as pb
from binglian.population.v1 import merge_pb2_grpc
from msgspec.structs import replace

from population import store
from population.domain.merge import DuplicateScore, Merge, MergeState
from population.domain.resident import Resident
from population.duplicates import SUGGESTED_FROM, likely_pairs, score
from population.operations.merging import plan_merge
from population.policies.merging import check_merge_transition, check_pair, check_take
from population.rpc.merging import Merging
from population.rpc.reach import Reach
from population.rpc.showing import Showing
from population.store.merges import dismissed_with
from population.store.residents import HERE, maybe_same
from population.vault import Vault
from svckit.access import Caller, check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import InvalidArgument
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import code_range, page_of
from svckit.store import Repository

DEFAULT_LIMIT = 50
MOST_CANDIDATES = 20
# A community has some 10,000 people; more are compared by a cross-check, not while somebody waits.
MOST_COMPARED = 30_000


class MergeServicer(merge_pb2_grpc.MergeServiceServicer):
    """Duplicates and merges of the caller's area."""

    def __init__(self, *, merges: Repository[Merge], residents: Repository[Resident], vault: Vault) -> None:
        self._merges = merges
        self._reach = Reach(residents, vault)
        self._residents = residents
        self._vault = vault
        self._showing = Showing(vault)
        self.merging = Merging(merges=merges, residents=residents, showing=self._showing)

    async def FindDuplicates(self, request: pb.FindDuplicatesRequest, context: object) -> pb.FindDuplicatesResponse:
        """See the proto."""
        caller = current_caller()
        resident = await self._reach.get(request.resident_id)
        dismissed = await dismissed_with(self._merges.collection, [resident.resident_id])
        rows = await maybe_same(self._residents.collection, resident, **self._indexes(resident))
        others = [self._residents.form.state(row) for row in rows if may_act_in(caller, row["area_code"])]
        scored = [
            (other, score(resident, other))
            for other in others
            if frozenset((resident.resident_id, other.resident_id)) not in dismissed
        ]
        likely = sorted(
            (pair for pair in scored if pair[1].probability >= SUGGESTED_FROM), key=lambda pair: -pair[1].total_bits
        )
        return pb.FindDuplicatesResponse(
            candidates=[
                pb.DuplicateCandidate(resident=self._showing.resident(other), score=_score(found))
                for other, found in likely[:MOST_CANDIDATES]
            ]
        )

    async def ListDuplicates(self, request: pb.ListDuplicatesRequest, context: object) -> pb.ListDuplicatesResponse:
        """See the proto."""
        check_area(current_caller(), request.area_prefix)
        query = {"area_code": code_range(request.area_prefix), **HERE}
        rows = await self._residents.collection.find(query, store.OWNED_BY_STORE).limit(MOST_COMPARED + 1).to_list()
        if len(rows) > MOST_COMPARED:
            raise InvalidArgument("Too many people live here: name a grid.", reason="AREA_TOO_WIDE", field="area_prefix")
        residents = [self._residents.form.state(row) for row in rows]
        pairs = await asyncio.to_thread(likely_pairs, residents)
        told = await dismissed_with(self._merges.collection, [one.resident_id for one, _, _ in pairs])
        left = [pair for pair in pairs if frozenset((pair[0].resident_id, pair[1].resident_id)) not in told]
        return pb.ListDuplicatesResponse(
            pairs=[
                pb.DuplicatePair(one=self._showing.resident(one), other=self._showing.resident(other), score=_score(found))
                for one, other, found in left[: request.limit or DEFAULT_LIMIT]
            ]
        )

    async def DismissDuplicate(self, request: pb.DismissDuplicateRequest, context: object) -> pb.DismissDuplicateResponse:
        """See the proto."""
        caller = current_caller()
        one = await self._reach.get(request.resident_id)
        other = await self._reach.get(request.other_id)
        check_pair(one, other)
        told = _decided(one, other, state=MergeState.DISMISSED, reason=request.reason, by=caller)
        told = await self._merges.create(told.merge_id, told, (), command=command_of(request, caller))
        return pb.DismissDuplicateResponse(merge=to_message(pb.Merge, told))

    async def MergeResidents(self, request: pb.MergeResidentsRequest, context: object) -> pb.MergeResidentsResponse:
        """See the proto."""
        caller = current_caller()
        command = command_of(request, caller)
        survivor = await self._reach.get(request.resident_id)
        absorbed = await self._reach.get(request.absorbed_id)
        merge = await self._merges.created(command)
        if merge is None:
            check_take(request.take)
            check_pair(survivor, absorbed)
            decided = _decided(survivor, absorbed, state=MergeState.CONFIRMED, reason=request.reason, by=caller)
            decided = replace(decided, take=tuple(request.take), document_id=new_id())
            planned = plan_merge(decided, survivor=survivor, absorbed=absorbed, reseal=self._showing.reseal)
            merge = await self._merges.create(planned.merge_id, planned, (), command=command)
        merge = await self.merging.finish(merge)
        return pb.MergeResidentsResponse(merge=to_message(pb.Merge, merge))

    async def UndoMerge(self, request: pb.UndoMergeRequest, context: object) -> pb.UndoMergeResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()

        def decide(merge: Merge) -> Any:
            check_area(caller, merge.area_code)
            state = check_merge_transition(merge, "undo")
            undone = replace(merge, state=state, undone_by=caller.subject, undo_reason=request.reason, changed_at=now)
            return undone, ()

        merge = await self._merges.change(request.merge_id, decide, command=command_of(request, caller))
        merge = await self.merging.finish(merge)
        return pb.UndoMergeResponse(merge=to_message(pb.Merge, merge))

    async def GetMerge(self, request: pb.GetMergeRequest, context: object) -> pb.GetMergeResponse:
        """See the proto."""
        merge = await self._merges.get(request.merge_id)
        if not may_act_in(current_caller(), merge.area_code):
            raise self._merges.form.not_found(request.merge_id)
        return pb.GetMergeResponse(merge=to_message(pb.Merge, merge))

    async def ListMerges(self, request: pb.ListMergesRequest, context: object) -> pb.ListMergesResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListMergesResponse()
        state = to_fields(request).get("state")
        query |= {"state": state} if state else {}
        named = request.resident_id
        query |= {"$or": [{"survivor_id": named}, {"absorbed_id": named}]} if named else {}
        rows, token = await page_of(
            self._merges.collection,
            query=query,
            keys=("-_id",),
            token=request.page_token,
            size=request.page_size or DEFAULT_LIMIT,
        )
        found = [to_message(pb.Merge, row, id_field="merge_id") for row in rows]
        return pb.ListMergesResponse(merges=found, next_page_token=token)

    def _indexes(self, resident: Resident) -> dict[str, list[bytes]]:
        """The blind indexes of a resident's numbers, under all keys of the index that are in use."""
        owner = resident.resident_id
        numbers = [number for number in (resident.id_number, *(item.number for item in resident.documents)) if number]
        found = [index for each in numbers for index in self._vault.indexes_of(each, field="id_number", owner=owner)]
        phones = self._vault.indexes_of(resident.phone, field="phone", owner=owner) if resident.phone else []
        return {"numbers": found, "phones": phones}


def _decided(survivor: Resident, absorbed: Resident, *, state: MergeState, reason: str, by: Caller) -> Merge:
    now = utc_now()
    return Merge(
        merge_id=new_id(),
        state=state,
        city=survivor.city,
        area_code=survivor.area_code,
        survivor_id=survivor.resident_id,
        absorbed_id=absorbed.resident_id,
        by=by.subject,
        reason=reason,
        created_at=now,
        changed_at=now,
    )


def _score(found: DuplicateScore) -> pb.DuplicateScore:
    return to_message(pb.DuplicateScore, found)

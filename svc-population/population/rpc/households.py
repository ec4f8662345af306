"""HouseholdService."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from binglian.population.v1 import resident_pb2, resident_service_pb2_grpc
from binglian.population.v1 import resident_service_pb2 as pb

from population import operations, store
from population.domain.facts import HouseholdRegistered
from population.domain.household import Household, HouseholdDraft
from population.domain.residence import ResidenceDraft, ResidenceKind
from population.domain.resident import Resident
from population.operations import households
from population.operations.households import is_head
from population.operations.moves import move_resident
from population.operations.residences import day
from population.policies.households import HEAD, SELF, check_member, check_relations, relation_to
from population.policies.requests import local_day
from population.policies.residences import lasting_residences
from population.rpc.reach import Reach
from population.rpc.showing import Showing
from population.store.residents import HERE
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import LOADED, Command, command_of, utc_now
from svckit.entries import judge_all, part
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50


class HouseholdServicer(resident_service_pb2_grpc.HouseholdServiceServicer):
    """Households of the caller's area."""

    def __init__(self, *, households: Repository[Household], residents: Repository[Resident], vault: Vault) -> None:
        self._households = households
        self._reach = Reach(residents, vault)
        self._showing = Showing(vault)

    async def CreateHousehold(self, request: pb.CreateHouseholdRequest, context: object) -> pb.CreateHouseholdResponse:
        """See the proto."""
        household, events = _new(request.household)
        command = command_of(request, current_caller())
        household = await self._households.create(household.household_id, household, events, command=command)
        return pb.CreateHouseholdResponse(household=to_message(resident_pb2.Household, household))

    async def CreateHouseholds(self, request: pb.CreateHouseholdsRequest, context: object) -> pb.CreateHouseholdsResponse:
        """See the proto."""
        made = judge_all(request.households, lambda _, message: _new(message), field="households")
        command = command_of(request, current_caller())
        saved = await asyncio.gather(
            *(
                self._households.create(household.household_id, household, events, command=part(command, index))
                for index, (household, events) in enumerate(made)
            )
        )
        return pb.CreateHouseholdsResponse(household_ids=[household.household_id for household in saved])

    async def GetHousehold(self, request: pb.GetHouseholdRequest, context: object) -> pb.GetHouseholdResponse:
        """See the proto."""
        household = await self._get(request.household_id)
        return pb.GetHouseholdResponse(household=to_message(resident_pb2.Household, household))

    async def GetHouseholdMembers(
        self, request: pb.GetHouseholdMembersRequest, context: object
    ) -> pb.GetHouseholdMembersResponse:
        """See the proto."""
        household = await self._get(request.household_id)
        members = _head_first(await self._members(household.household_id), household)
        return pb.GetHouseholdMembersResponse(
            household=to_message(resident_pb2.Household, household),
            members=[self._showing.resident(member) for member in members],
        )

    async def SetHouseholdHead(self, request: pb.SetHouseholdHeadRequest, context: object) -> pb.SetHouseholdHeadResponse:
        """See the proto. One by one, the new head and the household last, so that the same request finishes what was broken off."""
        caller, now = current_caller(), utc_now()
        given = dict(request.relations)
        check_relations(given)
        before = await self._get(request.household_id)
        if before.head_id != request.head_id:  # otherwise it is this very request again
            households.set_head(before, head_id=request.head_id, revision=request.revision, now=now)
        members = await self._members(request.household_id)
        check_member(request.head_id, {member.resident_id for member in members})
        relations = _told(members, head_id=request.head_id, given=given)
        command = command_of(request, caller)
        others = [member for member in members if member.resident_id != request.head_id]
        changed = await asyncio.gather(*(self._relate(member, relations, before, command, now) for member in others))
        head = [member for member in members if member.resident_id == request.head_id]
        changed += [await self._relate(member, relations, before, command, now) for member in head]

        def decide(household: Household) -> Any:
            check_area(caller, household.area_code)
            return households.set_head(household, head_id=request.head_id, revision=request.revision, now=now)

        household = await self._households.change(request.household_id, decide, command=command)
        return pb.SetHouseholdHeadResponse(
            household=to_message(resident_pb2.Household, household),
            members=[self._showing.resident(member) for member in _head_first(changed, household)],
        )

    async def MoveHousehold(self, request: pb.MoveHouseholdRequest, context: object) -> pb.MoveHouseholdResponse:
        """See the proto. One by one, the household last, so that the same request finishes what was broken off."""
        caller, now = current_caller(), utc_now()
        before = await self._get(request.household_id)
        home = msgspec.convert(to_fields(request.home), ResidenceDraft)
        home = msgspec.structs.replace(home, area_code=home.area_code or before.area_code)
        day(home.since, field="home.since", today=local_day(now))
        command = command_of(request, caller)

        def decide(household: Household) -> Any:
            check_area(caller, household.area_code)
            return households.move_household(
                household, house_id=home.house_id, area_code=home.area_code, revision=request.revision, now=now
            )

        if before.house_id != home.house_id:  # otherwise it is this very request again
            decide(before)
        members = [one for one in await self._members(request.household_id) if _goes_along(one, before, home)]
        moved = await asyncio.gather(*(self._move(member, home, command, now) for member in members))
        household = await self._households.change(request.household_id, decide, command=command)
        return pb.MoveHouseholdResponse(
            household=to_message(resident_pb2.Household, household), moved_ids=[member.resident_id for member in moved]
        )

    async def ListHouseholds(self, request: pb.ListHouseholdsRequest, context: object) -> pb.ListHouseholdsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListHouseholdsResponse()
        query |= {"house_id": request.house_id} if request.house_id else {}
        rows, token = await page_of(
            self._households.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(resident_pb2.Household, row, id_field="household_id") for row in rows]
        return pb.ListHouseholdsResponse(households=found, next_page_token=token)

    async def _get(self, household_id: str) -> Household:
        household = await self._households.get(household_id)
        if not may_act_in(current_caller(), household.area_code):
            raise self._households.form.not_found(household_id)
        return household

    async def _members(self, household_id: str) -> list[Resident]:
        """Those of a household who live here, in the caller's area."""
        residents, caller = self._reach.residents, current_caller()
        rows = await residents.collection.find({"household_id": household_id, **HERE}, LOADED).to_list()
        return [residents.form.state(row) for row in rows if may_act_in(caller, row["area_code"])]

    async def _relate(
        self, member: Resident, relations: Mapping[str, str], household: Household, command: Command, now: datetime
    ) -> Resident:
        def decide(resident: Resident) -> Any:
            relation = relations[member.resident_id]
            return households.relate(resident, household_id=household.household_id, relation=relation, now=now)

        return await self._reach.change(member.resident_id, decide, command=_of_member(command, member))

    async def _move(self, member: Resident, home: ResidenceDraft, command: Command, now: datetime) -> Resident:
        def decide(resident: Resident) -> Any:
            if _lives_in(resident, home.house_id):
                return resident, ()
            return move_resident(resident, home=home, residence_id=new_id(), revision=0, now=now)

        return await self._reach.change(member.resident_id, decide, command=_of_member(command, member))


def _new(message: pb.HouseholdDraft) -> tuple[Household, tuple[HouseholdRegistered, ...]]:
    draft = msgspec.convert(to_fields(message), HouseholdDraft)
    check_area(current_caller(), draft.area_code)
    return operations.create_household(draft=draft, household_id=new_id(), now=utc_now())


def _of_member(command: Command, member: Resident) -> Command:
    """Each member has a command of their own, the same whenever the request is repeated."""
    return Command(key=f"{command.key}#{member.resident_id}", digest=command.digest)


def _head_first(members: Iterable[Resident], household: Household) -> list[Resident]:
    return sorted(
        members, key=lambda member: (not is_head(member, household), member.household_relation or "~", member.birth_date)
    )


def _told(members: Iterable[Resident], *, head_id: str, given: Mapping[str, str]) -> dict[str, str]:
    """The relations of all members to the new head: as given, else as they follow from the old ones."""
    by_id = {member.resident_id: member for member in members}
    head = by_id[head_id]
    if head.household_relation in (HEAD, SELF):
        derived = {id: member.household_relation for id, member in by_id.items()}
    else:
        derived = {
            id: relation_to(
                new_head=head.household_relation,
                new_head_sex=head.sex,
                member=member.household_relation,
                member_sex=member.sex,
            )
            for id, member in by_id.items()
        }
    return {**derived, **{id: relation for id, relation in given.items() if id in by_id}, head_id: HEAD}


def _goes_along(member: Resident, household: Household, home: ResidenceDraft) -> bool:
    """Whether a member moves with the household, or did so already; where its home was not known, everybody does."""
    return not household.house_id or _lives_in(member, household.house_id) or _lives_in(member, home.house_id)


def _lives_in(member: Resident, house_id: str) -> bool:
    return any(home.house_id == house_id for home in lasting_residences(member.residences, ResidenceKind.ACTUAL))

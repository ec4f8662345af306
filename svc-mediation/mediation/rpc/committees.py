"""CommitteeService."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
from binglian.mediation.v1 import committee_pb2, committee_service_pb2_grpc
from binglian.mediation.v1 import committee_service_pb2 as pb

from mediation import papers
from mediation.committee_store import CommitteeRegister, listed
from mediation.domain.committee import CommitteeDraft, MediationCommittee
from mediation.operations import committees as operations
from mediation.policies.committees import check_registrar, check_works
from svckit.access import Caller, check_area, current_caller
from svckit.documents import command_of, utc_now
from svckit.errors import Conflict
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository

DEFAULT_PAGE = 50
_CITY_DIGITS = 4


class CommitteeServicer(committee_service_pb2_grpc.CommitteeServiceServicer):
    """The register of people's mediation committees."""

    def __init__(self, *, committees: Repository[MediationCommittee], register: CommitteeRegister, fonts: papers.Fonts) -> None:
        self._committees = committees
        self._register = register
        self._fonts = fonts

    async def CreateCommittee(self, request: Any, context: Any) -> Any:
        """Enters a committee."""
        caller = current_caller()
        check_registrar(caller)
        draft = _draft(request.committee)
        committee = operations.create_committee(draft=draft, committee_id=new_id(), now=utc_now())
        check_area(caller, committee.area_code)
        saving = self._committees.create(committee.committee_id, committee, (), command=command_of(request, caller))
        saved = await self._saved(saving, draft=draft)
        return to_message(pb.CreateCommitteeResponse, {"committee": saved})

    async def GetCommittee(self, request: Any, context: Any) -> Any:
        """Returns one committee."""
        return to_message(pb.GetCommitteeResponse, {"committee": await self._known(request.committee_id)})

    async def GetMediationCard(self, request: Any, context: Any) -> Any:
        """Makes the card of a committee. Setting type takes a third of a second of computing: other requests go on meanwhile."""
        committee = await self._known(request.committee_id)
        check_works(committee)
        file = await asyncio.to_thread(papers.print_cards, committee, fonts=self._fonts)
        return to_message(pb.GetMediationCardResponse, {"file": file})

    async def _known(self, committee_id: str) -> MediationCommittee:
        committee = await self._committees.get(committee_id)
        if not committee.area_code.startswith(current_caller().area[:_CITY_DIGITS]):
            raise self._committees.form.not_found(committee_id)
        return committee

    async def ListCommittees(self, request: Any, context: Any) -> Any:
        """Returns a page of the register."""
        where = listed(
            current_caller(),
            prefix=request.area_prefix,
            code=request.code,
            mediator=request.mediator,
            dissolved_too=request.dissolved_too,
            text=request.text,
        )
        rows, token = await self._register.page(where, token=request.page_token, size=request.page_size or DEFAULT_PAGE)
        found = [to_message(committee_pb2.MediationCommittee, row, id_field="committee_id") for row in rows]
        return pb.ListCommitteesResponse(committees=found, next_page_token=token)

    async def UpdateCommittee(self, request: Any, context: Any) -> Any:
        """Changes some fields of a committee."""
        caller = current_caller()
        check_registrar(caller)
        draft, fields = _draft(request.committee), to_fields(request)["update_mask"]

        def decide(committee: MediationCommittee) -> tuple[MediationCommittee, tuple[Any, ...]]:
            self._check_own(committee, caller)
            changed = operations.update_committee(
                committee, draft=draft, fields=fields, revision=request.revision, now=utc_now()
            )
            check_area(caller, changed.area_code)
            return changed, ()

        saving = self._committees.change(request.committee_id, decide, command=command_of(request, caller))
        saved = await self._saved(saving, draft=draft, own=request.committee_id)
        return to_message(pb.UpdateCommitteeResponse, {"committee": saved})

    async def DissolveCommittee(self, request: Any, context: Any) -> Any:
        """Takes a committee off the register."""
        caller = current_caller()
        check_registrar(caller)

        def decide(committee: MediationCommittee) -> tuple[MediationCommittee, tuple[Any, ...]]:
            self._check_own(committee, caller)
            return operations.dissolve_committee(committee, now=utc_now()), ()

        saved = await self._committees.change(request.committee_id, decide, command=command_of(request, caller))
        return to_message(pb.DissolveCommitteeResponse, {"committee": saved})

    async def _saved(
        self, saving: Awaitable[MediationCommittee], *, draft: CommitteeDraft, own: str = ""
    ) -> MediationCommittee:
        try:
            return await saving
        except Conflict as conflict:
            if conflict.reason != "ALREADY_EXISTS":
                raise
            raise await self._register.clash(conflict, draft=draft, own=own) from conflict

    def _check_own(self, committee: MediationCommittee, caller: Caller) -> None:
        if not committee.area_code.startswith(caller.area):
            raise self._committees.form.not_found(committee.committee_id)


def _draft(message: Any) -> CommitteeDraft:
    return msgspec.convert(to_fields(message), CommitteeDraft)

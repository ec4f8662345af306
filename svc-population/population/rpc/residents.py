"""ResidentService. Answers leave here in clear text; the server masks them unless the caller stated a purpose."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from binglian.population.v1 import resident_service_pb2 as pb
from binglian.population.v1 import resident_service_pb2_grpc

from population import operations, store
from population.department_feed import registered_of
from population.domain.collection import FieldLedger
from population.domain.household import Household
from population.domain.residence import ResidenceDraft, ResidenceKind
from population.domain.resident import Resident, ResidentDraft
from population.id_documents import forms_of
from population.operations.collection import note_correction
from population.operations.residents import ResidentEvent
from population.policies.collection import COLLECTED, check_corrector
from population.rpc.reach import Reach
from population.rpc.showing import Showing
from population.store.numbers import Numbers
from population.store.residents import HERE
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import Command, command_of, utc_now
from svckit.entries import judge_all, part
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound
from svckit.ids import new_id
from svckit.messages import to_fields
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50

New = tuple[Resident, tuple[ResidentEvent, ...]]


class ResidentServicer(resident_service_pb2_grpc.ResidentServiceServicer):
    """Residents of the caller's area."""

    def __init__(
        self,
        *,
        residents: Repository[Resident],
        households: Repository[Household],
        ledgers: Repository[FieldLedger],
        vault: Vault,
    ) -> None:
        self._residents = residents
        self._ledgers = ledgers
        self._households = households
        self._vault = vault
        self._reach = Reach(residents, vault)
        self._showing = Showing(vault)
        self._numbers = Numbers(residents.collection)

    async def CreateResident(self, request: pb.CreateResidentRequest, context: object) -> pb.CreateResidentResponse:
        """See the proto."""
        resident, events = self._new(request.resident)
        command = command_of(request, current_caller())
        await self._check_households([request.resident.household_id])
        await self._reach.check_numbers([resident], [command])
        resident = await self._residents.create(resident.resident_id, resident, events, command=command)
        return pb.CreateResidentResponse(resident=self._showing.resident(resident))

    async def CreateResidents(self, request: pb.CreateResidentsRequest, context: object) -> pb.CreateResidentsResponse:
        """See the proto."""
        made = judge_all(request.residents, lambda _, message: self._new(message), field="residents")
        residents = [resident for resident, _ in made]
        check_no_number_twice(residents)
        command = command_of(request, current_caller())
        commands = [part(command, index) for index in range(len(made))]
        await self._check_households({resident.household_id for resident in residents})
        await self._reach.check_numbers(residents, commands)
        saved = await asyncio.gather(
            *(
                self._residents.create(resident.resident_id, resident, events, command=own)
                for (resident, events), own in zip(made, commands, strict=True)
            )
        )
        return pb.CreateResidentsResponse(resident_ids=[resident.resident_id for resident in saved])

    async def UpdateResident(self, request: pb.UpdateResidentRequest, context: object) -> pb.UpdateResidentResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        fields = to_fields(request)
        check_corrector(caller, fields["update_mask"])
        values = msgspec.convert(fields, ResidentDraft)
        await self._check_households([values.household_id])
        if values.area_code:
            check_area(caller, values.area_code)

        def decide(resident: Resident) -> Any:
            check_area(caller, resident.area_code)
            return operations.update_resident(
                resident,
                fields=fields["update_mask"],
                values=values,
                seal=self._vault.seal,
                revision=request.revision,
                now=now,
            )

        resident = await self._residents.change(request.resident_id, decide, command=command_of(request, caller))
        await self._note(resident, fields["update_mask"], command_of(request, caller))
        return pb.UpdateResidentResponse(resident=self._showing.resident(resident))

    async def GetResident(self, request: pb.GetResidentRequest, context: object) -> pb.GetResidentResponse:
        """See the proto."""
        return pb.GetResidentResponse(resident=self._showing.resident(await self._reach.get(request.resident_id)))

    async def RevealResident(self, request: pb.RevealResidentRequest, context: object) -> pb.RevealResidentResponse:
        """See the proto."""
        return pb.RevealResidentResponse(resident=self._showing.resident(await self._reach.get(request.resident_id)))

    async def FindResidents(self, request: pb.FindResidentsRequest, context: object) -> pb.FindResidentsResponse:
        """See the proto."""
        caller = current_caller()
        indexes = [index for form in forms_of(request.id_number) for index in self._vault.indexes(form, field="id_number")]
        rows = await self._numbers.find(indexes=indexes, city=caller.city)
        found = [row for row in rows if may_act_in(caller, row["area_code"])]
        return pb.FindResidentsResponse(residents=[self._showing.row(row) for row in found])

    async def ListResidents(self, request: pb.ListResidentsRequest, context: object) -> pb.ListResidentsResponse:
        """See the proto."""
        query = store.in_area(own=current_caller().area, wanted=request.area_prefix)
        if query is None:
            return pb.ListResidentsResponse()
        query |= {name: value for name in ("household_id", "resident_type", "match_flag") if (value := getattr(request, name))}
        query |= store.lives_in(request.house_id) if request.house_id else {}
        query |= {} if request.include_departed else HERE
        rows, token = await page_of(
            self._residents.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        return pb.ListResidentsResponse(residents=[self._showing.row(row) for row in rows], next_page_token=token)

    async def StartResidence(self, request: pb.StartResidenceRequest, context: object) -> pb.StartResidenceResponse:
        """See the proto."""
        caller, now, residence_id = current_caller(), utc_now(), new_id()
        draft = msgspec.convert(to_fields(request.residence), ResidenceDraft)
        _check_house_area(draft)

        def decide(resident: Resident) -> Any:
            check_area(caller, resident.area_code)
            return operations.start_residence(
                resident, draft=draft, residence_id=residence_id, revision=request.revision, now=now
            )

        resident = await self._residents.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.StartResidenceResponse(resident=self._showing.resident(resident))

    async def EndResidence(self, request: pb.EndResidenceRequest, context: object) -> pb.EndResidenceResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()

        def decide(resident: Resident) -> Any:
            check_area(caller, resident.area_code)
            return operations.end_residence(
                resident, residence_id=request.residence_id, until=request.until, revision=request.revision, now=now
            )

        resident = await self._residents.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.EndResidenceResponse(resident=self._showing.resident(resident))

    async def _note(self, resident: Resident, fields: Iterable[str], command: Command) -> None:
        """Says in the ledger who corrected collected fields, where there is one; without, there is nothing to hold it against."""
        if not COLLECTED.keys() & set(fields):
            return
        caller, registered = current_caller(), registered_of(resident, self._vault)
        with contextlib.suppress(NotFound):
            await self._ledgers.change(
                resident.resident_id,
                lambda ledger: note_correction(
                    ledger, registered=registered, by=caller.subject, texts=self._vault, now=utc_now()
                ),
                command=command,
            )

    def _new(self, message: pb.ResidentDraft) -> New:
        draft = msgspec.convert(to_fields(message), ResidentDraft)
        check_area(current_caller(), draft.area_code)
        _check_house_area(draft.residence)
        return operations.create_resident(
            draft=draft,
            resident_id=new_id(),
            residence_id=new_id(),
            registered_id=new_id() if draft.registered else "",
            seal=self._vault.seal,
            now=utc_now(),
        )

    async def _check_households(self, ids: Iterable[str]) -> None:
        """Raises FailedPrecondition (HOUSEHOLD_MISSING) unless all named households are in the caller's area."""
        named = {household_id for household_id in ids if household_id}
        if not named:
            return
        missing = named - await store.known(self._households.collection, named, own_area=current_caller().area)
        if missing:
            raise FailedPrecondition(
                f"The household {min(missing)} does not exist.",
                reason="HOUSEHOLD_MISSING",
                metadata={"household_id": min(missing)},
            )


def _check_house_area(residence: ResidenceDraft | None) -> None:
    """Raises PermissionDenied when somebody moves into a house outside the caller's area; without an area it is the person's."""
    if residence and residence.area_code and residence.kind is ResidenceKind.ACTUAL:
        check_area(current_caller(), residence.area_code)


def check_no_number_twice(residents: Sequence[Resident]) -> None:
    """Raises InvalidArgument (ID_NUMBER_TWICE) naming the second entry with one identity number."""
    seen: set[bytes] = set()
    for index, resident in enumerate(residents):
        if resident.id_number is None:
            continue
        if resident.id_number.index in seen:
            raise InvalidArgument(
                "This identity number is there twice.", reason="ID_NUMBER_TWICE", field=f"residents[{index}].id_number"
            )
        seen.add(resident.id_number.index)

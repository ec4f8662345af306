"""RegisterService: found by name, moved, died, entered by mistake, taken back; identity documents beside the first."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from binglian.population.v1 import register_pb2 as pb
from binglian.population.v1 import register_pb2_grpc

from population import names
from population.domain.residence import ResidenceDraft
from population.domain.resident import Resident
from population.id_documents import normal_number
from population.operations import documents, moves
from population.rpc.reach import Decided, Reach
from population.rpc.showing import Showing
from population.store.residents import HERE, with_name
from population.vault import Vault
from svckit.access import current_caller
from svckit.documents import command_of, utc_now
from svckit.ids import new_id
from svckit.messages import to_fields
from svckit.paging import narrowed
from svckit.store import Repository

DEFAULT_LIMIT = 50
_log = logging.getLogger(__name__)


class RegisterServicer(register_pb2_grpc.RegisterServiceServicer):
    """The verbs of the register on residents of the caller's area."""

    def __init__(self, *, residents: Repository[Resident], vault: Vault) -> None:
        self._reach = Reach(residents, vault)
        self._rows = residents.collection
        self._vault = vault
        self._showing = Showing(vault)

    async def FindResidentsByName(
        self, request: pb.FindResidentsByNameRequest, context: object
    ) -> pb.FindResidentsByNameResponse:
        """See the proto."""
        caller = current_caller()
        sought = names.sought(request.name, field="name")
        prefix = narrowed(own=caller.area, wanted=request.area_prefix)
        if prefix is None:
            return pb.FindResidentsByNameResponse()
        extra: dict[str, Any] = {} if request.include_departed else dict(HERE)
        extra |= {"birth_date": {"$gte": request.born, "$lt": f"{request.born};"}} if request.born else {}
        limit = request.limit or DEFAULT_LIMIT
        rows = await with_name(self._rows, sought=sought, prefix=prefix, extra=extra, limit=limit + 1)
        _log.info("%s looked for a name for %s: %d found", caller.subject, caller.purpose, len(rows))
        return pb.FindResidentsByNameResponse(
            residents=[self._showing.row(row) for row in rows[:limit]], more=len(rows) > limit
        )

    async def MoveResident(self, request: pb.MoveResidentRequest, context: object) -> pb.MoveResidentResponse:
        """See the proto."""
        caller, now, residence_id = current_caller(), utc_now(), new_id()
        home = msgspec.convert(to_fields(request.home), ResidenceDraft)

        def decide(resident: Resident) -> Decided:
            if request.WhichOneof("to") == "home":
                return moves.move_resident(resident, home=home, residence_id=residence_id, revision=request.revision, now=now)
            away = request.away
            return moves.move_away(
                resident,
                to_area_code=away.to_area_code,
                until=away.until,
                reason=away.reason,
                by=caller,
                revision=request.revision,
                now=now,
            )

        resident = await self._reach.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.MoveResidentResponse(resident=self._showing.resident(resident))

    async def RecordDeath(self, request: pb.RecordDeathRequest, context: object) -> pb.RecordDeathResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()

        def decide(resident: Resident) -> Decided:
            return moves.record_death(
                resident,
                died_on=request.died_on,
                reason=request.reason,
                by=caller,
                revision=request.revision,
                now=now,
            )

        resident = await self._reach.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.RecordDeathResponse(resident=self._showing.resident(resident))

    async def VoidResident(self, request: pb.VoidResidentRequest, context: object) -> pb.VoidResidentResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()

        def decide(resident: Resident) -> Decided:
            return moves.void_resident(resident, reason=request.reason, by=caller, revision=request.revision, now=now)

        resident = await self._reach.change(request.resident_id, decide, command=command_of(request, caller))
        return pb.VoidResidentResponse(resident=self._showing.resident(resident))

    async def RestoreResident(self, request: pb.RestoreResidentRequest, context: object) -> pb.RestoreResidentResponse:
        """See the proto."""
        now = utc_now()

        def decide(resident: Resident) -> Decided:
            return moves.restore_resident(resident, revision=request.revision, now=now)

        command = command_of(request, current_caller())
        resident = await self._reach.change(request.resident_id, decide, command=command)
        return pb.RestoreResidentResponse(resident=self._showing.resident(resident))

    async def AddIdDocument(self, request: pb.AddIdDocumentRequest, context: object) -> pb.AddIdDocumentResponse:
        """See the proto."""
        now, document_id = utc_now(), new_id()
        resident = await self._reach.get(request.resident_id)
        number = normal_number(request.id_doc_type, request.id_number)
        await self._reach.check_number_free(number, city=resident.city, resident_id=request.resident_id)

        def decide(resident: Resident) -> Decided:
            return documents.add_document(
                resident,
                kind=request.id_doc_type,
                number=request.id_number,
                primary=request.primary,
                document_id=document_id,
                seal=self._vault.seal,
                revision=request.revision,
                now=now,
            )

        command = command_of(request, current_caller())
        changed = await self._reach.change(request.resident_id, decide, command=command)
        return pb.AddIdDocumentResponse(resident=self._showing.resident(changed))

    async def RemoveIdDocument(self, request: pb.RemoveIdDocumentRequest, context: object) -> pb.RemoveIdDocumentResponse:
        """See the proto."""
        now = utc_now()

        def decide(resident: Resident) -> Decided:
            return documents.remove_document(resident, document_id=request.document_id, revision=request.revision, now=now)

        command = command_of(request, current_caller())
        resident = await self._reach.change(request.resident_id, decide, command=command)
        return pb.RemoveIdDocumentResponse(resident=self._showing.resident(resident))

"""Generated people, and calls to a running svc-population as different callers."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from binglian.population.v1 import resident_pb2, resident_service_pb2, resident_service_pb2_grpc, verification_pb2_grpc

from population.config import Settings
from population.identity import check_digit
from population.privacy.keyring import open_ring
from svckit.ids import new_id
from tests.services import Service

NAME = "王小明"
CITY = "4205"
GRID = "42050200100310001"
OTHER_GRID = "42050300100110001"
PURPOSES = ["P01", "P11"]

_serial = itertools.count(1)


def id_number() -> str:
    """A valid identity number nobody has: no place has the address code 990000."""
    day, serial = divmod(next(_serial), 999)
    body = f"990000{1960 + day // 28:04d}01{day % 28 + 1:02d}{serial:03d}"
    return body + check_digit(body)


class People:
    """Stubs of the running service, and who calls them."""

    def __init__(self, service: Service, *, log: Path) -> None:
        self.service = service
        self.log = log
        self.residents = resident_service_pb2_grpc.ResidentServiceStub(service.channel)
        self.households = resident_service_pb2_grpc.HouseholdServiceStub(service.channel)
        self.orders = verification_pb2_grpc.VerificationServiceStub(service.channel)
        self.worker = self.caller("worker", "GRID_WORKER", area=GRID[:12])
        self.clerk = self.caller("clerk", "COMM_CLERK", area=CITY)
        self.steward = self.caller("steward", "DATA_STEWARD", area=CITY)
        self.importer = self.caller("importer", "IMPORTER", area="")

    def caller(
        self, subject: str, role: str, *, area: str, department: str = "", purpose: str = "", purposes: Any = PURPOSES
    ) -> dict[str, Any]:
        """Named arguments of a call by this person, who states `purpose`."""
        metadata = self.service.metadata(sub=subject, roles=[role], area=area, department=department, purposes=purposes)
        return {"metadata": [*metadata, ("x-purpose", purpose)] if purpose else metadata}

    def audit_key(self) -> bytes:
        """The key of the service's audit trail."""
        settings = Settings(mongo_uri="m", amqp_uri="a", field_key=os.environ["BINGLIAN_FIELD_KEY"])
        return open_ring(settings, self.service.database).audit_key()

    def stating(self, purpose: str) -> dict[str, Any]:
        """A call by the grid worker for a purpose."""
        return self.caller("worker", "GRID_WORKER", area=GRID[:12], purpose=purpose)

    def draft(self, **fields: Any) -> dict[str, Any]:
        """A resident as the request wants it."""
        return {
            "area_code": GRID,
            "name": NAME,
            "id_doc_type": "111",
            "id_number": id_number(),
            "phone": "10012345678",
            "resident_type": "01",
        } | fields

    def enter(self, **fields: Any) -> resident_pb2.Resident:
        """A new resident, as the grid worker sees them."""
        request = resident_service_pb2.CreateResidentRequest(request_id=new_id(), resident=self.draft(**fields))
        return self.residents.CreateResident(request, **self.worker).resident

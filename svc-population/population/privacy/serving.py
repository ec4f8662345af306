"""Wires privacy into the api process: the guard of all rpcs, and the services about people's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from binglian.population.v1 import data_rights_service_pb2_grpc as grpc

from population.domain.audit_alert import AuditAlert
from population.domain.data_request import DataRequest, PrivacyMarks
from population.domain.resident import Resident
from population.privacy.guard import PrivacyGuard
from population.privacy.holdings import Holdings
from population.privacy.restrictions import Restrictions
from population.privacy.trail import ENTRIES, Trail
from population.rpc.audit import AuditServicer
from population.rpc.data_rights import DataRightsServicer, MyDataServicer, Rights
from population.vault import Vault
from svckit.store import Repository

if TYPE_CHECKING:
    from svckit.api import Api


def privacy_servicers(api: Api, *, residents: Repository[Resident], vault: Vault, audit_key: bytes) -> list[tuple[Any, Any]]:
    """Sets the guard of the process and returns the services of rights and audits."""
    marks = api.repository(PrivacyMarks, collection="privacy_marks", id_field="resident_id")
    restrictions = Restrictions(marks.collection)
    api.spawn(restrictions.follow(), name="restrictions")
    api.guard = PrivacyGuard(trail=Trail(api.db[ENTRIES], key=audit_key), restricted=restrictions.now)
    rights = Rights(
        requests=api.repository(DataRequest, collection="data_requests", id_field="data_request_id"),
        marks=marks,
        residents=residents,
        database=api.db,
        holdings=Holdings(api.db, vault=vault),
    )
    alerts = api.repository(AuditAlert, collection="audit_alerts", id_field="alert_id")
    return [
        (grpc.add_DataRightsServiceServicer_to_server, DataRightsServicer(rights)),
        (grpc.add_MyDataServiceServicer_to_server, MyDataServicer(rights)),
        (grpc.add_DataAuditServiceServicer_to_server, AuditServicer(api.db, alerts=alerts)),
    ]

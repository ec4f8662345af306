"""`python -m assessment api|worker`: wiring only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from assessment.config import Settings
from assessment.domain import CaseLedger
from assessment.visits import AreaRoster, VisitPeriod
from svckit.config import ConfigError, from_env

if TYPE_CHECKING:
    from svckit.api import Api

SERVICE = "assessment"


def api(settings: Settings) -> None:
    """Serves gRPC. Imports it only here: a worker must never load grpc."""
    from assessment import store
    from svckit import audits
    from svckit.api import run_api

    run_api(service=SERVICE, settings=settings, documents=(*store.DOCUMENTS, *audits.DOCUMENTS), servicers=servicers)


def servicers(api: Api) -> list[tuple[Any, Any]]:
    """The gRPC services of this process."""
    from binglian.assessment.v1.assessment_service_pb2_grpc import add_AssessmentServiceServicer_to_server
    from binglian.assessment.v1.ledger_audit_service_pb2_grpc import add_LedgerAuditServiceServicer_to_server
    from binglian.assessment.v1.visit_service_pb2_grpc import add_VisitFiguresServiceServicer_to_server

    from assessment.audit_rpc import LedgerAudits
    from assessment.rpc import Assessment
    from assessment.visit_rpc import VisitFigures
    from svckit import audits

    ledgers = api.repository(CaseLedger, collection="ledgers", id_field="case_id")
    periods = api.repository(VisitPeriod, collection="visit_periods", id_field="period_id")
    rosters = api.repository(AreaRoster, collection="rosters", id_field="area_code")
    log = audits.AuditLog(api.db[audits.COLLECTION])
    return [
        (add_AssessmentServiceServicer_to_server, Assessment(ledgers, audit=log)),
        (add_LedgerAuditServiceServicer_to_server, LedgerAudits(log=log)),
        (add_VisitFiguresServiceServicer_to_server, VisitFigures(periods=periods, rosters=rosters)),
    ]


def worker(settings: Settings) -> None:
    """Handles events. svckit.worker comes first: it makes the standard library cooperative before anything opens a socket."""
    from svckit.worker import run_worker

    # isort: split
    from assessment import store
    from assessment.events import AssessmentWorker
    from svckit import audits

    documents = (*store.DOCUMENTS, *audits.DOCUMENTS)
    run_worker(service=SERVICE, settings=settings, documents=documents, worker=AssessmentWorker)


def main() -> None:
    """Runs the process named on the command line."""
    processes = {"api": api, "worker": worker}
    if len(sys.argv) != 2 or sys.argv[1] not in processes:
        sys.exit("usage: python -m assessment api|worker")
    try:
        settings = from_env(Settings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    processes[sys.argv[1]](settings)


if __name__ == "__main__":
    main()

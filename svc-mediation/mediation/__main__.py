"""`python -m mediation api|worker|verify-history`: wiring only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mediation import calendar
from mediation.config import HistorySettings, MediationSettings
from mediation.domain import Calendar, Case
from svckit.config import ConfigError, from_env

if TYPE_CHECKING:
    from svckit.api import Api

SERVICE = "mediation"


def api(settings: MediationSettings) -> None:
    """Serves gRPC. Imports it only here: a worker must never load grpc."""
    from mediation import committee_store, dispute_store, notice_store, search_store
    from mediation.store import CaseDocument
    from mediation.supervision_store import SupervisionOrderDocument
    from svckit import audits
    from svckit.api import run_api

    run_api(
        service=SERVICE,
        settings=settings,
        documents=[
            CaseDocument,
            SupervisionOrderDocument,
            *search_store.DOCUMENTS,
            *notice_store.DOCUMENTS,
            *dispute_store.DOCUMENTS,
            *committee_store.DOCUMENTS,
            *audits.DOCUMENTS,
        ],
        servicers=lambda made: (
            *servicers(made, locate_seconds=settings.locate_seconds),
            *notice_servicers(made, settings=settings),
            *dispute_servicers(made, settings=settings),
        ),
    )


def servicers(api: Api, *, locate_seconds: float) -> Iterable[tuple[Any, Any]]:
    """Returns the gRPC services of this process with what they need."""
    from binglian.housing.v1.area_service_pb2_grpc import LocationServiceStub
    from binglian.mediation.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
    from binglian.mediation.v1.case_service_pb2_grpc import add_CaseServiceServicer_to_server
    from binglian.mediation.v1.clock_service_pb2_grpc import add_ClockServiceServicer_to_server
    from binglian.mediation.v1.search_service_pb2_grpc import add_SearchServiceServicer_to_server
    from binglian.mediation.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server

    from mediation.counting import Counts
    from mediation.domain.search import SavedSearch
    from mediation.finding import Finder
    from mediation.locating import Locator
    from mediation.rpc import AuditServicer, CaseServicer, ClockServicer, SearchServicer, TaskServicer
    from mediation.search_store import SavedSearches
    from mediation.store import CaseNumbers, CaseSearch
    from mediation.streams import Hub
    from mediation.texts import WordingSearch
    from svckit import audits

    cases = api.repository(Case, collection="cases", id_field="case_id")
    searches = api.repository(SavedSearch, collection="searches", id_field="search_id")
    search, counts = CaseSearch(cases.collection), Counts(cases.collection)
    finder = Finder(cases=search, wordings=WordingSearch(api.db["wordings"]), counts=counts)
    hub = Hub(live=api.live, search=search)
    locator = Locator(api.stub(LocationServiceStub, "housing", timeout=locate_seconds))
    numbers = CaseNumbers(api.db["numbers"])
    servicer = CaseServicer(cases=cases, search=search, counts=counts, numbers=numbers, hub=hub, locator=locator)
    saved, audit = SavedSearches(searches.collection), audits.AuditLog(api.db[audits.COLLECTION])
    searcher = SearchServicer(search=search, finder=finder, searches=searches, saved=saved, audit=audit)
    return (
        (add_CaseServiceServicer_to_server, servicer),
        (add_TaskServiceServicer_to_server, TaskServicer(cases=cases, finder=finder, hub=hub)),
        (add_SearchServiceServicer_to_server, searcher),
        (add_AuditServiceServicer_to_server, AuditServicer(log=audit)),
        (add_ClockServiceServicer_to_server, ClockServicer(cases=cases)),
        supervision_servicer(api, cases=cases),
        *way_servicers(api, cases=cases, numbers=numbers, locator=locator),
    )


def way_servicers(api: Api, *, cases: Any, numbers: Any, locator: Any) -> Iterable[tuple[Any, Any]]:
    """Returns the gRPC services of the rarer ways of a case, of departments working together, and of histories."""
    from binglian.mediation.v1.case_flow_service_pb2_grpc import add_CaseFlowServiceServicer_to_server
    from binglian.mediation.v1.cooperation_service_pb2_grpc import add_CooperationServiceServicer_to_server
    from binglian.mediation.v1.history_service_pb2_grpc import add_HistoryServiceServicer_to_server

    from mediation.archive import COLLECTION, StepArchive
    from mediation.rpc import CaseFlowServicer, CooperationServicer, HistoryServicer
    from mediation.similar import SimilarCases

    similar = SimilarCases(cases.collection)
    archive = StepArchive(cases=cases.collection, steps=api.db[COLLECTION])
    ways = CaseFlowServicer(cases=cases, similar=similar, numbers=numbers, locator=locator)
    return (
        (add_CaseFlowServiceServicer_to_server, ways),
        (add_CooperationServiceServicer_to_server, CooperationServicer(cases=cases)),
        (add_HistoryServiceServicer_to_server, HistoryServicer(cases=cases, archive=archive)),
    )


def supervision_servicer(api: Api, *, cases: Any) -> tuple[Any, Any]:
    """Returns the gRPC service of supervision orders and of the ladder."""
    from binglian.mediation.v1.supervision_service_pb2_grpc import add_SupervisionServiceServicer_to_server

    from mediation.domain.supervision import SupervisionOrder
    from mediation.rpc.supervision import SupervisionServicer
    from mediation.supervision_store import OrderSearch

    orders = api.repository(SupervisionOrder, collection="supervision_orders", id_field="order_id")
    search = OrderSearch(orders.collection)
    return add_SupervisionServiceServicer_to_server, SupervisionServicer(
        cases=cases, orders=orders, search=search, live=api.live
    )


def notice_servicers(api: Api, *, settings: MediationSettings) -> Iterable[tuple[Any, Any]]:
    """Returns the gRPC services of notices, deliveries and the roster. Raises ConfigError."""
    from binglian.mediation.v1 import notice_service_pb2_grpc as added

    from mediation.domain.notice import Delivery, Duty
    from mediation.gateways import quiet_hours
    from mediation.notice_store import NoticeSearch
    from mediation.rpc import NoticeServicer, RosterServicer

    duties = api.repository(Duty, collection="duties", id_field="duty_id")
    notices = NoticeServicer(
        search=NoticeSearch(api.db["notices"], cases=api.db["cases"]),
        deliveries=api.repository(Delivery, collection="deliveries", id_field="delivery_id"),
        quiet=quiet_hours(settings),
    )
    return (
        (added.add_NoticeServiceServicer_to_server, notices),
        (added.add_RosterServiceServicer_to_server, RosterServicer(duties=duties, hosts=settings.notice_webhook_hosts)),
    )


def dispute_servicers(api: Api, *, settings: MediationSettings) -> Iterable[tuple[Any, Any]]:
    """Returns the gRPC services of disputes and of their agreements."""
    from binglian.mediation.v1.agreement_service_pb2_grpc import add_AgreementServiceServicer_to_server
    from binglian.mediation.v1.committee_service_pb2_grpc import add_CommitteeServiceServicer_to_server
    from binglian.mediation.v1.dispute_service_pb2_grpc import add_DisputeServiceServicer_to_server

    from mediation.committee_store import CommitteeRegister
    from mediation.dispute_figures import DisputeCounting
    from mediation.dispute_store import AgreementNumbers, DisputeSearch
    from mediation.domain.committee import MediationCommittee
    from mediation.domain.dispute import Dispute
    from mediation.papers import Fonts
    from mediation.rpc.agreements import AgreementServicer
    from mediation.rpc.committees import CommitteeServicer
    from mediation.rpc.disputes import DisputeServicer
    from svckit import audits

    disputes = api.repository(Dispute, collection="disputes", id_field="dispute_id")
    cases = api.repository(Case, collection="cases", id_field="case_id")
    committees = api.repository(MediationCommittee, collection="committees", id_field="committee_id")
    register, audit = CommitteeRegister(committees.collection), audits.AuditLog(api.db[audits.COLLECTION])
    search = DisputeSearch(disputes.collection)
    counting = DisputeCounting(disputes.collection)
    mediations = DisputeServicer(disputes=disputes, cases=cases, search=search, counting=counting, register=register)
    numbers = AgreementNumbers(api.db["numbers"])
    fonts = Fonts(settings.font_folder)
    agreements = AgreementServicer(disputes=disputes, numbers=numbers, fonts=fonts, audit=audit)
    keeper = CommitteeServicer(committees=committees, register=register, fonts=fonts)
    return (
        (add_DisputeServiceServicer_to_server, mediations),
        (add_AgreementServiceServicer_to_server, agreements),
        (add_CommitteeServiceServicer_to_server, keeper),
    )


def worker(settings: MediationSettings) -> None:
    """Handles events. svckit.worker comes first: it makes the standard library cooperative before anything opens a socket."""
    from svckit.worker import run_worker

    # isort: split
    from mediation import committee_store, dispute_store, notice_store, search_store
    from mediation.events import MediationWorker
    from mediation.store import CaseDocument
    from mediation.supervision_store import SupervisionOrderDocument
    from svckit import audits

    documents = [
        CaseDocument,
        SupervisionOrderDocument,
        *search_store.DOCUMENTS,
        *notice_store.DOCUMENTS,
        *dispute_store.DOCUMENTS,
        *committee_store.DOCUMENTS,
        *audits.DOCUMENTS,
    ]
    run_worker(service=SERVICE, settings=settings, documents=documents, worker=MediationWorker)


def verify_history(arguments: list[str]) -> int:
    """Checks the hash chains of all cases, or of some; returns the exit code: 0 when every one is whole."""
    from mediation import verifying

    try:
        settings = from_env(HistorySettings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    database = settings.mongo_database or f"binglian_{SERVICE}"
    return verifying.main(arguments, uri=settings.mongo_uri, database=database, out=sys.stdout)


def reindex(settings: MediationSettings) -> None:
    """Makes anew what searches need of every case, and says how many there are."""
    from mediation import reindexing

    sys.stdout.write(f"{reindexing.reindex(settings)} cases\n")


def main() -> None:
    """Runs the process named on the command line."""
    processes = {"api": api, "worker": worker, "reindex": reindex}
    if sys.argv[1:2] == ["verify-history"]:
        sys.exit(verify_history(sys.argv[2:]))
    if len(sys.argv) != 2 or sys.argv[1] not in processes:
        sys.exit("usage: python -m mediation api|worker|reindex|verify-history")
    try:
        settings = from_env(MediationSettings)
        if settings.holidays:
            calendar.announce_from(settings.holidays)
    except (ConfigError, ValueError) as error:
        sys.exit(f"{SERVICE}: {error}")
    # The tables of working days cost a third of a second: not on the first request.
    for counted in (Calendar.WORK, Calendar.STAGGERED):
        calendar.minutes_per_day(counted)
    processes[sys.argv[1]](settings)


if __name__ == "__main__":
    main()

"""Wiring: `python -m mediation api|worker`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from mediation import calendar
from mediation.config import MediationSettings
from mediation.domain import Case
from mediation.store import CaseDocument
from svckit.config import ConfigError, from_env

SERVICE = "mediation"


def servicers(api: Any) -> Iterable[tuple[Any, Any]]:
    """Returns the servicers of the api process with what they need."""
    from binglian.housing.v1.area_service_pb2_grpc import LocationServiceStub
    from binglian.mediation.v1.case_service_pb2_grpc import add_CaseServiceServicer_to_server
    from binglian.mediation.v1.task_service_pb2_grpc import add_TaskServiceServicer_to_server

    from mediation.locating import Locator
    from mediation.rpc import CaseServicer, TaskServicer
    from mediation.store import CaseNumbers, CaseSearch
    from mediation.streams import Hub

    cases = api.repository(Case, collection="cases", id_field="case_id")
    search = CaseSearch(cases.collection)
    hub = Hub(live=api.live, search=search)
    locator = Locator(api.stub(LocationServiceStub, "housing", timeout=0.3))
    numbers = CaseNumbers(api.db["numbers"])
    return (
        (
            add_CaseServiceServicer_to_server,
            CaseServicer(cases=cases, search=search, numbers=numbers, hub=hub, locator=locator),
        ),
        (add_TaskServiceServicer_to_server, TaskServicer(cases=cases, search=search, hub=hub)),
    )


def run_api(settings: MediationSettings) -> None:
    """Runs the api process."""
    from svckit.api import run_api as run

    run(service=SERVICE, settings=settings, documents=[CaseDocument], servicers=servicers)


def run_worker(settings: MediationSettings) -> None:
    """Runs the worker process. grpc is never imported on this path."""
    from svckit.worker import run_worker as run

    from mediation.events import worker_of

    run(service=SERVICE, settings=settings, documents=[CaseDocument], worker=worker_of(settings))


PROCESSES = {"api": run_api, "worker": run_worker}


def main() -> None:
    """Starts the process named on the command line."""
    process = PROCESSES.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if process is None:
        sys.exit("usage: python -m mediation api|worker")
    try:
        settings = from_env(MediationSettings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    # The table of working days costs a third of a second: not on the first request.
    calendar.minutes_per_day()
    process(settings)


if __name__ == "__main__":
    main()

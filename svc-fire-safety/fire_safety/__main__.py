"""`python -m fire_safety api|worker`: wiring only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from fire_safety.config import Settings
from fire_safety.domain import Inspection, Place
from svckit.config import ConfigError, from_env

if TYPE_CHECKING:
    from svckit.api import Api

SERVICE = "fire_safety"


def api(settings: Settings) -> None:
    """Serves gRPC. Imports it only here: a worker must never load grpc."""
    from fire_safety import store
    from svckit.api import run_api

    run_api(service=SERVICE, settings=settings, documents=store.DOCUMENTS, servicers=servicers)


def servicers(api: Api) -> list[tuple[Any, Any]]:
    """The gRPC services of this process."""
    from binglian.fire_safety.v1.inspection_service_pb2_grpc import add_InspectionServiceServicer_to_server
    from binglian.fire_safety.v1.place_service_pb2_grpc import add_PlaceServiceServicer_to_server

    from fire_safety.rpc import Inspections, Places

    places = api.repository(Place, collection="places", id_field="place_id")
    inspections = api.repository(Inspection, collection="inspections", id_field="inspection_id")
    return [
        (add_PlaceServiceServicer_to_server, Places(places)),
        (add_InspectionServiceServicer_to_server, Inspections(inspections, places)),
    ]


def worker(settings: Settings) -> None:
    """Handles events. svckit.worker comes first: it makes the standard library cooperative before anything opens a socket."""
    from svckit.worker import run_worker

    # isort: split
    from fire_safety import store
    from fire_safety.events import FireSafetyWorker

    run_worker(service=SERVICE, settings=settings, documents=store.DOCUMENTS, worker=FireSafetyWorker)


def main() -> None:
    """Runs the process named on the command line."""
    processes = {"api": api, "worker": worker}
    if len(sys.argv) != 2 or sys.argv[1] not in processes:
        sys.exit("usage: python -m fire_safety api|worker")
    try:
        settings = from_env(Settings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    processes[sys.argv[1]](settings)


if __name__ == "__main__":
    main()

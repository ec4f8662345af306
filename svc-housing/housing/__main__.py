"""`python -m housing api|worker|republish`: wiring only."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from housing.config import CommandSettings, Settings
from housing.domain import Area, Building, CaseLocation, House, HouseCheck
from svckit.config import ConfigError, from_env

if TYPE_CHECKING:
    from svckit.api import Api

SERVICE = "housing"


def api(settings: Settings) -> None:
    """Serves gRPC. Imports it only here: a worker must never load grpc."""
    from housing import store
    from svckit.api import run_api

    run_api(service=SERVICE, settings=settings, documents=store.DOCUMENTS, servicers=servicers)


def servicers(api: Api) -> list[tuple[Any, Any]]:
    """The gRPC services of this process."""
    from binglian.housing.v1 import area_service_pb2_grpc as areas_grpc
    from binglian.housing.v1 import house_check_pb2_grpc as checks_grpc
    from binglian.housing.v1 import house_service_pb2_grpc as houses_grpc

    from housing import rpc, store
    from housing.keeper import AtlasKeeper

    areas = api.repository(Area, collection="areas", id_field="area_code")
    buildings = api.repository(Building, collection="buildings", id_field="building_id")
    houses = api.repository(House, collection="houses", id_field="house_id")
    checks = api.repository(HouseCheck, collection="house_checks", id_field="check_id")
    # Only the worker writes here; the relay of this process publishes it.
    api.repository(CaseLocation, collection="case_locations", id_field="case_id")
    keeper = AtlasKeeper(partial(store.areas_changed, areas.collection))
    api.spawn(keeper.prepare(), name="atlas")
    return [
        (areas_grpc.add_AreaServiceServicer_to_server, rpc.AreaServicer(areas=areas, keeper=keeper)),
        (areas_grpc.add_LocationServiceServicer_to_server, rpc.LocationServicer(keeper=keeper)),
        (houses_grpc.add_BuildingServiceServicer_to_server, rpc.BuildingServicer(buildings=buildings, areas=areas)),
        (houses_grpc.add_HouseServiceServicer_to_server, rpc.HouseServicer(houses=houses, buildings=buildings)),
        (checks_grpc.add_HouseCheckServiceServicer_to_server, rpc.HouseCheckServicer(checks=checks, houses=houses)),
    ]


def worker(settings: Settings) -> None:
    """Handles events. svckit.worker comes first: it makes the standard library cooperative before anything opens a socket."""
    from svckit.worker import run_worker

    # isort: split
    from housing import store
    from housing.events import HousingWorker

    run_worker(service=SERVICE, settings=settings, documents=store.DOCUMENTS, worker=HousingWorker)


def republish(arguments: list[str]) -> int:
    """Tells followers anew what the documents say; returns the exit code."""
    from housing.republishing import KINDS
    from svckit.republish import command

    def uri() -> tuple[str, str]:
        settings = from_env(CommandSettings)
        return settings.mongo_uri, settings.mongo_database or f"binglian_{SERVICE}"

    try:
        return command(arguments, package=SERVICE, kinds=KINDS, uri=uri, out=sys.stdout)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")


def main() -> None:
    """Runs the process named on the command line."""
    processes = {"api": api, "worker": worker}
    if sys.argv[1:2] == ["republish"]:
        sys.exit(republish(sys.argv[2:]))
    if len(sys.argv) != 2 or sys.argv[1] not in processes:
        sys.exit("usage: python -m housing api|worker|republish")
    try:
        settings = from_env(Settings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    processes[sys.argv[1]](settings)


if __name__ == "__main__":
    main()

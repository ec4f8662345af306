"""`python -m population api|worker|jobs|replica`: wiring only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from population.config import CommandSettings, Settings
from population.domain.collection import FieldLedger
from population.domain.fact_bundle import FactBundle
from population.domain.household import Household
from population.domain.job import Job
from population.domain.merge import Merge
from population.domain.resident import Resident
from population.domain.verification import VerificationOrder
from population.vault import Vault
from svckit.config import ConfigError, from_env

if TYPE_CHECKING:
    from svckit.api import Api
    from svckit.store import Repository

SERVICE = "population"
HELP = """usage: python -m population PROCESS | COMMAND

processes, set by the environment (BINGLIAN_…: population/config.py)
  api              gRPC, and the relay of events
  worker           follows the events of others; timers
  jobs             works on imports, exports, feeds and cross-checks
  replica          owns the columnar replica

commands, each with --help where it takes arguments
  forms            writes the collection forms as XLSForm; brings back what was filled in (a client: needs no database)
  seed             fills the register with made-up people
  rebuild-replica  builds the columnar replica from scratch
  republish        tells followers anew what is stored
  rotate-keys      data, index, all or master: new keys while the service runs
  verify-audit     checks that nothing in the audit trail was altered
"""


def api(settings: Settings) -> None:
    """Serves gRPC. Imports it only here: a worker must never load grpc."""
    from population import store
    from svckit.api import run_api

    run_api(service=SERVICE, settings=settings, documents=store.DOCUMENTS, servicers=servicers)


def servicers(api: Api) -> list[tuple[Any, Any]]:
    """The gRPC services of this process. Raises ConfigError without a field key."""
    from binglian.population.v1 import job_service_pb2_grpc as jobs_grpc
    from binglian.population.v1 import merge_pb2_grpc as merges_grpc
    from binglian.population.v1 import question_service_pb2_grpc as questions_grpc
    from binglian.population.v1 import register_pb2_grpc as register_grpc
    from binglian.population.v1 import resident_service_pb2_grpc as residents_grpc
    from binglian.population.v1 import verification_pb2_grpc as orders_grpc

    from population import rpc
    from population.privacy.keyring import open_ring, sync_database
    from population.privacy.rotation import keep_fresh
    from population.privacy.serving import privacy_servicers
    from population.serving_work import work_servicers

    assert isinstance(api.settings, Settings)
    ring = open_ring(api.settings, sync_database(api.settings))
    vault, audit_key = Vault(ring.keys()), ring.audit_key()
    api.spawn(keep_fresh(vault, ring), name="key ring")
    residents = api.repository(Resident, collection="residents", id_field="resident_id")
    households = api.repository(Household, collection="households", id_field="household_id")
    ledgers = api.repository(FieldLedger, collection="field_ledgers", id_field="resident_id")
    jobs = api.repository(Job, collection="jobs", id_field="job_id")
    orders = api.repository(VerificationOrder, collection="verification_orders", id_field="order_id")
    # Only imports write here; the relay of this process publishes it.
    api.repository(FactBundle, collection="fact_bundles", id_field="bundle_id")
    return [
        (
            residents_grpc.add_ResidentServiceServicer_to_server,
            rpc.ResidentServicer(residents=residents, households=households, ledgers=ledgers, vault=vault),
        ),
        (
            residents_grpc.add_HouseholdServiceServicer_to_server,
            rpc.HouseholdServicer(households=households, residents=residents, vault=vault),
        ),
        (
            register_grpc.add_RegisterServiceServicer_to_server,
            rpc.RegisterServicer(residents=residents, vault=vault),
        ),
        (merges_grpc.add_MergeServiceServicer_to_server, merge_servicer(api, residents, vault)),
        (
            orders_grpc.add_VerificationServiceServicer_to_server,
            rpc.VerificationServicer(orders=orders, residents=residents),
        ),
        (jobs_grpc.add_JobServiceServicer_to_server, job_servicer(api, vault, audit_key, jobs)),
        (questions_grpc.add_QuestionServiceServicer_to_server, question_servicer(api, vault, audit_key, jobs)),
        *work_servicers(api, residents=residents, ledgers=ledgers, vault=vault),
        *privacy_servicers(api, residents=residents, vault=vault, audit_key=audit_key),
    ]


def merge_servicer(api: Api, residents: Repository[Resident], vault: Vault) -> Any:
    """MergeService, and beside it what finishes merges that were broken off."""
    from population import rpc

    merges = api.repository(Merge, collection="merges", id_field="merge_id")
    servicer = rpc.MergeServicer(merges=merges, residents=residents, vault=vault)
    api.spawn(servicer.merging.resume(), name="merges")
    return servicer


def question_servicer(api: Api, vault: Vault, audit_key: bytes, jobs: Repository[Job]) -> Any:
    """QuestionService; without the address of a replica it answers for single communities only."""
    from binglian.housing.v1.area_service_pb2_grpc import AreaServiceStub
    from binglian.population.v1.question_service_pb2_grpc import QuestionServiceStub

    from population.privacy.trail import ENTRIES, Trail
    from population.rpc.questions import QuestionServicer
    from population.rpc.surfaces import HousingSurfaces

    areas = configured_stub(api, AreaServiceStub, "housing")
    return QuestionServicer(
        rows=api.db["residents"],
        seal=lambda field, value: vault.indexes(value, field=field),
        replica=configured_stub(api, QuestionServiceStub, "population-replica"),
        surfaces=HousingSurfaces(areas) if areas else None,
        trail=Trail(api.db[ENTRIES], key=audit_key),
        jobs=jobs,
    )


def configured_stub(api: Api, stub: Any, service: str) -> Any | None:
    """Returns a stub of a service, None where its address is not set."""
    try:
        return api.stub(stub, service, timeout=10.0)
    except ConfigError:
        return None


def replica(name: str) -> int:
    """Runs the process that owns the columnar replica, or builds the replica from scratch; returns the exit code."""
    from population.replica import process

    try:
        settings = from_env(process.ReplicaSettings)
        if name == "rebuild-replica":
            return process.rebuild(settings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    process.serve(settings)
    return 0


def seed(arguments: list[str]) -> int:
    """Fills the register with made-up people; returns the exit code."""
    from population.seeding import loading

    return loading.main(arguments)


def worker(settings: Settings) -> None:
    """Handles events. svckit.worker comes first: it makes the standard library cooperative before anything opens a socket."""
    from svckit.worker import run_worker

    # isort: split
    from population import store
    from population.events import PopulationWorker

    run_worker(service=SERVICE, settings=settings, documents=store.DOCUMENTS, worker=PopulationWorker)


def jobs() -> None:
    """Works on imports, exports and cross-checks: threads and native code, neither an event loop nor eventlet."""
    from population.config import JobSettings
    from population.jobs import process

    try:
        settings = from_env(JobSettings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    process.serve(settings)


def job_servicer(api: Api, vault: Vault, audit_key: bytes, jobs: Repository[Job]) -> Any:
    """JobService."""
    from population.domain.job import JobFile
    from population.privacy.trail import ENTRIES, Trail
    from population.rpc.jobs import JobServicer

    return JobServicer(
        jobs=jobs,
        files=api.repository(JobFile, collection="job_files", id_field="file_id"),
        database=api.db,
        vault=vault,
        trail=Trail(api.db[ENTRIES], key=audit_key),
    )


def rotate_keys(arguments: list[str]) -> int:
    """Rotates the keys of sealed values; returns the exit code."""
    from population.privacy import commands

    try:
        return commands.rotate_keys(arguments, settings=from_env(CommandSettings), out=sys.stdout)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")


def verify_audit() -> int:
    """Checks the whole audit trail; returns the exit code: 0 when nothing was altered."""
    from population.privacy import commands

    try:
        return commands.verify_audit(settings=from_env(CommandSettings), out=sys.stdout)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")


def republish(arguments: list[str]) -> int:
    """Tells followers anew what the documents say; returns the exit code."""
    from population.republishing import KINDS
    from svckit.republish import command

    def uri() -> tuple[str, str]:
        settings = from_env(CommandSettings)
        return settings.mongo_uri, settings.mongo_database or f"binglian_{SERVICE}"

    try:
        return command(arguments, package=SERVICE, kinds=KINDS, uri=uri, out=sys.stdout)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")


def forms(arguments: list[str]) -> int:
    """Writes the collection forms, or brings back what was filled in; returns the exit code."""
    from population.forms import command

    return command.main(arguments, out=sys.stdout)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "forms": forms,
    "republish": republish,
    "rotate-keys": rotate_keys,
    "seed": seed,
}
"""Commands that take arguments and return their exit code."""
ALONE: dict[str, Callable[[], int | None]] = {
    "jobs": jobs,
    "rebuild-replica": lambda: replica("rebuild-replica"),
    "replica": lambda: replica("replica"),
    "verify-audit": verify_audit,
}
"""Processes and commands that take none."""


def main() -> None:
    """Runs the process or command named on the command line."""
    name, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    processes = {"api": api, "worker": worker}
    if name in COMMANDS:
        sys.exit(COMMANDS[name](arguments))
    if name in ALONE and not arguments:
        sys.exit(ALONE[name]())
    if name in ("-h", "--help", "help"):
        sys.stdout.write(HELP)
        return
    if name not in processes or arguments:
        sys.exit(HELP)
    try:
        settings = from_env(Settings)
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    processes[name](settings)


if __name__ == "__main__":
    main()

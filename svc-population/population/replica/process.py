"""`python -m population replica` and `rebuild-replica`: wiring only."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import uvloop
from binglian.population.v1 import question_service_pb2_grpc

from population.config import CommandSettings
from population.privacy.keyring import open_ring, sync_database
from population.privacy.rotation import keep_fresh
from population.replica.building import Source, build
from population.replica.owner import Limits, Owner
from population.replica.servicer import ReplicaServicer
from population.vault import Vault
from svckit import logs, telemetry
from svckit.config import ConfigError
from svckit.grpc_server import GrpcServer
from svckit.interceptors import Pipeline
from svckit.tokens import KeySet, TokenVerifier

SERVICE = "population"
_CHECK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class ReplicaSettings(CommandSettings):
    """`replica_folder` is this process's alone. `replica_memory` as DuckDB understands it; `replica_threads` 0: one for each core."""

    replica_folder: str
    replica_memory: str = "2GB"
    replica_threads: int = 0

    @property
    def limits(self) -> Limits:
        """What the replica may use."""
        threads = self.replica_threads or os.cpu_count() or 1
        return Limits(memory=self.replica_memory, threads=threads, processes=threads)

    @property
    def source(self) -> Source:
        """Where the residents are."""
        return Source(uri=self.mongo_uri, database=self.mongo_database or f"binglian_{SERVICE}")


def serve(settings: ReplicaSettings) -> None:
    """Runs the process that owns the replica until SIGTERM or SIGINT."""
    logs.setup(service=f"{SERVICE}-replica", level=settings.log_level, show_values=settings.log_values)
    stop_telemetry = telemetry.setup(service=f"{SERVICE}-replica", endpoint=settings.otlp_endpoint)
    try:
        uvloop.run(_serve(settings))
    except ConfigError as error:
        sys.exit(f"{SERVICE}: {error}")
    finally:
        stop_telemetry()


async def _serve(settings: ReplicaSettings) -> None:
    if not settings.jwks_url:
        raise ConfigError("BINGLIAN_JWKS_URL is not set")
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    ring = open_ring(settings, sync_database(settings))
    vault = Vault(await asyncio.to_thread(ring.keys))
    keys = KeySet(url=settings.jwks_url)
    verifier = TokenVerifier(keys=keys, issuer=settings.issuer, audience=settings.audience)
    owner = Owner(settings.source, Path(settings.replica_folder), settings.limits)
    server = GrpcServer(pipeline=Pipeline(verifier=verifier))
    servicer = ReplicaServicer(owner, seal=lambda field, value: vault.indexes(value, field=field))
    server.add([(question_service_pb2_grpc.add_QuestionServiceServicer_to_server, servicer)])
    try:
        await server.start(host=settings.grpc_host, port=settings.grpc_port)
    except RuntimeError as error:
        raise ConfigError(f"port {settings.grpc_port} cannot be opened; is another process using it?") from error
    owner.start()
    tasks = [asyncio.create_task(work) for work in (keys.prefetch(), keep_fresh(vault, ring), _report_readiness(owner, server))]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await server.stop(grace=settings.drain_seconds)
    await asyncio.to_thread(owner.stop)


async def _report_readiness(owner: Owner, server: GrpcServer) -> None:
    while True:
        await server.set_serving(owner.is_ready)
        await asyncio.sleep(_CHECK_SECONDS)


def rebuild(settings: ReplicaSettings) -> int:
    """Builds the replica from scratch, with progress; a running replica goes over to it by itself. Returns the exit code."""

    def tell(done: int, total: int, seconds: float) -> None:
        rate = done / seconds if seconds else 0.0
        sys.stderr.write(f"\r{done:>12,} of about {total:,} people  {rate:>9,.0f}/s  {seconds:5.0f} s")
        sys.stderr.flush()

    limits = settings.limits
    file = build(settings.source, Path(settings.replica_folder), memory=limits.memory, processes=limits.processes, told=tell)
    sys.stderr.write(f"\nbuilt {file} ({file.stat().st_size / 1e6:,.0f} MB)\n")
    return 0

"""A seeded register with its service, its replica, and what the floors need: bare clients of the same data."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import grpc
from binglian.population.v1.question_service_pb2_grpc import QuestionServiceStub
from binglian.population.v1.resident_service_pb2_grpc import ResidentServiceStub
from pymongo import MongoClient

from population.replica.database import current
from svckit.embedded import free_port
from tests.load.harness import Row, progress
from tests.load.stack import DAY, Stack, stack, wait_for_grpc

DATABASE = "binglian_population"
DISTRICT = "420502"
GIGABYTES = 4
"""Memory of the database."""
FIELD_KEY = base64.b64encode(b"bench" * 6 + b"!!").decode()


@dataclass
class Register:
    """`residents` people; `questions` and `people` are stubs of the service, `duck` and `mongo` bare ways to the same data."""

    stack: Stack
    residents: int
    address: str
    channel: grpc.Channel
    mongo: MongoClient[dict[str, Any]]
    duck: duckdb.DuckDBPyConnection
    rows: list[Row] = field(default_factory=list)

    @property
    def questions(self) -> QuestionServiceStub:
        """Stub of the questions."""
        return QuestionServiceStub(self.channel)

    @property
    def people(self) -> ResidentServiceStub:
        """Stub of the residents."""
        return ResidentServiceStub(self.channel)

    @property
    def stored(self) -> Any:
        """The documents, with a bare client."""
        return self.mongo[DATABASE]["residents"]

    def caller(self, purpose: str, *, role: str = "DATA_STEWARD", subject: str = "bench") -> tuple[tuple[str, str], ...]:
        """Metadata of somebody who may ask everything in the city."""
        token = self.stack.issuer.token(
            sub=subject, roles=[role], area="4205", purposes=["P01", "P02", "P08", "P09", "P11", "P12"], exp=time.time() + DAY
        )
        return ("authorization", f"Bearer {token}"), ("x-purpose", purpose)

    def communities(self, count: int) -> list[str]:
        """Codes of some communities, the same ones every time."""
        found = self.duck.execute("SELECT DISTINCT area // 100000 FROM people ORDER BY 1").fetchall()
        return [str(code) for (code,) in random.Random(1).choices(found, k=count)]


@contextlib.contextmanager
def register(residents: int) -> Iterator[Register]:
    """Seeds, builds the replica and starts the processes; all of it ends with the block."""
    with stack() as here, MongoClient[dict[str, Any]](here.mongo_uri, tz_aware=True) as mongo:
        mongo.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": f"cache_size={GIGABYTES}G"})
        folder = here.home / "replica"
        settings = {
            "BINGLIAN_MONGO_URI": here.mongo_uri,
            "BINGLIAN_FIELD_KEY": FIELD_KEY,
            "BINGLIAN_REPLICA_FOLDER": str(folder),
            "BINGLIAN_REPLICA_MEMORY": "3GB",
        }
        rows = [
            _command("seed", residents, settings, "--residents", str(residents)),
            _command("rebuild-replica", residents, settings),
        ]
        duck = _copy(folder)
        port = free_port()
        environment = here.environment("population-replica", **settings, BINGLIAN_GRPC_PORT=str(port))
        here.start("population-replica", [sys.executable, "-m", "population", "replica"], environment=environment)
        wait_for_grpc(f"127.0.0.1:{port}", patience=300)
        replica = f"127.0.0.1:{port}"
        address = here.service("population", BINGLIAN_FIELD_KEY=FIELD_KEY, BINGLIAN_POPULATION_REPLICA_ADDRESS=replica)
        options = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]
        with grpc.insecure_channel(address, options=options) as channel:
            yield Register(here, residents, address, channel, mongo, duck, rows)
        duck.close()


def _command(name: str, residents: int, settings: dict[str, str], *arguments: str) -> Row:
    """Runs a command of the service and tells how many residents a second it took."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "population", name, *arguments], env={**os.environ, **settings}, check=True)
    rate = residents / (time.monotonic() - began)
    note = f"{residents:,} residents in {residents / rate:,.0f} s"
    return Row(name, rate, "residents/s", None, None, None, True, note)


def _copy(folder: Path) -> duckdb.DuckDBPyConnection:
    """A bare connection to the same columns: a copy, because the replica's process owns the file."""
    file = current(folder)
    assert file
    copy = folder / "floor.duckdb"
    shutil.copy(file, copy)
    return duckdb.connect(str(copy), config={"threads": os.cpu_count() or 1, "memory_limit": "3GB"})


def median_ms(ask: Callable[[], object], *, times: int) -> float:
    """Median of some calls in a row, in milliseconds, after two to warm up."""
    ask(), ask()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def against_mongo(name: str, *, ours: float, mongo: float, times: float = 10.0) -> Row:
    """The row that says how many times faster than bare MongoDB an answer is."""
    ratio = mongo / ours
    progress(f"{name}: bare MongoDB {mongo:,.1f} ms, {ratio:,.0f} times ours")
    return Row(f"{name}/mongo", round(ours, 2), "ms", round(mongo, 1), round(ratio, 1), times, ratio >= times, "bare MongoDB")


def years_ago(years: int) -> date:
    """The day so many years ago; on 29 February the day before."""
    today = date.today()
    return today.replace(year=today.year - years, day=min(today.day, 28) if today.month == 2 else today.day)

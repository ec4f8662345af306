"""Servers of a load test: a database and a broker of their own, our processes, and an issuer of tokens."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from pymongo import MongoClient

from deploy.local.machine import apt_install
from svckit.embedded import MongoServer, free_port
from svckit.testing import child, running_mongo, running_rabbit
from tests.issuer import Issuer, running_issuer

DAY = 86_400
SETTLE_SECONDS = 60
LOG_END = 1_500
"""Characters of a process's log that are shown when a row fails."""


@dataclass
class Stack:
    """What a load test runs against; `start` adds processes that end with the stack."""

    home: Path
    mongo_uri: str
    amqp_uri: str
    issuer: Issuer
    processes: contextlib.ExitStack
    ports: dict[str, int] = field(default_factory=dict)
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """Settings of one of our processes, `more` of them or others."""
        port = self.ports.setdefault(name, free_port())
        return {
            "BINGLIAN_MONGO_URI": self.mongo_uri,
            "BINGLIAN_AMQP_URI": self.amqp_uri,
            "BINGLIAN_GRPC_PORT": str(port),
            "BINGLIAN_JWKS_URL": self.issuer.url,
            "BINGLIAN_ISSUER": "binglian",
            "BINGLIAN_HOUSING_ADDRESS": f"127.0.0.1:{self.ports.get('housing', port)}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            **more,
        }

    def token(self, subject: str, roles: Sequence[str], *, department: str = "") -> str:
        """A token of Yichang that is good for a day."""
        return self.issuer.token(sub=subject, roles=list(roles), area="4205", department=department, exp=time.time() + DAY)

    def service(self, package: str, *, called: str = "", **settings: str) -> str:
        """Starts api and worker of one of our services; returns host:port when it serves. Of two, the second is `called` otherwise."""
        name = called or package
        environment = self.environment(name, **settings)
        for role in ("api", "worker"):
            self.start(f"{name}-{role}", [sys.executable, "-m", package, role], environment=environment)
        address = f"127.0.0.1:{self.ports[name]}"
        wait_for_grpc(address)
        return address

    def start(self, name: str, command: Sequence[str], *, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Starts a process whose output goes to `home`/name.log."""
        process = self.processes.enter_context(child(list(command), log=self.home / f"{name}.log", environment=environment))
        self.started[name] = process
        return process

    def settle(self, *, database: str = "binglian_mediation") -> None:
        """Waits until svc-mediation has published what it committed, so that the next measurement has the machine for itself."""
        cases = MongoClient(self.mongo_uri)[database]["cases"]
        give_up = time.monotonic() + SETTLE_SECONDS
        while cases.find_one({"outbox.time": {"$exists": True}}, {"_id": True}):
            if time.monotonic() > give_up:
                raise RuntimeError(f"events still wait in svc-mediation's documents after {SETTLE_SECONDS} s")
            time.sleep(0.05)

    def complaints(self) -> str:
        """What the processes said last, and which of them have ended: for the error of a row that failed."""
        parts = []
        for name, process in self.started.items():
            text = (self.home / f"{name}.log").read_text(errors="replace")[-LOG_END:].strip()
            if text and text != "ready":
                state = "runs" if process.poll() is None else f"ended with {process.returncode}"
                parts.append(f"--- {name} ({state}):\n{text}")
        return "\n".join(parts)

    def floor(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a floor (a module of tests.load.floors) and returns when it says that it is ready."""
        name = f"{module}-{'-'.join(arguments[:1])}-{time.monotonic_ns()}"
        process = self.start(
            name,
            [sys.executable, "-m", f"tests.load.floors.{module}", *arguments],
            environment={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        wait_for_line(self.home / f"{name}.log", "ready", process)
        return process


@contextlib.contextmanager
def stack() -> Iterator[Stack]:
    """A fresh stack in a temporary folder; everything ends with the block."""
    with contextlib.ExitStack() as processes:
        home = Path(processes.enter_context(tempfile.TemporaryDirectory(prefix="binglian-load-", ignore_cleanup_errors=True)))
        mongo = processes.enter_context(running_mongo(home / "mongo", cache_gb=MongoServer.cache_gb))
        rabbit = processes.enter_context(running_rabbit(home / "rabbit"))
        yield Stack(home, mongo.uri, rabbit.uri, processes.enter_context(running_issuer()), processes)


def program(name: str) -> str:
    """Path of a program that a package put beside our Python, whatever the PATH is."""
    return str(Path(sys.executable).with_name(name))


def system_program(name: str) -> str:
    """Path of a program of the Debian package of that name, which is installed when it is missing and we may; else RuntimeError."""
    if not shutil.which(name) and shutil.which("apt-get") and os.geteuid() == 0:
        apt_install(name)
    if found := shutil.which(name):
        return found
    raise RuntimeError(f"{name} is not installed: install it with `sudo apt-get install {name}`")


def wait_for_line(log: Path, line: str, process: subprocess.Popen[bytes], *, patience: float = 60.0) -> None:
    """Waits until the log of a process has the line; raises RuntimeError with the log when it ends or stays silent."""
    give_up = time.monotonic() + patience
    while line not in (text := log.read_text() if log.exists() else "").split():
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{log.name} did not start:\n{text[-2000:]}")
        time.sleep(0.05)


def wait_for_grpc(address: str, *, patience: float = 60.0) -> None:
    """Waits until a gRPC server says it is serving; raises grpc.RpcError when it does not in time."""
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        give_up = time.monotonic() + patience
        while True:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True
                )
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            except grpc.RpcError:
                if time.monotonic() > give_up:
                    raise
            time.sleep(0.1)

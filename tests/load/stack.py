"""Servers of a load test: a database and a broker of their own, our processes, and an issuer of tokens."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from svckit.embedded import free_port
from svckit.testing import child, running_mongo, running_rabbit
from tests.issuer import Issuer, running_issuer

DAY = 86_400


@dataclass
class Stack:
    """What a load test runs against; `start` adds processes that end with the stack."""

    home: Path
    mongo_uri: str
    amqp_uri: str
    issuer: Issuer
    processes: contextlib.ExitStack
    ports: dict[str, int] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, str]:
        """Settings of one of our processes."""
        port = self.ports.setdefault(name, free_port())
        return {
            "BINGLIAN_MONGO_URI": self.mongo_uri,
            "BINGLIAN_AMQP_URI": self.amqp_uri,
            "BINGLIAN_GRPC_PORT": str(port),
            "BINGLIAN_JWKS_URL": self.issuer.url,
            "BINGLIAN_ISSUER": "binglian",
            "BINGLIAN_HOUSING_ADDRESS": f"127.0.0.1:{self.ports.get('housing', port)}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def token(self, subject: str, roles: Sequence[str], *, department: str = "") -> str:
        """A token of Yichang that is good for a day."""
        return self.issuer.token(sub=subject, roles=list(roles), area="4205", department=department, exp=time.time() + DAY)

    def service(self, package: str) -> str:
        """Starts api and worker of one of our services; returns host:port when it serves."""
        for role in ("api", "worker"):
            self.start(f"{package}-{role}", [sys.executable, "-m", package, role], environment=self.environment(package))
        address = f"127.0.0.1:{self.ports[package]}"
        wait_for_grpc(address)
        return address

    def start(self, name: str, command: Sequence[str], *, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Starts a process whose output goes to `home`/name.log."""
        return self.processes.enter_context(child(list(command), log=self.home / f"{name}.log", environment=environment))

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
        mongo = processes.enter_context(running_mongo(home / "mongo"))
        rabbit = processes.enter_context(running_rabbit(home / "rabbit"))
        yield Stack(home, mongo.uri, rabbit.uri, processes.enter_context(running_issuer()), processes)


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

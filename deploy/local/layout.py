"""Where one stack keeps its data and on which ports it listens. Two stacks with different homes and ports live side by side."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("population", "housing", "mediation", "fire-safety", "assessment")
_LONGEST_SOCKET_PATH = 100


class SetupProblem(Exception):
    """Something on this machine keeps the suite from running; the text is one sentence that says what to do."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """TCP ports on 127.0.0.1. Only `edge` is meant for people and programs."""

    edge: int = 8080
    gateway: int = 8081
    population: int = 9101
    housing: int = 9102
    mediation: int = 9103
    fire_safety: int = 9104
    assessment: int = 9105
    traces: int = 4318
    mongo: int = 27117
    amqp: int = 5772
    erlang: int = 25772
    epmd: int = 5773
    population_worker: int = 9111
    housing_worker: int = 9112
    mediation_worker: int = 9113
    fire_safety_worker: int = 9114
    assessment_worker: int = 9115
    population_replica: int = 9121

    def of(self, service: str) -> int:
        """gRPC port of a service, by its name as in SERVICES."""
        return int(getattr(self, service.replace("-", "_")))

    def health_of_worker(self, service: str) -> int:
        """HTTP port on which the worker of a service answers /healthz."""
        return int(getattr(self, f"{service.replace('-', '_')}_worker"))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Ports:
        """Reads BINGLIAN_PORT_BASE (all ports follow it in one block) and BINGLIAN_PORT_<NAME> (one port); raises SetupProblem."""
        names = [field.name for field in dataclasses.fields(cls)]
        chosen: dict[str, int] = {}
        if base := environ.get("BINGLIAN_PORT_BASE"):
            first = _port("BINGLIAN_PORT_BASE", base, room=len(names))
            chosen = {name: first + offset for offset, name in enumerate(names)}
        for name in names:
            if text := environ.get(variable := f"BINGLIAN_PORT_{name.upper()}"):
                chosen[name] = _port(variable, text)
        return cls(**chosen)


def _port(variable: str, text: str, *, room: int = 1) -> int:
    if text.isdecimal() and 0 < int(text) <= 65536 - room:
        return int(text)
    raise SetupProblem(f"{variable} is {text!r}; set it to a port number between 1 and {65536 - room}.")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One stack: its home folder and its ports."""

    home: Path
    ports: Ports

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, home: str | None = None) -> Layout:
        """The stack that the environment (BINGLIAN_HOME, BINGLIAN_PORT_…) and `home` name; by default .binglian in the repository."""
        source = os.environ if environ is None else environ
        folder = Path(home or source.get("BINGLIAN_HOME") or ROOT / ".binglian")
        return cls(home=folder.absolute(), ports=Ports.from_env(source))

    @property
    def logs(self) -> Path:
        """Folder with one log file per process."""
        return self.home / "log"

    @property
    def edge_url(self) -> str:
        """The one address for people and programs."""
        return f"http://localhost:{self.ports.edge}"

    @property
    def control_socket(self) -> Path:
        """Unix socket of the process manager; short enough for the kernel even when the home's path is long."""
        path = self.home / "supervisor.sock"
        if len(str(path)) <= _LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"binglian-{digest}.sock"

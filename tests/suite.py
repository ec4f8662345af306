"""One whole suite for all tests that need one, with its own data and ports; BINGLIAN_TEST_EDGE names one that runs already."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields

import pytest

from deploy.local import stack
from deploy.local.layout import ROOT, Layout, Ports
from deploy.local.parts import build_parts

DEMO_SECONDS = 300


def free_block() -> int:
    """First port of a block of neighbours that are all free at this moment."""
    size = len(fields(Ports))
    for first in range(21000, 30000, size):
        if all(_free(port) for port in range(first, first + size)):
            return first
    raise RuntimeError("no free block of ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    """The layout of a suite in which every part is ready."""
    layout = Layout.from_env({"BINGLIAN_PORT_BASE": str(free_block())}, home=str(tmp_path_factory.mktemp("suite")))
    stack.start(layout, detached=False)
    yield layout
    stack.stop(layout)


@pytest.fixture(scope="session")
def edge_url(request: pytest.FixtureRequest) -> str:
    """Address for REST and pages, and, without http://, for gRPC."""
    if url := os.environ.get("BINGLIAN_TEST_EDGE"):
        return url
    layout: Layout = request.getfixturevalue("suite")
    return layout.edge_url


def environment_of(layout: Layout) -> dict[str, str]:
    """The variables under which a program finds this suite rather than the one on the usual ports."""
    ports = {f"BINGLIAN_PORT_{name.upper()}": str(port) for name, port in vars(layout.ports).items()}
    return {**os.environ, **ports, "BINGLIAN_HOME": str(layout.home), "BINGLIAN_EDGE": layout.edge_url}


def run_program(layout: Layout, *arguments: str, seconds: float = DEMO_SECONDS) -> subprocess.CompletedProcess[str]:
    """Runs `python -m …` against the suite and returns what it said; it is killed after so many seconds."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment_of(layout), capture_output=True, text=True, timeout=seconds, check=False
    )


def wait_until_whole(layout: Layout) -> None:
    """Waits until every part of the suite is ready again after something was killed."""
    for part in build_parts(layout, {}):
        if part.wait:
            part.wait()


@dataclass(frozen=True)
class Demo:
    """What a run of the demo printed."""

    code: int
    output: str

    @property
    def traces(self) -> list[str]:
        """The trace ids of all cases."""
        return re.findall(r"/traces/([0-9a-f]{32})", self.output)

    def trace_of(self, title: str) -> str:
        """The trace id of the case with this title: the first that is printed after it."""
        return re.findall(r"/traces/([0-9a-f]{32})", self.output[self.output.rindex(title) :])[0]


@pytest.fixture(scope="session")
def demo(suite: Layout) -> Demo:
    """One run of the demo, a case of each story."""
    done = run_program(suite, "deploy.demo", "--cases", "4", "--grids", "1")
    return Demo(done.returncode, done.stdout + done.stderr)

"""One whole suite for all end-to-end tests, with its own data and ports; BINGLIAN_TEST_EDGE names one that runs already."""

import os
import socket
from collections.abc import Iterator
from dataclasses import fields

import pytest

from deploy.local import stack
from deploy.local.layout import Layout, Ports


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

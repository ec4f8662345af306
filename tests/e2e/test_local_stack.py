"""`make run`: one port for everything, repairs itself, stops without a trace, finds its data again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from pymongo import MongoClient

from deploy.local import supervise
from deploy.local.layout import ROOT, Layout
from deploy.local.parts import build_parts, wait_for_health, wait_for_page
from svckit.embedded import free_port, listening

pytestmark = pytest.mark.e2e


def command(layout: Layout, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "deploy.local", "--home", str(layout.home), *arguments]


def environment(layout: Layout) -> dict[str, str]:
    return {**os.environ, **{f"BINGLIAN_PORT_{name.upper()}": str(port) for name, port in vars(layout.ports).items()}}


def test_every_part_runs(suite: Layout) -> None:
    states = {state.name: state.state for state in supervise.process_states(suite) or ()}
    assert states == dict.fromkeys((part.name for part in build_parts(suite, {})), "RUNNING")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
def test_pages_and_rest_share_the_port(edge_url: str, path: str) -> None:
    with urllib.request.urlopen(edge_url + path, timeout=10) as answer:
        assert answer.status == 200


def test_grpc_shares_it_too(edge_url: str) -> None:
    with grpc.insecure_channel(edge_url.removeprefix("http://")) as channel:
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
    for service in ("mediation.v1.CaseService", "housing.v1.AreaService", "fire_safety.v1.InspectionService"):
        assert f"binglian.{service}" in services


def test_a_second_run_on_the_same_home_says_so(suite: Layout) -> None:
    done = subprocess.run(command(suite, "run"), cwd=ROOT, env=environment(suite), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"The suite is up already at {suite.edge_url}: use it, or stop it first with `make down`.\n"


def test_killed_processes_come_back(suite: Layout) -> None:
    before = {state.name: state.pid for state in supervise.process_states(suite) or ()}
    victims = ("mediation-api", "mediation-worker", "gateway")
    for name in victims:
        os.kill(before[name], signal.SIGKILL)
    time.sleep(0.5)
    wait_for_health(suite.ports.mediation)
    wait_for_page(f"http://127.0.0.1:{suite.ports.health_of_worker('mediation')}/healthz")
    wait_for_page(f"{suite.edge_url}/openapi.json")
    after = {state.name: state.pid for state in supervise.process_states(suite) or ()}
    assert all(after[name] not in (0, before[name]) for name in victims)
    assert all(after[name] == pid for name, pid in before.items() if name not in victims)


@pytest.fixture
def other(tmp_path: Path) -> Layout:
    """A second stack; only its servers are started, which is quick."""
    ports = {f"BINGLIAN_PORT_{name}": str(free_port()) for name in ("MONGO", "AMQP", "ERLANG", "EPMD", "TRACES")}
    return Layout.from_env(ports, home=str(tmp_path / "other"))


@contextlib.contextmanager
def servers(layout: Layout) -> Iterator[subprocess.Popen[bytes]]:
    """`run --servers` as somebody would type it; gives the process when all is ready."""
    process = subprocess.Popen(command(layout, "run", "--servers"), cwd=ROOT, env=environment(layout), stdout=subprocess.PIPE)
    assert process.stdout
    try:
        assert any(b"The servers are ready" in line for line in process.stdout)
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        supervise.shut_down(layout)


def test_ctrl_c_leaves_nothing_but_the_data(other: Layout) -> None:
    with servers(other) as process:
        with MongoClient(f"mongodb://127.0.0.1:{other.ports.mongo}/?replicaSet=binglian") as client:
            client.kept.things.insert_one({"_id": "kept"})
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert supervise.leftovers(other) == []
        assert not listening(other.ports.epmd)
    with servers(other), MongoClient(f"mongodb://127.0.0.1:{other.ports.mongo}/?replicaSet=binglian") as client:
        assert client.kept.things.count_documents({"_id": "kept"}) == 1


@pytest.mark.parametrize("victim", ["launcher", "manager"])
def test_a_killed_launcher_or_manager_leaves_nothing_for_long(other: Layout, victim: str) -> None:
    with servers(other) as process:
        pid = process.pid if victim == "launcher" else int((other.home / "supervisord.pid").read_text())
        os.kill(pid, signal.SIGKILL)
        process.wait(timeout=60)
        deadline = time.monotonic() + 30
        while supervise.leftovers(other) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert supervise.leftovers(other) == []


def test_status_and_logs_of_a_detached_stack(other: Layout) -> None:
    def answer(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(other, *arguments), cwd=ROOT, env=environment(other), capture_output=True, text=True, check=False
        )

    assert answer("status").returncode == 1
    try:
        assert answer("up", "--detach", "--servers").returncode == 0
        assert {row["state"] for row in json.loads(answer("status", "--json").stdout)} == {"RUNNING"}
        assert answer("logs", "mongod", "-n", "1").stdout
        wrong = answer("logs", "mongo")
        assert wrong.returncode == 1
        assert "mongod" in wrong.stderr
    finally:
        assert answer("down").returncode == 0
    assert supervise.leftovers(other) == []

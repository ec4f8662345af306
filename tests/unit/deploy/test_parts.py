"""The table of processes and the settings made from it."""

import configparser
import socket

import pytest

from deploy.local import machine, supervise
from deploy.local.layout import SERVICES, Layout, SetupProblem
from deploy.local.parts import Part, build_parts, shared_environment
from svckit.embedded import free_port


@pytest.fixture
def layout(tmp_path) -> Layout:
    return Layout.from_env({}, home=str(tmp_path / "100% home"))


def test_every_service_has_its_two_processes(layout: Layout) -> None:
    names = {part.name for part in build_parts(layout, {})}
    assert {f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")} < names
    assert {"mongod", "rabbitmq", "epmd", "traces", "gateway", "traefik"} < names


def test_servers_that_run_elsewhere_are_not_started(layout: Layout) -> None:
    elsewhere = {
        "BINGLIAN_MONGO_URI": "mongodb://db.example/",
        "BINGLIAN_AMQP_URI": "amqp://mq.example/",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo.example:4318",
    }
    parts = build_parts(layout, elsewhere)
    assert not {"mongod", "rabbitmq", "epmd", "traces"} & {part.name for part in parts}
    api = next(part for part in parts if part.name == "housing-api")
    assert elsewhere.items() <= api.environment.items()


def test_an_empty_variable_counts_as_not_set(layout: Layout) -> None:
    assert shared_environment(layout, {"BINGLIAN_MONGO_URI": ""})["BINGLIAN_MONGO_URI"].startswith("mongodb://127.0.0.1")


def test_supervisor_reads_back_what_was_written(layout: Layout) -> None:
    part = Part(name="odd", group="apps", command=["echo", "100%", "a b"], environment={"URI": "amqp://u:p%2f@h/"})
    parser = configparser.RawConfigParser()
    parser.read(supervise.write_settings(layout, [part]))
    section = parser["program:odd"]
    # Supervisor expands values with the % operator, as configparser's own interpolation does not.
    assert section["command"] % {} == "echo 100% 'a b'"
    assert section["environment"] % {} == 'URI="amqp://u:p%2f@h/"'
    assert parser["group:apps"]["programs"] == "odd"


def test_a_taken_port_is_named_with_a_way_out() -> None:

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        part = Part(name="gateway", group="apps", command=["true"], port=port)
        with pytest.raises(SetupProblem, match=rf"Port {port}, which gateway needs.*BINGLIAN_PORT_BASE"):
            machine.check_ports([part])
    machine.check_ports([Part(name="gateway", group="apps", command=["true"], port=free_port())])

"""The processes of the suite as a table: how each is started, and how we know that it is ready."""

from __future__ import annotations

import base64
import http
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.local import edge
from deploy.local.layout import SERVICES, Layout, SetupProblem
from gateway.config import GatewaySettings
from svckit.embedded import MongoServer, RabbitServer, ServerMissing, listening

READY_SECONDS = 120.0
# Groups stop one after the other, last first: the edge takes no more requests, the apps drain, then their servers go.
GROUPS = ("mapper", "servers", "apps", "edge")
SERVERS = GROUPS[:2]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process. `wait` blocks until it is ready or raises; None: it is ready when it stays up."""

    name: str
    group: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    wait: Callable[[], None] | None = None
    stop_seconds: int = 15


def build_parts(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    """All processes that must run here; a server that the environment names elsewhere is left out. Raises SetupProblem."""
    try:
        servers = [*_mongo(layout, environ), *_rabbit(layout, environ), *_traces(layout, environ)]
    except ServerMissing as missing:
        raise SetupProblem(str(missing)) from None
    shared = shared_environment(layout, environ)
    own = {"population": _key_environment(layout, environ)}
    apps = [part for service in SERVICES for part in _service(service, layout, {**shared, **own.get(service, {})})]
    apps.append(_replica(layout, {**shared, **own["population"]}))
    apps.append(_jobs(layout, {**shared, **own["population"]}))
    return [*servers, *apps, _gateway(layout, shared, environ), _edge(layout)]


def shared_environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that every service and the gateway get; those already set in `environ` win."""
    ports = layout.ports
    values = {
        "BINGLIAN_MONGO_URI": _mongo_server(layout).uri,
        "BINGLIAN_AMQP_URI": _rabbit_server(layout).uri,
        "BINGLIAN_JWKS_URL": f"http://127.0.0.1:{ports.gateway}/.well-known/jwks.json",
        "BINGLIAN_ISSUER": layout.edge_url,
        "BINGLIAN_AUDIENCE": "binglian",
        "BINGLIAN_PUBLIC_URL": layout.edge_url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports.traces}",
        "PYTHONUNBUFFERED": "1",
    }
    for service in SERVICES:
        values[f"BINGLIAN_{service.upper().replace('-', '_')}_ADDRESS"] = f"127.0.0.1:{ports.of(service)}"
    values["BINGLIAN_POPULATION_REPLICA_ADDRESS"] = f"127.0.0.1:{ports.population_replica}"
    return _unless_set(values, environ)


def _unless_set(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ.get(name) or value for name, value in values.items()}


def _key_environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    if environ.get("BINGLIAN_FIELD_KEY"):
        return {}
    return _unless_set({"BINGLIAN_FIELD_KEY_FILE": str(_field_key_file(layout))}, environ)


def _field_key_file(layout: Layout) -> Path:
    """The key that seals identity and telephone numbers in this home's data; made once, or the data could not be opened again."""
    file = layout.home / "field.key"
    if not file.exists():
        layout.home.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return file


def _mongo_server(layout: Layout) -> MongoServer:
    return MongoServer(home=layout.home / "mongo", port=layout.ports.mongo)


def _rabbit_server(layout: Layout) -> RabbitServer:
    ports = layout.ports
    return RabbitServer(home=layout.home / "rabbit", port=ports.amqp, distribution_port=ports.erlang, epmd_port=ports.epmd)


def _mongo(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    if environ.get("BINGLIAN_MONGO_URI"):
        return []
    server = _mongo_server(layout)
    part = Part(
        name="mongod",
        group="servers",
        command=server.command(),
        port=server.port,
        wait=server.wait_until_ready,
        stop_seconds=30,
    )
    return [part]


def _rabbit(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    if environ.get("BINGLIAN_AMQP_URI"):
        return []
    server = _rabbit_server(layout)
    variables = server.environment()
    mapper = Part(name="epmd", group="mapper", command=server.epmd_command(), environment=variables, port=server.epmd_port)
    node = Part(
        name="rabbitmq",
        group="servers",
        command=server.command(),
        environment=variables,
        port=server.port,
        wait=server.wait_until_ready,
        stop_seconds=30,
    )
    return [mapper, node]


def _traces(layout: Layout, environ: Mapping[str, str]) -> list[Part]:
    if environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return []
    port = layout.ports.traces
    variables = {"BINGLIAN_TRACES_PORT": str(port), "BINGLIAN_TRACES_HOME": str(layout.home / "traces")}
    command = [sys.executable, "-m", "deploy.tracestore"]
    return [
        Part(
            name="traces", group="servers", command=command, environment=variables, port=port, wait=lambda: wait_for_port(port)
        )
    ]


def _service(service: str, layout: Layout, shared: Mapping[str, str]) -> list[Part]:
    command = [sys.executable, "-m", service.replace("-", "_")]
    grpc_port, health_port = layout.ports.of(service), layout.ports.health_of_worker(service)
    api = Part(
        name=f"{service}-api",
        group="apps",
        command=[*command, "api"],
        environment={**shared, "BINGLIAN_GRPC_PORT": str(grpc_port)},
        port=grpc_port,
        wait=lambda: wait_for_health(grpc_port),
    )
    worker = Part(
        name=f"{service}-worker",
        group="apps",
        command=[*command, "worker"],
        environment={**shared, "BINGLIAN_HEALTH_HOST": "127.0.0.1", "BINGLIAN_HEALTH_PORT": str(health_port)},
        port=health_port,
        wait=lambda: wait_for_page(f"http://127.0.0.1:{health_port}/healthz"),
    )
    return [api, worker]


def _replica(layout: Layout, shared: Mapping[str, str]) -> Part:
    """The process that owns population's columnar replica; it is ready before the replica is, which may take minutes to build."""
    port = layout.ports.population_replica
    return Part(
        name="population-replica",
        group="apps",
        command=[sys.executable, "-m", "population", "replica"],
        environment={**shared, "BINGLIAN_GRPC_PORT": str(port), "BINGLIAN_REPLICA_FOLDER": str(replica_folder(layout))},
        port=port,
        wait=lambda: wait_for_port(port),
    )


def _jobs(layout: Layout, shared: Mapping[str, str]) -> Part:
    """The process that works on imports, exports and cross-checks; what it has begun it goes on with after a stop."""
    files = layout.home / "files"
    files.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Part(
        name="population-jobs",
        group="apps",
        command=[sys.executable, "-m", "population", "jobs"],
        environment={**shared, "BINGLIAN_FILES_DIR": str(files), "BINGLIAN_WORK_DIR": str(layout.home / "jobs")},
    )


def replica_folder(layout: Layout) -> Path:
    """Where the columnar replica of this home lies."""
    return layout.home / "replica"


def population_environment(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """What commands of svc-population need to work on this home's register."""
    own = {"BINGLIAN_REPLICA_FOLDER": str(replica_folder(layout))}
    return {**shared_environment(layout, environ), **_key_environment(layout, environ), **own}


def _gateway(layout: Layout, shared: Mapping[str, str], environ: Mapping[str, str]) -> Part:
    port = layout.ports.gateway
    own = {
        "BINGLIAN_HTTP_PORT": str(port),
        "BINGLIAN_DEMO_USERS": "1",
        "BINGLIAN_TRACE_QUERY_URL": f"http://127.0.0.1:{layout.ports.traces}/api/v3/traces/{{trace_id}}",
    }
    variables = {**shared, **_unless_set(own, environ)}
    url = f"http://127.0.0.1:{port}/readyz"
    command = [sys.executable, "-m", "gateway"]
    return Part(
        name="gateway", group="apps", command=command, environment=variables, port=port, wait=lambda: wait_for_page(url)
    )


def demo_sign_in(environ: Mapping[str, str]) -> str:
    """How to sign in with the accounts the gateway seeds for a local stack; empty when they were turned off."""
    if (environ.get("BINGLIAN_DEMO_USERS") or "1").lower() not in ("1", "true", "yes", "on"):
        return ""
    password = "that of BINGLIAN_DEMO_PASSWORD" if environ.get("BINGLIAN_DEMO_PASSWORD") else GatewaySettings.demo_password
    return f"dispatcher (or worker, fire-officer …), password {password}; all accounts stand in gateway/README.md"


def _edge(layout: Layout) -> Part:
    program = Path(sys.executable).parent / "traefik"
    if not program.exists():
        raise SetupProblem("Traefik is missing from .venv: run `make setup`.")
    command = [str(program), f"--configFile={edge.settings_file(layout)}"]
    return Part(
        name="traefik", group="edge", command=command, port=layout.ports.edge, wait=lambda: wait_for_routes(layout.edge_url)
    )


def wait_for_port(port: int) -> None:
    """Waits until something listens on the port; raises SetupProblem after READY_SECONDS."""
    _poll(lambda: listening(port), f"nothing listens on port {port}")


def wait_for_health(port: int) -> None:
    """Waits until the gRPC server on this port says SERVING; raises SetupProblem."""
    wait_for_port(port)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        _poll(lambda: _serving(stub), f"the gRPC server on port {port} does not say SERVING")


def _serving(stub: health_pb2_grpc.HealthStub) -> bool:
    try:
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def wait_for_page(url: str) -> None:
    """Waits until a GET of this loopback address answers 200; raises SetupProblem."""
    _poll(lambda: _answers(url), f"{url} does not answer")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for_routes(url: str) -> None:
    """Waits until the proxy knows its routes, which is some time after it listens; raises SetupProblem. The gateway may be away."""
    _poll(lambda: _routed(f"{url}/openapi.json"), f"the proxy at {url} has no routes")


def _routed(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code != http.HTTPStatus.NOT_FOUND
    except OSError:
        return False
    return True


def _poll(check: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise SetupProblem(f"After {READY_SECONDS:.0f} s {complaint}.")
        time.sleep(0.25)

"""`gateway_*_vs_envoy`: Traefik with our gateway against Traefik with Envoy's transcoder, in front of the same svc-mediation."""

import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import yaml
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

from svckit.embedded import free_port
from tests.load.harness import Row, compare
from tests.load.stack import Stack, program, system_program

CONNECTIONS, THREADS, SECONDS = 16, 1, 6
DESCRIPTORS = Path("proto/gen/binglian/descriptors.binpb")
SERVICES = ["binglian.mediation.v1.CaseService"]

POST_SCRIPT = """
-- Every request reports another case.
math.randomseed(os.time())
local body = %s
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer %s"
request = function()
  local id = string.format("%%08x-%%08x-%%08x", math.random(0, 2^31), math.random(0, 2^31), math.random(0, 2^31))
  return wrk.format(nil, nil, nil, string.format(body, id))
end
"""


def run(stack: Stack, address: str, wanted: Callable[[str], bool]) -> list[Row]:
    """Measures both rows; the case that is read has five tasks."""
    token = stack.token("dispatcher", ["DISPATCHER"])
    ours, envoy = _edges(stack, address)
    case_id = _case(ours, token)
    script = stack.home / "post.lua"
    script.write_text(POST_SCRIPT % (json.dumps(json.dumps(_report("%s"), ensure_ascii=False), ensure_ascii=False), token))
    get = ["-H", f"authorization: Bearer {token}"]
    rows = []
    for name, path, options in (
        ("gateway_get_vs_envoy", f"/v1/cases/{case_id}", get),
        ("gateway_post_vs_envoy", "/v1/cases", ["-s", str(script)]),
    ):
        if wanted(name):
            rows.append(
                compare(
                    name,
                    ours=lambda path=path, options=options: _wrk(stack, ours + path, options),
                    floor=lambda path=path, options=options: _wrk(stack, envoy + path, options),
                    unit="requests/s",
                    target=0.7,
                )
            )
    return rows


def _edges(stack: Stack, address: str) -> tuple[str, str]:
    """Starts the gateway, Envoy, and one Traefik in front of both; returns their base URLs."""
    gateway, envoy = free_port(), free_port()
    environment = stack.environment("gateway") | {"BINGLIAN_HTTP_PORT": str(gateway), "BINGLIAN_MEDIATION_ADDRESS": address}
    stack.start("gateway", [sys.executable, "-m", "gateway"], environment=environment)
    config = stack.home / "envoy.yaml"
    descriptors = stack.home / "descriptors.binpb"
    descriptors.write_bytes(_descriptors())
    config.write_text(yaml.safe_dump(_envoy(envoy, address, descriptors)))
    stack.start("envoy", [program("envoy"), "-c", str(config), "--concurrency", "1", "--log-level", "warn"])
    entries = {"ours": (free_port(), gateway), "envoy": (free_port(), envoy)}
    dynamic = stack.home / "traefik.yaml"
    dynamic.write_text(yaml.safe_dump(_routes({name: backend for name, (_, backend) in entries.items()})))
    entrypoints = [f"--entrypoints.{name}.address=127.0.0.1:{port}" for name, (port, _) in entries.items()]
    stack.start("traefik", [program("traefik"), *entrypoints, f"--providers.file.filename={dynamic}", "--log.level=ERROR"])
    return tuple(f"http://127.0.0.1:{port}" for port, _ in entries.values())


def _routes(backends: dict[str, int]) -> dict[str, object]:
    """Traefik's file provider: everything on an entry point goes to its backend."""
    routers = {name: {"rule": "PathPrefix(`/`)", "service": name, "entryPoints": [name]} for name in backends}
    services = {name: {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}} for name, port in backends.items()}
    return {"http": {"routers": routers, "services": services}}


def _descriptors() -> bytes:
    """The protos without `response_body`, which Envoy cannot do for ordinary fields; its answers are a wrapper longer than ours."""
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    for method in (method for file in files.file for service in file.service for method in service.method):
        if method.options.HasExtension(annotations_pb2.http):
            method.options.Extensions[annotations_pb2.http].response_body = ""
    return files.SerializeToString()


def _envoy(port: int, address: str, descriptors: Path) -> dict[str, object]:
    """Envoy as a JSON transcoder in front of svc-mediation."""
    host, _, backend = address.partition(":")
    transcoder = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        "proto_descriptor": str(descriptors),
        "services": SERVICES,
    }
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "load",
        "route_config": {
            "virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "mediation"}}]}
            ]
        },
        "http_filters": [
            {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    }
    options = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
    }
    cluster = {
        "name": "mediation",
        "type": "STATIC",
        "typed_extension_protocol_options": options,
        "load_assignment": {
            "cluster_name": "mediation",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket(host, int(backend))}}]}],
        },
    }
    chain = [{"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]
    return {
        "static_resources": {
            "listeners": [{"address": _socket("127.0.0.1", port), "filter_chains": chain}],
            "clusters": [cluster],
        }
    }


def _socket(host: str, port: int) -> dict[str, object]:
    return {"socket_address": {"address": host, "port_value": port}}


def _report(request_id: str) -> dict[str, object]:
    return {
        "requestId": request_id,
        "category": "D0402",
        "description": "小区东门外自来水主管破裂,路面积水。",
        "areaCode": "42050200100110001",
        "address": "夷陵大道 1 号",
    }


def _case(base: str, token: str) -> str:
    """A dispatched case, made through the edge as soon as it answers."""
    transport = httpx.HTTPTransport(retries=20)
    with httpx.Client(base_url=base, headers={"authorization": f"Bearer {token}"}, transport=transport, timeout=10) as client:
        for _ in range(200):
            response = client.post("/v1/cases", json=_report(str(uuid.uuid4())))
            if response.status_code not in (404, 502, 503, 504):  # Traefik knows no route until it has read its file
                break
            time.sleep(0.1)
        case_id = response.raise_for_status().json()["caseId"]
        client.post(f"/v1/cases/{case_id}:dispatch", json={"requestId": str(uuid.uuid4())}).raise_for_status()
    return str(case_id)


def _wrk(stack: Stack, url: str, options: list[str]) -> float:
    """Successful requests a second. Raises RuntimeError when any was refused: an error page is fast."""
    command = [system_program("wrk"), f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *options, url]
    report = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS + 30).stdout
    if "Non-2xx" in report or "Socket errors" in report:
        raise RuntimeError(f"{url} refused requests:\n{report}")
    stack.settle()
    figure = re.search(r"Requests/sec:\s+([\d.]+)", report)
    assert figure, report
    return float(figure[1])

"""Traefik with our settings in front of a bare gRPC server and a bare web server."""

import http.server
import sys
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from deploy.local import edge
from deploy.local.layout import Layout
from deploy.local.parts import wait_for_routes
from svckit.embedded import free_port
from svckit.testing import child

pytestmark = pytest.mark.integration


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every GET with its path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *arguments: object) -> None:
        pass


def shout(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request.upper()


def count(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from (b"1", b"2", b"3")


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    ports = {f"BINGLIAN_PORT_{name}": str(free_port()) for name in ("EDGE", "GATEWAY", "MEDIATION", "HOUSING")}
    return Layout.from_env(ports, home=str(tmp_path_factory.mktemp("edge")))


@pytest.fixture(scope="module")
def grpc_server(layout: Layout) -> Iterator[None]:
    methods = {
        "Shout": grpc.unary_unary_rpc_method_handler(shout),
        "Count": grpc.unary_stream_rpc_method_handler(count),
    }
    with ThreadPoolExecutor() as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("binglian.mediation.v1.Echo", methods),))
        health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
        server.add_insecure_port(f"127.0.0.1:{layout.ports.mediation}")
        server.start()
        yield
        server.stop(None).wait()


@pytest.fixture(scope="module")
def web_server(layout: Layout) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", layout.ports.gateway), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def traefik(layout: Layout, grpc_server: None, web_server: None) -> Iterator[None]:
    edge.write_settings(layout)
    command = [str(Path(sys.executable).parent / "traefik"), f"--configFile={edge.settings_file(layout)}"]
    with child(command, log=layout.home / "log"):
        wait_for_routes(layout.edge_url)
        yield


@pytest.fixture
def channel(layout: Layout, traefik: None) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"localhost:{layout.ports.edge}") as channel:
        yield channel


def test_unary_calls_find_their_service(channel: grpc.Channel) -> None:
    assert channel.unary_unary("/binglian.mediation.v1.Echo/Shout")(b"abc", timeout=5) == b"ABC"


def test_streams_pass(channel: grpc.Channel) -> None:
    assert list(channel.unary_stream("/binglian.mediation.v1.Echo/Count")(b"", timeout=5)) == [b"1", b"2", b"3"]


def test_health_is_answered_for_the_suite(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_service_that_is_down_is_unavailable(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as failure:
        channel.unary_unary("/binglian.housing.v1.AreaService/GetArea")(b"", timeout=5)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("path", ["/", "/v1/cases?page_size=3", "/docs"])
def test_all_else_goes_to_the_gateway(layout: Layout, traefik: None, path: str) -> None:
    with urllib.request.urlopen(f"http://localhost:{layout.ports.edge}{path}", timeout=5) as answer:
        assert answer.read().decode() == path

"""Traefik with our settings in front of a bare gRPC server and a bare web server."""

import http.server
import socket
import sys
import threading
import time
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

READ_SECONDS = 1
# How often a stream says something, and how long it lasts: well beyond the time in which a request must be there.
BEAT, BEATS = 0.25, 12


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every GET with its path; /stream takes a while. Waits for the whole body of a POST."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path == "/stream":
            for _ in range(BEATS):
                self.wfile.write(b"data: x\n\n")
                time.sleep(BEAT)
        self.wfile.write(self.path.encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def shout(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request.upper()


def count(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from (b"1", b"2", b"3")


def collect(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return b"".join(requests)


def beat(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for _ in range(BEATS):
        yield b"x"
        time.sleep(BEAT)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    ports = {f"BINGLIAN_PORT_{name}": str(free_port()) for name in ("EDGE", "GATEWAY", "MEDIATION", "HOUSING")}
    return Layout.from_env(ports, home=str(tmp_path_factory.mktemp("edge")))


@pytest.fixture(scope="module")
def grpc_server(layout: Layout) -> Iterator[None]:
    methods = {
        "Shout": grpc.unary_unary_rpc_method_handler(shout),
        "Count": grpc.unary_stream_rpc_method_handler(count),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Beat": grpc.unary_stream_rpc_method_handler(beat),
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
    with pytest.MonkeyPatch.context() as patch:
        # The limit itself is long; what it does can be seen with a short one.
        patch.setattr(edge, "READ_SECONDS", READ_SECONDS)
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


def seconds_held(layout: Layout, first: bytes, drip: bytes) -> float:
    """Sends `first`, then `drip` again and again; returns for how long the edge puts up with it (s)."""
    with socket.create_connection(("localhost", layout.ports.edge)) as connection:
        started = time.monotonic()
        connection.settimeout(BEAT)
        connection.sendall(first)
        while (held := time.monotonic() - started) < 5 * READ_SECONDS:
            try:
                connection.sendall(drip)
                if not connection.recv(4096):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        return held


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X-A: b\r\n", id="headers"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n", b"x", id="body"),
        pytest.param(b"PRI * HTTP/2.0\r\n", b"", id="half an HTTP/2 preface"),
    ],
)
def test_a_request_that_trickles_in_is_cut_off(layout: Layout, traefik: None, first: bytes, drip: bytes) -> None:
    assert seconds_held(layout, first, drip) < 2 * READ_SECONDS + 1


def test_a_call_that_trickles_in_is_cut_off(channel: grpc.Channel) -> None:
    def slowly() -> Iterator[bytes]:
        for _ in range(BEATS):
            yield b"x"
            time.sleep(BEAT)

    with pytest.raises(grpc.RpcError) as failure:
        channel.stream_unary("/binglian.mediation.v1.Echo/Collect")(slowly(), timeout=30)
    assert failure.value.code() is not grpc.StatusCode.DEADLINE_EXCEEDED


def test_events_of_a_page_flow_for_longer(layout: Layout, traefik: None) -> None:
    with urllib.request.urlopen(f"http://localhost:{layout.ports.edge}/stream", timeout=5) as answer:
        assert answer.read().endswith(b"/stream")


def test_streams_of_departments_flow_for_longer(channel: grpc.Channel) -> None:
    assert len(list(channel.unary_stream("/binglian.mediation.v1.Echo/Beat")(b"", timeout=30))) == BEATS
    # The connection is as good as before.
    assert channel.unary_unary("/binglian.mediation.v1.Echo/Shout")(b"abc", timeout=5) == b"ABC"

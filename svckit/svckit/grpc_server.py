"""The gRPC server of an api process: our pipeline around our services, standard health and reflection beside them."""

from __future__ import annotations

import asyncio
import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import binglian
import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from svckit.interceptors import Pipeline

_log = logging.getLogger(__name__)
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_OPTIONS = (
    ("grpc.so_reuseport", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A peer that vanished is noticed after 40 s; clients may ping every 10 s, also on idle connections.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 0),
)
_REFLECTION_V1 = "grpc.reflection.v1.ServerReflection"
Add = Callable[[Any, Any], None]  # the generated add_XServicer_to_server


class GrpcServer:
    """A grpc.aio server; make it inside the running loop."""

    def __init__(self, *, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._server = grpc.aio.server(options=_OPTIONS)
        self._methods = _Methods()
        self._health: Any = health.aio.HealthServicer()  # type: ignore[attr-defined]  # chosen at import time
        self._served: list[str] = [""]
        self._is_serving = False

    def add(self, services: Iterable[tuple[Add, Any]]) -> None:
        """Registers (generated add function, servicer) pairs behind the pipeline."""
        registrar = _Registrar(self._methods, self._pipeline)
        for add, servicer in services:
            add(servicer, registrar)
        self._served += registrar.services

    async def start(self, *, host: str, port: int) -> int:
        """Starts to answer and returns the port (a free one for 0). Nothing is SERVING yet; see `set_serving`.

        Raises RuntimeError when the port cannot be opened.
        """
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._methods)
        _add_reflection(self._methods)
        self._server.add_generic_rpc_handlers((self._methods,))
        bound: int = self._server.add_insecure_port(f"{host}:{port}")
        await self._server.start()
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)
        return bound

    async def set_serving(self, serving: bool) -> None:
        """Tells the health service, overall and per service, whether calls can be answered."""
        if serving == self._is_serving:
            return
        self._is_serving = serving
        status = health_pb2.HealthCheckResponse
        await self._say(status.SERVING if serving else status.NOT_SERVING)
        _log.info("serving" if serving else "not serving")

    async def _say(self, status: Any) -> None:
        for service in self._served:
            await self._health.set(service, status)

    async def stop(self, *, grace: float) -> None:
        """Says NOT_SERVING, ends the streams, lets running calls finish for `grace` seconds, then closes."""
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.ensure_future(self._server.stop(grace))
        self._pipeline.end_streams()
        await stopping


class _Methods(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic for type checkers only
    """All methods of a server by their paths. Stands in for the server in the generated add functions.

    Methods registered with grpc.aio itself would cost every call: it then waits for the next call of each of them, one by one.
    """

    def __init__(self) -> None:
        self._handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Ignored: the same handlers come again, by name, in `add_registered_method_handlers`."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Takes the methods of one service."""
        self._handlers |= {f"/{service}/{name}": handler for name, handler in handlers.items()}

    def service(self, handler_call_details: Any) -> Any:
        """Returns the handler of a call; None for a method nobody has."""
        return self._handlers.get(handler_call_details.method)


class _Registrar:
    """Stands in for the server in the generated add functions of our services and wraps what they register."""

    def __init__(self, methods: _Methods, pipeline: Pipeline) -> None:
        self._methods = methods
        self._pipeline = pipeline
        self.services: list[str] = []

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        """Ignored: the same handlers come again, by name, in `add_registered_method_handlers`."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Takes the methods of one service, wrapped."""
        methods = descriptor_pool.Default().FindServiceByName(service).methods_by_name
        wrapped = {name: self._pipeline.wrap(method=methods[name], handler=handlers[name]) for name in handlers}
        self._methods.add_registered_method_handlers(service, wrapped)
        self.services.append(service)


def all_services() -> list[str]:
    """Returns the full names of all services declared under proto/binglian, after importing their generated code."""
    names: set[str] = set()
    for module in pkgutil.walk_packages(binglian.__path__, "binglian."):
        if module.name.endswith("_pb2"):
            names.update(_services_of(importlib.import_module(module.name).DESCRIPTOR))
    return sorted(names)


def _services_of(file: Any) -> list[str]:
    return [service.full_name for service in file.services_by_name.values()]


def _add_reflection(methods: _Methods) -> None:
    """Serves reflection as v1 and v1alpha, which have the same messages; the installed package knows only v1alpha."""
    names = [*all_services(), health.SERVICE_NAME, reflection.SERVICE_NAME, _REFLECTION_V1]
    reflection.enable_server_reflection(names, methods)  # type: ignore[arg-type]  # it only adds its methods
    servicer = reflection.aio.ReflectionServicer(names)  # type: ignore[attr-defined]
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    methods.add_registered_method_handlers(_REFLECTION_V1, {"ServerReflectionInfo": handler})

"""The api process of a service: waits for its database, serves gRPC, relays its events, stops gracefully.

A service's `__main__` calls `run_api` with its servicers; what they need (repositories, live feed, stubs) comes from `Api`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Sequence
from types import ModuleType
from typing import Any, TypeVar

import msgspec
import uvloop
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConnectionFailure, PyMongoError

from svckit import event_codec, logs, telemetry
from svckit.amqp import Link
from svckit.config import ConfigError, Settings, address_of
from svckit.documents import Document, Form
from svckit.grpc_client import Channel
from svckit.grpc_server import Add, GrpcServer
from svckit.guarding import Guard
from svckit.interceptors import Pipeline
from svckit.live import LiveFeed
from svckit.outbox import Relay
from svckit.schema import ensure_schema, pauses, say_waiting
from svckit.store import Repository
from svckit.tokens import KeySet, TokenVerifier
from svckit.topology import EXCHANGE, Topology

_log = logging.getLogger(__name__)
S = TypeVar("S", bound=msgspec.Struct)
Stub = TypeVar("Stub")
Servicers = Callable[["Api"], Iterable[tuple[Add, Any]]]

_CHECK_SECONDS = 1.0
_PING_SECONDS = 2.0
_MONGO_MS = 5_000


def database_of(service: str) -> str:
    """Returns the name of a service's database."""
    return f"binglian_{service}"


class Api:
    """What servicers are built from; lives inside the running event loop."""

    def __init__(self, *, service: str, settings: Settings, exchange: str = EXCHANGE) -> None:
        self.service = service
        self.settings = settings
        topology = Topology(service, exchange)
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            settings.mongo_uri,
            tz_aware=True,
            appname=f"binglian-{service}-api",
            serverSelectionTimeoutMS=_MONGO_MS,
            connectTimeoutMS=_MONGO_MS,
        )
        self.db: AsyncDatabase[Document] = self.client[settings.mongo_database or database_of(service)]
        self.live = LiveFeed(topology)
        self.relay = Relay(topology)
        self.link = Link(settings.amqp_uri, name=f"{service} api", participants=(self.relay, self.live))
        self.guard: Guard | None = None
        """Looks at every request and answer of this process; `servicers` may set it."""
        self._repositories: list[Repository[Any]] = []
        self._channels: dict[str, Channel] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def repository(
        self, state_cls: type[S], *, collection: str, id_field: str, events: ModuleType | None = None
    ) -> Repository[S]:
        """Returns the aggregates of one kind in `collection`; their events go to the broker by themselves.

        `events` is the module of the event messages, by default `binglian.<package of the event>.v1.events_pb2`.
        """
        form = Form(state_cls, id_field=id_field, encode=_encoder(events)) if events else Form(state_cls, id_field=id_field)
        rows = self.db[collection]
        made = Repository(rows, form=form, on_commit=self.relay.follow(rows))
        self._repositories.append(made)
        return made

    def stub(self, stub_cls: Callable[[Any], Stub], service: str, *, timeout: float = 2.0) -> Stub:
        """Returns a stub of a sibling service that passes on the caller's token and trace.

        `timeout` in seconds is the deadline of unary calls that name none. Raises ConfigError without
        `BINGLIAN_<SERVICE>_ADDRESS`. Calls raise the errors of svckit.errors.
        """
        channel = Channel(address_of(service), timeout=timeout)
        self._channels[f"{service}#{len(self._channels)}"] = channel
        return stub_cls(channel)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Runs `work` beside the server until it ends or the process stops; a failure is logged."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            _log.error("background work %s failed", task.get_name(), exc_info=task.exception())

    async def is_ready(self) -> bool:
        """Tells whether the database and the broker answer."""
        if not self.link.up.is_set():
            return False
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self.client.admin.command("ping")
        except (PyMongoError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Finishes what was begun: writes, then publishing, then the connections."""
        for task in self._tasks:
            task.cancel()
        for repository in self._repositories:
            await repository.settled()
        await self.relay.drain(seconds=2)
        await self.link.stop()
        for channel in self._channels.values():
            await channel.close()
        await self.client.close()


def _encoder(events: ModuleType) -> Callable[[Any], tuple[str, bytes]]:
    def encode(event: Any) -> tuple[str, bytes]:
        descriptor = event_codec.described_in(events, type(event).__name__)
        return event_codec.type_of(descriptor), event_codec.message_json(descriptor, event)

    return encode


def run_api(*, service: str, settings: Settings, documents: Sequence[type[Any]], servicers: Servicers) -> None:
    """Runs the api process until SIGTERM or SIGINT.

    Waits for the database, ensures the indexes of `documents` (mongoengine classes), then serves. The broker, the issuer's keys
    and sibling services may come later. Exits with one sentence when the configuration or the port is unusable.
    """
    logs.setup(service=service, level=settings.log_level, show_values=settings.log_values)
    stop_telemetry = telemetry.setup(service=service, endpoint=settings.otlp_endpoint)
    try:
        uvloop.run(_serve(service, settings, documents, servicers))
    except ConfigError as error:
        sys.exit(f"{service}: {error}")
    finally:
        stop_telemetry()


async def _serve(service: str, settings: Settings, documents: Sequence[type[Any]], servicers: Servicers) -> None:
    if not settings.jwks_url:
        raise ConfigError("BINGLIAN_JWKS_URL is not set")
    stop = _stop_signal()
    api = Api(service=service, settings=settings)
    try:
        if await _schema_ready(api, documents, stop):
            await _serve_until(stop, api, servicers)
    finally:
        await api.close()


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


async def _schema_ready(api: Api, documents: Sequence[type[Any]], stop: asyncio.Event) -> bool:
    """Ensures the indexes as soon as the database answers; False when the process is to stop before that."""
    for pause in pauses():
        if stop.is_set():
            break
        try:
            await asyncio.to_thread(ensure_schema, uri=api.settings.mongo_uri, database=api.db.name, documents=documents)
            return True
        except ConnectionFailure as error:
            say_waiting("the database", error)
            await asyncio.sleep(pause)
    return False


async def _serve_until(stop: asyncio.Event, api: Api, servicers: Servicers) -> None:
    settings = api.settings
    keys = KeySet(url=settings.jwks_url)
    verifier = TokenVerifier(keys=keys, issuer=settings.issuer, audience=settings.audience)
    made = list(servicers(api))
    server = GrpcServer(pipeline=Pipeline(verifier=verifier, guard=api.guard))
    server.add(made)
    api.spawn(keys.prefetch(), name="keys")
    api.link.start()
    try:
        port = await server.start(host=settings.grpc_host, port=settings.grpc_port)
    except RuntimeError as error:
        raise ConfigError(f"port {settings.grpc_port} cannot be opened; is another process using it?") from error
    api.spawn(_report_readiness(api, server), name="readiness")
    _log.info("listening", extra={"port": port})
    gc.set_threshold(10_000, 20, 20)  # requests make thousands of short-lived objects; looking every 700 finds nothing
    gc.freeze()  # what exists now lives as long as the process; the collector need not look at it again
    await stop.wait()
    _log.info("stopping")
    await server.stop(grace=settings.drain_seconds)


async def _report_readiness(api: Api, server: GrpcServer) -> None:
    while True:
        await server.set_serving(await api.is_ready())
        await asyncio.sleep(_CHECK_SECONDS)

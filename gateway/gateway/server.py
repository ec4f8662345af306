"""Builds the gateway of one process and runs it through its life; `app` is what the ASGI server imports."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import multiprocessing
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from gateway import schema
from gateway.app import Gateway, Handler, Target
from gateway.auth.signin import SignIn, sign_in
from gateway.backend import Backends
from gateway.config import GatewaySettings, service_address
from gateway.downloads import DownloadEndpoint, is_download
from gateway.exchange import Exchange, Receive, Scope, Send
from gateway.live import Pace, StreamEndpoint
from gateway.observe import Recorder
from gateway.openapi import build_document
from gateway.pages import Docs, Page, Site, page_of
from gateway.rest import UnaryEndpoint
from gateway.routes import Router
from gateway.traces import Traces
from svckit import logs, telemetry
from svckit.config import ConfigError, from_env
from svckit.embedded import end_with_parent

_log = logging.getLogger(__name__)
_FIRST_MESSAGE_SECONDS = 0.5


def load_settings() -> GatewaySettings:
    """Reads the environment. Raises ConfigError with one sentence naming what is missing."""
    settings = from_env(GatewaySettings)
    if settings.issues_tokens and not settings.mongo_uri:
        raise ConfigError(
            "BINGLIAN_MONGO_URI is not set; the gateway keeps its keys and accounts there (or set BINGLIAN_ISSUER)"
        )
    if not settings.issues_tokens and not settings.jwks_url:
        raise ConfigError("BINGLIAN_JWKS_URL is not set; it says where the keys of BINGLIAN_ISSUER are published")
    return settings


class Process:
    """Everything one process of the gateway holds; make it inside the running loop."""

    def __init__(self, settings: GatewaySettings, *, address_of: Callable[[str], str] = service_address) -> None:
        self._settings = settings
        self.sign_in: SignIn = sign_in(settings)
        self.backends = Backends(address_of=address_of, connections=settings.gateway_connections)
        self.ending = asyncio.Event()
        self._recorder = Recorder(access_log=settings.access_log)
        self.prepared = asyncio.ensure_future(self.sign_in.prepare())
        self.gateway = Gateway(
            router=self._routes(),
            recorder=self._recorder,
            admit=self.sign_in.admit,
            pages=Site(Path(settings.web_root)),
            body_limit=settings.max_body,
            body_seconds=settings.body_seconds,
        )

    def _routes(self) -> Router[Target]:
        router: Router[Target] = Router()
        for rpc in schema.rpcs():
            attributes = {"rpc.system.name": "grpc", "rpc.method": rpc.path.lstrip("/")}
            for binding in rpc.bindings:
                if not rpc.internal:
                    router.add(
                        binding.verb, binding.template, Target(binding.template, self._endpoint(rpc, binding), attributes)
                    )
        self.sign_in.add_routes(router)
        traces = Traces(query_url=self._settings.trace_query_url, verifier=self.sign_in.verifier)
        docs = Docs()
        for path, handle in (
            ("/v1/traces/{trace_id}", traces),
            ("/healthz", self._healthz),
            ("/readyz", self._readyz),
            ("/openapi.json", self._openapi()),
            ("/docs", docs),
            ("/docs/{file}", docs),
        ):
            router.add("GET", path, Target(path, handle, traced=False))
        return router

    def _endpoint(self, rpc: schema.Rpc, binding: schema.Binding) -> Handler:
        if is_download(rpc, binding):
            calls = self.backends.stream if rpc.streams else self.backends.unary
            return DownloadEndpoint(rpc, binding, pick=calls(rpc.service, rpc.path), timeout=self._settings.request_timeout)
        if rpc.streams:
            pace = Pace(
                first=_FIRST_MESSAGE_SECONDS, heartbeat=self._settings.heartbeat_seconds, total=self._settings.stream_seconds
            )
            return StreamEndpoint(rpc, binding, pick=self.backends.stream(rpc.service, rpc.path), pace=pace, ending=self.ending)
        pick = self.backends.unary(rpc.service, rpc.path)
        return UnaryEndpoint(rpc, binding, pick=pick, timeout=self._settings.request_timeout)

    def _openapi(self) -> Handler:
        made: list[Page] = []

        async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
            if not made:
                issuer = "" if self._settings.issues_tokens else self._settings.token_issuer
                document = build_document(public_url=self._settings.public_url, version=version(), issuer=issuer)
                made.append(page_of(orjson.dumps(document), "application/json"))
            await made[0].send(exchange)

        return answer

    async def _healthz(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        await exchange.send_data({"status": "ok"})

    async def _readyz(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """Ready once people can sign in; a service that is away is named, but it does not take the others' door away."""
        services = await self.backends.health()
        state = {"status": "ready" if self.sign_in.ready else "starting", "services": services}
        await exchange.send_data(state, 200 if self.sign_in.ready else 503)

    def begin_end(self) -> None:
        """Ends the open streams; their clients come back to another process."""
        self.ending.set()

    async def close(self) -> None:
        """Closes everything."""
        self.prepared.cancel()
        await self.backends.close()
        await self.sign_in.close()
        self._recorder.flush()


def version() -> str:
    """Returns the version of the installed package."""
    return importlib.metadata.version("binglian-gateway")


class Application:
    """The ASGI application: made when the server starts, closed when it stops."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._stop_telemetry: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers http scopes; lifespan builds and closes the process. WebSockets are refused."""
        if scope["type"] == "http":
            assert self._process
            await self._process.gateway(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if multiprocessing.parent_process():
            end_with_parent()  # one of several workers: it must not outlive a killed parent and keep the port
        try:
            self._process = self._make(load_settings())
        except ConfigError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        _when_told_to_end(self._process.begin_end)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._process.close()
        await asyncio.to_thread(self._stop_telemetry)
        await send({"type": "lifespan.shutdown.complete"})

    def _make(self, settings: GatewaySettings) -> Process:
        logs.setup(service="gateway", level=settings.log_level)
        self._stop_telemetry = telemetry.setup(service="gateway", endpoint=settings.otlp_endpoint, version=version())
        return Process(settings)


def _when_told_to_end(do: Any) -> None:
    """Calls `do` in the loop on SIGTERM and SIGINT, before the server's own handler: it would wait for the streams in vain."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        present = signal.getsignal(number)

        def handle(received: int, frame: Any, present: Any = present) -> None:
            loop.call_soon_threadsafe(do)
            if callable(present):
                present(received, frame)

        signal.signal(number, handle)


app = Application()

"""The HTTP face: raw ASGI, because it shares two cores with everything it watches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson

from deploy.tracestore import decoding, queries
from deploy.tracestore.store import Export, Store

T = TypeVar("T")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_PROTOBUF = b"application/x-protobuf"
_JSON = b"application/json"
_GET_TRACE = "/api/v3/traces/"

FLUSH_SECONDS = 0.25
PRUNE_SECONDS = 30.0
WAITING_BYTES = 64 * 1024 * 1024
"""Exports that wait to be written may take so much memory; beyond it, exporters are asked to come back later."""

log = logging.getLogger("tracestore")


class Answer(Exception):
    """Ends a request with a status and a body that is sent as JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _failure(status: int, message: str) -> Answer:
    """The form in which Jaeger's HTTP gateway reports an error."""
    return Answer(status, {"error": {"httpCode": status, "message": message}})


class TraceStore:
    """ASGI application over a store. One thread owns the database; exports are written in groups."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: list[Export] = []
        self._waiting_bytes = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._ending = asyncio.Event()
        self._store: Store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection of the ASGI server."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    # ------------------------------------------------------------------------------------------------ life

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._store = await self._in_thread(self._open)
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": f"the store cannot be opened: {error}"})
            return
        self._tasks = [
            asyncio.create_task(self._every(FLUSH_SECONDS, self._flush)),
            asyncio.create_task(self._every(PRUNE_SECONDS, self._prune)),
        ]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stop(self) -> None:
        self._ending.set()
        await asyncio.gather(*self._tasks)
        await self._flush()
        await self._in_thread(self._store.close)
        self._thread.shutdown()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), seconds)
            await _logged(work)

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _flush(self) -> None:
        exports, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if exports:
            await self._in_thread(self._store.add, exports)

    async def _prune(self) -> None:
        removed = await self._in_thread(self._store.prune)
        if removed:
            log.info("removed %d old exports", removed)

    async def _read(self, work: Callable[..., T], *arguments: Any) -> T:
        """Reads what was sent so far: writing and reading go through one thread, in order."""
        await self._flush()
        return await self._in_thread(work, *arguments)

    # ------------------------------------------------------------------------------------------------ requests

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] == "POST":
                content_type = await self._export(scope["path"], dict(scope["headers"]), receive)
                await _respond(send, 200, content_type, b"{}" if content_type == _JSON else b"")
            else:
                raise Answer(200, await self._query(scope))
        except Answer as answer:
            await _respond(send, answer.status, _JSON, orjson.dumps(answer.body))
        except queries.BadParameter as error:
            failure = _failure(400, str(error))
            await _respond(send, failure.status, _JSON, orjson.dumps(failure.body))

    async def _export(self, path: str, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Takes traces; metrics and logs are accepted and let go, so that exporters need no switch of their own."""
        if path not in ("/v1/traces", "/v1/metrics", "/v1/logs"):
            raise _failure(404, f"nothing is exported to {path}")
        content_type = headers.get(b"content-type", _PROTOBUF).partition(b";")[0].strip()
        if content_type not in (_PROTOBUF, _JSON):
            raise _failure(415, "the content type must be application/x-protobuf or application/json")
        body = await _body(receive)
        if path == "/v1/traces":
            self._take(body, encoding=headers.get(b"content-encoding", b"").decode("latin-1"), json=content_type == _JSON)
        return content_type

    def _take(self, body: bytes, *, encoding: str, json: bool) -> None:
        if self._waiting_bytes > WAITING_BYTES:
            raise _failure(503, "too much waits to be written; try again later")
        try:
            export = decoding.parsed(decoding.unpacked(body, encoding=encoding), json=json)
        except decoding.BodyTooLarge as error:
            raise _failure(413, str(error)) from error
        except decoding.BadBody as error:
            raise _failure(400, str(error)) from error
        self._waiting.append(export)
        self._waiting_bytes += len(export[1])

    async def _query(self, scope: Scope) -> Any:
        path: str = scope["path"]
        parameters = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if path.startswith(_GET_TRACE):
            return _traces(await self._read(self._store.trace, queries.trace_id(path.removeprefix(_GET_TRACE))))
        match path:
            case "/api/v3/traces":
                return _traces(await self._read(self._store.find, queries.trace_query(parameters)))
            case "/api/v3/services":
                return {"services": await self._read(self._store.services)}
            case "/api/services":
                services = await self._read(self._store.services)
                return {"data": services, "total": len(services), "limit": 0, "offset": 0, "errors": None}
            case "/api/v3/operations":
                return {"operations": await self._read(self._operations, parameters)}
            case "/healthz":
                return {"status": "ok"}
        raise _failure(404, f"{path} does not exist")

    def _operations(self, parameters: Mapping[str, str]) -> list[dict[str, str]]:
        kind = parameters.get("spanKind") or parameters.get("span_kind", "")
        found = self._store.operations(service=parameters.get("service", ""), kind=kind)
        return [{"name": name, "spanKind": kind} for name, kind in found]


def _traces(resource_spans: list[dict[str, Any]]) -> Any:
    if not resource_spans:
        raise _failure(404, "No traces found")
    return {"result": {"resourceSpans": resource_spans}}


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > decoding.MAX_BODY:
            raise _failure(413, "the body is too large")
        if not message.get("more_body"):
            return b"".join(parts)


async def _respond(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _logged(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:
        # A full disk must not end the receiver: it keeps answering, and writes again once there is room.
        log.exception("the store failed")

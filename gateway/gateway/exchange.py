"""One HTTP exchange over raw ASGI: the request's headers, body and identity, and the answer."""

from __future__ import annotations

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from opentelemetry.trace import Span

from gateway.errors import PROBLEM_TYPE, Headers, Problem
from svckit.logs import redact

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON_TYPE = b"application/json"
# Request ids are unique, not secret: a random start per process and a count cost a tenth of a random id each.
_process = secrets.token_hex(8)
_count = itertools.count(1)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")


class ClientGone(Exception):
    """The client closed the connection; nobody is left to answer."""


class Exchange:
    """A request and the answer to it.

    Handlers call one of the `send_*` methods, once. `route` and `span` are set when they are known, for the log and the trace;
    `cookies` are set-cookie values that any answer carries along.
    """

    __slots__ = (
        "_receive", "_send", "begun", "body_limit", "body_seconds", "cookies", "headers", "method", "path", "query", "request_id", "route",
        "sent_bytes", "span", "started", "status", "trace_id", "traceparent",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, body_limit: int, body_seconds: float) -> None:
        self._receive = receive
        self._send = send
        self.begun = time.perf_counter()
        self.method: str = scope["method"]
        self.path: str = scope["raw_path"].decode("latin-1")
        self.query: str = scope["query_string"].decode("latin-1")
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body_limit = body_limit
        self.body_seconds = body_seconds
        self.cookies: list[bytes] = []
        self.request_id = self._identify()
        self.traceparent = self._trace()
        self.trace_id = ""
        self.route = ""
        self.span: Span | None = None
        self.started = False
        self.status = 0
        self.sent_bytes = 0

    def _identify(self) -> str:
        """The caller's id goes into logs and answers: one that is malformed, or looks like personal data, is replaced by our own."""
        given = self.headers.get(b"x-request-id", b"")
        if _REQUEST_ID.fullmatch(given) and redact(text := given.decode()) == text:
            return text
        return f"{_process}-{next(_count):08x}"

    def _trace(self) -> str:
        given = self.headers.get(b"traceparent")
        return given.decode() if given is not None and _TRACEPARENT.fullmatch(given) else ""

    def header(self, name: bytes) -> str:
        """Returns the value of a header ("" when absent); names are lower-case."""
        return self.headers.get(name, b"").decode("latin-1")

    async def body(self) -> bytes:
        """Reads the whole body.

        Raises Problem 413 as soon as it is too large, whatever its declared length says, and 408 when it is not there in time.
        """
        try:
            async with asyncio.timeout(self.body_seconds):
                return await self._whole_body()
        except TimeoutError:
            headers = ((b"connection", b"close"),)
            raise Problem(
                408, "BODY_TOO_SLOW", f"The body was not there in {self.body_seconds:g} s.", headers=headers
            ) from None

    async def _whole_body(self) -> bytes:
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.body_limit:
            raise self._too_large()
        message = await self._next()
        if not message.get("more_body"):
            return self._within(message.get("body", b""))
        parts = [message.get("body", b"")]
        size = len(parts[0])
        while message.get("more_body"):
            message = await self._next()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.body_limit:
                raise self._too_large()
        return self._within(b"".join(parts))

    async def _next(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message

    def _within(self, body: bytes) -> bytes:
        if len(body) > self.body_limit:
            raise self._too_large()
        return body

    def _too_large(self) -> Problem:
        return Problem(413, "BODY_TOO_LARGE", f"The body is larger than {self.body_limit} bytes.")

    async def gone(self) -> None:
        """Returns when the client closes the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def send(self, status: int, content_type: bytes, body: bytes, headers: Headers = ()) -> None:
        """Sends a complete answer. HEAD gets the same headers without the body."""
        self.sent_bytes = len(body)
        await self._start(status, content_type, [(b"content-length", b"%d" % len(body)), *headers])
        await self._send({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

    async def send_json(self, body: bytes, status: int = 200, headers: Headers = (_NO_STORE,)) -> None:
        """Sends JSON; by default nobody may keep a copy of it."""
        await self.send(status, JSON_TYPE, body, headers)

    async def send_data(self, data: Any, status: int = 200) -> None:
        """Sends Python data as JSON."""
        await self.send_json(orjson.dumps(data), status)

    async def send_problem(self, problem: Problem) -> None:
        """Sends an error as application/problem+json."""
        body = problem.body(request_id=self.request_id, trace_id=self.trace_id)
        await self.send(problem.status, PROBLEM_TYPE.encode(), body, (_NO_STORE, *problem.headers))

    async def send_nothing(self, headers: Headers = (), *, status: int = 204) -> None:
        """Sends an answer without a body."""
        await self._start(status, b"", headers)
        await self._send({"type": "http.response.body", "body": b""})

    async def start_stream(self, content_type: bytes, headers: Headers = ()) -> None:
        """Begins an answer of unknown length; `send_part` and `end_stream` follow."""
        await self._start(200, content_type, [_NO_STORE, *headers])

    async def send_part(self, body: bytes) -> None:
        """Sends a piece of a streamed answer."""
        self.sent_bytes += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end_stream(self) -> None:
        """Ends a streamed answer."""
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, content_type: bytes, headers: Any) -> None:
        self.started = True
        self.status = status
        fields = [(b"x-request-id", self.request_id.encode()), _NOSNIFF, *headers]
        if content_type:
            fields.append((b"content-type", content_type))
        if self.cookies:
            fields += [(b"set-cookie", cookie) for cookie in self.cookies]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

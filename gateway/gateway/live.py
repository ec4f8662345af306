"""Server-streaming rpcs over HTTP: server-sent events for browsers, newline-delimited JSON for programs that ask for JSON.

An event's `id` is the message's `cursor`; a client that comes back with `Last-Event-ID` goes on after it. Streams are ended after
`stream_seconds`, so that tokens are looked at again and load spreads; clients notice nothing but a reconnect.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import grpc
import orjson

from gateway.backend import Pick
from gateway.errors import problem_of
from gateway.exchange import ClientGone, Exchange
from gateway.rest import Requests, Responses, check_accept, metadata_of
from gateway.schema import Binding, Rpc

EVENTS = b"text/event-stream"
LINES = b"application/x-ndjson"
_RETRY_MS = 1000
_HEARTBEAT = b": still here\n\n"
_CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: how long to wait for a first message or refusal before the answer begins, between heartbeats, and in all."""

    first: float
    heartbeat: float
    total: float


class StreamEndpoint:
    """One REST route of a server-streaming rpc."""

    def __init__(self, rpc: Rpc, binding: Binding, *, pick: Pick, pace: Pace, ending: asyncio.Event) -> None:
        self.rpc = rpc
        self.route = binding.template
        self._requests = Requests(rpc, binding)
        self._responses = Responses(rpc, binding)
        self._pick = pick
        self._pace = pace
        self._ending = ending
        self._resumable = _CURSOR in rpc.method.input_type.fields_by_name
        self._has_cursor = _CURSOR in rpc.method.output_type.fields_by_name

    async def __call__(self, exchange: Exchange, variables: Mapping[str, str]) -> None:
        """Answers the exchange with a stream. Raises what `problem_of` understands while no answer has begun."""
        check_accept(exchange, EVENTS, b"application/json", LINES)
        form: _Form = _Lines() if wants_lines(exchange) else _Events()
        if exchange.method == "HEAD":
            await exchange.send(200, form.content_type, b"")
            return
        request = await self._requests.read(resumed(exchange) if self._resumable else exchange, variables)
        call = self._pick()(request, metadata=metadata_of(exchange))
        watchers = (asyncio.ensure_future(exchange.gone()), asyncio.ensure_future(self._ending.wait()))
        try:
            await self._run(exchange, call, form, watchers)
        finally:
            call.cancel()
            for watcher in watchers:
                watcher.cancel()

    async def _run(self, exchange: Exchange, call: Any, form: _Form, watchers: _Watchers) -> None:
        messages = _Messages(call, *watchers)
        try:
            first = await messages.next(self._pace.first)  # a refusal still becomes a plain error response
            await exchange.start_stream(form.content_type, form.headers)
            await exchange.send_part(form.opening)
            if first is not None:
                await exchange.send_part(self._piece(form, first))
            await self._pump(exchange, messages, form)
        except _Ended:
            await self._finish(exchange, form)
        finally:
            await messages.close()

    async def _pump(self, exchange: Exchange, messages: _Messages, form: _Form) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._pace.total
        try:
            while loop.time() < end:
                message = await messages.next(min(self._pace.heartbeat, end - loop.time()))
                await exchange.send_part(form.heartbeat if message is None else self._piece(form, message))
        except grpc.aio.AioRpcError as error:
            # The answer has begun: what went wrong travels inside it.
            problem = problem_of(error)
            data = problem.data(request_id=exchange.request_id, trace_id=exchange.trace_id)
            await exchange.send_part(form.problem(orjson.dumps(data)))
        await exchange.end_stream()

    async def _finish(self, exchange: Exchange, form: _Form) -> None:
        """The service ended the stream by itself."""
        if not exchange.started:
            await exchange.start_stream(form.content_type, form.headers)
        await exchange.end_stream()

    def _piece(self, form: _Form, data: bytes) -> bytes:
        message = self._responses.parse(data)
        cursor = getattr(message, _CURSOR) if self._has_cursor else ""
        return form.message(orjson.dumps(self._responses.write(message)), cursor)


class _Messages:
    """The messages of a stream, with patience: waiting for one can be given up and taken up again without losing it."""

    def __init__(self, call: Any, gone: asyncio.Future[None], ending: asyncio.Future[Literal[True]]) -> None:
        self._messages: AsyncIterator[bytes] = call.__aiter__()
        self._gone = gone
        self._ending = ending
        self._pending: asyncio.Future[bytes] | None = None

    async def next(self, seconds: float) -> bytes | None:
        """Returns the next message, None when none came in time.

        Raises _Ended at the end (the stream's or this process's), AioRpcError when the service broke off, ClientGone when
        nobody listens.
        """
        pending = self._pending or asyncio.ensure_future(anext(self._messages, _END))
        self._pending = pending
        await asyncio.wait((pending, self._gone, self._ending), timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
        if self._gone.done():
            raise ClientGone
        if not pending.done():
            if self._ending.done():
                raise _Ended
            return None
        self._pending = None
        message = pending.result()
        if message is _END:
            raise _Ended
        return message

    async def close(self) -> None:
        """Gives up waiting."""
        if self._pending is not None:
            self._pending.cancel()
            with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await self._pending


_END: Any = object()
_Watchers = tuple[asyncio.Future[None], asyncio.Future[Literal[True]]]


class _Ended(Exception):
    """The service has ended the stream."""


def wants_lines(exchange: Exchange) -> bool:
    """Tells whether the client asks for JSON rather than for events."""
    accepted = exchange.headers.get(b"accept", b"")
    return EVENTS not in accepted and (b"application/json" in accepted or LINES in accepted)


def resumed(exchange: Exchange) -> Exchange:
    """Puts the id of the last event the client has seen into the query, over a cursor it began with."""
    last = exchange.header(b"last-event-id")
    if last:
        kept = [pair for pair in exchange.query.split("&") if pair and pair.partition("=")[0] != _CURSOR]
        exchange.query = "&".join([*kept, f"{_CURSOR}={_quoted(last)}"])
    return exchange


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("&", "%26").replace("+", "%2B")


class _Form:
    """How the pieces of a stream look on the wire."""

    content_type: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"x-accel-buffering", b"no"),)
    opening = b""
    heartbeat = b""

    def message(self, data: bytes, cursor: str) -> bytes:
        """One message."""
        raise NotImplementedError

    def problem(self, data: bytes) -> bytes:
        """What went wrong, last thing in the stream."""
        raise NotImplementedError


class _Events(_Form):
    """Server-sent events; a problem is an event named "problem", because "error" is the browser's own."""

    content_type = EVENTS
    opening = b"retry: %d\n\n" % _RETRY_MS
    heartbeat = _HEARTBEAT

    def message(self, data: bytes, cursor: str) -> bytes:
        return b"id: %b\ndata: %b\n\n" % (cursor.encode(), data) if cursor else b"data: %b\n\n" % data

    def problem(self, data: bytes) -> bytes:
        return b"event: problem\ndata: %b\n\n" % data


class _Lines(_Form):
    """One message a line, {"problem": …} as the last if need be; empty lines keep the connection alive."""

    content_type = LINES
    heartbeat = b"\n"

    def message(self, data: bytes, cursor: str) -> bytes:
        del cursor  # stands in the message
        return data + b"\n"

    def problem(self, data: bytes) -> bytes:
        return b'{"problem":%b}\n' % data

"""Calls to sibling services: deadlines, retries, the caller's own token and trace going along, errors of svckit.errors coming back.

A `Channel` is given to a generated stub in place of a grpc channel.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
from opentelemetry.trace import Span, SpanKind

from svckit import telemetry
from svckit.access import current_authorization
from svckit.statuses import error_of

Metadata = Sequence[tuple[str, str | bytes]]

_SERVICE_CONFIG = json.dumps(
    {
        # One connection per address of a name, used in turn.
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                # Safe for mutations too: each carries a request_id, so a repeated one changes nothing.
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)
_OPTIONS = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3_000),
)


class Channel:
    """A connection to one service; make it inside the running loop and close it.

    `timeout` (s) is the deadline of unary calls that name none; streams have none unless they ask. `authorization` is sent when
    no rpc is running whose caller could be passed on.
    """

    def __init__(self, address: str, *, timeout: float = 5.0, authorization: str = "") -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._timeout = timeout
        self._authorization = authorization
        self._record = telemetry.duration_histogram("rpc.client.call.duration", description="Duration of outgoing calls.")

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close(None)

    def unary_unary(self, method: str, *arguments: Any, **named: Any) -> Callable[..., Awaitable[Any]]:
        """Returns the callable of one unary rpc; called by the generated stub."""
        target = self._channel.unary_unary(method, *arguments, **named)
        name, default = method.lstrip("/"), self._timeout

        async def call(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
            begun, span = telemetry.clock(), _open(name)
            code = "OK"
            try:
                return await target(request, timeout=timeout or default, metadata=self._metadata(span, metadata))
            except grpc.aio.AioRpcError as failure:
                code = failure.code().name
                raise error_of(failure) from None
            finally:
                self._close(name, begun, span, code)

        return call

    def unary_stream(self, method: str, *arguments: Any, **named: Any) -> Callable[..., AsyncIterator[Any]]:
        """Returns the callable of one server-streaming rpc; called by the generated stub."""
        target = self._channel.unary_stream(method, *arguments, **named)
        name = method.lstrip("/")

        async def call(request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> AsyncIterator[Any]:
            begun, span = telemetry.clock(), _open(name)
            code = "OK"
            running = target(request, timeout=timeout, metadata=self._metadata(span, metadata))
            try:
                async for response in running:
                    yield response
            except grpc.aio.AioRpcError as failure:
                code = failure.code().name
                raise error_of(failure) from None
            finally:
                running.cancel()
                self._close(name, begun, span, code)

        return call

    def stream_unary(self, method: str, *arguments: Any, **named: Any) -> Callable[..., Awaitable[Any]]:
        """Returns the callable of one client-streaming rpc, which takes the requests one after another; called by the stub."""
        target = self._channel.stream_unary(method, *arguments, **named)
        name = method.lstrip("/")

        async def call(requests: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
            begun, span = telemetry.clock(), _open(name)
            code = "OK"
            try:
                return await target(requests, timeout=timeout, metadata=self._metadata(span, metadata))
            except grpc.aio.AioRpcError as failure:
                code = failure.code().name
                raise error_of(failure) from None
            finally:
                self._close(name, begun, span, code)

        return call

    def _metadata(self, span: Span | None, given: Metadata) -> list[tuple[str, str | bytes]]:
        entries = list(given)
        authorization = current_authorization() or self._authorization
        if authorization and not any(key == "authorization" for key, _ in given):
            entries.append(("authorization", authorization))
        traceparent = telemetry.traceparent_of(span) if span else telemetry.current_traceparent()
        if traceparent:
            entries.append(("traceparent", traceparent))
        return entries

    def _close(self, name: str, begun: float, span: Span | None, code: str) -> None:
        attributes = {"rpc.system.name": "grpc", "rpc.method": name, "rpc.response.status_code": code}
        if span:
            span.set_attributes(attributes)
            if code != "OK":
                telemetry.fail_as(span, code)
            span.end()
        self._record(telemetry.clock() - begun, attributes)


def _open(name: str) -> Span | None:
    return telemetry.start(name=name, kind=SpanKind.CLIENT)

"""What is recorded of every exchange: a server span, a duration, a line in the access log.

Lines are collected and written a few times a second: formatting and writing each alone would cost more than answering. They
hold the route's template, never the address itself, which may carry personal data.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
from collections.abc import Mapping
from typing import Any

import orjson
from opentelemetry.trace import SpanKind

from gateway.exchange import Exchange
from svckit import telemetry

_FLUSH_SECONDS = 0.25
_FLUSH_LINES = 1000


class Recorder:
    """Records exchanges of this process. Make it after `telemetry.setup`."""

    def __init__(self, *, access_log: bool) -> None:
        self._log = AccessLog() if access_log else None
        self._duration = telemetry.duration_histogram("http.server.request.duration", description="Duration of HTTP requests.")

    def begin(self, exchange: Exchange, attributes: Mapping[str, str] | None) -> None:
        """Opens the span of an exchange whose route is known, unless `attributes` is None; the services' spans go below it."""
        if attributes is not None and telemetry.enabled():
            known = {"http.request.method": exchange.method, "http.route": exchange.route, **attributes}
            parent = telemetry.remote_context(exchange.traceparent)
            name = f"{exchange.method} {exchange.route}"
            exchange.span = telemetry.start(name=name, kind=SpanKind.SERVER, parent=parent, attributes=known)
            if exchange.span:
                exchange.traceparent = telemetry.traceparent_of(exchange.span)
        exchange.trace_id = exchange.traceparent[3:35]

    def end(self, exchange: Exchange) -> None:
        """Closes the span and writes the line."""
        seconds = telemetry.clock() - exchange.begun
        if exchange.span:
            exchange.span.set_attribute("http.response.status_code", exchange.status)
            if exchange.status >= 500:
                telemetry.fail_as(exchange.span, str(exchange.status))
            exchange.span.end()
            self._duration(seconds, self._attributes(exchange))
        if self._log:
            self._log.add(exchange, seconds)

    def _attributes(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "http.request.method": exchange.method,
            "http.route": exchange.route,
            "http.response.status_code": exchange.status,
        }

    def flush(self) -> None:
        """Writes what is still waiting."""
        if self._log:
            self._log.flush()


class AccessLog:
    """JSON lines on standard output, written in batches."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, exchange: Exchange, seconds: float) -> None:
        """Notes an exchange that has ended."""
        self._lines.append(orjson.dumps(_line(exchange, seconds), option=orjson.OPT_UTC_Z))
        if len(self._lines) >= _FLUSH_LINES:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Writes the collected lines."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            sys.stdout.write(b"\n".join(lines).decode() + "\n")
            sys.stdout.flush()


def _line(exchange: Exchange, seconds: float) -> dict[str, Any]:
    return {
        "time": dt.datetime.now(dt.UTC),
        "level": "INFO",
        "service": "gateway",
        "logger": "gateway.access",
        "message": f"{exchange.method} {exchange.route or '(none)'} {exchange.status}",
        "ms": round(seconds * 1000, 2),
        "bytes": exchange.sent_bytes,
        "request_id": exchange.request_id,
        "trace_id": exchange.trace_id,
    }

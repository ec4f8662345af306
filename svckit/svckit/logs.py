"""Structured logs: one JSON object a line on standard output, with the trace it belongs to and without personal data.

What is certain to be harmless is written: message templates, ids, codes, numbers. Texts that look like telephone or identity
numbers are blanked wherever they stand, fields with telling names too, and the text of an unexpected exception is left out
because it often quotes the value that offended (BINGLIAN_LOG_VALUES=1 shows it, for machines with made-up data).
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
import time
import traceback
from typing import Any

import msgspec

from svckit.errors import ServiceError
from svckit.telemetry import current_trace_id

HIDDEN = "***"
# A mainland identity number (18 or the old 15 digits), a mobile number, a bearer token, a password inside a URI.
_PATTERNS = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(?<=://)[^/\s@]+(?=@)"
)
_HIDDEN_FIELDS = re.compile(
    r"(^|_)(name|phone|mobile|id_number|identity|address|birth\w*|token|password|secret|authorization)$"
)
_NUMBER = re.compile(r"\d+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Each failed attempt to connect makes seven ERROR lines in these; our links try again and say themselves what happened.
_RETRIED = ("pika.adapters.utils.io_services_utils", "pika.adapters.utils.connection_workflow", "pika.adapters.base_connection")
_encoder = msgspec.json.Encoder(enc_hook=str)


def setup(*, service: str, level: str = "INFO", show_values: bool = False) -> None:
    """Sends the logs of this process to standard output as JSON lines. Call once, first thing."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service=service, show_values=show_values))
    handler.addFilter(Repeats())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for noisy in ("pika", "pymongo", "amqp", "kombu", "urllib3", "asyncio", "grpc"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    if logging.getLevelName(level) > logging.DEBUG:
        for logger in _RETRIED:
            logging.getLogger(logger).setLevel(logging.CRITICAL)


class JsonFormatter(logging.Formatter):
    """Writes time, level, service, logger, message, trace_id and the `extra` fields of a record as one JSON object."""

    def __init__(self, *, service: str, show_values: bool = False) -> None:
        super().__init__()
        self._service = service
        self._show_values = show_values

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line without its end."""
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        line.update(self._extras(record))
        trace_id = current_trace_id()
        if trace_id:
            line.setdefault("trace_id", trace_id)
        if record.exc_info and record.exc_info[1]:
            line["error"] = self._error(record.exc_info[1])
        return _encoder.encode(line).decode()

    def _extras(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = ((key, value) for key, value in vars(record).items() if key not in _STANDARD)
        return {key: HIDDEN if _HIDDEN_FIELDS.search(key) else _harmless(value) for key, value in fields}

    def _error(self, error: BaseException) -> dict[str, Any]:
        shown: dict[str, Any] = {"type": type(error).__qualname__, "at": _frames(error)}
        if isinstance(error, ServiceError):
            shown["reason"] = error.reason
        if self._show_values or isinstance(error, ServiceError | OSError):
            shown["text"] = redact(str(error))
        if error.__cause__ is not None:
            shown["cause"] = self._error(error.__cause__)
        return shown


def redact(text: str) -> str:
    """Returns `text` with identity numbers, telephone numbers, tokens and passwords of URIs blanked."""
    return _PATTERNS.sub(HIDDEN, text)


def _harmless(value: object) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _frames(error: BaseException) -> list[str]:
    stack = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack[-12:]]


class Repeats(logging.Filter):
    """Lets the same complaint of what complains in a loop (exporters, reconnecting clients) through once a minute.

    Complaints that differ in numbers only (ports, sockets) are the same.
    """

    _LOUD = ("opentelemetry", "pika", "pymongo", "urllib3", "svckit.greenlink", "svckit.schema")
    _SECONDS = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tells whether the record is written."""
        if record.levelno < logging.WARNING or not record.name.startswith(self._LOUD):
            return True
        key, now = (record.name, _NUMBER.sub("#", str(record.msg))), time.monotonic()
        if now - self._seen.get(key, -self._SECONDS) < self._SECONDS:
            return False
        if len(self._seen) > 1000:
            self._seen.clear()
        self._seen[key] = now
        return True

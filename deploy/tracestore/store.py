"""Exports of spans in SQLite, found by trace, service and time.

An export is stored as it came, one row; beside it one row per trace and service it holds, with the first start and last end.
Spans are decoded only when somebody looks at them. All methods are for one thread.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.tracestore.encoding import TracesData, plain_value

Export = tuple[ExportTraceServiceRequest, bytes]

SPAN_KINDS = ("internal", "internal", "server", "client", "producer", "consumer")
"""Names of span kinds by number, as Jaeger calls them; unspecified counts as internal."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS export (id INTEGER PRIMARY KEY, stored_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS part (
    trace_id BLOB NOT NULL, export_id INTEGER NOT NULL, service TEXT NOT NULL, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
    PRIMARY KEY (trace_id, export_id, service)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_service ON part (service, start_ns);
CREATE INDEX IF NOT EXISTS part_export ON part (export_id);
CREATE TABLE IF NOT EXISTS operation (
    service TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY (service, name, kind)
) WITHOUT ROWID;
"""
# A search looks at so many traces per trace it may return before it gives up.
_PATIENCE = 20
_PRUNED_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Query:
    """A search for traces. Times are nanoseconds since 1970, durations nanoseconds; None and "" mean any."""

    service: str = ""
    operation: str = ""
    start_min: int | None = None
    start_max: int | None = None
    duration_min: int | None = None
    duration_max: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How much is kept: exports no older than `seconds`, files no larger than `size` bytes (about)."""

    seconds: int = 24 * 3600
    size: int = 512 * 1024 * 1024


class Store:
    """The database file; `path` is created when it is missing."""

    def __init__(self, path: Path, *, retention: Retention) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._retention = retention
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA journal_size_limit = 16777216")
        self._database.executescript(_SCHEMA)
        self._known = set(self._database.execute("SELECT service, name, kind FROM operation"))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    # ------------------------------------------------------------------------------------------------ writing

    def add(self, exports: Sequence[Export]) -> None:
        """Stores exports in one transaction."""
        self._database.execute("BEGIN")
        try:
            for request, body in exports:
                self._add_one(request, body)
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _add_one(self, request: ExportTraceServiceRequest, body: bytes) -> None:
        parts, operations = _summary(request)
        if not parts:
            return
        row = self._database.execute("INSERT INTO export (stored_at, body) VALUES (?, ?)", (int(time.time()), body))
        rows = [(trace_id, row.lastrowid, service, *span) for (trace_id, service), span in parts.items()]
        self._database.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?)", rows)
        fresh = operations - self._known
        if fresh:
            self._database.executemany("INSERT OR IGNORE INTO operation VALUES (?, ?, ?)", fresh)
            self._known |= fresh

    def prune(self) -> int:
        """Removes the oldest exports beyond the retention and returns how many."""
        oldest = int(time.time()) - self._retention.seconds
        removed = self._remove("WHERE stored_at < ?", (oldest,))
        while self.size() > self._retention.size:
            newest = self._database.execute("SELECT max(id) FROM export").fetchone()[0]
            some = self._remove("WHERE id < ? ORDER BY id LIMIT ?", (newest or 0, _PRUNED_AT_ONCE))
            if not some:
                break
            removed += some
        return removed

    def _remove(self, condition: str, arguments: tuple[int, ...]) -> int:
        # `condition` is one of the literals above, never input.
        ids = self._database.execute(f"SELECT id FROM export {condition}", arguments).fetchall()
        if ids:
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM part WHERE export_id = ?", ids)
            self._database.executemany("DELETE FROM export WHERE id = ?", ids)
            self._database.execute("COMMIT")
            # As a script: a single execute() takes only the first step of a vacuum, one page.
            self._database.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
        return len(ids)

    def size(self) -> int:
        """Returns the bytes the database takes on disk, with its write-ahead log."""
        files = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(os.path.getsize(file) for file in files if file.exists())

    # ------------------------------------------------------------------------------------------------ reading

    def services(self) -> list[str]:
        """Returns the names of all services, sorted."""
        return [name for (name,) in self._database.execute("SELECT DISTINCT service FROM operation ORDER BY service")]

    def operations(self, *, service: str, kind: str = "") -> list[tuple[str, str]]:
        """Returns (name, span kind) of a service's spans, sorted."""
        rows = self._database.execute("SELECT name, kind FROM operation WHERE service = ? ORDER BY name, kind", (service,))
        named = ((name, SPAN_KINDS[number] if number < len(SPAN_KINDS) else "internal") for name, number in rows)
        return [(name, found) for name, found in named if kind in ("", found)]

    def trace(self, trace_id: bytes) -> list[dict[str, Any]]:
        """Returns the `resourceSpans` of a trace, [] if nothing of it is stored."""
        return self._traces([trace_id])

    def find(self, query: Query) -> list[dict[str, Any]]:
        """Returns the `resourceSpans` of the newest traces that match."""
        found = []
        for trace_id in self._candidates(query):
            if self._matches(trace_id, query):
                found.append(trace_id)
            if len(found) >= query.limit:
                break
        return self._traces(found)

    def _candidates(self, query: Query) -> list[bytes]:
        conditions, arguments = _conditions(query)
        rows = self._database.execute(
            f"SELECT trace_id, min(start_ns) AS started FROM part WHERE {conditions} GROUP BY trace_id "
            "ORDER BY started DESC LIMIT ?",
            (*arguments, query.limit * _PATIENCE),
        )
        return [trace_id for trace_id, _ in rows]

    def _matches(self, trace_id: bytes, query: Query) -> bool:
        if query.duration_min is not None or query.duration_max is not None:
            row = self._database.execute("SELECT max(end_ns) - min(start_ns) FROM part WHERE trace_id = ?", (trace_id,))
            duration = row.fetchone()[0]
            if duration < (query.duration_min or 0) or duration > (query.duration_max or duration):
                return False
        if not (query.operation or query.attributes):
            return True
        return any(_span_matches(service, span, query) for service, span in self._spans(trace_id))

    def _spans(self, trace_id: bytes) -> Iterator[tuple[str, Any]]:
        for request in self._requests([trace_id]):
            for resource in request.resource_spans:
                service = _service_of(resource)
                for scope in resource.scope_spans:
                    yield from ((service, span) for span in scope.spans if span.trace_id == trace_id)

    def _traces(self, trace_ids: Sequence[bytes]) -> list[dict[str, Any]]:
        traces = TracesData(trace_ids)
        for request in self._requests(trace_ids):
            traces.add(request)
        return traces.resource_spans()

    def _requests(self, trace_ids: Sequence[bytes]) -> Iterator[ExportTraceServiceRequest]:
        marks = ",".join("?" * len(trace_ids))
        rows = self._database.execute(
            f"SELECT body FROM export WHERE id IN (SELECT export_id FROM part WHERE trace_id IN ({marks})) ORDER BY id",
            tuple(trace_ids),
        )
        for (body,) in rows:
            yield ExportTraceServiceRequest.FromString(body)


def _conditions(query: Query) -> tuple[str, tuple[Any, ...]]:
    wanted = [
        ("service = ?", query.service or None),
        ("start_ns >= ?", query.start_min),
        ("start_ns <= ?", query.start_max),
    ]
    given = [(condition, value) for condition, value in wanted if value is not None]
    return " AND ".join(condition for condition, _ in given) or "1", tuple(value for _, value in given)


def _summary(
    request: ExportTraceServiceRequest,
) -> tuple[dict[tuple[bytes, str], tuple[int, int]], set[tuple[str, str, int]]]:
    """First start and last end per trace and service, and the operations seen."""
    parts: dict[tuple[bytes, str], tuple[int, int]] = {}
    operations: set[tuple[str, str, int]] = set()
    for resource in request.resource_spans:
        service = _service_of(resource)
        for span in _all_spans(resource):
            key, start, end = (span.trace_id, service), span.start_time_unix_nano, span.end_time_unix_nano
            old = parts.get(key)
            parts[key] = (min(old[0], start), max(old[1], end)) if old else (start, end)
            operations.add((service, span.name, span.kind))
    return parts, operations


def _all_spans(resource: Any) -> Iterable[Any]:
    return (span for scope in resource.scope_spans for span in scope.spans)


def _service_of(resource: Any) -> str:
    names = (attribute.value.string_value for attribute in resource.resource.attributes if attribute.key == "service.name")
    return next(names, "unknown_service")


def _span_matches(service: str, span: Any, query: Query) -> bool:
    if query.service and service != query.service:
        return False
    if query.operation and span.name != query.operation:
        return False
    if not query.attributes:
        return True
    values = {attribute.key: plain_value(attribute.value) for attribute in span.attributes}
    return all(values.get(key) == value for key, value in query.attributes.items())

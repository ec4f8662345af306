"""Query parameters of Jaeger's API v3, in its present (camelCase) and its older (snake_case) spelling."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from deploy.tracestore.store import Query

T = TypeVar("T")

_MAX_TRACES = 1000
_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_FRACTION = re.compile(r"\.(\d+)")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class BadParameter(Exception):
    """A parameter cannot be read; the text names it."""


def trace_query(parameters: Mapping[str, str]) -> Query:
    """Returns the search the parameters `query.…` ask for. Raises BadParameter."""
    return Query(
        service=_first(parameters, "query.serviceName", "query.service_name"),
        operation=_first(parameters, "query.operationName", "query.operation_name"),
        start_min=_read(parameters, _nanoseconds, "query.startTimeMin", "query.start_time_min"),
        start_max=_read(parameters, _nanoseconds, "query.startTimeMax", "query.start_time_max"),
        duration_min=_read(parameters, _duration, "query.durationMin", "query.duration_min"),
        duration_max=_read(parameters, _duration, "query.durationMax", "query.duration_max"),
        attributes=_read(parameters, _attributes, "query.attributes") or {},
        limit=_read(parameters, _limit, "query.searchDepth", "query.search_depth", "query.num_traces") or 20,
    )


def trace_id(text: str) -> bytes:
    """Returns the 16 bytes of a trace id of up to 32 hexadecimal digits. Raises BadParameter."""
    if not re.fullmatch(r"[0-9a-fA-F]{1,32}", text):
        raise BadParameter("malformed parameter trace_id")
    return bytes.fromhex(text.rjust(32, "0"))


def _first(parameters: Mapping[str, str], *names: str) -> str:
    return next((parameters[name] for name in names if parameters.get(name)), "")


def _read(parameters: Mapping[str, str], read: Callable[[str], T], *names: str) -> T | None:
    text = _first(parameters, *names)
    if not text:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise BadParameter(f"malformed parameter {names[0]}") from error


def _nanoseconds(text: str) -> int:
    """RFC 3339 with up to nine digits of a second. The digits are read apart: a datetime holds only six."""
    fraction = _FRACTION.search(text)
    instant = dt.datetime.fromisoformat(_FRACTION.sub("", text, count=1))
    if instant.tzinfo is None:
        raise ValueError(text)
    nanoseconds = int(fraction[1][:9].ljust(9, "0")) if fraction else 0
    return (instant - _EPOCH) // dt.timedelta(seconds=1) * 10**9 + nanoseconds


def _duration(text: str) -> int:
    """A duration as Go writes it: "1.5s", "2m30s"."""
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _limit(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MAX_TRACES:
        raise ValueError(text)
    return number


def _attributes(text: str) -> dict[str, str]:
    found: Any = orjson.loads(text)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError(text)
    return found

"""One trace for the pages' waterfall: asks the trace store and makes its answer plain.

Understands the OTLP JSON of Jaeger's API v3 (`result.resourceSpans`), of Tempo (`batches`, `trace.resourceSpans`) and bare OTLP,
with ids in hexadecimal or base64.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import Problem
from gateway.exchange import Exchange
from svckit.errors import PermissionDenied
from svckit.tokens import TokenVerifier

_log = logging.getLogger(__name__)
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_HEX = re.compile(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}")
_TIMEOUT = 5.0
_PUBLIC_ROLES = frozenset(("RESIDENT", "VOLUNTEER", "MERCHANT", "PROPERTY_MGR", "LIAISON", "GRID_INFORMANT", "GRID_ASSIST"))
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUS = {0: "UNSET", 1: "OK", 2: "ERROR", "STATUS_CODE_UNSET": "UNSET", "STATUS_CODE_OK": "OK", "STATUS_CODE_ERROR": "ERROR"}


class Traces:
    """GET /v1/traces/{trace_id}, for staff."""

    def __init__(self, *, query_url: str, verifier: TokenVerifier) -> None:
        self._query_url = query_url
        self._verifier = verifier

    async def __call__(self, exchange: Exchange, variables: Mapping[str, str]) -> None:
        """Answers {"spans": […]}, oldest first. Problems: 400, 401, 403, 404, 503."""
        caller = await self._verifier.verify(exchange.header(b"authorization"), exchange.header(b"x-purpose"))
        if not caller.roles - _PUBLIC_ROLES:
            raise PermissionDenied("Traces are for staff.", reason="ROLE_NOT_ALLOWED")
        trace_id = variables["trace_id"]
        if not _TRACE_ID.fullmatch(trace_id):
            raise Problem(400, "INVALID_ARGUMENT", "A trace id is 32 lower-case hexadecimal digits.",
                          errors=[("traceId", "must be 32 lower-case hexadecimal digits")])  # fmt: skip
        spans = sorted(plain_spans(await self._ask(trace_id)), key=lambda span: int(span["startUnixNano"]))
        if not spans:
            raise Problem(404, "TRACE_NOT_FOUND", "The trace store has no span of this trace.")
        await exchange.send_data({"spans": spans})

    async def _ask(self, trace_id: str) -> Any:
        url = self._query_url.replace("{trace_id}", trace_id)
        try:
            return await asyncio.to_thread(_fetch, url)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            _log.warning("the trace store answered %s", error.code)
        except (OSError, ValueError) as error:
            _log.warning("the trace store cannot be asked: %s", type(error).__name__)
        raise Problem(503, "TRACES_UNAVAILABLE", "The trace store does not answer now.", headers=((b"retry-after", b"5"),))


def _fetch(url: str) -> Any:
    request = urllib.request.Request(url, headers={"accept": "application/json"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        return json.load(response)


def plain_spans(document: Any) -> Iterator[dict[str, Any]]:
    """Yields the spans of any of the known documents in one plain form. What is no span is passed over."""
    for resource in _resource_spans(document):
        service = str(_attributes(resource.get("resource", {})).get("service.name", ""))
        for scope in resource.get("scopeSpans") or resource.get("instrumentationLibrarySpans") or ():
            for span in scope.get("spans", ()):
                yield _plain(span, service)


def _resource_spans(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        return []
    inner = document.get("result") or document.get("trace") or document
    return inner.get("resourceSpans") or inner.get("batches") or []


def _plain(span: Mapping[str, Any], service: str) -> dict[str, Any]:
    status = span.get("status") or {}
    return {
        "traceId": _id(span.get("traceId", "")),
        "spanId": _id(span.get("spanId", "")),
        "parentSpanId": _id(span.get("parentSpanId", "")),
        "name": span.get("name", ""),
        "service": service,
        "kind": _kind(span.get("kind", 0)),
        "startUnixNano": str(span.get("startTimeUnixNano", "0")),
        "endUnixNano": str(span.get("endTimeUnixNano", "0")),
        "attributes": _attributes(span),
        "status": _STATUS.get(status.get("code", 0), "UNSET"),
    }


def _kind(value: Any) -> str:
    return _KINDS[value] if value in range(len(_KINDS)) else str(value).removeprefix("SPAN_KIND_")


def _id(value: str) -> str:
    """OTLP JSON writes ids in hexadecimal; stores that go through proto3 JSON write base64."""
    if not value or _HEX.fullmatch(value):
        return value.lower()
    try:
        return base64.b64decode(value).hex()
    except (binascii.Error, ValueError):
        return value


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {item["key"]: _any(item.get("value") or {}) for item in holder.get("attributes", ())}


def _any(value: Mapping[str, Any]) -> Any:
    for kind, content in value.items():
        if kind == "intValue":
            return int(content)
        if kind == "arrayValue":
            return [_any(item) for item in content.get("values", ())]
        if kind == "kvlistValue":
            return _attributes({"attributes": content.get("values", ())})
        return content
    return None

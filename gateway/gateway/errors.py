"""Everything that can go wrong as `application/problem+json` (RFC 9457): the one place that maps gRPC status to HTTP.

A problem has `type` (urn:binglian:problem:<reason>), `title`, `status`, `detail`, `reason` (stable, UPPER_SNAKE), `errors`
(field by field, JSON names), `request_id`, `trace_id` and, where the service gave any, `metadata`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import grpc
import orjson
from google.protobuf.message import DecodeError as WireError
from google.rpc import error_details_pb2, status_pb2

from gateway.routes import UnknownPath, WrongMethod
from gateway.transcode.failure import DecodeError, EncodeError
from gateway.transcode.text import JsonError
from svckit.errors import ServiceError
from svckit.statuses import DETAILS_KEY, as_service_error, code_of

_log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
Headers = Sequence[tuple[bytes, bytes]]

C = grpc.StatusCode
STATUS: Mapping[grpc.StatusCode, int] = {
    C.INVALID_ARGUMENT: 400,
    C.OUT_OF_RANGE: 400,
    C.UNAUTHENTICATED: 401,
    C.PERMISSION_DENIED: 403,
    C.NOT_FOUND: 404,
    C.ABORTED: 409,
    C.ALREADY_EXISTS: 409,
    C.FAILED_PRECONDITION: 412,
    C.RESOURCE_EXHAUSTED: 429,
    C.CANCELLED: 499,
    C.UNKNOWN: 500,
    C.INTERNAL: 500,
    C.DATA_LOSS: 500,
    C.UNIMPLEMENTED: 501,
    C.UNAVAILABLE: 503,
    C.DEADLINE_EXCEEDED: 504,
}
"""HTTP status of every gRPC status; docs/openapi list the same."""

_DEFECTS = {C.UNKNOWN, C.INTERNAL, C.DATA_LOSS}
_CHALLENGE: Headers = ((b"www-authenticate", b'Bearer realm="binglian"'),)
_SOON: Headers = ((b"retry-after", b"1"),)


class Problem(Exception):
    """A request that ends with an error response. `errors` are (field, message) with JSON names."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Headers = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.metadata = metadata or {}

    def body(self, *, request_id: str = "", trace_id: str = "") -> bytes:
        """Returns the JSON of the problem."""
        return orjson.dumps(self.data(request_id=request_id, trace_id=trace_id))

    def data(self, *, request_id: str = "", trace_id: str = "") -> dict[str, Any]:
        """Returns the members of the problem; empty ones are left out."""
        members: dict[str, Any] = {
            "type": f"urn:binglian:problem:{self.reason.lower()}",
            "title": title_of(self.status),
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "errors": [{"field": field, "message": message} for field, message in self.errors],
            "metadata": self.metadata,
            "request_id": request_id,
            "trace_id": trace_id,
        }
        return {name: value for name, value in members.items() if value}


def title_of(status: int) -> str:
    """Returns the standard phrase of an HTTP status."""
    return "Client Closed Request" if status == 499 else HTTPStatus(status).phrase


def problem_of(error: BaseException) -> Problem:
    """Returns the problem a client is told about; what nobody expected is logged and becomes a 500 without its text."""
    if isinstance(error, Problem):
        return error
    for kind, translate in _TRANSLATORS:
        if isinstance(error, kind):
            return translate(error)
    known = as_service_error(error)
    if known:
        return _from_service_error(known)
    _log.error("request failed", exc_info=error)
    return Problem(500, "INTERNAL", "Something went wrong on our side.")


# ---------------------------------------------------------------------------------------------------- from services


def _from_rpc(error: grpc.aio.AioRpcError) -> Problem:
    code = error.code()
    info, violations = _details(error)
    reason = info.reason if info else code.name
    detail = _with_json_names(error.details() or title_of(STATUS[code]), (field for field, _ in violations))
    violations = [(json_path(field), text) for field, text in violations]
    metadata = dict(info.metadata) if info else {}
    if code in _DEFECTS:
        detail = "Something went wrong on our side."
        _log.error("a service failed: %s", code.name, extra={"reason": reason})
    elif code is C.UNAVAILABLE and info is None:
        detail = "The service that answers this is not reachable now; try again."  # gRPC's own text names addresses
    elif code is C.DEADLINE_EXCEEDED:
        detail = "The service did not answer in time."
    return Problem(STATUS[code], reason, detail, errors=violations, headers=_headers_for(code), metadata=metadata)


def _headers_for(code: grpc.StatusCode) -> Headers:
    if code is C.UNAUTHENTICATED:
        return _CHALLENGE
    return _SOON if code is C.UNAVAILABLE else ()


def _details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo | None, list[tuple[str, str]]]:
    info: error_details_pb2.ErrorInfo | None = None
    violations: list[tuple[str, str]] = []
    for detail in _status(error).details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo.FromString(detail.value)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            wrong = error_details_pb2.BadRequest.FromString(detail.value)
            violations += [(item.field, item.description) for item in wrong.field_violations]
    return info, violations


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    trailing: Any = error.trailing_metadata() or ()
    for key, value in trailing:
        if key == DETAILS_KEY:
            try:
                return status_pb2.Status.FromString(value)
            except WireError:
                break
    return status_pb2.Status()


def _with_json_names(text: str, fields: Iterable[str]) -> str:
    """A service writes `request_id: value is required`; who sent JSON knows that field as `requestId`."""
    for field in fields:
        if field != json_path(field):
            text = re.sub(rf"(?<!\w){re.escape(field)}(?!\w)", json_path(field), text)
    return text


def json_path(path: str) -> str:
    """Returns a proto field path with JSON names: `tasks[0].unified_reply` becomes `tasks[0].unifiedReply`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), path)


# ---------------------------------------------------------------------------------------------------- from the gateway


def _from_service_error(error: ServiceError) -> Problem:
    code = code_of(error)
    violations = getattr(error, "violations", ()) or (((error.field, error.message),) if error.field else ())
    errors = [(json_path(field), message) for field, message in violations]
    headers = _headers_for(code)
    return Problem(STATUS[code], error.reason, error.message, errors=errors, headers=headers, metadata=error.metadata)


def _from_json(error: JsonError) -> Problem:
    place = {"line": str(error.line), "column": str(error.column)} if error.line else {}
    return Problem(400, "MALFORMED_JSON", f"The body is not JSON: {error.message}.", metadata=place)


def _from_decoding(error: DecodeError) -> Problem:
    if not error.field:
        return Problem(400, "INVALID_ARGUMENT", f"The body {error.message}.")
    return Problem(400, "INVALID_ARGUMENT", f"{error.field} {error.message}.", errors=[(error.field, error.message)])


def _from_encoding(error: EncodeError | WireError) -> Problem:
    _log.error("a response cannot be written as JSON", exc_info=error)
    return Problem(500, "INTERNAL", "Something went wrong on our side.")


def _from_path(_: UnknownPath) -> Problem:
    return Problem(404, "ROUTE_NOT_FOUND", "There is nothing at this address.")


def _from_method(error: WrongMethod) -> Problem:
    allowed = ", ".join(error.allowed)
    return Problem(405, "METHOD_NOT_ALLOWED", f"Only {allowed} works here.", headers=((b"allow", allowed.encode()),))


def _from_text(_: UnicodeDecodeError) -> Problem:
    return Problem(400, "INVALID_ARGUMENT", "The address holds bytes that are not UTF-8.")


_TRANSLATORS: tuple[tuple[Any, Any], ...] = (
    (grpc.aio.AioRpcError, _from_rpc),
    (JsonError, _from_json),
    (DecodeError, _from_decoding),
    ((EncodeError, WireError), _from_encoding),
    (UnknownPath, _from_path),
    (WrongMethod, _from_method),
    (UnicodeDecodeError, _from_text),
)

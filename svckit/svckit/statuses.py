"""Errors of svckit.errors as gRPC statuses with `google.rpc` details, and back."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import error_details_pb2, status_pb2
from pymongo.errors import PyMongoError

from svckit.commit import is_passing
from svckit.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ServiceError,
    Unauthenticated,
    Unavailable,
)

DOMAIN = "binglian"
DETAILS_KEY = "grpc-status-details-bin"
_MAX_VIOLATIONS = 50  # trailing metadata is limited to 8 KiB by most peers
_MAX_TEXT = 1000

_CODES: tuple[tuple[type[ServiceError], grpc.StatusCode], ...] = (
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (InvalidArgument, grpc.StatusCode.INVALID_ARGUMENT),
    (FailedPrecondition, grpc.StatusCode.FAILED_PRECONDITION),
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (Conflict, grpc.StatusCode.ABORTED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)
_CLASSES: dict[grpc.StatusCode, type[ServiceError]] = {
    **{code: kind for kind, code in _CODES},
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.OUT_OF_RANGE: InvalidArgument,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.CANCELLED: Unavailable,
}


def code_of(error: ServiceError) -> grpc.StatusCode:
    """Returns the status code of an error; a Conflict whose reason ends with EXISTS is ALREADY_EXISTS."""
    if isinstance(error, Conflict) and error.reason.endswith("EXISTS"):
        return grpc.StatusCode.ALREADY_EXISTS
    return next((code for kind, code in _CODES if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)


def as_service_error(error: BaseException) -> ServiceError | None:
    """Returns what the caller may be told about `error`; None for a defect of ours."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, PyMongoError) and is_passing(error):
        return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")
    return None


def details_of(error: ServiceError) -> bytes:
    """Returns the serialized google.rpc.Status with ErrorInfo and, for wrong fields, BadRequest."""
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    return serialize_status(code_of(error), error.message, info, *_bad_request(error))


def serialize_status(code: grpc.StatusCode, message: str, *details: Any) -> bytes:
    """Returns the serialized google.rpc.Status for the metadata entry `grpc-status-details-bin`."""
    status = status_pb2.Status(code=code.value[0], message=message[:_MAX_TEXT])
    for detail in details:
        status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def _bad_request(error: ServiceError) -> list[Any]:
    violations = getattr(error, "violations", ()) or (((error.field, error.message),) if error.field else ())
    if not violations:
        return []
    wrong = error_details_pb2.BadRequest()
    for field, text in violations[:_MAX_VIOLATIONS]:
        wrong.field_violations.add(field=field, description=text[:_MAX_TEXT])
    return [wrong]


def error_of(failure: grpc.aio.AioRpcError) -> ServiceError:
    """Returns the error another service meant with its status, whatever of it could be read.

    A defect over there (INTERNAL, UNKNOWN, …) is Unavailable here with reason UPSTREAM_FAILED: the caller cannot help it.
    """
    code = failure.code()
    kind = _CLASSES.get(code)
    info, violations = _parse(_details(failure))
    message = failure.details() or code.name
    if kind is None:
        return Unavailable("Another service failed.", reason="UPSTREAM_FAILED", metadata={"status": code.name})
    reason = (info.reason if info else "") or (code.name if code not in _NAMED else None)
    metadata = dict(info.metadata) if info else {}
    if issubclass(kind, InvalidArgument):
        field = violations[0][0] if violations else ""
        return kind(message, reason=reason, field=field, metadata=metadata, violations=violations)
    return kind(message, reason=reason, metadata=metadata)


_NAMED = frozenset(code for _, code in _CODES)


def _details(failure: grpc.aio.AioRpcError) -> list[AnyMessage]:
    trailing: Any = failure.trailing_metadata() or ()
    for key, value in trailing:
        if key == DETAILS_KEY:
            return list(status_pb2.Status.FromString(value).details)
    return []


def _parse(details: list[AnyMessage]) -> tuple[Any, tuple[tuple[str, str], ...]]:
    info, violations = None, []
    for detail in details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            wrong = error_details_pb2.BadRequest()
            detail.Unpack(wrong)
            violations = [(item.field, item.description) for item in wrong.field_violations]
    return info, tuple(violations)

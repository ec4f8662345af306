"""The six kinds of refusal every service speaks; each has a stable reason that clients may act on.

Pure: policies and operations import this module and nothing else of svckit. The gRPC server turns these errors into a status
with `google.rpc.ErrorInfo` (and `BadRequest` when a field is named), the gRPC client turns that status back into the class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ServiceError(Exception):
    """A refusal the caller can understand.

    `message` is one English sentence without personal data. `reason` is UPPER_SNAKE and stable; it defaults to the class
    attribute. `field` is the proto path of the offending request field, "" if none. `metadata`: further strings for the client.
    """

    default_reason: ClassVar[str] = "UNKNOWN"

    def __init__(
        self, message: str, *, reason: str | None = None, field: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.field = field
        self.metadata: dict[str, str] = dict(metadata or {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, reason={self.reason!r}, field={self.field!r})"


class NotFound(ServiceError):
    """The thing does not exist, or the caller may not know that it does."""

    default_reason = "NOT_FOUND"


class InvalidArgument(ServiceError):
    """The request itself is wrong, whatever the state of the system."""

    default_reason = "INVALID_ARGUMENT"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        field: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message, reason=reason, field=field, metadata=metadata)
        self.violations = violations or (((field, message),) if field else ())


class FailedPrecondition(ServiceError):
    """The request is sound but the state of the thing forbids it now."""

    default_reason = "FAILED_PRECONDITION"


class PermissionDenied(ServiceError):
    """The caller is known but may not do this."""

    default_reason = "PERMISSION_DENIED"


class Unauthenticated(PermissionDenied):
    """The caller is not known: the token is missing, expired or not ours. Raised by the server itself, never by a service."""

    default_reason = "UNAUTHENTICATED"


class Conflict(ServiceError):
    """Somebody else was there first: the thing exists already, or it kept changing under the caller."""

    default_reason = "CONFLICT"


class Unavailable(ServiceError):
    """Something this needs cannot be reached now; the same request may succeed later."""

    default_reason = "UNAVAILABLE"

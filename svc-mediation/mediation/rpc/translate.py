"""Between request messages and the arguments of the operations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from mediation import policies
from mediation.domain import Attachment, Case, Point
from svckit.access import Caller
from svckit.documents import utc_now
from svckit.errors import InvalidArgument
from svckit.messages import to_fields


def happened(request: Any, caller: Caller, *, offline: bool = False) -> datetime:
    """Returns when the requested thing happened: now, or `happened_at` where the caller may set it. Raises as the policy."""
    now = utc_now()
    given = instant(request.happened_at) if request.HasField("happened_at") else None
    return policies.check_happened_at(caller, given, now=now, offline=offline)


def instant(timestamp: Timestamp) -> datetime:
    """Returns a timestamp as an aware datetime of whole milliseconds. Raises InvalidArgument outside the years 1 to 9999."""
    try:
        moment = timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument("This time does not exist.", field="happened_at", reason="INVALID_TIME") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def attachments(messages: Iterable[Any]) -> tuple[Attachment, ...]:
    """Returns attachment messages as structs."""
    return tuple(_attachment(message) for message in messages)


def _attachment(message: Any) -> Attachment:
    fields = to_fields(message)
    return Attachment(**{**fields, "point": Point(**fields["point"]) if "point" in fields else None})


def point(request: Any) -> Point | None:
    """Returns the point of a request, None when it has none."""
    if not request.HasField("point"):
        return None
    return Point(request.point.longitude, request.point.latitude)


def task_view(case: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of a TaskView."""
    return {
        "case_id": case["case_id"],
        "case_number": case["number"],
        "revision": case["revision"],
        "task": task,
        "category": case["category"],
        "severity": case["severity"],
        "description": case["description"],
        "area_code": case["area_code"],
        "point": case.get("point"),
        "case_state": case["state"],
        "address": case.get("address", ""),
        "traceparent": case.get("traceparent", ""),
    }


def check_readable(case: Case, caller: Caller, revision: int = 0) -> None:
    """Raises CaseNotFound outside the caller's area, StaleRevision when the caller has seen another revision."""
    policies.check_visible(case, caller)
    policies.check_revision(case, revision)

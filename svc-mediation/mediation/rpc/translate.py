"""Between request messages and the arguments of the operations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from binglian.mediation.v1 import case_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec.structs import replace

from mediation import policies
from mediation.domain import Attachment, Case, Point, Severity, TaskPlan, TaskRole
from svckit.access import Caller
from svckit.documents import utc_now
from svckit.errors import InvalidArgument
from svckit.messages import to_fields, to_message

# event_source.csv: found on patrol.
DEFAULT_SOURCE = "01"


def happened(request: Any, caller: Caller, *, offline: bool = False) -> datetime:
    """Returns when the requested thing happened: now, or `happened_at` where the caller may set it. Raises as the policy."""
    now = utc_now()
    given = instant(request.happened_at) if request.HasField("happened_at") else None
    return policies.check_happened_at(caller, given, now=now, offline=offline)


def answer(response: type[Any], case: Case) -> Any:
    """Returns the response to a change: the case without its steps, which its caller has not asked for and which only grow."""
    return to_message(response, {"case": replace(case, steps=())})


def instant(timestamp: Timestamp, *, field: str = "happened_at") -> datetime:
    """Returns a timestamp as an aware datetime of whole milliseconds. Raises InvalidArgument outside the years 1 to 9999."""
    try:
        moment = timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument("This time does not exist.", field=field, reason="INVALID_TIME") from error
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def attachments(messages: Iterable[Any], *, field: str) -> tuple[Attachment, ...]:
    """Returns the attachment messages of a field as structs. Raises InvalidArgument (IN_FUTURE) for one taken in the future."""
    files = tuple(_attachment(message) for message in messages)
    if files:
        policies.check_taken(files, field=field, now=utc_now())
    return files


def _attachment(message: Any) -> Attachment:
    fields = to_fields(message)
    return Attachment(**{**fields, "point": Point(**fields["point"]) if "point" in fields else None})


def point(request: Any) -> Point | None:
    """Returns the point of a request, None when it has none."""
    if not request.HasField("point"):
        return None
    return Point(request.point.longitude, request.point.latitude)


def severity(number: int) -> Severity | None:
    """Returns a severity of the proto; None where none is given."""
    return _SEVERITIES.get(number)


_SEVERITIES = {
    value.number: Severity(value.name.removeprefix("SEVERITY_").lower())
    for value in case_pb2.Severity.DESCRIPTOR.values
    if value.number
}


def plan(message: Any) -> TaskPlan:
    """Returns a task plan of a request."""
    return TaskPlan(
        department=message.department,
        role=TaskRole.LEAD if message.role == case_pb2.TASK_ROLE_LEAD else TaskRole.JOINT,
        key=message.key,
        after=tuple(message.after),
        instruction=message.instruction,
    )


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


def task_answer(response: type[Any], case: Case, *, task_id: str, caller: Caller) -> Any:
    """Returns the response to a change of a task: that task alone, of what it was part of no more than lists and streams show.

    Raises CaseNotFound when the caller, who repeats a request, may no longer know of the case, and TaskNotFound.
    """
    policies.check_visible(case, caller)
    view = {
        "case_id": case.case_id,
        "case_number": case.number,
        "revision": case.revision,
        "task": policies.find_task_ever(case, task_id),
        "category": case.category,
        "severity": case.severity,
        "description": case.description,
        "area_code": case.area_code,
        "point": case.point,
        "case_state": case.state,
        "address": case.address,
        "traceparent": case.traceparent,
    }
    return to_message(response, {"task": view})


def check_readable(case: Case, caller: Caller, revision: int = 0) -> None:
    """Raises CaseNotFound outside the caller's area, StaleRevision when the caller has seen another revision."""
    policies.check_visible(case, caller)
    policies.check_revision(case, revision)

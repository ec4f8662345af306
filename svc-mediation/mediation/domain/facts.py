"""The facts a case leaves behind, one struct for each message of `binglian/mediation/v1/events.proto` with the same fields."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mediation.domain.evidence import Point
from mediation.domain.states import ClockKind, JoinPolicy, Light, Severity, TaskRole


class Fact(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What all facts have."""

    case_id: str


class CaseReported(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case was reported."""

    number: str
    city: str
    area_code: str
    category: str
    severity: Severity
    reported_by: str
    reported_at: datetime
    point: Point | None = None


class CaseAccepted(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case was accepted."""

    accepted_at: datetime
    accepted_by: str


class CaseRejected(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case was refused."""

    rejected_at: datetime
    reason: str


class DispatchedTask(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A task as other services need it; `assigned_at` and `due_at` are None while it waits for others."""

    task_id: str
    department: str
    role: TaskRole
    after: tuple[str, ...] = ()
    instruction: str = ""
    due_at: datetime | None = None
    assigned_at: datetime | None = None


class CaseDispatched(Fact, frozen=True, kw_only=True, rename="camel"):
    """All tasks of a case were created at once."""

    number: str
    city: str
    area_code: str
    category: str
    severity: Severity
    description: str
    address: str
    dispatched_at: datetime
    reported_at: datetime
    tasks: tuple[DispatchedTask, ...]
    join_policy: JoinPolicy
    point: Point | None = None


class TaskAssigned(Fact, frozen=True, kw_only=True, rename="camel"):
    """A waiting task can start, or a task was given to another department."""

    number: str
    task: DispatchedTask
    area_code: str
    category: str
    city: str
    description: str
    address: str
    point: Point | None = None


class TaskFact(Fact, frozen=True, kw_only=True, rename="camel"):
    """What all facts about one task have."""

    task_id: str
    department: str


class TaskAccepted(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A department accepted its task."""

    accepted_at: datetime
    on_time: bool


class TaskProgressed(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A department reported progress."""

    progressed_at: datetime


class TaskCompleted(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A department reported its task done; `accepted_at` is set when it accepted the task by that very step."""

    handler: str
    completed_at: datetime
    on_time: bool
    accepted_at: datetime | None = None
    accepted_on_time: bool = False


class TaskObjected(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A department objected."""

    reason: str
    objected_at: datetime


class ObjectionRuled(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """The coordinator ruled; `reassigned_to` is "" when the task was removed or stands."""

    upheld: bool
    reassigned_to: str
    ruled_at: datetime


class TaskReturned(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A done task was sent back."""

    reason: str
    returned_at: datetime


class CaseHandled(Fact, frozen=True, kw_only=True, rename="camel"):
    """The last needed task was done."""

    handled_at: datetime
    critical_path: tuple[str, ...]


class CaseVerified(Fact, frozen=True, kw_only=True, rename="camel"):
    """The check on site was made."""

    passed: bool
    failed_task_ids: tuple[str, ...]
    verified_at: datetime


class CaseClosed(Fact, frozen=True, kw_only=True, rename="camel"):
    """The case was closed."""

    closed_at: datetime


class CaseLocated(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case taken without its area now has one."""

    area_code: str


class LightTurned(Fact, frozen=True, kw_only=True, rename="camel"):
    """A light of a case (`task_id` "") or of a task turned yellow or red; its time came at `since`."""

    clock: ClockKind
    light: Light
    due_at: datetime
    since: datetime
    task_id: str = ""
    department: str = ""

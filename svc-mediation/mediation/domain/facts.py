"""The facts a case leaves behind, one struct for each message of `binglian/mediation/v1/events.proto` with the same fields."""

from __future__ import annotations

from datetime import datetime

import msgspec

from mediation.domain.evidence import Point
from mediation.domain.parts import EntryKind, Visibility
from mediation.domain.states import ClockKind, JoinPolicy, LegalRoute, Light, Severity, TaskRole


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


class CaseReturned(Fact, frozen=True, kw_only=True, rename="camel"):
    """A report went back to its reporter for more facts."""

    reason: str
    returned_at: datetime


class CaseResubmitted(Fact, frozen=True, kw_only=True, rename="camel"):
    """The reporter added the facts."""

    resubmitted_at: datetime


class CaseWithdrawn(Fact, frozen=True, kw_only=True, rename="camel"):
    """The reporter does not pursue the case any more."""

    reason: str
    withdrawn_at: datetime


class CaseMerged(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case was merged into another one; `reporters` are those of the case and of all that were merged into it."""

    into: str
    reporters: tuple[MergedReporter, ...]
    merged_at: datetime


class MergedReporter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who reported a merged case."""

    case_id: str
    subject: str


class CaseUnmerged(Fact, frozen=True, kw_only=True, rename="camel"):
    """A merged case stands for itself again."""

    parent: str
    case_ids: tuple[str, ...]
    reason: str
    unmerged_at: datetime


class CaseSelfHandled(Fact, frozen=True, kw_only=True, rename="camel"):
    """The grid handles the case itself."""

    handler: str
    started_at: datetime


class CaseRecalled(Fact, frozen=True, kw_only=True, rename="camel"):
    """A dispatched or self-handled case was taken back to be sent anew."""

    reason: str
    recalled_at: datetime


class CaseSuspended(Fact, frozen=True, kw_only=True, rename="camel"):
    """The case waits for something nobody can hurry; its work clocks stand still."""

    reason: str
    until: datetime
    suspended_at: datetime


class CaseResumed(Fact, frozen=True, kw_only=True, rename="camel"):
    """A suspended case goes on."""

    resumed_at: datetime


class CaseTransferred(Fact, frozen=True, kw_only=True, rename="camel"):
    """The case goes to arbitration, administration or court; its reporter was told the remedies."""

    route: LegalRoute
    authority: str
    transferred_at: datetime


class CaseEvaluated(Fact, frozen=True, kw_only=True, rename="camel"):
    """The reporter rated the outcome (1 to 5); 0: nobody did in time."""

    rating: int
    evaluated_at: datetime


class CaseReopened(Fact, frozen=True, kw_only=True, rename="camel"):
    """A case begins anew, because its reporter was dissatisfied with reason."""

    reason: str
    reopened_at: datetime


class TaskRemoved(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A task was taken out of its case otherwise than by a ruling on an objection."""

    reason: str
    removed_at: datetime


class LeadChanged(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """Another department leads now."""

    former_task_id: str
    reason: str
    lead_changed_at: datetime


class ExemptionProposed(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """The lead proposes to let a department off."""

    reason: str
    proposed_at: datetime


class ExemptionRuled(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """The coordinator ruled on an exemption."""

    approved: bool
    ruled_at: datetime


class ExtensionRequested(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """A department asks for more time."""

    reason: str
    minutes: int
    requested_at: datetime


class ExtensionRuled(TaskFact, frozen=True, kw_only=True, rename="camel"):
    """The coordinator ruled on more time; `due_at` is when the task is due now."""

    approved: bool
    due_at: datetime
    ruled_at: datetime


class EntryAdded(Fact, frozen=True, kw_only=True, rename="camel"):
    """Somebody wrote into the workspace of a case."""

    entry_id: str
    kind: EntryKind
    visibility: Visibility
    department: str
    added_at: datetime

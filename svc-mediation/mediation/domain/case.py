"""The case aggregate: frozen structs, tuples instead of lists, times as aware UTC datetimes of millisecond precision.

The structs hold what `binglian.mediation.v1.case` shows, plus fields of our own: `Task.due_at`, `Case.inbox` and `Case.next_light_at`
make searches and timers cheap, `Task.removed_at` bounds what a department hears that was taken out, `Case.handlers` remembers who
worked on it, and `Case.workspace` is shown by a list of its own, to whom it concerns.

What a case has most of is kept out of the garbage collector (`gc=False`): frozen values hold no circles it could find.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from mediation.domain.discretion import PROTECTED_CATEGORY, discreet
from mediation.domain.evidence import Attachment as Attachment
from mediation.domain.evidence import Point as Point
from mediation.domain.parts import (
    Entry,
    Evaluation,
    Exemption,
    Extension,
    Follower,
    History,
    Merging,
    PartiesInformed,
    SelfHandling,
    Suspension,
    WrittenNotice,
)
from mediation.domain.states import (
    FINAL_STATES,
    OPEN_TASK_STATES,
    Calendar,
    CaseLevel,
    CaseState,
    ClockChangeKind,
    ClockKind,
    JoinPolicy,
    Light,
    Severity,
    TaskRole,
    TaskState,
)

F = TypeVar("F", bound=msgspec.Struct)


class Actor(Protocol):
    """Who acts, as the operations see it. `svckit.access.Caller` is one; `ServiceActor` is another."""

    @property
    def subject(self) -> str:
        """Subject of the token."""

    @property
    def roles(self) -> frozenset[str]:
        """Codes of grid_role.csv, IMPORTER, SERVICE."""

    @property
    def area(self) -> str:
        """Prefix of the area codes the actor may act in; "" for everywhere."""

    @property
    def department(self) -> str:
        """Department the actor acts for, "" for none."""


class ServiceActor(msgspec.Struct, frozen=True, kw_only=True):
    """A service that acts for a department because of a fact it heard."""

    subject: str
    department: str
    roles: frozenset[str] = frozenset({"SERVICE"})
    area: str = ""


class Limit(msgspec.Struct, frozen=True):
    """A time limit: minutes of a calendar. `whole_days` limits end at the close of their last working day.

    `rival` is another limit on the same thing that counts otherwise: whichever of the two ends first is felt.
    """

    minutes: int
    calendar: Calendar
    whole_days: bool = False
    rival: Limit | None = None


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The three limits of a task, or of a case."""

    accept: Limit
    respond: Limit
    resolve: Limit


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One change of a clock: `minutes` of its calendar were added, because of the time since `since`; then it was due `due_at`."""

    kind: ClockChangeKind
    at: datetime
    due_at: datetime
    since: datetime | None = None
    minutes: float = 0.0


class Clock(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A limit at work: `met_at` is None while it runs, `paused_at` unless it stands still."""

    kind: ClockKind
    calendar: Calendar
    started_at: datetime
    yellow_at: datetime
    due_at: datetime
    limit_minutes: int
    # Stored in any case: no default.
    light: Light
    met_at: datetime | None = None
    whole_days: bool = False
    paused_at: datetime | None = None
    changes: tuple[ClockChange, ...] = ()


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A note of progress."""

    at: datetime
    by: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class Objection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A department's objection and the ruling on it (`ruled_at` is None until then)."""

    at: datetime
    by: str
    reason: str
    upheld: bool = False
    ruled_at: datetime | None = None
    ruled_by: str = ""
    ruling_reason: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One department's share of a case. `due_at` repeats the due time of its resolve clock."""

    task_id: str
    department: str
    role: TaskRole
    # Stored in any case, because searches ask for it: no default.
    state: TaskState
    after: tuple[str, ...] = ()
    clocks: tuple[Clock, ...] = ()
    light: Light = Light.UNSPECIFIED
    instruction: str = ""
    assigned_at: datetime | None = None
    accepted_at: datetime | None = None
    done_at: datetime | None = None
    handler: str = ""
    result: str = ""
    evidence: tuple[Attachment, ...] = ()
    progress: tuple[Progress, ...] = ()
    objection: Objection | None = None
    returns: int = 0
    critical: bool = False
    return_reason: str = ""
    due_at: datetime | None = None
    exemption: Exemption | None = None
    extension: Extension | None = None
    removed_at: datetime | None = None

    @property
    def is_lead(self) -> bool:
        """Whether the department leads the case."""
        return self.role is TaskRole.LEAD

    @property
    def is_open(self) -> bool:
        """Whether the department still has something to do."""
        return self.state in OPEN_TASK_STATES


class Reporter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who reported a case."""

    subject: str
    name: str = ""
    phone: str = ""


class Verification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check on site."""

    at: datetime
    by: str
    passed: bool = False
    text: str = ""
    photos: tuple[Attachment, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One entry of the history; `state` is the case state afterwards, `origin` the department or area acted for.

    `content` is the digest of what was said or shown, `digest` that of the entry and everything before it (`mediation.history`).
    """

    at: datetime
    by: str
    verb: str
    state: CaseState
    task_id: str = ""
    remark: str = ""
    origin: str = ""
    content: str = ""
    digest: str = ""


class Rung(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case's stay at one level of the escalation ladder, from `at` on."""

    level: CaseLevel
    at: datetime
    by: str
    reason: str = ""


class TaskPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A task that a dispatch shall create; `after` holds keys of the same dispatch, an empty `key` means the department."""

    department: str
    role: TaskRole
    key: str = ""
    after: tuple[str, ...] = ()
    instruction: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the route tables propose for a case: the lead first, and the row that decided."""

    tasks: tuple[TaskPlan, ...]
    parallel_by_default: bool
    basis: str


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A case with everything that happened to it. `revision` belongs to the store, which counts it up with every write."""

    case_id: str
    number: str
    state: CaseState
    category: str
    severity: Severity
    source: str
    description: str
    city: str
    area_code: str
    reporter: Reporter
    reported_at: datetime
    changed_at: datetime
    revision: int = 0
    point: Point | None = None
    address: str = ""
    photos: tuple[Attachment, ...] = ()
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    handled_at: datetime | None = None
    closed_at: datetime | None = None
    join_policy: JoinPolicy = JoinPolicy.ALL
    tasks: tuple[Task, ...] = ()
    clocks: tuple[Clock, ...] = ()
    light: Light = Light.UNSPECIFIED
    unified_reply: str = ""
    parties_informed: PartiesInformed | None = None
    verification: Verification | None = None
    steps: tuple[Step, ...] = ()
    traceparent: str = ""
    route_basis: str = ""
    external_id: str = ""
    next_light_at: datetime | None = None
    inbox: dict[str, str] = msgspec.field(default_factory=dict)
    level: CaseLevel = CaseLevel.UNSPECIFIED
    rungs: tuple[Rung, ...] = ()
    level_due_at: datetime | None = None
    history: History = History()
    handlers: tuple[str, ...] = ()
    lead_changes: int = 0
    reopenings: int = 0
    suspension: Suspension | None = None
    self_handling: SelfHandling | None = None
    notice: WrittenNotice | None = None
    evaluation: Evaluation | None = None
    merging: Merging | None = None
    followers: tuple[Follower, ...] = ()
    earlier_tasks: tuple[Task, ...] = ()
    workspace: tuple[Entry, ...] = ()
    ends_by_itself_at: datetime | None = None
    archive_at: datetime | None = None

    def published(self, facts: Sequence[F]) -> Sequence[F]:
        """Returns what the store publishes of facts about this case."""
        return discreet(facts) if self.category == PROTECTED_CATEGORY else facts

    @property
    def is_parallel(self) -> bool:
        """Whether it was sent to more than one department."""
        return any(task.role is TaskRole.JOINT for task in self.tasks)

    @property
    def is_final(self) -> bool:
        """Whether nobody will act on it any more."""
        return self.state in FINAL_STATES

    @property
    def lead(self) -> Task | None:
        """The lead task; None before the dispatch."""
        live = (task for task in self.tasks if task.is_lead and task.state is not TaskState.REMOVED)
        return next(live, None)

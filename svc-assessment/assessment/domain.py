"""Facts about a case, the ledger reckoned from them, and figures of departments. No I/O.

A ledger is nothing but a function of the SET of facts known about its case. Facts may therefore arrive in any order and any
number of times: the union is the same, and so is everything reckoned from it.
"""

from __future__ import annotations

import datetime as dt
import enum

import msgspec


class FactKind(enum.StrEnum):
    """What a fact says. The order of the members decides between facts of the same millisecond."""

    REPORTED = "reported"
    LOCATED = "located"
    CASE_RETURNED = "case_returned"
    RESUBMITTED = "resubmitted"
    MERGED = "merged"
    UNMERGED = "unmerged"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SELF_HANDLED = "self_handled"
    DISPATCHED = "dispatched"
    TASK_PLANNED = "task_planned"
    TASK_ASSIGNED = "task_assigned"
    TASK_OBJECTED = "task_objected"
    OBJECTION_RULED = "objection_ruled"
    TASK_EXTENDED = "task_extended"
    TASK_REMOVED = "task_removed"
    LEAD_CHANGED = "lead_changed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    TASK_ACCEPTED = "task_accepted"
    TASK_PROGRESSED = "task_progressed"
    HAZARDS_FOUND = "hazards_found"
    TASK_DONE = "task_done"
    HANDLED = "handled"
    VERIFIED = "verified"
    TASK_RETURNED = "task_returned"
    CLOSED = "closed"
    EVALUATED = "evaluated"
    REOPENED = "reopened"
    RECALLED = "recalled"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"
    ESCALATED = "escalated"
    ORDER_ISSUED = "order_issued"
    ORDER_REPLIED = "order_replied"
    ORDER_EXTENDED = "order_extended"
    ORDER_REFUSED = "order_refused"
    ORDER_OVERDUE = "order_overdue"
    ORDER_ACCEPTED = "order_accepted"
    ORDER_WITHDRAWN = "order_withdrawn"
    ORDER_LIGHT_TURNED = "order_light_turned"
    LIGHT_TURNED = "light_turned"


class StepKind(enum.StrEnum):
    """What a step of the critical path is."""

    DISPATCH = "dispatch"
    TASK = "task"
    COORDINATION = "coordination"


class Light(enum.StrEnum):
    """Worst light of a task, mildest first."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Head(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a fact says about the case as a whole; "" where it says nothing."""

    number: str = ""
    city: str = ""
    area_code: str = ""
    category: str = ""
    severity: str = ""
    join_policy: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to a case or task.

    `yes` is the answer the kind has: within the limit (accepted, done, replied), upheld (ruled), passed (verified), granted
    (extended), because the case was over (withdrawn). `place` is the position of a planned task in the dispatch, from 0. `text`
    is the department that got the task instead (ruled), the light (light turned), the task that led before (lead changed), the
    case it was merged into (merged), the level (escalated), the cause (order issued) or the stance (replied). `count` is the
    number of hazards, the rating, or how often an order climbed; `source` the inspection that found the hazards, or the order, and
    `about` the task the order is about.
    """

    kind: FactKind
    at: dt.datetime
    task_id: str = ""
    department: str = ""
    yes: bool = False
    lead: bool = False
    place: int = 0
    after: tuple[str, ...] = ()
    due_at: dt.datetime | None = None
    text: str = ""
    count: int = 0
    source: str = ""
    about: str = ""
    head: Head | None = None


class Standstill(msgspec.Struct, frozen=True):
    """A stretch in which the case stood still: time nobody waited or worked."""

    since: dt.datetime
    until: dt.datetime


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One go at a task: from the moment it could start (or came back) to the moment it was done (None: not yet).

    `handed_over` tells that it ended because another department got the task, or nobody has it any more. `standstills` are those
    of the case, in order and apart.
    """

    task_id: str
    department: str
    started_at: dt.datetime
    rework: bool = False
    accepted_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    handed_over: bool = False
    standstills: tuple[Standstill, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it ended with the work done."""
        return self.ended_at is not None and not self.handed_over


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One department's task in the ledger."""

    task_id: str
    department: str
    lead: bool = False
    after: tuple[str, ...] = ()
    due_at: dt.datetime | None = None
    assigned_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    accepted_on_time: bool = False
    progressed_at: dt.datetime | None = None
    done_at: dt.datetime | None = None
    done_on_time: bool = False
    returns: int = 0
    objections: int = 0
    objections_overruled: int = 0
    removed: bool = False
    light: Light = Light.GREEN
    waiting_minutes: float = 0.0
    working_minutes: float = 0.0
    critical: bool = False
    period: str = ""
    hazards_found: int = 0
    suspended_minutes: float = 0.0
    extensions: int = 0


class PathStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the critical path; `department` is "" when the time was the coordinator's."""

    kind: StepKind
    started_at: dt.datetime
    ended_at: dt.datetime
    minutes: float
    task_id: str = ""
    department: str = ""
    waiting_minutes: float = 0.0
    working_minutes: float = 0.0
    suspended_minutes: float = 0.0


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A supervision order (督办) to one department, about a task or the case as a whole.

    `void`: a supervisor withdrew it, so it does not count; one that ended with its case does.
    """

    order_id: str
    department: str
    task_id: str = ""
    cause: str = ""
    period: str = ""
    issued_at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    replied_at: dt.datetime | None = None
    replied_on_time: bool = False
    declined: bool = False
    refused: int = 0
    overdue: bool = False
    raises: int = 0
    extended: bool = False
    accepted_at: dt.datetime | None = None
    withdrawn_at: dt.datetime | None = None
    void: bool = False
    light: Light = Light.GREEN


class CriticalShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one department had of the critical path of a case; `department` is "" for what was nobody's task."""

    kind: StepKind
    department: str
    minutes: float
    waiting_minutes: float
    working_minutes: float
    suspended_minutes: float


class CaseLedger(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of one case: its facts and what is reckoned from them.

    `scope` is the area code, or the city while the area is unknown: whoever may act there may read it. `parallel` tells
    whether two or more departments have done a task of the case.
    """

    case_id: str
    facts: tuple[Fact, ...]
    number: str = ""
    city: str = ""
    area_code: str = ""
    scope: str = ""
    category: str = ""
    severity: str = ""
    join_policy: str = ""
    period: str = ""
    reported_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    dispatched_at: dt.datetime | None = None
    handled_at: dt.datetime | None = None
    verified_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    rejected_at: dt.datetime | None = None
    tasks: tuple[TaskRecord, ...] = ()
    actual_minutes: float = 0.0
    serial_minutes: float = 0.0
    critical_path: tuple[PathStep, ...] = ()
    waiting_minutes: float = 0.0
    working_minutes: float = 0.0
    parallel: bool = False
    revision: int = 0
    suspended_minutes: float = 0.0
    suspended: bool = False
    critical_shares: tuple[CriticalShare, ...] = ()
    light: Light = Light.GREEN
    withdrawn_at: dt.datetime | None = None
    transferred_at: dt.datetime | None = None
    merged_at: dt.datetime | None = None
    merged_into: str = ""
    escalations: int = 0
    level: str = ""
    rating: int = 0
    orders: tuple[OrderRecord, ...] = ()


class DepartmentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one department in one month."""

    department: str
    tasks: int = 0
    accepted: int = 0
    accepted_on_time: int = 0
    done: int = 0
    done_on_time: int = 0
    returned: int = 0
    objections_overruled: int = 0
    red: int = 0
    critical: int = 0
    orders: int = 0
    orders_overdue: int = 0
    orders_declined: int = 0
    orders_replied: int = 0
    orders_replied_on_time: int = 0
    replies_refused: int = 0
    median_waiting_minutes: float = 0.0
    median_working_minutes: float = 0.0


class CategoryComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison over the handled cases of one category ("": of all); medians over the parallel ones, in minutes."""

    category: str
    cases: int = 0
    parallel_cases: int = 0
    median_actual_minutes: float = 0.0
    median_serial_minutes: float = 0.0
    median_saved_minutes: float = 0.0
    median_waiting_minutes: float = 0.0
    median_working_minutes: float = 0.0
    median_suspended_minutes: float = 0.0


class CriticalMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """What one department ("": nobody) had of the critical paths of the handled cases of one category ("": of all)."""

    category: str
    kind: StepKind
    department: str
    cases: int = 0
    minutes: float = 0.0
    waiting_minutes: float = 0.0
    working_minutes: float = 0.0
    suspended_minutes: float = 0.0
    median_minutes: float = 0.0
    share: float = 0.0


class CaseAssessed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A closed case was assessed, or assessed again because facts arrived late."""

    case_id: str
    number: str
    city: str
    area_code: str
    category: str
    actual_minutes: float
    serial_minutes: float
    critical_departments: tuple[str, ...]
    late_departments: tuple[str, ...]
    closed_at: dt.datetime

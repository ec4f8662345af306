"""What a case is: its states, its tasks and clocks, the facts it leaves behind, and the table of who may move it where.

Pure data; no rule and no I/O. Field names are those of `binglian.mediation.v1`, enum values the short names of its enums.
"""

from mediation.domain.case import (
    Actor,
    Attachment,
    Case,
    Clock,
    Limit,
    Limits,
    Objection,
    Plan,
    Point,
    Progress,
    Reporter,
    ServiceActor,
    Step,
    Task,
    TaskPlan,
    Verification,
)
from mediation.domain.states import (
    Calendar,
    CaseState,
    ClockKind,
    JoinPolicy,
    Light,
    Severity,
    TaskRole,
    TaskState,
)
from mediation.domain.workflow import CASE_TRANSITIONS, TASK_TRANSITIONS, Transition

__all__ = [
    "CASE_TRANSITIONS",
    "TASK_TRANSITIONS",
    "Actor",
    "Attachment",
    "Calendar",
    "Case",
    "CaseState",
    "Clock",
    "ClockKind",
    "JoinPolicy",
    "Light",
    "Limit",
    "Limits",
    "Objection",
    "Plan",
    "Point",
    "Progress",
    "Reporter",
    "ServiceActor",
    "Severity",
    "Step",
    "Task",
    "TaskPlan",
    "TaskRole",
    "TaskState",
    "Transition",
    "Verification",
]

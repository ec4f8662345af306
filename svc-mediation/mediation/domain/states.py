"""The enums of a case. Each value is the lower-case tail of the proto enum value: "parallel" for CASE_STATE_PARALLEL."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands (workflow.yaml)."""

    DRAFT = "draft"
    REPORTED = "reported"
    RETURNED = "returned"
    MERGED = "merged"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    SELF_HANDLED = "self_handled"
    DISPATCHED = "dispatched"
    PARALLEL = "parallel"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    HANDLED = "handled"
    REWORK = "rework"
    VERIFIED = "verified"
    CLOSED = "closed"
    EVALUATED = "evaluated"
    WITHDRAWN = "withdrawn"
    TRANSFERRED = "transferred"


class TaskState(StrEnum):
    """Where one department's share stands."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    OBJECTED = "objected"
    ACCEPTED = "accepted"
    DONE = "done"
    RETURNED = "returned"
    REMOVED = "removed"


class TaskRole(StrEnum):
    """Part a department plays."""

    LEAD = "lead"
    JOINT = "joint"


class JoinPolicy(StrEnum):
    """When a case with several tasks counts as handled (parallel_policy.yaml)."""

    ALL = "all"
    LEAD_PLUS_MAJORITY = "lead_plus_majority"
    LEAD_ONLY = "lead_only"


class Severity(StrEnum):
    """case_severity.csv."""

    S1 = "s1"
    S2 = "s2"
    S3 = "s3"
    S4 = "s4"


class Light(StrEnum):
    """Light of a clock; `UNSPECIFIED` where no clock runs."""

    UNSPECIFIED = "unspecified"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class ClockKind(StrEnum):
    """What a clock limits."""

    ACCEPT = "accept"
    RESPOND = "respond"
    RESOLVE = "resolve"
    RULING = "ruling"


class CaseLevel(StrEnum):
    """case_level.csv, lowest first; `UNSPECIFIED` for cases older than the ladder."""

    UNSPECIFIED = "unspecified"
    L1 = "l1"
    L2 = "l2"
    L3 = "l3"
    L4 = "l4"
    L5 = "l5"


class Calendar(StrEnum):
    """How the time of a clock counts."""

    WORK = "work"
    STATUTORY = "statutory"
    STAGGERED = "staggered"


class ClockChangeKind(StrEnum):
    """What happened to a running clock."""

    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENDED = "extended"
    REOPENED = "reopened"
    RESTARTED = "restarted"


class LegalRoute(StrEnum):
    """Where a case goes that cannot be settled here (workflow.yaml: 移交仲裁/行政/司法途径)."""

    UNSPECIFIED = "unspecified"
    ARBITRATION = "arbitration"
    ADMINISTRATION = "administration"
    COURT = "court"
    POLICE = "police"


# A case nobody will act on any more.
FINAL_STATES = frozenset(
    {
        CaseState.MERGED,
        CaseState.REJECTED,
        CaseState.CLOSED,
        CaseState.EVALUATED,
        CaseState.WITHDRAWN,
        CaseState.TRANSFERRED,
    }
)

# A department may act on its task while its case is in one of these.
WORKING_STATES = frozenset(
    {
        CaseState.DISPATCHED,
        CaseState.PARALLEL,
        CaseState.HANDLING,
        CaseState.REWORK,
        CaseState.HANDLED,
        CaseState.VERIFIED,
    }
)

# The department still has something to do.
OPEN_TASK_STATES = frozenset(
    {TaskState.WAITING, TaskState.ASSIGNED, TaskState.OBJECTED, TaskState.ACCEPTED, TaskState.RETURNED}
)

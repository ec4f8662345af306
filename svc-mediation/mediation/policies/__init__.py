"""The rules: each `check_*` raises an error whose reason people understand; `can_*` asks the same without raising.

Pure: what a rule needs arrives as arguments.
"""

from mediation.policies.access import (
    CaseNotFound,
    OtherDepartment,
    RoleNotAllowed,
    StaleRevision,
    TaskNotFound,
    WrongState,
    can_see,
    check_department,
    check_department_code,
    check_happened_at,
    check_may_return,
    check_revision,
    check_role,
    check_visible,
    department_shown,
    find_task,
)
from mediation.policies.checking import (
    PHOTO_RADIUS_M,
    HandledIt,
    can_verify,
    check_failed_tasks,
    check_photos,
    check_verifier,
    distance_m,
)
from mediation.policies.dispatching import (
    check_plans,
    check_report,
)
from mediation.policies.work import (
    check_case_move,
    check_notes,
    check_objection,
    check_reassignment,
    check_removal,
    check_task_move,
    check_unified_reply,
    join_holds,
    may_start,
)

__all__ = [
    "PHOTO_RADIUS_M",
    "CaseNotFound",
    "HandledIt",
    "OtherDepartment",
    "RoleNotAllowed",
    "StaleRevision",
    "TaskNotFound",
    "WrongState",
    "can_see",
    "can_verify",
    "check_case_move",
    "check_department",
    "check_department_code",
    "check_failed_tasks",
    "check_happened_at",
    "check_may_return",
    "check_notes",
    "check_objection",
    "check_photos",
    "check_plans",
    "check_reassignment",
    "check_removal",
    "check_report",
    "check_revision",
    "check_role",
    "check_task_move",
    "check_unified_reply",
    "check_verifier",
    "check_visible",
    "department_shown",
    "distance_m",
    "find_task",
    "join_holds",
    "may_start",
]

"""The verbs: case + who + when → changed case with the facts it leaves behind, or a named error. Pure, keyword-only.

Every verb takes `at` (when it happened, already checked) and `now` (when it is recorded), both aware UTC. A step that arrives late keeps
its place in the order of arrival: its time is moved up to that of the step before, so that the diary of a case, its clocks and its
critical path always run forward.
"""

from mediation.operations.cases import (
    accept_case,
    close_case,
    dispatch,
    locate_case,
    reject_case,
    report_case,
    turn_lights,
    verify_case,
)
from mediation.operations.flow import Outcome
from mediation.operations.tasks import (
    accept_task,
    complete_task,
    finish_task,
    object_task,
    report_progress,
    return_task,
    rule_objection,
    take_up_task,
)

__all__ = [
    "Outcome",
    "accept_case",
    "accept_task",
    "close_case",
    "complete_task",
    "dispatch",
    "finish_task",
    "locate_case",
    "object_task",
    "reject_case",
    "report_case",
    "report_progress",
    "return_task",
    "rule_objection",
    "take_up_task",
    "turn_lights",
    "verify_case",
]

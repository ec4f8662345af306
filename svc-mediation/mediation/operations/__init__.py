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
from mediation.operations.ending import (
    end_by_itself,
    evaluate_case,
    lapse_evaluation,
    reopen_case,
    transfer_case,
)
from mediation.operations.flow import Outcome
from mediation.operations.grid_work import (
    handle_case,
    recall_case,
    report_result,
)
from mediation.operations.membership import (
    add_tasks,
    change_lead,
    propose_exemption,
    remove_task,
    request_extension,
    rule_exemption,
    rule_extension,
)
from mediation.operations.merging import (
    hear_of_parent,
    let_go,
    merge_case,
    take_in,
    unmerge_case,
)
from mediation.operations.opening import (
    discard_draft,
    draft_case,
    resubmit_case,
    send_back_case,
    submit_case,
    withdraw_case,
)
from mediation.operations.suspending import (
    end_suspension,
    resume_case,
    suspend_case,
)
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
from mediation.operations.workspace import (
    add_entry,
)

__all__ = [
    "Outcome",
    "accept_case",
    "accept_task",
    "add_entry",
    "add_tasks",
    "change_lead",
    "close_case",
    "complete_task",
    "discard_draft",
    "dispatch",
    "draft_case",
    "end_by_itself",
    "end_suspension",
    "evaluate_case",
    "finish_task",
    "handle_case",
    "hear_of_parent",
    "lapse_evaluation",
    "let_go",
    "locate_case",
    "merge_case",
    "object_task",
    "propose_exemption",
    "recall_case",
    "reject_case",
    "remove_task",
    "reopen_case",
    "report_case",
    "report_progress",
    "report_result",
    "request_extension",
    "resubmit_case",
    "resume_case",
    "return_task",
    "rule_exemption",
    "rule_extension",
    "rule_objection",
    "send_back_case",
    "submit_case",
    "suspend_case",
    "take_in",
    "take_up_task",
    "transfer_case",
    "turn_lights",
    "unmerge_case",
    "verify_case",
    "withdraw_case",
]

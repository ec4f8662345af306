"""The workflow as a table: who may move a case, or a task, from which state to which, and on what condition.

The case rows are those of `codes/workflow.yaml`, and what follows from them for cases of several departments. Operations refuse whatever
has no row here, and the diagrams in README.md are drawn from it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from mediation.domain.states import CaseState, ClockKind, TaskState

COORDINATORS = frozenset({"GRID_SUPERVISOR", "STREET_CENTER", "DISPATCHER"})
REPORTERS = frozenset(
    {
        "GRID_WORKER",
        "GRID_INFORMANT",
        "GRID_FIRE",
        "GRID_SUPERVISOR",
        "VOLUNTEER",
        "RESIDENT",
        "LIAISON",
        "PROPERTY_MGR",
        "STREET_CENTER",
        "DISPATCHER",
    }
)
DEPARTMENT = frozenset({"DEPT_HANDLER", "DEPT_LEAD"})
GRID = frozenset({"GRID_WORKER", "GRID_MEDIATOR"})
CHECKERS = frozenset({"GRID_WORKER", "GRID_SUPERVISOR"})
RULERS = frozenset({"DISPATCHER"})
MERGERS = frozenset({"DISPATCHER", "STREET_CENTER"})
TRANSFERRERS = frozenset({"DEPT_LEAD", "GRID_MEDIATOR"})
SYSTEM: frozenset[str] = frozenset()
# These look at the tasks of every department.
OVERSEERS = COORDINATORS | {"SUPERVISION", "ASSESSOR", "AUDITOR", "IMPORTER", "SERVICE", "GRID_WORKER"}

# These see the cases they reported and no others (grid_role.csv): roles whose data_scope is less than a grid, those whose duty says
# 无居民数据权限, and those who run the system. A test holds this equal to the table.
OWN_CASES_ONLY = frozenset(
    {
        "GRID_ASSIST",
        "GRID_INFORMANT",
        "VOLUNTEER",
        "LIAISON",
        "RESIDENT",
        "PROPERTY_MGR",
        "MERCHANT",
        "SYS_ADMIN",
        "SEC_ADMIN",
    }
)

# These act on behalf of whoever did it: an import repeats what happened elsewhere, a service what another service published.
PROXIES = frozenset({"IMPORTER", "SERVICE"})


class Transition(msgspec.Struct, frozen=True):
    """One row: `by` are role codes (empty: the system, as a consequence), `meets` is the clock that stops."""

    verb: str
    source: StrEnum
    target: StrEnum
    by: frozenset[str]
    guard: str = ""
    meets: ClockKind | None = None


_C = CaseState
_T = TaskState
_ACCEPT, _RESPOND, _RESOLVE, _RULING = ClockKind.ACCEPT, ClockKind.RESPOND, ClockKind.RESOLVE, ClockKind.RULING

CASE_TRANSITIONS: tuple[Transition, ...] = (
    Transition("submit_case", _C.DRAFT, _C.REPORTED, REPORTERS, "the reporter"),
    Transition("discard_draft", _C.DRAFT, _C.WITHDRAWN, REPORTERS, "the reporter; nothing of it is kept"),
    Transition("accept_case", _C.REPORTED, _C.ACCEPTED, COORDINATORS, "", _ACCEPT),
    Transition("send_back_case", _C.REPORTED, _C.RETURNED, COORDINATORS, "reason"),
    Transition("resubmit_case", _C.RETURNED, _C.REPORTED, REPORTERS, "the reporter"),
    Transition("reject_case", _C.REPORTED, _C.REJECTED, COORDINATORS, "reason; notice to the reporter", _ACCEPT),
    Transition("reject_case", _C.RETURNED, _C.REJECTED, COORDINATORS, "reason; notice to the reporter", _ACCEPT),
    Transition("merge_case", _C.REPORTED, _C.MERGED, MERGERS, "parent case of the same city, open, older or accepted"),
    Transition("unmerge_case", _C.MERGED, _C.REPORTED, MERGERS, "reason"),
    Transition("handle_case", _C.ACCEPTED, _C.SELF_HANDLED, GRID, "", _RESPOND),
    Transition("dispatch", _C.ACCEPTED, _C.DISPATCHED, COORDINATORS, "one department"),
    Transition("dispatch", _C.ACCEPTED, _C.PARALLEL, COORDINATORS, "lead and at least one joint department"),
    Transition("accept_task", _C.DISPATCHED, _C.HANDLING, DEPARTMENT, "", _RESPOND),
    Transition("recall_case", _C.DISPATCHED, _C.ACCEPTED, RULERS, "reason"),
    Transition("recall_case", _C.SELF_HANDLED, _C.ACCEPTED, RULERS, "reason"),
    Transition("add_tasks", _C.DISPATCHED, _C.PARALLEL, COORDINATORS, "new departments; `after` without circles"),
    Transition("add_tasks", _C.HANDLING, _C.PARALLEL, COORDINATORS, "new departments; `after` without circles"),
    Transition("add_tasks", _C.PARALLEL, _C.PARALLEL, COORDINATORS, "new departments; `after` without circles"),
    Transition("change_lead", _C.DISPATCHED, _C.PARALLEL, RULERS, "once; the lead has not finished"),
    Transition("change_lead", _C.HANDLING, _C.PARALLEL, RULERS, "once; the lead has not finished"),
    Transition("change_lead", _C.PARALLEL, _C.PARALLEL, RULERS, "once; the lead has not finished"),
    Transition("complete_task", _C.PARALLEL, _C.HANDLED, DEPARTMENT, "join policy holds", _RESOLVE),
    Transition("rule_objection", _C.PARALLEL, _C.HANDLED, RULERS, "join policy holds", _RESOLVE),
    Transition("rule_exemption", _C.PARALLEL, _C.HANDLED, RULERS, "join policy holds", _RESOLVE),
    Transition("remove_task", _C.PARALLEL, _C.HANDLED, COORDINATORS, "join policy holds", _RESOLVE),
    Transition("complete_task", _C.HANDLING, _C.HANDLED, DEPARTMENT, "result and photo", _RESOLVE),
    Transition("report_result", _C.SELF_HANDLED, _C.HANDLED, GRID, "result and photo", _RESOLVE),
    Transition("suspend_case", _C.HANDLING, _C.SUSPENDED, RULERS, "reason; once, at most 50 % of the limit"),
    Transition("suspend_case", _C.PARALLEL, _C.SUSPENDED, RULERS, "reason; once, at most 50 % of the limit"),
    Transition("resume_case", _C.SUSPENDED, _C.HANDLING, RULERS, "or when its time is over, or a department acts"),
    Transition("resume_case", _C.SUSPENDED, _C.PARALLEL, RULERS, "or when its time is over, or a department acts"),
    Transition("verify_case", _C.HANDLED, _C.VERIFIED, CHECKERS, "passed; not a handler; photo within 50 m"),
    Transition("verify_case", _C.HANDLED, _C.REWORK, CHECKERS, "failed; names the failed tasks"),
    Transition("return_task", _C.HANDLED, _C.REWORK, COORDINATORS | {"DEPT_LEAD"}, "reason"),
    Transition("resume_work", _C.REWORK, _C.HANDLING, SYSTEM, "a department acts on a returned task of a single-task case"),
    Transition("resume_work", _C.REWORK, _C.PARALLEL, SYSTEM, "a department acts on a returned task of a parallel case"),
    Transition("resume_work", _C.REWORK, _C.SELF_HANDLED, SYSTEM, "the grid acts on a case it handles itself"),
    Transition("close_case", _C.VERIFIED, _C.CLOSED, COORDINATORS, "not a handler"),
    Transition("evaluate_case", _C.CLOSED, _C.EVALUATED, frozenset({"RESIDENT"}), "the reporter; or the system after 7 days"),
    Transition("reopen_case", _C.EVALUATED, _C.ACCEPTED, RULERS, "dissatisfied and reasonable; once"),
    Transition("transfer_case", _C.HANDLING, _C.TRANSFERRED, TRANSFERRERS, "notice of remedies; the lead or a mediator"),
    Transition("transfer_case", _C.PARALLEL, _C.TRANSFERRED, TRANSFERRERS, "notice of remedies; the lead or a mediator"),
    Transition("withdraw_case", _C.ACCEPTED, _C.WITHDRAWN, frozenset({"RESIDENT"}), "the reporter"),
)


def _removals(verb: str, by: frozenset[str], guard: str, *sources: TaskState) -> tuple[Transition, ...]:
    return tuple(Transition(verb, source, TaskState.REMOVED, by, guard) for source in sources)


_UNDONE = (_T.WAITING, _T.ASSIGNED, _T.OBJECTED, _T.ACCEPTED)

TASK_TRANSITIONS: tuple[Transition, ...] = (
    Transition("start_task", _T.WAITING, _T.ASSIGNED, SYSTEM, "every task of `after` is done or removed"),
    Transition("accept_task", _T.ASSIGNED, _T.ACCEPTED, DEPARTMENT, "", _ACCEPT),
    Transition("object_task", _T.ASSIGNED, _T.OBJECTED, DEPARTMENT, "once, inside 1 working day (petitions 5)", _ACCEPT),
    Transition("rule_objection", _T.OBJECTED, _T.ASSIGNED, RULERS, "overruled", _RULING),
    Transition("rule_objection", _T.OBJECTED, _T.REMOVED, RULERS, "upheld; a lead task only when reassigned", _RULING),
    Transition("report_progress", _T.ACCEPTED, _T.ACCEPTED, DEPARTMENT, "", _RESPOND),
    Transition(
        "complete_task",
        _T.ACCEPTED,
        _T.DONE,
        DEPARTMENT,
        "the lead of a parallel case replies for all, tells the parties",
        _RESOLVE,
    ),
    Transition("return_task", _T.DONE, _T.RETURNED, COORDINATORS | {"DEPT_LEAD"}, "reason"),
    Transition("verify_case", _T.DONE, _T.RETURNED, CHECKERS, "named in a failed check"),
    Transition("accept_task", _T.RETURNED, _T.ACCEPTED, DEPARTMENT),
    Transition("report_progress", _T.RETURNED, _T.ACCEPTED, DEPARTMENT, "", _RESPOND),
    Transition("complete_task", _T.RETURNED, _T.DONE, DEPARTMENT, "", _RESOLVE),
    *_removals("remove_task", COORDINATORS, "reason; a joint task", *_UNDONE, _T.RETURNED),
    *_removals("rule_exemption", RULERS, "proposed by the lead, approved", *_UNDONE, _T.RETURNED),
    *_removals("close_case", SYSTEM, "not needed by the join policy", *_UNDONE),
    *_removals("recall_case", RULERS, "the case is sent anew", *_UNDONE),
    *_removals("transfer_case", SYSTEM, "the case goes another way", *_UNDONE, _T.RETURNED),
)


def _index(rows: tuple[Transition, ...]) -> dict[tuple[str, StrEnum], tuple[Transition, ...]]:
    found: dict[tuple[str, StrEnum], tuple[Transition, ...]] = {}
    for row in rows:
        key = (row.verb, row.source)
        found[key] = (*found.get(key, ()), row)
    return found


# Rows by (verb, source state): what the operations look up.
CASE_MOVES = _index(CASE_TRANSITIONS)
TASK_MOVES = _index(TASK_TRANSITIONS)

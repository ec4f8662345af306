"""What the events of other services say, as facts about a case. Pure: fields of an event in, case id and facts out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from assessment.domain import Fact, FactKind, Head
from assessment.intake_of_orders import ORDERS

Fields = Mapping[str, Any]
Said = tuple[str, tuple[Fact, ...]]


def facts_of(*, event_type: str, fields: Fields, event_time: dt.datetime) -> Said | None:
    """Returns (case id, facts) of an event given as `svckit.event_codec.event_fields`; None if it is about no case.

    `event_time` is used only for events that name no instant of their own. Raises KeyError for a type not in `INTAKE` and for
    an event without the fields its fact needs.
    """
    return INTAKE[event_type](fields, event_time)


def _reported(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.REPORTED, "reported_at", head=_head(fields))


def _accepted(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.ACCEPTED, "accepted_at")


def _rejected(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.REJECTED, "rejected_at")


def _located(fields: Fields, event_time: dt.datetime) -> Said:
    head = Head(area_code=fields["area_code"])
    return fields["case_id"], (Fact(kind=FactKind.LOCATED, at=event_time, head=head),)


def _returned(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.CASE_RETURNED, "returned_at")


def _resubmitted(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.RESUBMITTED, "resubmitted_at")


def _merged(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.MERGED, "merged_at", text=fields["into"])


def _unmerged(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.UNMERGED, "unmerged_at")


def _self_handled(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.SELF_HANDLED, "started_at")


def _recalled(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.RECALLED, "recalled_at")


def _suspended(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.SUSPENDED, "suspended_at")


def _resumed(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.RESUMED, "resumed_at")


def _withdrawn(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.WITHDRAWN, "withdrawn_at")


def _transferred(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.TRANSFERRED, "transferred_at")


def _evaluated(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.EVALUATED, "evaluated_at", count=fields["rating"])


def _reopened(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.REOPENED, "reopened_at")


def _escalated(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.ESCALATED, "escalated_at", text=fields.get("to_level", ""))


def _handled(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.HANDLED, "handled_at")


def _verified(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.VERIFIED, "verified_at", yes=fields["passed"])


def _closed(fields: Fields, _: dt.datetime) -> Said:
    return _case(fields, FactKind.CLOSED, "closed_at")


def _dispatched(fields: Fields, _: dt.datetime) -> Said:
    at = fields["dispatched_at"]
    facts = [Fact(kind=FactKind.DISPATCHED, at=at, head=_head(fields))]
    if "reported_at" in fields:
        facts.append(Fact(kind=FactKind.REPORTED, at=fields["reported_at"]))
    for place, task in enumerate(fields["tasks"]):
        facts.append(_planned(task, at=at, place=place))
        if "assigned_at" in task:
            facts.append(_assigned_fact(task))
    return fields["case_id"], tuple(facts)


def _planned(task: Fields, *, at: dt.datetime, place: int) -> Fact:
    return Fact(kind=FactKind.TASK_PLANNED, at=at, place=place, **_said_of(task))


def _assigned_fact(task: Fields) -> Fact:
    return Fact(kind=FactKind.TASK_ASSIGNED, at=task["assigned_at"], **_said_of(task))


def _said_of(task: Fields) -> dict[str, Any]:
    return {
        "task_id": task["task_id"],
        "department": task["department"],
        "lead": task.get("role") == "lead",
        "after": tuple(task["after"]),
        "due_at": task.get("due_at"),
    }


def _assigned(fields: Fields, _: dt.datetime) -> Said:
    return fields["case_id"], (_assigned_fact(fields["task"]),)


def _task_accepted(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.TASK_ACCEPTED, "accepted_at", yes=fields["on_time"])


def _task_progressed(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.TASK_PROGRESSED, "progressed_at")


def _task_completed(fields: Fields, _: dt.datetime) -> Said:
    case_id, facts = _task(fields, FactKind.TASK_DONE, "completed_at", yes=fields["on_time"])
    if "accepted_at" in fields:
        facts += _task(fields, FactKind.TASK_ACCEPTED, "accepted_at", yes=fields["accepted_on_time"])[1]
    return case_id, facts


def _task_objected(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.TASK_OBJECTED, "objected_at")


def _objection_ruled(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.OBJECTION_RULED, "ruled_at", yes=fields["upheld"], text=fields["reassigned_to"])


def _task_returned(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.TASK_RETURNED, "returned_at")


def _task_removed(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.TASK_REMOVED, "removed_at")


def _lead_changed(fields: Fields, _: dt.datetime) -> Said:
    return _task(fields, FactKind.LEAD_CHANGED, "lead_changed_at", text=fields["former_task_id"])


def _extension_ruled(fields: Fields, _: dt.datetime) -> Said:
    due_at = fields.get("due_at") if fields["approved"] else None
    return _task(fields, FactKind.TASK_EXTENDED, "ruled_at", yes=fields["approved"], due_at=due_at)


def _light_turned(fields: Fields, event_time: dt.datetime) -> Said:
    fact = Fact(
        kind=FactKind.LIGHT_TURNED,
        # Since when it shone, yellow before its limit and red from it on, however late the timer looked.
        at=fields.get("since", fields.get("due_at", event_time)),
        # Without a department it is the coordinator's light (a ruling that takes long), not that of the task.
        task_id=fields["task_id"] if fields["department"] else "",
        department=fields["department"],
        text=fields.get("light", "green"),
    )
    return fields["case_id"], (fact,)


def _inspection_completed(fields: Fields, _: dt.datetime) -> Said | None:
    task = fields.get("task")
    if task is None:
        return None
    fact = Fact(
        kind=FactKind.HAZARDS_FOUND,
        at=fields["at"],
        task_id=task["task_id"],
        department=fields["department"],
        count=len(fields["hazards"]),
        source=fields["inspection_id"],
    )
    return task["case_id"], (fact,)


def _case(fields: Fields, kind: FactKind, instant: str, **more: Any) -> Said:
    return fields["case_id"], (Fact(kind=kind, at=fields[instant], **more),)


def _task(fields: Fields, kind: FactKind, instant: str, **more: Any) -> Said:
    fact = Fact(kind=kind, at=fields[instant], task_id=fields["task_id"], department=fields["department"], **more)
    return fields["case_id"], (fact,)


def _head(fields: Fields) -> Head:
    return Head(
        number=fields["number"],
        city=fields["city"],
        area_code=fields["area_code"],
        category=fields["category"],
        severity=fields.get("severity", ""),
        join_policy=fields.get("join_policy", ""),
    )


INTAKE: Mapping[str, Callable[[Fields, dt.datetime], Said | None]] = {
    "mediation.case_reported.v1": _reported,
    "mediation.case_accepted.v1": _accepted,
    "mediation.case_rejected.v1": _rejected,
    "mediation.case_located.v1": _located,
    "mediation.case_returned.v1": _returned,
    "mediation.case_resubmitted.v1": _resubmitted,
    "mediation.case_merged.v1": _merged,
    "mediation.case_unmerged.v1": _unmerged,
    "mediation.case_self_handled.v1": _self_handled,
    "mediation.case_dispatched.v1": _dispatched,
    "mediation.case_recalled.v1": _recalled,
    "mediation.case_suspended.v1": _suspended,
    "mediation.case_resumed.v1": _resumed,
    "mediation.case_handled.v1": _handled,
    "mediation.case_verified.v1": _verified,
    "mediation.case_closed.v1": _closed,
    "mediation.case_evaluated.v1": _evaluated,
    "mediation.case_reopened.v1": _reopened,
    "mediation.case_withdrawn.v1": _withdrawn,
    "mediation.case_transferred.v1": _transferred,
    "mediation.case_escalated.v1": _escalated,
    "mediation.task_assigned.v1": _assigned,
    "mediation.task_accepted.v1": _task_accepted,
    "mediation.task_progressed.v1": _task_progressed,
    "mediation.task_completed.v1": _task_completed,
    "mediation.task_objected.v1": _task_objected,
    "mediation.objection_ruled.v1": _objection_ruled,
    "mediation.task_returned.v1": _task_returned,
    "mediation.task_removed.v1": _task_removed,
    "mediation.lead_changed.v1": _lead_changed,
    "mediation.extension_ruled.v1": _extension_ruled,
    "mediation.light_turned.v1": _light_turned,
    "fire_safety.inspection_completed.v1": _inspection_completed,
    **ORDERS,
}
"""Every event that is taken, by its type."""

WITHOUT_TIME = frozenset(
    {
        "mediation.entry_added.v1",
        "mediation.exemption_proposed.v1",
        "mediation.exemption_ruled.v1",
        "mediation.extension_requested.v1",
        "mediation.supervision_extension_asked.v1",
    }
)
"""Events of svc-mediation that say nothing a ledger is reckoned from: wishes, notes, and rulings whose effect is told by another event."""

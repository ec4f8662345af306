"""Who is told what: for every fact of ours that concerns somebody, the posts and people that hear of it. Pure.

A post is a role, with its department where the role has one; who holds it for an area that contains the case sees the notice, and
whoever is on duty for it gets it by message. The reporter is told how the case ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from mediation.domain.dispute import ReminderKind
from mediation.domain.notice import NoticeKind, Post
from mediation.domain.states import OPEN_TASK_STATES, ClockKind, Light, TaskRole, TaskState
from mediation.domain.workflow import CHECKERS, DEPARTMENT, RULERS

Fields = Mapping[str, Any]
COORDINATOR = Post(roles=frozenset({"DISPATCHER"}))
RULER = Post(roles=RULERS)
CHECKER = Post(roles=CHECKERS)
# GW-04 and the red light of e-supervision: whoever coordinates and whoever supervises hear of it beside the department.
OVERSEER = Post(roles=frozenset({"DISPATCHER", "SUPERVISION"}))
# Who mediates, and the head of the community, who chairs its committee.
MEDIATORS = Post(roles=frozenset({"GRID_MEDIATOR", "GRID_SUPERVISOR"}))
_TO_DO = {
    ReminderKind.FIRST_VISIT: "七日回访",
    ReminderKind.SECOND_VISIT: "三十日回访",
    ReminderKind.CONFIRMATION: "可共同申请司法确认",
    ReminderKind.CONFIRMATION_LAST: "司法确认申请期限将满",
    ReminderKind.PERFORMANCE: "协议履行期限将满",
    ReminderKind.REMEDIES: "请告知当事人其他途径",
}
_NOT_NEEDED = "事件已结案，无需继续办理"
# An import repeats what happened long ago; nobody needs to be woken by it.
HISTORY = timedelta(days=1)
_TIMES = (
    *("dispatched_at", "objected_at", "ruled_at", "returned_at", "handled_at", "verified_at", "closed_at", "rejected_at"),
    *("removed_at", "lead_changed_at", "proposed_at", "requested_at", "suspended_at", "resumed_at", "reopened_at"),
    *("merged_at", "transferred_at", "escalated_at", "issued_at", "replied_at", "refused_at", "asked_at", "decided_at"),
    "overdue_at",
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: to a post, or (`post` None) to the reporter, `followed` also to the reporters of cases merged into it."""

    kind: NoticeKind
    post: Post | None
    followed: bool = False
    task_id: str = ""
    department: str = ""
    clock: ClockKind | None = None
    due_at: datetime | None = None
    positive: bool = False
    reason: str = ""
    about_id: str = ""


def department_post(code: str) -> Post:
    """Returns the post of those who lead and handle in a department."""
    return Post(roles=DEPARTMENT, department=code)


def tell(kind: str, fields: Fields, case: Fields) -> list[Told]:
    """Returns what a fact of ours (`kind` its type) makes us tell; `case` is the stored case, of which it uses the tasks."""
    return list(TELLS[kind](fields, case))


def when(fields: Fields, recorded_at: datetime) -> datetime:
    """Returns when a fact happened; facts that do not say so happened when they were recorded."""
    task = fields.get("task", {})
    times = (fields.get(name) for name in _TIMES)
    return next((at for at in (*times, task.get("assigned_at")) if at is not None), recorded_at)


def is_history(happened_at: datetime, recorded_at: datetime) -> bool:
    """Tells whether a fact was recorded so long after it happened that telling it would only confuse."""
    return recorded_at - happened_at > HISTORY


def _dispatched(fields: Fields, case: Fields) -> Iterator[Told]:
    for task in fields["tasks"]:
        # Tasks that wait for others are told when they can start.
        if task.get("assigned_at") is not None:
            yield _assigned_task(task)


def _assigned(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _assigned_task(fields["task"])


def _assigned_task(task: Fields) -> Told:
    code = task["department"]
    return Told(
        kind=NoticeKind.ASSIGNED,
        post=department_post(code),
        task_id=task["task_id"],
        department=code,
        due_at=task.get("due_at"),
    )


def _light(fields: Fields, case: Fields) -> Iterator[Told]:
    told = Told(
        kind=NoticeKind(fields["light"]),
        post=COORDINATOR,
        task_id=fields["task_id"],
        department=fields["department"],
        clock=ClockKind(fields["clock"]) if "clock" in fields else None,
        due_at=fields.get("due_at"),
    )
    if told.department:
        yield msgspec.structs.replace(told, post=department_post(told.department))
    if told.kind is NoticeKind.RED:
        yield msgspec.structs.replace(told, post=OVERSEER)
    elif not told.department:
        yield told


def _objected(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.OBJECTED, RULER, fields, reason=fields["reason"])


def _ruled(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.RULED, department_post(fields["department"]), fields, positive=fields["upheld"])


def _returned(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.RETURNED, department_post(fields["department"]), fields, reason=fields["reason"])


def _of_task(kind: NoticeKind, post: Post, fields: Fields, **more: Any) -> Told:
    return Told(kind=kind, post=post, task_id=fields["task_id"], department=fields["department"], **more)


def _handled(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.HANDLED, post=CHECKER)


def _verified(fields: Fields, case: Fields) -> Iterator[Told]:
    passed = fields["passed"]
    yield from _to_lead(NoticeKind.VERIFIED, case, positive=passed)
    if passed:
        # Somebody has to close it now. What failed is told to each department as its own rework.
        yield Told(kind=NoticeKind.VERIFIED, post=COORDINATOR, positive=True)


def _closed(fields: Fields, case: Fields) -> Iterator[Told]:
    yield from _to_lead(NoticeKind.CLOSED, case)
    yield Told(kind=NoticeKind.CLOSED, post=None, followed=True)
    for task in case.get("tasks", ()):
        # What the join policy did not need was taken out by the closing itself: no other fact says so.
        if task.get("removed_at") is not None and task["removed_at"] == fields.get("closed_at"):
            yield _of_task(NoticeKind.REMOVED, department_post(task["department"]), task, reason=_NOT_NEEDED)


def _rejected(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.REJECTED, post=None, followed=True, reason=fields["reason"])


def _incomplete(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.INCOMPLETE, post=None, reason=fields["reason"])


def _merged(fields: Fields, case: Fields) -> Iterator[Told]:
    # The fact comes again when that case is merged further: its own reporter knows already.
    if any(reporter["case_id"] == fields["case_id"] for reporter in fields["reporters"]):
        yield Told(kind=NoticeKind.MERGED, post=None)


def _transferred(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.TRANSFERRED, post=None, followed=True, reason=fields["authority"])


def _reopened(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.REOPENED, post=COORDINATOR, reason=fields["reason"])


def _escalated(fields: Fields, case: Fields) -> Iterator[Told]:
    post = Post(roles=frozenset({fields["role"]}))
    yield Told(kind=NoticeKind.ESCALATED, post=post, due_at=fields.get("due_at"), reason=fields.get("reason", ""))


def _asked_of(post: Post) -> Callable[[Fields, Fields], Iterator[Told]]:
    def told(fields: Fields, case: Fields) -> Iterator[Told]:
        yield _of_task(NoticeKind.REQUESTED, post, fields, reason=fields["reason"])

    return told


def _decided(fields: Fields, case: Fields) -> Iterator[Told]:
    positive = bool(fields.get("approved") or fields.get("granted"))
    yield _of_task(
        NoticeKind.DECIDED, department_post(fields["department"]), fields, positive=positive, due_at=fields.get("due_at")
    )


def _to_department(kind: NoticeKind) -> Callable[[Fields, Fields], Iterator[Told]]:
    """What concerns one department, with its reason (or the demand of an order) and its time."""

    def told(fields: Fields, case: Fields) -> Iterator[Told]:
        reason = fields.get("demand") or fields.get("reason", "")
        yield _of_task(kind, department_post(fields["department"]), fields, reason=reason, due_at=fields.get("due_at"))

    return told


def _to_working(kind: NoticeKind) -> Callable[[Fields, Fields], Iterator[Told]]:
    """What concerns every department that still has something to do."""

    def told(fields: Fields, case: Fields) -> Iterator[Told]:
        for task in case.get("tasks", ()):
            if task["state"] in OPEN_TASK_STATES:
                yield Told(
                    kind=kind,
                    post=department_post(task["department"]),
                    task_id=task["task_id"],
                    department=task["department"],
                    due_at=fields.get("until"),
                    reason=fields.get("reason", ""),
                )

    return told


def _replied(fields: Fields, case: Fields) -> Iterator[Told]:
    yield _of_task(NoticeKind.REPLIED, OVERSEER, fields, reason=fields["reason"])


def _mediation_due(fields: Fields, case: Fields) -> Iterator[Told]:
    yield Told(kind=NoticeKind.MEDIATION, post=MEDIATORS, due_at=fields["due_at"], reason=_TO_DO[fields["kind"]])


def _mediation_light(fields: Fields, case: Fields) -> Iterator[Told]:
    reason = "调解期限已届满" if fields["light"] == Light.RED else "调解期限已过70%"
    yield Told(kind=NoticeKind.MEDIATION, post=MEDIATORS, due_at=fields["due_at"], reason=reason)


def _police(fields: Fields, case: Fields) -> Iterator[Told]:
    # Protection comes first: what it is about stands in the case, not in a message.
    post = department_post("PSB")
    yield Told(kind=NoticeKind.MEDIATION, post=post, department="PSB", reason="调解中已报警，请立即处置")


def _to_lead(kind: NoticeKind, case: Fields, *, positive: bool = False) -> Iterator[Told]:
    live = (task for task in case.get("tasks", ()) if task["role"] == TaskRole.LEAD and task["state"] != TaskState.REMOVED)
    for task in live:
        yield Told(kind=kind, post=department_post(task["department"]), department=task["department"], positive=positive)


TELLS: dict[str, Callable[[Fields, Fields], Iterator[Told]]] = {
    "mediation.case_dispatched.v1": _dispatched,
    "mediation.task_assigned.v1": _assigned,
    "mediation.light_turned.v1": _light,
    "mediation.task_objected.v1": _objected,
    "mediation.objection_ruled.v1": _ruled,
    "mediation.task_returned.v1": _returned,
    "mediation.case_handled.v1": _handled,
    "mediation.case_verified.v1": _verified,
    "mediation.case_closed.v1": _closed,
    "mediation.case_rejected.v1": _rejected,
    "mediation.case_returned.v1": _incomplete,
    "mediation.case_merged.v1": _merged,
    "mediation.case_transferred.v1": _transferred,
    "mediation.case_reopened.v1": _reopened,
    "mediation.case_suspended.v1": _to_working(NoticeKind.SUSPENDED),
    "mediation.case_resumed.v1": _to_working(NoticeKind.RESUMED),
    "mediation.task_removed.v1": _to_department(NoticeKind.REMOVED),
    "mediation.lead_changed.v1": _to_department(NoticeKind.LEADS),
    "mediation.exemption_proposed.v1": _asked_of(RULER),
    "mediation.exemption_ruled.v1": _decided,
    "mediation.extension_requested.v1": _asked_of(RULER),
    "mediation.extension_ruled.v1": _decided,
    "mediation.case_escalated.v1": _escalated,
    "mediation.supervision_issued.v1": _to_department(NoticeKind.SUPERVISED),
    "mediation.supervision_reply_refused.v1": _to_department(NoticeKind.SUPERVISED),
    "mediation.supervision_light_turned.v1": _light,
    "mediation.supervision_replied.v1": _replied,
    "mediation.supervision_extension_asked.v1": _asked_of(OVERSEER),
    "mediation.supervision_extension_decided.v1": _decided,
    "mediation.supervision_overdue.v1": _escalated,
    "mediation.mediation_reminder_due.v1": _mediation_due,
    "mediation.mediation_light_turned.v1": _mediation_light,
    "mediation.police_informed.v1": _police,
}

"""The verbs on verification orders: opened by a task, completed by a person, opened again or cancelled with the task."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.verification import Assignment, Findings, VerificationOrder, VerificationState
from population.domain.verification_facts import VerificationCompleted, VerificationOpened
from population.policies.requests import Actor, check_department, check_revision, when
from population.policies.verification import check_transition

SERVICE = "svc-population"


def open_order(
    order: VerificationOrder | None, *, assignment: Assignment, now: datetime
) -> tuple[VerificationOrder, tuple[VerificationOpened, ...]]:
    """Opens the order of a task, or opens it again when the task came back. Told twice, it changes nothing."""
    if order is not None and order.state is not VerificationState.CANCELLED:
        return order, ()
    opened = VerificationOrder(
        order_id=assignment.task.task_id,
        city=assignment.city,
        state=VerificationState.OPEN,
        task=assignment.task,
        department=assignment.department,
        category=assignment.category,
        area_code=assignment.area_code or assignment.city,
        description=assignment.description,
        instruction=assignment.instruction,
        point=assignment.point,
        address=assignment.address,
        due_at=assignment.due_at,
        opened_at=now,
        changed_at=now,
        returns=order.returns if order else 0,
        revision=order.revision if order else 0,
    )
    return opened, (_opened(opened),)


def complete_order(
    order: VerificationOrder, *, findings: Findings, revision: int, by: Actor, happened_at: datetime | None, now: datetime
) -> tuple[VerificationOrder, tuple[VerificationCompleted, ...]]:
    """Completes an order. Raises PermissionDenied, FailedPrecondition (state, revision), InvalidArgument (time)."""
    check_department(by, order.department)
    check_revision(revision, order.revision)
    done = replace(
        order,
        state=check_transition(order, "complete"),
        outcome=findings.outcome,
        result=findings.result,
        resident_id=findings.resident_id,
        evidence=findings.evidence,
        completed_at=when(happened_at=happened_at, opened_at=order.opened_at, by=by, now=now),
        completed_by=by.subject,
        changed_at=now,
    )
    return done, (_completed(done, unified_reply=findings.unified_reply or findings.result),)


def return_order(
    order: VerificationOrder, *, reason: str, now: datetime
) -> tuple[VerificationOrder, tuple[VerificationOpened, ...]]:
    """Opens an order again, because its task was sent back. One that is open stays as it is."""
    if order.state is VerificationState.OPEN:
        return order, ()
    opened = replace(
        order,
        state=check_transition(order, "reopen"),
        return_reason=reason,
        returns=order.returns + 1,
        opened_at=now,
        changed_at=now,
        outcome=None,
        completed_at=None,
        completed_by="",
    )
    return opened, (_opened(opened),)


def cancel_order(order: VerificationOrder, *, at: datetime, now: datetime) -> tuple[VerificationOrder, tuple[()]]:
    """Cancels an order whose task went away, or whose case was closed, at `at`. One opened after that stays open."""
    if order.state is not VerificationState.OPEN or at < order.opened_at:
        return order, ()
    return replace(order, state=check_transition(order, "cancel"), changed_at=now), ()


def relocate_order(order: VerificationOrder, *, area_code: str, now: datetime) -> tuple[VerificationOrder, tuple[()]]:
    """Moves an order to the area that was found for its case, so that the people of that area see it."""
    if order.area_code == area_code:
        return order, ()
    return replace(order, area_code=area_code, changed_at=now), ()


def _opened(order: VerificationOrder) -> VerificationOpened:
    return VerificationOpened(
        task=order.task,
        department=order.department,
        by=SERVICE,
        at=order.opened_at,
        order_id=order.order_id,
        area_code=order.area_code,
    )


def _completed(order: VerificationOrder, *, unified_reply: str) -> VerificationCompleted:
    assert order.outcome is not None
    assert order.completed_at is not None
    return VerificationCompleted(
        task=order.task,
        department=order.department,
        result=order.result,
        by=order.completed_by,
        at=order.completed_at,
        evidence=order.evidence,
        unified_reply=unified_reply,
        order_id=order.order_id,
        area_code=order.area_code,
        outcome=order.outcome,
    )

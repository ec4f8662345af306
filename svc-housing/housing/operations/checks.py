"""The verbs on house checks: opened by a task, completed by a person, opened again or cancelled with the task."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from housing.domain import Assignment, Findings, HouseCheck, HouseCheckCompleted, HouseCheckOpened, HouseCheckState
from housing.policies import (
    Actor,
    check_department,
    check_findings,
    check_revision,
    check_transition,
    real_hazards,
    when,
)

SERVICE = "svc-housing"


def open_check(
    check: HouseCheck | None, *, assignment: Assignment, now: datetime
) -> tuple[HouseCheck, tuple[HouseCheckOpened, ...]]:
    """Opens the check of a task, or opens it again when the task came back. Told twice, it changes nothing."""
    if check is not None and check.state is not HouseCheckState.CANCELLED:
        return check, ()
    opened = HouseCheck(
        check_id=assignment.task.task_id,
        city=assignment.city,
        state=HouseCheckState.OPEN,
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
        returns=check.returns if check else 0,
        revision=check.revision if check else 0,
    )
    return opened, (_opened(opened),)


def complete_check(
    check: HouseCheck, *, findings: Findings, revision: int, by: Actor, happened_at: datetime | None, now: datetime
) -> tuple[HouseCheck, tuple[HouseCheckCompleted, ...]]:
    """Completes a check. Raises PermissionDenied, FailedPrecondition (state, revision), InvalidArgument (hazards, time)."""
    check_department(by, check.department)
    check_revision(revision, check.revision)
    check_findings(findings)
    done = replace(
        check,
        state=check_transition(check, "complete"),
        outcome=findings.outcome,
        result=findings.result,
        hazards=real_hazards(findings.hazards),
        house_id=findings.house_id,
        evidence=findings.evidence,
        completed_at=when(happened_at=happened_at, opened_at=check.opened_at, by=by, now=now),
        completed_by=by.subject,
        changed_at=now,
    )
    return done, (_completed(done, unified_reply=findings.unified_reply or findings.result),)


def return_check(check: HouseCheck, *, reason: str, now: datetime) -> tuple[HouseCheck, tuple[HouseCheckOpened, ...]]:
    """Opens a check again, because its task was sent back. One that is open stays as it is."""
    if check.state is HouseCheckState.OPEN:
        return check, ()
    state = check_transition(check, "reopen")
    opened = replace(
        check,
        state=state,
        return_reason=reason,
        returns=check.returns + 1,
        opened_at=now,
        changed_at=now,
        outcome=None,
        completed_at=None,
        completed_by="",
    )
    return opened, (_opened(opened),)


def cancel_check(check: HouseCheck, *, at: datetime, now: datetime) -> tuple[HouseCheck, tuple[()]]:
    """Cancels a check whose task went away, or whose case was closed, at `at`. One opened after that stays open."""
    if check.state is not HouseCheckState.OPEN or at < check.opened_at:
        return check, ()
    return replace(check, state=check_transition(check, "cancel"), changed_at=now), ()


def relocate_check(check: HouseCheck, *, area_code: str, now: datetime) -> tuple[HouseCheck, tuple[()]]:
    """Moves a check to the area that was found for its case, so that the people of that area see it."""
    if check.area_code == area_code:
        return check, ()
    return replace(check, area_code=area_code, changed_at=now), ()


def _opened(check: HouseCheck) -> HouseCheckOpened:
    return HouseCheckOpened(
        task=check.task,
        department=check.department,
        by=SERVICE,
        at=check.opened_at,
        check_id=check.check_id,
        area_code=check.area_code,
    )


def _completed(check: HouseCheck, *, unified_reply: str) -> HouseCheckCompleted:
    assert check.outcome is not None
    assert check.completed_at is not None
    return HouseCheckCompleted(
        task=check.task,
        department=check.department,
        result=check.result,
        by=check.completed_by,
        at=check.completed_at,
        evidence=check.evidence,
        unified_reply=unified_reply,
        check_id=check.check_id,
        area_code=check.area_code,
        outcome=check.outcome,
        hazards=check.hazards,
        house_id=check.house_id,
    )

"""Verification orders, without I/O."""

from __future__ import annotations

import datetime as dt

import pytest

from population import operations
from population.domain.verification import (
    Assignment,
    Findings,
    TaskRef,
    VerificationOrder,
    VerificationOutcome,
    VerificationState,
)
from population.policies.verification import asks_for_verification
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
WORKER = Caller(subject="li", roles=frozenset({"GRID_WORKER"}), area="420502001003")
ASSIGNMENT = Assignment(
    task=TaskRef(case_id="c", task_id="t"), department="COMM", category="L", city="4205", area_code="420502001003"
)
FINDINGS = Findings(outcome=VerificationOutcome.CORRECTED, result="已搬至二单元", unified_reply="已核实并更正")


def an_order() -> VerificationOrder:
    return operations.open_order(None, assignment=ASSIGNMENT, now=NOW)[0]


@pytest.mark.parametrize(
    ("category", "department", "asks"),
    [
        ("L", "COMM", True),
        ("L", "CIVIL", True),
        ("L", "HEALTH", True),
        ("L", "PSB", False),
        ("E", "COMM", True),
        ("E0101", "COMM", True),
        ("E", "CIVIL", False),
        ("A0204", "COMM", False),
        ("", "COMM", False),
    ],
)
def test_which_tasks_ask_for_a_verification(category: str, department: str, asks: bool) -> None:
    assert asks_for_verification(category=category, department=department) is asks


def test_a_task_opens_an_order_once() -> None:
    order, events = operations.open_order(None, assignment=ASSIGNMENT, now=NOW)
    assert (order.order_id, events[0].task, events[0].at) == ("t", ASSIGNMENT.task, NOW)
    assert operations.open_order(order, assignment=ASSIGNMENT, now=LATER) == (order, ())


def test_an_order_is_completed_and_answers_the_task() -> None:
    order, events = operations.complete_order(an_order(), findings=FINDINGS, revision=0, by=WORKER, happened_at=None, now=LATER)
    assert (order.state, order.completed_by) == (VerificationState.COMPLETED, "li")
    assert (events[0].result, events[0].unified_reply, events[0].at) == ("已搬至二单元", "已核实并更正", LATER)
    with pytest.raises(FailedPrecondition):
        operations.complete_order(order, findings=FINDINGS, revision=0, by=WORKER, happened_at=None, now=LATER)


def completed(*, happened_at: dt.datetime, now: dt.datetime, by: Caller = WORKER) -> dt.datetime | None:
    order, _ = operations.complete_order(an_order(), findings=FINDINGS, revision=0, by=by, happened_at=happened_at, now=now)
    return order.completed_at


def test_nothing_is_done_before_it_was_asked_for() -> None:
    assert completed(happened_at=NOW - dt.timedelta(days=2), now=LATER) == NOW


def test_what_a_worker_noted_offline_counts_for_a_week_and_no_longer() -> None:
    """Or an order that lay for weeks could be "done" a minute after it was opened."""
    minute = dt.timedelta(minutes=1)
    in_time = NOW + dt.timedelta(days=7)
    assert completed(happened_at=NOW + minute, now=in_time) == NOW + minute
    with pytest.raises(InvalidArgument) as refusal:
        completed(happened_at=NOW + minute, now=in_time + 2 * minute)
    assert (refusal.value.reason, refusal.value.field) == ("TOO_OLD", "happened_at")
    importer = Caller(subject="import", roles=frozenset({"IMPORTER"}), area="4205")
    assert completed(happened_at=NOW + minute, now=NOW + dt.timedelta(days=400), by=importer) == NOW + minute


def test_another_department_may_not_complete_it() -> None:
    with pytest.raises(PermissionDenied):
        operations.complete_order(
            an_order(), findings=FINDINGS, revision=0, by=Caller(subject="x", department="HEALTH"), happened_at=None, now=LATER
        )


def test_a_returned_or_returning_task_opens_it_again() -> None:
    order, _ = operations.complete_order(an_order(), findings=FINDINGS, revision=0, by=WORKER, happened_at=None, now=LATER)
    returned, events = operations.return_order(order, reason="地址不符", now=LATER)
    assert (returned.state, returned.returns, returned.outcome, len(events)) == (VerificationState.OPEN, 1, None, 1)
    cancelled, _ = operations.cancel_order(returned, at=LATER, now=LATER)
    reopened, events = operations.open_order(cancelled, assignment=ASSIGNMENT, now=LATER)
    assert (reopened.state, reopened.returns, len(events)) == (VerificationState.OPEN, 1, 1)

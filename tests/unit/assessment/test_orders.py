"""Supervision orders in the assessment: what counts for a department, and what does not."""

from __future__ import annotations

import random
from typing import Any

import pytest

from assessment.operations import department_figures
from assessment.store import orders_stages
from tests.unit.assessment.histories import minute, order, reported
from tests.unit.assessment.test_ledgers import taken

ISSUED = order("issued", 50, cause="manual", due_at=minute(100))


def told(*facts: Any) -> Any:
    """The record of the order after some facts, whatever their order."""
    shuffled = random.Random(5).sample([reported(), ISSUED, *facts], k=len(facts) + 2)
    (record,) = taken(shuffled).orders
    assert record == taken([reported(), ISSUED, *facts]).orders[0]
    return record


def test_a_reply_in_time_counts_for_the_department() -> None:
    record = told(order("replied", 60, on_time=True, stance="complied"), order("reply_accepted", 70))
    assert (record.replied_on_time, record.overdue, record.refused, record.void) == (True, False, 0, False)


def test_being_overdue_stays_on_record_after_the_reply() -> None:
    record = told(order("overdue", 100, raises=1), order("replied", 120, on_time=False, stance="underway"))
    assert (record.replied_on_time, record.overdue, record.raises) == (False, True, 1)


def test_a_refused_reply_and_a_refusal_are_two_things() -> None:
    record = told(order("replied", 60, on_time=True, stance="declined"), order("reply_refused", 70, due_at=minute(170)))
    assert (record.declined, record.refused) == (True, 1)


@pytest.mark.parametrize(("settled", "void"), [(False, True), (True, False)])
def test_a_withdrawn_order_does_not_count_but_one_that_ended_with_its_case_does(settled: bool, void: bool) -> None:
    assert told(order("withdrawn", 80, settled=settled)).void is void


def test_figures_show_orders_of_departments_without_tasks_too() -> None:
    counts = {"orders": 3, "orders_replied": 2, "orders_replied_on_time": 1, "orders_overdue": 1, "replies_refused": 1}
    (row,) = department_figures([], {"ENV": counts})
    assert (row.department, row.tasks, row.orders, row.orders_replied, row.orders_replied_on_time) == ("ENV", 0, 3, 2, 1)
    assert (row.orders_overdue, row.replies_refused) == (1, 1)


def test_the_database_counts_what_counts() -> None:
    stages = orders_stages(period="2026-03", query={})
    assert {"$match": {"orders.period": "2026-03", "orders.void": {"$ne": True}}} in stages

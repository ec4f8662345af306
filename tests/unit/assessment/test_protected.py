"""Who may know of suspected domestic violence is the same here as where its cases are handled."""

from __future__ import annotations

from assessment import policies as ours
from assessment.domain import CaseLedger, TaskRecord
from assessment.store import in_category
from mediation.policies import protecting as theirs


def test_both_services_agree() -> None:
    assert ours.PROTECTED_CATEGORY == theirs.PROTECTED_CATEGORY
    assert ours.PROTECTED_READERS == theirs.PROTECTED_READERS
    assert ours.PROTECTING_DEPARTMENTS == theirs.PROTECTING_DEPARTMENTS


def test_the_condition_of_a_category_leaves_out_what_is_hidden() -> None:
    assert in_category("") == {}
    assert in_category("", hidden="A0105") == {"category": {"$ne": "A0105"}}
    assert in_category("A01", hidden="A0105") == {"category": {"$gte": "A01", "$lt": "A01\uffff", "$ne": "A0105"}}


def test_who_was_taken_out_of_a_hidden_case_does_not_see_its_ledger() -> None:
    tasks = (TaskRecord(task_id="a", department="PSB"), TaskRecord(task_id="b", department="WF", removed=True))
    ledger = CaseLedger(case_id="c", facts=(), category="A0105", tasks=tasks)
    hidden = [ours.is_hidden(ledger, hidden="A0105", department=code) for code in ("PSB", "WF", "UMD", "")]
    assert hidden == [False, True, True, True]
    assert not ours.is_hidden(ledger, hidden="", department="WF")

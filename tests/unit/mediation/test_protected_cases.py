"""Who may know of suspected domestic violence (0105): those who protect, and departments as long as they have a part in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from mediation import operations, store
from mediation.policies.access import check_visible
from mediation.rpc.tasks import _left
from svckit.documents import stored

from .builders import DISPATCHER, RESIDENT, WORKER, dispatched, ids, refused, reported, when
from .builders import department as someone_of
from .dispute_builders import JUDGE, POLICE


def test_cases_of_violence_are_hidden_from_ordinary_roles() -> None:
    case = reported(category="A0105", by=DISPATCHER)
    for person in (JUDGE, WORKER, someone_of("JUST")):
        refused("CASE_NOT_FOUND", check_visible, case, person)
    for person in (DISPATCHER, POLICE):
        check_visible(case, person)
    check_visible(reported(category="A0105", by=RESIDENT), RESIDENT)
    helping = dispatched("PSB", "WF", category="A0105")
    check_visible(helping, someone_of("WF"))
    refused("CASE_NOT_FOUND", check_visible, helping, someone_of("JUST"))


def test_lists_and_streams_hide_them_too() -> None:
    helping = stored(dispatched("PSB", "WF", category="A0105"))
    for person in (DISPATCHER, POLICE, someone_of("WF")):
        assert store.view_of(person).shows(helping)
    for person in (JUDGE, someone_of("JUST")):
        assert not store.view_of(person).shows(helping)
    assert store.view_of(JUDGE).where["category"] == {"$ne": "A0105"}
    at_work = {"department": "WF", "state": {"$ne": "removed"}}
    assert store.view_of(someone_of("WF")).where["$or"][1] == {"tasks": {"$elemMatch": at_work}}
    assert "category" not in store.view_of(DISPATCHER).where
    ordinary = stored(dispatched("PMC", "FIRE"))
    assert store.view_of(JUDGE).shows(ordinary)


def test_who_was_taken_out_of_such_a_case_knows_of_it_no_longer() -> None:
    """Whichever way: by the coordinator, by an exemption, by an objection that was upheld."""
    women = someone_of("WF")
    case = dispatched("PSB", "WF", category="A0105")
    given: dict[str, Any] = {"task_id": case.tasks[1].task_id, "reason": "x", **when()}
    removed, _ = operations.remove_task(case, by=DISPATCHER, **given)
    proposed, _ = operations.propose_exemption(case, by=someone_of("PSB", lead=True), **given)
    exempted, _ = operations.rule_exemption(proposed, approved=True, by=DISPATCHER, **given)
    objected, _ = operations.object_task(case, by=women, **given)
    upheld, _ = operations.rule_objection(objected, upheld=True, by=DISPATCHER, new_id=ids(), **given)
    for left in (removed, exempted, upheld):
        refused("CASE_NOT_FOUND", check_visible, left, women)
        assert not store.view_of(women).shows(stored(left))
        assert replace(store.view_of(women), former=True).shows(stored(left))
        check_visible(left, DISPATCHER)
    for there in (case, proposed, objected):
        check_visible(there, women)
        assert store.view_of(women).shows(stored(there))


def test_who_was_taken_out_of_any_other_case_may_look_at_it() -> None:
    case = dispatched("PMC", "FIRE")
    left, _ = operations.remove_task(case, task_id=case.tasks[1].task_id, reason="x", by=DISPATCHER, **when())
    check_visible(left, someone_of("FIRE"))
    assert store.view_of(someone_of("FIRE")).shows(stored(left))


def test_they_hear_it_once_and_not_whenever_the_case_goes_on_without_them() -> None:
    case = dispatched("PSB", "WF", category="A0105")
    gone = case.tasks[1].task_id
    left, _ = operations.remove_task(case, task_id=gone, reason="x", by=DISPATCHER, **when())
    at = left.tasks[1].removed_at
    assert at is not None

    def heard(shown: set[str], since: datetime | None) -> list[str]:
        return [task["task_id"] for task in _left(stored(left), shown, since=since)["tasks"]]

    assert heard({gone}, None) == heard(set(), at - timedelta(seconds=1)) == [gone]
    assert heard(set(), None) == heard(set(), at) == []

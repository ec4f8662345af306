"""Suspended time is neither waiting nor working, and what changes a case midway is in its ledger."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessment.domain import Fact, FactKind, Standstill, StepKind
from assessment.standstills import moving_minutes, standstills_of, still_minutes
from tests.unit.assessment import histories
from tests.unit.assessment.histories import dispatched, membership, minute, on_case, on_task, planned, reported, suspended
from tests.unit.assessment.test_ledgers import taken


def one_department(*more):
    """Reported at 0, dispatched at 10, accepted at 30, done at 130."""
    return [
        reported(),
        dispatched(10, [planned("t", "UMD", at=10, lead=True)]),
        on_task("accepted", "t", "UMD", 30),
        on_task("completed", "t", "UMD", 130),
        on_case("handled", 130),
        *more,
    ]


@pytest.mark.parametrize(
    ("since", "until", "waiting", "working", "still"),
    [
        (40, 100, 20, 40, 60),
        (20, 50, 10, 80, 30),
        (0, 15, 15, 100, 15),
        (120, 500, 20, 90, 10),
        (200, 300, 20, 100, 0),
    ],
    ids=["while working", "over the acceptance", "over the dispatch", "over the end", "after the end"],
)
def test_a_suspension_is_neither_waiting_nor_working(since, until, waiting, working, still):
    ledger = taken(one_department(*suspended(since, until)))
    assert (ledger.waiting_minutes, ledger.working_minutes, ledger.suspended_minutes) == (waiting, working, still)
    assert ledger.actual_minutes == ledger.serial_minutes == 130
    assert sum(step.suspended_minutes for step in ledger.critical_path) == still


def test_the_serial_way_stands_still_once_however_many_departments_wait():
    tasks = [planned("a", "UMD", at=0, lead=True), planned("b", "PSB", at=0), planned("c", "ENV", at=0)]
    history = [reported(), dispatched(0, tasks), *suspended(10, 70)]
    for task, department in (("a", "UMD"), ("b", "PSB"), ("c", "ENV")):
        history += [on_task("accepted", task, department, 5), on_task("completed", task, department, 100)]
    ledger = taken([*history, on_case("handled", 100)])
    assert (ledger.actual_minutes, ledger.serial_minutes) == (100, 3 * 40 + 60)


def test_a_suspension_that_lasts_is_shown_and_counts_when_it_is_over():
    lasting = [reported(), dispatched(10, [planned("t", "UMD", at=10, lead=True)]), *suspended(20, None)]
    assert taken(lasting).suspended
    assert taken(lasting).suspended_minutes == 0
    over = taken([*lasting, *suspended(20, 80)])
    assert (over.suspended, over.suspended_minutes) == (False, 60)


def test_time_with_the_reporter_and_merged_is_nobodys():
    history = [
        reported(),
        ("mediation.case_returned.v1", minute(5), {"case_id": "case", "returned_at": minute(5)}),
        on_case("resubmitted", 25),
        on_case("merged", 30, into="other"),
    ]
    merged = taken(history)
    assert (merged.merged_into, merged.merged_at, merged.suspended) == ("other", minute(30), True)
    alone = taken([*history, on_case("unmerged", 50)])
    assert (alone.merged_into, alone.merged_at, alone.suspended_minutes) == ("", None, 40)


def test_a_reopened_case_is_open_and_the_time_it_was_closed_is_nobodys():
    closed = one_department(on_case("verified", 140, passed=True, failed_task_ids=[]), on_case("closed", 150))
    reopened = [*closed, on_case("evaluated", 160, rating=1), on_case("reopened", 1000)]
    ledger = taken(reopened)
    assert (ledger.handled_at, ledger.closed_at, ledger.rating) == (None, None, 1)
    again = [
        dispatched(1010, [planned("u", "ENV", at=1010, lead=True)]),
        on_task("accepted", "u", "ENV", 1020),
        on_task("completed", "u", "ENV", 1080),
        on_case("handled", 1080),
    ]
    ledger = taken([*reopened, *again])
    steps = [(step.kind, step.department, step.minutes, step.suspended_minutes) for step in ledger.critical_path]
    assert steps == [
        (StepKind.DISPATCH, "", 10, 0),
        (StepKind.TASK, "UMD", 120, 0),
        (StepKind.COORDINATION, "", 880, 850),
        (StepKind.TASK, "ENV", 70, 0),
    ]
    assert ledger.serial_minutes == ledger.actual_minutes == 1080


def test_what_the_grid_handles_itself_is_its_own_time():
    history = [
        reported(),
        ("mediation.case_self_handled.v1", minute(10), {"case_id": "case", "started_at": minute(10)}),
        on_case("handled", 40),
        on_case("verified", 50, passed=False, failed_task_ids=[]),
    ]
    assert taken(history).handled_at is None
    ledger = taken([*history, on_case("handled", 70)])
    shares = [(share.kind, share.department, share.minutes) for share in ledger.critical_shares]
    assert shares == [(StepKind.DISPATCH, "", 10), (StepKind.TASK, "GRID", 50), (StepKind.COORDINATION, "", 10)]
    assert (ledger.working_minutes, ledger.parallel, ledger.tasks) == (50, False, ())


def test_a_case_taken_back_from_the_grid_is_the_departments():
    history = [
        reported(),
        ("mediation.case_self_handled.v1", minute(10), {"case_id": "case", "started_at": minute(10)}),
        on_case("recalled", 20, reason="too much"),
        dispatched(25, [planned("t", "UMD", at=25, lead=True)]),
        on_task("completed", "t", "UMD", 65),
        on_case("handled", 65),
    ]
    shares = {(share.kind, share.department): share.minutes for share in taken(history).critical_shares}
    assert shares == {(StepKind.DISPATCH, ""): 10, (StepKind.COORDINATION, ""): 15, (StepKind.TASK, "UMD"): 40}


def test_a_task_taken_out_midway_is_removed_and_on_no_path():
    tasks = [planned("a", "UMD", at=0, lead=True), planned("b", "PSB", at=0)]
    history = [reported(), dispatched(0, tasks), on_task("completed", "a", "UMD", 20), membership("removed", "b", 30)]
    ledger = taken([*history, on_case("handled", 30)])
    assert [task.removed for task in ledger.tasks] == [False, True]
    assert [(step.kind, step.minutes) for step in ledger.critical_path] == [(StepKind.TASK, 20), (StepKind.COORDINATION, 10)]


def test_tasks_of_a_dispatch_that_was_recalled_are_removed():
    history = [reported(), dispatched(0, [planned("a", "UMD", at=0, lead=True)]), on_case("recalled", 10, reason="wrong")]
    assert taken(history).tasks[0].removed
    assert [task.removed for task in taken([*history, dispatched(20, [planned("b", "PSB", at=20, lead=True)])]).tasks] == [
        True,
        False,
    ]


def test_another_lead_and_more_time_are_in_the_record():
    tasks = [planned("t0", "D0", at=0, lead=True), planned("t1", "D1", at=0)]
    history = [
        reported(),
        dispatched(0, tasks),
        membership("lead_changed", "t1", 5, former="t0"),
        membership("extended", "t1", 9),
    ]
    first, second = taken(history).tasks
    assert (first.task_id, first.lead, first.extensions, first.due_at) == ("t1", True, 1, minute(20_009))
    assert (second.task_id, second.lead, second.extensions) == ("t0", False, 0)


def test_withdrawn_and_transferred_cases_are_over():
    history = [reported(), dispatched(0, [planned("a", "UMD", at=0, lead=True)])]
    gone = taken([*history, on_case("transferred", 50)])
    assert (gone.transferred_at, gone.tasks[0].removed) == (minute(50), True)
    assert taken([reported(), on_case("withdrawn", 5)]).withdrawn_at == minute(5)


def test_escalations_are_counted_with_the_level_they_reached():
    history = [reported(), on_case("escalated", 50, to_level="l2"), on_case("escalated", 90, to_level="l3")]
    ledger = taken(history)
    assert (ledger.escalations, ledger.level) == (2, "l3")


def test_orders_are_recorded_with_their_replies():
    told = [
        histories.order("issued", 50, cause="manual", due_at=minute(100)),
        histories.order("overdue", 100, raises=1),
        histories.order("replied", 120, on_time=False, stance="declined"),
        histories.order("reply_refused", 125, due_at=minute(200)),
        histories.order("replied", 150, on_time=True, stance="complied"),
        histories.order("reply_accepted", 160),
    ]
    (order,) = taken([reported(), *told]).orders
    assert (order.department, order.task_id, order.cause, order.period) == ("D0", "t0", "manual", "2026-03")
    assert (order.due_at, order.replied_at, order.accepted_at) == (minute(200), minute(150), minute(160))
    assert (order.overdue, order.replied_on_time, order.declined, order.refused, order.raises) == (True, False, True, 1, 1)


def test_a_reply_whose_order_is_not_known_yet_waits_for_it():
    assert taken([reported(), histories.order("replied", 120, on_time=True, stance="complied")]).orders == ()


def test_a_limit_that_had_passed_when_it_was_met_was_red_even_if_nobody_turned_the_light():
    history = [
        reported(),
        dispatched(0, [planned("t", "UMD", at=0, lead=True)]),
        on_task("accepted", "t", "UMD", 30),
        on_task("completed", "t", "UMD", 130, on_time=False),
    ]
    ledger = taken(history)
    assert (ledger.tasks[0].light, ledger.light) == ("red", "red")


STOPS = (FactKind.SUSPENDED, FactKind.RESUMED, FactKind.CASE_RETURNED, FactKind.RESUBMITTED, FactKind.CLOSED, FactKind.REOPENED)


@given(st.lists(st.tuples(st.sampled_from(STOPS), st.integers(0, 50)), max_size=12))
def test_standstills_are_in_order_and_apart(told):
    facts = [Fact(kind=kind, at=minute(at)) for kind, at in sorted(told, key=lambda one: one[1])]
    standstills, _ = standstills_of(facts)
    assert all(one.since <= one.until for one in standstills)
    assert all(earlier.until < later.since for earlier, later in itertools.pairwise(standstills))


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True).map(sorted),
)
def test_moving_and_still_minutes_are_what_counting_every_minute_gives(start, end, marks):
    pairs = [(marks[n], marks[n + 1]) for n in range(0, len(marks) - 1, 2)]
    standstills = tuple(Standstill(minute(since), minute(until)) for since, until in pairs)
    still = sum(any(since <= m < until for since, until in pairs) for m in range(start, end))
    assert still_minutes(minute(start), minute(end), standstills) == still
    assert moving_minutes(minute(start), minute(end), standstills) == max(0, end - start) - still

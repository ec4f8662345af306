"""The verbs of fire safety, without I/O."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fire_safety import codes, operations, policies
from fire_safety.domain import (
    TRANSITIONS,
    Answer,
    Assignment,
    HazardStatus,
    Inspection,
    InspectionCancelled,
    InspectionCompleted,
    InspectionOpened,
    InspectionState,
    ItemAnswer,
    Place,
    PlaceDraft,
    Result,
    TaskRef,
)
from svckit.access import Caller

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
INSPECTOR = Caller(subject="zhang", roles=frozenset({"DEPT_HANDLER"}), department="FIRE", area="4205")
WARDEN = Caller(subject="li", roles=frozenset({"GRID_FIRE"}), area="420502")


def later(hours: float) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


def a_place(place_type: str = "FP13") -> Place:
    draft = PlaceDraft(place_type=place_type, name="出租房", area_code="420502001003")
    return operations.create_place(place_id="p", draft=draft, now=NOW)[0]


def an_inspection(place: Place | None = None) -> Inspection:
    assignment = Assignment(
        task=TaskRef(case_id="c", task_id="t", case_number="420502-2026-000001"),
        department="FIRE",
        city="4205",
        area_code="420502001003",
        asked_at=NOW,
        place_id=place.place_id if place else "",
        place_type=place.place_type if place else "",
    )
    return operations.open_for_task(inspection_id="i", assignment=assignment, inspection_type="IT10", now=later(1))[0]


def passes(inspection: Inspection, *, except_for: str = "") -> list[ItemAnswer]:
    return [ItemAnswer(code=item.code, answer=Answer.PASS) for item in inspection.items if item.code != except_for]


def test_a_new_place_is_due_one_interval_after_its_registration():
    assert a_place("FP13").next_inspection_at == NOW + dt.timedelta(days=30)
    assert a_place().city == "4205"


def test_an_unknown_place_type_is_refused():
    with pytest.raises(policies.UnknownPlaceType) as refusal:
        a_place("FP98")
    assert refusal.value.field == "place.place_type"


def test_an_older_inspection_does_not_overwrite_a_newer_one():
    newer, _ = operations.note_inspection(a_place(), inspection_id="2", completed_at=later(5), item_score=1, now=later(6))
    after, _ = operations.note_inspection(newer, inspection_id="1", completed_at=later(2), item_score=9, now=later(6))
    assert after is newer
    assert newer.next_inspection_at == later(5) + dt.timedelta(days=30)


def test_the_checklist_of_a_registered_place_is_that_of_its_kind():
    codes_of_list = {item.code for item in an_inspection(a_place("FP16")).items}
    assert codes_of_list == {"FC304", "FC401"}


def test_without_a_registered_place_the_general_items_are_asked():
    assert [item.code for item in an_inspection().items] == list(policies.GENERAL_ITEMS)
    assert "FC201" in policies.GENERAL_ITEMS


@pytest.mark.parametrize("place_type", sorted(codes.place_types()))
def test_every_kind_of_place_has_a_checklist(place_type):
    assert policies.checklist_for(place_type)


def test_opening_for_a_task_tells_that_the_department_has_accepted_it():
    inspection = an_inspection()
    fact = operations._opened(inspection)
    assert fact == InspectionOpened(
        inspection_id="i",
        inspection_type="IT10",
        area_code="420502001003",
        by="fire_safety",
        at=later(1),
        task=inspection.task,
        department="FIRE",
    )


def test_only_the_role_of_the_inspection_type_opens_one_by_hand():
    opened, _ = operations.open_for_place(inspection_id="i", place=a_place(), inspection_type="IT2", by=WARDEN, now=NOW)
    assert opened.opened_by == "li"
    with pytest.raises(policies.NotTheInspector):
        operations.open_for_place(inspection_id="i", place=a_place(), inspection_type="IT7", by=WARDEN, now=NOW)
    with pytest.raises(policies.UnknownInspectionType):
        operations.open_for_place(inspection_id="i", place=a_place(), inspection_type="IT77", by=WARDEN, now=NOW)


def test_a_failed_exit_becomes_a_hazard_with_a_limit():
    inspection = an_inspection()
    answers = [*passes(inspection, except_for="FC201"), ItemAnswer(code="FC201", answer=Answer.FAIL, note="杂物堵塞")]
    done, (fact,) = operations.complete_inspection(
        inspection, result=Result(answers=tuple(answers), result="责令清理"), by=INSPECTOR, now=later(3)
    )
    (hazard,) = done.hazards
    assert (hazard.item_code, hazard.level, hazard.status) == ("FC201", "H2", HazardStatus.TO_BE_FIXED)
    assert hazard.due_at == later(3 + 2)
    assert done.veto
    assert done.item_score == round(100 * 10 / sum(item.weight for item in done.items), 1)
    assert isinstance(fact, InspectionCompleted)
    assert (fact.task, fact.result, fact.by, fact.at) == (inspection.task, "责令清理", "zhang", later(3))


def test_what_is_put_right_on_the_spot_is_a_hazard_already_fixed():
    inspection = an_inspection()
    fixed = ItemAnswer(code="FC201", answer=Answer.FAIL, note="当场清理", fixed_on_spot=True)
    answers = [*passes(inspection, except_for="FC201"), fixed]
    done, _ = operations.complete_inspection(
        inspection, result=Result(answers=tuple(answers), result="ok"), by=INSPECTOR, now=later(2)
    )
    assert done.hazards[0].status is HazardStatus.FIXED_ON_SPOT


def test_a_potential_major_hazard_goes_to_the_fire_authority_even_if_fixed():
    inspection = an_inspection(a_place("FP22"))
    hot_work = ItemAnswer(code="FC306", answer=Answer.FAIL, note="动火", fixed_on_spot=True)
    answers = [*passes(inspection, except_for="FC306"), hot_work]
    done, _ = operations.complete_inspection(
        inspection, result=Result(answers=tuple(answers), result="ok"), by=INSPECTOR, now=later(2)
    )
    assert done.hazards[0].status is HazardStatus.HANDED_TO_FIRE_AUTHORITY


def test_too_few_answers_do_not_complete_an_inspection():
    inspection = an_inspection()
    with pytest.raises(policies.ChecklistIncomplete) as refusal:
        operations.complete_inspection(
            inspection, result=Result(answers=tuple(passes(inspection)[:4]), result="x"), by=INSPECTOR, now=later(2)
        )
    assert refusal.value.metadata["items"] == "FC207,FC301,FC401,FC403,FC411"


@pytest.mark.parametrize(
    "answers",
    [
        [ItemAnswer(code="FC101", answer=Answer.PASS)],
        [ItemAnswer(code="FC201", answer=Answer.FAIL)],
        [ItemAnswer(code="FC301", answer=Answer.FAIL, note="x", fixed_on_spot=True)],
        [ItemAnswer(code="FC201", answer=Answer.PASS, fixed_on_spot=True)],
        [ItemAnswer(code="FC201", answer=Answer.PASS), ItemAnswer(code="FC201", answer=Answer.PASS)],
    ],
    ids=["not in the checklist", "no note", "not possible on the spot", "nothing failed", "twice"],
)
def test_answers_that_do_not_fit_are_refused(answers):
    with pytest.raises(policies.WrongAnswer):
        operations.record_items(an_inspection(), answers=answers, by=INSPECTOR, now=NOW)


def test_a_later_answer_replaces_the_earlier_one():
    first = [ItemAnswer(code="FC201", answer=Answer.FAIL, note="x", fixed_on_spot=True)]
    once, _ = operations.record_items(an_inspection(), answers=first, by=INSPECTOR, now=NOW)
    second = [ItemAnswer(code="FC201", answer=Answer.PASS)]
    twice, _ = operations.record_items(once, answers=second, by=INSPECTOR, now=later(2))
    item = twice.items[0]
    assert (item.answer, item.note, item.fixed_on_spot, item.answered_at) == (Answer.PASS, "", False, later(2))


def test_another_department_may_not_answer():
    stranger = Caller(subject="wang", roles=frozenset({"DEPT_HANDLER"}), department="UMD")
    with pytest.raises(policies.NotTheInspector):
        operations.record_items(an_inspection(), answers=[], by=stranger, now=NOW)


def test_a_task_that_went_elsewhere_cancels_its_inspection():
    gone, facts = operations.cancel_inspection(an_inspection(), gone_at=later(5), now=later(6))
    assert gone.state is InspectionState.CANCELLED
    assert isinstance(facts[0], InspectionCancelled)
    with pytest.raises(policies.InspectionNotOpen):
        operations.record_items(gone, answers=[], by=INSPECTOR, now=NOW)


def test_an_inspection_asked_for_after_the_task_went_is_kept():
    inspection = an_inspection()
    assert operations.cancel_inspection(inspection, gone_at=NOW - dt.timedelta(hours=1), now=NOW) == (inspection, ())


@given(data=st.data())
def test_scores_lie_between_nothing_failed_and_everything_failed(data):
    inspection = an_inspection(a_place("FP10"))
    kinds = data.draw(st.lists(st.sampled_from(Answer), min_size=len(inspection.items), max_size=len(inspection.items)))
    answers = [
        ItemAnswer(code=item.code, answer=answer, note="x") for item, answer in zip(inspection.items, kinds, strict=True)
    ]
    done, _ = operations.complete_inspection(
        inspection, result=Result(answers=tuple(answers), result="x"), by=INSPECTOR, now=later(2)
    )
    assert 0 <= done.item_score <= 100
    assert (done.item_score == 0) == (Answer.FAIL not in kinds)
    assert len(done.hazards) <= kinds.count(Answer.FAIL)


def test_every_state_appears_in_the_workflow_table():
    assert {row.target for row in TRANSITIONS} == set(InspectionState)


@pytest.mark.parametrize("hours", [-1, 4], ids=["before it was asked for", "in the future"])
def test_an_inspection_is_completed_after_it_was_asked_for_and_not_in_the_future(hours):
    inspection = an_inspection()
    result = Result(answers=tuple(passes(inspection)), result="x", happened_at=later(hours))
    with pytest.raises(policies.WrongMoment):
        operations.complete_inspection(inspection, result=result, by=INSPECTOR, now=later(3))


def test_what_was_noted_offline_counts_for_a_week_and_no_longer():
    """Or an inspection that lay for weeks could be "done" an hour after it was asked for."""
    inspection, week = an_inspection(), 7 * 24
    result = Result(answers=tuple(passes(inspection)), result="x", happened_at=later(1))
    done, _ = operations.complete_inspection(inspection, result=result, by=INSPECTOR, now=later(week + 1))
    assert done.completed_at == later(1)
    with pytest.raises(policies.WrongMoment) as refusal:
        operations.complete_inspection(inspection, result=result, by=INSPECTOR, now=later(week + 2))
    assert (refusal.value.reason, refusal.value.field) == ("TOO_OLD", "happened_at")


def test_what_an_offline_device_sends_late_happened_when_it_says():
    inspection = an_inspection()
    result = Result(answers=tuple(passes(inspection)), result="x", happened_at=later(2), unified_reply="统一答复")
    done, (fact,) = operations.complete_inspection(inspection, result=result, by=INSPECTOR, now=later(3))
    assert (done.completed_at, done.changed_at) == (later(2), later(3))
    assert isinstance(fact, InspectionCompleted)
    assert (fact.at, fact.unified_reply) == (later(2), "统一答复")


def test_only_an_inspection_that_knows_its_city_alone_is_located():
    lost = msgspec.structs.replace(an_inspection(), area_code="4205")
    found, _ = operations.locate_inspection(lost, area_code="420502001003", now=NOW)
    assert found.area_code == "420502001003"
    assert operations.locate_inspection(found, area_code="420502001004", now=NOW)[0] is found
    assert operations.locate_inspection(lost, area_code="420101", now=NOW)[0] is lost

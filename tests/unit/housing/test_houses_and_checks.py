"""Houses and house checks, without I/O."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from housing import operations
from housing.domain import (
    Assignment,
    BuildingDraft,
    Findings,
    House,
    HouseCheck,
    HouseCheckOutcome,
    HouseCheckState,
    HouseDraft,
    HouseUse,
    Point,
    TaskRef,
)
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
GRID = "42050200100310001"
HANDLER = Caller(subject="zhang", roles=frozenset({"DEPT_HANDLER"}), department="HOUSING", area="4205")
ASSIGNMENT = Assignment(
    task=TaskRef(case_id="c", task_id="t", case_number="420502-2026-000001"),
    department="HOUSING",
    category="B",
    city="4205",
    area_code=GRID,
)
CLEAR = Findings(outcome=HouseCheckOutcome.CLEAR, result="未见隐患")


def a_house(**fields: object) -> House:
    draft = HouseDraft(building_id="b", number="301", **fields)  # type: ignore[arg-type]
    return operations.create_house(draft=draft, area_code=GRID, house_id="h", now=NOW)[0]


def a_check() -> HouseCheck:
    return operations.open_check(None, assignment=ASSIGNMENT, now=NOW)[0]


def completed(check: HouseCheck, findings: Findings = CLEAR, **named: object) -> HouseCheck:
    given_ = {"revision": 0, "by": HANDLER, "happened_at": None, "now": LATER} | named
    return operations.complete_check(check, findings=findings, **given_)[0]  # type: ignore[arg-type]


def test_a_building_stands_in_a_community_or_grid() -> None:
    building, _ = operations.create_building(
        draft=BuildingDraft(area_code=GRID, name="3号楼", building_type="01"), building_id="b", now=NOW
    )
    assert building.city == "4205"
    for area_code, building_type, reason in (("420502", "01", "AREA_CODE_INVALID"), (GRID, "77", "CODE_UNKNOWN")):
        with pytest.raises(InvalidArgument) as refusal:
            operations.create_building(
                draft=BuildingDraft(area_code=area_code, name="x", building_type=building_type), building_id="b", now=NOW
            )
        assert refusal.value.reason == reason


def test_a_building_tells_where_it_is_and_whether_it_has_a_lift() -> None:
    draft = BuildingDraft(area_code=GRID, name="3号楼", building_type="01", floors=6, point=Point(111.2, 30.6))
    building, (told,) = operations.create_building(draft=draft, building_id="b", now=NOW)
    assert (told.lift, told.point, told.floors) == (None, Point(111.2, 30.6), 6)
    values = BuildingDraft(area_code="", name="", building_type="", lift=True)
    changed, (fact,) = operations.update_building(building, fields=("lift",), values=values, revision=0, now=LATER)
    assert (changed.lift, changed.name, fact.lift, fact.at) == (True, "3号楼", True, LATER)
    for fields, reason in (
        (("area_code",), "FIELD_NOT_CHANGEABLE"),
        (("name",), "NAME_MISSING"),
        (("building_type",), "CODE_UNKNOWN"),
    ):
        with pytest.raises(InvalidArgument) as refusal:
            operations.update_building(building, fields=fields, values=values, revision=0, now=LATER)
        assert refusal.value.reason == reason


def test_a_changed_house_tells_its_storey() -> None:
    values = HouseDraft(building_id="", number="", floor=5)
    changed, (fact,) = operations.update_house(a_house(floor=3), fields=("floor",), values=values, revision=0, now=LATER)
    assert (changed.floor, fact.floor, fact.house_id) == (5, 5, "h")


def test_what_is_not_known_of_a_house_has_a_code() -> None:
    house = a_house(hazards=("00",))
    assert (house.ownership, house.occupancy, house.hazards) == ("99", "09", ())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ownership": "13"}, "CODE_UNKNOWN"),
        ({"occupancy": "00"}, "CODE_UNKNOWN"),
        ({"hazards": ("02", "88")}, "CODE_UNKNOWN"),
        ({"occupancy": "02", "rent_use": "55"}, "CODE_UNKNOWN"),
        ({"occupancy": "01", "rent_use": "01"}, "NOT_LET"),
    ],
)
def test_wrong_codes_of_a_house_are_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        a_house(**fields)
    assert refusal.value.reason == reason


def test_a_house_update_is_judged_as_a_whole() -> None:
    let = a_house(occupancy="02", rent_use="01")
    values = HouseDraft(building_id="", number="", occupancy="01", use=HouseUse.SHOP)
    with pytest.raises(InvalidArgument):
        operations.update_house(let, fields=["occupancy"], values=values, revision=0, now=LATER)
    sold, _ = operations.update_house(let, fields=["occupancy", "rent_use"], values=values, revision=0, now=LATER)
    assert (sold.occupancy, sold.rent_use, sold.use) == ("01", "", None)


def test_an_older_check_does_not_overwrite_a_newer_one() -> None:
    house, _ = operations.note_check(a_house(), hazards=("02",), at=LATER)
    assert (house.hazards, house.checked_at) == (("02",), LATER)
    again, _ = operations.note_check(house, hazards=(), at=NOW)
    assert again is house


def test_a_task_opens_a_check_once() -> None:
    check, events = operations.open_check(None, assignment=ASSIGNMENT, now=NOW)
    assert check.check_id == "t"
    assert (events[0].task, events[0].department, events[0].at) == (ASSIGNMENT.task, "HOUSING", NOW)
    assert operations.open_check(check, assignment=ASSIGNMENT, now=LATER) == (check, ())


def test_a_check_is_completed_and_answers_the_task() -> None:
    findings = Findings(outcome=HouseCheckOutcome.ORDERED, result="责令拆除隔断", hazards=("07", "02"), house_id="h")
    check, events = operations.complete_check(a_check(), findings=findings, revision=0, by=HANDLER, happened_at=NOW, now=LATER)
    assert check.state is HouseCheckState.COMPLETED
    assert (events[0].by, events[0].at, events[0].hazards, events[0].unified_reply) == (
        "zhang",
        NOW,
        ("02", "07"),
        "责令拆除隔断",
    )


@pytest.mark.parametrize(
    ("outcome", "hazards"),
    [
        (HouseCheckOutcome.CLEAR, ("02",)),
        (HouseCheckOutcome.NO_ENTRY, ("02",)),
        (HouseCheckOutcome.ORDERED, ()),
        (HouseCheckOutcome.ORDERED, ("00",)),
    ],
)
def test_hazards_must_fit_the_outcome(outcome: HouseCheckOutcome, hazards: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        completed(a_check(), Findings(outcome=outcome, result="x", hazards=hazards))
    assert refusal.value.reason == "OUTCOME_CONTRADICTS_HAZARDS"


def test_another_department_and_a_future_time_are_refused() -> None:
    with pytest.raises(PermissionDenied):
        completed(a_check(), by=Caller(subject="li", department="FIRE"))
    with pytest.raises(InvalidArgument):
        completed(a_check(), happened_at=LATER + dt.timedelta(days=1))
    assert completed(a_check(), happened_at=LATER + dt.timedelta(minutes=1)).completed_at == LATER
    assert completed(a_check(), happened_at=NOW - dt.timedelta(days=2)).completed_at == a_check().opened_at


def test_what_was_noted_offline_counts_for_a_week_and_no_longer() -> None:
    """Or a check that lay for weeks could be "done" a minute after it was opened."""
    minute = dt.timedelta(minutes=1)
    in_time = NOW + dt.timedelta(days=7)
    assert completed(a_check(), happened_at=NOW + minute, now=in_time).completed_at == NOW + minute
    with pytest.raises(InvalidArgument) as refusal:
        completed(a_check(), happened_at=NOW + minute, now=in_time + 2 * minute)
    assert (refusal.value.reason, refusal.value.field) == ("TOO_OLD", "happened_at")
    importer = Caller(subject="import", roles=frozenset({"IMPORTER"}), area="4205")
    imported = completed(a_check(), happened_at=NOW + minute, now=NOW + dt.timedelta(days=400), by=importer)
    assert imported.completed_at == NOW + minute


def test_a_completed_check_is_not_completed_again() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        completed(completed(a_check()))
    assert refusal.value.reason == "WRONG_STATE"


def test_a_returned_task_opens_the_check_again() -> None:
    check, events = operations.return_check(completed(a_check()), reason="照片不清", now=LATER)
    assert (check.state, check.returns, check.outcome, check.return_reason) == (HouseCheckState.OPEN, 1, None, "照片不清")
    assert len(events) == 1
    assert operations.return_check(check, reason="x", now=LATER) == (check, ())


def test_a_task_that_comes_back_opens_a_cancelled_check() -> None:
    cancelled, _ = operations.cancel_check(a_check(), at=NOW, now=LATER)
    assert operations.cancel_check(cancelled, at=LATER, now=LATER)[0] is cancelled
    opened, events = operations.open_check(cancelled, assignment=ASSIGNMENT, now=LATER)
    assert (opened.state, len(events)) == (HouseCheckState.OPEN, 1)


def test_a_task_done_in_another_way_cancels_only_what_was_open_then() -> None:
    check = a_check()
    assert operations.cancel_check(check, at=NOW - dt.timedelta(seconds=1), now=LATER) == (check, ())
    done = completed(check)
    assert operations.cancel_check(done, at=LATER, now=LATER) == (done, ())
    cancelled, _ = operations.cancel_check(check, at=LATER, now=LATER)
    again, events = operations.return_check(cancelled, reason="未完成", now=LATER)
    assert (again.state, len(events)) == (HouseCheckState.OPEN, 1)


@given(st.lists(st.sampled_from(["open", "complete", "return", "cancel"]), max_size=12))
def test_messages_in_any_order_never_break_a_check(verbs: list[str]) -> None:
    check: HouseCheck | None = None
    for verb in verbs:
        if verb == "open":
            check, _ = operations.open_check(check, assignment=ASSIGNMENT, now=NOW)
        elif check is None:
            continue
        elif verb == "complete" and check.state is HouseCheckState.OPEN:
            check = completed(check)
        elif verb == "return":
            check, _ = operations.return_check(check, reason="x", now=NOW)
        elif verb == "cancel":
            check, _ = operations.cancel_check(check, at=NOW, now=NOW)
    if check is not None:
        assert (check.completed_at is not None) == (check.outcome is not None)


def test_a_case_is_located_once() -> None:
    found, events = operations.locate_case(None, case_id="c", city="4205", point=Point(1, 2), area_code=GRID, now=NOW)
    assert events[0].area_code == found.area_code == GRID
    assert operations.locate_case(found, case_id="c", city="4205", point=Point(9, 9), area_code="4205", now=LATER) == (
        found,
        (),
    )

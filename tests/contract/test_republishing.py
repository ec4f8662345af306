"""What services tell anew makes their followers whole, and changes nothing where they were."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from assessment.visits import AreaRoster, VisitPeriod, take_roster, take_visit
from housing import republishing as housing
from housing.domain import AreaDraft, Building, BuildingDraft, House, HouseDraft, RosterEntry
from housing.operations import create_area, create_building, create_house
from population import republishing as population
from population.domain.care import VisitPlan
from population.operations import care
from population.operations.living import place_building, place_house
from svckit.access import Caller
from svckit.event_codec import event_fields, event_json, event_type

GRID = "42050200100310001"
ENTERED = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
NOW = ENTERED + dt.timedelta(days=3)
WORKER = Caller(subject="w1", roles=frozenset({"GRID_WORKER"}), area="4205")


def read(facts: Iterable[Any]) -> list[tuple[str, dict[str, Any]]]:
    """What a follower reads of facts."""
    return [(event_type(fact), event_fields(event_type(fact), event_json(fact))) for fact in facts]


def test_a_roster_is_known_since_the_area_was_changed_and_once() -> None:
    draft = AreaDraft(area_code=GRID, name="第1网格", roster=(RosterEntry(role="GRID_WORKER", subject="w1"),))
    area, first_told = create_area(draft=draft, now=ENTERED)
    known: AreaRoster | None = None
    for _, fields in read([*housing.areas(area, NOW), *first_told, *housing.areas(area, NOW)]):
        known, _ = take_roster(known, fields=fields)
    assert known is not None
    assert [roster.at for roster in known.rosters] == [ENTERED]
    assert [duty.subject for duty in known.rosters[0].duties] == ["w1"]


def test_a_home_told_before_without_its_storey_has_it_now() -> None:
    building: Building = create_building(
        draft=BuildingDraft(area_code=GRID, name="3号楼", building_type="01", floors=6, lift=False),
        building_id="b",
        now=ENTERED,
    )[0]
    house: House = create_house(
        draft=HouseDraft(building_id="b", number="301", floor=3), area_code=GRID, house_id="h", now=ENTERED
    )[0]
    earlier = {"house_id": "h", "building_id": "b", "floor": 0, "at": ENTERED}
    known, _ = place_house(None, fields=earlier)
    ((kind, fields),) = read(housing.houses(house, NOW))
    known, _ = place_house(known, fields=fields)
    assert (kind, known.floor) == ("housing.house_changed.v1", 3)
    ((_, fields),) = read(housing.buildings(building, NOW))
    assert place_building(None, fields=fields)[0].lift is False


def plan(visits: int) -> tuple[VisitPlan, list[Any]]:
    made, told = care.start_plan(plan_id="p", rule="VC3", area_code=GRID, resident_id="", now=ENTERED)
    facts: list[Any] = [*told]
    for number in range(visits):
        at = ENTERED + dt.timedelta(minutes=number)
        made, told_of_visit = care.record_visit(
            made, notes="", nothing_to_report=True, evidence=(), by=WORKER, happened_at=None, now=at
        )
        facts += told_of_visit
    return made, facts


def taken(facts: Iterable[Any], known: VisitPeriod | None = None) -> VisitPeriod | None:
    for kind, fields in read(facts):
        known, _ = take_visit(known, event_type=kind, fields=fields)
    return known


def test_a_period_of_visits_is_whole_again_and_counts_nothing_twice() -> None:
    made, facts = plan(3)
    told = population.visits(made, NOW)
    whole = taken(facts)
    assert whole is not None
    assert len(whole.made) == 3
    assert taken(told) == whole
    assert taken(told, whole) is whole


def test_of_a_period_with_more_visits_than_are_kept_no_other_one_counts() -> None:
    made, facts = plan(25)
    whole = taken(facts)
    assert taken(population.visits(made, NOW), whole) is whole


def test_nothing_is_told_of_plans_that_ended() -> None:
    assert population.visits(care.end_plan(plan(1)[0], now=NOW)[0], NOW) == ()

"""Storey, lift and place of a home, as svc-housing tells them in any order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from population.domain.dwelling import BuildingPlace, Dwelling, HousePlace
from population.domain.living import Living
from population.domain.residence import Residence, ResidenceKind
from population.domain.resident import Resident
from population.domain.standing import ResidentStatus, Standing
from population.operations.living import dwelling_of, home_of, place_building, place_house, settle_living

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def home(house: str, since: str = "2020-01-01", **more: Any) -> Residence:
    return Residence(residence_id=f"r-{house}", house_id=house, area_code="420502001003", since=since, **more)


def somebody(*homes: Residence, living: Living | None = None) -> Resident:
    return Resident(
        resident_id="p",
        city="4205",
        area_code="420502001003",
        name="王",
        sex="1",
        birth_date="1940-01-01",
        id_doc_type="999",
        resident_type="01",
        created_at=NOW,
        changed_at=NOW,
        residences=homes,
        living=living,
    )


def house_fact(minute: int, floor: int) -> dict[str, Any]:
    return {"house_id": "h", "building_id": "b", "floor": floor, "at": NOW + dt.timedelta(minutes=minute)}


@given(st.permutations([(1, 3), (2, 0), (3, 7), (3, 7)]))
def test_what_was_told_last_counts_in_any_order(facts: list[tuple[int, int]]) -> None:
    known: HousePlace | None = None
    for minute, floor in facts:
        known, _ = place_house(known, fields=house_fact(minute, floor))
    assert known is not None
    assert known.floor == 7


def test_what_is_not_known_is_no_storey_and_no_lift() -> None:
    assert place_house(None, fields=house_fact(1, 0))[0].floor is None
    told: dict[str, Any] = {"building_id": "b", "at": NOW}
    building, _ = place_building(None, fields=told)
    assert (building.lift, building.longitude) == (None, None)
    later = {**told, "lift": False, "point": {"longitude": 111.2, "latitude": 30.6}, "at": NOW + dt.timedelta(1)}
    building, _ = place_building(replace(building, revision=3), fields=later)
    assert (building.lift, building.latitude, building.revision) == (False, 30.6, 3)
    assert place_building(building, fields=told)[0] is building


def test_the_house_says_how_somebody_lives_and_people_say_the_rest() -> None:
    house = HousePlace(house_id="h", building_id="b", floor=5, told_at=NOW)
    dwelling = dwelling_of(house, BuildingPlace(building_id="b", lift=False, told_at=NOW))
    person = somebody(home("h"), living=Living(floor=2, alone=True, longitude=111.0, latitude=30.0))
    settled, (fact,) = settle_living(person, dwellings={"h": dwelling}, now=NOW)
    assert settled.living == Living(floor=5, lift=False, alone=True, longitude=111.0, latitude=30.0)
    assert fact.fields == ("living",)
    assert settle_living(settled, dwellings={"h": dwelling}, now=NOW) == (settled, ())
    assert dwelling_of(house, None) == Dwelling(floor=5)


@pytest.mark.parametrize(
    "person",
    [
        somebody(),
        somebody(home("x")),
        somebody(home("h", until="2021-01-01")),
        somebody(home("h", kind=ResidenceKind.REGISTERED)),
        replace(somebody(home("h")), standing=Standing(status=ResidentStatus.DECEASED, since="2026-01-01", at=NOW, by="x")),
    ],
)
def test_who_does_not_live_there_is_left_alone(person: Resident) -> None:
    assert settle_living(person, dwellings={"h": Dwelling(floor=5)}, now=NOW) == (person, ())


def test_of_two_homes_the_later_one_is_where_somebody_lives() -> None:
    assert home_of(somebody(home("old"), home("new", since="2024-05-01"))) == "new"
    assert settle_living(somebody(home("h")), dwellings={"h": Dwelling()}, now=NOW)[1] == ()

"""The registered place at the spot of a case."""

from __future__ import annotations

import pytest
from pymongo import MongoClient

from fire_safety import store
from fire_safety.domain import Point
from svckit.schema import ensure_schema

pytestmark = pytest.mark.integration

HERE = Point(111.2865, 30.6919)
METRE_NORTH = 1 / 111_320


@pytest.fixture(scope="module")
def places(mongo_uri, database_name):
    ensure_schema(uri=mongo_uri, database=database_name, documents=store.DOCUMENTS)
    with MongoClient(mongo_uri) as client:
        yield client[database_name].places


@pytest.fixture(autouse=True)
def _empty(places):
    places.delete_many({})


def register(places, name: str, point: Point | None) -> None:
    stored = {"longitude": point.longitude, "latitude": point.latitude} if point else None
    places.insert_one({"_id": name, "external_id": name, "city": "4205", "place_type": "FP13", "point": stored})


def north(metres: float) -> Point:
    return Point(HERE.longitude, HERE.latitude + metres * METRE_NORTH)


def test_a_place_within_twenty_metres_is_the_one_meant(places):
    register(places, "near", north(15))
    register(places, "far", north(60))
    register(places, "nowhere", None)
    found = store.places_at(places, {"task": HERE, "elsewhere": north(500)})
    assert {key: place["_id"] for key, place in found.items()} == {"task": "near"}


def test_two_places_at_the_spot_leave_it_open(places):
    register(places, "left", north(3))
    register(places, "right", north(-3))
    assert store.places_at(places, {"task": HERE}) == {}


def test_several_spots_are_asked_at_once(places):
    register(places, "a", north(0))
    register(places, "b", north(100))
    found = store.places_at(places, {"1": north(1), "2": north(99), "3": north(101)})
    assert {key: place["_id"] for key, place in found.items()} == {"1": "a", "2": "b", "3": "b"}


def test_distances_are_those_on_the_ground():
    assert store.metres_between(HERE, north(20)) == pytest.approx(20, abs=0.05)
    assert store.metres_between(Point(111.0, 30.0), Point(111.001, 30.0)) == pytest.approx(96.4, abs=0.2)

"""`python -m housing republish`: what is stored is told again, by the relay, to who listens now; stopped, it goes on."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from housing.domain import House, HouseDraft
from housing.operations import create_house
from housing.republishing import KINDS, houses
from svckit.documents import Form
from svckit.ids import new_id
from svckit.republish import AT_ONCE, MOST_WAITING, Kind, Republisher, command
from tests.integration.housing.district import GRIDS, District
from tests.services import eventually

FORM = Form(House, id_field="house_id")
HOUSES: Kind[House] = next(kind for kind in KINDS if kind.name == "houses")
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
Rows = Database[dict[str, Any]]


def test_followers_hear_of_every_building_and_roster_again(district: District, mongo_uri: str) -> None:
    building = district.building()
    heard = district.service.facts("housing.area_changed.v1", "housing.building_changed.v1")
    out, name = io.StringIO(), district.service.database.name
    assert command(["areas", "buildings"], package="housing", kinds=KINDS, uri=lambda: (mongo_uri, name), out=out) == 0
    # The broker has them all; another process may still be publishing what this one asks for.
    eventually(lambda: {building, *GRIDS} <= {data.get("buildingId") or data["areaCode"] for _, data in heard()})
    assert "areas: " in out.getvalue()
    row = district.service.database["buildings"].find_one({"_id": building})
    assert row["revision"] == 1


@pytest.fixture
def rows(mongo_uri: str) -> Iterator[Rows]:
    """A database without a relay."""
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        found = client[f"t_republish_{new_id()[-12:]}"]
        yield found
        client.drop_database(found.name)


def stored(rows: Rows, count: int) -> list[str]:
    ids = [f"h{number:06d}" for number in range(count)]
    draft = HouseDraft(building_id="b", number="301", floor=3)
    ours, _ = create_house(draft=draft, area_code=GRIDS[0], house_id="", now=NOW)
    document = FORM.document(ours)
    rows["houses"].insert_many({**document, "_id": id} for id in ids)
    return ids


class Relay:
    """Publishes what waits whenever the command waits for that; breaks off once it has told `most`."""

    def __init__(self, rows: Rows, *, most: int = 10_000) -> None:
        self.told: list[str] = []
        self._houses = rows["houses"]
        self._most = most

    def publish(self, _seconds: float) -> None:
        """In place of the pause."""
        if len(self.told) >= self._most:
            raise KeyboardInterrupt
        for row in self._houses.find({"outbox.id": {"$exists": True}}):
            self.told += [fact["subject"] for fact in row["outbox"]]
        self._houses.update_many({}, {"$set": {"outbox": []}})


def test_outboxes_do_not_fill_up_and_a_stopped_run_is_continued(rows: Rows) -> None:
    ids = stored(rows, AT_ONCE * (MOST_WAITING + 3))
    first = Relay(rows, most=0)
    with pytest.raises(KeyboardInterrupt):
        Republisher(rows, say=lambda _: None, pause=first.publish).tell(HOUSES)
    assert rows["houses"].count_documents({"outbox.id": {"$exists": True}}) == AT_ONCE * (MOST_WAITING + 1)
    said: list[str] = []
    rest = Relay(rows)
    told = Republisher(rows, say=said.append, pause=rest.publish).tell(HOUSES)
    assert sorted(rest.told) == ids
    assert (told.read, told.facts) == (len(ids), len(ids))
    assert said[0].startswith("houses: goes on after")
    assert rows["progress"].count_documents({}) == 0


def test_what_was_changed_meanwhile_is_not_told_as_it_was(rows: Rows) -> None:
    stored(rows, 2)
    kind = Kind(
        "houses",
        collection="houses",
        state_cls=House,
        id_field="house_id",
        facts=lambda house, now: changing(rows, house),
        help="",
    )
    relay = Relay(rows)
    told = Republisher(rows, say=lambda _: None, pause=relay.publish).tell(kind)
    assert (told.facts, told.changed) == (2, 1)
    assert relay.told == ["h000001"]


def changing(rows: Rows, house: House) -> Any:
    """Somebody changes the first house just as it is read."""
    if house.house_id == "h000000":
        rows["houses"].update_one({"_id": house.house_id}, {"$inc": {"revision": 1}})
    return houses(house, NOW)

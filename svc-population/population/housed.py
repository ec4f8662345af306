"""What the worker does so that storey, lift and place of a home are those svc-housing knows. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from population.domain.dwelling import BuildingPlace, Dwelling, HousePlace
from population.domain.resident import Resident
from population.operations.living import dwelling_of, place_building, place_house, settle_living
from population.store.dwellings import homes_of, homes_of_people
from svckit.batch import all_saved
from svckit.bus import FOR_PEOPLE, Documents, Event, handles
from svckit.documents import Change, Decide, utc_now

_LOADED = {"outbox": False, "commands": False, "created_by": False}
_AT_ONCE = 1_000
"""People settled with one write: a tower has no more."""


class Housed:
    """Mixed into the worker."""

    inhabitants = Documents("residents", state_cls=Resident, id_field="resident_id")
    house_places = Documents("house_places", state_cls=HousePlace, id_field="house_id")
    building_places = Documents("building_places", state_cls=BuildingPlace, id_field="building_id")

    @handles("housing.house_registered.v1", "housing.house_changed.v1", gather=FOR_PEOPLE)
    def follow_houses(self, events: list[Event]) -> None:
        """Remembers on which storey houses are; who lives there lives there."""
        told = [event.fields() for event in events]
        all_saved(self.house_places.apply([Change(one["house_id"], partial(place_house, fields=one)) for one in told]))
        self._settle(homes_of(self.inhabitants.collection, {one["house_id"] for one in told}))

    @handles("housing.building_changed.v1", gather=FOR_PEOPLE)
    def follow_buildings(self, events: list[Event]) -> None:
        """Remembers where buildings are and whether they have a lift; so do all who live in them."""
        told = [event.fields() for event in events]
        all_saved(self.building_places.apply([Change(one["building_id"], partial(place_building, fields=one)) for one in told]))
        mine = {"building_id": {"$in": sorted({one["building_id"] for one in told})}}
        houses = {row["_id"] for row in self.house_places.collection.find(mine, {"_id": True})}
        self._settle(homes_of(self.inhabitants.collection, houses))

    @handles("population.residence_started.v1", gather=FOR_PEOPLE)
    def house_newcomers(self, events: list[Event]) -> None:
        """Who moved in lives as the house says."""
        ids = {event.fields()["resident_id"] for event in events}
        self._settle(homes_of_people(self.inhabitants.collection, ids))

    def _settle(self, homes: Mapping[str, set[str]]) -> None:
        """Settles people by their houses; once more when the houses were changed meanwhile, so that nobody keeps what is old."""
        dwellings = self._dwellings({house for houses in homes.values() for house in houses})
        while concerned := [id for id, houses in homes.items() if not houses.isdisjoint(dwellings)]:
            for start in range(0, len(concerned), _AT_ONCE):
                decide = _if_there(dwellings)
                all_saved(self.inhabitants.apply([Change(id, decide) for id in concerned[start : start + _AT_ONCE]]))
            again = self._dwellings(dwellings.keys())
            if again == dwellings:
                return
            dwellings = again

    def _dwellings(self, house_ids: Collection[str]) -> dict[str, Dwelling]:
        houses = self.house_places.collection.find({"_id": {"$in": sorted(house_ids)}}, _LOADED) if house_ids else ()
        known = [self.house_places.form.state(row) for row in houses]
        mine = {"_id": {"$in": sorted({house.building_id for house in known})}}
        rows = self.building_places.collection.find(mine, _LOADED) if known else ()
        buildings = {row["_id"]: self.building_places.form.state(row) for row in rows}
        return {house.house_id: dwelling_of(house, buildings.get(house.building_id)) for house in known}


def _if_there(dwellings: Mapping[str, Dwelling]) -> Decide:
    now = utc_now()
    return lambda state: (None, ()) if state is None else settle_living(state, dwellings=dwellings, now=now)

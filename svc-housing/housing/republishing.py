"""What svc-housing tells anew for those who follow it: rosters, buildings, houses (`python -m housing republish`)."""

from __future__ import annotations

from datetime import datetime

from housing.domain import Area, AreaChanged, Building, BuildingChanged, House, HouseChanged
from housing.operations import area_changed, building_changed, house_changed
from svckit.republish import Kind


def areas(area: Area, now: datetime) -> tuple[AreaChanged]:
    """An area with its roster, as of its last change: since then these people are on duty there."""
    return (area_changed(area, at=area.changed_at),)


def buildings(building: Building, now: datetime) -> tuple[BuildingChanged]:
    """A building as it is now: what was told before, perhaps with less, counts no more."""
    return (building_changed(building, at=max(now, building.changed_at)),)


def houses(house: House, now: datetime) -> tuple[HouseChanged]:
    """A house as it is now: what was told before, perhaps with less, counts no more."""
    return (house_changed(house, at=max(now, house.changed_at)),)


KINDS = (
    Kind(
        "areas",
        collection="areas",
        state_cls=Area,
        id_field="area_code",
        facts=areas,
        help="areas and who is on duty there (svc-assessment: visits by person)",
    ),
    Kind(
        "buildings",
        collection="buildings",
        state_cls=Building,
        id_field="building_id",
        facts=buildings,
        help="where buildings are and whether they have a lift (svc-population: how people live)",
    ),
    Kind(
        "houses",
        collection="houses",
        state_cls=House,
        id_field="house_id",
        facts=houses,
        help="in which building and on which storey houses are (svc-population: how people live)",
    ),
)
"""In this order: when a house is told, its building is known."""

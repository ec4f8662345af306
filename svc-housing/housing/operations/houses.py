"""The verbs on buildings and houses."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from housing.domain import Building, BuildingChanged, BuildingDraft, House, HouseChanged, HouseDraft, HouseRegistered
from housing.policies import (
    CITY_DIGITS,
    NOT_VERIFIED,
    OWNERSHIP_UNKNOWN,
    check_building_draft,
    check_house_codes,
    check_mask,
    check_revision,
    real_hazards,
)
from svckit.errors import InvalidArgument

BUILDING_FIELDS = ("name", "address", "building_type", "floors", "units", "point", "lift")


def create_building(*, draft: BuildingDraft, building_id: str, now: datetime) -> tuple[Building, tuple[BuildingChanged, ...]]:
    """Makes a building of a draft. Raises InvalidArgument for a wrong code."""
    check_building_draft(draft)
    building = Building(
        building_id=building_id,
        city=draft.area_code[:CITY_DIGITS],
        area_code=draft.area_code,
        name=draft.name,
        building_type=draft.building_type,
        address=draft.address,
        floors=draft.floors,
        units=draft.units,
        point=draft.point,
        lift=draft.lift,
        created_at=now,
        changed_at=now,
    )
    return building, (building_changed(building, at=now),)


def update_building(
    building: Building, *, fields: Collection[str], values: BuildingDraft, revision: int, now: datetime
) -> tuple[Building, tuple[BuildingChanged, ...]]:
    """Takes the named fields from `values`. Raises InvalidArgument (mask, NAME_MISSING, code), FailedPrecondition (REVISION_CHANGED)."""
    check_revision(revision, building.revision)
    check_mask(fields, allowed=BUILDING_FIELDS)
    changed = replace(building, **{name: getattr(values, name) for name in fields}, changed_at=now)
    if not changed.name:
        raise InvalidArgument("A building needs a name.", reason="NAME_MISSING", field="name")
    check_building_draft(replace(values, area_code=changed.area_code, building_type=changed.building_type))
    return changed, (building_changed(changed, at=now),)


def building_changed(building: Building, *, at: datetime) -> BuildingChanged:
    """Returns what is told of a building."""
    return BuildingChanged(
        building_id=building.building_id,
        area_code=building.area_code,
        floors=building.floors,
        lift=building.lift,
        point=building.point,
        at=at,
    )


def create_house(
    *, draft: HouseDraft, area_code: str, house_id: str, now: datetime
) -> tuple[House, tuple[HouseRegistered, ...]]:
    """Makes a house in the area of its building. Raises InvalidArgument for a wrong code."""
    ownership = draft.ownership or OWNERSHIP_UNKNOWN
    occupancy = draft.occupancy or NOT_VERIFIED
    check_house_codes(ownership=ownership, occupancy=occupancy, rent_use=draft.rent_use, hazards=draft.hazards)
    house = House(
        house_id=house_id,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        building_id=draft.building_id,
        unit=draft.unit,
        number=draft.number,
        floor=draft.floor,
        use=draft.use,
        ownership=ownership,
        occupancy=occupancy,
        rent_use=draft.rent_use,
        hazards=real_hazards(draft.hazards),
        floor_area=draft.floor_area,
        created_at=now,
        changed_at=now,
    )
    registered = HouseRegistered(
        house_id=house_id,
        building_id=house.building_id,
        area_code=area_code,
        use=house.use,
        occupancy=occupancy,
        floor=house.floor,
        at=now,
    )
    return house, (registered,)


HOUSE_FIELDS = ("use", "ownership", "occupancy", "rent_use", "hazards", "floor_area", "floor")


def update_house(
    house: House, *, fields: Collection[str], values: HouseDraft, revision: int, now: datetime
) -> tuple[House, tuple[HouseChanged, ...]]:
    """Takes the named fields from `values`. Raises InvalidArgument (mask, code), FailedPrecondition (REVISION_CHANGED)."""
    check_revision(revision, house.revision)
    check_mask(fields, allowed=HOUSE_FIELDS)
    changed = replace(house, **{name: getattr(values, name) for name in fields}, changed_at=now)
    check_house_codes(
        ownership=changed.ownership, occupancy=changed.occupancy, rent_use=changed.rent_use, hazards=changed.hazards
    )
    return replace(changed, hazards=real_hazards(changed.hazards)), (house_changed(changed, at=now),)


def house_changed(house: House, *, at: datetime) -> HouseChanged:
    """Returns what is told of a house."""
    return HouseChanged(
        house_id=house.house_id,
        building_id=house.building_id,
        area_code=house.area_code,
        use=house.use,
        occupancy=house.occupancy,
        floor=house.floor,
        at=at,
    )


def note_check(house: House, *, hazards: tuple[str, ...], at: datetime) -> tuple[House, tuple[()]]:
    """Notes on a house what a check found; an older check never overwrites a newer one."""
    if house.checked_at and house.checked_at >= at:
        return house, ()
    return replace(house, hazards=real_hazards(hazards), checked_at=at, changed_at=max(house.changed_at, at)), ()

"""How people live, as it follows from the house they live in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace

from population.domain.dwelling import BuildingPlace, Dwelling, HousePlace
from population.domain.facts import ResidentChanged
from population.domain.living import Living
from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.operations.residents import changed_fact

Fields = Mapping[str, Any]


def place_house(known: HousePlace | None, *, fields: Fields) -> tuple[HousePlace, tuple[()]]:
    """Takes `housing.house_registered.v1` or `house_changed.v1`; what is older than what is known changes nothing."""
    if known is not None and known.told_at >= fields["at"]:
        return known, ()
    told = HousePlace(
        house_id=fields["house_id"],
        building_id=fields["building_id"],
        # 0 is no storey: svc-housing counts from 1, below ground from -1.
        floor=fields["floor"] or None,
        told_at=fields["at"],
    )
    return _kept(known, told), ()


def place_building(known: BuildingPlace | None, *, fields: Fields) -> tuple[BuildingPlace, tuple[()]]:
    """Takes `housing.building_changed.v1`; what is older than what is known changes nothing."""
    if known is not None and known.told_at >= fields["at"]:
        return known, ()
    point = fields.get("point") or {}
    told = BuildingPlace(
        building_id=fields["building_id"],
        lift=fields.get("lift"),
        longitude=point.get("longitude"),
        latitude=point.get("latitude"),
        told_at=fields["at"],
    )
    return _kept(known, told), ()


def _kept(known: Any, told: Any) -> Any:
    return replace(told, revision=known.revision) if known is not None else told


def dwelling_of(house: HousePlace, building: BuildingPlace | None) -> Dwelling:
    """Returns what house and building say together."""
    if building is None:
        return Dwelling(floor=house.floor)
    return Dwelling(floor=house.floor, lift=building.lift, longitude=building.longitude, latitude=building.latitude)


def home_of(resident: Resident) -> str:
    """Returns the house somebody lives in now, "" for none; of several the one they came to last."""
    homes = [one for one in resident.residences if one.kind is ResidenceKind.ACTUAL and one.house_id and not one.until]
    return max(homes, key=lambda one: (one.since, one.residence_id)).house_id if homes else ""


def settle_living(
    resident: Resident, *, dwellings: Mapping[str, Dwelling], now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """The person lives as the house says; what the house does not say stays as somebody told or saw it."""
    dwelling = dwellings.get(home_of(resident))
    if dwelling is None or resident.standing is not None:
        return resident, ()
    said = {name: value for name, value in asdict(dwelling).items() if value is not None}
    living = replace(resident.living or Living(), **said)
    if living == resident.living or (resident.living is None and not said):
        return resident, ()
    settled = replace(resident, living=living, changed_at=now)
    return settled, (changed_fact(settled, ("living",), now=now),)

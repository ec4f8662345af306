"""What svc-housing says of houses and buildings, as far as it says how people live."""

from __future__ import annotations

from datetime import datetime

import msgspec


class HousePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A house: in which building, on which storey (None: not known); `told_at` is when svc-housing said so."""

    house_id: str
    building_id: str
    told_at: datetime
    floor: int | None = None
    revision: int = 0


class BuildingPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A building: whether it has a lift and where it is (WGS 84, degrees); None: not known."""

    building_id: str
    told_at: datetime
    lift: bool | None = None
    longitude: float | None = None
    latitude: float | None = None
    revision: int = 0


class Dwelling(msgspec.Struct, frozen=True, kw_only=True):
    """Both together: what is known of a home."""

    floor: int | None = None
    lift: bool | None = None
    longitude: float | None = None
    latitude: float | None = None

"""What happened to residents and residences, for others to hear: ids and areas only."""

from __future__ import annotations

from datetime import datetime

import msgspec

from population.domain.standing import ResidentStatus


class ResidentRegistered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A resident was entered."""

    resident_id: str
    area_code: str
    resident_type: str
    at: datetime


class ResidenceStarted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person began to live in a house."""

    resident_id: str
    residence_id: str
    house_id: str
    area_code: str
    at: datetime


class ResidenceEnded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person ceased to live in a house."""

    resident_id: str
    residence_id: str
    house_id: str
    area_code: str
    at: datetime


class ResidentChanged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known about a resident changed; `fields` are names, never values."""

    resident_id: str
    area_code: str
    fields: tuple[str, ...]
    at: datetime


class ResidentMoved(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A resident moved: within the city, or `out` of it."""

    resident_id: str
    from_area_code: str
    to_area_code: str
    out: bool
    moved_on: str
    at: datetime


class ResidentDied(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A resident died."""

    resident_id: str
    area_code: str
    died_on: str
    at: datetime


class ResidentVoided(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An entry turned out to be a mistake."""

    resident_id: str
    area_code: str
    at: datetime


class ResidentRestored(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A death, a move out or a voiding was taken back."""

    resident_id: str
    area_code: str
    from_status: ResidentStatus
    at: datetime


class ResidentMerged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of two entries of the same person was merged into the other."""

    resident_id: str
    merged_into: str
    merge_id: str
    area_code: str
    at: datetime


class ResidentUnmerged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A merge was taken back."""

    resident_id: str
    merged_into: str
    merge_id: str
    area_code: str
    at: datetime


class HouseholdRegistered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A household was entered."""

    household_id: str
    area_code: str
    at: datetime


class HouseholdChanged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A household changed; `fields` are names."""

    household_id: str
    area_code: str
    fields: tuple[str, ...]
    at: datetime

"""What happened to residents and residences, for others to hear: ids and areas only."""

from __future__ import annotations

from datetime import datetime

import msgspec


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

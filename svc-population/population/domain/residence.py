"""The dated relation between a person and a house."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Tenure(StrEnum):
    """How a person lives in a house."""

    OWNER = "owner"
    FAMILY = "family"
    TENANT = "tenant"
    OTHER = "other"


class ResidenceKind(StrEnum):
    """What a residence says: where somebody lives, or where the household register has them (户籍)."""

    ACTUAL = "actual"
    REGISTERED = "registered"


class ResidenceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to start a residence; of a registration the area is enough."""

    house_id: str = ""
    area_code: str = ""
    tenure: Tenure | None = None
    since: str = ""
    kind: ResidenceKind = ResidenceKind.ACTUAL


class Residence(msgspec.Struct, frozen=True, kw_only=True):
    """The relation between a person and a house from one day to another; `until` is empty while it lasts."""

    residence_id: str
    house_id: str
    area_code: str
    since: str
    tenure: Tenure | None = None
    until: str = ""
    kind: ResidenceKind = ResidenceKind.ACTUAL

"""Why somebody is no longer among those who live here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class ResidentStatus(StrEnum):
    """Why a resident no longer lives here."""

    MOVED_OUT = "moved_out"
    DECEASED = "deceased"
    MERGED = "merged"
    VOID = "void"


class Aside(StrEnum):
    """Why something about a person ended by itself: it begins again when that is over."""

    DEPARTED = "departed"
    DOUBLE = "double"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, and what it ended, so that it can be taken back. `since` is the day it happened."""

    status: ResidentStatus
    since: str
    at: datetime
    by: str
    reason: str = ""
    to_area_code: str = ""
    merged_into: str = ""
    ended_residence_ids: tuple[str, ...] = ()

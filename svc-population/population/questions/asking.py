"""What every question begins with: the caller's area, the checked filter, the day it is. Pure."""

from __future__ import annotations

from datetime import date

import msgspec

from population.policies.requests import read_day
from population.questions.conditions import Condition, Seal, read
from svckit.access import Caller
from svckit.errors import InvalidArgument
from svckit.paging import narrowed

GRID_OR_COMMUNITY = 12
"""Areas with so many digits, or more, are small enough for the documents to answer."""


class Found(msgspec.Struct, frozen=True):
    """Somebody in a list, by what the list is ordered by."""

    area_code: str
    resident_id: str


def asked(text: str, *, caller: Caller, today: date, seal: Seal) -> Condition:
    """Reads the filter of a question. Raises InvalidArgument (FILTER_INVALID), PermissionDenied (PURPOSE_REQUIRED)."""
    return read(text, today=today, seal=seal, purpose=caller.purpose)


def area_of(caller: Caller, wanted: str) -> str | None:
    """Returns the prefix of the areas a question is about, None when the caller may ask about none of them."""
    return narrowed(own=caller.area, wanted=wanted)


def is_small(prefix: str) -> bool:
    """Tells whether documents answer: for a community or a grid."""
    return len(prefix) >= GRID_OR_COMMUNITY


def past_day(text: str, *, field: str, today: date) -> date | None:
    """Reads the day of a question, None for none. Raises InvalidArgument (DATE_INVALID, IN_THE_FUTURE)."""
    if not text:
        return None
    day = read_day(text, field=field)
    if day > today:
        raise InvalidArgument("Nobody knows who will live there.", reason="IN_THE_FUTURE", field=field)
    return day


def first_of_month(day: date | None) -> date | None:
    """Returns the first day of its month: between two neighbouring days the moves of single people would show."""
    return day.replace(day=1) if day else None

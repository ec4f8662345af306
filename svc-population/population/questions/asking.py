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


def months(first: date, last: date, *, step: int, most: int) -> list[date]:
    """Returns days from the first to the last, the same day of the month (or its last), the last day included.

    Raises InvalidArgument (PERIOD_INVALID) when they are out of order or too many.
    """
    if first > last:
        raise InvalidArgument("The period ends before it begins.", reason="PERIOD_INVALID", field="to_day")
    if ((last.year - first.year) * 12 + last.month - first.month) // step + 2 > most:
        raise InvalidArgument(
            f"A trend has at most {most} points; take longer steps.", reason="PERIOD_INVALID", field="step_months"
        )
    days, number = [], 0
    while (day := _later(first, number * step)) < last:
        days.append(day)
        number += 1
    return [*days, last]


def _later(day: date, count: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")

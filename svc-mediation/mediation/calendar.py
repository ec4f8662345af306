"""Working time: hours of `codes/sla_calendar.yaml` on the days the State Council publishes as working days, make-up days included.

Working time is an axis of its own: every instant has a position on it (milliseconds of work since 2000), and adding a limit is one
addition and one look-up, whatever the length of the limit. Days come from the `chinesecalendar` package; years it does not know yet
count Monday to Friday, and `explain` says so.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources

import chinese_calendar
import msgspec
import yaml
from chinese_calendar import constants as published

from mediation.domain import Calendar

_MS = timedelta(milliseconds=1)
_DAY_MS = 86_400_000
_MINUTE_MS = 60_000
# China has had one time zone and no summer time since 1991: the offset is a constant, and so is every local midnight.
_OFFSET = timedelta(hours=8)
_EPOCH_DAY = date(2000, 1, 1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC) - _OFFSET
_LAST_DAY = date(2099, 12, 31)


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar day inside a limit: why it counts or not, and the minutes of the limit that fall on it."""

    day: date
    working: bool
    why: str
    minutes: float


class _Axis(msgspec.Struct, frozen=True):
    """Working days as ordinals since 2000-01-01, and how many lie before each day."""

    working_days: list[int]
    before: list[int]
    sessions: tuple[tuple[int, int], ...]
    day_ms: int


def add_minutes(start: datetime, minutes: float, *, calendar: Calendar) -> datetime:
    """Returns the instant `minutes` of `calendar` after `start` (aware, any zone), in UTC.

    On the work calendar the end lies inside working hours: a limit that fills a day ends at its close, not at the next opening.
    """
    if calendar is Calendar.STATUTORY:
        return start + timedelta(minutes=minutes)
    axis = _axis()
    return _instant(axis, _position(start) + round(minutes * _MINUTE_MS))


def end_of_working_day(start: datetime, minutes: float) -> datetime:
    """Returns the close of the working day on which `minutes` of work after `start` end (工作日 limits, sla_calendar.yaml)."""
    axis = _axis()
    position = _position(start) + round(minutes * _MINUTE_MS)
    return _instant(axis, -(-position // axis.day_ms) * axis.day_ms)


def minutes_between(start: datetime, end: datetime, *, calendar: Calendar) -> float:
    """Returns how many minutes of `calendar` lie between two instants; negative when `end` is earlier."""
    if calendar is Calendar.STATUTORY:
        return (end - start) / timedelta(minutes=1)
    return (_position(end) - _position(start)) / _MINUTE_MS


def explain(start: datetime, end: datetime) -> list[Day]:
    """Says for every calendar day (Shanghai) from `start` to `end` whether it counts as working time, why, and how much."""
    first, last = _local_day(start), _local_day(end)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [_explain_day(day, start, end) for day in days]


def is_working_day(day: date) -> bool:
    """Tells whether people work on `day`: published holidays and make-up days first, else Monday to Friday."""
    if day in published.holidays:
        return False
    return day in published.workdays or day.weekday() < 5


def minutes_per_day() -> int:
    """Returns the working minutes of one working day (450)."""
    return _axis().day_ms // _MINUTE_MS


def _explain_day(day: date, start: datetime, end: datetime) -> Day:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - _OFFSET
    inside = max(start, midnight), min(end, midnight + timedelta(days=1))
    minutes = minutes_between(*inside, calendar=Calendar.WORK)
    return Day(day=day, working=is_working_day(day), why=_why(day), minutes=round(minutes, 2))


def _why(day: date) -> str:
    if day in published.holidays:
        return f"holiday: {published.holidays[day]}"
    if day in published.workdays:
        return f"make-up working day: {published.workdays[day]}"
    known = "" if _is_published(day) else " (holidays of this year are not published yet)"
    return ("weekday" if day.weekday() < 5 else "weekend") + known


def _is_published(day: date) -> bool:
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def _local_day(instant: datetime) -> date:
    return (instant.astimezone(UTC) + _OFFSET).date()


# All clocks of a dispatch start at one instant.
@lru_cache(maxsize=64)
def _position(instant: datetime) -> int:
    axis = _axis()
    day, clock = divmod((instant - _EPOCH) // _MS, _DAY_MS)
    day = min(max(day, 0), len(axis.before) - 2)
    full = axis.before[day] * axis.day_ms
    if axis.before[day + 1] == axis.before[day]:
        return full
    return full + sum(min(max(clock - opening, 0), closing - opening) for opening, closing in axis.sessions)


def _instant(axis: _Axis, position: int) -> datetime:
    # The last millisecond that is worked lies before the end: so a full day ends at its close.
    number, rest = divmod(position - 1, axis.day_ms)
    number = min(max(number, 0), len(axis.working_days) - 1)
    rest += 1
    for opening, closing in axis.sessions:
        if rest <= closing - opening:
            return _EPOCH + timedelta(days=axis.working_days[number], milliseconds=opening + rest)
        rest -= closing - opening
    raise AssertionError("the sessions of a day cover its working time")


@cache
def _axis() -> _Axis:
    sessions = _sessions()
    days = (_LAST_DAY - _EPOCH_DAY).days + 1
    working = [n for n in range(days) if is_working_day(_EPOCH_DAY + timedelta(days=n))]
    before = [bisect_right(working, n - 1) for n in range(days + 1)]
    return _Axis(working, before, sessions, sum(closing - opening for opening, closing in sessions))


def _sessions() -> tuple[tuple[int, int], ...]:
    text = resources.files("mediation").joinpath("codes/sla_calendar.yaml").read_text("utf-8")
    hours = yaml.safe_load(text)["clocks"]["work"]["hours"]
    return tuple((_clock(opening), _clock(closing)) for opening, closing in (span.split("-") for span in hours))


def _clock(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * _MINUTE_MS

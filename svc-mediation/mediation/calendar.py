"""Working time: hours of `codes/sla_calendar.yaml` on the days the State Council publishes as working days, make-up days included.

Working time is an axis of its own: every instant has a position on it (milliseconds of work since 2000), and adding a limit is one
addition and one look-up, whatever the length of the limit. There are two such axes: office hours, and the staggered hours of the
community counter (错时服务). Days come from the `chinesecalendar` package, and from a table of the city for what the package does not
know yet (`announce`). Years nobody has published count Monday to Friday, and `explain` says so.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Mapping
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


class Moved(msgspec.Struct, frozen=True):
    """A day that is not what its place in the week says, and the holiday that is the reason."""

    working: bool
    zh: str
    en: str


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One calendar day inside a limit: why it counts or not, and the minutes of the limit that fall on it."""

    day: date
    working: bool
    zh: str
    en: str
    minutes: float


class _Axis(msgspec.Struct, frozen=True):
    """Working days as ordinals since 2000-01-01, and how many lie before each day."""

    working_days: list[int]
    before: list[int]
    sessions: tuple[tuple[int, int], ...]
    day_ms: int


def announce_from(path: str) -> None:
    """Takes the days of a CSV file (see `announce`). Raises ValueError when it cannot be read or a line is wrong."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            announce(csv.DictReader(file))
    except OSError as error:
        raise ValueError(f"the table of holidays cannot be read: {error}") from error


def announce(rows: Iterable[Mapping[str, str]]) -> None:
    """Takes days from a table of the city: `day` (2027-01-01), `working` (Y for a make-up day, N for a holiday), `zh`, `en`.

    They come before those of the package. Clocks that run already keep their due times. Call it at the start of a process, with
    the same table everywhere. Raises ValueError naming the line that is wrong.
    """
    for line, row in enumerate(rows, 2):
        try:
            _moved()[date.fromisoformat(row["day"])] = Moved({"Y": True, "N": False}[row["working"]], row["zh"], row["en"])
        except (KeyError, ValueError) as error:
            raise ValueError(f"line {line} of the table of holidays: {error}") from error
    for made in (_axis, _working_days, _published_years, _position):
        made.cache_clear()


def add_minutes(start: datetime, minutes: float, *, calendar: Calendar) -> datetime:
    """Returns the instant `minutes` of `calendar` after `start` (aware, any zone), in UTC.

    In working time the end lies inside working hours: a limit that fills a day ends at its close, not at the next opening.
    """
    if calendar is Calendar.STATUTORY:
        return start + timedelta(minutes=minutes)
    return _instant(_axis(calendar), _position(start, calendar) + round(minutes * _MINUTE_MS))


def end_of_working_day(start: datetime, minutes: float, *, calendar: Calendar = Calendar.WORK) -> datetime:
    """Returns the close of the working day on which `minutes` of work after `start` end (工作日 limits, sla_calendar.yaml)."""
    axis = _axis(calendar)
    position = _position(start, calendar) + round(minutes * _MINUTE_MS)
    return _instant(axis, -(-position // axis.day_ms) * axis.day_ms)


def minutes_between(start: datetime, end: datetime, *, calendar: Calendar) -> float:
    """Returns how many minutes of `calendar` lie between two instants; negative when `end` is earlier."""
    if calendar is Calendar.STATUTORY:
        return (end - start) / timedelta(minutes=1)
    return (_position(end, calendar) - _position(start, calendar)) / _MINUTE_MS


def explain(start: datetime, end: datetime, *, calendar: Calendar = Calendar.WORK) -> list[Day]:
    """Says for every calendar day (Shanghai) from `start` to `end` whether it counts, why, and how many minutes fall on it."""
    first, last = local_day(start), local_day(end)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [_explain_day(day, start, end, calendar) for day in days]


def is_working_day(day: date) -> bool:
    """Tells whether people work on `day`: published holidays and make-up days first, else Monday to Friday."""
    moved = _moved().get(day)
    return day.weekday() < 5 if moved is None else moved.working


def moved(day: date) -> Moved | None:
    """Returns why a day is a holiday or a make-up day; None when it is what its place in the week says."""
    return _moved().get(day)


def is_published(day: date) -> bool:
    """Tells whether the holidays of its year are known."""
    return day.year in _published_years()


def minutes_per_day(calendar: Calendar = Calendar.WORK) -> int:
    """Returns the minutes of one day of a calendar: 450 at the office, 630 at the counter, 1440 by the clock."""
    return 1440 if calendar is Calendar.STATUTORY else _axis(calendar).day_ms // _MINUTE_MS


def sessions(calendar: Calendar) -> tuple[tuple[int, int], ...]:
    """Returns from which minute of a working day to which people work, in order."""
    return tuple((opening // _MINUTE_MS, closing // _MINUTE_MS) for opening, closing in _axis(calendar).sessions)


def local(instant: datetime) -> datetime:
    """Returns an instant as the clock on the wall in China shows it."""
    return (instant.astimezone(UTC) + _OFFSET).replace(tzinfo=None)


def local_day(instant: datetime) -> date:
    """Returns the day in China on which an instant lies."""
    return local(instant).date()


def _explain_day(day: date, start: datetime, end: datetime, calendar: Calendar) -> Day:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - _OFFSET
    inside = max(start, midnight), min(end, midnight + timedelta(days=1))
    minutes = round(minutes_between(*inside, calendar=calendar), 2)
    if calendar is Calendar.STATUTORY:
        return Day(day=day, working=True, zh="每小时都计", en="every hour counts", minutes=minutes)
    zh, en = _why(day)
    return Day(day=day, working=is_working_day(day), zh=zh, en=en, minutes=minutes)


def _why(day: date) -> tuple[str, str]:
    if reason := _moved().get(day):
        if reason.working:
            return f"{reason.zh}调休上班", f"make-up working day: {reason.en}"
        return f"{reason.zh}放假", f"holiday: {reason.en}"
    zh, en = ("工作日", "weekday") if day.weekday() < 5 else ("周末", "weekend")
    if is_published(day):
        return zh, en
    return f"{zh}（当年放假安排尚未公布）", f"{en} (holidays of this year are not published yet)"


@cache
def _moved() -> dict[date, Moved]:
    names = {holiday.value: holiday.chinese for holiday in published.Holiday}
    found = {day: Moved(False, names[name], name) for day, name in published.holidays.items()}
    return found | {day: Moved(True, names[name], name) for day, name in published.workdays.items()}


@cache
def _published_years() -> frozenset[int]:
    years = {day.year for day in _moved()}
    # The first days of a year may be holidays of the year before's announcement: the package knows which years it knows.
    return frozenset(year for year in years if _is_known(year) or date(year, 10, 1) in _moved())


def _is_known(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 7, 1))
    except NotImplementedError:
        return False
    return True


# All clocks of a dispatch start at one instant.
@lru_cache(maxsize=64)
def _position(instant: datetime, calendar: Calendar) -> int:
    axis = _axis(calendar)
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
def _axis(calendar: Calendar) -> _Axis:
    opened = _sessions(calendar)
    return _Axis(*_working_days(), opened, sum(closing - opening for opening, closing in opened))


@cache
def _working_days() -> tuple[list[int], list[int]]:
    days = (_LAST_DAY - _EPOCH_DAY).days + 1
    working = [n for n in range(days) if is_working_day(_EPOCH_DAY + timedelta(days=n))]
    return working, [bisect_right(working, n - 1) for n in range(days + 1)]


def _sessions(calendar: Calendar) -> tuple[tuple[int, int], ...]:
    text = resources.files("mediation").joinpath("codes/sla_calendar.yaml").read_text("utf-8")
    table = yaml.safe_load(text)
    hours = {
        Calendar.WORK: table["clocks"]["work"]["hours"],
        Calendar.STAGGERED: table["staggered_service"]["community_counter_hours"],
    }[calendar]
    return tuple((_clock(opening), _clock(closing)) for opening, closing in (span.split("-") for span in hours))


def _clock(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * _MINUTE_MS

"""Quiet hours: the part of the night in Shanghai in which messages wait unless life is at stake. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

# China has had one time zone and no summer time since 1991: the offset is a constant.
_OFFSET = timedelta(hours=8)
_DAY = 1440
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Shift(msgspec.Struct, frozen=True):
    """A part of every day, from a minute after midnight (Shanghai) until another, past midnight if that is earlier."""

    from_minute: int
    until_minute: int

    def covers(self, at: datetime) -> bool:
        """Tells whether an instant (aware) lies inside; the end does not. A shift that ends where it begins has no minutes."""
        return (minute_of(at) - self.from_minute) % _DAY < self.length

    @property
    def length(self) -> int:
        """Minutes of the shift, 0 to 1439."""
        return (self.until_minute - self.from_minute) % _DAY

    def over(self, at: datetime) -> datetime:
        """Returns `at`, or the end of the shift when `at` lies inside."""
        if not self.covers(at):
            return at
        left = (self.until_minute - minute_of(at)) % _DAY
        return at.replace(second=0, microsecond=0) + timedelta(minutes=left)


def minute_of(at: datetime) -> int:
    """Returns the minutes since midnight in Shanghai."""
    local = at.astimezone(UTC) + _OFFSET
    return local.hour * 60 + local.minute


def weekday_of(at: datetime) -> int:
    """Returns the day of the week in Shanghai, 1 Monday to 7 Sunday."""
    return (at.astimezone(UTC) + _OFFSET).isoweekday()


def parse_shift(text: str) -> Shift:
    """Reads "22:00-07:00"; "" is no time at all. Raises ValueError."""
    if not text:
        return Shift(0, 0)
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not written like 22:00-07:00")
    hours, minutes, until_hours, until_minutes = map(int, found.groups())
    return Shift(hours * 60 + minutes, until_hours * 60 + until_minutes)

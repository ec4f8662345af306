"""Working time against a count minute by minute, and the days the State Council moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from chinese_calendar import is_workday
from hypothesis import given, settings
from hypothesis import strategies as st

from mediation import calendar
from mediation.domain import Calendar

SHANGHAI = timezone(timedelta(hours=8))
WORK = Calendar.WORK
calendar.minutes_per_day()  # the table of all days is made once, and not on the clock of an example

instants = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)).map(
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)


def at(text: str) -> datetime:
    """A time in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def works(instant: datetime) -> bool:
    """Whether people work in the minute that begins at `instant`, from the published days and the hours of the table."""
    local = instant.astimezone(SHANGHAI)
    minute = local.hour * 60 + local.minute
    return is_workday(local.date()) and (510 <= minute < 720 or 840 <= minute < 1080)


@settings(deadline=None, max_examples=40)
@given(start=instants, minutes=st.integers(1, 700))
def test_agrees_with_counting_minutes(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)
    end = start
    left = minutes
    while left:
        left -= works(end)
        end += timedelta(minutes=1)
    assert calendar.add_minutes(start, minutes, calendar=WORK) == end


@given(start=instants, minutes=st.integers(1, 100_000))
def test_what_was_added_lies_between(start: datetime, minutes: int) -> None:
    end = calendar.add_minutes(start, minutes, calendar=WORK)
    assert calendar.minutes_between(start, end, calendar=WORK) == minutes
    assert calendar.minutes_between(end, start, calendar=WORK) == -minutes


@given(one=instants, other=instants, minutes=st.integers(1, 10_000))
def test_who_starts_later_ends_later(one: datetime, other: datetime, minutes: int) -> None:
    first, second = sorted((one, other))
    assert calendar.add_minutes(first, minutes, calendar=WORK) <= calendar.add_minutes(second, minutes, calendar=WORK)


@given(start=instants, minutes=st.integers(1, 10_000))
def test_working_days_end_at_their_close(start: datetime, minutes: int) -> None:
    close = calendar.end_of_working_day(start, minutes).astimezone(SHANGHAI)
    end = calendar.add_minutes(start, minutes, calendar=WORK).astimezone(SHANGHAI)
    assert (close.hour, close.minute) == (18, 0)
    assert close.date() == end.date()


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-20T17:00", 120, "2026-11-23T09:30"),  # over the weekend
        ("2026-11-20T11:30", 60, "2026-11-20T14:30"),  # over lunch
        ("2026-11-20T13:00", 60, "2026-11-20T15:00"),  # begun in the break
        ("2026-09-30T17:00", 120, "2026-10-08T09:30"),  # over National Day
        ("2026-10-09T17:00", 120, "2026-10-10T09:30"),  # into the Saturday worked for it
        ("2026-11-20T08:30", 450, "2026-11-20T18:00"),  # a full day ends at its close
    ],
)
def test_examples(start: str, minutes: int, end: str) -> None:
    assert calendar.add_minutes(at(start), minutes, calendar=WORK) == at(end)


def test_statutory_time_never_pauses() -> None:
    assert calendar.add_minutes(at("2026-10-01T00:00"), 1440, calendar=Calendar.STATUTORY) == at("2026-10-02T00:00")


def test_explains_every_day() -> None:
    days = calendar.explain(at("2026-09-30T17:00"), at("2026-10-10T09:30"))
    assert [day.minutes for day in days] == [60, 0, 0, 0, 0, 0, 0, 0, 450, 450, 60]
    assert (days[1].zh, days[1].en) == ("国庆节放假", "holiday: National Day")
    assert (days[-1].zh, days[-1].en) == ("国庆节调休上班", "make-up working day: National Day")
    assert days[3].day == date(2026, 10, 3)


def test_years_nobody_has_published_count_monday_to_friday_and_say_so() -> None:
    assert calendar.add_minutes(at("2031-10-01T17:00"), 120, calendar=WORK) == at("2031-10-02T09:30")
    assert "not published" in calendar.explain(at("2031-10-01T09:00"), at("2031-10-01T10:00"))[0].en

"""Due times against an independent slow calculation: minute by minute, with `chinese_calendar` and the hours written out here."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache

from chinese_calendar import is_workday
from hypothesis import given, settings
from hypothesis import strategies as st

from mediation import calendar, clocks, routing
from mediation.domain import Calendar, Clock, ClockChangeKind, ClockKind, Light, Limit, Severity, TaskRole

SHANGHAI = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)
MS = timedelta(milliseconds=1)
# sla_calendar.yaml, in minutes of the day.
HOURS = {
    Calendar.WORK: ((510, 720), (840, 1080)),
    Calendar.STAGGERED: ((510, 840), (840, 1140)),
    Calendar.STATUTORY: ((0, 1440),),
}
DAY = {Calendar.WORK: 450, Calendar.STAGGERED: 630, Calendar.STATUTORY: 1440}
for each in (Calendar.WORK, Calendar.STAGGERED):
    calendar.minutes_per_day(each)  # the tables of all days are made once, and not on the clock of an example

calendars = st.sampled_from(Calendar)
instants = st.datetimes(datetime(2023, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)).map(
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)
# From a quarter of an hour to three weeks of work: over weekends, holidays and make-up days.
spans = st.one_of(st.integers(1, 60), st.integers(61, 900), st.integers(901, 6_000))


@cache
def works_on(day: date) -> bool:
    return bool(is_workday(day))


def works(local: datetime, counted: Calendar) -> bool:
    """Whether the minute of the day that `local` lies in is worked."""
    minute = local.hour * 60 + local.minute
    open_now = any(opening <= minute < closing for opening, closing in HOURS[counted])
    return open_now and (counted is Calendar.STATUTORY or works_on(local.date()))


def slow_end(start: datetime, minutes: float, counted: Calendar) -> datetime:
    """The instant at which so many minutes have been worked, walking from one minute of the clock to the next."""
    left = timedelta(milliseconds=round(minutes * 60_000))
    # Naive times of the wall: China's zone has no changes, and they are faster to count with.
    now = start.astimezone(SHANGHAI).replace(tzinfo=None)
    until = now.replace(second=0, microsecond=0) + MINUTE
    while left:
        if works(now, counted):
            if left <= until - now:
                return (now + left).replace(tzinfo=SHANGHAI)
            left -= until - now
        now, until = until, until + MINUTE
    return start


def slow_due(start: datetime, limit: Limit) -> datetime:
    """When a limit ends; one of whole working days with the close of its last day."""
    end = slow_end(start, limit.minutes, limit.calendar)
    if limit.whole_days and limit.calendar is not Calendar.STATUTORY:
        close = HOURS[limit.calendar][-1][1]
        return end.replace(hour=close // 60, minute=0, second=0, microsecond=0)
    return end


def slow_between(start: datetime, end: datetime, counted: Calendar) -> float:
    """Minutes worked between two instants."""
    worked = timedelta()
    now, last = start.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
    while now < last:
        until = min(now.replace(second=0, microsecond=0) + MINUTE, last)
        worked += until - now if works(now, counted) else timedelta()
        now = until
    return worked / MINUTE


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    counted = draw(calendars)
    if counted is not Calendar.STATUTORY and draw(st.booleans()):
        return Limit(draw(st.integers(1, 12)) * DAY[counted], counted, whole_days=True)
    return Limit(draw(spans), counted)


@settings(deadline=None)
@given(start=instants, limit=limits())
def test_a_clock_is_due_when_the_minutes_are_over(start: datetime, limit: Limit) -> None:
    clock = clocks.start(ClockKind.RESOLVE, limit, at=start)
    assert clock.due_at == slow_due(start, limit)
    yellow = slow_end(start, limit.minutes * 0.7, limit.calendar)
    assert abs(clock.yellow_at - yellow) <= MS
    for when, light in (
        (start, Light.GREEN if clock.yellow_at > start else Light.YELLOW),
        (clock.yellow_at - MS, Light.GREEN),
        (clock.yellow_at, Light.YELLOW),
        (clock.due_at - MS, Light.YELLOW),
        (clock.due_at, Light.RED),
    ):
        assert clocks.light_at(clock, when) is light


@settings(deadline=None)
@given(start=instants, one=limits(), other=limits())
def test_of_two_limits_the_one_that_ends_first_is_felt(start: datetime, one: Limit, other: Limit) -> None:
    both = Limit(one.minutes, one.calendar, one.whole_days, rival=other)
    assert clocks.start(ClockKind.ACCEPT, both, at=start).due_at == min(slow_due(start, one), slow_due(start, other))


@settings(deadline=None)
@given(
    start=instants,
    category=st.sampled_from(routing.categories()),
    severity=st.sampled_from(Severity),
    role=st.sampled_from(TaskRole),
)
def test_clocks_of_every_row_of_the_tables(start: datetime, category: str, severity: Severity, role: TaskRole) -> None:
    wanted = routing.task_limits(category, severity, role)
    for clock, limit in zip(clocks.start_all(wanted, at=start), (wanted.accept, wanted.respond, wanted.resolve), strict=True):
        rivals = [slow_due(start, each) for each in (limit, limit.rival) if each]
        assert clock.due_at == min(rivals)
        assert clock.yellow_at < clock.due_at


# What may happen to a running clock: minutes until it happens, then minutes it lasts (or is extended by).
histories = st.lists(
    st.tuples(st.sampled_from(["pause", "extend", "meet"]), st.integers(0, 3_000), st.integers(1, 3_000)), max_size=4
)


@settings(deadline=None)
@given(start=instants.filter(lambda instant: instant < datetime(2026, 6, 1, tzinfo=UTC)), limit=limits(), history=histories)
def test_a_clock_that_stood_still_is_due_so_much_later(
    start: datetime, limit: Limit, history: Sequence[tuple[str, int, int]]
) -> None:
    clock, now = clocks.start(ClockKind.RESOLVE, limit, at=start), start
    due = slow_due(start, limit)
    for what, wait, minutes in history:
        now += timedelta(minutes=wait)
        if what == "extend":
            clock = one(clocks.extend((clock,), ClockKind.RESOLVE, minutes=minutes, at=now))
            due = slow_due(due, Limit(minutes, limit.calendar, limit.whole_days and minutes % DAY[limit.calendar] == 0))
        else:
            since, now = now, now + timedelta(minutes=minutes)
            clock = stood_still(clock, what, since, now)
            if limit.calendar is not Calendar.STATUTORY:
                due = slow_end(due, slow_between(since, now, limit.calendar), limit.calendar)
        assert clock.due_at == due
        assert clock.light is clocks.light_at(clock, now)
    assert clock.limit_minutes == limit.minutes + sum(minutes for what, _, minutes in history if what == "extend")
    assert clock.due_at == (clock.changes[-1].due_at if clock.changes else due)


def stood_still(clock: Clock, what: str, since: datetime, until: datetime) -> Clock:
    """The clock after a suspension, or after it was met and the work did not hold."""
    if what == "meet":
        met = one(clocks.meet((clock,), ClockKind.RESOLVE, at=since))
        assert clocks.turn((met,), until) == ((met,), [])
        return one(clocks.reopen((met,), ClockKind.RESOLVE, at=until))
    paused = one(clocks.pause((clock,), at=since))
    if clock.calendar is Calendar.STATUTORY:
        assert paused == clock
        return one(clocks.turn((clock,), until)[0])
    light, turns_at = clocks.outlook((paused,))
    assert (turns_at, light, clocks.light_at(paused, until)) == (None, paused.light, paused.light)
    assert clocks.turn((paused,), until) == ((paused,), [])
    return one(clocks.resume((paused,), at=until))


def one(found: tuple[Clock, ...]) -> Clock:
    (clock,) = found
    return clock


def test_a_paused_clock_that_is_met_has_run_on_first() -> None:
    """Ten working minutes of standstill belong to nobody, also when the work ends while the clock stands still."""
    start = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    clock = clocks.start(ClockKind.RESOLVE, Limit(60, Calendar.WORK), at=start)
    paused = clocks.pause((clock,), at=start + 30 * MINUTE)
    assert clocks.pause(paused, at=start + 35 * MINUTE) == paused
    met = one(clocks.meet(paused, ClockKind.RESOLVE, at=start + 40 * MINUTE))
    assert (met.due_at, met.light, met.paused_at) == (start + 70 * MINUTE, Light.GREEN, None)
    assert [change.kind for change in met.changes] == [ClockChangeKind.PAUSED, ClockChangeKind.RESUMED]
    assert math.isclose(met.changes[-1].minutes, 10)


def test_statutory_clocks_never_pause_but_may_be_extended() -> None:
    """信访: 60 days, and 30 more with approval."""
    start = datetime(2026, 1, 5, 9, 0, tzinfo=SHANGHAI)
    petition = (clocks.start(ClockKind.RESOLVE, Limit(60 * 1440, Calendar.STATUTORY), at=start),)
    assert clocks.resume(clocks.pause(petition, at=start + 60 * MINUTE), at=start + 600 * MINUTE) == petition
    assert one(clocks.extend(petition, ClockKind.RESOLVE, minutes=30 * 1440, at=start)).due_at == start + timedelta(days=90)


def test_a_restarted_clock_remembers_the_one_before() -> None:
    start = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    limit = Limit(480, Calendar.WORK)
    met = clocks.meet((clocks.start(ClockKind.ACCEPT, limit, at=start),), ClockKind.ACCEPT, at=start + 5 * MINUTE)
    again = one(clocks.restart(met, ClockKind.ACCEPT, limit, at=start + 60 * MINUTE))
    assert (again.started_at, again.met_at, again.due_at) == (start + 60 * MINUTE, None, slow_due(start + 60 * MINUTE, limit))
    assert [(change.kind, change.since) for change in again.changes] == [(ClockChangeKind.RESTARTED, start + 5 * MINUTE)]


def test_ten_thousand_due_times() -> None:
    """Numbers find what Hypothesis does not: limits of up to a few days from any moment of three and a half years, each its seed."""
    first = datetime(2023, 1, 1, tzinfo=UTC)
    for seed in range(10_000):
        dice = random.Random(seed)
        counted = dice.choice(list(Calendar))
        whole = counted is not Calendar.STATUTORY and dice.random() < 0.3
        limit = Limit(dice.randint(1, 2) * DAY[counted] if whole else dice.randint(1, 700), counted, whole)
        start = first + dice.randrange(3 * 365 * 86_400_000 + 250 * 86_400_000) * MS
        assert clocks.start(ClockKind.RESOLVE, limit, at=start).due_at == slow_due(start, limit), f"seed {seed}"

"""Clocks of tasks and cases: starting, meeting, stopping, reopening them, and the light each one shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from mediation import calendar
from mediation.domain import Calendar, Clock, ClockChange, ClockChangeKind, ClockKind, Light, Limit, Limits

# workflow.yaml, lights: yellow from 70 % of the limit, red from 100 %.
YELLOW_SHARE = 0.7

_BRIGHTNESS = {Light.UNSPECIFIED: 0, Light.GREEN: 1, Light.YELLOW: 2, Light.RED: 3}


def start(kind: ClockKind, limit: Limit, *, at: datetime) -> Clock:
    """Returns a running clock that started `at`; of two rival limits the one that ends first."""
    limit, due = _first(limit, at)
    yellow = calendar.add_minutes(at, limit.minutes * YELLOW_SHARE, calendar=limit.calendar)
    return Clock(
        kind=kind,
        calendar=limit.calendar,
        started_at=at,
        yellow_at=whole_ms(yellow),
        due_at=whole_ms(due),
        limit_minutes=limit.minutes,
        whole_days=limit.whole_days,
        light=Light.GREEN,
    )


def ends_at(limit: Limit, *, at: datetime) -> datetime:
    """Returns when a limit that started `at` is over; of two rival limits the one that ends first."""
    return whole_ms(_first(limit, at)[1])


def start_all(limits: Limits, *, at: datetime) -> tuple[Clock, ...]:
    """Returns the accept, respond and resolve clocks of a task that was assigned `at`."""
    return (
        start(ClockKind.ACCEPT, limits.accept, at=at),
        start(ClockKind.RESPOND, limits.respond, at=at),
        start(ClockKind.RESOLVE, limits.resolve, at=at),
    )


def meet(clocks: tuple[Clock, ...], *kinds: ClockKind, at: datetime) -> tuple[Clock, ...]:
    """Stops the running clocks of `kinds`; each keeps the light it had then. A clock met before stays as it is."""
    return tuple([_met(clock, at) if clock.met_at is None and clock.kind in kinds else clock for clock in clocks])


def restart(clocks: tuple[Clock, ...], kind: ClockKind, limit: Limit, *, at: datetime) -> tuple[Clock, ...]:
    """Replaces the clock of `kind` by a new one: an overruled department has to accept after all."""
    return tuple(_restarted(clock, limit, at) if clock.kind is kind else clock for clock in clocks)


def pause(clocks: tuple[Clock, ...], *, at: datetime) -> tuple[Clock, ...]:
    """Lets the running clocks stand still; statutory ones run on, for they never pause (sla_calendar.yaml, rules)."""
    return tuple(_paused(clock, at) if _can_pause(clock) else clock for clock in clocks)


def resume(clocks: tuple[Clock, ...], *, at: datetime) -> tuple[Clock, ...]:
    """Lets clocks that stand still run on; the working time since then is added, to the millisecond."""
    return tuple(_resumed(clock, at) if clock.paused_at else clock for clock in clocks)


def extend(clocks: tuple[Clock, ...], kind: ClockKind, *, minutes: int, at: datetime) -> tuple[Clock, ...]:
    """Adds `minutes` of its own calendar to the running clock of `kind`; its light is that of the longer limit.

    A limit of whole days extended by whole days still ends at a close. What may be added is for the policies to say.
    """
    return tuple(_extended(clock, minutes, at) if clock.kind is kind and clock.met_at is None else clock for clock in clocks)


def reopen(clocks: tuple[Clock, ...], kind: ClockKind, *, at: datetime) -> tuple[Clock, ...]:
    """Lets a met clock run on from where it stood: work that did not hold was not done.

    Working time between the meeting and `at` lay with the checkers and is added to the limit; a statutory clock never pauses.
    """
    return tuple(_reopened(clock, at) if clock.kind is kind and clock.met_at else clock for clock in clocks)


def drop_running(clocks: tuple[Clock, ...]) -> tuple[Clock, ...]:
    """Returns only the clocks that were met: nothing runs for a task that was taken out."""
    return tuple(clock for clock in clocks if clock.met_at)


def light_at(clock: Clock, now: datetime) -> Light:
    """Returns the light of a clock at `now`; one that was met, or stands still, shows the light of that moment."""
    return light_of(clock.met_at or clock.paused_at or now, yellow_at=clock.yellow_at, due_at=clock.due_at)


def light_of(when: datetime, *, yellow_at: datetime, due_at: datetime) -> Light:
    """Returns the light that `when` falls into."""
    if when >= due_at:
        return Light.RED
    return Light.YELLOW if when >= yellow_at else Light.GREEN


def turn(clocks: tuple[Clock, ...], now: datetime) -> tuple[tuple[Clock, ...], list[Clock]]:
    """Returns the clocks with their lights as of `now`, and those among them whose light turned. Lights never turn back."""
    kept, turned = [], []
    for clock in clocks:
        # A timer asks this of all clocks of all cases that are due: one pass without helpers.
        if clock.met_at is None and clock.paused_at is None and clock.light is not Light.RED:
            when = clock.due_at if clock.light is Light.YELLOW else clock.yellow_at
            if when <= now:
                clock = replace(clock, light=light_at(clock, now))
                turned.append(clock)
        kept.append(clock)
    return (tuple(kept) if turned else clocks), turned


def outlook(clocks: Iterable[Clock]) -> tuple[Light, datetime | None]:
    """Returns the worst light of the running clocks (UNSPECIFIED when none runs) and when the next of them turns (None: never).

    One pass without helpers: every verb asks this of every clock of its case.
    """
    light, turns_at = Light.UNSPECIFIED, None
    for clock in clocks:
        if clock.met_at is not None:
            continue
        if clock.light is Light.RED:
            light = Light.RED
            continue
        if clock.light is Light.YELLOW:
            when = clock.due_at
            light = light if light is Light.RED else Light.YELLOW
        else:
            when = clock.yellow_at
            light = light if light is not Light.UNSPECIFIED else Light.GREEN
        if clock.paused_at is None and (turns_at is None or when < turns_at):
            turns_at = when
    return light, turns_at


def brightest(lights: Iterable[Light]) -> Light:
    """Returns the worst of some lights."""
    return max(lights, key=_BRIGHTNESS.__getitem__, default=Light.UNSPECIFIED)


def find(clocks: tuple[Clock, ...], kind: ClockKind) -> Clock | None:
    """Returns the clock of one kind."""
    for clock in clocks:
        if clock.kind is kind:
            return clock
    return None


def is_on_time(clocks: tuple[Clock, ...], kind: ClockKind) -> bool:
    """Tells whether the met clock of `kind` was met before its limit; True where there is no such limit."""
    clock = find(clocks, kind)
    return clock is None or clock.met_at is None or clock.met_at < clock.due_at


def due_at(clocks: tuple[Clock, ...], kind: ClockKind) -> datetime | None:
    """Returns when the clock of `kind` is due."""
    clock = find(clocks, kind)
    return clock.due_at if clock else None


def whole_ms(instant: datetime) -> datetime:
    """Cuts an instant to the millisecond precision in which times are stored."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _first(limit: Limit, at: datetime) -> tuple[Limit, datetime]:
    due = _due(limit, at)
    if limit.rival and (sooner := _due(limit.rival, at)) < due:
        return limit.rival, sooner
    return limit, due


def _due(limit: Limit, at: datetime) -> datetime:
    if limit.whole_days and limit.calendar is not Calendar.STATUTORY:
        return calendar.end_of_working_day(at, limit.minutes, calendar=limit.calendar)
    return calendar.add_minutes(at, limit.minutes, calendar=limit.calendar)


def _met(clock: Clock, at: datetime) -> Clock:
    running = _resumed(clock, at) if clock.paused_at else clock
    return replace(running, met_at=at, light=light_of(at, yellow_at=running.yellow_at, due_at=running.due_at))


def _restarted(clock: Clock, limit: Limit, at: datetime) -> Clock:
    fresh = start(clock.kind, limit, at=at)
    change = ClockChange(kind=ClockChangeKind.RESTARTED, at=at, due_at=fresh.due_at, since=clock.met_at)
    return replace(fresh, changes=(*clock.changes, change))


def _reopened(clock: Clock, at: datetime) -> Clock:
    running = replace(clock, met_at=None)
    added = _standstill(clock.calendar, clock.met_at, at)
    return _prolonged(running, ClockChangeKind.REOPENED, minutes=added, since=clock.met_at, at=at)


def _can_pause(clock: Clock) -> bool:
    return clock.met_at is None and clock.paused_at is None and clock.calendar is not Calendar.STATUTORY


def _paused(clock: Clock, at: datetime) -> Clock:
    change = ClockChange(kind=ClockChangeKind.PAUSED, at=at, due_at=clock.due_at)
    return replace(clock, light=light_at(clock, at), paused_at=at, changes=(*clock.changes, change))


def _resumed(clock: Clock, at: datetime) -> Clock:
    running = replace(clock, paused_at=None)
    added = _standstill(clock.calendar, clock.paused_at, at)
    return _prolonged(running, ClockChangeKind.RESUMED, minutes=added, since=clock.paused_at, at=at)


def _standstill(ticking: Calendar, since: datetime | None, at: datetime) -> float:
    """Minutes that were nobody's fault: none where the calendar never pauses."""
    if ticking is Calendar.STATUTORY or since is None:
        return 0.0
    return calendar.minutes_between(since, at, calendar=ticking)


def _prolonged(clock: Clock, kind: ClockChangeKind, *, minutes: float, since: datetime | None, at: datetime) -> Clock:
    """The clock with the time it did not run added to both of its ends, and the change on record."""
    if minutes:
        yellow = whole_ms(calendar.add_minutes(clock.yellow_at, minutes, calendar=clock.calendar))
        due = whole_ms(calendar.add_minutes(clock.due_at, minutes, calendar=clock.calendar))
        clock = replace(clock, yellow_at=yellow, due_at=due)
    change = ClockChange(kind=kind, at=at, due_at=clock.due_at, since=since, minutes=minutes)
    return replace(clock, light=light_at(clock, at), changes=(*clock.changes, change))


def _extended(clock: Clock, minutes: int, at: datetime) -> Clock:
    limit = Limit(minutes, clock.calendar, clock.whole_days and minutes % calendar.minutes_per_day(clock.calendar) == 0)
    yellow = calendar.add_minutes(clock.yellow_at, minutes * YELLOW_SHARE, calendar=clock.calendar)
    longer = replace(
        clock,
        yellow_at=whole_ms(yellow),
        due_at=whole_ms(_due(limit, clock.due_at)),
        limit_minutes=clock.limit_minutes + minutes,
    )
    change = ClockChange(kind=ClockChangeKind.EXTENDED, at=at, due_at=longer.due_at, minutes=minutes)
    return replace(longer, light=light_at(longer, at), changes=(*clock.changes, change))

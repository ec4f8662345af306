"""Why a clock is due when it is due, in Chinese and English: the limit, what was not counted, and every change since.

"due Tue 24 Nov 10:30: 8 working hours from Mon 23 Nov 10:00, lunch excluded". Pure; times are those of the wall in China.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from mediation import calendar, routing
from mediation.calendar import Day
from mediation.clocks import light_at
from mediation.domain import Calendar, Case, Clock, ClockChange, ClockChangeKind, ClockKind, Light, Task

_MS = timedelta(milliseconds=1)
_ZH_DAYS = "一二三四五六日"
_EN_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_EN_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Limits by the clock are told in hours up to three days, then in days; more weekends than this are counted, not named.
_HOURS_TOLD = 72 * 60
_WEEKENDS_NAMED = 2


class Text(msgspec.Struct, frozen=True):
    """The same sentence twice."""

    zh: str
    en: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a clock, and when it was due from then on (None: it was met)."""

    at: datetime
    zh: str
    en: str
    due_at: datetime | None = None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that explains itself; `basis` is the row of the table its limit comes from, `days` what each day adds to it."""

    task_id: str
    department: str
    clock: Clock
    zh: str
    en: str
    basis: str
    changes: tuple[Line, ...]
    days: tuple[Day, ...]


def explain(case: Case, *, now: datetime) -> tuple[Explained, ...]:
    """Explains all clocks of a case, first its own, then those of its tasks, with their lights as of `now`.

    Years other than that of `now` are named.
    """
    year = calendar.local_day(now).year
    found = [(None, clock) for clock in case.clocks] + [(task, clock) for task in case.tasks for clock in task.clocks]
    return tuple(_explained(case, task, replace(clock, light=light_at(clock, now)), year) for task, clock in found)


def _explained(case: Case, task: Task | None, clock: Clock, year: int) -> Explained:
    said = sentence(clock, year=year, kept=task is not None and _is_kept(task, clock))
    days = calendar.explain(clock.started_at, clock.due_at, calendar=clock.calendar)
    return Explained(
        task_id=task.task_id if task else "",
        department=task.department if task else "",
        clock=clock,
        zh=said.zh,
        en=said.en,
        basis=_basis(case, task, clock),
        changes=tuple(_lines(clock, year)),
        days=tuple(days),
    )


def sentence(clock: Clock, *, year: int, kept: bool = False) -> Text:
    """Returns why a clock is due when it is due; `kept` says that it was taken over from a former lead."""
    due, start = when(clock.due_at, year), when(clock.started_at, year)
    limit = amount(clock.limit_minutes - _extensions(clock), clock.calendar, whole_days=clock.whole_days)
    zh, en = [f"自{start.zh}起{limit.zh}"], [f"{limit.en} from {start.en}"]
    for note in _notes(clock, year, kept):
        zh.append(note.zh)
        en.append(note.en)
    return Text(f"{due.zh}到期：{'，'.join(zh)}", f"due {due.en}: {', '.join(en)}")


def when(instant: datetime, year: int) -> Text:
    """Returns an instant to the minute with its day of the week; the year only where it is another than `year`."""
    local = calendar.local(instant)
    clock = local.strftime("%H:%M")
    day = _day(local.date(), year)
    return Text(f"{day.zh} {clock}", f"{day.en} {clock}")


def amount(minutes: float, counted: Calendar, *, whole_days: bool = False) -> Text:
    """Returns so much time of a calendar in the unit people use for it."""
    if counted is Calendar.STATUTORY:
        return _by_the_clock(minutes)
    counter = Text("（窗口时间）", " of the counter") if counted is Calendar.STAGGERED else Text("", "")
    if whole_days:
        days = _plain(minutes / calendar.minutes_per_day(counted))
        return Text(f"{days}个工作日{counter.zh}", f"{_plural(days, 'working day')}{counter.en}")
    if minutes % 30 == 0:
        hours = _plain(minutes / 60)
        return Text(f"{hours}个工作小时{counter.zh}", f"{_plural(hours, 'working hour')}{counter.en}")
    told = _plain(minutes)
    return Text(f"{told}分钟工作时间{counter.zh}", f"{_plural(told, 'working minute')}{counter.en}")


def _by_the_clock(minutes: float) -> Text:
    if minutes > _HOURS_TOLD and minutes % 1440 == 0:
        days = _plain(minutes / 1440)
        return Text(f"{days}个自然日", _plural(days, "calendar day"))
    if minutes % 60 == 0:
        hours = _plain(minutes / 60)
        return Text(f"{hours}小时", _plural(hours, "hour"))
    told = _plain(minutes)
    return Text(f"{told}分钟", _plural(told, "minute"))


# -------------------------------------------------------------------------------------------------------------------- notes


def _notes(clock: Clock, year: int, kept: bool) -> Iterable[Text]:
    """What is not seen from the limit alone, in the order people ask."""
    if clock.whole_days and not any(change.minutes for change in clock.changes):
        yield Text("到最后一个工作日下班时止", "to the close of the last one")
    if clock.calendar is Calendar.STATUTORY:
        yield Text("连续计算，节假日也不停", "every hour counts, holidays too")
    else:
        yield from _excluded(clock, year)
    if kept:
        yield Text("更换牵头单位不重新计时", "a change of lead buys no time")
    for change in clock.changes:
        if change.minutes:
            yield _added(change, clock.calendar, year)
    if clock.paused_at and clock.met_at is None:
        since = when(clock.paused_at, year)
        yield Text(f"自{since.zh}起中止，恢复后顺延", f"standing still since {since.en}: the time is added when it runs on")


def _excluded(clock: Clock, year: int) -> Iterable[Text]:
    opens = _first_worked(clock)
    if opens != clock.started_at:
        first = when(opens, year)
        yield Text(f"从{first.zh}上班时开始计", f"counted from {first.en}, when work begins")
    days = calendar.explain(clock.started_at, clock.due_at, calendar=clock.calendar)
    if not clock.whole_days and any(_over_lunch(clock, each) for each in days):
        yield Text("午休不计", "lunch excluded")
    yield from _closures([each.day for each in days if not each.working], year)
    for each in days:
        moved = calendar.moved(each.day)
        if moved and moved.working:
            day = _day(each.day, year)
            yield Text(f"{day.zh}{moved.zh}调休上班，计入", f"{day.en} counted as a make-up day for {moved.en}")
    for unknown in sorted({each.day.year for each in days if not calendar.is_published(each.day)}):
        yield Text(
            f"{unknown}年放假安排尚未公布，按周一至周五计", f"holidays of {unknown} not published yet, Monday to Friday counted"
        )


def _first_worked(clock: Clock) -> datetime:
    """When the first millisecond of work lies; the start itself inside working hours."""
    return calendar.add_minutes(clock.started_at, _MS / timedelta(minutes=1), calendar=clock.calendar) - _MS


def _over_lunch(clock: Clock, day: Day) -> bool:
    """Whether a break between two sessions of a working day lies inside the limit."""
    hours = calendar.sessions(clock.calendar)
    if not day.working:
        return False
    midnight = datetime(day.day.year, day.day.month, day.day.day)
    begins, ends = calendar.local(clock.started_at), calendar.local(clock.due_at)
    breaks = [(closes, opens) for (_, closes), (opens, _) in pairwise(hours) if opens > closes]
    return any(
        begins < midnight + timedelta(minutes=opens) and ends > midnight + timedelta(minutes=closes) for closes, opens in breaks
    )


def _closures(closed: list[date], year: int) -> Iterable[Text]:
    """Tells the days off in runs: holidays by their names, weekends by their days while they are few."""
    runs = _runs(closed)
    weekends = [run for run in runs if _holiday(run) is None]
    for run in runs:
        span = _span(run, year)
        if holiday := _holiday(run):
            yield Text(f"{holiday.zh}假期（{span.zh}）不计", f"{holiday.en} ({span.en}) excluded")
        elif len(weekends) <= _WEEKENDS_NAMED:
            yield Text(f"周末（{span.zh}）不计", f"weekend ({span.en}) excluded")
    if len(weekends) > _WEEKENDS_NAMED:
        yield Text(f"{len(weekends)}个周末不计", f"{len(weekends)} weekends excluded")


def _runs(days: list[date]) -> list[list[date]]:
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _holiday(run: list[date]) -> Text | None:
    """The holidays of a run, in their order."""
    names = dict.fromkeys((moved.zh, moved.en) for day in run if (moved := calendar.moved(day)))
    if not names:
        return None
    return Text("、".join(zh for zh, _ in names), " and ".join(en for _, en in names))


def _added(change: ClockChange, counted: Calendar, year: int) -> Text:
    more = _rough(change.minutes, counted)
    why = _reason(change, year)
    return Text(f"加{more.zh}（{why.zh}）", f"plus {more.en} ({why.en})")


def _reason(change: ClockChange, year: int) -> Text:
    at = when(change.at, year)
    since = when(change.since or change.at, year)
    return {
        ClockChangeKind.PAUSED: Text(f"{at.zh}中止", f"paused {at.en}"),
        ClockChangeKind.RESUMED: Text(f"{since.zh}至{at.zh}中止", f"paused {since.en} to {at.en}"),
        ClockChangeKind.EXTENDED: Text(f"{at.zh}批准延期", f"extension approved {at.en}"),
        ClockChangeKind.REOPENED: Text(f"{since.zh}办结至{at.zh}退回返工", f"done {since.en}, sent back {at.en}"),
        ClockChangeKind.RESTARTED: Text(f"{at.zh}裁定异议不成立", f"objection overruled {at.en}"),
    }[change.kind]


# -------------------------------------------------------------------------------------------------------------------- lines


def _lines(clock: Clock, year: int) -> Iterable[Line]:
    """The life of a clock, oldest first."""
    if not any(change.kind is ClockChangeKind.RESTARTED for change in clock.changes):
        limit = amount(clock.limit_minutes - _extensions(clock), clock.calendar, whole_days=clock.whole_days)
        due = when(_first_due(clock), year)
        yield Line(
            at=clock.started_at,
            due_at=_first_due(clock),
            zh=f"开始计时：{limit.zh}，{due.zh}到期",
            en=f"started: {limit.en}, due {due.en}",
        )
    for change in clock.changes:
        yield _line(clock, change, year)
    if clock.met_at:
        met = _MET[clock.light is Light.RED]
        yield Line(at=clock.met_at, zh=met.zh, en=met.en)


_MET = {False: Text("按时完成", "met in time"), True: Text("超期完成", "met late")}


def _line(clock: Clock, change: ClockChange, year: int) -> Line:
    due, why = when(change.due_at, year), _reason(change, year)
    more = _rough(change.minutes, clock.calendar)
    said = {
        ClockChangeKind.PAUSED: Text("中止计时，恢复后顺延", "stands still; the time will be added"),
        ClockChangeKind.RESUMED: Text(f"恢复计时，顺延{more.zh}：{due.zh}到期", f"runs on, {more.en} added: due {due.en}"),
        ClockChangeKind.EXTENDED: Text(f"延长{more.zh}：{due.zh}到期", f"{more.en} longer: due {due.en}"),
        ClockChangeKind.REOPENED: Text(f"退回返工，顺延{more.zh}：{due.zh}到期", f"sent back, {more.en} added: due {due.en}"),
        ClockChangeKind.RESTARTED: Text(f"重新计时：{due.zh}到期", f"starts anew: due {due.en}"),
    }[change.kind]
    if clock.calendar is Calendar.STATUTORY and change.kind is ClockChangeKind.REOPENED:
        said = Text(f"退回返工，法定期限不中止：{due.zh}到期", f"sent back; a statutory limit never pauses: due {due.en}")
    return Line(at=change.at, due_at=change.due_at, zh=f"{said.zh}（{why.zh}）", en=f"{said.en} ({why.en})")


def _first_due(clock: Clock) -> datetime:
    """When it was due as it started: before its first change that moved it."""
    if not clock.changes:
        return clock.due_at
    first = clock.changes[0]
    if first.kind is ClockChangeKind.PAUSED or not first.minutes:
        return first.due_at
    minutes = clock.limit_minutes - _extensions(clock)
    if clock.whole_days:
        return calendar.end_of_working_day(clock.started_at, minutes, calendar=clock.calendar)
    return calendar.add_minutes(clock.started_at, minutes, calendar=clock.calendar)


# -------------------------------------------------------------------------------------------------------------------- where from


def _is_kept(task: Task, clock: Clock) -> bool:
    """Whether the clock is older than the task: it came from the lead before."""
    return task.assigned_at is not None and clock.started_at < task.assigned_at


def _basis(case: Case, task: Task | None, clock: Clock) -> str:
    """The row the limit comes from; "" where it was set by hand."""
    if clock.kind is ClockKind.RULING:
        return "parallel_policy.yaml: objection, ruling inside 4 working hours"
    route = routing.find(case.category)
    minutes = clock.limit_minutes - _extensions(clock)
    if clock.kind is ClockKind.RESOLVE:
        return route.basis if task is None or task.is_lead else f"{route.basis}; parallel_policy.yaml: joint 0.8"
    accept, respond = routing.severity_limits(case.severity)
    own, row = (accept, route.accept) if clock.kind is ClockKind.ACCEPT else (respond, route.respond)
    if row and row.minutes == minutes and own.minutes != minutes:
        return route.basis
    if own.minutes == minutes:
        return f"case_severity.csv {case.severity.upper()}"
    return f"{route.basis}; no longer than the result may take"


def _extensions(clock: Clock) -> int:
    return round(sum(change.minutes for change in clock.changes if change.kind is ClockChangeKind.EXTENDED))


# -------------------------------------------------------------------------------------------------------------------- words


def _day(day: date, year: int) -> Text:
    zh, en = f"{day.month}月{day.day}日周{_ZH_DAYS[day.weekday()]}", f"{_EN_DAYS[day.weekday()]} {_short(day)}"
    return Text(zh, en) if day.year == year else Text(f"{day.year}年{zh}", f"{en} {day.year}")


def _span(run: list[date], year: int) -> Text:
    first, last = run[0], run[-1]
    if first == last:
        return _day(first, year)
    zh = f"{first.month}月{first.day}日至{last.month}月{last.day}日"
    en = f"{_short(first)} to {_short(last)}"
    return Text(zh, en) if last.year == year else Text(f"{first.year}年{zh}", f"{en} {last.year}")


def _short(day: date) -> str:
    return f"{day.day} {_EN_MONTHS[day.month - 1]}"


def _rough(minutes: float, counted: Calendar) -> Text:
    """An amount that came of the clock and not of a table: whole days, else hours and minutes as they are."""
    day = calendar.minutes_per_day(counted)
    return amount(round(minutes), counted, whole_days=round(minutes) >= day and round(minutes) % day == 0)


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _plural(number: str, unit: str) -> str:
    return f"{number} {unit}{'' if number == '1' else 's'}"

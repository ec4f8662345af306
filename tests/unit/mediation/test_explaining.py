"""What clocks say about themselves, word for word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation import calendar, clocks, explaining, operations, routing
from mediation.domain import Calendar, Clock, ClockKind, Limit, Severity

from .builders import DISPATCHER, accepted, department, dispatched, ids, task_of

SHANGHAI = timezone(timedelta(hours=8))
OFFICE, COUNTER, STATUTE = Calendar.WORK, Calendar.STAGGERED, Calendar.STATUTORY


def at(text: str) -> datetime:
    """A time in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def clock(start: str, limit: Limit) -> Clock:
    return clocks.start(ClockKind.RESOLVE, limit, at=at(start))


def said(one: Clock, year: int = 2026) -> tuple[str, str]:
    text = explaining.sentence(one, year=year)
    return text.zh, text.en


@pytest.mark.parametrize(
    ("start", "limit", "zh", "en"),
    [
        (
            "2026-11-23T10:00", Limit(480, OFFICE),
            "11月24日周二 10:30到期：自11月23日周一 10:00起8个工作小时，午休不计",
            "due Tue 24 Nov 10:30: 8 working hours from Mon 23 Nov 10:00, lunch excluded",
        ),
        (
            "2026-11-20T17:00", Limit(90, OFFICE),
            "11月23日周一 09:00到期：自11月20日周五 17:00起1.5个工作小时，周末（11月21日至11月22日）不计",
            "due Mon 23 Nov 09:00: 1.5 working hours from Fri 20 Nov 17:00, weekend (21 Nov to 22 Nov) excluded",
        ),
        (
            "2026-09-30T17:00", Limit(3 * 450, OFFICE, whole_days=True),
            "10月10日周六 18:00到期：自9月30日周三 17:00起3个工作日，到最后一个工作日下班时止，"
            "国庆节假期（10月1日至10月7日）不计，10月10日周六国庆节调休上班，计入",
            "due Sat 10 Oct 18:00: 3 working days from Wed 30 Sep 17:00, to the close of the last one, "
            "National Day (1 Oct to 7 Oct) excluded, Sat 10 Oct counted as a make-up day for National Day",
        ),
        (
            "2026-11-23T20:00", Limit(6, OFFICE),
            "11月24日周二 08:36到期：自11月23日周一 20:00起6分钟工作时间，从11月24日周二 08:30上班时开始计",
            "due Tue 24 Nov 08:36: 6 working minutes from Mon 23 Nov 20:00, counted from Tue 24 Nov 08:30, when work begins",
        ),
        (
            "2026-11-23T11:00", Limit(240, COUNTER),
            "11月23日周一 15:00到期：自11月23日周一 11:00起4个工作小时（窗口时间）",
            "due Mon 23 Nov 15:00: 4 working hours of the counter from Mon 23 Nov 11:00",
        ),
        (
            "2026-11-23T10:00", Limit(120, STATUTE),
            "11月23日周一 12:00到期：自11月23日周一 10:00起2小时，连续计算，节假日也不停",
            "due Mon 23 Nov 12:00: 2 hours from Mon 23 Nov 10:00, every hour counts, holidays too",
        ),
        (
            "2025-12-01T10:00", Limit(60 * 1440, STATUTE),
            "1月30日周五 10:00到期：自2025年12月1日周一 10:00起60个自然日，连续计算，节假日也不停",
            "due Fri 30 Jan 10:00: 60 calendar days from Mon 1 Dec 2025 10:00, every hour counts, holidays too",
        ),
    ],
)  # fmt: skip
def test_sentences(start: str, limit: Limit, zh: str, en: str) -> None:
    assert said(clock(start, limit)) == (zh, en)


def test_many_weekends_are_counted_and_unknown_years_are_named() -> None:
    zh, en = said(clock("2026-10-12T10:00", Limit(30 * 450, OFFICE, whole_days=True)))
    assert "6个周末不计" in zh
    assert "6 weekends excluded" in en
    zh, en = said(clock("2031-10-01T10:00", Limit(60, OFFICE)))
    assert zh.endswith("2031年放假安排尚未公布，按周一至周五计")
    assert en.endswith("holidays of 2031 not published yet, Monday to Friday counted")


def test_holidays_that_touch_are_told_together() -> None:
    zh, en = said(clock("2025-09-30T17:00", Limit(120, OFFICE)), year=2025)
    assert "国庆节、中秋假期（10月1日至10月8日）不计" in zh
    assert "National Day and Mid-autumn Festival (1 Oct to 8 Oct) excluded" in en


def test_every_change_explains_itself() -> None:
    """Suspended, resumed, extended, done, sent back: one line each, and the sum in one sentence."""
    ticking = (clock("2026-11-23T10:00", Limit(480, OFFICE)),)
    ticking = clocks.pause(ticking, at=at("2026-11-23T15:00"))
    paused = said(ticking[0])
    assert paused[0].endswith("自11月23日周一 15:00起中止，恢复后顺延")
    assert paused[1].endswith("standing still since Mon 23 Nov 15:00: the time is added when it runs on")
    ticking = clocks.resume(ticking, at=at("2026-11-24T09:30"))
    ticking = clocks.extend(ticking, ClockKind.RESOLVE, minutes=450, at=at("2026-11-24T10:00"))
    ticking = clocks.meet(ticking, ClockKind.RESOLVE, at=at("2026-11-24T11:00"))
    ticking = clocks.reopen(ticking, ClockKind.RESOLVE, at=at("2026-11-24T11:30"))
    ticking = clocks.meet(ticking, ClockKind.RESOLVE, at=at("2026-11-27T11:30"))
    zh, en = said(ticking[0])
    assert en == (
        "due Wed 25 Nov 17:00: 8 working hours from Mon 23 Nov 10:00, lunch excluded, "
        "plus 4 working hours (paused Mon 23 Nov 15:00 to Tue 24 Nov 09:30), "
        "plus 1 working day (extension approved Tue 24 Nov 10:00), "
        "plus 0.5 working hours (done Tue 24 Nov 11:00, sent back Tue 24 Nov 11:30)"
    )
    assert zh == (
        "11月25日周三 17:00到期：自11月23日周一 10:00起8个工作小时，午休不计，"
        "加4个工作小时（11月23日周一 15:00至11月24日周二 09:30中止），"
        "加1个工作日（11月24日周二 10:00批准延期），"
        "加0.5个工作小时（11月24日周二 11:00办结至11月24日周二 11:30退回返工）"
    )
    lines = list(explaining._lines(ticking[0], 2026))
    assert [line.en for line in lines] == [
        "started: 8 working hours, due Tue 24 Nov 10:30",
        "stands still; the time will be added (paused Mon 23 Nov 15:00)",
        "runs on, 4 working hours added: due Tue 24 Nov 16:30 (paused Mon 23 Nov 15:00 to Tue 24 Nov 09:30)",
        "1 working day longer: due Wed 25 Nov 16:30 (extension approved Tue 24 Nov 10:00)",
        "sent back, 0.5 working hours added: due Wed 25 Nov 17:00 (done Tue 24 Nov 11:00, sent back Tue 24 Nov 11:30)",
        "met late",
    ]
    assert [line.zh for line in lines][2:4] == [
        "恢复计时，顺延4个工作小时：11月24日周二 16:30到期（11月23日周一 15:00至11月24日周二 09:30中止）",
        "延长1个工作日：11月25日周三 16:30到期（11月24日周二 10:00批准延期）",
    ]
    assert [line.due_at for line in lines][-2:] == [at("2026-11-25T17:00"), None]


def test_a_statutory_limit_that_was_sent_back_says_that_it_never_paused() -> None:
    met = clocks.meet((clock("2026-11-23T10:00", Limit(120, STATUTE)),), ClockKind.RESOLVE, at=at("2026-11-23T11:00"))
    (again,) = clocks.reopen(met, ClockKind.RESOLVE, at=at("2026-11-23T11:30"))
    assert "a statutory limit never pauses: due Mon 23 Nov 12:00" in list(explaining._lines(again, 2026))[-1].en


def test_all_clocks_of_a_case_with_the_rows_they_come_from() -> None:
    """A0204 is S4: accept 2 working hours by its row; B05 has no such row, so its severity says 8."""
    case = accepted(dispatched("PMC", "FIRE"), "PMC")
    found = explaining.explain(case, now=case.reported_at)
    assert [(each.department, each.clock.kind) for each in found] == [
        (department, kind)
        for department in ("", "PMC", "FIRE")
        for kind in (ClockKind.ACCEPT, ClockKind.RESPOND, ClockKind.RESOLVE)
    ]
    basis = {(each.department, each.clock.kind): each.basis for each in found}
    assert basis["PMC", ClockKind.ACCEPT].startswith("dispute_route.csv 0204")
    assert basis["FIRE", ClockKind.RESOLVE].endswith("joint 0.8")
    other = explaining.explain(dispatched("FIRE", category="B05"), now=case.reported_at)
    assert other[0].basis == "case_severity.csv S4"


def test_a_change_of_lead_says_that_it_buys_no_time() -> None:
    case = dispatched("PMC", "FIRE")
    task_id = task_of(case, "PMC").task_id
    later = case.reported_at + timedelta(hours=1)
    case, _ = operations.object_task(case, task_id=task_id, reason="x", by=department("PMC"), at=later, now=later)
    case, _ = operations.rule_objection(
        case, task_id=task_id, upheld=True, reason="y", reassign_to="HOUSING", by=DISPATCHER, at=later, now=later, new_id=ids()
    )  # fmt: skip
    lead = [each for each in explaining.explain(case, now=later) if each.department == "HOUSING"]
    assert ["a change of lead buys no time" in each.en for each in lead] == [False, False, True]


@given(category=st.sampled_from(routing.categories()), severity=st.sampled_from(Severity))
def test_every_row_has_words(category: str, severity: Severity) -> None:
    limits = routing.case_limits(category, severity)
    for limit in (limits.accept, limits.respond, limits.resolve):
        zh, en = said(clock("2026-09-28T15:00", limit))
        assert "到期" in zh
        assert en.startswith("due ")
        assert ".0 " not in en


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[None]:
    """A city that knows next year's holidays before the package does."""
    table = tmp_path / "holidays.csv"
    table.write_text("day,working,zh,en\n2031-10-01,N,国庆节,National Day\n2031-10-04,Y,国庆节,National Day\n")
    calendar.announce_from(str(table))
    yield
    for day in ("2031-10-01", "2031-10-04"):
        del calendar._moved()[datetime.fromisoformat(day).date()]
    calendar.announce([])


def test_a_city_may_announce_holidays(announced: None) -> None:
    end = calendar.add_minutes(at("2031-09-30T17:00"), 120, calendar=OFFICE)
    assert end == at("2031-10-02T09:30")
    assert calendar.is_working_day(at("2031-10-04T00:00").date())
    zh, _ = said(clock("2031-09-30T17:00", Limit(120, OFFICE)), year=2031)
    assert "国庆节假期（10月1日周三）不计" in zh
    assert "尚未公布" not in zh


@pytest.mark.parametrize("row", [{"day": "2031-13-01", "working": "N"}, {"day": "2031-10-01", "working": "x"}, {}])
def test_a_wrong_table_of_holidays_names_its_line(row: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="line 2 of the table of holidays"):
        calendar.announce([{"zh": "", "en": "", **row}])


def test_a_table_of_holidays_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        calendar.announce_from("/nowhere/holidays.csv")

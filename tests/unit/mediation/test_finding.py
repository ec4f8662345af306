"""Words, marks, plans and filters of searches, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation import asking, inbox, plans
from mediation.domain import Case, TaskState
from mediation.finding import _task_page, due_range, window_end
from mediation.store import view_of
from mediation.wording import Wording, plain, wanted, wording
from svckit.documents import stored
from svckit.errors import InvalidArgument

from .builders import DISPATCHER, RESIDENT, START, dispatched, done

CHINESE = st.text(alphabet="水管破裂小区东门外自来主路面积重庆银行长江", min_size=1, max_size=12)
LATIN = st.text(alphabet="abcxyz0123", min_size=1, max_size=10)
TEXT = st.lists(st.one_of(CHINESE, LATIN, st.sampled_from([",", " ", "。", "-"])), min_size=1, max_size=6).map("".join)


def matches(kept: Wording, text: str) -> bool:
    """What `texts.saying` asks the database."""
    what = wanted(text, field="text")
    narrowed = set(what.terms) <= set(kept.terms) if what.terms else any(t.startswith(what.beginning) for t in kept.terms)
    return narrowed and all(word in kept.text for word in what.words)


@given(text=TEXT, start=st.integers(0, 30), length=st.integers(1, 12))
def test_every_part_of_a_text_finds_it(text: str, start: int, length: int) -> None:
    kept = wording(description=text, address="", number="420502-2026-000123")
    part = plain(text)[start : start + length]
    if any(character.isalnum() for character in part):
        assert matches(kept, part)


WORDS = [
    "水管",
    "水管破裂",
    "水",
    "裂",
    "sgpl",
    "SGPL",
    "zlsg",
    "pl",
    "000123",
    "420502-2026-000123",
    "2026-000123",
    "夷陵大道",
    "1号",
]


@pytest.mark.parametrize("text", WORDS)
def test_cases_are_found_by_words_initials_and_number(text: str) -> None:
    assert matches(wording(description="东门自来水管破裂", address="夷陵大道1号", number="420502-2026-000123"), text)


@pytest.mark.parametrize("text", ["水破", "plsg", "000124", "420503-2026-000123", "夷陵2号"])
def test_others_are_not(text: str) -> None:
    assert not matches(wording(description="东门自来水管破裂", address="夷陵大道1号", number="420502-2026-000123"), text)


def test_initials_follow_the_reading_of_the_word() -> None:
    assert matches(wording(description="重庆银行门口", address="", number="1"), "cqyh")


@pytest.mark.parametrize("text", ["!!", "。,", "---"])
def test_a_text_without_a_letter_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        wanted(text, field="filter.text")
    assert (refused.value.reason, refused.value.field) == ("NO_WORDS", "filter.text")


def test_all_words_must_occur() -> None:
    kept = wording(description="东门水管破裂", address="", number="1")
    assert matches(kept, "水管 东门")
    assert not matches(kept, "水管 西门")


def test_the_marks_of_a_case_follow_its_open_tasks() -> None:
    case = dispatched("PMC", "FIRE", after={"FIRE": ["PMC"]})
    assert set(case.inbox) == {"PMC", "FIRE", inbox.ANY}
    assert inbox.due_of(case.inbox["PMC"]) == case.tasks[0].due_at
    assert case.inbox["FIRE"].startswith("9999")
    assert case.inbox[inbox.ANY] == case.inbox["PMC"]
    case = done(case, "PMC")
    assert set(case.inbox) == {"FIRE", inbox.ANY}
    assert not done(case, "FIRE").inbox


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(1, 10**9))
def test_marks_sort_as_times_do(at: datetime, later: int) -> None:
    at = at.replace(tzinfo=UTC, microsecond=at.microsecond // 1000 * 1000)
    after = at + timedelta(milliseconds=later)
    assert inbox.mark(at, "zzz") < inbox.mark(after) < inbox.mark(after, "a") < inbox.mark(inbox.FAR)
    assert inbox.due_of(inbox.mark(at, "x")) == at


def test_windows_end_with_the_day_in_shanghai() -> None:
    evening = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    assert window_end("overdue", now=evening) == evening
    assert window_end("today", now=evening) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert window_end("today", now=evening + timedelta(minutes=1)) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert window_end("week", now=evening) == datetime(2026, 11, 28, 16, 0, tzinfo=UTC)
    assert window_end("", now=evening) is None
    assert due_range(start=None, end=None) is None
    assert due_range(start=START, end=None) == {"$gte": inbox.mark(START), "$lt": inbox.mark(inbox.FAR)}


def ask(caller: Any = DISPATCHER, **fields: Any) -> Any:
    return asking.of_cases(fields, caller=caller, now=START)


def test_filters_become_conditions() -> None:
    made = ask(states=["reported", "closed"], open=True, category="A02", department="FIRE", light="red")
    flat = plans.flat(made.filter)
    assert flat["state"] == {"$in": ["reported"]}
    assert ("state", {"$ne": "draft"}) in list(plans.conditions(made.filter))
    assert flat["category"] == {"$gte": "A02", "$lt": "A02\uffff"}
    assert (flat["light"], flat["tasks.department"]) == ("red", "FIRE")
    asked = [key for key, _ in plans.conditions(plans.standing_part(made.filter))]
    assert sorted(asked) == ["area_code", "category", "light", "state", "state", "state"]
    assert plans.flat(ask(states=["closed"], open=True).filter)["state"] == {"$in": ["none of them"]}
    assert "inbox.FIRE" in plans.flat(ask(department="FIRE", due="overdue").filter)
    assert "inbox.any" in plans.flat(ask(due_before=START).filter)
    assert plans.flat(ask(external_id="7").filter)["external_id"] == "7"
    # The register of letters and visits (MED-11).
    assert plans.flat(ask(sources=["05", "06"]).filter)["source"] == {"$in": ["05", "06"]}


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"department": "NOBODY"}, "UNKNOWN_DEPARTMENT", "filter.department"),
        ({"sources": ["05", "77"]}, "UNKNOWN_SOURCE", "filter.sources[1]"),
        ({"text": "??"}, "NO_WORDS", "filter.text"),
        ({"due_from": START, "due_before": START}, "EMPTY_SPAN", "filter.due_before"),
        ({"reported_from": START, "reported_before": START}, "EMPTY_SPAN", "filter.reported_before"),
    ],
)
def test_what_cannot_be_searched_for_is_named(fields: dict[str, Any], reason: str, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        ask(**fields)
    assert (refused.value.reason, refused.value.field) == (reason, field)


def test_residents_search_among_their_own_reports() -> None:
    flat = plans.flat(ask(RESIDENT, text="水管").filter)
    assert flat["reporter.subject"] == RESIDENT.subject
    assert flat["created_by.key"]["$gte"] == f"{RESIDENT.subject}:"
    assert plans.flat(view_of(RESIDENT).where) == plans.flat(ask(RESIDENT).filter)


def paged(cases: list[dict[str, Any]], size: int) -> list[list[str]]:
    """All pages of tasks, as the database would give them."""
    pages: list[list[str]] = []
    start: Any = (None, 0)
    while True:
        begin = start[0].key if start[0] else ""
        rest = [case for case in cases if case["case_id"] > begin]
        last = None
        if len(rest) > size:
            rest = rest[:size]
            last = inbox_cursor(rest[-1])
        shown, after = _task_page(rest, start, last, wanted={"state": {"$in": ["open"]}}, size=size, key="any")
        pages.append([row["task"]["task_id"] for row in shown])
        if after is None:
            return pages
        key, _, skip = after.key.partition("/")
        start = (msgspec.structs.replace(after, key=key), int(skip or 0))


def inbox_cursor(case: dict[str, Any]) -> Any:
    from mediation.finding import _due_cursor

    return _due_cursor(case, "any")


@given(tasks=st.lists(st.integers(1, 4), max_size=12), size=st.integers(1, 5))
def test_pages_of_tasks_show_each_once_and_are_never_too_long(tasks: list[int], size: int) -> None:
    cases = [
        {
            "case_id": f"{number:03}",
            "inbox": {"any": inbox.mark(START, f"{number:03}")},
            "tasks": [{"task_id": f"{number}.{at}", "state": "open"} for at in range(count)]
            + [{"task_id": "x", "state": "done"}],
        }
        for number, count in enumerate(tasks, start=1)
    ]
    pages = paged(cases, size)
    assert [task for page in pages for task in page] == [
        f"{n}.{at}" for n, count in enumerate(tasks, start=1) for at in range(count)
    ]
    assert all(len(page) <= size for page in pages)


def test_a_case_keeps_its_marks_in_the_database() -> None:
    case = dispatched("PMC")
    assert stored(case)["inbox"] == case.inbox
    assert msgspec.convert(stored(case), Case, builtin_types=(datetime,)) == case
    assert case.tasks[0].state is TaskState.ASSIGNED

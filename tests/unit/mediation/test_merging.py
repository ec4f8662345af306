"""Duplicates: how they are recognised, merged and taken apart, and how their reporters stay informed in whatever order messages come."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation import duplicates, operations
from mediation.domain import Case, CaseState, ClockKind, Light, ServiceActor
from mediation.domain.facts import CaseMerged, CaseUnmerged
from mediation.duplicates import LIKELY, likeliest, likeness, text_likeness
from svckit.access import Caller
from svckit.errors import ServiceError

from .builders import (
    DISPATCHER,
    GRID_CODE,
    PLACE,
    RESIDENT,
    START,
    WORKER,
    after_start,
    dispatched,
    done,
    refused,
    reported,
    when,
)

SYSTEM = ServiceActor(subject="system", department="")
NEIGHBOUR = Caller("resident-2", roles=frozenset({"RESIDENT"}), area="420502001003")


def case_number(n: int, *, minutes: float = 0, by: Any = RESIDENT, **fields: Any) -> Case:
    at = after_start(minutes=minutes)
    ids = {"case_id": f"01930000-0000-7000-8000-{n:012d}", "number": f"420502-2026-{n:06d}"}
    return reported(**(ids | {"by": by, "at": at, "now": at} | fields))


def merge(case: Case, parent: Case, *, hours: float = 2) -> tuple[Case, CaseMerged]:
    merged, (fact,) = operations.merge_case(case, parent=parent, by=DISPATCHER, **when(hours=hours))
    assert isinstance(fact, CaseMerged)
    return merged, fact


def hear(case: Case, fact: CaseMerged | CaseUnmerged) -> tuple[Case, tuple[Any, ...]]:
    """What the worker does with a fact."""
    now = after_start(days=1)
    if isinstance(fact, CaseMerged):
        return operations.take_in(case, reporters=fact.reporters, merged_at=fact.merged_at, by=SYSTEM, now=now)
    return operations.let_go(case, case_ids=fact.case_ids, unmerged_at=fact.unmerged_at, by=SYSTEM, now=now)


def followers(case: Case) -> set[str]:
    return {each.case_id for each in case.followers if each.left_at is None}


class TestMerging:
    def test_the_merged_case_is_answered_and_its_reporter_follows(self) -> None:
        parent, child = case_number(1), case_number(2, minutes=30, by=NEIGHBOUR)
        merged, fact = merge(child, parent)
        assert merged.state is CaseState.MERGED
        assert merged.merging is not None
        assert (merged.merging.into, merged.merging.number, merged.next_light_at) == (parent.case_id, parent.number, None)
        parent, facts = hear(parent, fact)
        assert facts == ()
        assert [(each.case_id, each.subject) for each in parent.followers] == [(child.case_id, "resident-2")]
        assert hear(parent, fact) == (parent, ()), "a repeated message changes nothing"

    def test_its_reporter_hears_how_the_other_case_stands(self) -> None:
        merged, _ = merge(case_number(2, minutes=1), case_number(1))
        ended = done(dispatched("PMC", "FIRE"), "PMC", "FIRE")
        told = {"state": ended.state, "reply": ended.unified_reply, "by": SYSTEM, **when(hours=3)}
        heard, facts = operations.hear_of_parent(merged, **told)
        assert facts == ()
        assert heard.merging is not None
        assert (heard.state, heard.merging.state, heard.merging.reply) == ("merged", "handled", "已清理")
        assert heard.changed_at > merged.changed_at
        assert operations.hear_of_parent(heard, **told) == (heard, ())
        assert operations.hear_of_parent(reported(), **told)[0].merging is None

    def test_guards(self) -> None:
        parent, child = case_number(1), case_number(2, minutes=30)
        into = {"by": DISPATCHER, **when(hours=2)}
        assert refused("SAME_CASE", operations.merge_case, child, parent=child, **into) == "into"
        elsewhere = replace(parent, city="4206", area_code="42060200100310001")
        assert refused("OTHER_CITY", operations.merge_case, child, parent=elsewhere, **into) == "into"
        refused("PARENT_YOUNGER", operations.merge_case, parent, parent=child, **into)
        refused("ROLE_REQUIRED", operations.merge_case, child, parent=parent, by=WORKER, **when(hours=2))
        refused("WRONG_STATE", operations.merge_case, dispatched("PMC"), parent=parent, **into)
        for state in ("draft", "merged", "rejected", "closed", "evaluated", "withdrawn", "transferred"):
            refused("PARENT_NOT_OPEN", operations.merge_case, child, parent=replace(parent, state=CaseState(state)), **into)
        accepted = operations.accept_case(child, by=DISPATCHER, **when(hours=1))[0]
        assert merge(parent, accepted)[0].state is CaseState.MERGED, "an accepted case takes in older reports too"

    def test_two_mergers_at_once_make_no_circle(self) -> None:
        one, two = case_number(1), case_number(2)
        tried = [_tried(one, two), _tried(two, one)]
        assert sorted(tried) == [False, True]


def _tried(case: Case, parent: Case) -> bool:
    try:
        merge(case, parent)
    except ServiceError:
        return False
    return True


class TestUnmerging:
    def test_the_case_stands_for_itself_again_and_its_clocks_run_on(self) -> None:
        child = case_number(2, minutes=1)
        merged, fact = merge(child, case_number(1))
        parent, _ = hear(case_number(1), fact)
        apart, (gone,) = operations.unmerge_case(merged, reason="并错", by=DISPATCHER, **when(hours=4))
        assert isinstance(gone, CaseUnmerged)
        assert (apart.state, apart.merging) == (CaseState.REPORTED, None)
        assert {clock.kind for clock in apart.clocks if clock.met_at is None} == {ClockKind.ACCEPT, ClockKind.RESPOND}
        assert apart.light is not Light.UNSPECIFIED
        parent, _ = hear(parent, gone)
        assert followers(parent) == set()
        assert hear(parent, gone) == (parent, ())

    def test_guards(self) -> None:
        merged, _ = merge(case_number(2, minutes=1), case_number(1))
        refused("REASON_REQUIRED", operations.unmerge_case, merged, reason=" ", by=DISPATCHER, **when(hours=4))
        refused("ROLE_REQUIRED", operations.unmerge_case, merged, reason="x", by=WORKER, **when(hours=4))
        refused("WRONG_STATE", operations.unmerge_case, reported(), reason="x", by=DISPATCHER, **when(hours=4))

    def test_messages_in_any_order_end_alike(self) -> None:
        child = case_number(2, minutes=1)
        merged, first = merge(child, case_number(1), hours=1)
        apart, (gone,) = operations.unmerge_case(merged, reason="x", by=DISPATCHER, **when(hours=2))
        _, again = merge(apart, case_number(1), hours=3)
        for upto, expected in ((2, set()), (3, {child.case_id})):
            for order in itertools.permutations([first, gone, again][:upto]):
                parent = case_number(1)
                for fact in (*order, *order):
                    parent, _ = hear(parent, fact)  # type: ignore[arg-type]
                assert followers(parent) == expected, order


@settings(max_examples=200, deadline=None)
@given(seed=st.randoms(use_true_random=False), repeats=st.integers(1, 3))
def test_reporters_of_a_chain_reach_its_end(seed: Any, repeats: int) -> None:
    """Three into two, two into one, in whatever order the facts arrive and however often."""
    cases = {n: case_number(n, minutes=n) for n in (1, 2, 3)}
    by_id = {case.case_id: n for n, case in cases.items()}
    waiting: list[CaseMerged | CaseUnmerged] = []
    for child, parent in seed.sample([(3, 2), (2, 1)], 2):
        if cases[parent].state is not CaseState.REPORTED:
            continue
        cases[child], fact = merge(cases[child], cases[parent])
        waiting += [fact] * repeats
    while waiting:
        fact = waiting.pop(seed.randrange(len(waiting)))
        n = by_id[fact.into if isinstance(fact, CaseMerged) else fact.parent]
        cases[n], facts = hear(cases[n], fact)
        waiting += facts  # type: ignore[arg-type]
    end = cases[1]
    assert cases[2].case_id in followers(end)
    if cases[3].state is CaseState.MERGED:
        assert followers(end) == {cases[2].case_id, cases[3].case_id}
    assert len(end.followers) == len(followers(end))


# ------------------------------------------------------------------------------------------------------------- likeness


def told(n: int, **fields: Any) -> dict[str, Any]:
    given_fields = {
        "case_id": str(n),
        "point": {"longitude": PLACE.longitude, "latitude": PLACE.latitude},
        "area_code": GRID_CODE,
        "category": "D0402",
        "reported_at": START,
        "description": "3栋楼下消防通道被一辆白色面包车堵住",
        "address": "学院街3号",
    }
    return given_fields | fields


def moved(metres: float) -> dict[str, float]:
    return {"longitude": PLACE.longitude, "latitude": PLACE.latitude + metres / 111_195}


def test_the_same_thing_told_twice_is_recognised() -> None:
    other = told(2, point=moved(20), description="消防通道被白色面包车堵了,在3栋", reported_at=START + timedelta(hours=1))
    alike = likeness(told(1), other)
    assert alike.score > 0.75
    assert alike.place > 0.9
    assert likeness(told(1), told(1)).score == 1


def test_what_differs_counts_against_it() -> None:
    base = likeness(told(1), told(2)).score
    changes: list[dict[str, Any]] = [
        {"point": moved(150)},
        {"category": "D0101"},
        {"category": "A0204"},
        {"reported_at": START + timedelta(days=6)},
        {"description": "路灯不亮"},
    ]
    assert all(likeness(told(1), told(2, **change)).score < base for change in changes)
    far = told(
        2, point=moved(5_000), category="A0204", description="楼上漏水", address="", reported_at=START + timedelta(days=9)
    )
    assert likeness(told(1), far).score < LIKELY / 2


def test_without_points_the_area_says_how_near() -> None:
    grid, community, away = (
        told(2, point=None, area_code=area) for area in (GRID_CODE, "42050200100310002", "42050200200310001")
    )
    places = [likeness(told(1, point=None), other).place for other in (grid, community, away)]
    assert places == [0.5, 0.2, 0.0]
    assert likeness(told(1, area_code="420502"), told(2, point=None, area_code="420502")).place == 0


def test_the_likeliest_come_first_and_the_case_itself_never() -> None:
    others = [told(n, point=moved(n * 30)) for n in (4, 2, 1, 3)]
    found = likeliest(told(1), others, most=2)
    assert [case["case_id"] for case, _ in found] == ["2", "3"]
    assert likeliest(told(9), [told(8, point=moved(9e3), category="A0101", description="x", address="")], most=5) == []


TEXTS = st.text(st.sampled_from("消防通道堵住楼下面包车漏水 ,。Ab1"), max_size=30)


@given(one=TEXTS, other=TEXTS)
def test_likeness_of_texts_is_a_share(one: str, other: str) -> None:
    assert 0 <= text_likeness(one, other) <= 1
    assert text_likeness(one, other) == text_likeness(other, one)
    assert text_likeness(one, one) in (0, 1)


@given(
    metres=st.floats(0, 10_000),
    later=st.timedeltas(timedelta(days=-30), timedelta(days=30)),
    category=st.sampled_from(["D0402", "D0401", "A0204", "L"]),
    text=TEXTS,
)
def test_likeness_is_symmetric_and_bounded(metres: float, later: timedelta, category: str, text: str) -> None:
    other = told(2, point=moved(metres), reported_at=START + later, category=category, description=text)
    alike = likeness(told(1), other)
    assert alike == likeness(other, told(1))
    assert all(0 <= value <= 1 + 1e-9 for value in (alike.score, alike.place, alike.category, alike.time, alike.text))


def test_weights_make_a_whole() -> None:
    assert round(sum(duplicates.WEIGHTS.values()), 9) == 1

"""Counts of mediations: periods of Shanghai, what counts as resolved, averted and penal, and parts of an area."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mediation import dispute_figures as figures
from mediation.domain.dispute import PoliceGround
from mediation.operations import agreements, disputes

from .builders import START, after_start
from .dispute_builders import JUDGE, mediating, met, opened, signed, term


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2026", (2025, 12, 31), (2026, 12, 31)),
        ("2026-Q1", (2025, 12, 31), (2026, 3, 31)),
        ("2026-Q4", (2026, 9, 30), (2026, 12, 31)),
        ("2026-03", (2026, 2, 28), (2026, 3, 31)),
        ("2026-12", (2026, 11, 30), (2026, 12, 31)),
    ],
)
def test_periods_begin_and_end_at_midnight_in_shanghai(
    period: str, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    assert figures.span_of(period) == (datetime(*first, 16, tzinfo=UTC), datetime(*last, 16, tzinfo=UTC))


def test_the_year_is_that_of_shanghai() -> None:
    assert figures.present_period(datetime(2026, 12, 31, 16, tzinfo=UTC)) == "2027"


def test_areas_have_parts_but_grids() -> None:
    assert [figures.part_digits(code) for code in ("", "4205", "420502", "420502001003", "42050200100310001")] == [
        4,
        6,
        9,
        17,
        0,
    ]


def row(result: str, count: int, **more: Any) -> dict[str, Any]:
    fields = {"kind": "02", "area": "420502001", "told": False, "warned": False, "penal": False}
    return {**fields, "result": result, "count": count, **more}


def test_what_counts_as_resolved_averted_and_penal() -> None:
    came = [{"kind": "02", "area": "420502001", "count": 7}, {"kind": "01", "area": "420502", "count": 2}]
    decided = [
        row("01", 5),
        row("03", 1, told=True, warned=True),
        row("05", 2, told=True, warned=True, area="420502002"),
        row("07", 3, told=True, warned=True, penal=True, kind="09"),
    ]
    found = figures.figures_of(came, decided, digits=9)
    assert found.total == figures.DisputeCounts(opened=9, decided=11, resolved=6, police_told=6, averted=1, penal=3)
    assert (found.results["01"], found.results["05"], found.results["10"]) == (5, 2, 0)
    assert found.categories["09"] == figures.DisputeCounts(decided=3, police_told=3, penal=3)
    assert list(found.areas) == ["420502001", "420502002"], "what is known no closer is in no part"
    assert found.areas["420502001"].opened == 7


def test_a_result_has_its_time() -> None:
    assert opened().result_at is None
    assert signed(at=START).result_at == START
    oral, _ = agreements.agree_orally(
        met(mediating()), number="1", facts="x", terms=(term(),), by=JUDGE, now=after_start(hours=1)
    )
    assert oral.result_at == after_start(hours=1)
    begun, later = mediating(), after_start(hours=2)
    ended, _ = disputes.end_mediation(begun, result="04", text="不成", by=JUDGE, now=later)
    penal, _ = disputes.inform_police(begun, ground=PoliceGround.PENAL_MATTER, by=JUDGE, now=later)
    assert ended.result_at == penal.result_at == later

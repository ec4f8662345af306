"""Counts of the care register through a running service: what is small is withheld, and what would give it away."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from binglian.population.v1 import care_pb2, care_pb2_grpc

from svckit.ids import new_id
from tests.integration.population.people import People
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration
COMMUNITY = "430102001001"
GRIDS = [f"{COMMUNITY}1000{serial}" for serial in (1, 2, 3)]
ELSEWHERE = "43010200200210001"
NOW = dt.datetime.now(dt.UTC)


def entries(area: str, category: str, people: int, *, state: str = "active") -> list[dict[str, Any]]:
    times = {"entered_at": NOW, "changed_at": NOW}
    at = {"city": area[:4], "area_code": area, "category": category, "state": state, "consent": "given", "revision": 1}
    return [{"_id": new_id(), "resident_id": new_id(), "created_by": {"key": new_id()}, **at, **times} for _ in range(people)]


@pytest.fixture(scope="module")
def care(people: People) -> Any:
    rows = [
        *entries(GRIDS[0], "1003", 12),
        *entries(GRIDS[1], "1003", 5),
        *entries(GRIDS[2], "1003", 30),
        *entries(GRIDS[2], "1003", 40, state="ended"),
        *entries(ELSEWHERE, "1003", 25),
        *entries(ELSEWHERE, "4002", 4),
    ]
    people.service.database["care_entries"].insert_many(rows)
    return care_pb2_grpc.CareServiceStub(people.service.channel)


def counted(care: Any, caller: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Counts by category: (in all, by area), None where withheld."""
    found = care.CountCare(care_pb2.CountCareRequest(**fields), **caller).categories
    return {one.category: (shown(one.total), {area.area_code: shown(area.count) for area in one.areas}) for one in found}


def shown(count: Any) -> int | None:
    return None if count.withheld else count.value


def test_small_counts_are_withheld_and_one_more_with_them(people: People, care: Any) -> None:
    supervision = people.caller("supervision", "SUPERVISION", area="4301")
    by_community = counted(care, supervision, by_digits=12)
    assert by_community["1003"] == (72, {COMMUNITY: 47, ELSEWHERE[:12]: 25})
    assert by_community["4002"] == (None, {ELSEWHERE[:12]: None})
    assert by_community["2001"] == (0, {})
    total, grids = counted(care, supervision, area_prefix=COMMUNITY, by_digits=17, category="1003")["1003"]
    assert (total, grids[GRIDS[1]], len(grids)) == (47, None, 3)
    # One withheld alone could be told from the sum.
    assert sum(count is None for count in grids.values()) == 2
    # Whoever asks for a part is told what everybody is told.
    worker = people.caller("count-worker", "GRID_WORKER", area=COMMUNITY)
    assert counted(care, worker, by_digits=17)["1003"] == (total, grids)
    for grid in GRIDS:
        assert counted(care, worker, area_prefix=grid)["1003"] == (grids[grid], {})


def test_a_city_is_counted_once_for_all_who_ask_within_some_seconds(people: People, care: Any) -> None:
    supervision = people.caller("supervision", "SUPERVISION", area="4301")
    first = care.CountCare(care_pb2.CountCareRequest(), **supervision).freshness
    people.service.database["care_entries"].insert_many(entries(ELSEWHERE, "2001", 11))
    same = care.CountCare(care_pb2.CountCareRequest(category="2001"), **supervision)
    assert (same.freshness.as_of, same.categories[0].total.value) == (first.as_of, 0)
    assert 0 <= same.freshness.lag_ms < 10_000
    eventually(lambda: counted(care, supervision)["2001"] == (11, {}), seconds=15)


def test_nobody_counts_what_is_hidden_from_them(people: People, care: Any) -> None:
    worker = people.caller("count-worker", "GRID_WORKER", area=ELSEWHERE[:12])
    assert "4002" not in counted(care, worker)
    assert counted(care, worker, area_prefix=COMMUNITY) == {}
    for category, reason in (("4002", "CATEGORY_NOT_YOURS"), ("8001", "CARE_CATEGORY_RESTRICTED"), ("9999", "CODE_UNKNOWN")):
        assert refusal(care.CountCare, care_pb2.CountCareRequest(category=category), **worker).reason == reason
    half = people.caller("half", "SUPERVISION", area="43010")
    assert refusal(care.CountCare, care_pb2.CountCareRequest(), **half).reason == "AREA_CODE_INVALID"
    social = people.caller("social", "GRID_SOCIAL", area="4301")
    assert refusal(care.CountCare, care_pb2.CountCareRequest(), **social).code == "PERMISSION_DENIED"

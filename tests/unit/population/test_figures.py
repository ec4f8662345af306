"""Statistics as they are shown: bands without gaps, small differences withheld, surfaces of areas."""

from __future__ import annotations

import datetime as dt

import pytest
from binglian.housing.v1 import area_pb2

from population.questions.asking import Found
from population.rpc import figures
from population.rpc.people import age_of, house_of
from population.rpc.surfaces import surface_of
from population.rpc.tokens import token_after, token_of
from population.statistics.households import Sizes
from population.statistics.pyramids import FINEST, UNKNOWN, Blocks, counts_of, told
from svckit.errors import InvalidArgument

DAYS = [dt.date(2020, 1, day) for day in range(1, 5)]


def ring(west: float, south: float, size: float) -> dict[str, list[dict[str, float]]]:
    corners = [(west, south), (west + size, south), (west + size, south + size), (west, south + size)]
    return {"points": [{"longitude": x, "latitude": y} for x, y in corners]}


def test_the_surface_of_a_square_with_a_hole() -> None:
    square = area_pb2.Polygon(outer=ring(111.2, 30.6, 0.1), holes=[ring(111.25, 30.65, 0.01)])
    side = 11.1195
    whole = side * side * 0.8605  # cosine of 30.65°
    assert surface_of([square]) == pytest.approx(whole * 0.99, rel=0.002)
    assert surface_of([]) == 0


def test_bands_have_no_gaps_and_the_unknown_come_last() -> None:
    counts = counts_of([(3, 0, 20), (4, 1, 30), (17, 0, 15), (19, 1, 15), (None, 0, 10), (None, 1, 12), (None, 2, 11)])
    blocks = Blocks((0, 5, 10, 15, UNKNOWN, UNKNOWN + 1), FINEST.sexes)
    bands, total = figures.pyramid(told(counts, blocks=blocks, total_told=True, years=5), years=5)
    assert [(band.from_age, band.to_age) for band in bands] == [(0, 4), (5, 9), (10, 14), (15, 19), (-1, 0)]
    assert total.total.value == 113
    assert bands[1].total.value == 0
    assert [band.total.withheld for band in bands] == [False, False, False, True, False]


def test_an_empty_area_has_an_empty_pyramid() -> None:
    bands, total = figures.pyramid(told(counts_of([]), blocks=None, total_told=True, years=5), years=5)
    assert bands == []
    assert (total.total.value, total.total.withheld) == (0, False)


def test_months_that_are_withheld_are_there_as_such() -> None:
    points = list(figures.trend(DAYS[:2], {DAYS[0]: 100, DAYS[1]: None}))
    assert [(point.count.value, point.count.withheld) for point in points] == [(100, False), (0, True)]


def test_bands_around_a_point_are_withheld_together() -> None:
    ages, total = figures.ages([(3, 5), (6, 11), (12, 14)], [3, 40, 50])
    assert [(age.age, age.to_age, age.count.withheld) for age in ages] == [(3, 5, True), (6, 11, True), (12, 14, False)]
    assert total.value == 93


def test_sizes_of_an_area_whose_total_is_withheld_are_not_told() -> None:
    sizes, households = figures.household_sizes(Sizes((), None))
    assert sizes == []
    assert households.withheld


@pytest.mark.parametrize(("birth", "age"), [("2000-02-29", 25), ("2000-03-01", 26), ("", -1)])
def test_ages_on_the_first_of_march(birth: str, age: int) -> None:
    assert age_of(birth, today=dt.date(2026, 2, 28) if age == 25 else dt.date(2026, 3, 1)) == age


def test_the_latest_home_that_lasts() -> None:
    assert (
        house_of({"residences": [{"house_id": "a"}, {"house_id": "b", "until": ""}, {"house_id": "c", "until": "2020-01-01"}]})
        == "b"
    )
    assert house_of({}) == ""
    assert (
        house_of({"residences": [{"house_id": "home", "until": ""}, {"house_id": "papers", "until": "", "kind": "registered"}]})
        == "home"
    )


def test_page_tokens_come_back_and_others_are_refused() -> None:
    found = Found("420502001001", "019f1af9-b400-7ffe-8227-79f3bd068366")
    assert token_after(token_of(found)) == found
    assert token_after("") is None
    for token in ("x", token_of(Found("420502'; drop", found.resident_id)), token_of(Found("420502", "1 OR 1=1"))):
        with pytest.raises(InvalidArgument) as refused:
            token_after(token)
        assert refused.value.reason == "PAGE_TOKEN_INVALID"

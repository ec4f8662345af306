"""The generated district: real codes, no gap, no overlap, and nobody who exists."""

from collections import Counter

import pytest
from shapely.geometry import Polygon
from shapely.ops import unary_union

from deploy.demo.district import DISTRICT, RESERVED_PREFIX, WEIGHTS, Size, draw, id_number, residents
from deploy.demo.seed import read_codes


@pytest.fixture(scope="module")
def district():
    return draw(*read_codes(), Size())


def shape(area):
    return Polygon([(p.longitude, p.latitude) for p in area.polygons[0].outer.points])


def test_every_area_stands_after_its_parent_and_only_once(district):
    seen: set[str] = set()
    parents = {17: 12, 12: 9, 9: 6, 6: 4}
    for area in district.areas:
        code = area.area_code
        assert code not in seen
        assert len(code) == 4 or code[: parents[len(code)]] in seen
        seen.add(code)
    assert any(code.startswith(DISTRICT) for code in seen)


def test_the_grids_of_a_community_cover_it_without_overlap(district):
    areas = {area.area_code: area for area in district.areas}
    communities = [code for code in areas if len(code) == 12]
    assert len(communities) > 80
    for community in communities[::9]:
        grids = [shape(area) for code, area in areas.items() if len(code) == 17 and code.startswith(community)]
        whole = shape(areas[community])
        assert unary_union(grids).symmetric_difference(whole).area < 1e-12
        assert sum(grid.area for grid in grids) == pytest.approx(whole.area, rel=1e-6)


def test_identity_numbers_are_valid_unique_and_of_a_range_nobody_has():
    numbers = [id_number(sequence) for sequence in range(0, 2_000_000, 997)]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        assert number.startswith(RESERVED_PREFIX)
        assert number[-1] == "10X98765432"[sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True)) % 11]


def test_the_same_house_always_has_the_same_people():
    first, again = (list(residents("h", "42050200100110001", Size(), index=7)) for _ in range(2))
    assert first == again
    assert Counter(person.id_number for person in first).most_common(1)[0][1] == 1
    assert all(person.birth_date.replace("-", "") == person.id_number[6:14] for person in first)

"""The generated district: real codes, no gap, no overlap, and nobody who exists."""

from collections import Counter
from datetime import date

import pytest
from shapely.geometry import Polygon
from shapely.ops import unary_union

from deploy.demo.district import DISTRICT, Size, draw, homes, residents
from deploy.demo.families import FEMALE, HEAD, MALE, RESERVED_PREFIX, SERIALS, SIZES, TODAY, WEIGHTS, Numbers
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


def people_of(houses: int):
    """(home, its people) of a district with so many houses."""
    numbers = Numbers()
    inhabited = homes([(f"house-{index}", "42050200100110001") for index in range(houses)])
    return [(home, list(residents(home, f"household-{home.index}", numbers))) for home in inhabited]


@pytest.fixture(scope="module")
def people():
    return people_of(4000)


def test_identity_numbers_are_valid_unique_and_of_a_range_nobody_has(people):
    numbers = [draft.id_number for _, drafts in people for draft in drafts]
    assert len(set(numbers)) == len(numbers) > 7000
    for number in numbers:
        assert number.startswith(RESERVED_PREFIX)
        assert number[-1] == "10X98765432"[sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True)) % 11]


def test_a_day_of_birth_has_numbers_for_so_many_of_a_sex_and_then_says_so():
    numbers, birth = Numbers(), date(1980, 5, 1)
    men = {numbers.next(birth=birth, sex=MALE) for _ in range(SERIALS)}
    assert len(men) == SERIALS
    assert all(int(number[16]) % 2 for number in men)
    with pytest.raises(ValueError, match="too big"):
        numbers.next(birth=birth, sex=MALE)


def test_number_birth_sex_and_telephone_belong_to_one_person(people):
    drafts = [draft for _, home in people for draft in home]
    assert len({draft.phone for draft in drafts}) == len(drafts)
    for draft in drafts:
        assert draft.birth_date.replace("-", "") == draft.id_number[6:14]
        assert draft.birth_date <= draft.residence.since < TODAY.isoformat()
        assert draft.sex == (MALE if int(draft.id_number[16]) % 2 else FEMALE)


def test_the_pyramid_is_one(people):
    ages = Counter((TODAY.year - int(draft.birth_date[:4])) // 10 for _, home in people for draft in home)
    total = sum(ages.values())
    assert max(ages) <= 10
    assert all(0.04 < ages[decade] / total < 0.25 for decade in range(8))
    assert ages[9] < ages[8] < ages[7] < ages[6]


def test_households_have_a_head_and_one_to_five_people(people):
    sizes = Counter(len(home) for _, home in people)
    assert set(sizes) == set(SIZES)
    assert max(sizes, key=sizes.__getitem__) == 2
    for home, drafts in people:
        assert [draft.household_relation == HEAD for draft in drafts] == [True, *[False] * (len(drafts) - 1)]
        assert {draft.household_id for draft in drafts} == {f"household-{home.index}"}


def test_the_same_house_always_has_the_same_people():
    assert people_of(60) == people_of(60)

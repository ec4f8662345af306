"""Finding the area of a point."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from housing.atlas import Atlas, Surface
from housing.domain import AreaLevel, Point, Polygon, Ring
from housing.policies import CityNotMapped, OutsideCity

BOUNDARIES = Path(__file__).parents[4] / "shared/data/service_requests/nc_boundaries.geojson"
COMMUNITY = "420502001003"


def ring(*corners: tuple[float, float]) -> Ring:
    return Ring(tuple(Point(*corner) for corner in corners))


def cell(column: int, row: int, size: float = 1.0) -> Polygon:
    west, south = column * size, row * size
    return Polygon(ring((west, south), (west + size, south), (west + size, south + size), (west, south + size)))


def checkerboard(side: int = 4) -> Atlas:
    """A community of side × side grids, numbered row by row from the south-west."""
    atlas = Atlas()
    atlas.update(
        [
            Surface(area_code="4205", name="宜昌市"),
            Surface(area_code="420502", name="西陵区"),
            Surface(area_code="420502001", name="西陵街道"),
            Surface(area_code=COMMUNITY, name="社区", polygons=(cell(0, 0, float(side)),)),
        ]
    )
    atlas.update(
        Surface(area_code=f"{COMMUNITY}1{row * side + column:04d}", name="网格", polygons=(cell(column, row),))
        for row in range(side)
        for column in range(side)
    )
    return atlas


def test_the_grid_wins_over_the_community() -> None:
    atlas = checkerboard()
    code = atlas.locate(city="4205", longitude=2.5, latitude=1.5)
    assert code == f"{COMMUNITY}10006"
    assert [place.level for place in atlas.path(code)] == list(AreaLevel)
    assert [place.name for place in atlas.path(code)] == ["宜昌市", "西陵区", "西陵街道", "社区", "网格"]


@given(st.integers(0, 4), st.integers(0, 4))
def test_on_borders_and_corners_the_lowest_code_wins(x: int, y: int) -> None:
    touching = [row * 4 + column for row in (y - 1, y) for column in (x - 1, x) if row in range(4) and column in range(4)]
    found = checkerboard().locate(city="4205", longitude=float(x), latitude=float(y))
    assert found == f"{COMMUNITY}1{min(touching):04d}"


@given(st.floats(-0.5, 4.5, allow_nan=False), st.floats(-0.5, 4.5, allow_nan=False))
def test_every_point_of_the_community_is_in_a_grid(x: float, y: float) -> None:
    atlas = checkerboard()
    if 0 <= x <= 4 and 0 <= y <= 4:
        assert len(atlas.locate(city="4205", longitude=x, latitude=y)) == 17
    else:
        with pytest.raises(OutsideCity):
            atlas.locate(city="4205", longitude=x, latitude=y)


def test_a_hole_is_outside() -> None:
    atlas = Atlas()
    holed = Polygon(cell(0, 0, 3).outer, (cell(1, 1).outer,))
    atlas.update([Surface(area_code="420502", name="区", polygons=(holed,))])
    assert atlas.locate(city="4205", longitude=0.5, latitude=0.5) == "420502"
    with pytest.raises(OutsideCity):
        atlas.locate(city="4205", longitude=1.5, latitude=1.5)


def test_cities_are_kept_apart() -> None:
    atlas = checkerboard()
    atlas.update([Surface(area_code="9901", name="另一城", polygons=(cell(10, 10),))])
    assert atlas.locate(city="9901", longitude=10.5, latitude=10.5) == "9901"
    with pytest.raises(OutsideCity) as refusal:
        atlas.locate(city="9901", longitude=1.5, latitude=1.5)
    assert refusal.value.reason == "OUTSIDE_CITY"
    with pytest.raises(CityNotMapped):
        atlas.locate(city="1101", longitude=1.5, latitude=1.5)


def test_changes_are_seen_at_the_next_question() -> None:
    atlas = checkerboard()
    first = f"{COMMUNITY}10000"
    assert atlas.locate(city="4205", longitude=0.5, latitude=0.5) == first
    atlas.update([Surface(area_code=first, name="网格", polygons=(cell(0, 0),), retired=True)])
    assert atlas.locate(city="4205", longitude=0.5, latitude=0.5) == COMMUNITY
    assert first not in atlas
    atlas.update([Surface(area_code=f"{COMMUNITY}20001", name="专属网格", polygons=(cell(0, 0),))])
    assert atlas.locate(city="4205", longitude=0.5, latitude=0.5) == f"{COMMUNITY}20001"


def test_a_surface_may_be_taken_away() -> None:
    atlas = checkerboard()
    atlas.update([Surface(area_code=f"{COMMUNITY}10000", name="网格")])
    assert atlas.locate(city="4205", longitude=0.5, latitude=0.5) == COMMUNITY


@pytest.fixture(scope="module")
def neighbourhoods() -> tuple[Atlas, dict[str, shapely.Geometry]]:
    """The 99 neighbourhoods of Los Angeles as areas of a second city."""
    if not BOUNDARIES.exists():
        pytest.skip(f"{BOUNDARIES.name} is not on this machine")
    features = json.loads(BOUNDARIES.read_text())["features"]
    atlas, shapes = Atlas(), {}
    for number, feature in enumerate(features, start=1):
        code = f"990101001{number:03d}"
        polygons = tuple(
            Polygon(ring(*map(tuple, outer)), tuple(ring(*map(tuple, hole)) for hole in holes))
            for outer, *holes in feature["geometry"]["coordinates"]
        )
        atlas.update([Surface(area_code=code, name=feature["properties"]["name"], polygons=polygons)])
        shapes[code] = shapely.make_valid(shapely.geometry.shape(feature["geometry"]))
    return atlas, shapes


def test_real_neighbourhoods_agree_with_asking_each_of_them(
    neighbourhoods: tuple[Atlas, dict[str, shapely.Geometry]],
) -> None:
    atlas, shapes = neighbourhoods
    chance = random.Random(7)
    for _ in range(1500):
        x, y = chance.uniform(-118.67, -118.15), chance.uniform(33.70, 34.34)
        expected = next((code for code in sorted(shapes) if shapes[code].intersects(shapely.Point(x, y))), None)
        try:
            found = atlas.locate(city="9901", longitude=x, latitude=y)
        except OutsideCity:
            found = None
        assert found == expected


def test_it_is_fast(neighbourhoods: tuple[Atlas, dict[str, shapely.Geometry]]) -> None:
    atlas, shapes = neighbourhoods
    centers = [shape.representative_point() for shape in shapes.values()]
    begun = time.perf_counter()
    for _ in range(20):
        for center in centers:
            atlas.locate(city="9901", longitude=center.x, latitude=center.y)
    assert 20 * len(centers) / (time.perf_counter() - begun) > 5_000

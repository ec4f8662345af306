"""Areas: codes, surfaces, the verbs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from housing import codes, operations
from housing.domain import Area, AreaChanged, AreaDraft, AreaLevel, GridClass, Point, Polygon, Ring, RosterEntry
from housing.policies import GRID_CODE, LEVEL_OF_LENGTH, level_of, parent_of
from svckit.errors import FailedPrecondition, InvalidArgument

NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)
GRID = "42050200100310001"
RULE = yaml.safe_load(Path(__file__).with_name("area_code_rule.yaml").read_text(encoding="utf-8"))


def square(west: float = 0, south: float = 0, size: float = 1) -> Polygon:
    corners = ((west, south), (west + size, south), (west + size, south + size), (west, south + size))
    return Polygon(Ring(tuple(Point(*corner) for corner in corners)))


def an_area(code: str = GRID, **fields: object) -> Area:
    return operations.create_area(draft=AreaDraft(area_code=code, name="一号网格", **fields), now=NOW)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("4205", AreaLevel.CITY, ""),
        ("420502", AreaLevel.DISTRICT, "4205"),
        ("420502001", AreaLevel.STREET, "420502"),
        ("420502001003", AreaLevel.COMMUNITY, "420502001"),
        (GRID, AreaLevel.GRID, "420502001003"),
    ],
)
def test_a_code_tells_level_and_parent(code: str, level: AreaLevel, parent: str) -> None:
    assert level_of(code) is level
    assert parent_of(code) == parent


@pytest.mark.parametrize("code", ["", "42", "42050", "0205", "42050200100340001", "4205020010031000", "42a5", "４２０５"])
def test_other_shapes_are_no_codes(code: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        level_of(code)
    assert refusal.value.reason == "AREA_CODE_INVALID"


def test_the_grid_code_is_the_one_of_the_coding_rule() -> None:
    rule = RULE["grid_code"]
    assert f"^{GRID_CODE.pattern}$" == rule["regex"]
    assert rule["length"] == 17
    assert LEVEL_OF_LENGTH[RULE["statistical_area_code"]["length"]] is AreaLevel.COMMUNITY
    assert codes.codes_of("grid_type") >= set(rule["grid_type"])


def test_the_areas_of_yichang_form_a_tree() -> None:
    rows = codes.yichang_areas()
    known = {row.code for row in rows}
    assert len(known) == len(rows) == 1 + 13 + 113 + 1650
    for row in rows:
        assert row.name
        level_of(row.code)
        assert parent_of(row.code) in known | {""}


def test_an_area_takes_everything_from_its_code() -> None:
    area, events = operations.create_area(
        draft=AreaDraft(area_code=GRID, name="一号网格", polygons=(square(),), grid_class=GridClass.B), now=NOW
    )
    assert (area.level, area.city, area.grid_type) == (AreaLevel.GRID, "4205", "1")
    assert area.center == Point(0.5, 0.5)
    assert events == (
        AreaChanged(
            area_code=GRID,
            level=AreaLevel.GRID,
            name="一号网格",
            parent_code="420502001003",
            city="4205",
            grid_class=GridClass.B,
            at=NOW,
        ),
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"area_code": "4205020010", "name": "x"}, "AREA_CODE_INVALID"),
        ({"area_code": "420502", "name": "x", "grid_class": GridClass.A}, "NOT_A_GRID"),
        ({"area_code": GRID, "name": "x", "roster": (RosterEntry(role="KING", subject="s"),)}, "CODE_UNKNOWN"),
        ({"area_code": GRID, "name": "x", "polygons": (Polygon(Ring((Point(0, 0), Point(1, 1)))),)}, "SURFACE_INVALID"),
        (
            {
                "area_code": GRID,
                "name": "x",
                "polygons": (Polygon(Ring((Point(0, 0), Point(2, 2), Point(2, 0), Point(0, 1)))),),
            },
            "SURFACE_INVALID",
        ),
        (
            {"area_code": GRID, "name": "x", "polygons": (Polygon(Ring((Point(0, 0), Point(1, 1), Point(2, 2)))),)},
            "SURFACE_INVALID",
        ),
    ],
)
def test_wrong_drafts_are_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        operations.create_area(draft=AreaDraft(**fields), now=NOW)  # type: ignore[arg-type]
    assert refusal.value.reason == reason


def test_a_ring_that_touches_itself_is_mended() -> None:
    ring = Ring(tuple(Point(*corner) for corner in ((0, 0), (2, 0), (2, 2), (1, 0), (0, 2))))
    area = an_area(polygons=(Polygon(ring),))
    assert area.center is not None


def test_the_same_content_again_changes_nothing() -> None:
    area = an_area(polygons=(square(),))
    again, events = operations.replace_area(
        area, draft=AreaDraft(area_code=GRID, name="一号网格", polygons=(square(),)), now=LATER
    )
    assert again is area
    assert events == ()


def test_another_surface_moves_the_center() -> None:
    area = an_area(polygons=(square(),))
    moved, events = operations.replace_area(
        area, draft=AreaDraft(area_code=GRID, name="甲", polygons=(square(4, 4),)), now=LATER
    )
    assert moved.center == Point(4.5, 4.5)
    assert (moved.name, moved.changed_at, moved.created_at) == ("甲", LATER, NOW)
    assert len(events) == 1


def test_an_update_takes_only_the_named_fields() -> None:
    draft = AreaDraft(area_code=GRID, name="乙", grid_class=GridClass.C)
    area, _ = operations.update_area(an_area(), fields=["grid_class"], draft=draft, revision=0, now=LATER)
    assert (area.name, area.grid_class) == ("一号网格", GridClass.C)


@pytest.mark.parametrize("fields", [[], ["level"], ["name", "revision"]])
def test_an_update_of_other_fields_is_refused(fields: list[str]) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        operations.update_area(an_area(), fields=fields, draft=AreaDraft(area_code=GRID, name="乙"), revision=0, now=LATER)
    assert refusal.value.reason == "FIELD_NOT_CHANGEABLE"


def test_an_update_of_an_old_revision_is_refused() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        operations.update_area(an_area(), fields=["name"], draft=AreaDraft(area_code=GRID, name="乙"), revision=7, now=LATER)
    assert refusal.value.reason == "REVISION_CHANGED"


def test_a_retired_area_stays_retired() -> None:
    retired, events = operations.retire_area(an_area(), has_children=False, revision=0, now=LATER)
    assert retired.retired_at == LATER
    assert events[0].retired
    for act in (
        lambda: operations.replace_area(retired, draft=AreaDraft(area_code=GRID, name="x"), now=LATER),
        lambda: operations.retire_area(retired, has_children=False, revision=0, now=LATER),
    ):
        with pytest.raises(FailedPrecondition) as refusal:
            act()
        assert refusal.value.reason == "AREA_RETIRED"


def test_an_area_with_areas_below_is_not_retired() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        operations.retire_area(an_area("420502001003"), has_children=True, revision=0, now=LATER)
    assert refusal.value.reason == "HAS_CHILDREN"

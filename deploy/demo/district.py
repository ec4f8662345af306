"""A generated district on real codes: Xiling (420502) with its streets and communities, grids, buildings, houses and residents.

Deterministic: the same size always gives the same district. Nobody in it exists: identity numbers are of a range no place has ever had
(families.py), telephone numbers start with 100, which no operator has.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from binglian.housing.v1 import area_pb2, area_service_pb2, house_pb2, house_service_pb2
from binglian.population.v1 import resident_pb2, resident_service_pb2

from deploy.demo.families import HUSBAND, MOTHER, SIZES, TODAY, WIFE, Member, Numbers, family

CITY, DISTRICT = "4205", "420502"
WEST, SOUTH, EAST, NORTH = 111.24, 30.67, 111.36, 30.77
"""Bounds of the drawn district, degrees; its cells are rectangles, not the real outlines."""
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
MOST_PEOPLE = max(SIZES)
FIRST_MOVED_IN = date(2006, 1, 1)
DAYS_OF_MOVING = (TODAY - FIRST_MOVED_IN).days
"""Families moved in evenly over these days, children when they were born: the district has a past to draw."""
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建文玉兰"


@dataclass(frozen=True)
class Size:
    """How much of everything: grids per community, buildings per grid, houses per building."""

    grids: int = 4
    buildings: int = 2
    houses: int = 6


@dataclass(frozen=True)
class Box:
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float

    def split(self, columns: int, rows: int) -> list["Box"]:
        """Cells from west to east, north to south, as the grid numbering rule wants; neighbours share their edges exactly."""
        xs = [self.west + (self.east - self.west) * i / columns for i in range(columns)] + [self.east]
        ys = [self.north - (self.north - self.south) * i / rows for i in range(rows)] + [self.south]
        return [Box(xs[c], ys[r + 1], xs[c + 1], ys[r]) for r in range(rows) for c in range(columns)]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Point at the given shares (0 to 1) of width and height, rounded to 7 decimals (about a centimetre)."""
        return round(self.west + (self.east - self.west) * x, 7), round(self.south + (self.north - self.south) * y, 7)

    def polygon(self) -> area_pb2.Polygon:
        """The rectangle as a closed ring."""
        ring = area_pb2.Ring()
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)):
            longitude, latitude = self.at(x, y)
            ring.points.add(longitude=longitude, latitude=latitude)
        return area_pb2.Polygon(outer=ring)


@dataclass(frozen=True)
class Grid:
    """A grid of the district."""

    code: str
    name: str
    box: Box


@dataclass(frozen=True)
class District:
    """All areas of the district, parents first, and its grids."""

    areas: list[area_service_pb2.AreaDraft]
    grids: list[Grid]


def draw(communities: dict[str, list[tuple[str, str]]], names: dict[str, str], size: Size) -> District:
    """Draws the district: `communities` are (code, name) by street code, `names` the names of city, district and streets."""
    areas = [area_service_pb2.AreaDraft(area_code=code, name=names[code]) for code in (CITY, DISTRICT)]
    grids: list[Grid] = []
    streets = sorted(communities)
    for street, block in zip(streets, Box(WEST, SOUTH, EAST, NORTH).split(5, -(-len(streets) // 5)), strict=False):
        areas.append(area_service_pb2.AreaDraft(area_code=street, name=names[street], polygons=[block.polygon()]))
        listed = communities[street]
        for (code, name), cell in zip(listed, block.split(len(listed), 1), strict=True):
            areas.append(area_service_pb2.AreaDraft(area_code=code, name=name, polygons=[cell.polygon()]))
            for number, box in enumerate(cell.split(1, size.grids), start=1):
                grids.append(Grid(f"{code}1{number:04d}", f"{name}第{number}网格", box))
    areas += [
        area_service_pb2.AreaDraft(area_code=g.code, name=g.name, polygons=[g.box.polygon()], grid_class=area_pb2.GRID_CLASS_B)
        for g in grids
    ]
    return District(areas, grids)


def buildings(grid: Grid, size: Size) -> Iterator[house_service_pb2.BuildingDraft]:
    """Buildings of a grid, in a row."""
    for number in range(1, size.buildings + 1):
        longitude, latitude = grid.box.at(number / (size.buildings + 1), 0.5)
        building = house_service_pb2.BuildingDraft(
            area_code=grid.code, name=f"{grid.name}{number}号楼", building_type="01", floors=6, units=1
        )
        building.point.longitude, building.point.latitude = longitude, latitude
        yield building


def houses(building_id: str, size: Size) -> Iterator[house_service_pb2.HouseDraft]:
    """Dwellings of a building, one on each floor."""
    for number in range(1, size.houses + 1):
        yield house_service_pb2.HouseDraft(
            building_id=building_id, unit="1", number=f"{number}01", floor=number, use=house_pb2.HOUSE_USE_DWELLING
        )


@dataclass(frozen=True)
class Home:
    """A house, the area it lies in and who lives there; the index (of the house in the district) makes telephone numbers unique."""

    index: int
    house_id: str
    area_code: str
    members: list[Member]


def homes(dwellings: Sequence[tuple[str, str]]) -> list[Home]:
    """The inhabited among the houses (house id, area code)."""
    drawn = (Home(index, house_id, area, family(random.Random(index))) for index, (house_id, area) in enumerate(dwellings))
    return [home for home in drawn if home.members]


def household(home: Home) -> resident_service_pb2.HouseholdDraft:
    """The household of a home; it lives where it is registered."""
    return resident_service_pb2.HouseholdDraft(area_code=home.area_code, house_id=home.house_id, match_flag="01")


def residents(home: Home, household_id: str, numbers: Numbers) -> Iterator[resident_service_pb2.ResidentDraft]:
    """People of a home, head first."""
    chance = random.Random(f"names {home.index}")
    surname, moved_in = chance.choice(SURNAMES), FIRST_MOVED_IN + timedelta(days=chance.randrange(DAYS_OF_MOVING))
    for place, member in enumerate(home.members):
        # A wife keeps her name; so do the husband and the mother of the head.
        own = chance.choice(SURNAMES) if member.relation in (HUSBAND, WIFE, MOTHER) else surname
        draft = resident_service_pb2.ResidentDraft(
            area_code=home.area_code,
            name=own + chance.choice(GIVEN) + chance.choice(("", *GIVEN)),
            sex=member.sex,
            birth_date=member.birth.isoformat(),
            id_doc_type="111",
            id_number=numbers.next(birth=member.birth, sex=member.sex),
            phone=f"100{home.index * MOST_PEOPLE + place:08d}",
            resident_type="01",
            household_id=household_id,
            household_relation=member.relation,
        )
        draft.residence.house_id = home.house_id
        draft.residence.since = max(moved_in, member.birth).isoformat()
        draft.residence.tenure = resident_pb2.TENURE_OWNER if place == 0 else resident_pb2.TENURE_FAMILY
        yield draft

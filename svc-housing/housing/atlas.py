"""All areas in memory, to find the one a point lies in: an STR tree per city over the surfaces. Pure; no I/O, no clock.

A point on a border touches both neighbours; the lowest code wins, so every process gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import shapely
from shapely.geometry.base import BaseGeometry

from housing.domain import AreaLevel, Polygon
from housing.geometry import surface_of
from housing.policies import CITY_DIGITS, LEVEL_OF_LENGTH, CityNotMapped, OutsideCity


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    """What the atlas needs of an area; `retired` ones are dropped."""

    area_code: str
    name: str
    polygons: tuple[Polygon, ...] = ()
    retired: bool = False


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Code, level and name of an area on the way from the city down."""

    area_code: str
    level: AreaLevel
    name: str


class _City:
    """The surfaces of one city, smallest level first and by code inside a level, so that the first hit is the answer."""

    def __init__(self, shapes: dict[str, BaseGeometry]) -> None:
        self.codes = sorted(shapes, key=lambda code: (-len(code), code))
        self.shapes = [shapes[code] for code in self.codes]
        shapely.prepare(self.shapes)
        self.tree = shapely.STRtree(self.shapes)

    def find(self, longitude: float, latitude: float) -> str | None:
        near = self.tree.query(shapely.Point(longitude, latitude))
        near.sort()
        return next((self.codes[i] for i in near if shapely.intersects_xy(self.shapes[i], longitude, latitude)), None)


class Atlas:
    """The areas of every city. `update` is cheap; the tree of a changed city is built at the next question."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._shapes: dict[str, dict[str, BaseGeometry]] = {}
        self._cities: dict[str, _City] = {}

    def update(self, surfaces: Iterable[Surface]) -> None:
        """Takes in new, changed and retired areas."""
        for surface in surfaces:
            self._take(surface)

    def locate(self, *, city: str, longitude: float, latitude: float) -> str:
        """Returns the code of the smallest area of `city` (4 digits) that holds the point.

        Raises CityNotMapped when the city has no surfaces at all, OutsideCity when none of them holds the point.
        """
        if not self._shapes.get(city):
            raise CityNotMapped(city)
        code = self._city(city).find(longitude, latitude)
        if code is None:
            raise OutsideCity(city)
        return code

    def path(self, area_code: str) -> tuple[Place, ...]:
        """Returns the known areas from the city down to `area_code`, itself included."""
        prefixes = (area_code[:length] for length in LEVEL_OF_LENGTH if length <= len(area_code))
        return tuple(self._place(code) for code in prefixes if code in self._names)

    def __contains__(self, area_code: object) -> bool:
        return area_code in self._names

    def _take(self, surface: Surface) -> None:
        city = surface.area_code[:CITY_DIGITS]
        shapes = self._shapes.setdefault(city, {})
        if surface.retired:
            self._names.pop(surface.area_code, None)
        else:
            self._names[surface.area_code] = surface.name
        if surface.polygons and not surface.retired:
            shapes[surface.area_code] = surface_of(surface.polygons)
            self._cities.pop(city, None)
        elif shapes.pop(surface.area_code, None) is not None:
            self._cities.pop(city, None)

    def _city(self, city: str) -> _City:
        if city not in self._cities:
            self._cities[city] = _City(self._shapes[city])
        return self._cities[city]

    def _place(self, code: str) -> Place:
        return Place(area_code=code, level=LEVEL_OF_LENGTH[len(code)], name=self._names[code])

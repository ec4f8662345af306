"""Surfaces of areas: from the rings people send to shapes that can be asked. Pure; degrees, WGS 84."""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

from housing.domain import Point, Polygon, Ring

MIN_CORNERS = 3
# Real boundaries touch themselves here and there; mending such a ring must not change its area by more than this part.
MENDING_TOLERANCE = 0.001


class WrongSurface(ValueError):
    """The rings do not enclose a surface; the text says why."""


def surface_of(polygons: Sequence[Polygon]) -> BaseGeometry:
    """Returns the surface of all polygons together. Raises WrongSurface for crossing, flat or too short rings."""
    return shapely.union_all([_mended(_shape(polygon)) for polygon in polygons])


def center_of(surface: BaseGeometry) -> Point:
    """Returns a point that lies inside the surface, whatever its form."""
    point = surface.representative_point()
    return Point(longitude=round(point.x, 7), latitude=round(point.y, 7))


def _shape(polygon: Polygon) -> BaseGeometry:
    try:
        return shapely.Polygon(_line(polygon.outer), [_line(hole) for hole in polygon.holes])
    except (ValueError, GEOSException) as error:
        raise WrongSurface(str(error)) from error


def _line(ring: Ring) -> list[tuple[float, float]]:
    line = [(point.longitude, point.latitude) for point in ring.points]
    if len(set(line)) < MIN_CORNERS:
        raise WrongSurface("a ring needs three different corners")
    return line


def _mended(shape: BaseGeometry) -> BaseGeometry:
    if shape.is_valid and shape.area > 0:
        return shape
    reason = shapely.is_valid_reason(shape)
    mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    if mended.is_empty or abs(mended.area - shape.area) > MENDING_TOLERANCE * mended.area:
        raise WrongSurface(reason if reason != "Valid Geometry" else "the ring encloses nothing")
    return mended

"""How large areas are: asked of svc-housing, remembered for some minutes."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from binglian.housing.v1 import area_pb2, area_service_pb2

from svckit.errors import ServiceError

_log = logging.getLogger(__name__)
_KEPT_S = 600.0
_PAGE = 500
EARTH_KM = 6_371.0088
"""Mean radius of the earth."""


class HousingSurfaces:
    """`areas`: a stub of housing's AreaService."""

    def __init__(self, areas: Any) -> None:
        self._areas = areas
        self._known: dict[str, tuple[float, Mapping[str, float]]] = {}

    async def below(self, area_code: str) -> Mapping[str, float]:
        """Returns square kilometres by code; what svc-housing does not know, or cannot say now, is left out."""
        at, known = self._known.get(area_code, (0.0, {}))
        if known and time.monotonic() - at < _KEPT_S:
            return known
        try:
            found = {area.area_code: surface_of(area.polygons) async for area in self._ask(area_code)}
        except ServiceError as error:
            _log.warning("surfaces of areas are not known now: %s", error.reason)
            return known
        self._known[area_code] = time.monotonic(), found
        return found

    async def _ask(self, area_code: str) -> Any:
        token = ""
        while True:
            request = area_service_pb2.ListAreasRequest(
                parent_code=area_code, with_polygons=True, page_size=_PAGE, page_token=token
            )
            answer = await self._areas.ListAreas(request)
            for area in answer.areas:
                yield area
            token = answer.next_page_token
            if not token:
                return


def surface_of(polygons: Sequence[area_pb2.Polygon]) -> float:
    """Returns the square kilometres of surfaces, without their holes."""
    return sum(_ring(one.outer.points) - sum(_ring(hole.points) for hole in one.holes) for one in polygons)


def _ring(points: Sequence[Any]) -> float:
    """Area of a small spherical polygon: the shoelace formula in the equal-area projection (longitude, sine of latitude)."""
    flat = [(math.radians(point.longitude), math.sin(math.radians(point.latitude))) for point in points]
    twice = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(flat, [*flat[1:], *flat[:1]], strict=True))
    return abs(twice) / 2 * EARTH_KM**2

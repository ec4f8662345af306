"""Asks housing in which area a point lies; a case is taken without the answer when there is none in time."""

from __future__ import annotations

import logging
from typing import Any

from binglian.housing.v1 import area_service_pb2

from mediation.domain import Point
from mediation.operations.cases import CITY_DIGITS, GRID_CODE_LENGTH
from svckit.access import Caller
from svckit.errors import InvalidArgument, NotFound, PermissionDenied, ServiceError

_log = logging.getLogger(__name__)


class Locator:
    """Finds the area of a report. `locations` is the stub of housing's LocationService, with its deadline."""

    def __init__(self, locations: Any) -> None:
        self._locations = locations

    async def area_of(self, point: Point | None, *, given: str, caller: Caller) -> str:
        """Returns the smallest known area of a report: housing's answer, else what was given, else the caller's own area.

        Raises InvalidArgument (OUTSIDE_CITY, field `point`) when no area of the caller's city holds the point.
        """
        if point is None or len(given) == GRID_CODE_LENGTH:
            return given
        city = caller.city or given[:CITY_DIGITS]
        found = await self._ask(point, city)
        if found and not found.startswith(city):
            raise outside_city()
        return found or given or caller.area

    async def _ask(self, point: Point, city: str) -> str:
        request = area_service_pb2.LocatePointRequest(city=city)
        request.point.longitude, request.point.latitude = point.longitude, point.latitude
        try:
            answer = await self._locations.LocatePoint(request)
        except (NotFound, PermissionDenied) as error:
            # A city whose map nobody has drawn yet still takes reports.
            if error.reason == "CITY_NOT_MAPPED":
                return ""
            raise outside_city() from error
        except ServiceError as error:
            _log.warning("housing did not locate a point: %s", error.reason)
            return ""
        return str(answer.area_code)


def outside_city() -> InvalidArgument:
    """Returns the error for a point outside the city of the caller."""
    return InvalidArgument("This point lies outside your city.", field="point", reason="OUTSIDE_CITY")

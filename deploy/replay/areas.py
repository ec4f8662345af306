"""Imports the polygons beside a request file as the areas of a city: regions become streets, neighbourhoods communities."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from binglian.housing.v1 import area_pb2, area_service_pb2
from binglian.housing.v1.area_service_pb2_grpc import AreaServiceStub

from deploy.client import Session, request_id
from deploy.replay.rows import FileMapping

CHUNK = 20
"""Areas per import call; neighbourhood outlines have hundreds of points."""


def drafts(features: list[dict[str, Any]], mapping: FileMapping) -> tuple[list[area_service_pb2.AreaDraft], dict[str, str]]:
    """Areas of the city from GeoJSON features, parents first, and the community codes by name.

    Codes count up in the order of the names, so that the same file always gives the same codes (area_code_rule.yaml: street 001-099,
    community 001-199, one basic grid each).
    """
    city, district = mapping.city["code"], mapping.city["district"]
    areas = [_draft(city, mapping.city["name"]), _draft(district, mapping.city["district_name"])]
    streets = {
        name: f"{district}{number:03d}" for number, name in enumerate(sorted({_street(f, mapping) for f in features}), start=1)
    }
    areas += [_draft(code, name) for name, code in streets.items()]
    codes: dict[str, str] = {}
    for feature in sorted(features, key=lambda f: str(f["properties"][mapping.areas["community"]])):
        name, street = str(feature["properties"][mapping.areas["community"]]), streets[_street(feature, mapping)]
        code = f"{street}{1 + sum(known.startswith(street) for known in codes.values()):03d}"
        codes[name] = code
        polygons = list(_polygons(feature["geometry"]))
        areas += [_draft(code, name, polygons), _draft(f"{code}10001", name, polygons)]
    return areas, codes


def _street(feature: dict[str, Any], mapping: FileMapping) -> str:
    return str(feature["properties"].get(mapping.areas["street"]) or "其他 Other")


def _draft(code: str, name: str, polygons: list[area_pb2.Polygon] | None = None) -> area_service_pb2.AreaDraft:
    return area_service_pb2.AreaDraft(area_code=code, name=name[:100], polygons=polygons or ())


def _polygons(geometry: dict[str, Any]) -> Iterator[area_pb2.Polygon]:
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for outer, *holes in parts:
        yield area_pb2.Polygon(outer=_ring(outer), holes=[_ring(hole) for hole in holes])


def _ring(coordinates: list[list[float]]) -> area_pb2.Ring:
    ring = area_pb2.Ring()
    for longitude, latitude, *_ in coordinates:
        ring.points.add(longitude=longitude, latitude=latitude)
    return ring


async def import_areas(session: Session, mapping: FileMapping, folder: Path) -> dict[str, str]:
    """Imports the polygons beside the request file (again: nothing changes) and returns the community codes by name."""
    path = folder / mapping.areas["file"]
    features = json.loads(path.read_text())["features"]
    areas, codes = drafts(features, mapping)
    stub = AreaServiceStub(session.channel)
    for start in range(0, len(areas), CHUNK):
        chunk = areas[start : start + CHUNK]
        request = area_service_pb2.ImportAreasRequest(request_id=request_id("areas", mapping.city["code"], start), areas=chunk)
        await session.call(stub.ImportAreas, request, timeout=30)
    return codes

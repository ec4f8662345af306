"""What lies in the database `binglian_fire_safety`: schema and indexes of its collections, and the searches.

Documents are written by `svckit.store` and `svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, FloatField, LongField, MapField, StringField
from mongoengine.fields import ListField
from pymongo.collection import Collection

from fire_safety.domain import Point
from svckit.paging import code_range, narrowed

Raw = dict[str, Any]

PLACES_KEYS = ("next_inspection_at", "_id")
INSPECTIONS_KEYS = ("-changed_at", "_id")

# A case's point is taken for a registered place only this near, and only if no other place is as near: two shops share a wall.
_SAME_SPOT_METRES = 20.0
_EARTH_RADIUS_METRES = 6_378_100.0


class PlaceDocument(Document):
    """Places by id; the whole shape is `domain.Place`."""

    meta: ClassVar[Raw] = {
        "collection": "places",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ("area_code", "next_inspection_at", "_id"),
            {"fields": ["*point"]},
            {
                "name": "external_id",
                "fields": ["city", "external_id"],
                "unique": True,
                "partialFilterExpression": {"external_id": {"$gt": ""}},
            },
        ],
    }
    place_id = StringField(primary_key=True)
    place_type = StringField(required=True)
    name = StringField(required=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    point = DictField()
    external_id = StringField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    next_inspection_at = DateTimeField(required=True)
    last_inspected_at = DateTimeField()
    item_score = FloatField()
    revision = LongField()


class InspectionDocument(Document):
    """Inspections by id; the whole shape is `domain.Inspection`."""

    meta: ClassVar[Raw] = {
        "collection": "inspections",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            ("area_code", "-changed_at", "_id"),
            ("state", "-changed_at", "_id"),
            {"fields": ["task.task_id"], "sparse": True},
            {"fields": ["task.case_id"], "sparse": True},
            ("place_id", "-changed_at"),
        ],
    }
    inspection_id = StringField(primary_key=True)
    state = StringField(required=True)
    inspection_type = StringField(required=True)
    task = MapField(StringField(), null=True)
    department = StringField()
    place_id = StringField()
    city = StringField(required=True)
    area_code = StringField(required=True)
    items = ListField(DictField())
    hazards = ListField(DictField())
    opened_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    completed_at = DateTimeField()
    veto = BooleanField()
    revision = LongField()


DOCUMENTS: tuple[type[Document], ...] = (PlaceDocument, InspectionDocument)


def within(*, own: str, wanted: str) -> Raw:
    """Returns the condition for what lies in the caller's area and in the wanted one; it holds for nothing when they do not meet."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return {"_id": {"$in": []}}
    return {"area_code": code_range(prefix)} if prefix else {}


def equal(**fields: Any) -> Raw:
    """Returns the condition that the fields that are not empty have these values; "__" stands for a dot."""
    return {name.replace("__", "."): value for name, value in fields.items() if value}


# ---------------------------------------------------------------------------------------------------- for the worker


def places_at(places: Collection[Raw], points: Mapping[str, Point]) -> dict[str, Raw]:
    """Returns, per key of `points`, the one registered place at that spot; keys with none, or with several, are left out."""
    if not points:
        return {}
    near = places.find({"$or": [{"point": _circle(point)} for point in points.values()]}, {"outbox": False, "commands": False})
    found = [place for place in near if place.get("point")]
    matches = {key: [place for place in found if _is_near(place["point"], point)] for key, point in points.items()}
    return {key: candidates[0] for key, candidates in matches.items() if len(candidates) == 1}


def _circle(point: Point) -> Raw:
    return {"$geoWithin": {"$centerSphere": [[point.longitude, point.latitude], _SAME_SPOT_METRES / _EARTH_RADIUS_METRES]}}


def _is_near(found: Raw, point: Point) -> bool:
    return metres_between(Point(found["longitude"], found["latitude"]), point) <= _SAME_SPOT_METRES


def metres_between(one: Point, other: Point) -> float:
    """Returns the distance of two near points in metres (plane approximation, exact to millimetres within 100 m)."""
    north = math.radians(other.latitude - one.latitude)
    east = math.radians(other.longitude - one.longitude) * math.cos(math.radians(one.latitude))
    return _EARTH_RADIUS_METRES * math.hypot(north, east)


def inspections_for(inspections: Collection[Raw], *, case_ids: Iterable[str]) -> list[Raw]:
    """Returns the inspections of these cases, oldest first: enough of each to open the next, to cancel or to locate it."""
    wanted = list(case_ids)
    if not wanted:
        return []
    fields = dict.fromkeys(("outbox", "commands", "items", "hazards", "evidence"), False)
    return list(inspections.find({"task.case_id": {"$in": wanted}}, fields).sort([("asked_at", 1), ("_id", 1)]))

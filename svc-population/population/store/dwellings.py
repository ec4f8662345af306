"""Houses and buildings as svc-housing tells them: schema, indexes, searches."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, Document, FloatField, IntField, StringField
from pymongo.collection import Collection as SyncCollection

from population.store.rows import Raw


class HousePlaceDocument(Document):
    """Houses by id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "house_places",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "building", "fields": ["building_id"]}],
    }
    house_id = StringField(primary_key=True)
    building_id = StringField(required=True)
    floor = IntField()
    told_at = DateTimeField(required=True)
    revision = IntField()


class BuildingPlaceDocument(Document):
    """Buildings by id."""

    meta: ClassVar[dict[str, Any]] = {"collection": "building_places", "auto_create_index": False, "strict": False}
    building_id = StringField(primary_key=True)
    lift = BooleanField()
    longitude = FloatField()
    latitude = FloatField()
    told_at = DateTimeField(required=True)
    revision = IntField()


DWELLING_DOCUMENTS: tuple[type[Document], ...] = (HousePlaceDocument, BuildingPlaceDocument)


def homes_of(residents: SyncCollection[Raw], house_ids: Collection[str]) -> dict[str, set[str]]:
    """Returns who lives in some houses, with all houses each of them is registered to live in now. For workers."""
    here = {"residences": {"$elemMatch": {"house_id": {"$in": list(house_ids)}, "until": ""}}, "standing": None}
    return {row["_id"]: _houses(row) for row in residents.find(here, _HOMES)} if house_ids else {}


def homes_of_people(residents: SyncCollection[Raw], resident_ids: Collection[str]) -> dict[str, set[str]]:
    """Returns the houses some people are registered to live in now. For workers."""
    query = {"_id": {"$in": list(resident_ids)}, "standing": None}
    return {row["_id"]: _houses(row) for row in residents.find(query, _HOMES)} if resident_ids else {}


_HOMES = {"residences.house_id": True, "residences.until": True}


def _houses(row: Raw) -> set[str]:
    return {one["house_id"] for one in row.get("residences", ()) if one["house_id"] and not one.get("until")}

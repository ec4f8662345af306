"""What lies in the database `binglian_housing`: the schema and indexes of its collections, and the searches.

Documents are written by `svckit.store`/`svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from datetime import datetime
from typing import Any, ClassVar

from mongoengine import (
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    FloatField,
    IntField,
    ListField,
    StringField,
)
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection

from svckit.paging import code_range, narrowed

Raw = dict[str, Any]
Rows = AsyncCollection[Raw]
TREE_FIELDS = {"name": True, "level": True, "parent_code": True, "center": True}
ATLAS_FIELDS = {"name": True, "polygons": True, "retired_at": True, "changed_at": True, "revision": True}
OWNED_BY_STORE = {"outbox": False, "commands": False, "created_by": False}


class AreaDocument(Document):
    """Areas by code."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "areas",
        "auto_create_index": False,
        "strict": False,
        "indexes": ["parent_code", ("city", "level"), "changed_at", {"fields": ["city", "external_id"], "sparse": True}],
    }
    area_code = StringField(primary_key=True)
    level = StringField(required=True)
    name = StringField(required=True)
    parent_code = StringField()
    city = StringField(required=True)
    polygons = ListField(DictField())
    center = DictField()
    grid_type = StringField()
    grid_class = StringField()
    roster = ListField(DictField())
    external_id = StringField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    retired_at = DateTimeField()
    revision = IntField()


class BuildingDocument(Document):
    """Buildings by id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "buildings",
        "auto_create_index": False,
        "strict": False,
        "indexes": [("area_code", "_id")],
    }
    building_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    name = StringField(required=True)
    address = StringField()
    building_type = StringField(required=True)
    floors = IntField()
    units = IntField()
    point = DictField()
    lift = BooleanField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


class HouseDocument(Document):
    """Houses by id; a door number is unique within building and unit."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "houses",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"fields": ["building_id", "unit", "number"], "unique": True},
            ("area_code", "_id"),
        ],
    }
    house_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    building_id = StringField(required=True)
    unit = StringField()
    number = StringField(required=True)
    floor = IntField()
    use = StringField()
    ownership = StringField(required=True)
    occupancy = StringField(required=True)
    rent_use = StringField()
    hazards = ListField(StringField())
    floor_area = FloatField()
    checked_at = DateTimeField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    revision = IntField()


class HouseCheckDocument(Document):
    """House checks by the id of the task they answer."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "house_checks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [("state", "area_code", "_id"), "task.case_id"],
    }
    check_id = StringField(primary_key=True)
    city = StringField(required=True)
    state = StringField(required=True)
    task = DictField(required=True)
    department = StringField(required=True)
    category = StringField()
    area_code = StringField()
    description = StringField()
    instruction = StringField()
    point = DictField()
    address = StringField()
    due_at = DateTimeField()
    opened_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    outcome = StringField()
    result = StringField()
    house_id = StringField()
    hazards = ListField(StringField())
    evidence = ListField(DictField())
    completed_at = DateTimeField()
    completed_by = StringField()
    return_reason = StringField()
    returns = IntField()
    revision = IntField()


class CaseLocationDocument(Document):
    """Areas found for cases, by case id."""

    meta: ClassVar[dict[str, Any]] = {"collection": "case_locations", "auto_create_index": False, "strict": False}
    case_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    point = DictField(required=True)
    located_at = DateTimeField(required=True)
    revision = IntField()


DOCUMENTS: tuple[type[Document], ...] = (
    AreaDocument,
    BuildingDocument,
    HouseDocument,
    HouseCheckDocument,
    CaseLocationDocument,
)


# ------------------------------------------------------------------------------------------------- searches


def in_area(*, own: str, wanted: str) -> dict[str, Any] | None:
    """Returns the condition on `area_code` for what lies in both areas, None when nothing can."""
    prefix = narrowed(own=own, wanted=wanted)
    if prefix is None:
        return None
    return {"area_code": code_range(prefix)} if prefix else {}


async def areas_in_use(rows: Rows, codes: Several[str]) -> frozenset[str]:
    """Returns those of `codes` that exist and are not retired."""
    found = rows.find({"_id": {"$in": list(codes)}, "retired_at": None}, {"_id": True})
    return frozenset([row["_id"] async for row in found])


async def has_areas_below(rows: Rows, area_code: str) -> bool:
    """Tells whether areas in use lie directly below this one."""
    return await rows.find_one({"parent_code": area_code, "retired_at": None}, {"_id": True}) is not None


async def areas_below(rows: Rows, codes: Several[str]) -> list[Raw]:
    """Returns the areas in use directly below any of `codes`, by code: code, level, name, parent, center."""
    query = {"parent_code": {"$in": list(codes)}, "retired_at": None}
    return await rows.find(query, TREE_FIELDS).sort([("_id", 1)]).to_list()


async def areas_changed(rows: Rows, since: datetime | None) -> list[Raw]:
    """Returns what the atlas needs of the areas changed at or after `since` (all for None)."""
    return await rows.find(_changed(since), ATLAS_FIELDS).to_list()


def areas_changed_now(rows: Collection[Raw], since: datetime | None) -> list[Raw]:
    """The same for workers, which wait for the answer."""
    return rows.find(_changed(since), ATLAS_FIELDS).to_list()


def _changed(since: datetime | None) -> Raw:
    return {"changed_at": {"$gte": since}} if since else {}


async def houses_at(rows: Rows, doors: Several[tuple[str, str, str]]) -> list[Raw]:
    """Returns the houses behind (building id, unit, number), with the command that entered each."""
    if not doors:
        return []
    query = {"building_id": {"$in": list({door[0] for door in doors})}, "number": {"$in": list({door[2] for door in doors})}}
    fields = {"building_id": True, "unit": True, "number": True, "created_by": True}
    wanted = set(doors)
    return [row async for row in rows.find(query, fields) if (row["building_id"], row["unit"], row["number"]) in wanted]


def checks_of_cases(rows: Collection[Raw], case_ids: Several[str]) -> dict[str, list[str]]:
    """Returns the ids of the checks of cases, by case. For workers."""
    found: dict[str, list[str]] = {}
    for row in rows.find({"task.case_id": {"$in": list(case_ids)}}, {"task.case_id": True}):
        found.setdefault(row["task"]["case_id"], []).append(row["_id"])
    return found

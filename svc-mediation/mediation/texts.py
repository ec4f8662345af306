"""The wordings of cases in a collection of their own, kept by the worker: what a case costs to write does not pay for finding it by words.

A wording is what never or seldom changes of a case: words, place, kind, time of the report. What changes is asked of the case itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from mediation.domain import Point
from mediation.wording import Wanted, overlap, wording
from svckit.errors import Unavailable

Document = dict[str, Any]
Filter = dict[str, Any]

EARTH_METRES = 6_378_100.0
"""Radius MongoDB's `$centerSphere` is measured in."""
# Two reports of one thing: so far apart at most, in metres and in time, and so much of their words in common.
DUPLICATE_METRES = 200
DUPLICATE_TIME = timedelta(days=7)
DUPLICATE_OVERLAP = 0.15
MOST_DUPLICATES = 20
_LOOKED_THROUGH = 500
_KIND = 3
_MILLISECONDS = 5_000
_READ = {"description": 1, "address": 1, "number": 1, "city": 1, "area_code": 1, "category": 1, "point": 1, "reported_at": 1}


# The wordings of a grid or community are few: looked through one by one sooner than a word of the whole city.
AREA = "area"


class WordingDocument(me.Document):
    """The wording of one case; its id is that of the case."""

    meta: ClassVar[Document] = {
        "collection": "wordings",
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            # One term and the city narrow the search; the ids bring what is left in order, newest report first.
            {"name": "terms", "fields": ["terms", "city", "-case_id"]},
            {"name": AREA, "fields": ["area_code", "-case_id"]},
            {"name": "place", "fields": [("point", "2dsphere")], "sparse": True},
        ],
    }

    case_id = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    area_code = me.StringField(required=True)
    category = me.StringField(required=True)
    reported_at = me.DateTimeField(required=True)
    text = me.StringField(required=True)
    terms = me.ListField(me.StringField())
    point = me.PointField()


class WordingKeeper:
    """Writes wordings (worker). Doing so twice is harmless: what is written is read from the cases each time."""

    def __init__(self, cases: Collection[Document]) -> None:
        self._cases = cases
        self._wordings = cases.database["wordings"]

    def keep(self, case_ids: Sequence[str]) -> None:
        """Writes the wordings of cases as they are now. Raises PyMongoError."""
        found = {case["_id"]: _document(case) for case in self._cases.find({"_id": {"$in": list(case_ids)}}, _READ)}
        known = {kept["_id"] for kept in self._wordings.find({"_id": {"$in": list(found)}}, {"_id": True})}
        # Nearly all are new, and to insert one costs the server a third of what an upsert does.
        writes = [
            ReplaceOne({"_id": id}, words, upsert=True) if id in known else InsertOne({"_id": id, **words})
            for id, words in found.items()
        ]
        if writes:
            self._wordings.bulk_write(writes, ordered=False)


def _document(case: Document) -> Document:
    words = wording(description=case["description"], address=case.get("address", ""), number=case["number"])
    kept = {name: case[name] for name in ("city", "area_code", "category", "reported_at")}
    if point := case.get("point"):
        kept["point"] = _geo(Point(point["longitude"], point["latitude"]))
    return {**kept, "text": words.text, "terms": list(words.terms)}


def _geo(point: Point) -> Document:
    return {"type": "Point", "coordinates": [point.longitude, point.latitude]}


class WordingSearch:
    """Finds ids of cases by words and place (api). All raise Unavailable while the database is away."""

    def __init__(self, wordings: AsyncCollection[Document]) -> None:
        self._wordings = wordings

    async def ids(self, where: Filter, *, before: str, size: int, index: str | None = None) -> list[str]:
        """Returns up to `size` ids, newest report first, older than the id `before` ("" for the newest); through an index, if named."""
        older = [{"_id": {"$lt": before}}] if before else []
        cursor = self._wordings.find({"$and": [where, *older]}, {"_id": True}).sort("_id", -1).limit(size)
        return [found["_id"] for found in await _all(cursor.hint(index) if index else cursor)]

    async def duplicates(self, case: Document) -> list[str]:
        """Returns the ids of cases that may be about the same thing as this one, most alike first.

        Near (or in the same area where no place is known), of the same kind, within a week, with words in common.
        """
        words = wording_of(await _all(self._wordings.find({"_id": case["case_id"]})), case)
        span = {"$gte": case["reported_at"] - DUPLICATE_TIME, "$lte": case["reported_at"] + DUPLICATE_TIME}
        kind = starting_with(case["category"][:_KIND])
        where = {**_around(case), "_id": {"$ne": case["case_id"]}, "category": kind, "reported_at": span}
        found = await _all(self._wordings.find(where, {"terms": True}).limit(_LOOKED_THROUGH))
        likeness = {other["_id"]: overlap(words, other["terms"]) for other in found}
        alike = [case_id for case_id, much in likeness.items() if much >= DUPLICATE_OVERLAP]
        return sorted(alike, key=lambda case_id: -likeness[case_id])[:MOST_DUPLICATES]


def wording_of(kept: Sequence[Document], case: Document) -> Sequence[str]:
    """Returns the terms kept of a case; made here if the worker has not come to it yet."""
    if kept:
        terms: Sequence[str] = kept[0]["terms"]
        return terms
    return wording(description=case["description"], address=case.get("address", ""), number=case["number"]).terms


def _around(case: Document) -> Filter:
    if point := case.get("point"):
        return {**near(Point(point["longitude"], point["latitude"]), metres=DUPLICATE_METRES), "city": case["city"]}
    return {"city": case["city"], "area_code": case["area_code"]}


def near(point: Point, *, metres: float) -> Filter:
    """Returns the condition that a case lies within `metres` of a point."""
    return {"point": {"$geoWithin": {"$centerSphere": [[point.longitude, point.latitude], metres / EARTH_METRES]}}}


def saying(what: Wanted) -> Filter:
    """Returns the condition that a wording has all the words."""
    narrowing = {"$all": list(what.terms)} if what.terms else starting_with(what.beginning)
    return {"terms": narrowing, "$and": [{"text": {"$regex": re.escape(word)}} for word in what.words]}


def starting_with(prefix: str) -> Filter:
    """Returns the condition that a text starts with `prefix`; a range, so that an index serves it."""
    return {"$gte": prefix, "$lt": prefix + "\uffff"}


async def _all(cursor: Any) -> list[Document]:
    try:
        found: list[Document] = await cursor.max_time_ms(_MILLISECONDS).to_list()
    except PyMongoError as error:
        raise Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE") from error
    return found


def reported_between(start: datetime | None, end: datetime | None) -> Filter:
    """Returns the condition on the time of the report, {} for any."""
    limits = {name: at for name, at in (("$gte", start), ("$lt", end)) if at}
    return {"reported_at": limits} if limits else {}

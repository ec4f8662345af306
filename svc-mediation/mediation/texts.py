"""The wordings of cases in a collection of their own, kept by the worker: what a case costs to write does not pay for finding it by words.

A wording is what never or seldom changes of a case: words, place, kind, time of the report. What changes is asked of the case itself.

Terms are not kept for each case but for each moment, the four seconds its id was made in: cases of a busy moment have most terms in
common, and one entry of the index stands for all of them. Terms name the moments, newest first; the wordings in them are looked through.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import mongoengine as me
from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, PyMongoError

from mediation.domain import Point
from mediation.wording import Wanted, Wording, overlap, wording
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
# The first characters of a UUIDv7 tell the time in steps of 4.096 s.
MOMENT = 10
_MOMENTS_AT_ONCE = 200
_DUPLICATE_KEY = 11000
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
        "retired_indexes": ["terms"],
        "indexes": [
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
    point = me.PointField()


class MomentDocument(me.Document):
    """The terms of all cases of one moment and city; its id is `<beginning of their ids>:<city>`."""

    meta: ClassVar[Document] = {
        "collection": "moments",
        "strict": False,
        "auto_create_index": False,
        # One term and the city narrow the search; the ids bring what is left in order, newest report first.
        "indexes": [{"name": "terms", "fields": ["terms", "city", "-moment"]}],
    }

    moment = me.StringField(primary_key=True)
    city = me.StringField(required=True)
    terms = me.ListField(me.StringField())


class WordingKeeper:
    """Writes wordings (worker). Doing so twice is harmless: what is written is read from the cases each time."""

    def __init__(self, cases: Collection[Document]) -> None:
        self._cases = cases
        self._wordings = cases.database["wordings"]
        self._moments = cases.database["moments"]

    def keep(self, case_ids: Sequence[str]) -> None:
        """Writes the wordings of cases as they are now. Raises PyMongoError."""
        cases = list(self._cases.find({"_id": {"$in": list(case_ids)}}, _READ))
        if not cases:
            return
        words = [
            wording(description=case["description"], address=case.get("address", ""), number=case["number"]) for case in cases
        ]
        self._moments.bulk_write(_moments(cases, words), ordered=False)
        self._write([_document(case, kept.text) for case, kept in zip(cases, words, strict=True)])

    def _write(self, documents: Sequence[Document]) -> None:
        """Nearly all are new, and to insert one costs the server a third of what an upsert does."""
        try:
            self._wordings.bulk_write([InsertOne(document) for document in documents], ordered=False)
        except BulkWriteError as error:
            failed = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(each["code"] != _DUPLICATE_KEY for each in failed):
                raise
            known = [documents[each["index"]] for each in failed]
            self._wordings.bulk_write([ReplaceOne({"_id": each["_id"]}, each) for each in known], ordered=False)


def _moments(cases: Sequence[Document], words: Sequence[Wording]) -> list[UpdateOne]:
    terms: dict[tuple[str, str], set[str]] = defaultdict(set)
    for case, kept in zip(cases, words, strict=True):
        terms[case["_id"][:MOMENT], case["city"]].update(kept.terms)
    return [
        UpdateOne(
            {"_id": f"{moment}:{city}"},
            {"$addToSet": {"terms": {"$each": sorted(found)}}, "$setOnInsert": {"city": city}},
            upsert=True,
        )
        for (moment, city), found in terms.items()
    ]


def _document(case: Document, text: str) -> Document:
    kept = {name: case[name] for name in ("_id", "city", "area_code", "category", "reported_at")}
    if point := case.get("point"):
        kept["point"] = _geo(Point(point["longitude"], point["latitude"]))
    return {**kept, "text": text}


def _geo(point: Point) -> Document:
    return {"type": "Point", "coordinates": [point.longitude, point.latitude]}


class WordingSearch:
    """Finds ids of cases by words and place (api). All raise Unavailable while the database is away."""

    def __init__(self, wordings: AsyncCollection[Document]) -> None:
        self._wordings = wordings
        self._moments = wordings.database["moments"]

    async def ids(self, where: Filter, *, before: str, size: int, index: str | None = None) -> list[str]:
        """Returns up to `size` ids, newest report first, older than the id `before` ("" for the newest); through an index, if named."""
        older = [{"_id": {"$lt": before}}] if before else []
        cursor = self._wordings.find({"$and": [where, *older]}, {"_id": True}).sort("_id", -1).limit(size)
        return [found["_id"] for found in await _all(cursor.hint(index) if index else cursor)]

    async def ids_by_terms(self, where: Filter, what: Wanted, *, city: str, before: str, size: int) -> list[str]:
        """Returns what `ids` does, looking only through moments whose terms are those of the words. `city`: "" for all."""
        found: list[str] = []
        end = f"{before[:MOMENT]}~" if before else "~"
        while len(found) < size and (moments := await self._moments_of(what, city=city, before=end)):
            within = {"$and": [{"_id": {"$in": [re.compile(f"^{moment[:MOMENT]}") for moment in moments]}}, where]}
            found += await self.ids(within, before=before, size=size - len(found), index="_id_")
            end = moments[-1][:MOMENT]
        return found

    async def _moments_of(self, what: Wanted, *, city: str, before: str) -> list[str]:
        terms = {"$all": list(what.terms)} if what.terms else starting_with(what.beginning)
        where = {"terms": terms, **({"city": city} if city else {}), "_id": {"$lt": before}}
        cursor = self._moments.find(where, {"_id": True}).sort("_id", -1).limit(_MOMENTS_AT_ONCE)
        return [found["_id"] for found in await _all(cursor)]

    async def duplicates(self, case: Document) -> list[str]:
        """Returns the ids of cases that may be about the same thing as this one, most alike first.

        Near (or in the same area where no place is known), of the same kind, within a week, with words in common.
        """
        text = _text_of(await _all(self._wordings.find({"_id": case["case_id"]})), case)
        span = {"$gte": case["reported_at"] - DUPLICATE_TIME, "$lte": case["reported_at"] + DUPLICATE_TIME}
        kind = starting_with(case["category"][:_KIND])
        where = {**_around(case), "_id": {"$ne": case["case_id"]}, "category": kind, "reported_at": span}
        found = await _all(self._wordings.find(where, {"text": True}).limit(_LOOKED_THROUGH))
        likeness = {other["_id"]: overlap(text, other["text"]) for other in found}
        alike = [case_id for case_id, much in likeness.items() if much >= DUPLICATE_OVERLAP]
        return sorted(alike, key=lambda case_id: -likeness[case_id])[:MOST_DUPLICATES]


def _text_of(kept: Sequence[Document], case: Document) -> str:
    """The text kept of a case; made here if the worker has not come to it yet."""
    if kept:
        return str(kept[0]["text"])
    return wording(description=case["description"], address=case.get("address", ""), number=case["number"]).text


def _around(case: Document) -> Filter:
    if point := case.get("point"):
        return {**near(Point(point["longitude"], point["latitude"]), metres=DUPLICATE_METRES), "city": case["city"]}
    return {"city": case["city"], "area_code": case["area_code"]}


def near(point: Point, *, metres: float) -> Filter:
    """Returns the condition that a case lies within `metres` of a point."""
    return {"point": {"$geoWithin": {"$centerSphere": [[point.longitude, point.latitude], metres / EARTH_METRES]}}}


def saying(what: Wanted) -> Filter:
    """Returns the condition that a wording has all the words."""
    return {"$and": [{"text": {"$regex": re.escape(word)}} for word in what.words]}


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

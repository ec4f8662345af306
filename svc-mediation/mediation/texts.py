"""Filters on the words and the place of cases. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mediation import duplicates
from mediation.domain import Point
from mediation.wording import Wanted
from svckit.paging import code_range

Document = dict[str, Any]
Filter = dict[str, Any]

EARTH_METRES = 6_378_100.0
"""Radius MongoDB's `$centerSphere` is measured in."""
# Letters of a category that tell its kind: reports of one thing are seldom filed under two.
_KIND = 3


def maybe_duplicates(case: Document) -> Filter:
    """Returns the cases of the same kind, near (in the same area where no place is known) and of the same days as `case`."""
    span = {"$gte": case["reported_at"] - duplicates.APART, "$lte": case["reported_at"] + duplicates.APART}
    kind = starting_with(case["category"][:_KIND])
    return {**_around(case), "_id": {"$ne": case["case_id"]}, "category": kind, "reported_at": span}


def _around(case: Document) -> Filter:
    if point := case.get("point"):
        return {**near(Point(point["longitude"], point["latitude"]), metres=duplicates.FAR_M), "city": case["city"]}
    return {"city": case["city"], "area_code": code_range(case["area_code"])}


def near(point: Point, *, metres: float) -> Filter:
    """Returns the condition that a case lies within `metres` of a point."""
    return {"point": {"$geoWithin": {"$centerSphere": [[point.longitude, point.latitude], metres / EARTH_METRES]}}}


def having(what: Wanted) -> Filter:
    """Returns the condition that a case has the terms of all the words; whether it has the words themselves `wording.says`."""
    return {"terms": {"$all": list(what.terms)} if what.terms else starting_with(what.beginning)}


def starting_with(prefix: str) -> Filter:
    """Returns the condition that a text starts with `prefix`; a range, so that an index serves it."""
    return {"$gte": prefix, "$lt": prefix + "\uffff"}


def reported_between(start: datetime | None, end: datetime | None) -> Filter:
    """Returns the condition on the time of the report, {} for any."""
    limits = {name: at for name, at in (("$gte", start), ("$lt", end)) if at}
    return {"reported_at": limits} if limits else {}

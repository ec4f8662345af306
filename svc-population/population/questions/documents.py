"""Conditions as filters of MongoDB on the documents of residents. Pure: values only ever stand where values stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from population.domain.residence import ResidenceKind
from population.questions.conditions import Condition, Differs, Equal, Every, Inside, Known, Neither, Some, Value, Within
from population.questions.fields import Field, Place
from svckit.paging import code_range

Filter = dict[str, Any]
Sizes = Mapping[str, int]
"""How many people are of each household."""
Leaf = Equal | Differs | Known | Within
NOBODY: Sizes = {}

_UNKNOWN = (None, "")
"""What documents hold where something is not known; a missing field counts as None."""


def filter_of(condition: Condition, *, sizes: Sizes = NOBODY) -> Filter:
    """Returns the filter that finds exactly those for whom the condition holds.

    `sizes`: of the households of all who are looked through, where the condition asks for them (`asks_for_sizes`).
    """
    match condition:
        case Inside(field, prefix):
            return {field.path: code_range(prefix)}
        case Neither(part):
            return {"$nor": [filter_of(part, sizes=sizes)]}
        case Every(parts):
            return _all_of([filter_of(part, sizes=sizes) for part in parts])
        case Some(parts):
            return {"$or": [filter_of(part, sizes=sizes) for part in parts]}
        case _ if condition.field.place is Place.HOUSEHOLD:
            return {condition.field.path: {"$in": sorted(id for id, size in sizes.items() if _fits(condition, size))}}
        case _ if condition.field.place is Place.HOME:
            return _of_home(condition)
        case _:
            return {condition.field.path: _test(condition)}


def asks_for_sizes(condition: Condition) -> bool:
    """Tells whether the sizes of households have to be known before the filter can be made."""
    match condition:
        case Neither(part):
            return asks_for_sizes(part)
        case Every(parts) | Some(parts):
            return any(asks_for_sizes(part) for part in parts)
        case _:
            return condition.field.place is Place.HOUSEHOLD


def _test(leaf: Leaf) -> object:
    match leaf:
        case Equal(_, value):
            return _stored(value)
        case Differs(_, value):
            return {"$nin": [_stored(value), *_UNKNOWN]}
        case Known():
            return {"$nin": list(_UNKNOWN)}
        case Within(_, low, high):
            return _range(low, high)


def _fits(leaf: Leaf, size: int) -> bool:
    match leaf:
        case Equal(_, value):
            return size == value
        case Differs(_, value):
            return size != value
        case Within(_, low, high):
            return (not isinstance(low, int) or low <= size) and (not isinstance(high, int) or size <= high)
    return True


def _of_home(leaf: Leaf) -> Filter:
    """What the present home says is told by comparing homes, for which the language of queries has expressions only."""
    value = _present_home(leaf.field)
    match leaf:
        case Equal(field, wanted):
            # The plain test lets most documents pass by before anything is computed of them.
            some = {"residences": {"$elemMatch": {field.path: wanted}}}
            return {"$and": [some, {"$expr": {"$eq": [value, {"$literal": wanted}]}}]}
        case Differs(_, other):
            return {"$expr": {"$not": [{"$in": [value, ["", {"$literal": other}]]}]}}
        case _:
            return {"$expr": {"$ne": [value, ""]}}


def _present_home(field: Field) -> Filter:
    """Returns the expression for what the home says to which somebody came last of those that last; "" for nothing."""

    def known(name: str) -> Filter:
        return {"$ifNull": [f"$$home.{name}", ""]}

    lasting = {"$and": [{"$eq": [known("until"), ""]}, {"$ne": [known("kind"), ResidenceKind.REGISTERED.value]}]}
    homes = {"$filter": {"input": {"$ifNull": ["$residences", []]}, "as": "home", "cond": lasting}}
    # Documents are compared field by field, in this order.
    compared = {"since": known("since"), "id": known("residence_id"), "value": known(field.path)}
    last = {"$max": {"$map": {"input": homes, "as": "home", "in": compared}}}
    return {"$let": {"vars": {"last": last}, "in": {"$ifNull": ["$$last.value", ""]}}}


def _all_of(filters: list[Filter]) -> Filter:
    """One flat document where no field stands twice: the shortest way for the planner."""
    names = [name for one in filters for name in one]
    if len(set(names)) == len(names) and not any(name.startswith("$") for name in names):
        return {name: test for one in filters for name, test in one.items()}
    return {"$and": filters}


def _range(low: int | date | None, high: int | date | None) -> Filter:
    limits: Filter = {}
    if low is not None:
        limits["$gte"] = _stored(low)
    elif isinstance(high, date):
        limits["$gt"] = ""  # days are texts, and an unknown one is empty
    if high is not None:
        limits["$lte"] = _stored(high)
    return limits


def _stored(value: Value) -> object:
    return value.isoformat() if isinstance(value, date) else value

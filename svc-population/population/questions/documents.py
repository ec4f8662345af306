"""Conditions as filters of MongoDB on the documents of residents. Pure: values only ever stand where values stand."""

from __future__ import annotations

from datetime import date
from typing import Any

from population.questions.conditions import Condition, Differs, Equal, Every, Inside, Known, Neither, Some, Value, Within
from svckit.paging import code_range

Filter = dict[str, Any]

_UNKNOWN = (None, "")
"""What documents hold where something is not known; a missing field counts as None."""


def filter_of(condition: Condition) -> Filter:
    """Returns the filter that finds exactly those for whom the condition holds."""
    match condition:
        case Equal(field, value):
            return {field.path: _stored(value)}
        case Differs(field, value):
            return {field.path: {"$nin": [_stored(value), *_UNKNOWN]}}
        case Known(field):
            return {field.path: {"$nin": list(_UNKNOWN)}}
        case Within(field, low, high):
            return {field.path: _range(low, high)}
        case Inside(field, prefix):
            return {field.path: code_range(prefix)}
        case Neither(part):
            return {"$nor": [filter_of(part)]}
        case Every(parts):
            return _all_of([filter_of(part) for part in parts])
        case Some(parts):
            return {"$or": [filter_of(part) for part in parts]}


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

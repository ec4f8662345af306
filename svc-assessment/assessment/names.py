"""Chinese names of departments and categories, from the code tables: what people call what the ledgers hold as codes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib import resources

_LETTERED = {"A": "dispute_category.csv", "C": "city_component.csv", "D": "city_event.csv"}


def department_name(code: str) -> str:
    """Returns the name of a department (department.csv); the code itself where the table does not know it."""
    return _departments().get(code, code)


def category_name(code: str) -> str:
    """Returns the name of a category (category.csv, and the table of its letter); the code itself where no table knows it."""
    return _categories().get(code, code)


@cache
def _departments() -> dict[str, str]:
    return dict(_named("department.csv"))


@cache
def _categories() -> dict[str, str]:
    names = dict(_named("category.csv"))
    for letter, table in _LETTERED.items():
        names.update((letter + code, name) for code, name in _named(table))
    return names


def _named(table: str) -> Iterator[tuple[str, str]]:
    text = resources.files("assessment").joinpath("codes", table).read_text(encoding="utf-8-sig")
    for row in csv.DictReader(text.splitlines()):
        yield row["code"], row["zh"]

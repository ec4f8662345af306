"""The code tables of fire safety, read once from the CSV files of this package."""

from __future__ import annotations

import csv
import functools
import importlib.resources
import types
from collections.abc import Iterator, Mapping

import msgspec


class CheckItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of check_item.csv. `fix_hours` are clock hours; 0 means advice only."""

    code: str
    group: str
    zh: str
    en: str
    applies_to: frozenset[str]
    weight: int
    hazard_level: str
    fix_hours: int
    fix_on_spot_possible: bool
    veto: bool


class PlaceType(msgspec.Struct, frozen=True, kw_only=True):
    """A row of place_type.csv. `interval_days` lie between two inspections."""

    code: str
    zh: str
    en: str
    interval_days: int


class InspectionType(msgspec.Struct, frozen=True, kw_only=True):
    """A row of inspection_type.csv. `role` is the role that makes inspections of this kind."""

    code: str
    zh: str
    en: str
    role: str


@functools.cache
def check_items() -> Mapping[str, CheckItem]:
    """Returns the checklist items by code, in the order of the table."""
    return types.MappingProxyType({row["code"]: _check_item(row) for row in _rows("check_item")})


@functools.cache
def place_types() -> Mapping[str, PlaceType]:
    """Returns the kinds of places by code."""
    return types.MappingProxyType({row["code"]: _place_type(row) for row in _rows("place_type")})


@functools.cache
def inspection_types() -> Mapping[str, InspectionType]:
    """Returns the kinds of inspections by code."""
    return types.MappingProxyType({row["code"]: _inspection_type(row) for row in _rows("inspection_type")})


def _check_item(row: Mapping[str, str]) -> CheckItem:
    return CheckItem(
        code=row["code"],
        group=row["group"],
        zh=row["zh"],
        en=row["en"],
        applies_to=frozenset(row["applies_to"].split(";")),
        weight=int(row["weight"]),
        hazard_level=row["hazard_level"],
        fix_hours=int(row["fix_hours"]),
        fix_on_spot_possible=row["fix_on_spot_possible"] == "Y",
        veto=row["veto"] == "Y",
    )


def _place_type(row: Mapping[str, str]) -> PlaceType:
    return PlaceType(code=row["code"], zh=row["zh"], en=row["en"], interval_days=int(row["default_interval_days"]))


def _inspection_type(row: Mapping[str, str]) -> InspectionType:
    return InspectionType(code=row["code"], zh=row["zh"], en=row["en"], role=row["who"])


def _rows(table: str) -> Iterator[dict[str, str]]:
    text = importlib.resources.files(__package__).joinpath("codes", f"{table}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())

"""Residents as lists of questions show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from binglian.population.v1 import question_pb2 as pb

from population.domain.residence import ResidenceKind
from population.questions.columns import day_number
from population.rpc.figures import UNKNOWN_AGE

PRESENT: Mapping[str, Any] = {"standing": None}
"""Who lives here now: not moved away, not dead, not another entry's double."""

SHOWN = dict.fromkeys(
    (
        *("name", "sex", "birth_date", "area_code", "resident_type", "household_id"),
        *("residences.house_id", "residences.until", "residences.kind"),
    ),
    True,
)
"""The fields a list reads."""


def person(row: Mapping[str, Any], *, today: date) -> pb.Person:
    """Returns a document (with the fields SHOWN) as a person of a list."""
    birth_date = row.get("birth_date") or ""
    return pb.Person(
        resident_id=row["_id"],
        name=row["name"],
        sex=row["sex"],
        birth_date=birth_date,
        age=age_of(birth_date, today=today),
        area_code=row["area_code"],
        resident_type=row["resident_type"],
        household_id=row.get("household_id") or "",
        house_id=house_of(row),
    )


def age_of(birth_date: str, *, today: date) -> int:
    """Returns the completed years, UNKNOWN_AGE without a birth date."""
    if not birth_date:
        return UNKNOWN_AGE
    return (day_number(today) - int(birth_date.replace("-", ""))) // 10_000


def house_of(row: Mapping[str, Any]) -> str:
    """Returns the house somebody lives in now, "" when none is known; of several the latest. Where somebody is registered is no home."""
    return next((stay["house_id"] for stay in reversed(row.get("residences") or ()) if _is_home(stay)), "")


def _is_home(stay: Mapping[str, Any]) -> bool:
    return not stay.get("until") and stay.get("kind") != ResidenceKind.REGISTERED

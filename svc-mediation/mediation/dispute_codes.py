"""Code tables of disputes: kinds, sides, methods, results, and how long a mediation of each kind may last."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from mediation.domain import Calendar, Limit

VIOLENCE = "0105"
"""Suspected domestic violence: protection first, never mediated (反家庭暴力法 14, 17; dispute_route.csv 0105)."""

_DAY = 24 * 60
_WORKING_DAY = 450
# The marriage itself is no matter for a confirmation (法释〔2011〕5号 art. 4).
STATUS_CATEGORIES = frozenset({"0101"})
# mediation_result.csv: settled by themselves; withdrawn; suited to no mediation; and those that are failures, art. 26.
SETTLED, REFUSED, WITHDRAWN, UNSUITABLE = "03", "05", "06", "07"
WRITTEN, ORAL = "01", "02"
REMEDIES_NEEDED = frozenset({"04", "05", "07"})


class MediationLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How long a mediation may last; `from_application`: counted from the application instead of the beginning."""

    limit: Limit
    basis: str
    from_application: bool = False
    extendable: bool = True
    pausable: bool = False


_DEFAULT = MediationLimit(
    limit=Limit(30 * _DAY, Calendar.STATUTORY), basis="parallel_policy.yaml: 30 days, extendable by agreement"
)
_MEDICAL = MediationLimit(
    limit=Limit(30 * _WORKING_DAY, Calendar.WORK, whole_days=True),
    basis="医疗纠纷预防和处理条例 38: 30 working days, appraisal not counted",
    pausable=True,
)
_LABOUR = MediationLimit(
    limit=Limit(15 * _DAY, Calendar.STATUTORY),
    basis="劳动争议调解仲裁法 14: 15 days from the application, then arbitration is open",
    from_application=True,
    extendable=False,
)
_LIMITS = {"07": _MEDICAL, "05": _LABOUR}


def limit_of(category: str) -> MediationLimit:
    """Returns how long the mediation of a kind of dispute may last."""
    return _LIMITS.get(category[:2], _DEFAULT)


def mediable(category: str) -> str:
    """Returns Y, N or C (on a condition) of dispute_category.csv; "" for a code it has not."""
    return categories().get(category, {}).get("mediable", "")


def scale_of(people: int) -> str:
    """Returns the code of dispute_scale.csv for a number of people, "" for none."""
    for row in _rows("dispute_scale"):
        if int(row["min_people"]) <= people <= int(row["max_people"] or people):
            return row["code"]
    return ""


@cache
def categories() -> dict[str, dict[str, str]]:
    """Returns the rows of dispute_category.csv by code."""
    return {row["code"]: row for row in _rows("dispute_category")}


@cache
def names(table: str) -> dict[str, str]:
    """Returns code → Chinese name of a table of `codes/`."""
    return {row["code"]: row["zh"] for row in _rows(table)}


@cache
def results() -> dict[str, dict[str, str]]:
    """Returns the rows of mediation_result.csv by code."""
    return {row["code"]: row for row in _rows("mediation_result")}


@cache
def agreement_form() -> dict[str, Any]:
    """Returns agreement_form.yaml: title, number and sections of the written agreement."""
    form: dict[str, Any] = yaml.safe_load(_text("agreement_form.yaml"))
    return form


@cache
def restricted_terms() -> dict[str, tuple[str, ...]]:
    """Returns the words that must stand in no text, by the code of restricted_category.csv."""
    return {code: tuple(words) for code, words in yaml.safe_load(_text("restricted_terms.yaml")).items()}


def _rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(f"{table}.csv").splitlines()))


def _text(name: str) -> str:
    return resources.files("mediation").joinpath(f"codes/{name}").read_text("utf-8")

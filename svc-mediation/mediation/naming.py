"""What codes are called in files people take away: states, lights, departments, kinds of cases. Chinese, or English where asked."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

_STATES = {
    "draft": ("草稿", "Draft"),
    "reported": ("已上报", "Reported"),
    "returned": ("退回补充", "Returned"),
    "merged": ("并案", "Merged"),
    "rejected": ("不予受理", "Rejected"),
    "accepted": ("已受理", "Accepted"),
    "self_handled": ("网格自行处置", "Handled by the grid"),
    "dispatched": ("已派遣", "Dispatched"),
    "parallel": ("并联办理中", "In parallel work"),
    "handling": ("处置中", "In work"),
    "suspended": ("挂账/延期", "Suspended"),
    "handled": ("已反馈待核查", "Handled"),
    "rework": ("核查不通过返工", "Rework"),
    "verified": ("核查通过", "Verified"),
    "closed": ("已结案", "Closed"),
    "evaluated": ("已评价", "Evaluated"),
    "withdrawn": ("诉求人撤回", "Withdrawn"),
    "transferred": ("移交其他途径", "Transferred"),
}
_LIGHTS = {"green": ("绿灯", "Green"), "yellow": ("黄灯", "Yellow"), "red": ("红灯", "Red")}
_SEVERITIES = {"s1": ("紧急", "Urgent"), "s2": ("重大", "Major"), "s3": ("较大", "Considerable"), "s4": ("一般", "Ordinary")}
# Tables of the kinds below a letter of category.csv; those of grid_route.csv have their letter already.
_KINDS = (("A", "dispute_category.csv"), ("C", "city_component.csv"), ("D", "city_event.csv"))


def state(code: str, language: str) -> str:
    """Returns the name of a case state."""
    return _one(_STATES, code, language)


def light(code: str, language: str) -> str:
    """Returns the name of a light, "" where no clock runs."""
    return _one({**_LIGHTS, "unspecified": ("", "")}, code, language)


def severity(code: str, language: str) -> str:
    """Returns the name of a severity."""
    return _one(_SEVERITIES, code, language)


def department(code: str, language: str) -> str:
    """Returns the name of a department (department.csv)."""
    return _one(_departments(), code, language)


def source(code: str, language: str) -> str:
    """Returns the name of the way a case came in (event_source.csv)."""
    return _one(_sources(), code, language)


def category(code: str, language: str) -> str:
    """Returns the name of a kind of case, of its letter where the tables do not know more."""
    return _one(_categories(), code if code in _categories() else code[:1], language)


def _one(names: dict[str, tuple[str, str]], code: str, language: str) -> str:
    return names.get(code, (code, code))[language == "en"]


@cache
def _departments() -> dict[str, tuple[str, str]]:
    return _table("department.csv")


@cache
def _sources() -> dict[str, tuple[str, str]]:
    return _table("event_source.csv")


@cache
def _categories() -> dict[str, tuple[str, str]]:
    found = _table("category.csv") | _table("grid_route.csv", column="category")
    for letter, name in _KINDS:
        found.update({letter + code: names for code, names in _table(name).items()})
    return found


def _table(name: str, *, column: str = "code") -> dict[str, tuple[str, str]]:
    with (resources.files("mediation") / "codes" / name).open(encoding="utf-8") as rows:
        return {row[column]: (row["zh"], row["en"] or row["zh"]) for row in csv.DictReader(rows)}

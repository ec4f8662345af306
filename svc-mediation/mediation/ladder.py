"""The escalation ladder and the limits of supervision, read from `codes/`: who answers for a case at which level, and for how long.

Levels and stay limits are those of case_level.csv; where a case starts follows from its event level (event_level.csv through
case_severity.csv) and, for disputes, from `start_level` of dispute_route.csv, whichever is higher. Pure.
"""

from __future__ import annotations

import csv
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from mediation import clocks, routing
from mediation.domain import Actor, CaseLevel, Limit, Severity

# Digits of the area code of each level: the grid (区 6, 街道 9, 社区 12, 网格 17), as in area_code_rule.yaml.
_DIGITS = {CaseLevel.L1: 17, CaseLevel.L2: 12, CaseLevel.L3: 9, CaseLevel.L4: 6, CaseLevel.L5: 4}
_CITY_DIGITS = 4
_ORDER = {level: number for number, level in enumerate(CaseLevel)}
# The mediator of the grid settles disputes beside the grid worker (grid_role.csv, 网格人民调解员).
_ALSO = {"GRID_MEDIATOR": CaseLevel.L1}


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One row of case_level.csv. `stay_days` are working days; `above` is None at the top."""

    level: CaseLevel
    role: str
    stay_days: int
    above: CaseLevel | None


class SupervisionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What supervision.yaml says."""

    start_level: dict[str, str]
    skips_levels: tuple[str, ...]
    reply: dict[str, str]
    reply_minutes: dict[str, int]
    extension_share: float
    raise_again: str


@cache
def start_level(category: str, severity: Severity) -> CaseLevel:
    """Returns the level at which a case of this kind begins. Raises UnknownCategory."""
    by_event = _level(limits().start_level[_event_level(severity)])
    return max(by_event, _of_dispute(routing.find(category).category), key=rank)


def may_skip(severity: Severity) -> bool:
    """Tells whether such a case may be lifted past a level (event levels 01 and 02)."""
    return _event_level(severity) in limits().skips_levels


def above(level: CaseLevel) -> CaseLevel | None:
    """Returns the next level; None at the top, and for a case older than the ladder."""
    return levels()[level].above if level in levels() else None


def role_of(level: CaseLevel) -> str:
    """Returns the role that answers for cases of a level."""
    return levels()[level].role


def area_of(level: CaseLevel, area_code: str) -> str:
    """Returns the area of a level in which `area_code` lies: its community, street, district or city."""
    return area_code[: _DIGITS[level]]


def rank(level: CaseLevel) -> int:
    """Returns the height of a level, 1 for the grid; 0 where there is none."""
    return _ORDER[level]


def rank_of(by: Actor) -> int:
    """Returns the height of the highest level somebody answers for, 0 for none.

    Dispatchers answer for the district, those whose area is a whole city (or more) for the city.
    """
    held = [each.level for each in levels().values() if each.role in by.roles]
    held += [level for role, level in _ALSO.items() if role in by.roles]
    if len(by.area) > _CITY_DIGITS:
        held = [level for level in held if level is not CaseLevel.L5]
    return max(map(rank, held), default=0)


def leaves_at(level: CaseLevel, severity: Severity, *, since: datetime, paused_minutes: float = 0) -> datetime | None:
    """Returns when a case that came to `level` at `since` climbs on; None at the top.

    Stay limits are working days that end at the close of the last; for S1 every hour counts (INDEX.md), and nothing pauses it.
    `paused_minutes` of working time in which nobody at the level could act are added.
    """
    limit = _stay(level, severity)
    if limit and paused_minutes and severity is not Severity.S1:
        limit = Limit(limit.minutes + round(paused_minutes), limit.calendar, limit.whole_days)
    return clocks.ends_at(limit, at=since) if limit else None


@cache
def _stay(level: CaseLevel, severity: Severity) -> Limit | None:
    if above(level) is None:
        return None
    return routing.parse_limit(f"{levels()[level].stay_days}{'cd' if severity is Severity.S1 else 'wd'}")


def reply_limit(severity: Severity, minutes: int = 0) -> Limit:
    """Returns the limit of the reply to an order: `minutes` where a supervisor set some, else that of the severity."""
    usual = routing.parse_limit(limits().reply[severity.upper()])
    if not minutes:
        return usual
    return Limit(minutes, usual.calendar, usual.whole_days and minutes % routing.WORKING_DAY_MINUTES == 0)


def raises_again_at(level: CaseLevel, severity: Severity, *, since: datetime) -> datetime | None:
    """Returns when an order that climbed to `level` at `since` climbs further unless a reply comes; None at the top."""
    if above(level) is None:
        return None
    limit = routing.parse_limit("24h" if severity is Severity.S1 else limits().raise_again)
    return clocks.ends_at(limit, at=since)


@cache
def limits() -> SupervisionLimits:
    """Returns supervision.yaml."""
    return msgspec.convert(yaml.safe_load(_text("supervision.yaml")), SupervisionLimits)


@cache
def levels() -> dict[CaseLevel, Level]:
    """Returns case_level.csv by level, lowest first."""
    return {_level(row["code"]): _row(row) for row in _rows("case_level.csv")}


def _row(row: dict[str, str]) -> Level:
    return Level(
        level=_level(row["code"]),
        role=row["handler"],
        stay_days=int(row["default_stay_wd"]),
        above=_level(row["escalate_to"]) if row["escalate_to"] else None,
    )


@cache
def _event_level(severity: Severity) -> str:
    known = {row["code"]: row["event_level_code"] for row in _rows("case_severity.csv")}
    return known[severity.upper()]


def _of_dispute(category: str) -> CaseLevel:
    """The start level of a dispute's row, its parent's where it has none; everything else starts at the grid."""
    known, code = _dispute_levels(), category[1:]
    return known.get(code) or known.get(code[:2]) or CaseLevel.L1 if category.startswith("A") else CaseLevel.L1


@cache
def _dispute_levels() -> dict[str, CaseLevel]:
    return {row["category"]: _level(row["start_level"]) for row in _rows("dispute_route.csv")}


def _level(code: str) -> CaseLevel:
    return CaseLevel(code.lower())


def _rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(table).splitlines()))


def _text(name: str) -> Any:
    return resources.files("mediation").joinpath(f"codes/{name}").read_text("utf-8")

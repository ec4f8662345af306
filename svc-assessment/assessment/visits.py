"""Planned visits (三必访三必看三必查): facts of each period of a plan, who was on duty, and figures counted from both. Pure.

Like a case ledger, a period is a function of the SET of facts known about it: they may come in any order, any number of times.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from assessment.policies import period_of
from svckit.errors import InvalidArgument

Fields = Mapping[str, Any]
Row = Mapping[str, Any]

AREA_LEVELS = (4, 6, 9, 12, 17)
"""Digits of city, district, street, community, grid (area_code_rule.yaml)."""
STREET_DIGITS = 9
ROSTERS_KEPT = 500
"""Rosters remembered of one area: more than it changes in ten years."""


class MadeVisit(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A visit that was made; `first` of its period counts."""

    at: dt.datetime
    by: str
    first: bool = False


class VisitPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """One period of one visit plan. `month` is that of its end, "" until the plan was heard of; `kept_by` made the visit that counts."""

    period_id: str
    plan_id: str
    rule: str
    area_code: str
    period_start: dt.datetime
    responsible_role: str = ""
    due_at: dt.datetime | None = None
    month: str = ""
    made: tuple[MadeVisit, ...] = ()
    missed: bool = False
    kept_by: str = ""
    revision: int = 0


class Duty(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Somebody holds a role (grid_role.csv)."""

    role: str
    subject: str


class Roster(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Who was on duty from a moment on."""

    at: dt.datetime
    duties: tuple[Duty, ...] = ()


class AreaRoster(msgspec.Struct, frozen=True, kw_only=True):
    """All rosters of one area, first to last."""

    area_code: str
    rosters: tuple[Roster, ...] = ()
    revision: int = 0


class AreaVisits(msgspec.Struct, frozen=True, kw_only=True):
    """Visits of one area by one rule, in periods."""

    area_code: str
    rule: str
    kept: int
    missed: int
    visits: int


class WorkerVisits(msgspec.Struct, frozen=True, kw_only=True):
    """Visits of one person, in periods; `subject` "" for what nobody was on duty for."""

    subject: str
    kept: int = 0
    missed: int = 0
    visits: int = 0


def period_id(fields: Fields) -> str:
    """Returns the id of the period an event of svc-population is about."""
    return f"{fields['plan_id']}@{int(fields['period_start'].timestamp() * 1000)}"


def take_visit(period: VisitPeriod | None, *, event_type: str, fields: Fields) -> tuple[VisitPeriod, tuple[()]]:
    """Returns the period that also knows this event, given as `svckit.event_codec.event_fields`; the same object when it knew it."""
    known = period or VisitPeriod(
        period_id=period_id(fields),
        plan_id=fields["plan_id"],
        rule=fields["rule"],
        area_code=fields["area_code"],
        period_start=fields["period_start"],
    )
    taken = _TAKEN[event_type](known, fields)
    return (period, ()) if period is not None and taken == period else (taken, ())


def _planned(period: VisitPeriod, fields: Fields) -> VisitPeriod:
    due_at = fields["due_at"]
    return replace(period, responsible_role=fields["responsible_role"], due_at=due_at, month=period_of(due_at))


def _made(period: VisitPeriod, fields: Fields) -> VisitPeriod:
    visit = MadeVisit(at=fields["at"], by=fields["by"], first=fields["first"])
    made = tuple(sorted({*period.made, visit}))
    kept_by = next((one.by for one in made if one.first), "")
    return replace(period, made=made, kept_by=kept_by, missed=period.missed and not kept_by)


def _missed(period: VisitPeriod, fields: Fields) -> VisitPeriod:
    # A visit that counts and a period without one exclude each other; what was seen weighs more than what was not.
    return replace(_planned(period, fields), missed=not period.kept_by)


_TAKEN: Mapping[str, Callable[[VisitPeriod, Fields], VisitPeriod]] = {
    "population.visit_planned.v1": _planned,
    "population.visit_made.v1": _made,
    "population.visit_missed.v1": _missed,
}


def take_roster(known: AreaRoster | None, *, fields: Fields) -> tuple[AreaRoster, tuple[()]]:
    """Returns the rosters of an area with the one `housing.area_changed.v1` tells of."""
    duties = tuple(sorted(Duty(role=duty["role"], subject=duty["subject"]) for duty in fields["roster"]))
    if known is None:
        known = AreaRoster(area_code=fields["area_code"])
    told = Roster(at=fields["at"], duties=() if fields["retired"] else duties)
    if told in known.rosters:
        return known, ()
    return replace(known, rosters=tuple(sorted({*known.rosters, told}))[-ROSTERS_KEPT:]), ()


def on_duty(known: AreaRoster | None, *, role: str, at: dt.datetime) -> tuple[str, ...]:
    """Returns who held a role in an area at a moment; who is not known to have taken it over held it from the beginning."""
    if known is None or not known.rosters:
        return ()
    before = [roster for roster in known.rosters if roster.at <= at]
    roster = before[-1] if before else known.rosters[0]
    return tuple(duty.subject for duty in roster.duties if duty.role == role)


def parts_of(prefix: str) -> int:
    """Returns the digits of the areas directly inside one."""
    return next((digits for digits in AREA_LEVELS if digits > len(prefix)), AREA_LEVELS[-1])


def check_street(prefix: str) -> None:
    """Raises InvalidArgument (AREA_TOO_LARGE): people are compared within a street, not across a city."""
    if len(prefix) < STREET_DIGITS:
        raise InvalidArgument("Name a street, a community or a grid.", reason="AREA_TOO_LARGE", field="area_prefix")


def worker_visits(made: Iterable[Row], missed: Iterable[Row], rosters: Mapping[str, AreaRoster]) -> tuple[WorkerVisits, ...]:
    """Returns the figures of everybody, by subject.

    `made` has rows of subject, kept, visits; `missed` of area_code, role, due_at, count; `rosters` those of the areas in `missed`.
    """
    found = {row["subject"]: WorkerVisits(subject=row["subject"], kept=row["kept"], visits=row["visits"]) for row in made}
    for row in missed:
        for subject in on_duty(rosters.get(row["area_code"]), role=row["role"], at=row["due_at"]) or ("",):
            present = found.get(subject) or WorkerVisits(subject=subject)
            found[subject] = replace(present, missed=present.missed + row["count"])
    return tuple(found[subject] for subject in sorted(found))

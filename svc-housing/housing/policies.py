"""The rules of housing: each `check_*` raises with a reason people understand."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from housing.codes import codes_of
from housing.domain import (
    Area,
    AreaDraft,
    AreaLevel,
    BuildingDraft,
    Findings,
    HouseCheck,
    HouseCheckOutcome,
    HouseCheckState,
    Polygon,
)
from housing.geometry import WrongSurface, surface_of
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

CITY_DIGITS = 4
# area_code_rule.yaml: 2 + 2 digits, then county 2, street 3, community 3, grid type 1 + sequence 4.
LEVEL_OF_LENGTH = {
    4: AreaLevel.CITY,
    6: AreaLevel.DISTRICT,
    9: AreaLevel.STREET,
    12: AreaLevel.COMMUNITY,
    17: AreaLevel.GRID,
}
_PARENT_LENGTH = {4: 0, 6: 4, 9: 6, 12: 9, 17: 12}
_PLAIN_CODE = re.compile(r"[1-9][0-9]*", re.ASCII)
GRID_CODE = re.compile(r"[1-9][0-9]{11}[123][0-9]{4}", re.ASCII)
_GRID_TYPE_DIGIT = 12

NO_HAZARD = "00"
OWNERSHIP_UNKNOWN = "99"
NOT_VERIFIED = "09"
_WITHOUT_HAZARDS = frozenset({HouseCheckOutcome.CLEAR, HouseCheckOutcome.NO_ENTRY})
_LET = frozenset({"02", "05"})  # rented, over-crowded letting
# Clocks of phones are not exact; what lies further ahead is a mistake.
CLOCK_TOLERANCE = timedelta(minutes=5)
# As long as svc-mediation waits for reports written offline: who could name an earlier time could beat every clock.
OFFLINE_ALLOWANCE = timedelta(days=7)

DEPARTMENT = "HOUSING"
CHECK_TRANSITIONS: dict[str, tuple[frozenset[HouseCheckState | None], HouseCheckState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "open": (frozenset({None}), HouseCheckState.OPEN),
    "complete": (frozenset({HouseCheckState.OPEN}), HouseCheckState.COMPLETED),
    "reopen": (frozenset({HouseCheckState.COMPLETED, HouseCheckState.CANCELLED}), HouseCheckState.OPEN),
    "cancel": (frozenset({HouseCheckState.OPEN}), HouseCheckState.CANCELLED),
}


class Actor(Protocol):
    """Who acts; `svckit.access.Caller` is one."""

    @property
    def subject(self) -> str:
        """Subject of the token."""

    @property
    def roles(self) -> frozenset[str]:
        """Codes of grid_role.csv, IMPORTER, SERVICE."""

    @property
    def area(self) -> str:
        """Prefix of the area codes the actor may act in; "" for everywhere."""

    @property
    def department(self) -> str:
        """Department the actor acts for, "" for none."""


class OutsideCity(NotFound):
    """No surface of the city holds the point."""

    default_reason = "OUTSIDE_CITY"

    def __init__(self, city: str) -> None:
        super().__init__("The point lies outside every known area of the city.", metadata={"city": city})


class CityNotMapped(NotFound):
    """The city has no surfaces, so that nothing can be said about a point."""

    default_reason = "CITY_NOT_MAPPED"

    def __init__(self, city: str) -> None:
        super().__init__("The areas of this city have no surfaces yet.", metadata={"city": city})


# ------------------------------------------------------------------------------------------------- areas


def level_of(area_code: str) -> AreaLevel:
    """Returns the level of a code. Raises InvalidArgument (AREA_CODE_INVALID) for anything else than 4, 6, 9, 12 or 17 digits."""
    level = LEVEL_OF_LENGTH.get(len(area_code))
    if level is None or not _PLAIN_CODE.fullmatch(area_code):
        raise InvalidArgument(
            "An area code has 4, 6, 9, 12 or 17 digits and does not start with 0.",
            reason="AREA_CODE_INVALID",
            field="area_code",
        )
    if level is AreaLevel.GRID and not GRID_CODE.fullmatch(area_code):
        raise InvalidArgument(
            "The 13th digit of a grid code is its type: 1 basic, 2 dedicated, 3 micro.",
            reason="AREA_CODE_INVALID",
            field="area_code",
        )
    return level


def parent_of(area_code: str) -> str:
    """Returns the code of the area above, "" for a city."""
    return area_code[: _PARENT_LENGTH[len(area_code)]]


def grid_type_of(area_code: str) -> str:
    """Returns the code of grid_type.csv that a grid code carries, "" for other levels."""
    return area_code[_GRID_TYPE_DIGIT : _GRID_TYPE_DIGIT + 1]


def check_area_draft(draft: AreaDraft) -> None:
    """Raises InvalidArgument for a wrong code, surface, class or role."""
    level = level_of(draft.area_code)
    if draft.grid_class and level is not AreaLevel.GRID:
        raise InvalidArgument("Only grids have a class.", reason="NOT_A_GRID", field="grid_class")
    check_codes((entry.role for entry in draft.roster), table="grid_role", field="roster.role")
    check_surface(draft.polygons)


def check_surface(polygons: tuple[Polygon, ...]) -> None:
    """Raises InvalidArgument (SURFACE_INVALID) for rings that cross themselves, are flat or too short."""
    try:
        surface_of(polygons)
    except WrongSurface as error:
        raise InvalidArgument(f"The surface cannot be used: {error}.", reason="SURFACE_INVALID", field="polygons") from error


def check_parent_known(area_code: str, known: Collection[str]) -> None:
    """Raises FailedPrecondition (PARENT_MISSING) unless the area above is among `known`; cities need none."""
    parent = parent_of(area_code)
    if parent and parent not in known:
        raise FailedPrecondition(
            f"The area {parent} above {area_code} does not exist.", reason="PARENT_MISSING", metadata={"parent_code": parent}
        )


def check_area_in_use(area: Area) -> None:
    """Raises FailedPrecondition (AREA_RETIRED): a retired code is never used again."""
    if area.retired_at:
        raise FailedPrecondition("This area is retired; its code is never used again.", reason="AREA_RETIRED")


# ------------------------------------------------------------------------------------------------- houses


def check_building_draft(draft: BuildingDraft) -> None:
    """Raises InvalidArgument for a wrong area or kind."""
    if level_of(draft.area_code) not in (AreaLevel.COMMUNITY, AreaLevel.GRID):
        raise InvalidArgument("A building stands in a community or a grid.", reason="AREA_CODE_INVALID", field="area_code")
    check_codes((draft.building_type,), table="building_type", field="building_type")


def check_house_codes(*, ownership: str, occupancy: str, rent_use: str, hazards: tuple[str, ...]) -> None:
    """Raises InvalidArgument for a code that no table has, or a rent use of a house that is not let."""
    check_codes((ownership,), table="ownership_type", field="ownership")
    check_codes((occupancy,), table="occupancy_status", field="occupancy")
    check_codes((rent_use,) if rent_use else (), table="rent_use", field="rent_use")
    check_codes(hazards, table="house_hazard", field="hazards")
    if rent_use and occupancy not in _LET:
        raise InvalidArgument("A house that is not let has no rent use.", reason="NOT_LET", field="rent_use")


def real_hazards(hazards: Iterable[str]) -> tuple[str, ...]:
    """Returns the hazards without the code that says there is none, sorted."""
    return tuple(sorted(code for code in hazards if code != NO_HAZARD))


def check_codes(codes: Iterable[str], *, table: str, field: str) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for the first code that the table does not have."""
    known = codes_of(table)
    for code in codes:
        if code not in known:
            raise InvalidArgument(f"{code!r} is not a code of {table}.", reason="CODE_UNKNOWN", field=field)


# ------------------------------------------------------------------------------------------------- house checks


def check_transition(check: HouseCheck, verb: str) -> HouseCheckState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE) when it cannot start from where the check stands."""
    sources, target = CHECK_TRANSITIONS[verb]
    if check.state not in sources:
        raise FailedPrecondition(
            f"A house check that is {check.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": check.state}
        )
    return target


def check_findings(findings: Findings) -> None:
    """Raises InvalidArgument for an unknown hazard, or an outcome that contradicts the hazards."""
    check_codes(findings.hazards, table="house_hazard", field="hazards")
    found = real_hazards(findings.hazards)
    if (found and findings.outcome in _WITHOUT_HAZARDS) or (not found and findings.outcome is HouseCheckOutcome.ORDERED):
        raise InvalidArgument("The hazards contradict the outcome.", reason="OUTCOME_CONTRADICTS_HAZARDS", field="hazards")


def check_department(by: Actor, department: str) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT): a caller with a department acts for that one only."""
    if by.department and by.department != department:
        raise PermissionDenied(
            "This belongs to another department.", reason="OTHER_DEPARTMENT", metadata={"department": department}
        )


def check_mask(fields: Collection[str], *, allowed: Collection[str]) -> None:
    """Raises InvalidArgument for an empty mask or a path that may not be changed."""
    wrong = sorted(set(fields) - set(allowed))
    if wrong or not fields:
        raise InvalidArgument(
            f"These fields can be changed: {', '.join(allowed)}.", reason="FIELD_NOT_CHANGEABLE", field="update_mask"
        )


def check_revision(seen: int, actual: int) -> None:
    """Raises FailedPrecondition (REVISION_CHANGED) unless `seen` is 0 or the present revision."""
    if seen not in (0, actual):
        raise FailedPrecondition(
            "It was changed meanwhile; read it again.", reason="REVISION_CHANGED", metadata={"revision": str(actual)}
        )


def when(*, happened_at: datetime | None, opened_at: datetime, by: Actor, now: datetime) -> datetime:
    """Returns the time something counts as done: `happened_at` if given, never before it was asked for.

    An import may name any past time, others one of the last 7 days. Raises InvalidArgument (IN_THE_FUTURE, TOO_OLD).
    """
    if happened_at is None:
        return now
    if happened_at > now + CLOCK_TOLERANCE:
        raise InvalidArgument("It cannot have happened in the future.", reason="IN_THE_FUTURE", field="happened_at")
    if happened_at < now - OFFLINE_ALLOWANCE and "IMPORTER" not in by.roles:
        raise InvalidArgument("This may be at most 7 days ago.", reason="TOO_OLD", field="happened_at")
    return max(opened_at, min(happened_at, now))

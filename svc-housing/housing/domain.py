"""Areas, buildings, houses and house checks: what they are. Pure data; no rule and no I/O.

Field names are those of `binglian.housing.v1`, enum values the short names of its enums. Times are aware UTC datetimes of
millisecond precision.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class AreaLevel(StrEnum):
    """Level of an area, from the largest to the smallest."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


class GridClass(StrEnum):
    """Workload class of a grid."""

    A = "a"
    B = "b"
    C = "c"


class HouseUse(StrEnum):
    """What a house is used for."""

    DWELLING = "dwelling"
    SHOP = "shop"
    OFFICE = "office"
    STORAGE = "storage"
    WORKSHOP = "workshop"
    OTHER = "other"


class HouseCheckState(StrEnum):
    """Where a house check stands."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class HouseCheckOutcome(StrEnum):
    """What a house check found."""

    CLEAR = "clear"
    FIXED = "fixed"
    ORDERED = "ordered"
    NO_ENTRY = "no_entry"


class Point(msgspec.Struct, frozen=True):
    """A place, WGS 84, degrees."""

    longitude: float = 0.0
    latitude: float = 0.0


class Ring(msgspec.Struct, frozen=True):
    """A closed line; the last point may repeat the first."""

    points: tuple[Point, ...] = ()


class Polygon(msgspec.Struct, frozen=True):
    """An outline and the holes in it."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


class RosterEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A person on duty in an area; `role` is a code of grid_role.csv."""

    role: str
    subject: str
    name: str = ""


class AreaDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to create or replace an area."""

    area_code: str
    name: str
    polygons: tuple[Polygon, ...] = ()
    grid_class: GridClass | None = None
    roster: tuple[RosterEntry, ...] = ()
    external_id: str = ""


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the area tree; everything below `name` that is not known is empty."""

    area_code: str
    level: AreaLevel
    name: str
    parent_code: str
    city: str
    created_at: datetime
    changed_at: datetime
    polygons: tuple[Polygon, ...] = ()
    center: Point | None = None
    grid_type: str = ""
    grid_class: GridClass | None = None
    roster: tuple[RosterEntry, ...] = ()
    external_id: str = ""
    retired_at: datetime | None = None
    revision: int = 0


class BuildingDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to create a building."""

    area_code: str
    name: str
    building_type: str
    address: str = ""
    floors: int = 0
    units: int = 0
    point: Point | None = None
    lift: bool | None = None


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """A building; `building_type` is a code of building_type.csv, `lift` None: not known."""

    building_id: str
    city: str
    area_code: str
    name: str
    building_type: str
    created_at: datetime
    changed_at: datetime
    address: str = ""
    floors: int = 0
    units: int = 0
    point: Point | None = None
    lift: bool | None = None
    revision: int = 0


class HouseDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to create a house."""

    building_id: str
    number: str
    unit: str = ""
    floor: int = 0
    use: HouseUse | None = None
    ownership: str = ""
    occupancy: str = ""
    rent_use: str = ""
    hazards: tuple[str, ...] = ()
    floor_area: float = 0.0


class House(msgspec.Struct, frozen=True, kw_only=True):
    """One dwelling or shop. Codes: ownership_type.csv, occupancy_status.csv, rent_use.csv, house_hazard.csv (without 00)."""

    house_id: str
    city: str
    area_code: str
    building_id: str
    unit: str
    number: str
    floor: int
    use: HouseUse | None
    ownership: str
    occupancy: str
    rent_use: str
    hazards: tuple[str, ...]
    floor_area: float
    created_at: datetime
    changed_at: datetime
    checked_at: datetime | None = None
    revision: int = 0


class TaskRef(msgspec.Struct, frozen=True, kw_only=True):
    """One department's task of one case."""

    case_id: str
    task_id: str
    case_number: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph or file; the bytes lie elsewhere."""

    uri: str
    sha256: str = ""
    taken_at: datetime | None = None
    point: Point | None = None


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the housing department that can start, as mediation told it."""

    task: TaskRef
    department: str
    category: str
    city: str
    area_code: str
    description: str = ""
    instruction: str = ""
    point: Point | None = None
    address: str = ""
    due_at: datetime | None = None


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person found in a house check; `hazards` are codes of house_hazard.csv."""

    outcome: HouseCheckOutcome
    result: str
    hazards: tuple[str, ...] = ()
    house_id: str = ""
    evidence: tuple[Attachment, ...] = ()
    unified_reply: str = ""


class HouseCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What the housing department does with a task; its id is the id of the task."""

    check_id: str
    city: str
    state: HouseCheckState
    task: TaskRef
    department: str
    category: str
    area_code: str
    opened_at: datetime
    changed_at: datetime
    description: str = ""
    instruction: str = ""
    point: Point | None = None
    address: str = ""
    due_at: datetime | None = None
    outcome: HouseCheckOutcome | None = None
    result: str = ""
    house_id: str = ""
    hazards: tuple[str, ...] = ()
    evidence: tuple[Attachment, ...] = ()
    completed_at: datetime | None = None
    completed_by: str = ""
    return_reason: str = ""
    returns: int = 0
    revision: int = 0


class CaseLocation(msgspec.Struct, frozen=True, kw_only=True):
    """The area found for a case that was reported without one; its id is the id of the case."""

    case_id: str
    city: str
    area_code: str
    point: Point
    located_at: datetime
    revision: int = 0


# ------------------------------------------------------------------------------------------------- events


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A person on duty in an area, without the name."""

    role: str
    subject: str


class AreaChanged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An area was created, changed or retired; `roster` is who is on duty there now."""

    area_code: str
    level: AreaLevel
    name: str
    parent_code: str
    city: str
    at: datetime
    grid_class: GridClass | None = None
    retired: bool = False
    roster: tuple[Duty, ...] = ()


class HouseRegistered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A house was entered; `floor` 0: not known."""

    house_id: str
    building_id: str
    area_code: str
    use: HouseUse | None
    occupancy: str
    at: datetime
    floor: int = 0


class HouseChanged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is known of a house was changed; `floor` 0: not known."""

    house_id: str
    building_id: str
    area_code: str
    use: HouseUse | None
    occupancy: str
    at: datetime
    floor: int = 0


class BuildingChanged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A building was entered, or what is known of it was changed."""

    building_id: str
    area_code: str
    floors: int
    at: datetime
    lift: bool | None = None
    point: Point | None = None


class CaseLocated(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The area of a case was found."""

    case_id: str
    area_code: str
    at: datetime


class HouseCheckOpened(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The housing department has accepted its task."""

    task: TaskRef
    department: str
    by: str
    at: datetime
    check_id: str
    area_code: str


class HouseCheckCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The housing department has done its task."""

    task: TaskRef
    department: str
    result: str
    by: str
    at: datetime
    evidence: tuple[Attachment, ...]
    unified_reply: str
    check_id: str
    area_code: str
    outcome: HouseCheckOutcome
    hazards: tuple[str, ...] = ()
    house_id: str = ""

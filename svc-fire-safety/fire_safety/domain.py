"""Places, inspections and the facts about them. No I/O; field names are those of the proto and of the stored document."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Protocol

import msgspec

DEPARTMENT = "FIRE"
"""Department whose tasks become inspections (code of department.csv)."""

SERVICE = "fire_safety"
"""Who acts when nobody does: the worker."""


class InspectionState(enum.StrEnum):
    """Where an inspection stands."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Answer(enum.StrEnum):
    """Answer to an item of a checklist."""

    PASS = "pass"  # noqa: S105 - an answer, not a secret
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


class HazardStatus(enum.StrEnum):
    """The codes of hazard_status.csv that an inspection gives."""

    FIXED_ON_SPOT = "R1"
    TO_BE_FIXED = "R2"
    HANDED_TO_FIRE_AUTHORITY = "R6"


class Actor(Protocol):
    """Who acts: the caller of an rpc."""

    @property
    def subject(self) -> str:
        """Subject of the token."""

    @property
    def roles(self) -> frozenset[str]:
        """Codes of grid_role.csv."""

    @property
    def department(self) -> str:
        """Code of department.csv, "" for none."""


class Point(msgspec.Struct, frozen=True):
    """WGS 84 degrees. Longitude first: that is how the database reads it."""

    longitude: float = 0.0
    latitude: float = 0.0


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """Reference to a file that proves something."""

    uri: str
    sha256: str = ""
    taken_at: dt.datetime | None = None
    point: Point | None = None


class TaskRef(msgspec.Struct, frozen=True, kw_only=True):
    """Names a department's task of a case."""

    case_id: str
    task_id: str
    case_number: str = ""


class PlaceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A place as it is registered."""

    place_type: str
    name: str
    area_code: str
    address: str = ""
    point: Point | None = None
    building_id: str = ""
    responsible_name: str = ""
    responsible_phone: str = ""
    external_id: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place whose fire safety is looked after."""

    place_id: str
    place_type: str
    name: str
    city: str
    area_code: str
    created_at: dt.datetime
    changed_at: dt.datetime
    next_inspection_at: dt.datetime
    address: str = ""
    point: Point | None = None
    building_id: str = ""
    responsible_name: str = ""
    responsible_phone: str = ""
    external_id: str = ""
    last_inspection_id: str = ""
    last_inspected_at: dt.datetime | None = None
    item_score: float = 0.0
    revision: int = 0


class ChecklistItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a checklist as it stood when the inspection was opened, and its answer (None: not answered yet)."""

    code: str
    group: str
    zh: str
    en: str
    weight: int
    hazard_level: str
    fix_hours: int
    fix_on_spot_possible: bool
    veto: bool
    answer: Answer | None = None
    note: str = ""
    fixed_on_spot: bool = False
    evidence: tuple[Attachment, ...] = ()
    answered_at: dt.datetime | None = None
    answered_by: str = ""


class ItemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as an inspector gives it."""

    code: str
    answer: Answer
    note: str = ""
    fixed_on_spot: bool = False
    evidence: tuple[Attachment, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an inspection, as an inspector gives it; `happened_at` None means now."""

    result: str
    evidence: tuple[Attachment, ...] = ()
    answers: tuple[ItemAnswer, ...] = ()
    unified_reply: str = ""
    happened_at: dt.datetime | None = None


class Hazard(msgspec.Struct, frozen=True, kw_only=True):
    """A failed item above the level of advice, with the time by which it must be put right."""

    item_code: str
    level: str
    status: HazardStatus
    fix_hours: int
    due_at: dt.datetime
    note: str = ""


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the fire department that can start, as the case tells it, and the registered place at its spot ("" if none)."""

    task: TaskRef
    department: str
    city: str
    area_code: str
    asked_at: dt.datetime
    point: Point | None = None
    address: str = ""
    description: str = ""
    instruction: str = ""
    due_at: dt.datetime | None = None
    place_id: str = ""
    place_type: str = ""
    traceparent: str = ""


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection of a place, or of the spot a case names."""

    inspection_id: str
    state: InspectionState
    inspection_type: str
    city: str
    area_code: str
    items: tuple[ChecklistItem, ...]
    opened_at: dt.datetime
    opened_by: str
    changed_at: dt.datetime
    task: TaskRef | None = None
    asked_at: dt.datetime | None = None
    department: str = ""
    place_id: str = ""
    place_type: str = ""
    point: Point | None = None
    address: str = ""
    description: str = ""
    instruction: str = ""
    due_at: dt.datetime | None = None
    hazards: tuple[Hazard, ...] = ()
    result: str = ""
    evidence: tuple[Attachment, ...] = ()
    unified_reply: str = ""
    completed_at: dt.datetime | None = None
    completed_by: str = ""
    item_score: float = 0.0
    veto: bool = False
    traceparent: str = ""
    revision: int = 0


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the workflow table. `source` None: the inspection does not exist yet."""

    source: InspectionState | None
    target: InspectionState
    verb: str
    by: str
    event: str = ""


_INSPECTOR = "the task's department, or the role of the inspection type"

TRANSITIONS = (
    Transition(source=None, target=InspectionState.OPEN, verb="open_for_task", by="worker", event="InspectionOpened"),
    Transition(source=None, target=InspectionState.OPEN, verb="open_for_place", by=_INSPECTOR, event="InspectionOpened"),
    Transition(source=InspectionState.OPEN, target=InspectionState.OPEN, verb="record_items", by=_INSPECTOR),
    Transition(source=InspectionState.OPEN, target=InspectionState.OPEN, verb="locate_inspection", by="worker"),
    Transition(
        source=InspectionState.OPEN,
        target=InspectionState.COMPLETED,
        verb="complete_inspection",
        by=_INSPECTOR,
        event="InspectionCompleted",
    ),
    Transition(
        source=InspectionState.OPEN,
        target=InspectionState.CANCELLED,
        verb="cancel_inspection",
        by="worker",
        event="InspectionCancelled",
    ),
)


class PlaceCreated(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place was registered."""

    place_id: str
    place_type: str
    city: str
    area_code: str
    at: dt.datetime


class InspectionOpened(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An inspection was opened; with a task, the department has accepted it."""

    inspection_id: str
    inspection_type: str
    area_code: str
    by: str
    at: dt.datetime
    task: TaskRef | None = None
    department: str = ""
    place_id: str = ""


class InspectionCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An inspection was completed; with a task, the department has done it."""

    inspection_id: str
    inspection_type: str
    area_code: str
    result: str
    by: str
    at: dt.datetime
    task: TaskRef | None = None
    department: str = ""
    evidence: tuple[Attachment, ...] = ()
    place_id: str = ""
    hazards: tuple[Hazard, ...] = ()
    item_score: float = 0.0
    veto: bool = False
    unified_reply: str = ""


class InspectionCancelled(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An inspection was cancelled: its task is no longer the department's, or was done without it."""

    inspection_id: str
    task: TaskRef
    department: str
    at: dt.datetime


Event = PlaceCreated | InspectionOpened | InspectionCompleted | InspectionCancelled

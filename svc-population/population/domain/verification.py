"""Orders to go and check."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class VerificationState(StrEnum):
    """Where a verification order stands."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class VerificationOutcome(StrEnum):
    """What the grid worker found."""

    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    NOT_FOUND = "not_found"
    DECLINED = "declined"


class Point(msgspec.Struct, frozen=True):
    """A place, WGS 84, degrees."""

    longitude: float = 0.0
    latitude: float = 0.0


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
    """A task that can start and asks for a verification, as mediation told it."""

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
    """What a person found when going and checking."""

    outcome: VerificationOutcome
    result: str
    resident_id: str = ""
    evidence: tuple[Attachment, ...] = ()
    unified_reply: str = ""


class VerificationOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to go and check; its id is the id of the task it answers."""

    order_id: str
    city: str
    state: VerificationState
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
    outcome: VerificationOutcome | None = None
    result: str = ""
    resident_id: str = ""
    evidence: tuple[Attachment, ...] = ()
    completed_at: datetime | None = None
    completed_by: str = ""
    return_reason: str = ""
    returns: int = 0
    revision: int = 0

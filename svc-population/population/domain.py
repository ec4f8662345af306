"""Residents, households and verification orders: what they are. Pure data; no rule and no I/O.

Field names are those of `binglian.population.v1`, enum values the short names of its enums. Times are aware UTC datetimes of
millisecond precision, days are texts YYYY-MM-DD. There is no field for anything restricted_category.csv excludes, and none may
be added; a test compares the fields with the list that is allowed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Tenure(StrEnum):
    """How a person lives in a house."""

    OWNER = "owner"
    FAMILY = "family"
    TENANT = "tenant"
    OTHER = "other"


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


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """A value as it is stored: `cipher` can be opened with the field key only, `index` is equal for equal values."""

    cipher: bytes
    index: bytes


class ResidenceDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to start a residence."""

    house_id: str
    area_code: str = ""
    tenure: Tenure | None = None
    since: str = ""


class Residence(msgspec.Struct, frozen=True, kw_only=True):
    """The relation between a person and a house from one day to another; `until` is empty while it lasts."""

    residence_id: str
    house_id: str
    area_code: str
    since: str
    tenure: Tenure | None = None
    until: str = ""


class ResidentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to enter a resident, in clear text."""

    area_code: str
    name: str
    sex: str = ""
    birth_date: str = ""
    id_doc_type: str = ""
    id_number: str = ""
    phone: str = ""
    resident_type: str = ""
    household_id: str = ""
    household_relation: str = ""
    residence: ResidenceDraft | None = None


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """A person. Codes: sex.csv, id_doc_type.csv, resident_type.csv, household_relation.csv."""

    resident_id: str
    city: str
    area_code: str
    name: str
    sex: str
    birth_date: str
    id_doc_type: str
    resident_type: str
    created_at: datetime
    changed_at: datetime
    id_number: Secret | None = None
    phone: Secret | None = None
    household_id: str = ""
    household_relation: str = ""
    residences: tuple[Residence, ...] = ()
    revision: int = 0


class HouseholdDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to enter a household."""

    area_code: str
    house_id: str = ""
    match_flag: str = ""


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """People who live as a family; `match_flag` is a code of household_match_flag.csv."""

    household_id: str
    city: str
    area_code: str
    created_at: datetime
    changed_at: datetime
    house_id: str = ""
    match_flag: str = ""
    revision: int = 0


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


# ------------------------------------------------------------------------------------------------- events: ids and areas only


class ResidentRegistered(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A resident was entered."""

    resident_id: str
    area_code: str
    resident_type: str
    at: datetime


class ResidenceStarted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person began to live in a house."""

    resident_id: str
    residence_id: str
    house_id: str
    area_code: str
    at: datetime


class ResidenceEnded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person ceased to live in a house."""

    resident_id: str
    residence_id: str
    house_id: str
    area_code: str
    at: datetime


class VerificationOpened(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The department has accepted its task."""

    task: TaskRef
    department: str
    by: str
    at: datetime
    order_id: str
    area_code: str


class VerificationCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The department has done its task."""

    task: TaskRef
    department: str
    result: str
    by: str
    at: datetime
    evidence: tuple[Attachment, ...]
    unified_reply: str
    order_id: str
    area_code: str
    outcome: VerificationOutcome

"""What sources say about the fields of a person, what of it counts, and where they disagree. One ledger per resident."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from population.domain.secret import Secret
from population.domain.verification import Attachment

GRID = "GRID"
REGISTER = "REGISTER"


class FieldOutcome(StrEnum):
    """What became of a proposed value."""

    ACCEPTED = "accepted"
    TO_VERIFY = "to_verify"
    CONFLICT = "conflict"


class ConflictChoice(StrEnum):
    """Whose value stays."""

    KEEP = "keep"
    REPLACE = "replace"
    VERIFY = "verify"


class FieldSource(msgspec.Struct, frozen=True, kw_only=True):
    """A value and where it comes from; of sealed fields `value` is "" and `secret` holds it."""

    source: str
    at: datetime
    value: str = ""
    secret: Secret | None = None
    by: str = ""
    verified: bool = False
    refuted: bool = False
    evidence: tuple[Attachment, ...] = ()


class FieldConflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two edits that did not know of each other; `seen` is what the later editor had before the eyes."""

    present: FieldSource
    late: FieldSource
    noticed_at: datetime
    seen: str = ""
    seen_secret: Secret | None = None


class FieldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one field of one person."""

    field: str
    accepted: FieldSource
    observations: tuple[FieldSource, ...] = ()
    overridden: tuple[FieldSource, ...] = ()
    conflict: FieldConflict | None = None


class FieldCheck(msgspec.Struct, frozen=True, kw_only=True):
    """An order to go and look."""

    check_id: str
    fields: tuple[str, ...]
    sources: tuple[str, ...]
    opened_at: datetime
    due_at: datetime


class FieldLedger(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the fields of one person; `conflicts` counts the entries with one, `check_due_at` is that of the check.

    `check_aside` is the check that ended because the person is not here.
    """

    resident_id: str
    city: str
    area_code: str
    changed_at: datetime
    entries: tuple[FieldEntry, ...] = ()
    check: FieldCheck | None = None
    check_due_at: datetime | None = None
    check_aside: FieldCheck | None = None
    conflicts: int = 0
    revision: int = 0


class FieldEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed value in clear text, and what the editor saw."""

    field: str
    value: str = ""
    seen: str = ""


class FieldValue(msgspec.Struct, frozen=True, kw_only=True):
    """A value in clear text."""

    field: str
    value: str = ""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What the register has of a person, in clear text; `fixed` fields follow from the identity number and cannot be proposed."""

    resident_id: str
    city: str
    area_code: str
    changed_at: datetime
    values: dict[str, str]
    fixed: frozenset[str] = frozenset()


# ------------------------------------------------------------------------------------------------- events: names, no values


class FieldsAccepted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Values were accepted; the register follows."""

    resident_id: str
    area_code: str
    fields: tuple[str, ...]
    source: str
    by: str
    at: datetime
    verified: bool


class FieldCheckOpened(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Sources disagree."""

    check_id: str
    resident_id: str
    area_code: str
    fields: tuple[str, ...]
    sources: tuple[str, ...]
    due_at: datetime
    at: datetime


class FieldCheckCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody went and looked."""

    check_id: str
    resident_id: str
    area_code: str
    confirmed: int
    corrected: int
    declined: int
    by: str
    at: datetime
    on_time: bool


class FieldConflictFound(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Two edits contradict each other."""

    resident_id: str
    area_code: str
    field: str
    by: str
    at: datetime


class FieldConflictResolved(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A person decided."""

    resident_id: str
    area_code: str
    field: str
    choice: ConflictChoice
    by: str
    at: datetime

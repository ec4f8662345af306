"""Decisions about two entries that may be one person, and how alike they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from population.domain.secret import Secret


class MergeState(StrEnum):
    """Where a merge stands."""

    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    MERGED = "merged"
    UNDOING = "undoing"
    UNDONE = "undone"


class Agreement(StrEnum):
    """How a field of two entries compares."""

    SAME = "same"
    NEAR = "near"
    DIFFERENT = "different"
    MISSING = "missing"


class FieldScore(msgspec.Struct, frozen=True, kw_only=True):
    """What one field says about two entries being one person, in bits; `said` tells it in words (zh-CN)."""

    field: str
    agreement: Agreement
    bits: float
    said: str


class DuplicateScore(msgspec.Struct, frozen=True, kw_only=True):
    """Why two entries may be one person. `probability` is 0 to 1."""

    fields: tuple[FieldScore, ...]
    prior_bits: float
    total_bits: float
    probability: float


class MergedFields(msgspec.Struct, frozen=True, kw_only=True):
    """The plain fields of an entry that a merge may change."""

    name: str
    name_latin: str
    sex: str
    birth_date: str
    id_doc_type: str
    resident_type: str
    household_id: str
    household_relation: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about two entries, and what it changed in the one that goes on, so that it can be taken back.

    `phone_before` is sealed for the merge itself. `document_ids` and `residence_ids` are those that came from the merged entry,
    `primary_taken` tells that its first document became the first of the survivor; the merged entry keeps it as `document_id`.
    """

    merge_id: str
    state: MergeState
    city: str
    area_code: str
    survivor_id: str
    absorbed_id: str
    by: str
    created_at: datetime
    changed_at: datetime
    take: tuple[str, ...] = ()
    reason: str = ""
    document_id: str = ""
    before: MergedFields | None = None
    after: MergedFields | None = None
    phone_before: Secret | None = None
    phone_taken: bool = False
    primary_taken: bool = False
    document_ids: tuple[str, ...] = ()
    residence_ids: tuple[str, ...] = ()
    undone_by: str = ""
    undo_reason: str = ""
    kept_fields: tuple[str, ...] = ()
    revision: int = 0

"""A record of who took data away (审计); `mediation.audit_store` keeps it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

# audit_event.csv, AE05: more rows than this are for two people to decide.
LARGE = 500


class AuditKind(StrEnum):
    """What was done (audit_event.csv AE05, AE13, AE15)."""

    EXPORT = "export"
    DOWNLOAD = "download"
    AUDIT_READ = "audit_read"


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who took what, when, for which purpose, by which query (JSON), and how many rows."""

    entry_id: str
    kind: AuditKind
    at: datetime
    by: str
    name: str
    roles: tuple[str, ...]
    department: str
    area_code: str
    purpose: str
    what: str
    query: str
    dispute_id: str = ""
    rows: int = 0
    complete: bool = False
    large: bool = False

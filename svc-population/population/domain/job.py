"""Long work on many records: imports, exports, cross-checks, feeds of departments; and the files they read and write."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class JobKind(StrEnum):
    """What a job does."""

    IMPORT = "import"
    EXPORT = "export"
    CROSS_CHECK = "cross_check"
    FEED = "feed"


class FeedKind(StrEnum):
    """What a department's file holds."""

    RECORDS = "records"
    LIFE_EVENTS = "life_events"


class ImportKind(StrEnum):
    """What the rows of an import are."""

    RESIDENTS = "residents"
    HOUSEHOLDS = "households"


class JobState(StrEnum):
    """Where a job stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    FINISHED = "finished"


class FileFormat(StrEnum):
    """Form of a file."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class JobSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows come from: an uploaded file by its id, or a file in the operator's folder by its name."""

    file_id: str = ""
    name: str = ""
    format: FileFormat | None = None


class ImportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an import does; `mapping` is JSON or YAML."""

    source: JobSource
    mapping: str
    dry_run: bool = False
    kind: ImportKind = ImportKind.RESIDENTS


class ExportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an export writes; masked unless `in_full`. With an `election_day` (YYYY-MM-DD) only who may vote on it."""

    fields: tuple[str, ...]
    format: FileFormat
    area_prefix: str = ""
    in_full: bool = False
    election_day: str = ""


class CrossCheckSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a cross-check compares, by a rule of match_rule.csv."""

    rule: str
    source: JobSource | None = None
    other: JobSource | None = None
    mapping: str = ""
    other_mapping: str = ""
    area_prefix: str = ""
    orders: bool = False


class FeedSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a department feeds by file; `mapping` is JSON or YAML."""

    kind: FeedKind
    source: JobSource
    mapping: str
    dry_run: bool = False


class JobCount(msgspec.Struct, frozen=True):
    """A count, for instance of rows read."""

    name: str
    value: int


class JobOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A file a job wrote; `size` in bytes."""

    file_id: str
    name: str
    rows: int
    size: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job; `department` and `starter` (the name) are those of who started it, "" for none.

    `checkpoint` is what its worker needs to go on where another stopped; nobody else reads it.
    """

    job_id: str
    kind: JobKind
    state: JobState
    city: str
    area_code: str
    purpose: str
    legal_basis: str
    started_by: str
    created_at: datetime
    changed_at: datetime
    approved_by: str = ""
    import_spec: ImportSpec | None = None
    export_spec: ExportSpec | None = None
    cross_check_spec: CrossCheckSpec | None = None
    feed_spec: FeedSpec | None = None
    department: str = ""
    starter: str = ""
    needs_approval: bool = False
    stage: str = ""
    done: int = 0
    total: int = 0
    counts: tuple[JobCount, ...] = ()
    outputs: tuple[JobOutput, ...] = ()
    failure_reason: str = ""
    failure: str = ""
    attempts: int = 0
    ended_at: datetime | None = None
    checkpoint: str = ""
    revision: int = 0


class JobFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of jobs; `size` in bytes, its bytes lie sealed in parts beside it."""

    file_id: str
    name: str
    area_code: str
    owner: str
    created_at: datetime
    changed_at: datetime
    expires_at: datetime
    size: int = 0
    complete: bool = False
    revision: int = 0

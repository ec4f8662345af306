"""What happened to verification orders, for others to hear."""

from __future__ import annotations

from datetime import datetime

import msgspec

from population.domain.verification import Attachment, TaskRef, VerificationOutcome


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

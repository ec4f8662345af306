"""Parts of a case that only some cases have: requests and rulings, suspension, merging, evaluation, notices, the workspace."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from mediation.domain.evidence import Attachment
from mediation.domain.states import LegalRoute


class Ruled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something asked for, and the coordinator's answer (`ruled_at` is None until then)."""

    at: datetime
    by: str
    reason: str
    approved: bool = False
    ruled_at: datetime | None = None
    ruled_by: str = ""
    ruling_reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody has ruled yet."""
        return self.ruled_at is None


class Exemption(Ruled, frozen=True, kw_only=True, omit_defaults=True):
    """The lead's proposal to let a joint department off (parallel_policy.yaml, exempt)."""


class Extension(Ruled, frozen=True, kw_only=True, omit_defaults=True):
    """A department's wish for more time: minutes of the calendar of its resolve clock; `due_at` is set by the approval."""

    minutes: int
    due_at: datetime | None = None


class Suspension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The one suspension (挂账) of a case; its work clocks stand still until `resumed_at`, at the latest `until`."""

    at: datetime
    by: str
    reason: str
    until: datetime
    resumed_at: datetime | None = None
    resumed_by: str = ""


class SelfHandling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the grid did about a case without any department (网格自行处置)."""

    by: str
    started_at: datetime
    result: str = ""
    done_at: datetime | None = None
    evidence: tuple[Attachment, ...] = ()


class WrittenNotice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the reporter is told in writing: why a case was refused, or where it goes and which remedies there are."""

    at: datetime
    by: str
    text: str
    route: LegalRoute = LegalRoute.UNSPECIFIED
    authority: str = ""
    remedies: tuple[str, ...] = ()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reporter's rating, 1 to 5; 0 when nobody rated in time and the system closed the question."""

    at: datetime
    by: str
    rating: int = 0
    comment: str = ""


class PartiesInformed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the parties of a parallel case were told the unified reply (parallel_policy.yaml, parallel_join_ok)."""

    at: datetime
    by: str
    way: str


class Follower(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The reporter of a case that was merged into this one, to be told whatever this one's reporter is told, until `left_at`.

    Who left is remembered, for messages about merging and unmerging may arrive in the wrong order.
    """

    case_id: str
    subject: str
    since: datetime
    left_at: datetime | None = None


class Merging(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Into which case this one was merged, and how that one stood when we last heard of it."""

    into: str
    number: str
    at: datetime
    by: str
    state: str = ""
    reply: str = ""


class EntryKind(StrEnum):
    """What an entry of the workspace is."""

    UNSPECIFIED = "unspecified"
    NOTE = "note"
    MINUTES = "minutes"
    EVIDENCE = "evidence"


class Visibility(StrEnum):
    """Who may read an entry of the workspace beside its author and the coordinators."""

    UNSPECIFIED = "unspecified"
    DEPARTMENTS = "departments"
    DEPARTMENT = "department"
    COORDINATORS = "coordinators"
    REPORTER = "reporter"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the shared workspace of a case (共享讨论、会议纪要、材料)."""

    entry_id: str
    kind: EntryKind
    at: datetime
    by: str
    text: str
    visibility: Visibility
    department: str = ""
    attachments: tuple[Attachment, ...] = ()


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the hash chain of a case stands: entries in all, the digest of the last, and how many oldest ones lie in the archive."""

    count: int = 0
    head: str = ""
    archived: int = 0

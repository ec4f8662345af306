"""The register of people's mediation committees: who may mediate, and for which committee (人民调解法 8 to 14)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class CommitteeKind(StrEnum):
    """Who set a committee up (art. 8, 34)."""

    UNSPECIFIED = "unspecified"
    COMMUNITY = "community"
    STREET = "street"
    ENTERPRISE = "enterprise"
    TRADE = "trade"


class CommitteePost(StrEnum):
    """What a member is in the committee (art. 8: one chair, deputies as needed)."""

    CHAIR = "chair"
    DEPUTY = "deputy"
    MEMBER = "member"


class EngagedMediator(msgspec.Struct, frozen=True, kw_only=True):
    """A mediator the committee engages beside its members (聘任, art. 13)."""

    subject: str
    name: str


class CommitteeMember(EngagedMediator, frozen=True, kw_only=True):
    """A member, who mediates as well; `sex` is a code of GB/T 2261.1."""

    sex: str
    post: CommitteePost


class CommitteeDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A committee as it is entered; `term_begins_on` is a day, "2026-01-01"."""

    code: str = ""
    name: str = ""
    kind: CommitteeKind = CommitteeKind.UNSPECIFIED
    area_code: str = ""
    phone: str = ""
    members: tuple[CommitteeMember, ...] = ()
    mediators: tuple[EngagedMediator, ...] = ()
    term_begins_on: str = ""

    @property
    def everybody(self) -> tuple[EngagedMediator, ...]:
        """All who mediate for it."""
        return (*self.members, *self.mediators)


class MediationCommittee(CommitteeDraft, frozen=True, kw_only=True):
    """A committee in the register. `people` are the subjects of all who mediate for it; `revision` belongs to the store."""

    committee_id: str
    created_at: datetime
    changed_at: datetime
    revision: int = 0
    term_ends_on: str = ""
    people: tuple[str, ...] = ()
    dissolved_at: datetime | None = None

    @property
    def chair(self) -> CommitteeMember:
        """Its chair."""
        return next(member for member in self.members if member.post is CommitteePost.CHAIR)

    def name_of(self, subject: str) -> str:
        """Returns the name of one of its people, "" for anybody else."""
        return next((each.name for each in self.everybody if each.subject == subject), "")

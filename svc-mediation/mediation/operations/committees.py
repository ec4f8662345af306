"""Verbs on the register of committees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import asdict, replace

from mediation.domain.committee import CommitteeDraft, MediationCommittee
from mediation.policies import committees as policies


def create_committee(*, draft: CommitteeDraft, committee_id: str, now: datetime) -> MediationCommittee:
    """Returns a committee as it enters the register. Raises as `policies.committees.check_committee`."""
    policies.check_committee(draft)
    entered = MediationCommittee(committee_id=committee_id, created_at=now, changed_at=now, **asdict(draft))
    return _derived(entered)


def update_committee(
    committee: MediationCommittee, *, draft: CommitteeDraft, fields: Iterable[str], revision: int, now: datetime
) -> MediationCommittee:
    """Returns the committee with the named fields of `draft`.

    Raises FailedPrecondition (COMMITTEE_DISSOLVED, STALE_REVISION), InvalidArgument (mask, and as `check_committee`).
    """
    policies.check_changeable(committee, revision=revision)
    changed = replace(committee, **{name: getattr(draft, name) for name in policies.known_fields(fields)})
    policies.check_committee(changed)
    return _derived(replace(changed, changed_at=now))


def dissolve_committee(committee: MediationCommittee, *, now: datetime) -> MediationCommittee:
    """Returns the committee off the register; dissolving again changes nothing."""
    return committee if committee.dissolved_at else replace(committee, dissolved_at=now, changed_at=now)


def _derived(committee: MediationCommittee) -> MediationCommittee:
    people = tuple(each.subject for each in committee.everybody)
    return replace(committee, people=people, term_ends_on=policies.term_end(committee.term_begins_on))

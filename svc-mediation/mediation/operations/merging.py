"""Duplicates: merging a report into another case, keeping its reporter informed, and taking it apart again.

Two cases are two documents. The merged one changes first and says so; the other one, which gains or loses followers, follows by that
fact, in whatever order and however often it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, policies
from mediation.domain import Actor, Case, CaseState, ClockKind, Follower, Merging
from mediation.domain.facts import CaseMerged, CaseUnmerged, Fact, MergedReporter
from mediation.operations import flow
from mediation.operations.flow import Outcome

# The decision to merge answers the report.
_ANSWERED = (ClockKind.ACCEPT, ClockKind.RESPOND)


def merge_case(case: Case, *, parent: Case, by: Actor, at: datetime, now: datetime, reason: str = "") -> Outcome:
    """Merges a reported case into `parent`, whose outcome is its outcome too.

    Raises WrongState, RoleNotAllowed, InvalidArgument (into), FailedPrecondition (PARENT_NOT_OPEN, PARENT_YOUNGER).
    """
    policies.check_case_move(case, "merge_case", by)
    policies.check_parent(case, parent)
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="merge_case",
        by=by,
        at=at,
        now=now,
        remark=f"{parent.number} {reason}".rstrip(),
        state=CaseState.MERGED,
        clocks=clocks.meet(case.clocks, *_ANSWERED, at=at),
        merging=Merging(into=parent.case_id, number=parent.number, at=at, by=by.subject, state=parent.state),
    )
    own = MergedReporter(case_id=case.case_id, subject=case.reporter.subject)
    brought = (MergedReporter(case_id=each.case_id, subject=each.subject) for each in _present(case))
    return changed, (CaseMerged(case_id=case.case_id, into=parent.case_id, reporters=(own, *brought), merged_at=at),)


def unmerge_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Lets a merged case stand for itself again, as reported; its clocks run on. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "unmerge_case", by)
    policies.check_text(reason, field="reason")
    if case.merging is None:
        raise AssertionError("a merged case knows into which")
    at = flow.moment(case, at)
    ticking = case.clocks
    for kind in _ANSWERED:
        ticking = clocks.reopen(ticking, kind, at=at)
    changed = flow.record(
        case,
        verb="unmerge_case",
        by=by,
        at=at,
        now=now,
        remark=reason,
        state=CaseState.REPORTED,
        clocks=ticking,
        merging=None,
    )
    ids = (case.case_id, *(each.case_id for each in _present(case)))
    fact = CaseUnmerged(case_id=case.case_id, parent=case.merging.into, case_ids=ids, reason=reason, unmerged_at=at)
    return changed, (fact,)


def take_in(case: Case, *, reporters: Sequence[MergedReporter], merged_at: datetime, by: Actor, now: datetime) -> Outcome:
    """Lets the reporters of merged cases follow this one. Those it knows, or who have left since, change nothing.

    A case that is merged itself passes them on to where it went.
    """
    known = {each.case_id: each for each in case.followers}
    fresh = [each for each in reporters if _is_news(known.get(each.case_id), merged_at)]
    if not fresh:
        return case, ()
    joined = {each.case_id: Follower(case_id=each.case_id, subject=each.subject, since=merged_at) for each in fresh}
    remark = ", ".join(joined)
    at = flow.moment(case, merged_at)
    followers = tuple((known | joined).values())
    changed = flow.record(case, verb="take_in", by=by, at=at, now=now, remark=remark, followers=followers)
    facts: tuple[Fact, ...] = ()
    if case.merging:
        into = case.merging.into
        facts = (CaseMerged(case_id=case.case_id, into=into, reporters=tuple(fresh), merged_at=merged_at),)
    return changed, facts


def let_go(case: Case, *, case_ids: Sequence[str], unmerged_at: datetime, by: Actor, now: datetime) -> Outcome:
    """Lets the reporters of cases that were merged by mistake follow this one no longer; passes it on where it is merged itself."""
    known = {each.case_id: each for each in case.followers}
    gone = {case_id: _left(known.get(case_id), case_id, unmerged_at) for case_id in case_ids}
    gone = {case_id: each for case_id, each in gone.items() if each != known.get(case_id)}
    if not gone:
        return case, ()
    at = flow.moment(case, unmerged_at)
    followers = tuple((known | gone).values())
    changed = flow.record(case, verb="let_go", by=by, at=at, now=now, remark=", ".join(gone), followers=followers)
    facts: tuple[Fact, ...] = ()
    if case.merging:
        into = case.merging.into
        fact = CaseUnmerged(case_id=case.case_id, parent=into, case_ids=tuple(gone), reason="", unmerged_at=unmerged_at)
        facts = (fact,)
    return changed, facts


def hear_of_parent(case: Case, *, state: CaseState, reply: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Shows a merged case's reporter how the other case stands now. No news changes nothing."""
    if case.merging is None or (case.merging.state, case.merging.reply) == (state, reply):
        return case, ()
    merging = replace(case.merging, state=state, reply=reply)
    at = flow.moment(case, at)
    return flow.record(case, verb="hear_of_parent", by=by, at=at, now=now, remark=state, merging=merging), ()


def _present(case: Case) -> list[Follower]:
    return [each for each in case.followers if each.left_at is None]


def _is_news(known: Follower | None, merged_at: datetime) -> bool:
    if known is None:
        return True
    return known.left_at is not None and max(known.since, known.left_at) < merged_at


def _left(known: Follower | None, case_id: str, unmerged_at: datetime) -> Follower:
    if known is None:
        return Follower(case_id=case_id, subject="", since=unmerged_at, left_at=unmerged_at)
    return known if known.since > unmerged_at or known.left_at else replace(known, left_at=unmerged_at)

"""The worker's part in the ways of a case: merged cases follow each other, and what ends by itself ends. Never reaches grpc.

Several workers may do the same at once: who loses the race finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from nameko.timer import timer

from mediation import operations
from mediation.archive import archive
from mediation.domain import Case, CaseState, ServiceActor
from mediation.domain.facts import MergedReporter
from mediation.operations import Outcome
from mediation.policies import CaseNotFound
from svckit.batch import BatchRepository, all_saved
from svckit.bus import Event, handles
from svckit.documents import Change, Decide, utc_now
from svckit.due import DueDocuments

_SYSTEM = ServiceActor(subject="system", department="")
# Cases merged into merged cases: each was merged into an older one, and nobody merges a thing twenty times.
_DEEPEST = 20


FOLLOWED = (
    "mediation.case_accepted.v1",
    "mediation.case_self_handled.v1",
    "mediation.case_dispatched.v1",
    "mediation.case_suspended.v1",
    "mediation.case_resumed.v1",
    "mediation.case_handled.v1",
    "mediation.case_verified.v1",
    "mediation.case_closed.v1",
    "mediation.case_rejected.v1",
    "mediation.case_withdrawn.v1",
    "mediation.case_transferred.v1",
    "mediation.case_reopened.v1",
)
"""After these the reporters of merged cases hear how the other case stands."""


class Following:
    """Handlers and timers of the rarer ways; `MediationWorker` is one."""

    cases: Any

    @handles("mediation.case_merged.v1")
    def follow_merged(self, events: list[Event]) -> None:
        """Lets the reporters of merged cases follow the other case, and tells them how that one stands."""
        facts = [(event, event.fields()) for event in events]
        all_saved(self.cases.apply([event.change(id=fact["into"], decide=_taking_in(fact)) for event, fact in facts]))
        tell_merged(self.cases, [(event, fact["into"]) for event, fact in facts])

    @handles("mediation.case_unmerged.v1")
    def unfollow_merged(self, events: list[Event]) -> None:
        """Lets the reporters of cases that were merged by mistake follow no longer."""
        facts = [(event, event.fields()) for event in events]
        all_saved(self.cases.apply([event.change(id=fact["parent"], decide=_letting_go(fact)) for event, fact in facts]))

    @timer(interval=1)
    def end_what_ends_by_itself(self) -> None:
        """Resumes cases whose suspension is over, and ends the time to evaluate; also what came due while no worker ran."""
        _endings_of(self.cases).work()

    @timer(interval=5)
    def archive_histories(self) -> None:
        """Moves the oldest steps of very long histories into the archive."""
        archive(self.cases)


def tell_merged(cases: Any, news: Sequence[tuple[Event, str]]) -> None:
    """Tells the reporters of cases merged into others how these stand now; `news` says why, and into which.

    Raises as `BatchRepository.apply`; repeating it changes nothing.
    """
    roots = _merged_into(cases.collection, [id for _, id in news])
    if not roots:
        return
    traces = {id: event.traceparent for event, id in news}
    asked = {"_id": {"$in": sorted(set(roots.values()))}}
    parents = {row["_id"]: row for row in cases.collection.find(asked, {"state": True, "unified_reply": True})}
    changes = [Change(child, _hearing(parents[root]), traceparent=traces[root]) for child, root in roots.items()]
    all_saved(cases.apply(changes))


@cache
def _endings_of(cases: BatchRepository[Case]) -> DueDocuments[Case]:
    return DueDocuments(cases, field="ends_by_itself_at", decide=_ending)


def _ending(now: datetime) -> Decide:
    def decide(case: Case | None) -> tuple[Case | None, tuple[Any, ...]]:
        return operations.end_by_itself(case, now=now) if case else (None, ())

    return decide


def _taking_in(fact: dict[str, Any]) -> Decide:
    reporters = tuple(MergedReporter(case_id=each["case_id"], subject=each["subject"]) for each in fact["reporters"])

    def decide(case: Case | None) -> Outcome:
        known = _known(case, fact["into"])
        return operations.take_in(known, reporters=reporters, merged_at=fact["merged_at"], by=_SYSTEM, now=utc_now())

    return decide


def _letting_go(fact: dict[str, Any]) -> Decide:
    def decide(case: Case | None) -> Outcome:
        known = _known(case, fact["parent"])
        ids = fact["case_ids"]
        return operations.let_go(known, case_ids=ids, unmerged_at=fact["unmerged_at"], by=_SYSTEM, now=utc_now())

    return decide


def _hearing(parent: dict[str, Any]) -> Decide:
    state, reply = CaseState(parent["state"]), parent.get("unified_reply", "")

    def decide(case: Case | None) -> tuple[Case | None, tuple[Any, ...]]:
        now = utc_now()
        return operations.hear_of_parent(case, state=state, reply=reply, by=_SYSTEM, at=now, now=now) if case else (None, ())

    return decide


def _merged_into(cases: Any, ids: Iterable[str]) -> dict[str, str]:
    """Returns, for every case merged into one of these or into a case merged into them, which of these that is."""
    found: dict[str, str] = {}
    roots = {id: id for id in ids}
    for _ in range(_DEEPEST):
        # The type is asked for so that the index of merged cases answers.
        asked = {"merging.into": {"$in": list(roots), "$type": "string"}}
        roots = {row["_id"]: roots[row["merging"]["into"]] for row in cases.find(asked, {"merging.into": True})}
        if not roots:
            break
        found |= roots
    return found


def _known(case: Case | None, case_id: str) -> Case:
    if case is None:
        raise CaseNotFound(f"Case {case_id} does not exist.")
    return case

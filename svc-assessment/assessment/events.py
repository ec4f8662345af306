"""The worker: takes every fact about cases into their ledgers, hundreds at a time. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from assessment import intake, operations
from assessment.domain import CaseLedger, Fact
from svckit.batch import all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change


class AssessmentWorker:
    """Handlers of events, a batch at a time."""

    name = "assessment"

    ledgers = Documents("ledgers", state_cls=CaseLedger, id_field="case_id")

    @handles(
        "mediation.case_reported.v1",
        "mediation.case_accepted.v1",
        "mediation.case_rejected.v1",
        "mediation.case_located.v1",
        "mediation.case_returned.v1",
        "mediation.case_resubmitted.v1",
        "mediation.case_merged.v1",
        "mediation.case_unmerged.v1",
        "mediation.case_self_handled.v1",
        "mediation.case_dispatched.v1",
        "mediation.case_recalled.v1",
        "mediation.case_suspended.v1",
        "mediation.case_resumed.v1",
        "mediation.case_handled.v1",
        "mediation.case_verified.v1",
        "mediation.case_closed.v1",
        "mediation.case_evaluated.v1",
        "mediation.case_reopened.v1",
        "mediation.case_withdrawn.v1",
        "mediation.case_transferred.v1",
        "mediation.case_escalated.v1",
        "mediation.task_assigned.v1",
        "mediation.task_accepted.v1",
        "mediation.task_progressed.v1",
        "mediation.task_completed.v1",
        "mediation.task_objected.v1",
        "mediation.objection_ruled.v1",
        "mediation.task_returned.v1",
        "mediation.task_removed.v1",
        "mediation.lead_changed.v1",
        "mediation.extension_ruled.v1",
        "mediation.light_turned.v1",
        "fire_safety.inspection_completed.v1",
        "mediation.supervision_issued.v1",
        "mediation.supervision_replied.v1",
        "mediation.supervision_extension_decided.v1",
        "mediation.supervision_reply_refused.v1",
        "mediation.supervision_reply_accepted.v1",
        "mediation.supervision_overdue.v1",
        "mediation.supervision_withdrawn.v1",
        "mediation.supervision_light_turned.v1",
    )
    def record(self, events: list[Event]) -> None:
        """Takes the facts of a batch: one load, one decision per case, one write."""
        all_saved(self.ledgers.apply([_change(news) for news in by_case(events)]))


class News(msgspec.Struct):
    """What a batch of events says about one case, and the trace of the last of them."""

    case_id: str
    facts: list[Fact]
    traceparent: str = ""


def by_case(events: Iterable[Event]) -> Sequence[News]:
    """Returns what the events say, case by case. Raises ValueError or KeyError for an event that cannot be read."""
    cases: dict[str, News] = {}
    for event in events:
        said = intake.facts_of(event_type=event.type, fields=event.fields(), event_time=event.time)
        if said is None:
            continue
        case_id, facts = said
        news = cases.setdefault(case_id, News(case_id, []))
        news.facts.extend(facts)
        news.traceparent = event.traceparent
    return list(cases.values())


def _change(news: News) -> Change:
    decide = partial(operations.take_facts, case_id=news.case_id, facts=news.facts)
    # Without a command: facts that are known already change nothing, so nothing has to be remembered.
    return Change(id=news.case_id, decide=decide, traceparent=news.traceparent)

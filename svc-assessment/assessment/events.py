"""The worker: takes every fact about cases into their ledgers, and those of visits into their periods. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from assessment import intake, operations
from assessment.domain import CaseLedger, Fact
from assessment.visits import AreaRoster, VisitPeriod, period_id, take_roster, take_visit
from svckit.batch import all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change


class AssessmentWorker:
    """Handlers of events, a batch at a time."""

    name = "assessment"

    ledgers = Documents("ledgers", state_cls=CaseLedger, id_field="case_id")
    periods = Documents("visit_periods", state_cls=VisitPeriod, id_field="period_id")
    rosters = Documents("rosters", state_cls=AreaRoster, id_field="area_code")

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

    @handles("population.visit_planned.v1", "population.visit_made.v1", "population.visit_missed.v1")
    def record_visits(self, events: list[Event]) -> None:
        """Takes what is told of visits into their periods."""
        all_saved(self.periods.apply([_visit(event) for event in events]))

    @handles("housing.area_changed.v1")
    def follow_rosters(self, events: list[Event]) -> None:
        """Remembers who is on duty where, and since when."""
        all_saved(self.rosters.apply([_roster(event) for event in events]))


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


def _visit(event: Event) -> Change:
    fields = event.fields()
    # Without a command, as above: a fact that is known already changes nothing.
    decide = partial(take_visit, event_type=event.type, fields=fields)
    return Change(id=period_id(fields), decide=decide, traceparent=event.traceparent)


def _roster(event: Event) -> Change:
    fields = event.fields()
    return Change(id=fields["area_code"], decide=partial(take_roster, fields=fields), traceparent=event.traceparent)

"""The worker: what other services say about tasks and places becomes verbs on cases, and a timer turns lights. Never reaches grpc."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from nameko.timer import timer

from mediation import operations
from mediation.domain import Attachment, Case, ServiceActor
from mediation.following import Following
from mediation.notifying import Notifying
from mediation.operations import Outcome
from mediation.policies import CaseNotFound
from mediation.reminding import Reminding
from mediation.supervising import Supervising
from mediation.texts import WordingKeeper
from svckit.batch import BatchRepository, all_saved
from svckit.bus import FOR_PEOPLE, Documents, Event, handles
from svckit.documents import Change, Decide, utc_now
from svckit.due import DueDocuments

_NATIVE = (datetime,)
# The departments of one case answer in the same moment: seconds to wait so that one write takes them together.
TOGETHER = 0.05


class MediationWorker(Supervising, Notifying, Reminding, Following):
    """Handlers of events, a batch at a time: all events of all cases in one save."""

    name = "mediation"
    retired = ("tell_merged",)

    cases = Documents("cases", state_cls=Case, id_field="case_id")

    @handles(
        "fire_safety.inspection_opened.v1",
        "housing.house_check_opened.v1",
        "population.verification_opened.v1",
        "fire_safety.inspection_completed.v1",
        "housing.house_check_completed.v1",
        "population.verification_completed.v1",
        gather=TOGETHER,
    )
    def answer_tasks(self, events: list[Event]) -> None:
        """Accepts tasks that a service has started on, completes those it has done. Others of its work concern no case."""
        answers = ((event, event.fields()) for event in events)
        all_saved(self.cases.apply([_answer(event, fields) for event, fields in answers if _case_id(fields)]))

    @handles("housing.case_located.v1")
    def locate_cases(self, events: list[Event]) -> None:
        """Gives cases that were taken without their grid the area housing found."""
        all_saved(self.cases.apply([_locating(event) for event in events]))

    @handles("mediation.case_reported.v1", "mediation.case_resubmitted.v1", "mediation.case_located.v1", gather=FOR_PEOPLE)
    def keep_wordings(self, events: list[Event]) -> None:
        """Writes down the words of cases, so that they are found by any part of them."""
        WordingKeeper(self.cases.collection).keep(sorted({event.subject for event in events}))

    @timer(interval=1)
    def turn_lights(self) -> None:
        """Turns every light whose time has come, also those that came while no worker ran: oldest first, once, whoever runs."""
        _lights_of(self.cases).work()


@cache
def _lights_of(cases: BatchRepository[Case]) -> DueDocuments[Case]:
    return DueDocuments(cases, field="next_light_at", decide=_turning)


def _turning(now: datetime) -> Decide:
    def decide(case: Case | None) -> tuple[Case | None, tuple[Any, ...]]:
        return operations.turn_lights(case, now=now) if case else (None, ())

    return decide


def _case_id(fields: dict[str, Any]) -> str:
    return str(fields.get("task", {}).get("case_id", ""))


def _answer(event: Event, fields: dict[str, Any]) -> Change:
    decide = _finishing(fields) if event.type.endswith("_completed.v1") else _taking_up(fields)
    return event.change(id=_case_id(fields), decide=decide)


def _taking_up(fields: dict[str, Any]) -> Decide:
    def decide(case: Case | None) -> Outcome:
        by, at, now = _who_and_when(fields)
        return operations.take_up_task(_known(case, fields), task_id=fields["task"]["task_id"], by=by, at=at, now=now)

    return decide


def _finishing(fields: dict[str, Any]) -> Decide:
    def decide(case: Case | None) -> Outcome:
        by, at, now = _who_and_when(fields)
        return operations.finish_task(
            _known(case, fields),
            task_id=fields["task"]["task_id"],
            result=fields["result"],
            evidence=msgspec.convert(fields["evidence"], tuple[Attachment, ...], builtin_types=_NATIVE),
            unified_reply=fields.get("unified_reply", ""),
            by=by,
            at=at,
            now=now,
        )

    return decide


def _locating(event: Event) -> Change:
    fields = event.fields()
    by = ServiceActor(subject="svc-housing", department="")

    def decide(case: Case | None) -> Outcome:
        now = utc_now()
        known = _known(case, {"task": fields})
        return operations.locate_case(known, area_code=fields["area_code"], by=by, at=fields.get("at", now), now=now)

    return event.change(id=fields["case_id"], decide=decide)


def _who_and_when(fields: dict[str, Any]) -> tuple[ServiceActor, datetime, datetime]:
    """A service acts for its department; clocks of machines differ, so what lies in the future happens now."""
    now = utc_now()
    actor = ServiceActor(subject=fields["by"], department=fields["department"])
    return actor, min(fields.get("at", now), now), now


def _known(case: Case | None, fields: dict[str, Any]) -> Case:
    if case is None:
        raise CaseNotFound(f"Case {fields['task']['case_id']} does not exist.")
    return case

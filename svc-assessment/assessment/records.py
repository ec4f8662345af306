"""Reckons what each department did from the facts about its task. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assessment import policies
from assessment.domain import Fact, FactKind, Light, Round, TaskRecord

Facts = Sequence[Fact]
ByKind = Mapping[FactKind, Facts]


def by_kind(facts: Facts) -> ByKind:
    """Returns the facts of each kind, in their order."""
    kinds: dict[FactKind, list[Fact]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, []).append(fact)
    return kinds


def by_task(facts: Facts) -> dict[str, list[Fact]]:
    """Returns the facts of the tasks that were dispatched; a fact about a task nobody has heard of yet waits for its dispatch."""
    known = {fact.task_id for fact in facts if fact.kind in (FactKind.TASK_PLANNED, FactKind.TASK_ASSIGNED)}
    tasks: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.task_id in known:
            tasks.setdefault(fact.task_id, []).append(fact)
    return tasks


def position(facts: Facts) -> Callable[[TaskRecord], tuple[Any, ...]]:
    """Returns the order of the tasks: the lead task first, then as dispatched."""
    places = {fact.task_id: fact.place for fact in facts if fact.kind is FactKind.TASK_PLANNED}
    return lambda task: (not task.lead, places.get(task.task_id, len(places)), task.task_id)


def record_of(facts: Facts, rounds: tuple[Round, ...], *, over_at: dt.datetime | None, kinds: ByKind) -> TaskRecord:
    """Returns the record of one task; `over_at` tells when the case ended (None: it goes on), `kinds` holds the facts of the case."""
    own = by_kind(facts)
    assigned = own.get(FactKind.TASK_ASSIGNED, ())
    # What was said last about the task counts: when another task is replaced, `after` names its successor.
    said = (assigned or own[FactKind.TASK_PLANNED])[-1]
    answers = _answers(own, rounds)
    done = [round_ for round_ in rounds if round_.done]
    return TaskRecord(
        task_id=said.task_id,
        department=said.department,
        lead=_leads(said, kinds.get(FactKind.LEAD_CHANGED, ())),
        after=said.after,
        due_at=_due_at(facts),
        assigned_at=assigned[0].at if assigned else None,
        progressed_at=first(own, FactKind.TASK_PROGRESSED),
        returns=len(own.get(FactKind.TASK_RETURNED, ())),
        objections=len(own.get(FactKind.TASK_OBJECTED, ())),
        objections_overruled=sum(not fact.yes for fact in own.get(FactKind.OBJECTION_RULED, ())),
        extensions=sum(fact.yes for fact in own.get(FactKind.TASK_EXTENDED, ())),
        removed=_is_removed(facts, kinds) or (over_at is not None and answers["done_at"] is None),
        light=Light.RED if _was_late(answers) else policies.worst_light(facts),
        waiting_minutes=sum(map(policies.waiting_minutes, done)),
        working_minutes=sum(map(policies.working_minutes, done)),
        suspended_minutes=sum(map(policies.suspended_minutes, done)),
        period=policies.period_of(assigned[0].at if assigned else None),
        hazards_found=sum(fact.count for fact in own.get(FactKind.HAZARDS_FOUND, ())),
        **answers,
    )


def first(kinds: ByKind, kind: FactKind) -> dt.datetime | None:
    """Returns when a thing happened first."""
    return min((fact.at for fact in kinds.get(kind, ())), default=None)


def last(kinds: ByKind, *wanted: FactKind) -> dt.datetime | None:
    """Returns when one of some things happened last."""
    return max((fact.at for kind in wanted for fact in kinds.get(kind, ())), default=None)


def _leads(said: Fact, changes: Facts) -> bool:
    """Whether the task leads: as dispatched, unless the lead was changed to it or away from it."""
    lead = said.lead
    for change in changes:
        lead = change.task_id == said.task_id or (lead and change.text != said.task_id)
    return lead


def _due_at(facts: Facts) -> dt.datetime | None:
    """What was said last of when it is due; a refused extension says nothing new."""
    telling = (FactKind.TASK_PLANNED, FactKind.TASK_ASSIGNED, FactKind.TASK_EXTENDED)
    said = [fact.due_at for fact in facts if fact.kind in telling and fact.due_at is not None]
    return said[-1] if said else None


def _is_removed(facts: Facts, kinds: ByKind) -> bool:
    """Whether the last word on who has the task took it away, or its case was taken back to be sent anew before it was done.

    After an upheld objection another task may stand in its stead.
    """
    words = [fact for fact in facts if fact.kind is FactKind.TASK_ASSIGNED or policies.takes_away(fact)]
    if words and words[-1].kind is not FactKind.TASK_ASSIGNED:
        return True
    told = max(fact.at for fact in facts if fact.kind in (FactKind.TASK_PLANNED, FactKind.TASK_ASSIGNED))
    done = any(fact.kind is FactKind.TASK_DONE for fact in facts)
    return not done and any(fact.at >= told for fact in kinds.get(FactKind.RECALLED, ()))


def _was_late(answers: Mapping[str, Any]) -> bool:
    """Whether a limit had passed when it was met: then the light was red, even if nobody was there to turn it."""
    accepted_late = answers["accepted_at"] is not None and not answers["accepted_on_time"]
    return accepted_late or (answers["done_at"] is not None and not answers["done_on_time"])


def _answers(kinds: ByKind, rounds: tuple[Round, ...]) -> dict[str, Any]:
    """When the task was accepted (first time) and done (last time, unless it is open again), and whether in time."""
    accepted = next(iter(kinds.get(FactKind.TASK_ACCEPTED, ())), None)
    done = next(reversed(kinds.get(FactKind.TASK_DONE, ())), None) if rounds and rounds[-1].done else None
    return {
        "accepted_at": accepted.at if accepted else None,
        "accepted_on_time": bool(accepted and accepted.yes),
        "done_at": done.at if done else None,
        "done_on_time": bool(done and done.yes),
    }

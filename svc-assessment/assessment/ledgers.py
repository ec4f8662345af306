"""Reckons the ledger of a case from its facts. Pure: the same set of facts gives the same ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from assessment import policies
from assessment.critical_path import Course, critical_path
from assessment.domain import CaseLedger, Fact, FactKind, Head, PathStep, Round, StepKind, TaskRecord

Facts = Sequence[Fact]
ByKind = Mapping[FactKind, Facts]


def ledger_of(*, case_id: str, facts: tuple[Fact, ...]) -> CaseLedger:
    """Returns the ledger for facts that `policies.union` has put in order."""
    kinds = _by_kind(facts)
    by_task = _by_task(facts)
    rounds = {task_id: policies.rounds_of(own) for task_id, own in by_task.items()}
    closed = FactKind.CLOSED in kinds
    records = (_record(own, rounds[task_id], closed=closed) for task_id, own in by_task.items())
    tasks = tuple(sorted(records, key=_position(facts)))
    ledger = CaseLedger(case_id=case_id, facts=facts, tasks=tasks, **_head(facts), **_instants(kinds))
    ledger = replace(
        ledger,
        scope=ledger.area_code or ledger.city,
        period=policies.period_of(ledger.reported_at),
        waiting_minutes=sum(task.waiting_minutes for task in tasks),
        working_minutes=sum(task.working_minutes for task in tasks),
    )
    return _with_path(ledger, kinds, _done_rounds(ledger, rounds))


# ---------------------------------------------------------------------------------------------------- the case


def _by_kind(facts: Facts) -> ByKind:
    kinds: dict[FactKind, list[Fact]] = {}
    for fact in facts:
        kinds.setdefault(fact.kind, []).append(fact)
    return kinds


def _head(facts: Facts) -> dict[str, Any]:
    """For each field of the head what was said last."""
    said: dict[str, Any] = {}
    for fact in facts:
        if fact.head is not None:
            said.update((name, value) for name in Head.__struct_fields__ if (value := getattr(fact.head, name)))
    return said


def _instants(kinds: ByKind) -> dict[str, Any]:
    return {
        "reported_at": _first(kinds, FactKind.REPORTED),
        "accepted_at": _first(kinds, FactKind.ACCEPTED),
        "dispatched_at": _first(kinds, FactKind.DISPATCHED),
        "handled_at": _handled_at(kinds),
        "verified_at": _last(kinds, FactKind.VERIFIED),
        "closed_at": _last(kinds, FactKind.CLOSED),
        "rejected_at": _last(kinds, FactKind.REJECTED),
    }


def _first(kinds: ByKind, kind: FactKind) -> dt.datetime | None:
    return min((fact.at for fact in kinds.get(kind, ())), default=None)


def _last(kinds: ByKind, kind: FactKind) -> dt.datetime | None:
    return max((fact.at for fact in kinds.get(kind, ())), default=None)


def _handled_at(kinds: ByKind) -> dt.datetime | None:
    """When it was handled last; None while a task that was sent back since then is open."""
    handled = _last(kinds, FactKind.HANDLED)
    returned = _last(kinds, FactKind.TASK_RETURNED)
    return None if handled and returned and returned > handled else handled


# ---------------------------------------------------------------------------------------------------- its tasks


def _by_task(facts: Facts) -> dict[str, list[Fact]]:
    """Facts of the tasks that were dispatched; a fact about a task nobody has heard of yet waits for its dispatch."""
    known = {fact.task_id for fact in facts if fact.kind in (FactKind.TASK_PLANNED, FactKind.TASK_ASSIGNED)}
    tasks: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.task_id in known:
            tasks.setdefault(fact.task_id, []).append(fact)
    return tasks


def _position(facts: Facts) -> Callable[[TaskRecord], tuple[Any, ...]]:
    places = {fact.task_id: fact.place for fact in facts if fact.kind is FactKind.TASK_PLANNED}
    return lambda task: (not task.lead, places.get(task.task_id, len(places)), task.task_id)


def _record(facts: Facts, rounds: tuple[Round, ...], *, closed: bool) -> TaskRecord:
    kinds = _by_kind(facts)
    assigned = kinds.get(FactKind.TASK_ASSIGNED, ())
    # What was said last about the task counts: when another task is replaced, `after` names its successor.
    said = (assigned or kinds[FactKind.TASK_PLANNED])[-1]
    answers = _answers(kinds, rounds)
    done = [round_ for round_ in rounds if round_.done]
    return TaskRecord(
        task_id=said.task_id,
        department=said.department,
        lead=said.lead,
        after=said.after,
        due_at=said.due_at,
        assigned_at=assigned[0].at if assigned else None,
        progressed_at=_first(kinds, FactKind.TASK_PROGRESSED),
        returns=len(kinds.get(FactKind.TASK_RETURNED, ())),
        objections=len(kinds.get(FactKind.TASK_OBJECTED, ())),
        objections_overruled=sum(not fact.yes for fact in kinds.get(FactKind.OBJECTION_RULED, ())),
        removed=_is_removed(facts) or (closed and answers["done_at"] is None),
        light=policies.worst_light(facts),
        waiting_minutes=sum(map(policies.waiting_minutes, done)),
        working_minutes=sum(map(policies.working_minutes, done)),
        period=policies.period_of(assigned[0].at if assigned else None),
        hazards_found=sum(fact.count for fact in kinds.get(FactKind.HAZARDS_FOUND, ())),
        **answers,
    )


def _is_removed(facts: Facts) -> bool:
    """Whether the last word on who has the task is an upheld objection: it is nobody's, or another task stands in its stead."""
    words = [
        fact for fact in facts if fact.kind is FactKind.TASK_ASSIGNED or (fact.kind is FactKind.OBJECTION_RULED and fact.yes)
    ]
    return bool(words) and words[-1].kind is FactKind.OBJECTION_RULED


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


# ---------------------------------------------------------------------------------------------------- what decided its time


def _done_rounds(ledger: CaseLedger, rounds: Mapping[str, tuple[Round, ...]]) -> tuple[Round, ...]:
    """Rounds that were done by the time the case was handled, of the tasks that were not removed."""
    kept = (round_ for task in ledger.tasks if not task.removed for round_ in rounds[task.task_id])
    return tuple(round_ for round_ in kept if _done_by(round_, ledger.handled_at))


def _done_by(round_: Round, instant: dt.datetime | None) -> bool:
    return round_.done and instant is not None and round_.ended_at is not None and round_.ended_at <= instant


def _with_path(ledger: CaseLedger, kinds: ByKind, rounds: tuple[Round, ...]) -> CaseLedger:
    if not (ledger.reported_at and ledger.dispatched_at and ledger.handled_at):
        return ledger
    course = Course(
        reported_at=ledger.reported_at,
        dispatched_at=ledger.dispatched_at,
        handled_at=ledger.handled_at,
        handled=tuple(fact.at for fact in kinds[FactKind.HANDLED]),
        rounds=rounds,
        after={task.task_id: task.after for task in ledger.tasks},
    )
    path = critical_path(course)
    on_path = {step.task_id for step in path if step.task_id}
    return replace(
        ledger,
        actual_minutes=policies.minutes_between(ledger.reported_at, ledger.handled_at),
        serial_minutes=serial_minutes(path=path, rounds=rounds),
        critical_path=path,
        tasks=tuple(replace(task, critical=task.task_id in on_path) for task in ledger.tasks),
        parallel=len({round_.department for round_ in rounds}) > 1,
    )


def serial_minutes(*, path: Iterable[PathStep], rounds: Iterable[Round]) -> float:
    """Returns the MODELLED minutes of the serial way; see CaseLedger.serial_minutes in the proto for the formula.

    serial = dispatch + Σ own time of every round of every task + coordination on the critical path.
    """
    shared = sum(step.minutes for step in path if step.kind is not StepKind.TASK)
    return shared + sum(policies.waiting_minutes(round_) + policies.working_minutes(round_) for round_ in rounds)

"""Reckons the ledger of a case from its facts. Pure: the same set of facts gives the same ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from assessment import policies
from assessment.critical_path import Course, critical_path, shares_of
from assessment.domain import CaseLedger, Fact, FactKind, Head, Light, PathStep, Round, Standstill, StepKind
from assessment.records import ByKind, by_kind, by_task, first, last, position, record_of
from assessment.self_handling import rounds_of_grid
from assessment.standstills import standstills_of, still_minutes
from assessment.supervision import orders_of

Facts = Sequence[Fact]


def ledger_of(*, case_id: str, facts: tuple[Fact, ...]) -> CaseLedger:
    """Returns the ledger for facts that `policies.union` has put in order."""
    kinds = by_kind(facts)
    standstills, still_since = standstills_of(facts)
    instants = _instants(kinds)
    told = by_task(facts)
    rounds = {task_id: policies.rounds_of(own, standstills) for task_id, own in told.items()}
    over_at = max(filter(None, (instants[name] for name in _ENDS)), default=None)
    records = (record_of(own, rounds[task_id], over_at=over_at, kinds=kinds) for task_id, own in told.items())
    tasks = tuple(sorted(records, key=position(facts)))
    ledger = CaseLedger(
        case_id=case_id, facts=facts, tasks=tasks, **_head(facts), **instants, **_climb(kinds), **_merged(kinds)
    )
    grid = rounds_of_grid(facts, standstills)
    ledger = replace(
        ledger,
        scope=ledger.area_code or ledger.city,
        period=policies.period_of(ledger.reported_at),
        light=max((policies.worst_light(facts), *(task.light for task in tasks)), key=list(Light).index),
        rating=max((fact.count for fact in kinds.get(FactKind.EVALUATED, ())), default=0),
        orders=orders_of(facts),
        suspended=still_since is not None and over_at is None,
        suspended_minutes=_stood_still(ledger, standstills),
        waiting_minutes=sum(task.waiting_minutes for task in tasks),
        working_minutes=sum(task.working_minutes for task in tasks) + sum(map(policies.working_minutes, grid)),
    )
    return _with_path(ledger, kinds, _done_rounds(ledger, rounds, grid), standstills)


_ENDS = ("closed_at", "withdrawn_at", "transferred_at", "rejected_at")


def _head(facts: Facts) -> dict[str, Any]:
    """For each field of the head what was said last."""
    said: dict[str, Any] = {}
    for fact in facts:
        if fact.head is not None:
            said.update((name, value) for name in Head.__struct_fields__ if (value := getattr(fact.head, name)))
    return said


def _instants(kinds: ByKind) -> dict[str, Any]:
    return {
        "reported_at": first(kinds, FactKind.REPORTED),
        "accepted_at": first(kinds, FactKind.ACCEPTED),
        "dispatched_at": _begun_at(kinds),
        "handled_at": _unless_undone(kinds, last(kinds, FactKind.HANDLED)),
        "verified_at": last(kinds, FactKind.VERIFIED),
        "closed_at": _standing(last(kinds, FactKind.CLOSED), last(kinds, FactKind.REOPENED)),
        "rejected_at": last(kinds, FactKind.REJECTED),
        "withdrawn_at": last(kinds, FactKind.WITHDRAWN),
        "transferred_at": last(kinds, FactKind.TRANSFERRED),
    }


def _begun_at(kinds: ByKind) -> dt.datetime | None:
    """When it was dispatched first, or the grid began to handle it itself."""
    begun = (first(kinds, kind) for kind in (FactKind.DISPATCHED, FactKind.SELF_HANDLED))
    return min(filter(None, begun), default=None)


def _unless_undone(kinds: ByKind, handled_at: dt.datetime | None) -> dt.datetime | None:
    """When it was handled last; None while work that was sent back, or a reopened case, is open since then."""
    failed = max((fact.at for fact in kinds.get(FactKind.VERIFIED, ()) if not fact.yes), default=None)
    return _standing(handled_at, last(kinds, FactKind.TASK_RETURNED, FactKind.REOPENED), failed)


def _standing(at: dt.datetime | None, *undone: dt.datetime | None) -> dt.datetime | None:
    """`at`, unless something undid it later."""
    return None if at and any(later and later > at for later in undone) else at


def _climb(kinds: ByKind) -> dict[str, Any]:
    """How often the case climbed, and the level that answers for it."""
    steps = kinds.get(FactKind.ESCALATED, ())
    return {"escalations": len(steps), "level": steps[-1].text if steps else ""}


def _merged(kinds: ByKind) -> dict[str, Any]:
    """Into which case it was merged, and when; nothing once it stands for itself again."""
    merged = kinds.get(FactKind.MERGED, ())
    at = _standing(last(kinds, FactKind.MERGED), last(kinds, FactKind.UNMERGED))
    return {"merged_at": at, "merged_into": merged[-1].text if at else ""}


def _stood_still(ledger: CaseLedger, standstills: Iterable[Standstill]) -> float:
    """Minutes it stood still until it was handled; while it is not, all that are over."""
    standstills = tuple(standstills)
    until = ledger.handled_at or max((one.until for one in standstills), default=None)
    return still_minutes(ledger.reported_at, until, standstills) if ledger.reported_at and until else 0.0


# ---------------------------------------------------------------------------------------------------- what decided its time


def _done_rounds(ledger: CaseLedger, rounds: Mapping[str, tuple[Round, ...]], grid: tuple[Round, ...]) -> tuple[Round, ...]:
    """Rounds that were done by the time the case was handled: of the tasks that were not removed, and the grid's own."""
    kept = [round_ for task in ledger.tasks if not task.removed for round_ in rounds[task.task_id]]
    return tuple(round_ for round_ in (*kept, *grid) if _done_by(round_, ledger.handled_at))


def _done_by(round_: Round, instant: dt.datetime | None) -> bool:
    return round_.done and instant is not None and round_.ended_at is not None and round_.ended_at <= instant


def _with_path(ledger: CaseLedger, kinds: ByKind, rounds: tuple[Round, ...], standstills: tuple[Standstill, ...]) -> CaseLedger:
    if not (ledger.reported_at and ledger.dispatched_at and ledger.handled_at):
        return ledger
    course = Course(
        reported_at=ledger.reported_at,
        dispatched_at=ledger.dispatched_at,
        handled_at=ledger.handled_at,
        handled=tuple(fact.at for fact in kinds[FactKind.HANDLED]),
        rounds=rounds,
        standstills=standstills,
        after={task.task_id: task.after for task in ledger.tasks},
    )
    path = critical_path(course)
    on_path = {step.task_id for step in path if step.task_id}
    return replace(
        ledger,
        actual_minutes=policies.minutes_between(ledger.reported_at, ledger.handled_at),
        serial_minutes=serial_minutes(path=path, rounds=rounds),
        critical_path=path,
        critical_shares=shares_of(path),
        tasks=tuple(replace(task, critical=task.task_id in on_path) for task in ledger.tasks),
        parallel=len({round_.department for round_ in rounds}) > 1,
    )


def serial_minutes(*, path: Iterable[PathStep], rounds: Iterable[Round]) -> float:
    """Returns the MODELLED minutes of the serial way; see CaseLedger.serial_minutes in the proto for the formula.

    serial = dispatch + Σ own time of every round of every task + coordination on the critical path + standstills, once.
    """
    shared = sum(step.suspended_minutes if step.kind is StepKind.TASK else step.minutes for step in path)
    return shared + sum(policies.waiting_minutes(round_) + policies.working_minutes(round_) for round_ in rounds)

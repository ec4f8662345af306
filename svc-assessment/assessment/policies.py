"""How a set of facts is kept, how rounds and lights are read from it, and in which month a thing counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from assessment.domain import CaseLedger, Fact, FactKind, Light, Round, Standstill
from assessment.standstills import moving_minutes, still_minutes

# China has had no daylight saving time since 1991; a fixed offset needs no time-zone database in the image.
SHANGHAI = dt.timezone(dt.timedelta(hours=8))

_MINUTE = dt.timedelta(minutes=1)
_ORDER = {kind: number for number, kind in enumerate(FactKind)}
_LIGHTS = {light: number for number, light in enumerate(Light)}
_content = msgspec.json.Encoder(order="deterministic").encode


# svc-mediation hides cases of suspected domestic violence (反家庭暴力法) from all but these; a test holds both services equal.
PROTECTED_CATEGORY = "A0105"
PROTECTED_READERS = frozenset({"GRID_POLICE", "GRID_SUPERVISOR", "DISPATCHER", "AUDITOR", "DPO", "IMPORTER", "SERVICE"})
PROTECTING_DEPARTMENTS = frozenset({"PSB"})


def category_hidden_from(*, roles: frozenset[str], department: str) -> str:
    """Returns the category whose cases somebody may not know of, "" for none."""
    sees = not roles.isdisjoint(PROTECTED_READERS) or department in PROTECTING_DEPARTMENTS
    return "" if sees else PROTECTED_CATEGORY


def is_hidden(ledger: CaseLedger, *, hidden: str, department: str) -> bool:
    """Tells whether a case of the category `hidden` ("" for none) is hidden; not from departments with a task in it not taken out."""
    works_on_it = bool(department) and any(task.department == department and not task.removed for task in ledger.tasks)
    return ledger.category == hidden != "" and not works_on_it


def period_of(instant: dt.datetime | None) -> str:
    """Returns the month of an instant in Asia/Shanghai, "2026-03"; "" for None."""
    if instant is None:
        return ""
    local = instant.astimezone(SHANGHAI)
    return f"{local.year:04d}-{local.month:02d}"


def month_of(period: str) -> tuple[dt.datetime, dt.datetime]:
    """Returns where the month "2026-03" of Asia/Shanghai begins and where the next one does."""
    start = dt.datetime.strptime(period, "%Y-%m").replace(tzinfo=SHANGHAI)
    return start, (start + dt.timedelta(days=31)).replace(day=1)


def minutes_between(start: dt.datetime, end: dt.datetime) -> float:
    """Returns the minutes from `start` to `end`, to the millisecond."""
    return (end - start) / _MINUTE


def union(known: Iterable[Fact], new: Iterable[Fact]) -> tuple[Fact, ...]:
    """Returns both sets of facts as one, in their one order: commutative, associative, idempotent.

    Of the lights of a task only the worst is kept.
    """
    facts = {*known, *new}
    worst: dict[str, Fact] = {}
    for fact in facts:
        if fact.kind is FactKind.LIGHT_TURNED and (fact.task_id not in worst or _worse(fact) < _worse(worst[fact.task_id])):
            worst[fact.task_id] = fact
    kept = (fact for fact in facts if fact.kind is not FactKind.LIGHT_TURNED or worst[fact.task_id] is fact)
    return tuple(sorted(kept, key=_in_order))


def _worse(fact: Fact) -> tuple[int, dt.datetime, int, bytes]:
    return (-_LIGHTS[Light(fact.text)], *_in_order(fact))


def _in_order(fact: Fact) -> tuple[dt.datetime, int, bytes]:
    return (fact.at, _ORDER[fact.kind], _content(fact))


def worst_light(facts: Iterable[Fact]) -> Light:
    """Returns the worst light among the facts of a task; green without any."""
    lights = [Light(fact.text) for fact in facts if fact.kind is FactKind.LIGHT_TURNED]
    return max(lights, key=_LIGHTS.__getitem__, default=Light.GREEN)


def rounds_of(facts: Sequence[Fact], standstills: tuple[Standstill, ...] = ()) -> tuple[Round, ...]:
    """Returns the rounds of one task from its facts in order, the open one (if any) last."""
    rounds: list[Round] = []
    current: Round | None = None
    for fact in facts:
        match fact.kind:
            case FactKind.TASK_ASSIGNED:
                current = _start(fact, rounds, current, standstills)
            case FactKind.TASK_RETURNED if current is None:
                current = replace(_round(fact, standstills), rework=True)
            case FactKind.TASK_ACCEPTED | FactKind.TASK_PROGRESSED if current and current.accepted_at is None:
                # Rework is taken up again by going on with it; nobody need accept it a second time.
                current = replace(current, accepted_at=fact.at)
            case FactKind.TASK_DONE if current:
                rounds.append(replace(current, ended_at=fact.at))
                current = None
            case FactKind.OBJECTION_RULED | FactKind.TASK_REMOVED if current and takes_away(fact):
                rounds.append(replace(current, ended_at=fact.at, handed_over=True))
                current = None
    return (*rounds, current) if current else tuple(rounds)


def takes_away(fact: Fact) -> bool:
    """Tells whether a fact takes a task from its department: an objection that was upheld, a removal."""
    return fact.kind is FactKind.TASK_REMOVED or (fact.kind is FactKind.OBJECTION_RULED and fact.yes)


def _round(fact: Fact, standstills: tuple[Standstill, ...]) -> Round:
    return Round(task_id=fact.task_id, department=fact.department, started_at=fact.at, standstills=standstills)


def _start(fact: Fact, rounds: list[Round], current: Round | None, standstills: tuple[Standstill, ...]) -> Round:
    if current is not None and current.department == fact.department:
        return current
    if current is not None:
        rounds.append(replace(current, ended_at=fact.at, handed_over=True))
    return _round(fact, standstills)


def waiting_minutes(round_: Round) -> float:
    """Minutes of an ended round before its acceptance, standstills apart; all of them if it was never accepted."""
    if round_.ended_at is None:
        return 0.0
    return moving_minutes(round_.started_at, min(round_.accepted_at or round_.ended_at, round_.ended_at), round_.standstills)


def working_minutes(round_: Round) -> float:
    """Minutes of an ended round from its acceptance on, standstills apart."""
    if round_.ended_at is None or round_.accepted_at is None:
        return 0.0
    return moving_minutes(max(round_.accepted_at, round_.started_at), round_.ended_at, round_.standstills)


def suspended_minutes(round_: Round) -> float:
    """Minutes of an ended round in which the case stood still."""
    if round_.ended_at is None:
        return 0.0
    return still_minutes(round_.started_at, round_.ended_at, round_.standstills)


def median_of(bins: Iterable[Mapping[str, Any]]) -> float:
    """Returns the median of values that were counted into bins (`bin`, `count`, `total`); 0 when there are none.

    The mean of the bin in which the middle lies stands for it: exact when its values are equal, else off by less than the bin is
    wide. Rows of one bin are put together; the bin None holds what has no value.
    """
    held: dict[int, tuple[int, float]] = {}
    for row in bins:
        if row["bin"] is not None:
            count, total = held.get(row["bin"], (0, 0.0))
            held[row["bin"]] = count + row["count"], total + row["total"]
    number = sum(count for count, _ in held.values())
    if not number:
        return 0.0
    # Of an even number the two in the middle count half each.
    return (_mean_at(held, (number - 1) // 2) + _mean_at(held, number // 2)) / 2


def _mean_at(held: Mapping[int, tuple[int, float]], rank: int) -> float:
    passed = 0
    for number in sorted(held):
        count, total = held[number]
        passed += count
        if rank < passed:
            return total / count
    raise IndexError(rank)

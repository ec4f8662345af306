"""A case the grid handles itself: no department gets a task, but its time is somebody's all the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from assessment.domain import Fact, FactKind, Round, Standstill

GRID = "GRID"
"""The grid, as department.csv names it."""


def rounds_of_grid(facts: Sequence[Fact], standstills: tuple[Standstill, ...]) -> tuple[Round, ...]:
    """Returns the rounds of the grid's own work, the open one (if any) last; () for a case that went to departments.

    It works from the moment it takes the case on; a failed check on site opens another round.
    """
    rounds: list[Round] = []
    current: Round | None = None
    mine = False
    for fact in facts:
        match fact.kind:
            case FactKind.SELF_HANDLED:
                mine, current = True, current or _round(fact, standstills)
            case FactKind.RECALLED | FactKind.DISPATCHED:
                mine, current = False, None
            case FactKind.HANDLED if current:
                rounds.append(replace(current, ended_at=fact.at))
                current = None
            case FactKind.VERIFIED if mine and not fact.yes and current is None:
                current = replace(_round(fact, standstills), rework=True)
    return (*rounds, current) if current else tuple(rounds)


def _round(fact: Fact, standstills: tuple[Standstill, ...]) -> Round:
    return Round(task_id="", department=GRID, started_at=fact.at, accepted_at=fact.at, standstills=standstills)

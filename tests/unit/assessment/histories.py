"""Histories of cases as svc-mediation tells them: lists of (event type, event time, fields)."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)

History = list[tuple[str, dt.datetime, dict[str, Any]]]


def minute(count: float) -> dt.datetime:
    """The instant `count` minutes after the report."""
    return START + dt.timedelta(minutes=count)


def reported(case_id: str = "case", **more: Any) -> tuple[str, dt.datetime, dict[str, Any]]:
    fields = {
        "case_id": case_id,
        "number": "420502-2026-000001",
        "city": "4205",
        "area_code": "420502001003",
        "category": "A0204",
        "severity": "s3",
        "reported_by": "worker",
        "reported_at": START,
        **more,
    }
    return "mediation.case_reported.v1", START, fields


def dispatched(at: float, tasks: list[dict[str, Any]], case_id: str = "case") -> tuple[str, dt.datetime, dict[str, Any]]:
    fields = {
        "case_id": case_id,
        "number": "420502-2026-000001",
        "city": "4205",
        "area_code": "420502001003",
        "category": "A0204",
        "severity": "s3",
        "description": "",
        "address": "",
        "dispatched_at": minute(at),
        "reported_at": START,
        "tasks": tasks,
        "join_policy": "all",
    }
    return "mediation.case_dispatched.v1", minute(at), fields


def planned(
    task_id: str, department: str, *, at: float | None, lead: bool = False, after: list[str] | None = None
) -> dict[str, Any]:
    """A task of a dispatch; `at` None: it waits for `after`."""
    task: dict[str, Any] = {
        "task_id": task_id,
        "department": department,
        "role": "lead" if lead else "joint",
        "after": after or [],
        "instruction": "",
        "due_at": minute(10_000),
    }
    if at is not None:
        task["assigned_at"] = minute(at)
    return task


def on_task(
    verb: str, task_id: str, department: str, at: float, *, case_id: str = "case", **more: Any
) -> tuple[str, dt.datetime, dict[str, Any]]:
    """An event about one task: verb "accepted", "progressed", "completed", "objected" or "returned"."""
    fields = {"case_id": case_id, "task_id": task_id, "department": department, f"{verb}_at": minute(at)}
    if verb in ("accepted", "completed"):
        fields["on_time"] = True
    return f"mediation.task_{verb}.v1", minute(at), {**fields, **more}


def assigned(
    task_id: str, department: str, at: float, *, after: list[str] | None = None, case_id: str = "case"
) -> tuple[str, dt.datetime, dict[str, Any]]:
    fields = {"case_id": case_id, "task": planned(task_id, department, at=at, after=after)}
    return "mediation.task_assigned.v1", minute(at), fields


def on_case(verb: str, at: float, *, case_id: str = "case", **more: Any) -> tuple[str, dt.datetime, dict[str, Any]]:
    """An event about the case: verb "accepted", "handled", "verified" or "closed"."""
    return f"mediation.case_{verb}.v1", minute(at), {"case_id": case_id, f"{verb}_at": minute(at), **more}


def ruled(task_id: str, department: str, *, upheld: bool, reassigned_to: str, at: float) -> Any:
    """The ruling on an objection; upheld with a department: another task stands in its stead."""
    fields = {
        "case_id": "case",
        "task_id": task_id,
        "department": department,
        "upheld": upheld,
        "reassigned_to": reassigned_to,
        "ruled_at": minute(at),
    }
    return "mediation.objection_ruled.v1", minute(at), fields


def random_history(seed: int) -> History:
    """A whole life of a case with up to six tasks, some waiting for others, some sent back, perhaps one handed over."""
    rng = random.Random(seed)
    count = rng.randint(1, 6)
    after = {f"t{n}": [f"t{m}" for m in range(n) if rng.random() < 0.3] for n in range(count)}
    now = float(rng.randint(1, 60))
    tasks = [
        planned(task, f"D{n}", at=None if after[task] else now, lead=n == 0, after=after[task]) for n, task in enumerate(after)
    ]
    history = [reported(), dispatched(now, tasks)]
    ended: dict[str, float] = {}
    for number, task in enumerate(after):
        ended[task] = _work(rng, history, task, f"D{number}", after[task], ended, now)
    handled = max(ended.values())
    history.append(on_case("handled", handled))
    return history + _stood_still(rng, now, handled) + _membership(rng, after) + _orders(rng) + _checked(rng, after, handled)


def suspended(since: float, until: float | None) -> History:
    """A suspension; `until` None: it lasts."""
    told = [("mediation.case_suspended.v1", minute(since), {"case_id": "case", "suspended_at": minute(since)})]
    if until is not None:
        told.append(("mediation.case_resumed.v1", minute(until), {"case_id": "case", "resumed_at": minute(until)}))
    return told


def order(verb: str, at: float, **more: Any) -> tuple[str, dt.datetime, dict[str, Any]]:
    """An event of a supervision order: verb "issued", "replied", "overdue", "reply_refused", "reply_accepted" or "withdrawn"."""
    instant = f"{verb.removeprefix('reply_')}_at"
    fields = {"case_id": "case", "order_id": "o1", "department": "D0", "task_id": "t0", instant: minute(at), **more}
    return f"mediation.supervision_{verb}.v1", minute(at), fields


def _stood_still(rng: random.Random, start: float, end: float) -> History:
    """Up to two suspensions, some of which overlap, some outside of the work."""
    stretches = [sorted(rng.uniform(0, end * 1.2 + 5) for _ in range(2)) for _ in range(rng.randint(0, 2))]
    return [event for since, until in stretches for event in suspended(start * rng.random() + since, start + until)]


def _membership(rng: random.Random, tasks: Any) -> History:
    """Perhaps another lead, more time, a task that is taken out."""
    told: History = []
    names = sorted(tasks)
    for verb in ("lead_changed", "extended", "removed"):
        if rng.random() < 0.2:
            task, at = rng.choice(names), rng.uniform(1, 900)
            told.append(membership(verb, task, at, former=rng.choice(names)))
    return told


def membership(verb: str, task: str, at: float, *, former: str = "") -> tuple[str, dt.datetime, dict[str, Any]]:
    """A task gets the lead ("lead_changed"), more time ("extended"), or is taken out ("removed")."""
    fields: dict[str, Any] = {"case_id": "case", "task_id": task, "department": f"D{task[1:]}"}
    if verb == "lead_changed":
        return "mediation.lead_changed.v1", minute(at), {**fields, "former_task_id": former, "lead_changed_at": minute(at)}
    if verb == "extended":
        more = {"approved": True, "due_at": minute(at + 20_000), "ruled_at": minute(at)}
        return "mediation.extension_ruled.v1", minute(at), {**fields, **more}
    return "mediation.task_removed.v1", minute(at), {**fields, "removed_at": minute(at)}


def _orders(rng: random.Random) -> History:
    if rng.random() < 0.6:
        return []
    told = [order("issued", 50, cause="manual", due_at=minute(100))]
    if rng.random() < 0.5:
        told.append(order("overdue", 100, raises=1))
    return [*told, order("replied", 120, on_time=rng.random() < 0.5, stance="complied"), order("reply_accepted", 130)]


def _work(
    rng: random.Random, history: History, task: str, department: str, needs: list[str], ended: dict[str, float], dispatch: float
) -> float:
    at = max([ended[need] for need in needs], default=dispatch)
    if needs:
        history.append(assigned(task, department, at, after=needs))
    if rng.random() < 0.2:
        at += rng.randint(1, 30)
        history.append(on_task("objected", task, department, at, reason="not ours"))
        at += rng.randint(1, 30)
        history.append(ruled(task, department, upheld=True, reassigned_to="NEW", at=at))
        task, department = f"{task}b", "NEW"
        history.append(assigned(task, department, at, after=needs))
    accepted = at + rng.randint(1, 100)
    done = accepted + rng.randint(1, 1000)
    history.append(on_task("accepted", task, department, accepted, on_time=rng.random() < 0.7))
    for _ in range(rng.randint(0, 3)):
        history.append(on_task("progressed", task, department, rng.uniform(accepted, done)))
    history.append(on_task("completed", task, department, done, on_time=rng.random() < 0.7))
    return done


def _checked(rng: random.Random, tasks: Any, handled: float) -> History:
    at, more = handled, []
    if rng.random() < 0.4:
        task = rng.choice(sorted(tasks))
        at += rng.randint(1, 500)
        more.append(on_case("verified", at, passed=False, failed_task_ids=[task]))
        more.append(on_task("returned", task, "D0", at, reason="again"))
        more.append(on_task("accepted", task, "D0", at + 5))
        at += rng.randint(6, 300)
        more.append(on_task("completed", task, "D0", at))
        more.append(on_case("handled", at))
    more.append(on_case("verified", at + 10, passed=True, failed_task_ids=[]))
    if rng.random() < 0.8:
        more.append(on_case("closed", at + 20))
    return more if rng.random() < 0.8 else [*more, *_second_life(rng, at + 1_000)]


def _second_life(rng: random.Random, at: float) -> History:
    """The case is reopened and handled once more, by one department."""
    end = at + rng.randint(20, 500)
    return [
        on_case("reopened", at),
        dispatched(at + 5, [planned("again", "D9", at=at + 5, lead=True)]),
        on_task("accepted", "again", "D9", at + 9),
        on_task("completed", "again", "D9", end),
        on_case("handled", end),
    ]

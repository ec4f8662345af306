"""`timers`: clocks fired a second with their notifications queued, against bare find-and-update of the same documents.

Both find what is due, oldest first and 200 at a time, see in each document which clocks are, and set their lights, the next time
and the queued notifications with majority writes. The floor does so on plain dictionaries, guards nothing and can do nothing else.
"""

import datetime as dt
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson
from msgspec.structs import replace
from pymongo import MongoClient, UpdateOne, WriteConcern
from pymongo.collection import Collection

from mediation import operations
from mediation.domain import Case, Clock, ClockKind, JoinPolicy, TaskPlan, TaskRole
from mediation.operations import flow
from svckit.documents import Form, utc_now
from svckit.ids import new_id
from tests.load.asked import DEPARTMENTS
from tests.load.harness import Row, compare
from tests.load.stack import Stack

CASES = 5_000
PATIENCE_SECONDS = 180
BATCH = 200
LONG_AGO = dt.datetime(2020, 1, 6, 2, 0, tzinfo=dt.UTC)
FAR = dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
FORM = Form(Case, id_field="case_id")


def run(stack: Stack) -> Row:
    """Five departments have not accepted in time: five clocks of a case fire at once."""
    note = f"{CASES:,} cases of {len(DEPARTMENTS)} overdue clocks; both in batches of {BATCH}"
    return compare("timers", ours=lambda: _ours(stack), floor=lambda: _floor(stack), unit="clocks/s", target=0.5, note=note)


def _ours(stack: Stack) -> float:
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        cases = client["binglian_mediation"]["cases"]
        _fill(cases)
        name = f"worker-{new_id()}"
        worker = stack.start(name, [sys.executable, "-m", "mediation", "worker"], environment=stack.environment("mediation"))
        try:
            rate = _rate(cases, lambda: worker.poll() is None)
        finally:
            worker.terminate()
            worker.wait()
        fired = cases.count_documents({"light": "red", "outbox": {"$size": len(DEPARTMENTS)}})
        assert fired == CASES, f"{fired} of {CASES} cases are as they should be"
        return rate


def _floor(stack: Stack) -> float:
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        cases = client["floor_timers"]["cases"].with_options(write_concern=WriteConcern("majority", j=True))
        _fill(cases)
        started = time.monotonic()
        while found := cases.find({"next_light_at": {"$lte": utc_now()}}).sort("next_light_at").limit(BATCH).to_list():
            cases.bulk_write([_bare(case, utc_now()) for case in found], ordered=False)
        return CASES * len(DEPARTMENTS) / (time.monotonic() - started)


def _bare(case: dict[str, Any], now: dt.datetime) -> UpdateOne:
    """Turns every light that is due, by hand."""
    changed: dict[str, Any] = {"light": "red", "changed_at": now, "revision": case["revision"] + 1}
    queued, coming = [], []
    for place, holder, task in [("", case, None), *((f"tasks.{n}.", task, task) for n, task in enumerate(case["tasks"]))]:
        for n, clock in enumerate(holder["clocks"]):
            if clock.get("met_at"):
                continue
            if clock["due_at"] > now:
                coming.append(clock["yellow_at"])
                continue
            changed[f"{place}clocks.{n}.light"] = changed[f"{place}light"] = "red"
            queued.append(_notification(case, task, clock, now))
    changed["next_light_at"] = min(coming)
    return UpdateOne({"_id": case["_id"]}, {"$set": changed, "$push": {"outbox": {"$each": queued}}})


def _notification(case: dict[str, Any], task: dict[str, Any] | None, clock: dict[str, Any], now: dt.datetime) -> dict[str, Any]:
    data = {
        "caseId": case["_id"],
        "taskId": task["task_id"] if task else "",
        "department": task["department"] if task else "",
        "clock": clock["kind"],
        "light": "LIGHT_RED",
        "dueAt": clock["due_at"].isoformat(),
        "since": clock["due_at"].isoformat(),
    }
    kind = "mediation.light_turned.v1"
    return {"id": new_id(), "type": kind, "time": now, "subject": case["_id"], "data": orjson.dumps(data), "traceparent": ""}


def _fill(cases: Collection[dict[str, Any]]) -> None:
    cases.delete_many({})
    cases.create_index("next_light_at", name="next_light", partialFilterExpression={"next_light_at": {"$type": "date"}})
    document = {**FORM.changed(None, _overdue()), "revision": 1}
    step = dt.timedelta(seconds=1)
    cases.insert_many(
        {**document, "_id": new_id(), "number": f"420502-2020-{n:06d}", "next_light_at": LONG_AGO + n * step}
        for n in range(CASES)
    )


def _overdue() -> Case:
    """A case whose departments have not accepted; its other clocks have time."""
    by = _Somebody()
    told: dict[str, Any] = {"by": by, "at": LONG_AGO, "now": LONG_AGO}
    case, _ = operations.report_case(
        case_id=new_id(),
        number="420502-2020-000000",
        category="A0204",
        description="楼道堆物",
        area_code="42050200100110001",
        **told,
    )
    plans = [TaskPlan(department=code, role=TaskRole.JOINT if n else TaskRole.LEAD) for n, code in enumerate(DEPARTMENTS)]
    case, _ = operations.dispatch(case, plans=plans, join_policy=JoinPolicy.ALL, new_id=new_id, **told)
    tasks = tuple(flow.with_clocks(task, [_late(clock) for clock in task.clocks]) for task in case.tasks)
    return flow.settle(replace(case, tasks=tasks, clocks=tuple(map(_with_time, case.clocks)), level_due_at=FAR))


class _Somebody:
    """Who reports and dispatches."""

    subject, roles, area, department = "load", frozenset({"DISPATCHER", "IMPORTER"}), "4205", ""


def _late(clock: Clock) -> Clock:
    return clock if clock.kind is ClockKind.ACCEPT else _with_time(clock)


def _with_time(clock: Clock) -> Clock:
    return replace(clock, yellow_at=FAR, due_at=FAR)


def _rate(cases: Collection[dict[str, Any]], alive: Callable[[], bool]) -> float:
    """Clocks a second between the first tenth and the last one."""
    first = _when(cases, CASES - CASES // 10, alive)
    last = _when(cases, 0, alive)
    return (first[1] - last[1]) * len(DEPARTMENTS) / (last[0] - first[0])


def _when(cases: Collection[dict[str, Any]], left: int, alive: Callable[[], bool]) -> tuple[float, int]:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (still := cases.count_documents({"next_light_at": {"$lte": LONG_AGO + dt.timedelta(days=1)}})) > left:
        if not alive():
            raise RuntimeError(f"the worker ended with {still} cases left")
        if time.monotonic() > give_up:
            raise RuntimeError(f"{still} cases are left after {PATIENCE_SECONDS} s")
        time.sleep(0.1)
    return time.monotonic(), still

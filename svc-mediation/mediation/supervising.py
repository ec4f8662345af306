"""The worker's part in supervision: cases and orders climb when their time has come, and escalations make late departments answer.

Never reaches grpc. Several workers may do the same at once: who loses the race finds nothing left to do.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from nameko.timer import timer

from mediation import ladder
from mediation.domain import Case, CaseLevel, TaskState
from mediation.domain.supervision import OrderCause, SupervisionOrder
from mediation.operations import escalating, supervision
from mediation.operations.supervision import OrderOutcome
from mediation.policies.protecting import PROTECTED_CATEGORY
from mediation.policies.supervision import SUPERVISED_STATES
from mediation.supervision_store import still_open, thing_of
from svckit.batch import BatchRepository
from svckit.bus import FOR_PEOPLE, Documents, Event, handles
from svckit.documents import LOADED, Change, Decide, utc_now
from svckit.due import DueDocuments
from svckit.errors import Conflict, FailedPrecondition, NotFound, ServiceError

_SPACE = uuid.UUID("6f1c7a2e-3d54-5b8e-9c1d-2a7f0e4b9d31")
# By then there is nothing to answer for, or an order asks for the answer already.
_IN_VAIN = (Conflict, FailedPrecondition, NotFound)
DEMAND = "事件超过本级停留时限已升级,贵部门任务已超时:请书面说明原因、措施和办结时间。"


class Supervising:
    """Handlers and timers of the ladder and of supervision orders; `MediationWorker` is one."""

    cases: Any
    orders = Documents("supervision_orders", state_cls=SupervisionOrder, id_field="order_id")

    @timer(interval=1)
    def climb_cases(self) -> None:
        """Lifts every case whose stay limit has passed, oldest first, also those that passed while no worker ran."""
        _stays_of(self.cases).work()

    @timer(interval=1)
    def turn_orders(self) -> None:
        """Turns the lights of orders and lifts the overdue ones."""
        _turns_of(self.orders).work()

    @handles("mediation.case_escalated.v1")
    def supervise_late_tasks(self, events: list[Event]) -> None:
        """Orders the departments whose tasks are late to answer to the new level; open orders about the case rise with it."""
        highest = _highest(events)
        orders = self.orders.collection.find(still_open(list(highest)), {"case_id": True, "task_id": True, "department": True})
        open_orders = {thing_of(order): order["_id"] for order in orders.to_list()}
        changes = [_lift(highest[thing[0]], order_id) for thing, order_id in open_orders.items()]
        for case in _cases(self.cases, list(highest)):
            changes += _orders(case, highest[case.case_id], open_orders)
        _check(self.orders.apply(changes))

    @handles(
        "mediation.case_closed.v1",
        "mediation.case_rejected.v1",
        "mediation.case_merged.v1",
        "mediation.case_withdrawn.v1",
        "mediation.case_transferred.v1",
        "mediation.task_removed.v1",
        "mediation.objection_ruled.v1",
        gather=FOR_PEOPLE,
    )
    def settle_orders(self, events: list[Event]) -> None:
        """Ends the open orders about cases that are over, and about tasks that departments were relieved of.

        Orders about a whole case stand; but of suspected domestic violence a department that has no part in it any more knows nothing.
        """
        ended = {thing: event for event in events for thing in _ended(event.fields())}
        wanted = dict.fromkeys(("case_id", "task_id", "department", "category"), True)
        orders = self.orders.collection.find(still_open(sorted({case_id for case_id, *_ in ended})), wanted)
        ends = ((order["_id"], event) for order in orders if (event := _ending(order, ended)))
        _check(self.orders.apply([event.change(id=order_id, decide=_settling) for order_id, event in ends]))

    @handles("mediation.supervision_issued.v1")
    def settle_late_orders(self, events: list[Event]) -> None:
        """Ends orders that were issued in the moment their case ended, or their task was taken back: nobody owes an answer any more."""
        issued = [(event, event.fields()) for event in events]
        cases = {case.case_id: case for case in _cases(self.cases, sorted({fields["case_id"] for _, fields in issued}))}
        late = (
            (event, fields) for event, fields in issued if _is_over(cases.get(fields["case_id"]), fields.get("task_id", ""))
        )
        _check(self.orders.apply([event.change(id=fields["order_id"], decide=_settling) for event, fields in late]))


@cache
def _stays_of(cases: BatchRepository[Case]) -> DueDocuments[Case]:
    return DueDocuments(cases, field="level_due_at", decide=_climbing)


@cache
def _turns_of(orders: BatchRepository[SupervisionOrder]) -> DueDocuments[SupervisionOrder]:
    return DueDocuments(orders, field="next_turn_at", decide=_turning)


def _climbing(now: datetime) -> Decide:
    def decide(case: Case | None) -> tuple[Case | None, Sequence[Any]]:
        return escalating.climb(case, now=now) if case else (None, ())

    return decide


def _turning(now: datetime) -> Decide:
    def decide(order: SupervisionOrder | None) -> tuple[SupervisionOrder | None, Sequence[Any]]:
        return supervision.turn_order(order, now=now) if order else (None, ())

    return decide


def _highest(events: Iterable[Event]) -> dict[str, tuple[Event, dict[str, Any]]]:
    """The highest climb of each case among the events."""
    highest: dict[str, tuple[Event, dict[str, Any]]] = {}
    for event in events:
        fields = event.fields()
        before = highest.get(fields["case_id"])
        if before is None or ladder.rank(_level(before[1])) < ladder.rank(_level(fields)):
            highest[fields["case_id"]] = event, fields
    return highest


def _level(fields: dict[str, Any]) -> CaseLevel:
    return CaseLevel(fields["to_level"])


def _lift(climb: tuple[Event, dict[str, Any]], order_id: str) -> Change:
    event, fields = climb

    def decide(order: SupervisionOrder) -> OrderOutcome:
        return supervision.lift_order(order, level=_level(fields), now=utc_now())

    return event.change(id=order_id, decide=decide)


def _cases(cases: Any, ids: list[str]) -> Iterable[Case]:
    return (cases.form.state(found) for found in cases.collection.find({"_id": {"$in": ids}}, LOADED | {"commands": False}))


def _orders(case: Case, climb: tuple[Event, dict[str, Any]], open_orders: dict[tuple[str, str, str], str]) -> list[Change]:
    event, fields = climb
    things = ((case.case_id, task["task_id"], task["department"]) for task in fields["late_tasks"])
    return [_issue(case, event, thing[1], _level(fields)) for thing in things if thing not in open_orders]


def _issue(case: Case, event: Event, task_id: str, level: CaseLevel) -> Change:
    """An order whose id follows from the event: repeated, it finds itself there."""
    order_id = str(uuid.uuid5(_SPACE, f"{event.id}:{task_id}"))

    def decide(order: SupervisionOrder | None) -> OrderOutcome:
        if order:
            return order, ()
        return supervision.issue_order(
            case,
            order_id=order_id,
            task_id=task_id,
            demand=DEMAND,
            cause=OrderCause.ESCALATION,
            level=level,
            by=escalating.SYSTEM,
            now=utc_now(),
        )

    return event.change(id=order_id, decide=decide)


def _ending(order: dict[str, Any], ended: dict[tuple[str, str, str], Event]) -> Event | None:
    """The event that ends an order, None: it stands."""
    case_id, task_id, department = thing_of(order)
    if over := ended.get((case_id, "", "")):
        return over
    stands = not task_id and order["category"] != PROTECTED_CATEGORY
    return None if stands else ended.get((case_id, task_id, department))


def _ended(fields: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """What an event ends: a whole case ("" as task and department), or what one department had of it, in its task or as a whole.

    Nothing, if an objection was overruled.
    """
    if fields.get("upheld") is False:
        return ()
    case_id, task_id, department = fields["case_id"], fields.get("task_id", ""), fields.get("department", "")
    return ((case_id, task_id, department), (case_id, "", department)) if task_id else ((case_id, "", ""),)


def _is_over(case: Case | None, task_id: str) -> bool:
    if case is None:
        return False
    taken_back = any(task.task_id == task_id and task.state is TaskState.REMOVED for task in case.tasks)
    return taken_back or case.state not in SUPERVISED_STATES


def _settling(order: SupervisionOrder) -> OrderOutcome:
    return supervision.settle_order(order, now=utc_now())


def _check(outcomes: Iterable[Any]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, ServiceError) and not isinstance(outcome, _IN_VAIN):
            raise outcome

"""The worker: follows the tasks in svc-mediation that ask for a verification. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from population import following, operations, store
from population.accompanying import Accompanying
from population.consenting import Consenting
from population.domain.verification import VerificationOrder
from population.following import Closing, Departure, Followed, Location, Opening, Return
from population.housed import Housed
from population.policies.verification import DEPARTMENTS
from population.privacy.watching import Watching
from svckit.batch import all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change, Decide, utc_now

# Cases go to many departments; most events name other ones and need not be read at all.
_OURS = tuple(f'"{department}"'.encode() for department in sorted(DEPARTMENTS))
OfTask = Opening | Return | Departure
OfCase = Closing | Location


class PopulationWorker(Accompanying, Consenting, Watching, Housed):
    """Handlers of events, a batch at a time."""

    name = "population"

    orders = Documents("verification_orders", state_cls=VerificationOrder, id_field="order_id")

    @handles(*following.FOLLOWED)
    def follow_tasks(self, events: list[Event]) -> None:
        """Opens an order for every task that can start or came back, and cancels those whose task has gone."""
        followed = [(event, item) for event in events if _concerns_us(event) for item in _read(event)]
        all_saved(self.orders.apply([_of_task(event, item) for event, item in followed if isinstance(item, OfTask)]))
        # Afterwards, because it may concern what has just been opened.
        all_saved(self.orders.apply(self._of_cases([(event, item) for event, item in followed if isinstance(item, OfCase)])))

    def _of_cases(self, followed: Sequence[tuple[Event, OfCase]]) -> list[Change]:
        known = store.orders_of_cases(self.orders.collection, {item.case_id for _, item in followed}) if followed else {}
        return [_of_case(event, item, id) for event, item in followed for id in known.get(item.case_id, ())]


def _concerns_us(event: Event) -> bool:
    return event.type in following.ABOUT_CASES or any(name in event.data for name in _OURS)


def _read(event: Event) -> Iterable[Followed]:
    return following.read(event_type=event.type, fields=event.fields())


def _of_task(event: Event, item: OfTask) -> Change:
    at = following.case_time(since=item.at, published=event.time, now=utc_now())
    if isinstance(item, Opening):
        return event.change(
            id=item.assignment.task.task_id, decide=partial(operations.open_order, assignment=item.assignment, now=at)
        )
    if isinstance(item, Return):
        return event.change(id=item.task_id, decide=_if_known(partial(operations.return_order, reason=item.reason, now=at)))
    return event.change(id=item.task_id, decide=_if_known(partial(operations.cancel_order, at=item.at, now=at)))


def _of_case(event: Event, item: OfCase, id: str) -> Change:
    if isinstance(item, Location):
        relocate = partial(operations.relocate_order, area_code=item.area_code, now=utc_now())
        return event.change(id=id, decide=_if_known(relocate))
    return event.change(id=id, decide=_if_known(partial(operations.cancel_order, at=item.at, now=utc_now())))


def _if_known(decide: Decide) -> Decide:
    """There is nothing to do for a task that opened nothing here."""

    def decide_if_known(state: Any) -> tuple[Any, Sequence[Any]]:
        return (None, ()) if state is None else decide(state)

    return decide_if_known

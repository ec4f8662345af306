"""The worker: follows the department's tasks in svc-mediation and keeps the record of every place. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from fire_safety import following, operations, store
from fire_safety.domain import DEPARTMENT, Assignment, Inspection, Place
from fire_safety.following import Departure, Followed, Location, Return
from svckit.batch import all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change, Decide, utc_now

T = TypeVar("T")

# Cases go to many departments; most events name another one and need not be read at all.
_OURS = f'"{DEPARTMENT}"'.encode()


class FireSafetyWorker:
    """Handlers of events, a batch at a time."""

    name = "fire_safety"

    inspections = Documents("inspections", state_cls=Inspection, id_field="inspection_id")
    places = Documents("places", state_cls=Place, id_field="place_id")

    @handles(
        "mediation.case_dispatched.v1",
        "mediation.task_assigned.v1",
        "mediation.task_returned.v1",
        "mediation.task_completed.v1",
        "mediation.objection_ruled.v1",
        "mediation.task_removed.v1",
        "mediation.case_closed.v1",
        "mediation.case_located.v1",
    )
    def follow_tasks(self, events: list[Event]) -> None:
        """Opens an inspection for every task that can start or came back, and cancels those whose task has gone."""
        followed = [item for event in events for item in _read(event)]
        # In this order: what came back, or has gone, may have been assigned in the same batch.
        self._open(_only(Assignment, followed))
        self._open_again(_only(Return, followed))
        self._adjust(_only(Departure, followed), _only(Location, followed))

    @handles("fire_safety.inspection_completed.v1")
    def note_inspections(self, events: list[Event]) -> None:
        """Puts completed inspections on the record of their places."""
        facts = (event.fields() for event in events)
        all_saved(self.places.apply([_note(fact) for fact in facts if fact["place_id"]]))

    def _open(self, assignments: Sequence[Assignment]) -> None:
        points = {task.task.task_id: task.point for task in assignments if task.point}
        found = store.places_at(self.places.collection, points)
        placed = (_at_place(task, found.get(task.task.task_id)) for task in assignments)
        all_saved(self.inspections.apply([_opening(task, kind=operations.COMPLAINT_CHECK) for task in placed]))

    def _open_again(self, returns: Sequence[Return]) -> None:
        known = [inspection for found in self._by_case(returns).values() for inspection in found]
        last = {inspection.task.task_id: inspection for inspection in known if inspection.task}
        assignments = [following.again(_known(last, item), item) for item in returns]
        all_saved(self.inspections.apply([_opening(task, kind=operations.RE_CHECK) for task in assignments]))

    def _adjust(self, departures: Sequence[Departure], locations: Sequence[Location]) -> None:
        cases = self._by_case((*departures, *locations))
        cancelled = (
            _cancelling(one, item) for item in departures for one in cases.get(item.case_id, ()) if _is_meant(one, item)
        )
        located = (_locating(one, item) for item in locations for one in cases.get(item.case_id, ()))
        all_saved(self.inspections.apply([*cancelled, *located]))

    def _by_case(self, items: Iterable[Return | Departure | Location]) -> dict[str, list[Inspection]]:
        """The inspections of the cases, oldest first, without their checklists."""
        cases: dict[str, list[Inspection]] = {}
        for row in store.inspections_for(self.inspections.collection, case_ids={item.case_id for item in items}):
            cases.setdefault(row["task"]["case_id"], []).append(self.inspections.form.state({**row, "items": ()}))
        return cases


def _read(event: Event) -> tuple[Followed, ...]:
    if event.type in following.OF_DEPARTMENTS and _OURS not in event.data:
        return ()
    return following.read(event_type=event.type, fields=event.fields(), traceparent=event.traceparent)


def _only(kind: type[T], followed: Iterable[Any]) -> list[T]:
    return [item for item in followed if isinstance(item, kind)]


def _at_place(assignment: Assignment, place: dict[str, Any] | None) -> Assignment:
    if place is None:
        return assignment
    return replace(assignment, place_id=place["_id"], place_type=place["place_type"])


def _known(last: dict[str, Inspection], item: Return) -> Inspection:
    if item.task_id not in last:
        # Its dispatch has not been handled yet; delivered again later it will find the inspection.
        raise LookupError(f"task {item.task_id} came back, but no inspection of it is known")
    return last[item.task_id]


def _opening(assignment: Assignment, *, kind: str) -> Change:
    inspection_id = following.inspection_id(assignment.task.task_id, asked_at=assignment.asked_at)
    decide = partial(_open_once, inspection_id=inspection_id, assignment=assignment, inspection_type=kind, now=utc_now())
    return _change(inspection_id, decide, assignment.traceparent)


def _open_once(inspection: Inspection | None, **opening: Any) -> tuple[Inspection, Sequence[Any]]:
    return (inspection, ()) if inspection else operations.open_for_task(**opening)


def _is_meant(inspection: Inspection, departure: Departure) -> bool:
    return inspection.task is not None and departure.task_id in ("", inspection.task.task_id)


def _locating(inspection: Inspection, location: Location) -> Change:
    decide = partial(operations.locate_inspection, area_code=location.area_code, now=utc_now())
    return _change(inspection.inspection_id, decide, location.traceparent)


def _cancelling(inspection: Inspection, departure: Departure) -> Change:
    decide = partial(operations.cancel_inspection, gone_at=departure.at, now=utc_now())
    return _change(inspection.inspection_id, decide, departure.traceparent)


def _note(fact: dict[str, Any]) -> Change:
    decide = partial(
        operations.note_inspection,
        inspection_id=fact["inspection_id"],
        completed_at=fact["at"],
        item_score=fact["item_score"],
        now=utc_now(),
    )
    return _change(fact["place_id"], decide, "")


def _change(id: str, decide: Decide, traceparent: str) -> Change:
    # Without a command: each of these decisions changes nothing when it comes again, so nothing has to be remembered.
    return Change(id=id, decide=decide, traceparent=traceparent)

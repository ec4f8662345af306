"""The worker: follows the department's tasks in svc-mediation, locates cases, notes checks on houses. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from nameko.extensions import DependencyProvider

from housing import following, operations, store
from housing.atlas import Atlas
from housing.domain import CaseLocation, House, HouseCheck, HouseCheckOutcome
from housing.following import Closing, Departure, Followed, Location, Opening, Return, Unlocated
from housing.keeper import BatchAtlasKeeper
from housing.policies import DEPARTMENT, CityNotMapped, OutsideCity
from svckit.batch import all_saved
from svckit.bus import Documents, Event, MongoConnection, handles
from svckit.commit import DURABLE
from svckit.documents import Change, Decide, utc_now

CASE_REPORTED = "mediation.case_reported.v1"
CHECK_COMPLETED = "housing.house_check_completed.v1"
# Cases go to many departments; most events name another one and need not be read at all.
_OURS = f'"{DEPARTMENT}"'.encode()
OfTask = Opening | Return | Departure
OfCase = Closing | Location


class AreasInMemory(DependencyProvider):
    """Dependency of the worker: the keeper of its atlas, one for all handlers."""

    mongo = MongoConnection()

    def __init__(self) -> None:
        self._keeper: BatchAtlasKeeper | None = None

    def get_dependency(self, worker_ctx: Any) -> BatchAtlasKeeper:
        """Returns the keeper."""
        if self._keeper is None:
            rows = self.mongo.database["areas"].with_options(**DURABLE)
            self._keeper = BatchAtlasKeeper(partial(store.areas_changed_now, rows))
        return self._keeper


class HousingWorker:
    """Handlers of events, a batch at a time."""

    name = "housing"

    checks = Documents("house_checks", state_cls=HouseCheck, id_field="check_id")
    houses = Documents("houses", state_cls=House, id_field="house_id")
    locations = Documents("case_locations", state_cls=CaseLocation, id_field="case_id")
    areas = AreasInMemory()

    @handles(*following.FOLLOWED)
    def follow_tasks(self, events: list[Event]) -> None:
        """Opens a house check for every task that can start or came back, and cancels those whose task has gone."""
        followed = [(event, item) for event in events if _concerns_us(event) for item in _read(event)]
        all_saved(self.checks.apply([_of_task(event, item) for event, item in followed if isinstance(item, OfTask)]))
        # Afterwards, because it may concern what has just been opened.
        all_saved(self.checks.apply(self._of_cases([(event, item) for event, item in followed if isinstance(item, OfCase)])))

    def _of_cases(self, followed: Sequence[tuple[Event, OfCase]]) -> list[Change]:
        known = store.checks_of_cases(self.checks.collection, {item.case_id for _, item in followed}) if followed else {}
        return [_of_case(event, item, id) for event, item in followed for id in known.get(item.case_id, ())]

    @handles(CASE_REPORTED)
    def locate_cases(self, events: list[Event]) -> None:
        """Finds the grid of cases that were reported without one."""
        atlas = self.areas.atlas()
        changes = []
        for event in events:
            case = following.unlocated(event.fields())
            found = case and locate(atlas, case)
            if case and found:
                changes.append(_located(event, case, found))
        all_saved(self.locations.apply(changes))

    @handles(CHECK_COMPLETED)
    def note_checks(self, events: list[Event]) -> None:
        """Notes on houses what checks found in them."""
        facts = ((event, event.fields()) for event in events)
        all_saved(self.houses.apply([_noted(event, fact) for event, fact in facts if _tells_of_house(fact)]))


def locate(atlas: Atlas, case: Unlocated) -> str | None:
    """Returns the area of a case if it is smaller than the one known and inside it; None if the point says nothing new."""
    try:
        code = atlas.locate(city=case.city, longitude=case.point.longitude, latitude=case.point.latitude)
    except (CityNotMapped, OutsideCity):
        return None
    return code if code.startswith(case.area_code) and code != case.area_code else None


def _concerns_us(event: Event) -> bool:
    return event.type in following.ABOUT_CASES or _OURS in event.data


def _read(event: Event) -> Iterable[Followed]:
    return following.read(event_type=event.type, fields=event.fields())


def _of_task(event: Event, item: OfTask) -> Change:
    at = following.case_time(since=item.at, published=event.time, now=utc_now())
    if isinstance(item, Opening):
        return event.change(
            id=item.assignment.task.task_id, decide=partial(operations.open_check, assignment=item.assignment, now=at)
        )
    if isinstance(item, Return):
        return event.change(id=item.task_id, decide=_if_known(partial(operations.return_check, reason=item.reason, now=at)))
    return event.change(id=item.task_id, decide=_if_known(partial(operations.cancel_check, at=item.at, now=at)))


def _of_case(event: Event, item: OfCase, id: str) -> Change:
    if isinstance(item, Location):
        relocate = partial(operations.relocate_check, area_code=item.area_code, now=utc_now())
        return event.change(id=id, decide=_if_known(relocate))
    return event.change(id=id, decide=_if_known(partial(operations.cancel_check, at=item.at, now=utc_now())))


def _located(event: Event, case: Unlocated, area_code: str) -> Change:
    decide = partial(
        operations.locate_case,
        case_id=case.case_id,
        city=case.city,
        point=case.point,
        area_code=area_code,
        now=utc_now(),
    )
    return event.change(id=case.case_id, decide=decide)


def _tells_of_house(fact: dict[str, Any]) -> bool:
    return bool(fact["house_id"]) and fact["outcome"] != HouseCheckOutcome.NO_ENTRY


def _noted(event: Event, fact: dict[str, Any]) -> Change:
    """What was put right on the spot is not there any more."""
    hazards = tuple(fact["hazards"]) if fact["outcome"] == HouseCheckOutcome.ORDERED else ()
    decide = _if_known(partial(operations.note_check, hazards=hazards, at=fact["at"]))
    return event.change(id=fact["house_id"], decide=decide)


def _if_known(decide: Decide) -> Decide:
    """There is nothing to do for a task that opened nothing here."""

    def decide_if_known(state: Any) -> tuple[Any, Sequence[Any]]:
        return (None, ()) if state is None else decide(state)

    return decide_if_known

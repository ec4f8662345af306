"""The verbs of fire safety: pure functions from state, who and now to the new state and its facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import asdict, replace

from fire_safety import policies
from fire_safety.domain import (
    SERVICE,
    Actor,
    Assignment,
    ChecklistItem,
    Event,
    Inspection,
    InspectionCancelled,
    InspectionCompleted,
    InspectionOpened,
    InspectionState,
    ItemAnswer,
    Place,
    PlaceCreated,
    PlaceDraft,
    Result,
)

CITY_DIGITS = 4

COMPLAINT_CHECK = "IT10"
RE_CHECK = "IT3"


def create_place(*, place_id: str, draft: PlaceDraft, now: dt.datetime) -> tuple[Place, tuple[Event, ...]]:
    """Registers a place; its first inspection is due one interval from now. Raises UnknownPlaceType."""
    policies.check_place_type(draft.place_type)
    place = Place(
        place_id=place_id,
        city=draft.area_code[:CITY_DIGITS],
        created_at=now,
        changed_at=now,
        next_inspection_at=policies.next_inspection_at(place_type=draft.place_type, after=now),
        **asdict(draft),
    )
    fact = PlaceCreated(place_id=place_id, place_type=place.place_type, city=place.city, area_code=place.area_code, at=now)
    return place, (fact,)


def note_inspection(
    place: Place, *, inspection_id: str, completed_at: dt.datetime, item_score: float, now: dt.datetime
) -> tuple[Place, tuple[Event, ...]]:
    """Puts a completed inspection on the place's record; one that is older than the record changes nothing."""
    if place.last_inspected_at is not None and completed_at <= place.last_inspected_at:
        return place, ()
    noted = replace(
        place,
        last_inspection_id=inspection_id,
        last_inspected_at=completed_at,
        next_inspection_at=policies.next_inspection_at(place_type=place.place_type, after=completed_at),
        item_score=item_score,
        changed_at=now,
    )
    return noted, ()


def open_for_task(
    *, inspection_id: str, assignment: Assignment, inspection_type: str, now: dt.datetime
) -> tuple[Inspection, tuple[Event, ...]]:
    """Opens the inspection a task asks for, at the assigned place or, if none is registered there, at the spot of the case."""
    inspection = Inspection(
        inspection_id=inspection_id,
        state=InspectionState.OPEN,
        inspection_type=inspection_type,
        items=policies.checklist_for(assignment.place_type),
        opened_at=now,
        opened_by=SERVICE,
        changed_at=now,
        **asdict(assignment),
    )
    return inspection, (_opened(inspection),)


def open_for_place(
    *, inspection_id: str, place: Place, inspection_type: str, by: Actor, now: dt.datetime
) -> tuple[Inspection, tuple[Event, ...]]:
    """Opens an inspection by hand. Raises UnknownInspectionType, NotTheInspector."""
    policies.check_may_open(inspection_type=inspection_type, by=by)
    inspection = Inspection(
        inspection_id=inspection_id,
        state=InspectionState.OPEN,
        inspection_type=inspection_type,
        city=place.city,
        area_code=place.area_code,
        point=place.point,
        address=place.address,
        place_id=place.place_id,
        place_type=place.place_type,
        items=policies.checklist_for(place.place_type),
        opened_at=now,
        opened_by=by.subject,
        changed_at=now,
    )
    return inspection, (_opened(inspection),)


def record_items(
    inspection: Inspection, *, answers: Sequence[ItemAnswer], by: Actor, now: dt.datetime
) -> tuple[Inspection, tuple[Event, ...]]:
    """Writes answers into the checklist. Raises NotTheInspector, InspectionNotOpen, WrongAnswer."""
    policies.check_inspector(inspection, by=by)
    policies.check_open(inspection)
    policies.check_answers(inspection, answers=answers)
    given = {answer.code: answer for answer in answers}
    items = tuple(
        _answered(item, given[item.code], by=by, now=now) if item.code in given else item for item in inspection.items
    )
    return replace(inspection, items=items, changed_at=now), ()


def _answered(item: ChecklistItem, answer: ItemAnswer, *, by: Actor, now: dt.datetime) -> ChecklistItem:
    return replace(item, **asdict(answer), answered_at=now, answered_by=by.subject)


def complete_inspection(
    inspection: Inspection, *, result: Result, by: Actor, now: dt.datetime
) -> tuple[Inspection, tuple[Event, ...]]:
    """Records the last answers, scores the checklist and lists its hazards.

    Raises as record_items, ChecklistIncomplete and WrongMoment.
    """
    answered, _ = record_items(inspection, answers=result.answers, by=by, now=now)
    policies.check_checklist(answered.items)
    at = result.happened_at or now
    policies.check_moment(inspection, at=at, now=now)
    completed = replace(
        answered,
        state=InspectionState.COMPLETED,
        hazards=policies.hazards_of(answered.items, now=at),
        item_score=policies.item_score(answered.items),
        veto=policies.has_veto(answered.items),
        result=result.result,
        evidence=result.evidence,
        unified_reply=result.unified_reply,
        completed_at=at,
        completed_by=by.subject,
    )
    return completed, (_completed(completed, at=at),)


def locate_inspection(inspection: Inspection, *, area_code: str, now: dt.datetime) -> tuple[Inspection, tuple[Event, ...]]:
    """Gives an inspection that knew only its city the area its case was found in; another keeps its area."""
    if inspection.area_code != inspection.city or not area_code.startswith(inspection.city):
        return inspection, ()
    return replace(inspection, area_code=area_code, changed_at=now), ()


def cancel_inspection(
    inspection: Inspection, *, gone_at: dt.datetime, now: dt.datetime
) -> tuple[Inspection, tuple[Event, ...]]:
    """Cancels the inspection of a task that went elsewhere, or was done without it, at `gone_at`.

    One that has ended, or that was asked for after `gone_at`, is not meant: nothing changes.
    """
    asked_at = inspection.asked_at
    if inspection.task is None or asked_at is None or asked_at > gone_at or inspection.state is not InspectionState.OPEN:
        return inspection, ()
    fact = InspectionCancelled(
        inspection_id=inspection.inspection_id, task=inspection.task, department=inspection.department, at=now
    )
    return replace(inspection, state=InspectionState.CANCELLED, changed_at=now), (fact,)


def _opened(inspection: Inspection) -> InspectionOpened:
    return InspectionOpened(
        inspection_id=inspection.inspection_id,
        inspection_type=inspection.inspection_type,
        area_code=inspection.area_code,
        place_id=inspection.place_id,
        task=inspection.task,
        department=inspection.department,
        by=inspection.opened_by,
        at=inspection.opened_at,
    )


def _completed(inspection: Inspection, *, at: dt.datetime) -> InspectionCompleted:
    return InspectionCompleted(
        inspection_id=inspection.inspection_id,
        inspection_type=inspection.inspection_type,
        area_code=inspection.area_code,
        place_id=inspection.place_id,
        task=inspection.task,
        department=inspection.department,
        result=inspection.result,
        by=inspection.completed_by,
        at=at,
        evidence=inspection.evidence,
        unified_reply=inspection.unified_reply,
        hazards=inspection.hazards,
        item_score=inspection.item_score,
        veto=inspection.veto,
    )

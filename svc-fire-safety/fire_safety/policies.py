"""What fire safety allows and how it counts. `check_*` raises with a reason people understand; the rest computes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from fire_safety import codes
from fire_safety.domain import Actor, Answer, ChecklistItem, Hazard, HazardStatus, Inspection, InspectionState, ItemAnswer
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

# risk_rule.yaml, coverage_rule: with fewer answers a check says nothing about the place.
NEEDED_COVERAGE = 0.8

ADVICE = "H0"
POTENTIAL_MAJOR = "H3"

# As long as svc-mediation waits for reports written offline: who could name an earlier time could beat every clock.
OFFLINE_ALLOWANCE = dt.timedelta(days=7)

# What can be judged at any spot without knowing what kind of place it is: exits, fire lanes, signs, lights, e-bikes in halls,
# wiring, extinguishers, hydrants and missing equipment.
GENERAL_ITEMS = ("FC201", "FC202", "FC205", "FC206", "FC207", "FC301", "FC401", "FC403", "FC411")


class UnknownPlaceType(InvalidArgument):
    """The place type is not in place_type.csv."""

    default_reason = "PLACE_TYPE_UNKNOWN"


class UnknownInspectionType(InvalidArgument):
    """The inspection type is not in inspection_type.csv."""

    default_reason = "INSPECTION_TYPE_UNKNOWN"


class NotTheInspector(PermissionDenied):
    """Another department or role makes this inspection."""

    default_reason = "NOT_THE_INSPECTOR"


class InspectionNotOpen(FailedPrecondition):
    """The inspection has ended."""

    default_reason = "INSPECTION_NOT_OPEN"


class ChecklistIncomplete(FailedPrecondition):
    """Too few items are answered; metadata `items` names the open ones."""

    default_reason = "CHECKLIST_INCOMPLETE"


class WrongAnswer(InvalidArgument):
    """An answer does not fit its item."""

    default_reason = "ANSWER_INVALID"


class WrongMoment(InvalidArgument):
    """Something is said to have happened before it could, or in the future."""

    default_reason = "HAPPENED_AT_INVALID"


def check_place_type(place_type: str) -> None:
    """Raises UnknownPlaceType unless place_type.csv has the code."""
    if place_type not in codes.place_types():
        raise UnknownPlaceType(f"There is no place type {place_type}.", field="place.place_type")


def check_may_open(*, inspection_type: str, by: Actor) -> None:
    """Raises UnknownInspectionType, or NotTheInspector unless the caller has the role that makes such inspections."""
    kind = codes.inspection_types().get(inspection_type)
    if kind is None:
        raise UnknownInspectionType(f"There is no inspection type {inspection_type}.", field="inspection_type")
    if kind.role not in by.roles:
        raise NotTheInspector(f"Inspections of type {inspection_type} are made by {kind.role}.", metadata={"role": kind.role})


def check_inspector(inspection: Inspection, *, by: Actor) -> None:
    """Raises NotTheInspector unless the caller is of the task's department, or has the role of the inspection type."""
    if inspection.task is None:
        check_may_open(inspection_type=inspection.inspection_type, by=by)
    elif by.department != inspection.department:
        raise NotTheInspector(f"This inspection belongs to the department {inspection.department}.")


def check_open(inspection: Inspection) -> None:
    """Raises InspectionNotOpen unless answers are still taken."""
    if inspection.state is not InspectionState.OPEN:
        raise InspectionNotOpen(f"The inspection is {inspection.state}.", metadata={"state": inspection.state.value})


def check_answers(inspection: Inspection, *, answers: Sequence[ItemAnswer]) -> None:
    """Raises WrongAnswer for an item that is not in the checklist or appears twice, a failure without a note, or a failure
    "put right on the spot" where that is not possible."""
    items = {item.code: item for item in inspection.items}
    if len({answer.code for answer in answers}) < len(answers):
        raise WrongAnswer("An item is answered twice.", field="answers")
    for number, answer in enumerate(answers):
        fault = _fault(items.get(answer.code), answer)
        if fault:
            raise WrongAnswer(f"Item {answer.code}: {fault}.", field=f"answers[{number}]")


def _fault(item: ChecklistItem | None, answer: ItemAnswer) -> str:
    if item is None:
        return "not in the checklist of this inspection"
    if answer.answer is Answer.FAIL and not answer.note:
        return "a failure needs a note"
    if answer.fixed_on_spot and not (answer.answer is Answer.FAIL and item.fix_on_spot_possible):
        return "cannot be put right on the spot"
    return ""


def check_checklist(items: Sequence[ChecklistItem]) -> None:
    """Raises ChecklistIncomplete unless enough items are answered."""
    missing = [item.code for item in items if item.answer is None]
    if len(items) - len(missing) < NEEDED_COVERAGE * len(items):
        raise ChecklistIncomplete(
            f"{len(missing)} of {len(items)} items are not answered; {NEEDED_COVERAGE:.0%} must be.",
            metadata={"items": ",".join(missing)},
        )


def check_moment(inspection: Inspection, *, at: dt.datetime, now: dt.datetime) -> None:
    """Raises WrongMoment unless `at` lies in the last 7 days, and between the time the inspection was asked for (or opened by hand)
    and now."""
    if not (inspection.asked_at or inspection.opened_at) <= at <= now:
        raise WrongMoment("It cannot have happened then.", field="happened_at")
    if at < now - OFFLINE_ALLOWANCE:
        raise WrongMoment("This may be at most 7 days ago.", reason="TOO_OLD", field="happened_at")


def checklist_for(place_type: str) -> tuple[ChecklistItem, ...]:
    """Returns the items that apply to a kind of place; "" (no registered place): the general ones."""
    table = codes.check_items()
    if not place_type:
        return tuple(_blank(table[code]) for code in GENERAL_ITEMS)
    return tuple(_blank(item) for item in table.values() if place_type in item.applies_to)


def _blank(item: codes.CheckItem) -> ChecklistItem:
    return ChecklistItem(
        code=item.code,
        group=item.group,
        zh=item.zh,
        en=item.en,
        weight=item.weight,
        hazard_level=item.hazard_level,
        fix_hours=item.fix_hours,
        fix_on_spot_possible=item.fix_on_spot_possible,
        veto=item.veto,
    )


def item_score(items: Iterable[ChecklistItem]) -> float:
    """Returns 100 × weight of the failed items / weight of the passed and failed ones (risk_rule.yaml), rounded to 0.1."""
    checked = [item for item in items if item.answer in (Answer.PASS, Answer.FAIL)]
    weight = sum(item.weight for item in checked)
    failed = sum(item.weight for item in checked if item.answer is Answer.FAIL)
    return round(100 * failed / weight, 1) if weight else 0.0


def has_veto(items: Iterable[ChecklistItem]) -> bool:
    """Tells whether an item failed that makes the place red whatever the score."""
    return any(item.veto and item.answer is Answer.FAIL for item in items)


def hazards_of(items: Iterable[ChecklistItem], *, now: dt.datetime) -> tuple[Hazard, ...]:
    """Returns the hazards among answered items; their limits count in clock hours from `now`."""
    return tuple(
        Hazard(
            item_code=item.code,
            level=item.hazard_level,
            status=_status(item),
            fix_hours=item.fix_hours,
            due_at=now + dt.timedelta(hours=item.fix_hours),
            note=item.note,
        )
        for item in items
        if item.answer is Answer.FAIL and item.hazard_level != ADVICE
    )


def _status(item: ChecklistItem) -> HazardStatus:
    # hazard_level.csv, H3: the grid reports and never judges; only the fire authority may declare it removed.
    if item.hazard_level == POTENTIAL_MAJOR:
        return HazardStatus.HANDED_TO_FIRE_AUTHORITY
    return HazardStatus.FIXED_ON_SPOT if item.fixed_on_spot else HazardStatus.TO_BE_FIXED


def next_inspection_at(*, place_type: str, after: dt.datetime) -> dt.datetime:
    """Returns when a place of this kind is due again, counted from its last inspection or its registration."""
    return after + dt.timedelta(days=codes.place_types()[place_type].interval_days)

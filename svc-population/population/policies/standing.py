"""The rules of those who died, moved out, or were entered by mistake."""

from __future__ import annotations

from datetime import date

from population.domain.residence import ResidenceKind
from population.domain.resident import Resident
from population.domain.standing import ResidentStatus, Standing
from population.policies.life_events import DEATH, MOVE_OUT
from population.policies.requests import read_day
from population.policies.residences import REGISTERED_AWAY, lasting_residences
from svckit.errors import FailedPrecondition, InvalidArgument


def check_here(resident: Resident) -> None:
    """Raises FailedPrecondition (DEPARTED) for somebody who died, moved out, was merged or entered by mistake."""
    if resident.standing is not None:
        raise FailedPrecondition(
            f"This entry is {resident.standing.status.replace('_', ' ')}; restore it first.",
            reason="DEPARTED",
            metadata={"status": resident.standing.status, "merged_into": resident.standing.merged_into},
        )


def away_since(resident: Resident) -> Standing | None:
    """Returns the standing of somebody who moved out and may come back; None of all others."""
    standing = resident.standing
    return standing if standing is not None and standing.status is ResidentStatus.MOVED_OUT else None


def check_return(away: Standing | None, *, since: str, field: str) -> None:
    """Raises InvalidArgument (BEFORE_LEAVING): nobody comes back before the day they left."""
    if away is not None and since < away.since:
        raise InvalidArgument("The person still lived here on this day.", reason="BEFORE_LEAVING", field=field)


def is_gone(resident: Resident) -> bool:
    """Tells whether nobody can visit a person here: departed, or on the household register only, living elsewhere."""
    if resident.standing is not None:
        return True
    at_home = any(lasting_residences(resident.residences, ResidenceKind.ACTUAL))
    return resident.resident_type == REGISTERED_AWAY and not at_home


def check_lives_here(resident: Resident) -> None:
    """Raises FailedPrecondition (DEPARTED, LIVES_ELSEWHERE): who does not live here is not cared for here."""
    check_here(resident)
    if is_gone(resident):
        raise FailedPrecondition("The person is registered here and lives elsewhere.", reason="LIVES_ELSEWHERE")


def outlasts(rule: str, resident: Resident) -> bool:
    """Tells whether the work of a life event remains when the person is gone: a death, a departure."""
    status = resident.standing.status if resident.standing else ResidentStatus.MOVED_OUT
    return (status is ResidentStatus.DECEASED and rule == DEATH) or (
        status is ResidentStatus.MOVED_OUT and rule in (DEATH, MOVE_OUT)
    )


def left_house(resident: Resident, house_id: str) -> bool:
    """Tells whether a person is known to live in a house no more. A house nobody spoke of was not left."""
    known = [one for one in resident.residences if one.house_id == house_id and one.kind is ResidenceKind.ACTUAL]
    return bool(known) and all(one.until for one in known)


def check_restorable(resident: Resident) -> Standing:
    """Returns what would be taken back. Raises FailedPrecondition (NOT_DEPARTED, IS_MERGED)."""
    if resident.standing is None:
        raise FailedPrecondition("There is nothing to take back.", reason="NOT_DEPARTED")
    if resident.standing.status is ResidentStatus.MERGED:
        raise FailedPrecondition("This entry was merged: undo the merge.", reason="IS_MERGED")
    return resident.standing


def check_death(resident: Resident, *, died_on: str, today: date) -> None:
    """Raises InvalidArgument (DATE_INVALID, IN_THE_FUTURE, BEFORE_BIRTH)."""
    if read_day(died_on, field="died_on") > today:
        raise InvalidArgument("This day lies in the future.", reason="IN_THE_FUTURE", field="died_on")
    if resident.birth_date and died_on < resident.birth_date:
        raise InvalidArgument("Nobody dies before being born.", reason="BEFORE_BIRTH", field="died_on")

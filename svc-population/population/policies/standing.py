"""The rules of those who died, moved out, or were entered by mistake."""

from __future__ import annotations

from datetime import date

from population.domain.resident import Resident
from population.domain.standing import ResidentStatus, Standing
from population.policies.requests import read_day
from svckit.errors import FailedPrecondition, InvalidArgument


def check_here(resident: Resident) -> None:
    """Raises FailedPrecondition (DEPARTED) for somebody who died, moved out, was merged or entered by mistake."""
    if resident.standing is not None:
        raise FailedPrecondition(
            f"This entry is {resident.standing.status.replace('_', ' ')}; restore it first.",
            reason="DEPARTED",
            metadata={"status": resident.standing.status, "merged_into": resident.standing.merged_into},
        )


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

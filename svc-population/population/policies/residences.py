"""The rules of residences."""

from __future__ import annotations

from population.domain.residence import Residence
from population.domain.resident import Resident
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound


def check_lives_elsewhere(resident: Resident, house_id: str) -> None:
    """Raises FailedPrecondition (ALREADY_LIVES_THERE) when a residence in that house lasts."""
    if any(residence.house_id == house_id and not residence.until for residence in resident.residences):
        raise FailedPrecondition("The person lives in this house already.", reason="ALREADY_LIVES_THERE")


def residence_of(resident: Resident, residence_id: str) -> Residence:
    """Returns one residence. Raises NotFound (RESIDENCE_NOT_FOUND)."""
    for residence in resident.residences:
        if residence.residence_id == residence_id:
            return residence
    raise NotFound("The person has no such residence.", reason="RESIDENCE_NOT_FOUND")


def check_can_end(residence: Residence, *, until: str) -> None:
    """Raises FailedPrecondition (RESIDENCE_ENDED) or InvalidArgument (ENDS_BEFORE_START)."""
    if residence.until:
        raise FailedPrecondition("This residence ended before.", reason="RESIDENCE_ENDED")
    if until < residence.since:
        raise InvalidArgument("A residence ends after it began.", reason="ENDS_BEFORE_START", field="until")

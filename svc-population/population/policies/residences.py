"""The rules of residences: what may begin and end, whether somebody lives where registered, and which kind of resident that makes."""

from __future__ import annotations

from collections.abc import Iterable

from population.domain.residence import Residence, ResidenceDraft, ResidenceKind
from population.domain.resident import Resident
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound

COMMUNITY_DIGITS = 12
CITY_DIGITS = 4
SAME_PLACE, OTHER_PLACE = "01", "02"
# resident_type.csv
REGISTERED_HERE, REGISTERED_AWAY, FLOATING, OTHER_COMMUNITY = "01", "02", "03", "04"
# Kinds that follow from where somebody lives and is registered; the others say something else and stay.
DERIVED = frozenset({REGISTERED_HERE, REGISTERED_AWAY, FLOATING, OTHER_COMMUNITY, "09"})


def check_residence(draft: ResidenceDraft, *, field: str) -> None:
    """Raises InvalidArgument (HOUSE_MISSING, AREA_INVALID): who lives somewhere does so in a house of a grid or community."""
    if draft.kind is ResidenceKind.REGISTERED:
        return
    if not draft.house_id:
        raise InvalidArgument("Say which house.", reason="HOUSE_MISSING", field=f"{field}.house_id")
    if draft.area_code and not is_home_area(draft.area_code):
        raise InvalidArgument("A home lies in a community or grid.", reason="AREA_INVALID", field=f"{field}.area_code")


def is_home_area(area_code: str) -> bool:
    """Tells whether a code is that of a community (12 digits) or grid (17)."""
    return len(area_code) in (COMMUNITY_DIGITS, 17)


def check_lives_elsewhere(resident: Resident, draft: ResidenceDraft) -> None:
    """Raises FailedPrecondition (ALREADY_LIVES_THERE, ALREADY_REGISTERED): nobody is twice in a house, or registered twice."""
    lasting = list(lasting_residences(resident.residences, draft.kind))
    if draft.kind is ResidenceKind.REGISTERED:
        if lasting:
            raise FailedPrecondition("The person is registered already: end that first.", reason="ALREADY_REGISTERED")
    elif any(residence.house_id == draft.house_id for residence in lasting):
        raise FailedPrecondition("The person lives in this house already.", reason="ALREADY_LIVES_THERE")


def lasting_residences(residences: Iterable[Residence], kind: ResidenceKind) -> Iterable[Residence]:
    """Returns the residences of a kind that have not ended."""
    return (residence for residence in residences if residence.kind is kind and not residence.until)


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


def match_flag(residences: Iterable[Residence]) -> str:
    """Returns 01 when somebody lives where registered, 02 when not (人户分离), "" when one of both is not known well enough.

    The same community is the same place (resident_type.csv: 04 is registered in another community). A registration that is known only as
    a wider area says 02 when every home lies outside it, and nothing when one lies inside.
    """
    found = list(residences)
    registered = next(iter(lasting_residences(found, ResidenceKind.REGISTERED)), None)
    homes = [residence.area_code for residence in lasting_residences(found, ResidenceKind.ACTUAL)]
    if registered is None or not homes:
        return ""
    area = registered.area_code[:COMMUNITY_DIGITS]
    if not any(home.startswith(area) for home in homes):
        return OTHER_PLACE
    return SAME_PLACE if len(area) == COMMUNITY_DIGITS else ""


def derived_type(resident: Resident) -> str:
    """Returns the kind of resident (resident_type.csv) that follows from the residences, or the present one where nothing follows.

    04 (区内人户分离) is registered in another community of the city, 03 (流动人口) outside it.
    """
    if resident.resident_type not in DERIVED:
        return resident.resident_type
    flag = match_flag(resident.residences)
    if flag == SAME_PLACE:
        return REGISTERED_HERE
    if flag != OTHER_PLACE:
        return resident.resident_type
    registered = next(iter(lasting_residences(resident.residences, ResidenceKind.REGISTERED))).area_code
    here = resident.area_code[:COMMUNITY_DIGITS]
    homes = lasting_residences(resident.residences, ResidenceKind.ACTUAL)
    if not any(home.area_code.startswith(here) for home in homes):
        return REGISTERED_AWAY if registered.startswith(here) else resident.resident_type
    return OTHER_COMMUNITY if registered[:CITY_DIGITS] == resident.city else FLOATING

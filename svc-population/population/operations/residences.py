"""The verbs on residences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from msgspec.structs import replace

from population.domain.facts import ResidenceEnded, ResidenceStarted
from population.domain.residence import Residence, ResidenceDraft, ResidenceKind
from population.domain.resident import Resident
from population.policies.requests import check_revision, local_day, read_day
from population.policies.residences import (
    check_can_end,
    check_lives_elsewhere,
    check_residence,
    derived_type,
    match_flag,
    residence_of,
)
from svckit.errors import InvalidArgument


def start_residence(
    resident: Resident, *, draft: ResidenceDraft, residence_id: str, revision: int, now: datetime, field: str = "residence"
) -> tuple[Resident, tuple[ResidenceStarted, ...]]:
    """The person lives, or is registered, in a house from a day on.

    Raises FailedPrecondition (ALREADY_LIVES_THERE, ALREADY_REGISTERED), InvalidArgument (house, area, date).
    """
    check_revision(revision, resident.revision)
    check_residence(draft, field=field)
    check_lives_elsewhere(resident, draft)
    residence = Residence(
        residence_id=residence_id,
        house_id=draft.house_id,
        area_code=draft.area_code or resident.area_code,
        tenure=draft.tenure,
        since=day(draft.since, field="since", today=local_day(now)),
        kind=draft.kind,
    )
    started = ResidenceStarted(
        resident_id=resident.resident_id,
        residence_id=residence_id,
        house_id=residence.house_id,
        area_code=residence.area_code,
        at=now,
    )
    return settled(resident, residences=(*resident.residences, residence), now=now), (started,)


def end_residence(
    resident: Resident, *, residence_id: str, until: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidenceEnded, ...]]:
    """Ends a residence; it stays in the history. Raises NotFound, FailedPrecondition (ended before), InvalidArgument (date)."""
    check_revision(revision, resident.revision)
    ending = residence_of(resident, residence_id)
    last_day = day(until, field="until", today=local_day(now))
    check_can_end(ending, until=last_day)
    return ended(resident, [ending], until=last_day, now=now)


def ended(
    resident: Resident, ending: Iterable[Residence], *, until: str, now: datetime
) -> tuple[Resident, tuple[ResidenceEnded, ...]]:
    """Ends some residences of a person on a day, or on their first day when they began later."""
    ids = {residence.residence_id for residence in ending}
    residences = tuple(
        replace(residence, until=max(until, residence.since)) if residence.residence_id in ids else residence
        for residence in resident.residences
    )
    facts = tuple(
        ResidenceEnded(
            resident_id=resident.resident_id,
            residence_id=residence.residence_id,
            house_id=residence.house_id,
            area_code=residence.area_code,
            at=now,
        )
        for residence in residences
        if residence.residence_id in ids
    )
    return settled(resident, residences=residences, now=now), facts


def settled(resident: Resident, *, residences: tuple[Residence, ...], now: datetime) -> Resident:
    """Returns the person with these residences, and with what follows from them: lives where registered or not, kind of resident.

    How somebody lives is known of the home it was seen in, and of no other.
    """
    living = resident.living if _homes(residences) == _homes(resident.residences) else None
    housed = replace(resident, residences=residences, match_flag=match_flag(residences), living=living, changed_at=now)
    return replace(housed, resident_type=derived_type(housed))


def _homes(residences: Iterable[Residence]) -> set[str]:
    return {one.house_id for one in residences if one.kind is ResidenceKind.ACTUAL and not one.until}


def day(text: str, *, field: str, today: date) -> str:
    """Returns the day, today for "". Raises InvalidArgument (DATE_INVALID, IN_THE_FUTURE)."""
    if not text:
        return today.isoformat()
    if read_day(text, field=field) > today:
        raise InvalidArgument("This day lies in the future.", reason="IN_THE_FUTURE", field=field)
    return text

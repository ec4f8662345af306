"""The verbs on residences."""

from __future__ import annotations

from datetime import date, datetime

from msgspec.structs import replace

from population.domain.facts import ResidenceEnded, ResidenceStarted
from population.domain.residence import Residence, ResidenceDraft
from population.domain.resident import Resident
from population.policies.requests import check_revision, local_day, read_day
from population.policies.residences import check_can_end, check_lives_elsewhere, residence_of
from svckit.errors import InvalidArgument


def start_residence(
    resident: Resident, *, draft: ResidenceDraft, residence_id: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidenceStarted, ...]]:
    """The person lives in a house from a day on. Raises FailedPrecondition (ALREADY_LIVES_THERE), InvalidArgument (date)."""
    check_revision(revision, resident.revision)
    check_lives_elsewhere(resident, draft.house_id)
    residence = Residence(
        residence_id=residence_id,
        house_id=draft.house_id,
        area_code=draft.area_code or resident.area_code,
        tenure=draft.tenure,
        since=_day(draft.since, field="since", today=local_day(now)),
    )
    started = ResidenceStarted(
        resident_id=resident.resident_id,
        residence_id=residence_id,
        house_id=residence.house_id,
        area_code=residence.area_code,
        at=now,
    )
    return replace(resident, residences=(*resident.residences, residence), changed_at=now), (started,)


def end_residence(
    resident: Resident, *, residence_id: str, until: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidenceEnded, ...]]:
    """Ends a residence; it stays in the history. Raises NotFound, FailedPrecondition (ended before), InvalidArgument (date)."""
    check_revision(revision, resident.revision)
    ending = residence_of(resident, residence_id)
    last_day = _day(until, field="until", today=local_day(now))
    check_can_end(ending, until=last_day)
    ended = replace(ending, until=last_day)
    residences = tuple(ended if item is ending else item for item in resident.residences)
    fact = ResidenceEnded(
        resident_id=resident.resident_id,
        residence_id=residence_id,
        house_id=ended.house_id,
        area_code=ended.area_code,
        at=now,
    )
    return replace(resident, residences=residences, changed_at=now), (fact,)


def _day(text: str, *, field: str, today: date) -> str:
    if not text:
        return today.isoformat()
    if read_day(text, field=field) > today:
        raise InvalidArgument("This day lies in the future.", reason="IN_THE_FUTURE", field=field)
    return text

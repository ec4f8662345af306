"""The verbs of people who come and go: moves, deaths, entries made by mistake, and taking them back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from msgspec.structs import replace

from population.domain.facts import (
    ResidenceEnded,
    ResidenceStarted,
    ResidentDied,
    ResidentMoved,
    ResidentRestored,
    ResidentVoided,
)
from population.domain.residence import Residence, ResidenceDraft, ResidenceKind
from population.domain.resident import Resident
from population.domain.standing import ResidentStatus, Standing
from population.operations.residences import day, ended, settled, start_residence
from population.policies.requests import CITY_DIGITS, Actor, check_revision, local_day
from population.policies.residences import OTHER_PLACE, REGISTERED_AWAY, is_home_area, lasting_residences
from population.policies.standing import away_since, check_death, check_here, check_restorable, check_return
from svckit.errors import InvalidArgument

MoveFact = ResidenceEnded | ResidenceStarted | ResidentMoved
LastFact = ResidenceEnded | ResidentDied | ResidentVoided | ResidentRestored | ResidenceStarted


def move_resident(
    resident: Resident, *, home: ResidenceDraft, residence_id: str, revision: int, now: datetime
) -> tuple[Resident, tuple[MoveFact, ...]]:
    """The person lives in another house of the city from a day on; what was home before ends the day before. Who moved out moves in again.

    Who moves becomes part of the area of the new home; how they lived is forgotten with the old one. Raises InvalidArgument (home, area,
    OTHER_CITY, BEFORE_LEAVING), FailedPrecondition (ALREADY_LIVES_THERE, DEPARTED).
    """
    check_revision(revision, resident.revision)
    away = away_since(resident)
    if away is None:
        check_here(resident)
    area = home.area_code or resident.area_code
    if not is_home_area(area):
        raise InvalidArgument("A home lies in a community or grid.", reason="AREA_INVALID", field="home.area_code")
    if area[:CITY_DIGITS] != resident.city:
        raise InvalidArgument("Another city keeps its own register: use `away`.", reason="OTHER_CITY", field="home.area_code")
    since = day(home.since, field="home.since", today=local_day(now))
    check_return(away, since=since, field="home.since")
    homes = [item for item in lasting_residences(resident.residences, ResidenceKind.ACTUAL) if item.house_id != home.house_id]
    left, gone = ended(resident, homes, until=_day_before(since), now=now)
    moved = replace(left, area_code=area, living=None, standing=None)
    draft = replace(home, area_code=area, since=since, kind=ResidenceKind.ACTUAL)
    housed, came = start_residence(moved, draft=draft, residence_id=residence_id, revision=0, now=now, field="home")
    fact = ResidentMoved(
        resident_id=resident.resident_id,
        from_area_code=away.to_area_code if away else resident.area_code,
        to_area_code=area,
        out=False,
        moved_on=since,
        at=now,
    )
    return housed, (*gone, *came, fact)


def move_away(
    resident: Resident, *, to_area_code: str, until: str, reason: str, by: Actor, revision: int, now: datetime
) -> tuple[Resident, tuple[MoveFact, ...]]:
    """The person leaves the city on a day. Who stays registered here stays in the register, as living elsewhere (户籍人户分离, 02).

    Raises InvalidArgument (day, SAME_CITY), FailedPrecondition (DEPARTED).
    """
    check_revision(revision, resident.revision)
    check_here(resident)
    if to_area_code[:CITY_DIGITS] == resident.city:
        raise InvalidArgument("This lies in the same city: name the home.", reason="SAME_CITY", field="away.to_area_code")
    last_day = day(until, field="away.until", today=local_day(now))
    homes = list(lasting_residences(resident.residences, ResidenceKind.ACTUAL))
    left, gone = ended(replace(resident, living=None), homes, until=last_day, now=now)
    fact = ResidentMoved(
        resident_id=resident.resident_id,
        from_area_code=resident.area_code,
        to_area_code=to_area_code,
        out=True,
        moved_on=last_day,
        at=now,
    )
    if any(item.area_code.startswith(resident.city) for item in lasting_residences(left.residences, ResidenceKind.REGISTERED)):
        return replace(left, match_flag=OTHER_PLACE, resident_type=REGISTERED_AWAY), (*gone, fact)
    standing = Standing(
        status=ResidentStatus.MOVED_OUT,
        since=last_day,
        at=now,
        by=by.subject,
        reason=reason,
        to_area_code=to_area_code,
        ended_residence_ids=_ids(homes),
    )
    return replace(left, standing=standing), (*gone, fact)


def record_death(
    resident: Resident, *, died_on: str, reason: str, by: Actor, revision: int, now: datetime
) -> tuple[Resident, tuple[LastFact, ...]]:
    """Enters a death; all residences end that day. Raises InvalidArgument (day), FailedPrecondition (DEPARTED)."""
    check_revision(revision, resident.revision)
    check_here(resident)
    check_death(resident, died_on=died_on, today=local_day(now))
    gone, ends = _departed(resident, ResidentStatus.DECEASED, since=died_on, reason=reason, by=by, now=now)
    died = ResidentDied(resident_id=resident.resident_id, area_code=resident.area_code, died_on=died_on, at=now)
    return gone, (*ends, died)


def void_resident(
    resident: Resident, *, reason: str, by: Actor, revision: int, now: datetime
) -> tuple[Resident, tuple[LastFact, ...]]:
    """Takes out an entry that was made by mistake. Raises FailedPrecondition (DEPARTED)."""
    check_revision(revision, resident.revision)
    check_here(resident)
    today = local_day(now).isoformat()
    gone, ends = _departed(resident, ResidentStatus.VOID, since=today, reason=reason, by=by, now=now)
    return gone, (*ends, ResidentVoided(resident_id=resident.resident_id, area_code=resident.area_code, at=now))


def restore_resident(resident: Resident, *, revision: int, now: datetime) -> tuple[Resident, tuple[LastFact, ...]]:
    """Takes back a death, a move out or a voiding: what it ended lasts again. Raises FailedPrecondition (NOT_DEPARTED, IS_MERGED)."""
    check_revision(revision, resident.revision)
    standing = check_restorable(resident)
    back, starts = resumed(replace(resident, standing=None), standing.ended_residence_ids, now=now)
    restored = ResidentRestored(
        resident_id=resident.resident_id, area_code=resident.area_code, from_status=standing.status, at=now
    )
    return back, (*starts, restored)


def resumed(
    resident: Resident, residence_ids: tuple[str, ...], *, now: datetime
) -> tuple[Resident, tuple[ResidenceStarted, ...]]:
    """Makes ended residences last again."""
    residences = tuple(replace(item, until="") if item.residence_id in residence_ids else item for item in resident.residences)
    starts = tuple(
        ResidenceStarted(
            resident_id=resident.resident_id,
            residence_id=item.residence_id,
            house_id=item.house_id,
            area_code=item.area_code,
            at=now,
        )
        for item in residences
        if item.residence_id in residence_ids
    )
    return settled(resident, residences=residences, now=now), starts


def _departed(
    resident: Resident, status: ResidentStatus, *, since: str, reason: str, by: Actor, now: datetime
) -> tuple[Resident, tuple[ResidenceEnded, ...]]:
    lasting = [item for item in resident.residences if not item.until]
    gone, facts = ended(resident, lasting, until=since, now=now)
    standing = Standing(status=status, since=since, at=now, by=by.subject, reason=reason, ended_residence_ids=_ids(lasting))
    # The kind of resident and whether the homes matched stay as they were last: statistics of the past need them.
    return replace(gone, standing=standing, resident_type=resident.resident_type, match_flag=resident.match_flag), facts


def _ids(residences: list[Residence]) -> tuple[str, ...]:
    return tuple(item.residence_id for item in residences)


def _day_before(text: str) -> str:
    return (date.fromisoformat(text) - timedelta(days=1)).isoformat()

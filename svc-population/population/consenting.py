"""What the worker does so that a person's will about their data holds for everything that is done for them. It never reaches grpc.

Who takes back consent (dsr R4) is on no register any more that rests on it; what the law asks for stays. What was restricted for one entry
is restricted for the one it was merged into.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from population.domain.care import CareEntry, CareState
from population.domain.data_request import PrivacyMarks
from population.domain.life_event import LifeEvent, LifeEventState
from population.domain.resident import Resident
from population.domain.welfare import WelfareState, WelfareWatch
from population.operations.care import end_care
from population.operations.data_rights import restrict
from population.operations.following_residents import SERVICE
from population.operations.life_events import withdraw_life_event
from population.operations.residents import changed_fact
from population.operations.welfare import end_watch
from population.policies.care import rests_on_law as care_rests_on_law
from population.policies.data_rights import WITHDRAW_CONSENT
from population.policies.life_events import rests_on_law as event_rests_on_law
from population.working import Working
from svckit.access import Caller
from svckit.batch import all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change, Decide, utc_now

_BY_ITSELF = Caller(subject=SERVICE)


class Consenting(Working):
    """Mixed into the worker."""

    privacy_marks = Documents("privacy_marks", state_cls=PrivacyMarks, id_field="resident_id")

    @handles("population.data_request_completed.v1")
    def end_what_was_agreed_to(self, events: list[Event]) -> None:
        """Ends care, watches and open work that rest on consent, and forgets what was told for one's own activities."""
        fields = [event.fields() for event in events]
        ids = sorted({one["resident_id"] for one in fields if one["kind"] == WITHDRAW_CONSENT})
        for repository, decide in (
            (self.care, _left),
            (self.watches, _unwatched),
            (self.life_events, _withdrawn),
        ):
            rows = repository.collection.find({"resident_id": {"$in": ids}}, {"_id": True}) if ids else ()
            all_saved(repository.apply([Change(row["_id"], _if_there(decide)) for row in rows]))
        all_saved(self.residents.apply([Change(id, _if_there(_unaffiliated)) for id in ids]))

    @handles("population.resident_merged.v1")
    def keep_restrictions(self, events: list[Event]) -> None:
        """Restricts the entry that goes on where the merged one was."""
        into = {one["resident_id"]: one for one in (event.fields() for event in events)}
        restricted = self.privacy_marks.collection.find({"_id": {"$in": sorted(into)}, "restricted": True}, {"reason": True})
        changes = [
            Change(into[row["_id"]]["merged_into"], partial(_restricted, merged=into[row["_id"]], reason=row.get("reason", "")))
            for row in restricted
        ]
        all_saved(self.privacy_marks.apply(changes))


def _left(entry: CareEntry, now: datetime) -> Any:
    holds = entry.state in (CareState.ACTIVE, CareState.EXPIRED) and not care_rests_on_law(entry)
    return end_care(entry, reason="", withdrawn=True, now=now) if holds else (entry, ())


def _unwatched(watch: WelfareWatch, now: datetime) -> Any:
    return end_watch(watch, by=_BY_ITSELF, now=now) if watch.state is WelfareState.ACTIVE else (watch, ())


def _withdrawn(event: LifeEvent, now: datetime) -> Any:
    holds = event.state is LifeEventState.OPEN and not event_rests_on_law(event)
    return withdraw_life_event(event, now=now) if holds else (event, ())


def _unaffiliated(resident: Resident, now: datetime) -> Any:
    if resident.affiliation is None:
        return resident, ()
    changed = replace(resident, affiliation=None, changed_at=now)
    return changed, (changed_fact(changed, ["affiliation"], now=now),)


def _restricted(marks: PrivacyMarks | None, *, merged: dict[str, Any], reason: str) -> Any:
    now = utc_now()
    marks = marks or PrivacyMarks(resident_id=merged["merged_into"], area_code=merged["area_code"], changed_at=now)
    return restrict(marks, reason=reason, now=now), ()


def _if_there(decide: Callable[[Any, datetime], Any]) -> Decide:
    """There is nothing to do for what is gone."""
    now = utc_now()
    return lambda state: (None, ()) if state is None else decide(state, now)

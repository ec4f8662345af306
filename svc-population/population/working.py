"""What the worker does for dynamic collection, life events, the care register and welfare alerts. It never reaches grpc."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache, partial
from typing import Any

from nameko.timer import timer
from pymongo.errors import PyMongoError

from population.domain.care import CareEntry, CareState, VisitPlan, VisitPlanState
from population.domain.collection import FieldLedger
from population.domain.life_event import LifeEvent
from population.domain.resident import Resident
from population.domain.welfare import WelfareWatch
from population.life_event_feed import Birthdays, Interrupted
from population.operations.care import end_plan, expire_care, plan_for_care, turn_period
from population.operations.following_ledgers import follow_ledger
from population.operations.welfare import turn_alert
from population.policies.life_events import days_between
from population.policies.requests import local_day
from svckit.batch import BatchRepository, all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change, Decide, utc_now
from svckit.due import DueDocuments
from svckit.errors import Unavailable
from svckit.lease import Lease

_log = logging.getLogger(__name__)
_LOADED = {"outbox": False, "commands": False, "created_by": False}
BIRTHDAYS = "birthdays"
_LEASE_SECONDS = 30.0


class Working:
    """Handlers and timers; `PopulationWorker` is one."""

    residents = Documents("residents", state_cls=Resident, id_field="resident_id")
    ledgers = Documents("field_ledgers", state_cls=FieldLedger, id_field="resident_id")
    life_events = Documents("life_events", state_cls=LifeEvent, id_field="life_event_id")
    care = Documents("care_entries", state_cls=CareEntry, id_field="care_id")
    plans = Documents("visit_plans", state_cls=VisitPlan, id_field="plan_id")
    watches = Documents("welfare_watches", state_cls=WelfareWatch, id_field="watch_id")

    @handles("population.fields_accepted.v1")
    def follow_ledgers(self, events: list[Event]) -> None:
        """Takes accepted values into the register."""
        fields = [event.fields() for event in events]
        ledgers = _states(self.ledgers, {one["resident_id"] for one in fields})
        changes = [
            event.change(id=one["resident_id"], decide=_following(ledgers[one["resident_id"]], one["fields"]))
            for event, one in zip(events, fields, strict=True)
            if one["resident_id"] in ledgers
        ]
        all_saved(self.residents.apply(changes))

    @handles("population.care_entered.v1", "population.care_left.v1")
    def plan_visits(self, events: list[Event]) -> None:
        """Plans the visits of who is on the register, and no more of who left it, as the register stands now."""
        ids = {event.fields()["care_id"] for event in events}
        entries = _states(self.care, ids)
        changes = [Change(id, _planning(entries[id])) for id in sorted(ids) if id in entries and entries[id].cadence_days]
        all_saved(self.plans.apply(changes))

    @timer(interval=5)
    def turn_periods(self) -> None:
        """Closes the periods of visits that ended."""
        _periods_of(self.plans).work()

    @timer(interval=10)
    def expire_entries(self) -> None:
        """Lets entries of the care register expire."""
        _expiries_of(self.care).work()

    @timer(interval=1)
    def turn_alerts(self) -> None:
        """Begins the next stage of alerts whose clock ran out."""
        _alerts_of(self.watches).work()

    @timer(interval=30)
    def bring_birthdays(self) -> None:
        """Makes the work of birthdays, once a day, also of days on which no worker ran."""
        try:
            bring_birthdays(residents=self.residents, events=self.life_events, now=utc_now(), election_day=election_day())
        except Interrupted:
            _log.info("another worker brings the birthdays")
        except (Unavailable, PyMongoError) as error:
            _log.warning("birthdays wait: %s", type(error).__name__)


def bring_birthdays(
    *, residents: BatchRepository[Resident], events: BatchRepository[LifeEvent], now: datetime, election_day: date | None
) -> int:
    """Brings the birthdays of all days since the last run and notes how far it came; returns how many orders it asked for.

    The first run of all begins with today. Told again, a birthday makes nothing: breaking off in the middle does no harm. Raises
    Interrupted, Unavailable, PyMongoError.
    """
    progress = events.collection.database["progress"]
    today = local_day(now)
    done = progress.find_one({"_id": BIRTHDAYS})
    through = date.fromisoformat(done["through"]) if done else date.fromordinal(today.toordinal() - 1)
    days = days_between(through, now)
    lease = Lease(events.collection.database["leases"], BIRTHDAYS, seconds=_LEASE_SECONDS)
    if not days or not lease.hold():
        return 0
    birthdays = Birthdays(residents=residents.collection, events=events, election_day=election_day)
    brought = birthdays.bring(days, holding=lease.hold)
    progress.update_one({"_id": BIRTHDAYS}, {"$set": {"through": today.isoformat()}}, upsert=True)
    _log.info("%d birthdays of %d days", brought, len(days))
    return brought


@cache
def election_day() -> date | None:
    """Returns election day as the settings have it, None when none is announced."""
    from population.elections import election_day_from_env

    return election_day_from_env()


def _states(repository: BatchRepository[Any], ids: set[str]) -> dict[str, Any]:
    found = repository.collection.find({"_id": {"$in": list(ids)}}, _LOADED)
    return {row["_id"]: repository.form.state(row) for row in found}


def _following(ledger: FieldLedger, fields: Sequence[str]) -> Decide:
    return _if_there(partial(follow_ledger, ledger=ledger, fields=frozenset(fields), now=utc_now()))


def _planning(entry: CareEntry) -> Decide:
    now = utc_now()

    def decide(plan: VisitPlan | None) -> Any:
        if entry.state is CareState.ACTIVE:
            return plan_for_care(plan, entry=entry, now=now)
        if plan is None or plan.state is VisitPlanState.ENDED:
            return plan, ()
        return end_plan(plan, now=now)

    return decide


@cache
def _periods_of(plans: BatchRepository[VisitPlan]) -> DueDocuments[VisitPlan]:
    return DueDocuments(plans, field="next_turn_at", decide=_at(turn_period))


@cache
def _expiries_of(care: BatchRepository[CareEntry]) -> DueDocuments[CareEntry]:
    return DueDocuments(care, field="expires_at", decide=_at(expire_care))


@cache
def _alerts_of(watches: BatchRepository[WelfareWatch]) -> DueDocuments[WelfareWatch]:
    return DueDocuments(watches, field="next_turn_at", decide=_at(turn_alert))


def _at(decide: Callable[..., Any]) -> Callable[[datetime], Decide]:
    return lambda now: _if_there(partial(decide, now=now))


def _if_there(decide: Callable[[Any], Any]) -> Decide:
    """There is nothing to do for what is gone."""
    return lambda state: (None, ()) if state is None else decide(state)

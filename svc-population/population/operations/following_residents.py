"""What is done for people goes where they go: it ends when they are gone, begins again when that was a mistake, follows moves and merges.

Everything is decided from the register as it stands, never from what a fact said: told twice or in another order, it comes to the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from population.domain.care import CareEntered, CareEntry, CareLeft, CareState, VisitPlan, VisitPlanState
from population.domain.collection import FieldCheckOpened, FieldLedger
from population.domain.elder import ElderOrder, ElderOrderState
from population.domain.life_event import LifeEvent, LifeEventDropped, LifeEventReceived, LifeEventState
from population.domain.resident import Resident
from population.domain.standing import Aside
from population.domain.welfare import AlertStage, WelfareAlertOver, WelfareState, WelfareWatch
from population.operations.care import PlanDone, new_period, resume_plan
from population.policies.care import check_care, check_plan, end_of
from population.policies.collection import CHECK_WITHIN
from population.policies.elder import check_order
from population.policies.life_events import MOVE_OUT, check_life_event
from population.policies.standing import is_gone, left_house, outlasts

SERVICE = "svc-population"
TOLD = {Aside.DEPARTED: "居民已不在此居住, 自动结束", Aside.DOUBLE: "登记合并后重复, 自动结束"}
"""What people read of something that ended by itself."""
Work = TypeVar("Work", CareEntry, VisitPlan, WelfareWatch, LifeEvent, ElderOrder)


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """For whom something is done: `owner` is the entry it was made for, `resident` the one that stands for that person today.

    `double` tells that the same is done for the person already, because two entries became one.
    """

    owner: str
    resident: Resident
    double: bool = False


def standing_for(owner: str, residents: Mapping[str, Resident]) -> Resident | None:
    """Returns the entry that stands for another one after all merges; None when there is none, or not all of them are at hand."""
    found, seen = residents.get(owner), {owner}
    while found is not None and found.standing is not None and (into := found.standing.merged_into):
        if into in seen:
            return None
        seen.add(into)
        found = residents.get(into)
    return found


def follow_care(entry: CareEntry, *, stand: Stand, now: datetime) -> tuple[CareEntry, tuple[CareEntered | CareLeft, ...]]:
    """An entry of the care register; what ended otherwise stays ended."""
    active = entry.state is CareState.ACTIVE
    if not active and entry.set_aside is None:
        return entry, ()
    bound, aside = _bound(entry, stand), _aside(entry.set_aside, stand, gone=is_gone(stand.resident))
    if active is (aside is None):
        return _noted(entry, replace(bound, set_aside=aside), now), ()
    if aside is None:
        back = replace(bound, state=check_care(entry, "take_up"), set_aside=None, ended_at=None, end_reason="", changed_at=now)
        back = replace(back, expires_at=end_of(date.fromisoformat(entry.expires_on)))
        return back, (CareEntered(care_id=entry.care_id, area_code=back.area_code, at=now),)
    left = replace(bound, state=check_care(entry, "end"), set_aside=aside, ended_at=now, end_reason=TOLD[aside], changed_at=now)
    told = CareLeft(care_id=entry.care_id, area_code=left.area_code, state=left.state, at=now)
    return replace(left, expires_at=None), (told,)


def follow_plan(plan: VisitPlan, *, stand: Stand, now: datetime) -> PlanDone:
    """A visit plan. The period in which a person goes counts for nothing; in another grid a new one begins."""
    active = plan.state is VisitPlanState.ACTIVE
    if not active and plan.set_aside is None:
        return plan, ()
    bound, aside = _bound(plan, stand), _aside(plan.set_aside, stand, gone=is_gone(stand.resident))
    if active is (aside is None):
        if active and bound.area_code != plan.area_code:
            return new_period(replace(bound, set_aside=None, kept=plan.kept + plan.visited, changed_at=now), start=now)
        return _noted(plan, replace(bound, set_aside=aside), now), ()
    if aside is None:
        return resume_plan(bound, now=now)
    return replace(bound, state=check_plan(plan, "end"), set_aside=aside, next_turn_at=None, changed_at=now), ()


def follow_watch(watch: WelfareWatch, *, stand: Stand, now: datetime) -> tuple[WelfareWatch, tuple[WelfareAlertOver, ...]]:
    """A house that is looked after: for good no more when the person moved to another one, for consent is given for a house."""
    active = watch.state is WelfareState.ACTIVE
    if not active and watch.set_aside is None:
        return watch, ()
    gone = stand.resident.standing is not None
    bound, aside = _bound(watch, stand, area_code=_area_of_house(watch, stand)), _aside(watch.set_aside, stand, gone=gone)
    if not gone and left_house(stand.resident, watch.house_id):
        ended = _unwatched(bound, now)
        return replace(ended, set_aside=None, contacts=None, away_until="", heard_of=""), _over(watch, now)
    if active is (aside is None):
        return _noted(watch, replace(bound, set_aside=aside), now), ()
    if aside is None:
        return replace(bound, state=WelfareState.ACTIVE, set_aside=None, ended_at=None, changed_at=now), ()
    return replace(_unwatched(bound, now), set_aside=aside), _over(watch, now)


def follow_life_event(
    event: LifeEvent, *, stand: Stand, now: datetime
) -> tuple[LifeEvent, tuple[LifeEventReceived | LifeEventDropped, ...]]:
    """The open work of a life event. A death is dealt with after it, a departure where the person lived."""
    is_open = event.state is LifeEventState.OPEN
    if not is_open and event.set_aside is None:
        return event, ()
    area_code = event.area_code if event.rule == MOVE_OUT else stand.resident.area_code
    gone = is_gone(stand.resident) and not outlasts(event.rule, stand.resident)
    bound, aside = _bound(event, stand, area_code=area_code), _aside(event.set_aside, stand, gone=gone)
    if is_open is (aside is None):
        noted = _noted(event, replace(bound, set_aside=aside), now)
        return noted, ((_received(noted, now),) if is_open and noted.area_code != event.area_code else ())
    if aside is None:
        # The work gets back the time it had when it ended.
        due_at = event.due_at + (now - event.changed_at)
        state = check_life_event(event, "take_up")
        back = replace(bound, state=state, set_aside=None, result="", due_at=due_at, changed_at=now)
        return back, (_received(back, now),)
    state = check_life_event(event, "cancel")
    dropped = replace(bound, state=state, set_aside=aside, result=TOLD[aside], changed_at=now)
    told = LifeEventDropped(
        life_event_id=event.life_event_id, rule=event.rule, area_code=dropped.area_code, state=state, at=now
    )
    return dropped, (told,)


def follow_order(order: ElderOrder, *, stand: Stand, now: datetime) -> tuple[ElderOrder, tuple[()]]:
    """A service that was ordered and not given yet: nobody is served who is gone. Prices were agreed on where it was ordered."""
    if order.state not in (ElderOrderState.PLACED, ElderOrderState.TAKEN):
        return order, ()
    bound = _bound(order, stand, area_code=order.area_code)
    if is_gone(stand.resident):
        state = check_order(order, "cancel")
        return replace(bound, state=state, reason=TOLD[Aside.DEPARTED], changed_at=now), ()
    return _noted(order, bound, now), ()


def follow_fields(
    ledger: FieldLedger, *, resident: Resident, now: datetime
) -> tuple[FieldLedger, tuple[FieldCheckOpened, ...]]:
    """The ledger of a person, with the check in it: nobody goes and looks at who is gone. An entry that was merged has left, too."""
    moved = ledger.area_code != resident.area_code
    placed = replace(ledger, city=resident.city, area_code=resident.area_code) if moved else ledger
    if is_gone(resident):
        if ledger.check is None:
            return _noted(ledger, placed, now), ()
        return replace(placed, check=None, check_due_at=None, check_aside=ledger.check, changed_at=now), ()
    if ledger.check is None and ledger.check_aside is not None:
        again = replace(ledger.check_aside, opened_at=now, due_at=now + CHECK_WITHIN)
        back = replace(placed, check=again, check_due_at=again.due_at, check_aside=None, changed_at=now)
        return back, (_check_opened(back, now),)
    noted = _noted(ledger, replace(placed, check_aside=None), now)
    return noted, ((_check_opened(noted, now),) if moved and ledger.check else ())


# ------------------------------------------------------------------------------------------------- parts


def _bound(work: Work, stand: Stand, *, area_code: str | None = None) -> Work:
    """The same for whoever stands for the person today, where that one lives, unless an area is given."""
    resident = stand.resident
    return replace(
        work,
        resident_id=resident.resident_id,
        entered_for=stand.owner if stand.owner != resident.resident_id else "",
        area_code=resident.area_code if area_code is None else area_code,
    )


def _aside(before: Aside | None, stand: Stand, *, gone: bool) -> Aside | None:
    """What was double stays so until the entries stand apart again, even when the other one was ended by people meanwhile."""
    if gone:
        return before or Aside.DEPARTED
    if before is Aside.DOUBLE and stand.owner != stand.resident.resident_id:
        return Aside.DOUBLE
    return Aside.DOUBLE if stand.double else None


Noted = TypeVar("Noted", CareEntry, VisitPlan, WelfareWatch, LifeEvent, ElderOrder, FieldLedger)


def _noted(before: Noted, after: Noted, now: datetime) -> Noted:
    return before if before == after else replace(after, changed_at=now)


def _area_of_house(watch: WelfareWatch, stand: Stand) -> str:
    there = [one for one in stand.resident.residences if one.house_id == watch.house_id and not one.until]
    return there[0].area_code if there else watch.area_code


def _unwatched(watch: WelfareWatch, now: datetime) -> WelfareWatch:
    """Ends a watch by itself; what is needed to begin it again stays until it is removed like all that ended."""
    ended_at = now if watch.state is WelfareState.ACTIVE else watch.ended_at
    return replace(watch, state=WelfareState.ENDED, ended_at=ended_at, alert=None, next_turn_at=None, changed_at=now)


def _over(watch: WelfareWatch, now: datetime) -> tuple[WelfareAlertOver, ...]:
    alert = watch.alert
    if watch.state is not WelfareState.ACTIVE or alert is None or alert.stage is AlertStage.OVER:
        return ()
    named = {"alert_id": alert.alert_id, "watch_id": watch.watch_id, "area_code": watch.area_code}
    return (WelfareAlertOver(**named, stage=alert.stage, by=SERVICE, at=now),)


def _received(event: LifeEvent, now: datetime) -> LifeEventReceived:
    return LifeEventReceived(
        life_event_id=event.life_event_id,
        rule=event.rule,
        area_code=event.area_code,
        source=event.sources[0] if event.sources else SERVICE,
        assignee_role=event.assignee_role,
        due_at=event.due_at,
        at=now,
    )


def _check_opened(ledger: FieldLedger, now: datetime) -> FieldCheckOpened:
    assert ledger.check is not None
    check = ledger.check
    return FieldCheckOpened(
        check_id=check.check_id,
        resident_id=ledger.resident_id,
        area_code=ledger.area_code,
        fields=check.fields,
        sources=check.sources,
        due_at=check.due_at,
        at=now,
    )

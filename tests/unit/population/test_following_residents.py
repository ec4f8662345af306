"""What is done for people follows them: whatever happens in whatever order, it comes to what the register says at the end."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from population.accompanying import _KINDS, _changes
from population.domain.care import CareEntered, CareEntry, CareLeft, CareState, VisitPlan, VisitPlanState
from population.domain.collection import FieldCheck, FieldLedger
from population.domain.elder import ElderOrder, ElderOrderState
from population.domain.life_event import Consent, LifeEvent, LifeEventReport, LifeEventState, Subject
from population.domain.residence import Residence
from population.domain.resident import Resident
from population.domain.secret import Secret
from population.domain.standing import Aside, ResidentStatus, Standing
from population.domain.welfare import AlertCause, AlertStage, WelfareAlert, WelfareState, WelfareWatch
from population.operations import care
from population.operations.following_residents import (
    Stand,
    follow_care,
    follow_fields,
    follow_life_event,
    follow_order,
    follow_plan,
    follow_watch,
    standing_for,
)
from population.operations.life_events import receive
from population.policies.standing import check_lives_here, is_gone
from svckit.errors import FailedPrecondition

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=2)
GRID, OTHER = "42050200100310001", "42050200100310002"
HOME = Residence(residence_id="x", house_id="h", area_code=GRID, since="2020-01-01")


def resident(id: str = "a", *, status: ResidentStatus | None = None, into: str = "", **fields: Any) -> Resident:
    standing = Standing(status=status, since="2026-11-01", at=NOW, by="clerk", merged_into=into) if status else None
    known: dict[str, Any] = {
        "resident_id": id,
        "city": "4205",
        "area_code": GRID,
        "name": "王小明",
        "sex": "1",
        "birth_date": "1950-06-07",
        "id_doc_type": "111",
        "resident_type": "01",
        "created_at": NOW,
        "changed_at": NOW,
        "residences": (replace(HOME, until="2026-11-01") if status else HOME,),
        "standing": standing,
    }
    return Resident(**(known | fields))


def entry(id: str = "a", **fields: Any) -> CareEntry:
    known: dict[str, Any] = {
        "care_id": f"c-{id}",
        "resident_id": id,
        "category": "1003",
        "state": CareState.ACTIVE,
        "city": "4205",
        "area_code": GRID,
        "consent": "given",
        "responsible_role": "GRID_WORKER",
        "cadence_days": 7,
        "expires_on": "2027-11-21",
        "expires_at": NOW + dt.timedelta(days=365),
        "entered_by": "w",
        "entered_at": NOW,
        "changed_at": NOW,
    }
    return CareEntry(**(known | fields))


def plan(id: str = "a", rule: str = "VC1") -> VisitPlan:
    return care.start_plan(plan_id=f"p-{id}", rule=rule, area_code=GRID, resident_id=id, now=NOW)[0]


def watch(**fields: Any) -> WelfareWatch:
    known: dict[str, Any] = {
        "watch_id": "w",
        "state": WelfareState.ACTIVE,
        "city": "4205",
        "area_code": GRID,
        "resident_id": "a",
        "house_id": "h",
        "started_at": NOW,
        "changed_at": NOW,
        "contacts": Secret(cipher=b"c", index=b"i"),
        "alert": WelfareAlert(alert_id="x", cause=AlertCause.NO_WATER, stage=AlertStage.CALL, raised_at=NOW, due_at=LATER),
        "next_turn_at": LATER,
    }
    return WelfareWatch(**(known | fields))


def event(rule: str = "LE07") -> LifeEvent:
    return LifeEvent(
        life_event_id="e",
        rule=rule,
        state=LifeEventState.OPEN,
        city="4205",
        area_code=GRID,
        occurred_on="2026-11-01",
        sources=("HRSS",),
        task="推送岗位",
        assignee_role="GRID_WORKER",
        received_at=NOW,
        due_at=NOW + dt.timedelta(days=10),
        changed_at=NOW,
        resident_id="a",
    )


def stand(one: Resident, owner: str = "a", *, double: bool = False) -> Stand:
    return Stand(owner=owner, resident=one, double=double)


GONE = [resident(status=one) for one in (ResidentStatus.DECEASED, ResidentStatus.MOVED_OUT, ResidentStatus.VOID)]
GONE.append(resident(resident_type="02", residences=(replace(HOME, until="2026-11-01"),)))


@pytest.mark.parametrize("gone", GONE)
def test_what_is_done_ends_with_who_is_gone_and_begins_again_with_who_is_back(gone: Resident) -> None:
    ended, told = follow_care(entry(), stand=stand(gone), now=NOW)
    assert (ended.state, ended.set_aside, ended.expires_at) == (CareState.ENDED, Aside.DEPARTED, None)
    assert [type(one) for one in told] == [CareLeft]
    assert follow_care(ended, stand=stand(gone), now=LATER) == (ended, ())
    back, told = follow_care(ended, stand=stand(resident()), now=LATER)
    assert replace(back, changed_at=NOW) == entry(expires_at=dt.datetime(2027, 11, 21, 16, tzinfo=dt.UTC))
    assert [type(one) for one in told] == [CareEntered]
    asleep, facts = follow_plan(plan(), stand=stand(gone), now=LATER)
    assert (asleep.state, asleep.next_turn_at, facts) == (VisitPlanState.ENDED, None, ())
    assert care.turn_period(asleep, now=LATER + dt.timedelta(days=900)) == (asleep, ())
    awake, (planned,) = follow_plan(asleep, stand=stand(resident()), now=LATER)
    assert (awake.period_start, planned.period_start, awake.missed) == (LATER, LATER, 0)


def test_what_people_ended_stays_ended() -> None:
    ended, _ = care.end_care(entry(), reason="好转", withdrawn=False, now=NOW)
    over = care.end_plan(plan(), now=NOW)[0]
    for one in (resident(), *GONE):
        assert follow_care(ended, stand=stand(one), now=LATER) == (ended, ())
        assert follow_plan(over, stand=stand(one), now=LATER) == (over, ())


def test_a_move_brings_everything_to_the_new_grid_and_the_old_one_is_not_blamed() -> None:
    moved = resident(
        area_code=OTHER, residences=(replace(HOME, until="2026-11-01"), replace(HOME, house_id="n", area_code=OTHER))
    )
    assert follow_care(entry(), stand=stand(moved), now=LATER)[0].area_code == OTHER
    there, (planned,) = follow_plan(plan(), stand=stand(moved), now=LATER)
    assert (there.area_code, planned.area_code, planned.period_start, there.missed) == (OTHER, OTHER, LATER, 0)
    assert follow_plan(there, stand=stand(moved), now=LATER) == (there, ())
    event_there, (told,) = follow_life_event(event(), stand=stand(moved), now=LATER)
    assert (event_there.area_code, told.area_code) == (OTHER, OTHER)
    # Whether somebody left is seen where they left.
    assert follow_life_event(event("LE04"), stand=stand(moved), now=LATER) == (event("LE04"), ())
    unwatched, (over,) = follow_watch(watch(), stand=stand(moved), now=LATER)
    assert (unwatched.state, unwatched.contacts, unwatched.next_turn_at, unwatched.set_aside) == ("ended", None, None, None)
    assert over.alert_id == "x"


def test_a_watch_waits_for_who_may_come_back_and_ends_no_alert_twice() -> None:
    asleep, (over,) = follow_watch(watch(), stand=stand(GONE[0]), now=LATER)
    assert (over.by, asleep.next_turn_at, asleep.alert) == ("svc-population", None, None)
    assert follow_watch(asleep, stand=stand(GONE[0]), now=LATER) == (asleep, ())
    awake, told = follow_watch(asleep, stand=stand(resident()), now=LATER)
    assert (awake.state, awake.contacts, told) == (WelfareState.ACTIVE, watch().contacts, ())


@pytest.mark.parametrize(
    ("rule", "status", "remains"),
    [
        ("LE02", ResidentStatus.DECEASED, True),
        ("LE04", ResidentStatus.MOVED_OUT, True),
        ("LE04", ResidentStatus.DECEASED, False),
        ("LE07", ResidentStatus.DECEASED, False),
        ("LE02", ResidentStatus.VOID, False),
    ],
)
def test_a_death_is_dealt_with_after_it(rule: str, status: ResidentStatus, remains: bool) -> None:
    after, told = follow_life_event(event(rule), stand=stand(resident(status=status)), now=LATER)
    assert (after.state is LifeEventState.OPEN) is remains
    assert bool(told) is not remains
    back, _ = follow_life_event(after, stand=stand(resident()), now=LATER + dt.timedelta(days=3))
    assert (back.state, back.result) == (LifeEventState.OPEN, "")
    assert back.due_at - event().due_at == (dt.timedelta(0) if remains else dt.timedelta(days=3))


@pytest.mark.parametrize(
    ("rule", "status", "refused"),
    [
        ("LE02", ResidentStatus.DECEASED, False),
        ("LE06", ResidentStatus.DECEASED, True),
        ("LE02", ResidentStatus.MERGED, True),
        ("LE06", ResidentStatus.VOID, True),
        ("LE06", ResidentStatus.MOVED_OUT, False),
    ],
)
def test_nothing_is_begun_for_the_dead_but_their_death(rule: str, status: ResidentStatus, refused: bool) -> None:
    report = LifeEventReport(rule=rule, occurred_on="2026-11-01", resident_id="a", consent=Consent.INFORMED)
    subject = Subject(key="a", area_code=GRID, resident_id="a", status=status)
    with pytest.raises(FailedPrecondition) if refused else contextlib.nullcontext() as raised:
        receive(None, report=report, subject=subject, source="CIVIL", now=NOW)
    assert raised is None or raised.value.reason == "DEPARTED"


def test_nobody_goes_and_looks_at_who_is_gone() -> None:
    check = FieldCheck(check_id="k", fields=("phone",), sources=("CIVIL",), opened_at=NOW, due_at=NOW)
    ledger = FieldLedger(resident_id="a", city="4205", area_code=GRID, changed_at=NOW, check=check, check_due_at=check.due_at)
    closed, told = follow_fields(ledger, resident=GONE[0], now=LATER)
    assert (closed.check, closed.check_due_at, told) == (None, None, ())
    assert follow_fields(closed, resident=GONE[0], now=LATER) == (closed, ())
    opened, (again,) = follow_fields(closed, resident=resident(area_code=OTHER), now=LATER)
    assert (opened.check is not None, opened.check_aside, again.area_code) == (True, None, OTHER)
    assert again.due_at == opened.check_due_at == LATER + dt.timedelta(days=7)


def test_a_service_nobody_can_be_given_is_cancelled() -> None:
    order = ElderOrder(
        order_id="o",
        state=ElderOrderState.TAKEN,
        city="4205",
        area_code=GRID,
        resident_id="a",
        provider_id="p",
        account="shop",
        items=(),
        placed_at=NOW,
        placed_by="w",
        due_at=NOW,
        changed_at=NOW,
    )
    assert follow_order(order, stand=stand(GONE[0]), now=LATER)[0].state is ElderOrderState.CANCELLED
    merged, _ = follow_order(order, stand=stand(resident("b")), now=LATER)
    assert (merged.resident_id, merged.entered_for, merged.state) == ("b", "a", ElderOrderState.TAKEN)


# ------------------------------------------------------------------------------------------------- merges


def settle(done: dict[str, Any], known: dict[str, Resident], kind: int) -> dict[str, Any]:
    after = dict(done)
    for change in _changes(_KINDS[kind], done, known):
        after[change.id] = change.decide(after[change.id])[0]
    return after


STATES = st.sampled_from(["here", "dead", "into_b", "into_c"])


@given(
    history=st.lists(
        st.tuples(STATES, st.sampled_from(["here", "dead", "into_c"]), st.sampled_from(["here", "dead"])), max_size=6
    )
)
def test_whatever_is_merged_and_taken_apart_comes_to_what_the_register_says(history: list[tuple[str, str, str]]) -> None:
    done: dict[str, Any] = {f"c-{id}": entry(id) for id in "abc"}
    plans: dict[str, Any] = {f"p-{id}": plan(id) for id in "abc"}
    for states in [*history, ("here", "here", "here")]:
        known = {}
        for id, state in zip("abc", states, strict=True):
            into = state.removeprefix("into_") if state.startswith("into_") else ""
            status = ResidentStatus.MERGED if into else ResidentStatus.DECEASED if state == "dead" else None
            known[id] = resident(id, status=status, into=into)
        done, plans = settle(done, known, 0), settle(plans, known, 1)
        assert settle(done, known, 0) == done
        active = [(one.resident_id, one.category) for one in done.values() if one.state is CareState.ACTIVE]
        # Once for every person who is here, under the entry that stands for them.
        assert sorted(active) == sorted((id, "1003") for id, one in known.items() if one.standing is None)
        assert len([one for one in plans.values() if one.state is VisitPlanState.ACTIVE]) == len(active)
    assert {id: (one.resident_id, one.entered_for, one.set_aside) for id, one in done.items()} == {
        f"c-{id}": (id, "", None) for id in "abc"
    }


def test_what_is_not_at_hand_or_goes_in_circles_is_left_alone() -> None:
    circle = {id: resident(id, status=ResidentStatus.MERGED, into=into) for id, into in (("a", "b"), ("b", "a"))}
    assert standing_for("a", circle) is None
    assert standing_for("z", circle) is None
    assert list(_changes(_KINDS[0], {"c-a": entry()}, circle)) == []


@pytest.mark.parametrize(("one", "reason"), [*((one, "DEPARTED") for one in GONE[:3]), (GONE[3], "LIVES_ELSEWHERE")])
def test_nothing_new_begins_for_who_is_gone(one: Resident, reason: str) -> None:
    assert is_gone(one)
    with pytest.raises(FailedPrecondition) as refused:
        check_lives_here(one)
    assert refused.value.reason == reason
    check_lives_here(resident())

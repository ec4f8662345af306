"""The life of a message: claims, failures, replays; against the table, and with workers that race and die."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation.domain.notice import DELIVERY_TRANSITIONS, Contact, Delivery, DeliveryState, NoticeChannel
from mediation.operations import deliveries as verbs
from mediation.operations.deliveries import FAILURES_KEPT, LEASE, LONGEST_PAUSE, MOST_TRIES, DeliveryInHand, pause_after
from mediation.quiet import Shift

NEVER = Shift(0, 0)
NIGHT = Shift(22 * 60, 7 * 60)
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
PENDING, SENDING, SENT, DEAD = DeliveryState


def delivery(**fields: object) -> Delivery:
    made = Delivery(
        delivery_id="d",
        channel=NoticeChannel.SMS,
        state=PENDING,
        recipient="li",
        contact=Contact(duty_id="x"),
        area_code="4205",
        notice_ids=("n",),
        notice_count=1,
        text="红灯",
        urgent=False,
        created_at=NOON,
        keep_until=NOON,
        next_at=NOON,
    )
    return replace(made, **fields)


def failed(
    one: Delivery, *, claim: str = "a", permanent: bool = False, quiet: Shift = NEVER, now: dt.datetime = NOON
) -> Delivery:
    return verbs.fail(one, claim_id=claim, reason="HTTP 503", permanent=permanent, quiet=quiet, now=now)


def test_of_two_workers_one_has_it() -> None:
    first = verbs.claim(delivery(), claim_id="a", now=NOON)
    assert (first.state, first.claimed_by, first.tries, first.next_at) == (SENDING, "a", 1, NOON + LEASE)
    assert verbs.claim(first, claim_id="b", now=NOON + LEASE - dt.timedelta(seconds=1)) is first
    assert verbs.claim(delivery(), claim_id="a", now=NOON - dt.timedelta(seconds=1)).state is PENDING


def test_who_lost_the_claim_says_nothing_any_more() -> None:
    second = verbs.claim(verbs.claim(delivery(), claim_id="a", now=NOON), claim_id="b", now=NOON + LEASE)
    assert (second.claimed_by, second.tries) == ("b", 2)
    assert verbs.confirm(second, claim_id="a", logged_only=False, now=NOON) is second
    assert failed(second, claim="a") is second
    sent = verbs.confirm(second, claim_id="b", logged_only=True, now=NOON)
    assert (sent.state, sent.next_at, sent.sent_at, sent.logged_only) == (SENT, None, NOON, True)


def test_pauses_grow_to_two_hours() -> None:
    assert [pause_after(tries).total_seconds() for tries in (1, 2, 3, 4, 5, 90)] == [30, 120, 480, 1920, 7200, 7200]
    assert pause_after(1) < LEASE


def test_it_is_given_up_after_the_last_try() -> None:
    one, now = delivery(), NOON
    for tries in range(1, MOST_TRIES + 1):
        one = failed(verbs.claim(one, claim_id="a", now=now), now=now)
        assert one.tries == tries
        now += LONGEST_PAUSE
    assert (one.state, one.next_at, len(one.failures)) == (DEAD, None, MOST_TRIES)


def test_what_cannot_succeed_is_given_up_at_once() -> None:
    assert failed(verbs.claim(delivery(), claim_id="a", now=NOON), permanent=True).state is DEAD


def test_a_message_that_kills_its_workers_is_given_up() -> None:
    one, now = delivery(), NOON
    for _ in range(MOST_TRIES):
        one = verbs.claim(one, claim_id="a", now=now)
        now += LEASE
    assert one.state is SENDING
    one = verbs.claim(one, claim_id="b", now=now)
    assert (one.state, one.failures[-1].reason) == (DEAD, "WORKER_LOST")


def test_tries_wait_for_the_end_of_the_night_unless_it_is_urgent() -> None:
    evening = dt.datetime(2026, 11, 22, 13, 59, 45, tzinfo=dt.UTC)
    morning = dt.datetime(2026, 11, 22, 23, tzinfo=dt.UTC)
    for urgent, expected in ((False, morning), (True, evening + dt.timedelta(seconds=30))):
        claimed = verbs.claim(delivery(urgent=urgent, next_at=evening), claim_id="a", now=evening)
        assert failed(claimed, quiet=NIGHT, now=evening).next_at == expected
        night = evening + dt.timedelta(hours=2)
        assert verbs.replay(delivery(urgent=urgent, state=DEAD), quiet=NIGHT, now=night).next_at == (
            night if urgent else morning
        )


@pytest.mark.parametrize("state", [SENT, DEAD])
def test_what_is_settled_can_be_sent_again(state: DeliveryState) -> None:
    again = verbs.replay(delivery(state=state, tries=9, next_at=None, sent_at=NOON), quiet=NEVER, now=NOON)
    assert (again.state, again.tries, again.next_at, again.sent_at) == (PENDING, 0, NOON, None)


@pytest.mark.parametrize("state", [PENDING, SENDING])
def test_what_is_in_hand_is_not_replayed(state: DeliveryState) -> None:
    with pytest.raises(DeliveryInHand, match="still being tried") as refused:
        verbs.replay(delivery(state=state), quiet=NEVER, now=NOON)
    assert refused.value.reason == "DELIVERY_IN_HAND"


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "confirm", "fail", "refuse", "replay"]), st.sampled_from("ab"), st.integers(0, 9000)),
    max_size=80,
)


@given(steps=STEPS, urgent=st.booleans())
def test_every_life_follows_the_table(steps: list[tuple[str, str, int]], urgent: bool) -> None:
    one, now = delivery(urgent=urgent), NOON
    moves = {(source, target) for sources, target in DELIVERY_TRANSITIONS.values() for source in sources}
    # A claim that comes too often gives up.
    moves |= {(SENDING, SENDING)}
    for verb, claim, seconds in steps:
        now += dt.timedelta(seconds=seconds)
        before = one
        if verb == "claim":
            one = verbs.claim(one, claim_id=claim, now=now)
        elif verb == "confirm":
            one = verbs.confirm(one, claim_id=claim, logged_only=False, now=now)
        elif verb in ("fail", "refuse"):
            one = failed(one, claim=claim, permanent=verb == "refuse", quiet=NIGHT, now=now)
        elif before.state in (SENT, DEAD):
            one = verbs.replay(one, quiet=NIGHT, now=now)
        if one is not before:
            assert (before.state, one.state) in moves
        assert (one.next_at is None) == (one.state in (SENT, DEAD)), "what is not settled will be looked at again"
        assert (one.claimed_by != "") == (one.state is SENDING)
        assert one.tries <= MOST_TRIES
        assert len(one.failures) <= FAILURES_KEPT
        if one.state is PENDING and one.next_at is not None and not urgent and one is not before:
            assert not NIGHT.covers(one.next_at)

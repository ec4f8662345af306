"""Verbs on deliveries: claim, confirm, fail, replay. Pure.

Several workers look for what is due; a claim, saved under the revision guard, gives a message to one of them until its lease is over. A
worker that dies after the gateway took the message leaves it to be sent again: at least once, with the same id.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from mediation.domain.notice import DELIVERY_TRANSITIONS, Delivery, DeliveryAttempt, DeliveryState
from mediation.quiet import Shift
from svckit.errors import FailedPrecondition

# Longer than any attempt may take (see channels.SECONDS), so that a slow gateway is not asked twice at once.
LEASE = timedelta(seconds=60)
# 30 s, 2 min, 8 min, 32 min, then every 2 h: a gateway may be away for a working day.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=2)
MOST_TRIES = 9
FAILURES_KEPT = 20


class DeliveryInHand(FailedPrecondition):
    """The message is still being tried; there is nothing to replay."""

    default_reason = "DELIVERY_IN_HAND"


def claim(delivery: Delivery, *, claim_id: str, now: datetime) -> Delivery:
    """Returns the delivery claimed, if it is due; one that a worker never came back from, too often, is given up."""
    if delivery.state not in DELIVERY_TRANSITIONS["claim"][0] or delivery.next_at is None or delivery.next_at > now:
        return delivery
    if delivery.state is DeliveryState.SENDING and delivery.tries >= MOST_TRIES:
        return _dead(_failed(delivery, "WORKER_LOST", now))
    return replace(delivery, state=DeliveryState.SENDING, claimed_by=claim_id, next_at=now + LEASE, tries=delivery.tries + 1)


def confirm(delivery: Delivery, *, claim_id: str, logged_only: bool, now: datetime) -> Delivery:
    """Returns the delivery as sent. A claim that was lost meanwhile changes nothing: its new holder says how it ended."""
    if not _holds(delivery, claim_id):
        return delivery
    return replace(delivery, state=DeliveryState.SENT, claimed_by="", next_at=None, sent_at=now, logged_only=logged_only)


def fail(delivery: Delivery, *, claim_id: str, reason: str, permanent: bool, quiet: Shift, now: datetime) -> Delivery:
    """Returns the delivery put off until the next try, or dead: after the last one, or when no further can succeed."""
    if not _holds(delivery, claim_id):
        return delivery
    failed = _failed(delivery, reason, now)
    if permanent or delivery.tries >= MOST_TRIES:
        return _dead(failed)
    again = now + pause_after(delivery.tries)
    next_at = again if delivery.urgent else quiet.over(again)
    return replace(failed, state=DeliveryState.PENDING, claimed_by="", next_at=next_at)


def replay(delivery: Delivery, *, quiet: Shift, now: datetime) -> Delivery:
    """Returns a settled delivery due again, with all its tries. Raises DeliveryInHand."""
    if delivery.state not in DELIVERY_TRANSITIONS["replay"][0]:
        raise DeliveryInHand("This message is still being tried.", metadata={"state": delivery.state})
    next_at = now if delivery.urgent else quiet.over(now)
    return replace(delivery, state=DeliveryState.PENDING, next_at=next_at, sent_at=None, tries=0, logged_only=False)


def pause_after(tries: int) -> timedelta:
    """Returns how long to wait after the n-th failure (1 the first)."""
    factor: int = 4 ** min(tries - 1, 10)
    return min(FIRST_PAUSE * factor, LONGEST_PAUSE)


def _holds(delivery: Delivery, claim_id: str) -> bool:
    return delivery.state is DeliveryState.SENDING and delivery.claimed_by == claim_id


def _failed(delivery: Delivery, reason: str, now: datetime) -> Delivery:
    failures = (*delivery.failures, DeliveryAttempt(at=now, reason=reason))
    return replace(delivery, failures=failures[-FAILURES_KEPT:])


def _dead(delivery: Delivery) -> Delivery:
    return replace(delivery, state=DeliveryState.DEAD, claimed_by="", next_at=None)

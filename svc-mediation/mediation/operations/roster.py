"""Verbs on the roster: who is on duty. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import asdict, replace

from mediation.domain.notice import Duty, DutyDraft
from mediation.policies import roster as policies
from mediation.quiet import Shift, minute_of, weekday_of


def create_duty(*, draft: DutyDraft, duty_id: str, hosts: Iterable[str], now: datetime) -> Duty:
    """Returns a new duty. Raises as `policies.roster.check_duty`."""
    policies.check_duty(draft, hosts=hosts)
    return Duty(duty_id=duty_id, created_at=now, changed_at=now, **asdict(draft))


def update_duty(
    duty: Duty, *, draft: DutyDraft, fields: Iterable[str], revision: int, hosts: Iterable[str], now: datetime
) -> Duty:
    """Returns the duty with the named fields of `draft`. Raises DutyRemoved, StaleDuty, UnknownField and as `check_duty`."""
    policies.check_changeable(duty, revision=revision)
    changes = {name: getattr(draft, name) for name in policies.known_fields(fields)}
    changed = replace(duty, **changes)
    policies.check_duty(changed, hosts=hosts)
    return replace(changed, changed_at=now)


def remove_duty(duty: Duty, *, now: datetime) -> Duty:
    """Returns the duty off the roster, without name and addresses: nobody needs them any more."""
    if duty.removed_at is not None:
        return duty
    return replace(duty, removed_at=now, changed_at=now, name="", phone="", email="", webhook_url="", channels=())


def is_on_duty(duty: Duty, *, at: datetime) -> bool:
    """Tells whether somebody is on duty at an instant. A shift past midnight belongs to the day it began."""
    if duty.removed_at is not None:
        return False
    shift = Shift(duty.from_minute, duty.until_minute % 1440)
    around_the_clock = shift.length == 0
    if not around_the_clock and not shift.covers(at):
        return False
    if not duty.weekdays:
        return True
    began_yesterday = not around_the_clock and shift.until_minute < shift.from_minute and minute_of(at) < shift.until_minute
    day = (weekday_of(at) - 2) % 7 + 1 if began_yesterday else weekday_of(at)
    return day in duty.weekdays

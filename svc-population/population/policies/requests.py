"""What holds for every request: who acts, when, on what it was seen as."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone
from typing import Protocol

from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

CITY_DIGITS = 4


CHINA_TIME = timezone(timedelta(hours=8))


# Clocks of phones are not exact; what lies further ahead is a mistake.
CLOCK_TOLERANCE = timedelta(minutes=5)


# As long as svc-mediation waits for reports written offline: who could name an earlier time could beat every clock.
OFFLINE_ALLOWANCE = timedelta(days=7)


class Actor(Protocol):
    """Who acts; `svckit.access.Caller` is one."""

    @property
    def subject(self) -> str:
        """Subject of the token."""

    @property
    def roles(self) -> frozenset[str]:
        """Codes of grid_role.csv, IMPORTER, SERVICE."""

    @property
    def department(self) -> str:
        """Department the actor acts for, "" for none."""


def local_day(now: datetime) -> date:
    """Returns the calendar day in China."""
    return now.astimezone(CHINA_TIME).date()


def read_day(text: str, *, field: str) -> date:
    """Reads YYYY-MM-DD. Raises InvalidArgument (DATE_INVALID) for a day that does not exist."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument("This day does not exist.", reason="DATE_INVALID", field=field) from error


def check_department(by: Actor, department: str) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT): a caller with a department acts for that one only."""
    if by.department and by.department != department:
        raise PermissionDenied(
            "This belongs to another department.", reason="OTHER_DEPARTMENT", metadata={"department": department}
        )


def check_mask(fields: Collection[str], *, allowed: Collection[str]) -> None:
    """Raises InvalidArgument for an empty mask or a path that may not be changed."""
    wrong = sorted(set(fields) - set(allowed))
    if wrong or not fields:
        raise InvalidArgument(
            f"These fields can be changed: {', '.join(allowed)}.", reason="FIELD_NOT_CHANGEABLE", field="update_mask"
        )


def check_revision(seen: int, actual: int) -> None:
    """Raises FailedPrecondition (REVISION_CHANGED) unless `seen` is 0 or the present revision."""
    if seen not in (0, actual):
        raise FailedPrecondition(
            "It was changed meanwhile; read it again.", reason="REVISION_CHANGED", metadata={"revision": str(actual)}
        )


def when(*, happened_at: datetime | None, opened_at: datetime, by: Actor, now: datetime) -> datetime:
    """Returns the time something counts as done: `happened_at` if given, never before it was asked for.

    An import may name any past time, others one of the last 7 days. Raises InvalidArgument (IN_THE_FUTURE, TOO_OLD).
    """
    if happened_at is None:
        return now
    if happened_at > now + CLOCK_TOLERANCE:
        raise InvalidArgument("It cannot have happened in the future.", reason="IN_THE_FUTURE", field="happened_at")
    if happened_at < now - OFFLINE_ALLOWANCE and "IMPORTER" not in by.roles:
        raise InvalidArgument("This may be at most 7 days ago.", reason="TOO_OLD", field="happened_at")
    return max(opened_at, min(happened_at, now))

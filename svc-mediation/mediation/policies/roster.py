"""The rules of the roster: who may be entered, with what, by whom."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from mediation.domain import Actor
from mediation.domain.notice import Duty, DutyDraft, NoticeChannel
from mediation.domain.workflow import COORDINATORS, DEPARTMENT, PROXIES
from mediation.policies.access import OtherDepartment, check_department_code
from svckit.errors import FailedPrecondition, InvalidArgument

# The roles that are told anything (mediation.telling; by the population register those of mediation.register_news).
_OF_THE_REGISTER = {"GRID_LEADER", "GRID_SOCIAL", "COMM_CLERK", "DATA_STEWARD", "AUDITOR", "DPO"}
DUTY_ROLES = DEPARTMENT | COORDINATORS | {"GRID_WORKER", "GRID_MEDIATOR", "SUPERVISION"} | _OF_THE_REGISTER
_NEEDED = ("subject", "name", "role", "area_code")
_ADDRESSES = {NoticeChannel.SMS: "phone", NoticeChannel.MAIL: "email", NoticeChannel.WEBHOOK: "webhook_url"}
# Sees and changes the rosters of all departments of the area.
_ALL_DEPARTMENTS = COORDINATORS | PROXIES | {"SUPERVISION"}


class DutyRemoved(FailedPrecondition):
    """Who was taken off the roster is entered anew."""

    default_reason = "DUTY_REMOVED"


class StaleDuty(FailedPrecondition):
    """The duty has changed since the caller looked."""

    default_reason = "STALE_REVISION"


def check_duty(duty: Duty | DutyDraft, *, hosts: Iterable[str]) -> None:
    """Raises InvalidArgument, naming the field, unless somebody can be on duty like this. `hosts` may be called by webhook.

    Reasons: DUTY_FIELD_MISSING, UNKNOWN_ROLE, DEPARTMENT_NEEDED, DEPARTMENT_NOT_ALLOWED, UNKNOWN_DEPARTMENT, CHANNEL_TWICE,
    ADDRESS_MISSING, WEBHOOK_NOT_ALLOWED.
    """
    for name in _NEEDED:
        if not getattr(duty, name):
            raise InvalidArgument(f"A duty needs a {name}.", field=f"duty.{name}", reason="DUTY_FIELD_MISSING")
    _check_role(duty)
    if len(set(duty.channels)) < len(duty.channels):
        raise InvalidArgument("Each channel is named once.", field="duty.channels", reason="CHANNEL_TWICE")
    for channel in duty.channels:
        name = _ADDRESSES[channel]
        if not getattr(duty, name):
            raise InvalidArgument(f"Messages by {channel} need a {name}.", field=f"duty.{name}", reason="ADDRESS_MISSING")
    if duty.webhook_url:
        check_webhook(duty.webhook_url, hosts=hosts)


def _check_role(duty: Duty | DutyDraft) -> None:
    if duty.role not in DUTY_ROLES:
        raise InvalidArgument(f"Nobody is told anything as {duty.role!r}.", field="duty.role", reason="UNKNOWN_ROLE")
    if duty.role in DEPARTMENT:
        if not duty.department:
            raise InvalidArgument("This role has a department.", field="duty.department", reason="DEPARTMENT_NEEDED")
        check_department_code(duty.department, field="duty.department")
    elif duty.department:
        raise InvalidArgument("This role has no department.", field="duty.department", reason="DEPARTMENT_NOT_ALLOWED")


def check_webhook(url: str, *, hosts: Iterable[str]) -> None:
    """Raises InvalidArgument unless the host (with port, if it names one) is configured: nobody makes us call whom they like.

    Plain http is for loopback addresses only.
    """
    try:
        parts = urlsplit(url)
        host, place = parts.hostname or "", parts.netloc.rpartition("@")[2].lower()
        named = parts.port is not None
    except ValueError:
        host = place = ""
        named = False
    schemes = {"https", "http"} if host in {"127.0.0.1", "localhost", "::1"} else {"https"}
    known = {one.lower() for one in hosts}
    if not host or parts.scheme not in schemes or "@" in parts.netloc or not ({place} if named else {place, host}) & known:
        raise InvalidArgument(
            "This address is not among those we may call.", field="duty.webhook_url", reason="WEBHOOK_NOT_ALLOWED"
        )


def check_changeable(duty: Duty, *, revision: int) -> None:
    """Raises DutyRemoved, or StaleDuty when the caller has seen another revision (0: does not care)."""
    if duty.removed_at is not None:
        raise DutyRemoved("This duty was taken off the roster.")
    if revision and revision != duty.revision:
        raise StaleDuty(f"The duty is at revision {duty.revision}, not {revision}: read it again.")


def known_fields(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of fields that can be changed. Raises InvalidArgument (UNKNOWN_FIELD; none at all: MASK_EMPTY)."""
    wanted = tuple(names)
    if not wanted:
        raise InvalidArgument("Name the fields to change.", field="update_mask", reason="MASK_EMPTY")
    for name in wanted:
        if name not in DutyDraft.__struct_fields__:
            raise InvalidArgument(f"A duty has no field {name!r}.", field="update_mask", reason="UNKNOWN_FIELD")
    return wanted


def check_own_roster(by: Actor, department: str) -> None:
    """Raises OtherDepartment when somebody of a department touches the roster of another, or that of the coordinators."""
    only = department_bound(by)
    if only is not None and department != only:
        raise OtherDepartment("This is the roster of another department.", metadata={"department": department})


def department_bound(by: Actor) -> str | None:
    """Returns the department whose roster is the only one the actor sees; None: all of them."""
    return by.department if by.roles.isdisjoint(_ALL_DEPARTMENTS) else None

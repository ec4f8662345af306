"""Who may be on the roster, with what, and when somebody is on duty."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation.domain.notice import Duty, DutyDraft, NoticeChannel
from mediation.operations import roster
from mediation.policies.roster import DUTY_ROLES, DutyRemoved, StaleDuty, check_own_roster, check_webhook, department_bound
from mediation.telling import CHECKER, COORDINATOR, MEDIATORS, OVERSEER, RULER, department_post
from svckit.access import Caller
from svckit.errors import InvalidArgument, PermissionDenied

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
HOSTS = ("hooks.example", "127.0.0.1:8443", "127.0.0.1:9000")
SMS, MAIL, WEBHOOK = NoticeChannel


def draft(**fields: Any) -> DutyDraft:
    return DutyDraft(
        **({"subject": "li", "name": "李明", "role": "DEPT_LEAD", "department": "FIRE", "area_code": "420502"} | fields)
    )


def duty(**fields: Any) -> Duty:
    return roster.create_duty(draft=draft(**fields), duty_id="d", hosts=HOSTS, now=NOW)


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"subject": ""}, "duty.subject", "DUTY_FIELD_MISSING"),
        ({"name": ""}, "duty.name", "DUTY_FIELD_MISSING"),
        ({"area_code": ""}, "duty.area_code", "DUTY_FIELD_MISSING"),
        ({"role": ""}, "duty.role", "DUTY_FIELD_MISSING"),
        ({"role": "RESIDENT"}, "duty.role", "UNKNOWN_ROLE"),
        ({"department": ""}, "duty.department", "DEPARTMENT_NEEDED"),
        ({"department": "NASA"}, "duty.department", "UNKNOWN_DEPARTMENT"),
        ({"role": "DISPATCHER"}, "duty.department", "DEPARTMENT_NOT_ALLOWED"),
        ({"channels": (SMS,)}, "duty.phone", "ADDRESS_MISSING"),
        ({"channels": (MAIL,), "phone": "1"}, "duty.email", "ADDRESS_MISSING"),
        ({"channels": (WEBHOOK,)}, "duty.webhook_url", "ADDRESS_MISSING"),
        ({"channels": (SMS, SMS), "phone": "1"}, "duty.channels", "CHANNEL_TWICE"),
        ({"webhook_url": "https://evil.example/"}, "duty.webhook_url", "WEBHOOK_NOT_ALLOWED"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        duty(**fields)
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/x?key=1",
        "https://HOOKS.example",
        "https://127.0.0.1:8443/",
        "http://127.0.0.1:9000/x",
    ],
)
def test_configured_hosts_may_be_called(url: str) -> None:
    check_webhook(url, hosts=HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x",
        "https://hooks.example:8443/x",
        "https://hooks.example@evil.example/",
        "https://u:x@hooks.example/",
        "https://evil.example/hooks.example",
        "https://127.0.0.1/",
        "https://127.0.0.1:8080/",
        "http://127.0.0.1/",
        "ftp://hooks.example/",
        "hooks.example",
        "https://[::1/",
        "https://hooks.example:x/",
        "",
    ],
)
def test_other_hosts_may_not(url: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_webhook(url, hosts=HOSTS)
    assert refused.value.reason == "WEBHOOK_NOT_ALLOWED"


def changed(one: Duty, *fields: str, revision: int = 0, **values: Any) -> Duty:
    return roster.update_duty(one, draft=DutyDraft(**values), fields=fields, revision=revision, hosts=HOSTS, now=NOW)


def test_only_named_fields_change() -> None:
    one = duty(phone="13800000000", channels=(SMS,))
    assert changed(one, "weekdays", weekdays=(6,), phone="1") == replace(one, weekdays=(6,))


@pytest.mark.parametrize(
    ("fields", "reason"), [((), "MASK_EMPTY"), (("duty_id",), "UNKNOWN_FIELD"), (("phones",), "UNKNOWN_FIELD")]
)
def test_masks_name_fields_of_a_duty(fields: tuple[str, ...], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        changed(duty(), *fields)
    assert (refused.value.field, refused.value.reason) == ("update_mask", reason)


def test_who_has_seen_another_revision_looks_again() -> None:
    with pytest.raises(StaleDuty):
        changed(replace(duty(), revision=3), "weekdays", revision=2)


def test_who_is_removed_leaves_no_address() -> None:
    gone = roster.remove_duty(duty(phone="13800000000", email="a@b.cn", channels=(SMS,)), now=NOW)
    assert (gone.name, gone.phone, gone.email, gone.channels, gone.removed_at) == ("", "", "", (), NOW)
    assert roster.remove_duty(gone, now=NOW) is gone
    assert not roster.is_on_duty(gone, at=NOW)
    with pytest.raises(DutyRemoved):
        changed(gone, "weekdays")


def test_departments_keep_their_own_roster_and_coordinators_all() -> None:
    lead = Caller("x", roles=frozenset({"DEPT_LEAD"}), department="FIRE")
    check_own_roster(lead, "FIRE")
    for department in ("UMD", ""):
        with pytest.raises(PermissionDenied) as refused:
            check_own_roster(lead, department)
        assert refused.value.reason == "OTHER_DEPARTMENT"
    desk = Caller("y", roles=frozenset({"DISPATCHER"}))
    check_own_roster(desk, "UMD")
    assert (department_bound(lead), department_bound(desk)) == ("FIRE", None)


def test_every_post_can_be_on_duty() -> None:
    for post in (COORDINATOR, RULER, CHECKER, OVERSEER, MEDIATORS, department_post("FIRE")):
        assert post.roles <= DUTY_ROLES


@given(
    weekdays=st.sets(st.integers(1, 7)),
    begin=st.integers(0, 1439),
    end=st.integers(0, 1440),
    minute=st.integers(0, 7 * 1440 - 1),
)
def test_somebody_is_on_duty_in_the_shifts_that_began_on_the_days(
    weekdays: set[int], begin: int, end: int, minute: int
) -> None:
    """Against a slow list of all minutes of the week, Monday 0:00 the first."""
    one = replace(duty(), weekdays=tuple(sorted(weekdays)), from_minute=begin, until_minute=end)
    length = (end - begin) % 1440 or 1440
    starts = 0 if length == 1440 else begin
    days = weekdays or set(range(1, 8))
    covered = {((day - 1) * 1440 + starts + step) % (7 * 1440) for day in days for step in range(length)}
    monday = dt.datetime(2026, 11, 15, 16, tzinfo=dt.UTC)
    assert roster.is_on_duty(one, at=monday + dt.timedelta(minutes=minute, seconds=30)) == (minute in covered)


def test_the_pages_offer_the_roles_of_the_roster() -> None:
    page = (Path(__file__).parents[3] / "gateway/web/src/notices/roles.ts").read_text("utf-8")
    line = next(line for line in page.splitlines() if "DUTY_ROLES" in line)
    assert set(re.findall(r"'([A-Z_]+)'", line)) == DUTY_ROLES

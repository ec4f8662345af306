"""When the audit trail alerts, and who closes what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from population.domain.audit_alert import AuditAlert, AuditAlertState
from population.operations.audit_alerts import alert_id, close_alert, raise_alert
from population.policies.audit_alerts import thresholds
from svckit.access import Caller
from svckit.errors import FailedPrecondition, PermissionDenied

NOW = dt.datetime(2026, 3, 2, 10, 30, tzinfo=dt.UTC)
DPO = Caller(subject="dpo", roles=frozenset({"DPO"}), area="4205")


def raised(alert: AuditAlert | None = None, *, event: str = "AE03", count: int = 21, at: dt.datetime = NOW) -> Any:
    about = {"subject": "li", "name": "李", "department": "", "area_code": "420502001003"}
    return raise_alert(alert, threshold=thresholds()[event], count=count, last_at=at, now=NOW, **about)


def test_the_thresholds_are_those_of_the_table() -> None:
    found = {code: (one.most, one.window_seconds, one.people) for code, one in thresholds().items()}
    assert found == {
        "AE03": (20, 3_600, False),
        "AE04": (30, 86_400, False),
        "AE05": (500, 3_600, True),
        **dict.fromkeys(("AE07", "AE08", "AE11", "AE14", "AE17", "AE18"), (0, 3600, False)),
    }
    assert thresholds()["AE18"].review == dt.timedelta(hours=24)


def test_an_alert_is_raised_once_and_counts_on() -> None:
    alert, (told,) = raised()
    assert (told.subject, told.count, told.threshold, alert.state) == ("li", 21, 20, AuditAlertState.OPEN)
    assert raised(alert) == (alert, ())
    more, silence = raised(alert, count=25, at=NOW + dt.timedelta(minutes=5))
    assert (more.count, silence) == (25, ())
    ids = [alert_id(thresholds()["AE03"], subject="li", last_at=NOW + dt.timedelta(minutes=minutes)) for minutes in (0, 5, 40)]
    assert ids[0] == ids[1] == alert.alert_id != ids[2]


def test_breaking_the_glass_is_looked_into_within_a_day() -> None:
    alert, _ = raised(event="AE18", count=1)
    assert alert.review_by == NOW + dt.timedelta(hours=24)


def test_somebody_else_closes_it_once() -> None:
    alert, _ = raised()
    with pytest.raises(PermissionDenied) as own:
        close_alert(alert, finding="x", by=Caller(subject="li", area="4205"), now=NOW)
    assert own.value.reason == "OWN_ALERT"
    closed, (told,) = close_alert(alert, finding="经核实为集中办理", by=DPO, now=NOW)
    assert (closed.finding, closed.closed_by, told.by) == ("经核实为集中办理", "dpo", "dpo")
    with pytest.raises(FailedPrecondition):
        close_alert(closed, finding="y", by=DPO, now=NOW)
    assert raised(closed, count=99) == (closed, ())

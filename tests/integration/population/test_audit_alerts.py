"""Too many looks, looks outside the own area and broken glasses come before the person responsible for data protection."""

from __future__ import annotations

from typing import Any

import pytest
from binglian.population.v1 import data_rights_pb2 as messages
from binglian.population.v1 import data_rights_service_pb2 as pb
from binglian.population.v1 import data_rights_service_pb2_grpc as rights_grpc
from binglian.population.v1 import resident_service_pb2

from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, OTHER_GRID, People
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def audit(people: People) -> Any:
    return rights_grpc.DataAuditServiceStub(people.service.channel)


def looker(people: People, subject: str, *, area: str = GRID[:12], purpose: str = "P01") -> dict[str, Any]:
    return people.caller(subject, "GRID_WORKER", area=area, purpose=purpose, purposes=["P01", "P10"])


def look(people: People, resident_id: str, caller: dict[str, Any]) -> None:
    people.residents.RevealResident(resident_service_pb2.RevealResidentRequest(resident_id=resident_id), **caller)


def alerts(people: People, audit: Any, subject: str) -> list[messages.AuditAlert]:
    dpo = people.caller("dpo", "DPO", area=CITY, purpose="P13", purposes=["P13"])
    return list(audit.ListAuditAlerts(pb.ListAuditAlertsRequest(subject=subject), **dpo).alerts)


def test_many_looks_in_an_hour_alert_once(people: People, audit: Any) -> None:
    resident, curious, calm = people.enter(), f"curious-{new_id()[-6:]}", f"calm-{new_id()[-6:]}"
    facts = people.service.facts("population.audit_alert_raised.v1")
    for _ in range(20):
        look(people, resident.resident_id, looker(people, calm))
    for _ in range(22):
        look(people, resident.resident_id, looker(people, curious))
    (alert,) = eventually(lambda: alerts(people, audit, curious), seconds=30)
    assert (alert.event, alert.threshold, alert.window_seconds, alert.area_code) == ("AE03", 20, 3_600, GRID[:12])
    eventually(lambda: alerts(people, audit, curious)[0].count == 22, seconds=30)
    assert alerts(people, audit, calm) == []
    assert [data["subject"] for _, data in eventually(facts) if data["subject"] in (curious, calm)] == [curious]
    close = pb.CloseAuditAlertRequest(alert_id=alert.alert_id, request_id=new_id(), finding="集中办理优待证,属实")
    stranger = people.caller("other", "DPO", area="4206", purpose="P13", purposes=["P13"])
    assert refusal(audit.CloseAuditAlert, close, **stranger).code == "NOT_FOUND"
    self_made = people.caller(curious, "DPO", area=CITY, purpose="P13", purposes=["P13"])
    assert refusal(audit.CloseAuditAlert, close, **self_made).reason == "OWN_ALERT"
    dpo = people.caller("dpo", "DPO", area=CITY, purpose="P13", purposes=["P13"])
    closed = audit.CloseAuditAlert(close, **dpo).alert
    assert (closed.state, closed.closed_by) == (messages.AUDIT_ALERT_STATE_CLOSED, "dpo")
    assert alerts(people, audit, curious) == []


def test_reaching_outside_the_own_area_alerts_at_once(people: People, audit: Any) -> None:
    resident, stray = people.enter(), f"stray-{new_id()[-6:]}"
    request = resident_service_pb2.RevealResidentRequest(resident_id=resident.resident_id)
    said = refusal(people.residents.RevealResident, request, **looker(people, stray, area=OTHER_GRID[:12]))
    assert said.code == "NOT_FOUND"
    (alert,) = eventually(lambda: alerts(people, audit, stray), seconds=30)
    assert (alert.event, alert.count, alert.threshold) == ("AE07", 1, 0)
    (entry,) = people.service.database["audit_entries"].find({"subject": stray})
    assert (entry["event"], entry["residents"]) == ("AE07", [resident.resident_id])
    nobody = resident_service_pb2.RevealResidentRequest(resident_id=new_id())
    lost = f"lost-{new_id()[-6:]}"
    assert refusal(people.residents.RevealResident, nobody, **looker(people, lost)).code == "NOT_FOUND"
    assert people.service.database["audit_entries"].count_documents({"subject": lost}) == 0


def test_a_look_in_an_emergency_has_to_be_looked_into_within_a_day(people: People, audit: Any) -> None:
    resident, rescuer = people.enter(), f"rescuer-{new_id()[-6:]}"
    look(people, resident.resident_id, looker(people, rescuer, purpose="P10"))
    (alert,) = eventually(lambda: alerts(people, audit, rescuer), seconds=30)
    assert alert.event == "AE18"
    assert alert.review_by.seconds - alert.last_at.seconds == 86_400

"""Figures of departments over supervision orders, counted by the database from what mediation tells."""

from __future__ import annotations

import random

import pytest
from binglian.assessment.v1 import assessment_service_pb2 as pb
from binglian.mediation.v1 import events_pb2 as facts
from binglian.mediation.v1 import supervision_pb2
from google.protobuf.message import Message

from tests.integration.assessment.test_service import ASSESSOR, at, category, head, new, service, stub, tell
from tests.services import eventually

pytestmark = pytest.mark.integration

__all__ = ["category", "service", "stub"]


def orders(case_id: str, area: str) -> list[Message]:
    """Five orders to WF: answered in time, late and refused, unanswered at the end of the case, withdrawn, refused in reply."""
    about = {"case_id": case_id, "department": "WF", "area_code": area}
    good, late, ended, withdrawn, declined = (new() for _ in range(5))
    issued = [
        at(facts.SupervisionIssued(order_id=order_id, **about), issued_at=5, due_at=60)
        for order_id in (good, late, ended, withdrawn, declined)
    ]
    decline = supervision_pb2.REPLY_STANCE_DECLINED
    return [
        *issued,
        at(facts.SupervisionReplied(order_id=good, on_time=True, **about), replied_at=50),
        at(facts.SupervisionOverdue(order_id=late, raises=1, **about), due_at=60, overdue_at=60),
        at(facts.SupervisionReplied(order_id=late, **about), replied_at=70),
        at(facts.SupervisionReplyRefused(order_id=late, reason="x", **about), refused_at=80, due_at=200),
        at(facts.SupervisionWithdrawn(order_id=ended, settled=True, reason="x", **about), withdrawn_at=90),
        at(facts.SupervisionWithdrawn(order_id=withdrawn, reason="x", **about), withdrawn_at=10),
        at(facts.SupervisionReplied(order_id=declined, on_time=True, stance=decline, reason="x", **about), replied_at=20),
    ]


def test_what_counts_for_a_department(service, stub, category):
    area = f"4203{random.randint(10, 99)}001003"
    case_id = new()
    report = at(facts.CaseReported(case_id=case_id, **head(category, area)), reported_at=0)
    tell(service, [report, *orders(case_id, area)], seed=11)
    mine = service.metadata(**{**ASSESSOR, "area": area[:4]})

    def counted() -> pb.DepartmentFigures | None:
        request = pb.ListDepartmentFiguresRequest(period="2026-03", area_prefix=area)
        figures = stub.ListDepartmentFigures(request, metadata=mine).figures
        return figures[0] if figures and figures[0].orders == 4 and figures[0].orders_replied == 3 else None

    row = eventually(counted, seconds=20)
    assert row.department == "WF"
    assert (row.orders_replied_on_time, row.orders_overdue, row.orders_declined, row.replies_refused) == (2, 1, 1, 1)

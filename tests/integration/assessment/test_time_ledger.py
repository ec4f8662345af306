"""The time ledger across cases: who had the minutes of critical paths, standstills, orders, and all of it as CSV."""

from __future__ import annotations

import csv
import io
import random

import grpc
import pytest
from binglian.assessment.v1 import assessment_service_pb2 as pb
from binglian.assessment.v1 import ledger_audit_service_pb2 as audit_pb
from binglian.assessment.v1 import ledger_pb2
from binglian.assessment.v1.ledger_audit_service_pb2_grpc import LedgerAuditServiceStub
from binglian.mediation.v1 import events_pb2 as facts
from binglian.mediation.v1 import supervision_pb2

from assessment import store
from assessment.policies import PROTECTED_CATEGORY
from svckit.errors import InvalidArgument, PermissionDenied
from svckit.statuses import error_of
from tests.integration.assessment.test_service import (
    ASSESSOR,
    at,
    category,
    closed,
    entered,
    head,
    ledger,
    new,
    service,
    story,
    stub,
    tell,
)
from tests.services import eventually

pytestmark = pytest.mark.integration

__all__ = ["category", "service", "stub"]


def suspension(case_id: str, since: int, until: int) -> list:
    return [
        at(facts.CaseSuspended(case_id=case_id, reason="rain"), suspended_at=since),
        at(facts.CaseResumed(case_id=case_id), resumed_at=until),
    ]


def test_suspended_time_is_in_the_ledger_and_in_nobodys_minutes(service, stub, category):
    case_id = new()
    tell(service, [*story(case_id, category=category), *suspension(case_id, 110, 160)], seed=7)
    found = eventually(lambda: _suspended(ledger(service, stub, case_id)), seconds=20)
    assert (found.actual_minutes, found.suspended_minutes) == (200, 50)
    # PSB waited 70-100 and worked 100-200, UMD worked 40-130: both without the 50 and the 20 minutes of the standstill.
    assert (found.waiting_minutes, found.working_minutes) == (10 + 30 + 30, 50 + 70 + 50)
    shares = [(share.department, share.minutes, share.suspended_minutes) for share in found.critical_shares]
    assert shares == [("", 10, 0), ("FIRE", 60, 0), ("PSB", 130, 50)]
    assert found.serial_minutes == 10 + 60 + 100 + 80 + 50
    assert (found.parallel, found.light) == (True, "red")


def _suspended(found: ledger_pb2.CaseLedger | None) -> ledger_pb2.CaseLedger | None:
    complete = found and found.suspended_minutes and found.HasField("closed_at") and sum(t.hazards_found for t in found.tasks)
    return found if complete else None


def test_critical_minutes_are_attributed_per_category_and_in_total(service, stub, category):
    area = f"4205{random.randint(10, 99)}001003"
    other = category[:-1] + "x"
    for case_id in (cases := [new(), new(), new()]):
        tell(service, story(case_id, category=other if case_id == cases[2] else category, area=area))
    for case_id in cases:
        closed(service, stub, case_id)
    request = pb.ListCriticalMinutesRequest(period="2026-03", area_prefix=area, parallel_only=True)
    answer = stub.ListCriticalMinutes(request, metadata=service.metadata(**ASSESSOR))
    rows = {
        (row.category, row.department): (row.cases, row.minutes, row.waiting_minutes, row.working_minutes, row.median_minutes)
        for row in answer.categories
    }
    assert rows == {
        (category, ""): (2, 20, 0, 0, 10),
        (category, "FIRE"): (2, 120, 20, 100, 60),
        (category, "PSB"): (2, 260, 60, 200, 130),
        (other, ""): (1, 10, 0, 0, 10),
        (other, "FIRE"): (1, 60, 10, 50, 60),
        (other, "PSB"): (1, 130, 30, 100, 130),
    }
    assert [(row.department, row.cases, row.minutes, round(row.share, 3)) for row in answer.totals] == [
        ("PSB", 3, 390, 0.65),
        ("FIRE", 3, 180, 0.3),
        ("", 3, 30, 0.05),
    ]
    assert answer.totals[2].kind == ledger_pb2.STEP_KIND_DISPATCH
    request.period = "2026-04"
    assert not stub.ListCriticalMinutes(request, metadata=service.metadata(**ASSESSOR)).categories


def test_the_comparison_tells_waiting_from_working(service, stub, category):
    case_id = new()
    tell(service, story(case_id, category=category))
    closed(service, stub, case_id)
    request = pb.GetComparisonRequest(period="2026-03", category=category)
    (row,) = stub.GetComparison(request, metadata=service.metadata(**ASSESSOR)).categories
    assert (row.median_waiting_minutes, row.median_working_minutes, row.median_suspended_minutes) == (70, 240, 0)


def test_supervision_orders_count_for_their_department_in_their_month(service, stub, category):
    area = f"4204{random.randint(10, 99)}001003"
    case_id, late, good = new(), new(), new()
    about = {"case_id": case_id, "department": "ENV", "area_code": area}
    tell(
        service,
        [
            at(facts.CaseReported(case_id=case_id, **head(category, area)), reported_at=0),
            at(
                facts.SupervisionIssued(order_id=late, cause=supervision_pb2.ORDER_CAUSE_MANUAL, **about),
                issued_at=5,
                due_at=60,
            ),
            at(facts.SupervisionIssued(order_id=good, **about), issued_at=6, due_at=60),
            at(facts.SupervisionOverdue(order_id=late, raises=1, **about), due_at=60, overdue_at=60),
            at(facts.SupervisionReplied(order_id=late, stance=supervision_pb2.REPLY_STANCE_DECLINED, **about), replied_at=70),
            at(facts.SupervisionReplied(order_id=good, on_time=True, **about), replied_at=50),
        ],
        seed=3,
    )
    mine = service.metadata(**{**ASSESSOR, "area": area[:4]})

    def counted() -> tuple[int, int, int, int] | None:
        request = pb.ListDepartmentFiguresRequest(period="2026-03", area_prefix=area)
        figures = stub.ListDepartmentFigures(request, metadata=mine).figures
        (row,) = figures or [pb.DepartmentFigures()]
        return (row.tasks, row.orders, row.orders_overdue, row.orders_declined) if row.orders_declined else None

    assert eventually(counted, seconds=20) == (0, 2, 1, 1)
    found = ledger(service, stub, case_id, area=area)
    assert found is not None
    assert {(order.cause, order.overdue, order.declined) for order in found.orders} == {
        ("manual", True, True),
        ("", False, False),
    }


def download(service, stub, **request: object) -> tuple[str, list[dict[str, str]]]:
    """Name of the file and its rows."""
    parts = list(stub.ExportLedgers(pb.ExportLedgersRequest(**request), metadata=service.metadata(**ASSESSOR)))
    first = parts[0].part
    assert first.content_type == "text/csv; charset=utf-8"
    text = b"".join(part.part.data for part in parts).decode("utf-8-sig")
    return first.name, list(csv.DictReader(io.StringIO(text)))


def test_a_year_of_rows_comes_in_pieces_newest_first(service, stub, category):
    cases = [new() for _ in range(3)]
    for number, case_id in enumerate(cases):
        events = story(case_id, category=category)
        at(events[0], reported_at=number)
        at(events[1], reported_at=number)
        tell(service, events)
    for case_id in cases:
        closed(service, stub, case_id)
    name, rows = download(service, stub, category=category, period="2026-03")
    assert name == "cases-2026-03.csv"
    assert [row["上报时间 Reported"] for row in rows] == ["2026-03-02 09:02:00", "2026-03-02 09:01:00", "2026-03-02 09:00:00"]
    assert rows[2]["串联用时(分钟, 推演值) Serial minutes (modelled)"] == "320"
    tasks = download(service, stub, category=category, period="2026-03", table=pb.LEDGER_TABLE_TASKS)[1]
    assert len(tasks) == 9
    name, steps = download(service, stub, case_id=cases[0], table=pb.LEDGER_TABLE_STEPS)
    assert (name, len(steps)) == (f"steps-{cases[0]}.csv", 3)
    assert not download(service, stub, category=category, period="2026-03", department="WF")[1]
    compared = download(service, stub, category=category, period="2026-03", table=pb.LEDGER_TABLE_CATEGORIES)[1]
    assert [(row["类别代码 Category code"], row["已办结 Handled cases"]) for row in compared] == [(category, "3"), ("", "3")]
    name, critical = download(service, stub, category=category, period="2026-03", table=pb.LEDGER_TABLE_CRITICAL_MINUTES)
    assert (name, len(critical)) == ("critical-minutes-2026-03.csv", 6)


def test_more_rows_than_one_piece_holds(service, stub, category):
    for _ in range(520):
        entered(service, area="420502001003", category=category, period="2026-03")
    assert len(download(service, stub, category=category, period="2026-03")[1]) == 520


def test_every_file_leaves_a_record_that_auditors_read(service, stub, category):
    for _ in range(501):
        entered(service, area="420502001003", category=category, period="2026-03")
    download(service, stub, category=category, period="2026-03", table=pb.LEDGER_TABLE_CASES)
    auditor = service.metadata(sub="qian", roles=["AUDITOR"], area="4205")
    audits = LedgerAuditServiceStub(service.channel)
    asked = audit_pb.ListLedgerAuditEntriesRequest(exports_only=True, by="zhao", page_size=1)
    (entry,) = audits.ListLedgerAuditEntries(asked, metadata=auditor).entries
    assert (entry.what, entry.rows, entry.complete, entry.large) == ("cases.csv", 501, True, True)
    assert (entry.by, entry.kind, category in entry.query) == ("zhao", audit_pb.LEDGER_AUDIT_KIND_EXPORT, True)
    seen = audits.ListLedgerAuditEntries(audit_pb.ListLedgerAuditEntriesRequest(by="qian"), metadata=auditor).entries
    assert seen[-1].kind == audit_pb.LEDGER_AUDIT_KIND_AUDIT_READ
    abroad = service.metadata(sub="sun", roles=["AUDITOR"], area="4212")
    assert not audits.ListLedgerAuditEntries(asked, metadata=abroad).entries
    with pytest.raises(grpc.RpcError) as caught:
        audits.ListLedgerAuditEntries(asked, metadata=service.metadata(**ASSESSOR))
    assert isinstance(error_of(caught.value), PermissionDenied)


def test_other_cities_download_nothing(service, stub, category):
    entered(service, area="4201", category=category, period="2026-03")
    assert not download(service, stub, category=category, period="2026-03")[1]


@pytest.mark.parametrize("call", ["ExportLedgers", "ListCriticalMinutes"])
def test_a_wrong_month_is_refused(service, stub, call):
    request = (pb.ExportLedgersRequest if call == "ExportLedgers" else pb.ListCriticalMinutesRequest)(period="2026-13")
    with pytest.raises(grpc.RpcError) as caught:
        list(getattr(stub, call)(request, metadata=service.metadata(**ASSESSOR)))
    error = error_of(caught.value)
    assert isinstance(error, InvalidArgument)
    assert error.violations[0][0] == "period"


def test_orders_of_a_month_are_counted_from_an_index(service):
    pipeline = store.orders_stages(period="2026-02", query={"scope": {"$gte": "4205", "$lt": "4206"}})
    told = service.database.command(
        "explain", {"aggregate": "ledgers", "pipeline": pipeline, "cursor": {}}, verbosity="queryPlanner"
    )
    assert "orders.period_1_scope_1" in str(told)


def test_cases_of_violence_at_home_are_hidden_as_they_are_where_they_are_handled(service, stub):
    area, period = f"4205{random.randint(10, 99)}001004", "2026-03"
    case_id = new()
    tell(service, story(case_id, category=PROTECTED_CATEGORY, area=area))
    coordinator = {"roles": ["DISPATCHER"]}
    eventually(lambda: (found := ledger(service, stub, case_id, **coordinator)) and found.HasField("closed_at"), seconds=20)
    assert ledger(service, stub, case_id, roles=["DEPT_LEAD"], department="UMD") is not None, "it has a task there"
    assert ledger(service, stub, case_id) is None
    assert ledger(service, stub, case_id, roles=["DEPT_LEAD"], department="WF") is None
    for claims, seen in ((coordinator, 1), ({}, 0), ({"roles": ["DEPT_LEAD"], "department": "WF"}, 0)):
        metadata = service.metadata(**{**ASSESSOR, **claims})
        listed = stub.ListCaseLedgers(pb.ListCaseLedgersRequest(area_prefix=area), metadata=metadata).ledgers
        compared = stub.GetComparison(pb.GetComparisonRequest(area_prefix=area), metadata=metadata).categories
        minutes = stub.ListCriticalMinutes(pb.ListCriticalMinutesRequest(area_prefix=area, period=period), metadata=metadata)
        parts = stub.ExportLedgers(pb.ExportLedgersRequest(case_id=case_id), metadata=metadata)
        lines = b"".join(each.part.data for each in parts).decode().splitlines()
        assert (len(listed), len(compared), bool(minutes.categories), len(lines) - 1) == (seen, seen, bool(seen), seen)

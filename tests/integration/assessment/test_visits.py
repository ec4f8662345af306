"""Visits kept and missed, by area and by worker, from what population and housing tell, in disorder and twice."""

from __future__ import annotations

import datetime as dt
import random

import grpc
import pytest
from binglian.assessment.v1 import visit_service_pb2 as pb
from binglian.assessment.v1.visit_service_pb2_grpc import VisitFiguresServiceStub
from binglian.housing.v1 import area_pb2
from binglian.housing.v1 import events_pb2 as housing
from binglian.population.v1 import events_pb2 as facts
from google.protobuf.message import Message

from svckit.statuses import error_of
from tests.integration.assessment.test_service import new, service, tell
from tests.services import Service, eventually

pytestmark = pytest.mark.integration

__all__ = ["service"]

STREET = "420503001"
GRIDS = (f"{STREET}00110001", f"{STREET}00110002")
START = dt.datetime(2026, 3, 2, 1, 0)
CLERK = {"sub": "clerk", "roles": ["STREET_CENTER"], "area": STREET}


def day(message: Message, **days: float) -> Message:
    for name, count in days.items():
        getattr(message, name).FromDatetime(START + dt.timedelta(days=count))
    return message


def weeks(grid: str, *, kept: int, missed: int, by: str) -> list[Message]:
    """Rounds through a grid (VC3), once a week: the first ones made, the others not; each is made a second time by a colleague."""
    told: list[Message] = []
    plan = {"plan_id": new(), "rule": "VC3", "area_code": grid}
    for week in range(kept + missed):
        period = {"period_start": 3 * week, "due_at": 3 * week + 3}
        told.append(day(facts.VisitPlanned(responsible_role="GRID_WORKER", **plan), **period))
        if week < kept:
            told.append(day(facts.VisitMade(by=by, first=True, **plan), period_start=3 * week, at=3 * week + 1))
            told.append(day(facts.VisitMade(by="colleague", **plan), period_start=3 * week, at=3 * week + 2))
        else:
            told.append(day(facts.VisitMissed(responsible_role="GRID_WORKER", **plan), **period))
    return told


def roster(grid: str, subject: str) -> Message:
    duty = area_pb2.Duty(role="GRID_WORKER", subject=subject)
    return day(housing.AreaChanged(area_code=grid, city=grid[:4], roster=[duty]), at=-100)


@pytest.fixture(scope="module")
def told(service: Service) -> VisitFiguresServiceStub:
    one, other = GRIDS
    events = [*weeks(one, kept=3, missed=1, by="li"), *weeks(other, kept=1, missed=2, by="wang")]
    events += [roster(one, "li"), roster(other, "wang")]
    random.Random(7).shuffle(events)
    tell(service, events, seed=5)
    stub = VisitFiguresServiceStub(service.channel)

    def complete() -> bool:
        found = stub.ListVisitFigures(pb.ListVisitFiguresRequest(period="2026-03"), metadata=service.metadata(**CLERK)).areas
        return sum(row.kept + row.missed for row in found) == 7

    eventually(complete, seconds=20)
    return stub


def test_visits_by_area(service: Service, told: VisitFiguresServiceStub) -> None:
    request = pb.ListVisitFiguresRequest(period="2026-03", area_prefix=f"{STREET}001")
    rows = told.ListVisitFigures(request, metadata=service.metadata(**CLERK)).areas
    assert [(row.area_code, row.rule, row.kept, row.missed, row.visits) for row in rows] == [
        (GRIDS[0], "VC3", 3, 1, 6),
        (GRIDS[1], "VC3", 1, 2, 2),
    ]
    (street,) = told.ListVisitFigures(pb.ListVisitFiguresRequest(period="2026-03"), metadata=service.metadata(**CLERK)).areas
    assert (street.area_code, street.kept, street.missed) == (f"{STREET}001", 4, 3)
    for other in (
        pb.ListVisitFiguresRequest(period="2026-02"),
        pb.ListVisitFiguresRequest(period="2026-03", rule="VK"),
        pb.ListVisitFiguresRequest(period="2026-03", area_prefix="4207"),
    ):
        assert not told.ListVisitFigures(other, metadata=service.metadata(**CLERK)).areas


def test_visits_by_worker(service: Service, told: VisitFiguresServiceStub) -> None:
    request = pb.ListWorkerVisitFiguresRequest(period="2026-03", rule="VC")

    def rows() -> list[tuple[str, int, int, int]]:
        found = told.ListWorkerVisitFigures(request, metadata=service.metadata(**CLERK)).workers
        return [(row.subject, row.kept, row.missed, row.visits) for row in found]

    expected = [("colleague", 0, 0, 4), ("li", 3, 1, 3), ("wang", 1, 2, 1)]
    # The rosters come through a queue of their own.
    eventually(lambda: rows() == expected, seconds=20)
    mine = told.ListWorkerVisitFigures(
        request, metadata=service.metadata(sub="wang", roles=["GRID_WORKER"], area=GRIDS[1])
    ).workers
    assert [(row.subject, row.missed) for row in mine] == [("wang", 2)]
    with pytest.raises(grpc.RpcError) as refusal:
        told.ListWorkerVisitFigures(request, metadata=service.metadata(**{**CLERK, "area": "4205"}))
    assert error_of(refusal.value).reason == "AREA_TOO_LARGE"

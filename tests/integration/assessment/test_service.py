"""Assessment as its processes: facts go in, in any order, ledgers and figures come out."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator

import grpc
import pytest
from binglian.assessment.v1 import assessment_service_pb2 as pb
from binglian.assessment.v1 import ledger_pb2
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from binglian.fire_safety.v1 import events_pb2 as fire_facts
from binglian.mediation.v1 import case_pb2 as case_pb
from binglian.mediation.v1 import events_pb2 as facts
from binglian.type.v1.evidence_pb2 import TaskRef
from google.protobuf.message import Message

from assessment import store
from svckit.errors import InvalidArgument, NotFound, PermissionDenied
from svckit.statuses import error_of
from tests.services import Service, eventually, running_service

pytestmark = pytest.mark.integration

START = dt.datetime(2026, 3, 2, 1, 0)
ASSESSOR = {"sub": "zhao", "roles": ["ASSESSOR"], "area": "4205"}


@pytest.fixture(scope="module")
def service(mongo_uri, amqp_uri, tmp_path_factory) -> Iterator[Service]:
    with running_service("assessment", mongo_uri=mongo_uri, amqp_uri=amqp_uri, logs=tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.fixture(scope="module")
def stub(service: Service) -> AssessmentServiceStub:
    return AssessmentServiceStub(service.channel)


@pytest.fixture
def category() -> str:
    """A category no other test uses, so that its rows are this test's own."""
    return f"D{random.randint(1000, 9999)}"


def new() -> str:
    return str(uuid.uuid4())


def at(message: Message, **minutes: float) -> Message:
    """Sets timestamps, in minutes after the report."""
    for name, count in minutes.items():
        getattr(message, name).FromDatetime(START + dt.timedelta(minutes=count))
    return message


def head(category: str, area: str) -> dict[str, object]:
    return {
        "number": "420502-2026-000001",
        "city": area[:4],
        "area_code": area,
        "category": category,
        "severity": case_pb.SEVERITY_S3,
    }


def story(case_id: str, *, category: str, area: str = "420502001003") -> list[Message]:
    """FIRE leads and is done at 70, UMD at 130 (late); PSB waits for FIRE and is done at 200; closed at 260."""
    fire, umd, psb = (str(uuid.uuid5(uuid.UUID(case_id), name)) for name in ("FIRE", "UMD", "PSB"))

    def planned(task_id: str, department: str, **more: object) -> facts.DispatchedTask:
        return facts.DispatchedTask(task_id=task_id, department=department, **more)

    def on_task(kind: type[Message], task_id: str, department: str, *, on_time: bool = True, **minutes: float) -> Message:
        return at(kind(case_id=case_id, task_id=task_id, department=department, on_time=on_time), **minutes)

    tasks = [
        at(planned(fire, "FIRE", role=case_pb.TASK_ROLE_LEAD), assigned_at=10),
        at(planned(umd, "UMD"), assigned_at=10),
        planned(psb, "PSB", after=[fire]),
    ]
    where = head(category, area)
    inspection = fire_facts.InspectionCompleted(
        task=TaskRef(case_id=case_id, task_id=fire),
        department="FIRE",
        inspection_id=new(),
        hazards=[fire_facts.InspectionCompleted.DESCRIPTOR.fields_by_name["hazards"].message_type._concrete_class()],
    )
    return [
        at(facts.CaseReported(case_id=case_id, **where), reported_at=0),
        at(facts.CaseDispatched(case_id=case_id, tasks=tasks, **where), dispatched_at=10, reported_at=0),
        on_task(facts.TaskAccepted, fire, "FIRE", accepted_at=20),
        on_task(facts.TaskAccepted, umd, "UMD", accepted_at=40),
        at(inspection, at=65),
        on_task(facts.TaskCompleted, fire, "FIRE", completed_at=70),
        facts.TaskAssigned(case_id=case_id, task=at(planned(psb, "PSB", after=[fire]), assigned_at=70)),
        on_task(facts.TaskAccepted, psb, "PSB", accepted_at=100),
        on_task(facts.TaskCompleted, umd, "UMD", on_time=False, completed_at=130),
        at(
            facts.LightTurned(case_id=case_id, task_id=umd, department="UMD", light=case_pb.LIGHT_RED),
            due_at=120,
        ),
        on_task(facts.TaskCompleted, psb, "PSB", completed_at=200),
        at(facts.CaseHandled(case_id=case_id), handled_at=200),
        at(facts.CaseVerified(case_id=case_id, passed=True), verified_at=240),
        at(facts.CaseClosed(case_id=case_id), closed_at=260),
    ]


def tell(service: Service, events: list[Message], *, seed: int | None = None) -> None:
    """Publishes facts; with a seed in disorder, some of them twice."""
    if seed is not None:
        rng = random.Random(seed)
        events = events + rng.choices(events, k=len(events) // 2)
        rng.shuffle(events)
    for event in events:
        service.publish(event)


def ledger(service: Service, stub: AssessmentServiceStub, case_id: str, **claims: object) -> ledger_pb2.CaseLedger | None:
    request = pb.GetCaseLedgerRequest(case_id=case_id)
    try:
        return stub.GetCaseLedger(request, metadata=service.metadata(**{**ASSESSOR, **claims})).ledger
    except grpc.RpcError as failure:
        if isinstance(error_of(failure), NotFound):
            return None
        raise


def closed(service: Service, stub: AssessmentServiceStub, case_id: str) -> ledger_pb2.CaseLedger:
    """The ledger once nothing more is to come."""

    def complete() -> ledger_pb2.CaseLedger | None:
        found = ledger(service, stub, case_id)
        return found if found and found.HasField("closed_at") and sum(task.hazards_found for task in found.tasks) else None

    return eventually(complete, seconds=20)


def test_the_ledger_tells_where_the_time_went(service, stub, category):
    heard = service.facts("assessment.#")
    case_id = new()
    tell(service, story(case_id, category=category))
    found = closed(service, stub, case_id)
    path = [(step.kind, step.department, step.minutes) for step in found.critical_path]
    kinds = (ledger_pb2.STEP_KIND_DISPATCH, ledger_pb2.STEP_KIND_TASK)
    assert path == [(kinds[0], "", 10), (kinds[1], "FIRE", 60), (kinds[1], "PSB", 130)]
    assert (found.actual_minutes, found.serial_minutes) == (200, 10 + 60 + 120 + 130)
    assert (found.waiting_minutes, found.working_minutes) == (70, 240)
    assert [(task.department, task.done_on_time, task.light, task.critical) for task in found.tasks] == [
        ("FIRE", True, "green", True),
        ("UMD", False, "red", False),
        ("PSB", True, "green", True),
    ]
    assert (found.number, found.severity, found.period) == ("420502-2026-000001", "s3", "2026-03")
    kind, assessed = eventually(heard)[-1]
    assert kind == "assessment.case_assessed.v1"
    assert (assessed["criticalDepartments"], assessed["lateDepartments"]) == (["FIRE", "PSB"], ["UMD"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_disorder_and_repetition_change_nothing(service, stub, category, seed):
    orderly, disorderly = new(), new()
    tell(service, story(orderly, category=category))
    tell(service, story(disorderly, category=category), seed=seed)
    first, second = (closed(service, stub, case_id) for case_id in (orderly, disorderly))
    eventually(lambda: _same(first, ledger(service, stub, disorderly)))
    assert second.tasks


def _same(one: ledger_pb2.CaseLedger, other: ledger_pb2.CaseLedger | None) -> bool:
    """Whether two ledgers say the same of two cases that went the same way."""
    assert other is not None
    rows = [
        [(task.department, task.critical, task.working_minutes, task.light) for task in case.tasks] for case in (one, other)
    ]
    times = [(case.actual_minutes, case.serial_minutes, case.waiting_minutes, case.closed_at) for case in (one, other)]
    return rows[0] == rows[1] and times[0] == times[1]


def test_figures_of_departments_count_the_tasks_of_a_month(service, stub, category):
    area = f"4206{random.randint(10, 99)}001003"
    cases = [new() for _ in range(3)]
    for case_id in cases:
        tell(service, story(case_id, category=category, area=area))
    mine = service.metadata(**{**ASSESSOR, "area": area[:6]})
    request = pb.ListDepartmentFiguresRequest(period="2026-03")

    def complete() -> list[pb.DepartmentFigures] | None:
        figures = stub.ListDepartmentFigures(request, metadata=mine).figures
        return list(figures) if sum(row.done for row in figures) == 9 and any(row.red == 3 for row in figures) else None

    fire, psb, umd = eventually(complete, seconds=20)
    assert (fire.department, fire.tasks, fire.accepted_on_time, fire.done_on_time, fire.critical) == ("FIRE", 3, 3, 3, 3)
    assert (umd.department, umd.done, umd.done_on_time, umd.red, umd.critical) == ("UMD", 3, 0, 3, 0)
    assert (fire.median_waiting_minutes, fire.median_working_minutes) == (10, 50)
    assert psb.median_waiting_minutes == 30
    request.period = "2026-04"
    assert not stub.ListDepartmentFigures(request, metadata=mine).figures
    elsewhere = pb.ListDepartmentFiguresRequest(period="2026-03", area_prefix="4205")
    assert not stub.ListDepartmentFigures(elsewhere, metadata=mine).figures


def entered(service: Service, *, area: str, category: str, period: str, tasks: list[dict[str, object]] | None = None) -> None:
    """Puts a handled case into the database as the worker would have: 100 minutes, 300 the serial way."""
    record = {
        "department": "UMD",
        "removed": False,
        "period": period,
        "returns": 0,
        "objections_overruled": 0,
        "light": "green",
        "critical": False,
        "accepted_on_time": False,
        "done_on_time": False,
        "waiting_minutes": 0.0,
        "working_minutes": 0.0,
    }
    service.database.ledgers.insert_one(
        {
            "_id": new(),
            "scope": area,
            "category": category,
            "period": period,
            **dict.fromkeys(("reported_at", "dispatched_at", "handled_at"), START),
            "parallel": True,
            "actual_minutes": 100.0,
            "serial_minutes": 300.0,
            **dict.fromkeys(("waiting_minutes", "working_minutes", "suspended_minutes"), 0.0),
            "tasks": [{**record, **task} for task in tasks or [{}]],
        }
    )


def test_figures_count_what_is_due_and_nothing_else(service, stub, category):
    area = f"4207{random.randint(10, 99)}001003"
    done = {"accepted_at": START, "accepted_on_time": True, "done_at": START, "done_on_time": True}
    tasks = [
        {**done, "critical": True, "waiting_minutes": 4.0, "working_minutes": 30.0},
        {**done, "done_on_time": False, "light": "red", "returns": 2, "waiting_minutes": 6.0, "working_minutes": 50.0},
        {"critical": True, "light": "red", "objections_overruled": 1},
        {"accepted_at": START, "accepted_on_time": False, "waiting_minutes": 1000.0},
        {**done, "removed": True},
        {**done, "period": "2026-02"},
        {**done, "department": "FIRE", "waiting_minutes": 1.0},
    ]
    entered(service, area=area, category=category, period="2026-03", tasks=tasks)
    request = pb.ListDepartmentFiguresRequest(period="2026-03")
    fire, umd = stub.ListDepartmentFigures(request, metadata=service.metadata(**{**ASSESSOR, "area": area})).figures
    assert umd == pb.DepartmentFigures(
        department="UMD",
        tasks=4,
        accepted=3,
        accepted_on_time=2,
        done=2,
        done_on_time=1,
        returned=1,
        objections_overruled=1,
        red=2,
        critical=1,
        median_waiting_minutes=5,
        median_working_minutes=40,
    )
    assert (fire.tasks, fire.median_waiting_minutes) == (1, 1)


@pytest.mark.parametrize("period", ["", "2026-03"])
def test_a_year_of_cases_is_compared_from_the_index_alone(service, category, period):
    area = f"4208{random.randint(10, 99)}001003"
    for month in ("2026-02", "2026-03"):
        for _ in range(20):
            entered(service, area=area, category=category, period=month)
    query = {"scope": {"$gte": area[:4], "$lt": area[:4] + ":"}, **({"period": period} if period else {})}
    command = {"aggregate": "ledgers", "pipeline": store.comparison_stages(query=query), "cursor": {}}
    told = service.database.command("explain", {**command, "hint": store.COMPARED}, verbosity="executionStats")
    stats = told["stages"][0]["$cursor"]["executionStats"]
    assert stats["totalDocsExamined"] == 0
    assert stats["nReturned"] >= 20


def test_figures_of_a_month_are_counted_from_its_ledgers_only(service, category):
    area = f"4209{random.randint(10, 99)}001003"
    for month in ("2026-02", "2026-03"):
        for _ in range(20):
            entered(service, area=area, category=category, period=month)
    query = {"scope": {"$gte": area, "$lt": area + ":"}}
    pipeline = store.figures_stages(period="2026-02", query=query)
    told = service.database.command(
        "explain", {"aggregate": "ledgers", "pipeline": pipeline, "cursor": {}}, verbosity="executionStats"
    )
    assert told["stages"][0]["$cursor"]["executionStats"]["totalDocsExamined"] == 20


@pytest.mark.parametrize("role", ["RESIDENT", "VOLUNTEER", "MERCHANT", "SYS_ADMIN"])
def test_figures_and_ledgers_are_for_staff(service, stub, role):
    caller = service.metadata(sub="someone", roles=[role], area="4205")
    calls = [
        (stub.GetCaseLedger, pb.GetCaseLedgerRequest(case_id=new())),
        (stub.ListCaseLedgers, pb.ListCaseLedgersRequest()),
        (stub.ListDepartmentFigures, pb.ListDepartmentFiguresRequest()),
        (stub.GetComparison, pb.GetComparisonRequest()),
        (stub.ListCriticalMinutes, pb.ListCriticalMinutesRequest()),
        (lambda request, metadata: list(stub.ExportLedgers(request, metadata=metadata)), pb.ExportLedgersRequest()),
    ]
    for call, request in calls:
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=caller)
        assert isinstance(error_of(caught.value), PermissionDenied)


def test_the_comparison_shows_what_parallel_work_saves(service, stub, category):
    for case_id in (cases := [new(), new()]):
        tell(service, story(case_id, category=category))
    for case_id in cases:
        closed(service, stub, case_id)
    request = pb.GetComparisonRequest(period="2026-03", category=category)
    comparison = stub.GetComparison(request, metadata=service.metadata(**ASSESSOR))
    (row,) = comparison.categories
    assert (row.category, row.cases, row.parallel_cases) == (category, 2, 2)
    assert (row.median_actual_minutes, row.median_serial_minutes, row.median_saved_minutes) == (200, 320, 120)
    assert (comparison.total.cases, comparison.total.category) == (2, "")


def test_ledgers_are_listed_newest_first_page_by_page(service, stub, category):
    cases = [new() for _ in range(5)]
    for number, case_id in enumerate(cases):
        events = story(case_id, category=category)
        at(events[0], reported_at=number)
        at(events[1], reported_at=number)
        tell(service, events)
    for case_id in cases:
        closed(service, stub, case_id)
    seen, token = [], ""
    while True:
        request = pb.ListCaseLedgersRequest(
            category=category, page_size=2, page_token=token, department="UMD", handled_only=True
        )
        page = stub.ListCaseLedgers(request, metadata=service.metadata(**ASSESSOR))
        seen += [found.case_id for found in page.ledgers]
        token = page.next_page_token
        if not token:
            break
    assert seen == cases[::-1]
    nobody = pb.ListCaseLedgersRequest(category=category, department="WF")
    assert not stub.ListCaseLedgers(nobody, metadata=service.metadata(**ASSESSOR)).ledgers


def test_other_cities_see_nothing(service, stub, category):
    case_id = new()
    tell(service, story(case_id, category=category))
    closed(service, stub, case_id)
    assert ledger(service, stub, case_id, area="4201") is None
    request = pb.ListCaseLedgersRequest(category=category, area_prefix="4205")
    assert not stub.ListCaseLedgers(request, metadata=service.metadata(**{**ASSESSOR, "area": "4201"})).ledgers


def test_a_case_without_an_area_belongs_to_its_city_until_it_is_located(service, stub, category):
    case_id = new()
    report = at(facts.CaseReported(case_id=case_id, **{**head(category, "4205"), "area_code": ""}), reported_at=0)
    service.publish(report)
    eventually(lambda: ledger(service, stub, case_id))
    assert ledger(service, stub, case_id, area="420502") is None
    service.publish(facts.CaseLocated(case_id=case_id, area_code="420502001003"))
    assert eventually(lambda: ledger(service, stub, case_id, area="420502"))


@pytest.mark.parametrize("period", ["2026-13", "202603", "March"])
def test_a_wrong_period_is_refused(service, stub, period):
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetComparison(pb.GetComparisonRequest(period=period), metadata=service.metadata(**ASSESSOR))
    error = error_of(caught.value)
    assert isinstance(error, InvalidArgument)
    assert error.violations[0][0] == "period"


def test_hundreds_of_facts_go_in_with_few_writes(service, stub, category):
    cases = [new() for _ in range(60)]
    events = [event for case_id in cases for event in story(case_id, category=category)]
    random.Random(5).shuffle(events)
    tell(service, events)
    for case_id in cases:
        closed(service, stub, case_id)
    revisions = [row["revision"] for row in service.database.ledgers.find({"_id": {"$in": cases}})]
    assert sum(revisions) < len(events)

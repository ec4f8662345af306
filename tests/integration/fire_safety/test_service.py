"""Fire safety as its processes: a task becomes an inspection, the inspection completes the task."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import grpc
import pytest
from binglian.fire_safety.v1 import inspection_pb2 as inspection_pb
from binglian.fire_safety.v1 import inspection_service_pb2 as inspections_pb
from binglian.fire_safety.v1 import place_pb2 as place_pb
from binglian.fire_safety.v1 import place_service_pb2 as places_pb
from binglian.fire_safety.v1.inspection_service_pb2_grpc import InspectionServiceStub
from binglian.fire_safety.v1.place_service_pb2_grpc import PlaceServiceStub
from binglian.mediation.v1 import case_pb2 as case_pb
from binglian.mediation.v1 import events_pb2 as facts
from binglian.type.v1.evidence_pb2 import Attachment, Point

from svckit.documents import utc_now
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, ServiceError
from svckit.statuses import error_of
from tests.services import Service, eventually, running_service

pytestmark = pytest.mark.integration

TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"
INSPECTOR = {"sub": "zhang", "roles": ["DEPT_HANDLER"], "department": "FIRE"}
WARDEN = {"sub": "li", "roles": ["GRID_FIRE"], "area": "420502"}
GRID = "42050200100310001"


@pytest.fixture(scope="module")
def service(mongo_uri, amqp_uri, tmp_path_factory) -> Iterator[Service]:
    with running_service(
        "fire_safety", mongo_uri=mongo_uri, amqp_uri=amqp_uri, logs=tmp_path_factory.mktemp("logs")
    ) as running:
        yield running


@pytest.fixture(scope="module")
def places(service: Service) -> PlaceServiceStub:
    return PlaceServiceStub(service.channel)


@pytest.fixture(scope="module")
def inspections(service: Service) -> InspectionServiceStub:
    return InspectionServiceStub(service.channel)


def new() -> str:
    return str(uuid.uuid4())


def refused(kind: type[ServiceError], reason: str, call, *arguments, **options) -> ServiceError:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    error = error_of(caught.value)
    assert (type(error), error.reason) == (kind, reason)
    return error


def task(department: str = "FIRE", *, task_id: str, starts: bool = True) -> facts.DispatchedTask:
    planned = facts.DispatchedTask(
        task_id=task_id, department=department, role=case_pb.TASK_ROLE_JOINT, instruction="看消防通道"
    )
    if starts:
        planned.assigned_at.FromDatetime(utc_now())
    return planned


def dispatched(*tasks: facts.DispatchedTask, case_id: str, point: Point | None = None) -> facts.CaseDispatched:
    return facts.CaseDispatched(
        case_id=case_id,
        number="420502-2026-000007",
        city="4205",
        area_code=GRID,
        category="A0204",
        description="楼道堵塞",
        address="西陵一路 1 号",
        point=point,
        tasks=tasks,
    )


def of_task(service: Service, inspections: InspectionServiceStub, task_id: str) -> list[inspection_pb.Inspection]:
    request = inspections_pb.ListInspectionsRequest(task_id=task_id)
    return list(inspections.ListInspections(request, metadata=service.metadata(**INSPECTOR)).inspections)


def opened_for(service: Service, inspections: InspectionServiceStub, *, point: Point | None = None) -> inspection_pb.Inspection:
    """A case is dispatched to the fire department; returns the inspection the worker opens."""
    case_id, task_id = new(), new()
    service.publish(dispatched(task(task_id=task_id), case_id=case_id, point=point), traceparent=TRACEPARENT)
    (inspection,) = eventually(lambda: of_task(service, inspections, task_id))
    return inspection


def passing(inspection: inspection_pb.Inspection, *, except_for: str = "") -> list[inspections_pb.ItemAnswer]:
    return [
        inspections_pb.ItemAnswer(code=item.code, answer=inspection_pb.ANSWER_PASS)
        for item in inspection.items
        if item.code != except_for
    ]


def test_a_task_opens_an_inspection_and_its_result_completes_the_task(service, inspections):
    heard = service.facts("fire_safety.#")
    inspection = opened_for(service, inspections)
    assert inspection.state == inspection_pb.INSPECTION_STATE_OPEN
    assert inspection.description == "楼道堵塞"
    assert inspection.traceparent.startswith(TRACEPARENT[:35])
    assert "FC201" in [item.code for item in inspection.items]

    blocked = inspections_pb.ItemAnswer(code="FC201", answer=inspection_pb.ANSWER_FAIL, note="杂物堵塞安全出口")
    request = inspections_pb.CompleteInspectionRequest(
        inspection_id=inspection.inspection_id,
        request_id=new(),
        result="责令当日清理",
        evidence=[Attachment(uri="s3://photos/1.jpg")],
        answers=[blocked, *passing(inspection, except_for="FC201")],
    )
    done = inspections.CompleteInspection(request, metadata=service.metadata(**INSPECTOR)).inspection
    assert (done.state, done.revision, done.completed_by) == (inspection_pb.INSPECTION_STATE_COMPLETED, 2, "zhang")
    assert [(hazard.item_code, hazard.level, hazard.status) for hazard in done.hazards] == [("FC201", "H2", "R2")]

    (opened_kind, opened), (completed_kind, completed) = eventually(lambda: heard() if len(heard()) > 1 else None)
    assert (opened_kind, completed_kind) == ("fire_safety.inspection_opened.v1", "fire_safety.inspection_completed.v1")
    expected = {"caseId": inspection.task.case_id, "taskId": inspection.task.task_id, "caseNumber": "420502-2026-000007"}
    assert opened["task"] == completed["task"] == expected
    assert (opened["department"], opened["by"]) == ("FIRE", "fire_safety")
    assert (completed["result"], completed["by"], completed["evidence"]) == (
        "责令当日清理",
        "zhang",
        [{"uri": "s3://photos/1.jpg"}],
    )
    assert completed["at"]
    assert completed["hazards"][0]["itemCode"] == "FC201"


def test_a_task_that_waits_for_others_opens_nothing_until_it_is_assigned(service, inspections):
    case_id, waiting = new(), new()
    service.publish(dispatched(task(task_id=waiting, starts=False), task("UMD", task_id=new()), case_id=case_id))
    later = opened_for(service, inspections)
    assert later
    assert of_task(service, inspections, waiting) == []
    event = facts.TaskAssigned(case_id=case_id, number="n", city="4205", area_code=GRID, task=task(task_id=waiting))
    service.publish(event)
    service.publish(event)
    eventually(lambda: of_task(service, inspections, waiting))
    opened_for(service, inspections)
    assert len(of_task(service, inspections, waiting)) == 1


def test_a_registered_place_at_the_spot_gives_its_own_checklist(service, inspections, places):
    point = Point(longitude=111.3001, latitude=30.7001)
    draft = place_pb.PlaceDraft(place_type="FP16", name="充电棚", area_code=GRID, point=point)
    request = places_pb.CreatePlaceRequest(request_id=new(), place=draft)
    place = places.CreatePlace(request, metadata=service.metadata(**WARDEN)).place
    inspection = opened_for(service, inspections, point=Point(longitude=111.3001, latitude=30.70018))
    assert inspection.place_id == place.place_id
    assert [item.code for item in inspection.items] == ["FC304", "FC401"]
    complete(service, inspections, inspection)

    def record() -> place_pb.Place | None:
        found = places.GetPlace(places_pb.GetPlaceRequest(place_id=place.place_id), metadata=service.metadata(**WARDEN)).place
        return found if found.last_inspection_id else None

    noted = eventually(record)
    assert noted.last_inspection_id == inspection.inspection_id
    assert noted.next_inspection_at.ToDatetime() > place.next_inspection_at.ToDatetime()


def complete(service: Service, inspections: InspectionServiceStub, inspection: inspection_pb.Inspection) -> None:
    request = inspections_pb.CompleteInspectionRequest(
        inspection_id=inspection.inspection_id, request_id=new(), result="合格", answers=passing(inspection)
    )
    inspections.CompleteInspection(request, metadata=service.metadata(**INSPECTOR))


def test_a_task_that_comes_back_is_inspected_again(service, inspections):
    first = opened_for(service, inspections)
    complete(service, inspections, first)
    event = facts.TaskReturned(case_id=first.task.case_id, task_id=first.task.task_id, department="FIRE", reason="仍有杂物")
    event.returned_at.FromDatetime(utc_now())
    service.publish(event)
    both = eventually(lambda: found if len(found := of_task(service, inspections, first.task.task_id)) > 1 else None)
    again = next(inspection for inspection in both if inspection.inspection_id != first.inspection_id)
    assert (again.inspection_type, again.instruction, again.area_code) == ("IT3", "仍有杂物", GRID)
    assert len(again.items) == len(first.items)


def test_a_task_given_to_another_department_cancels_the_inspection(service, inspections):
    inspection = opened_for(service, inspections)
    event = facts.ObjectionRuled(
        case_id=inspection.task.case_id, task_id=inspection.task.task_id, department="FIRE", upheld=True, reassigned_to="UMD"
    )
    event.ruled_at.FromDatetime(utc_now())
    service.publish(event)
    eventually(
        lambda: of_task(service, inspections, inspection.task.task_id)[0].state == inspection_pb.INSPECTION_STATE_CANCELLED
    )
    request = inspections_pb.RecordItemsRequest(
        inspection_id=inspection.inspection_id, request_id=new(), answers=passing(inspection)
    )
    refused(FailedPrecondition, "INSPECTION_NOT_OPEN", inspections.RecordItems, request, metadata=service.metadata(**INSPECTOR))


def test_answers_are_kept_and_a_repeated_request_changes_nothing(service, inspections):
    inspection = opened_for(service, inspections)
    request = inspections_pb.RecordItemsRequest(
        inspection_id=inspection.inspection_id, request_id=new(), answers=passing(inspection)[:2]
    )
    once = inspections.RecordItems(request, metadata=service.metadata(**INSPECTOR)).inspection
    twice = inspections.RecordItems(request, metadata=service.metadata(**INSPECTOR)).inspection
    assert once == twice
    assert [item.answer for item in once.items[:3]] == [inspection_pb.ANSWER_PASS, inspection_pb.ANSWER_PASS, 0]
    request.answers[0].note = "anders"
    refused(FailedPrecondition, "REQUEST_ID_REUSED", inspections.RecordItems, request, metadata=service.metadata(**INSPECTOR))
    unfinished = inspections_pb.CompleteInspectionRequest(inspection_id=inspection.inspection_id, request_id=new(), result="x")
    error = refused(
        FailedPrecondition,
        "CHECKLIST_INCOMPLETE",
        inspections.CompleteInspection,
        unfinished,
        metadata=service.metadata(**INSPECTOR),
    )
    assert error.metadata["items"].startswith("FC205,")


def test_inspections_are_opened_by_hand_by_those_who_make_them(service, inspections, places):
    draft = place_pb.PlaceDraft(place_type="FP13", name="出租房", area_code=GRID)
    place = places.CreatePlace(
        places_pb.CreatePlaceRequest(request_id=new(), place=draft), metadata=service.metadata(**WARDEN)
    ).place
    request = inspections_pb.OpenInspectionRequest(request_id=new(), place_id=place.place_id, inspection_type="IT2")
    opened = inspections.OpenInspection(request, metadata=service.metadata(**WARDEN)).inspection
    assert (opened.opened_by, opened.HasField("task"), opened.place_type) == ("li", False, "FP13")
    again = inspections.OpenInspection(request, metadata=service.metadata(**WARDEN)).inspection
    assert again.inspection_id == opened.inspection_id
    request.request_id = new()
    request.inspection_type = "IT7"
    refused(PermissionDenied, "NOT_THE_INSPECTOR", inspections.OpenInspection, request, metadata=service.metadata(**WARDEN))


def test_other_cities_and_districts_see_nothing(service, inspections, places):
    inspection = opened_for(service, inspections)
    stranger = service.metadata(**{**INSPECTOR, "area": "4201"})
    get = inspections_pb.GetInspectionRequest(inspection_id=inspection.inspection_id)
    refused(NotFound, "INSPECTION_NOT_FOUND", inspections.GetInspection, get, metadata=stranger)
    answer = inspections_pb.RecordItemsRequest(
        inspection_id=inspection.inspection_id, request_id=new(), answers=passing(inspection)
    )
    refused(NotFound, "INSPECTION_NOT_FOUND", inspections.RecordItems, answer, metadata=stranger)
    assert not inspections.ListInspections(inspections_pb.ListInspectionsRequest(), metadata=stranger).inspections
    wide = inspections_pb.ListInspectionsRequest(area_prefix="42")
    assert not inspections.ListInspections(wide, metadata=stranger).inspections
    create = places_pb.CreatePlaceRequest(
        request_id=new(), place=place_pb.PlaceDraft(place_type="FP13", name="x", area_code=GRID)
    )
    refused(
        PermissionDenied,
        "AREA_NOT_ALLOWED",
        places.CreatePlace,
        create,
        metadata=service.metadata(**{**WARDEN, "area": "420503"}),
    )


def test_lists_go_on_where_the_page_before_ended(service, inspections):
    expected = {opened_for(service, inspections).inspection_id for _ in range(3)}
    seen: list[str] = []
    token = ""
    while True:
        request = inspections_pb.ListInspectionsRequest(
            page_size=2, page_token=token, states=[inspection_pb.INSPECTION_STATE_OPEN]
        )
        page = inspections.ListInspections(request, metadata=service.metadata(**INSPECTOR))
        seen += [inspection.inspection_id for inspection in page.inspections]
        token = page.next_page_token
        if not token:
            break
    assert expected <= set(seen)
    assert len(seen) == len(set(seen))
    bad = inspections_pb.ListInspectionsRequest(page_token="xx")
    refused(InvalidArgument, "PAGE_TOKEN_INVALID", inspections.ListInspections, bad, metadata=service.metadata(**INSPECTOR))


def test_an_import_takes_the_good_rows_and_names_the_others(service, places):
    rows = [
        place_pb.PlaceDraft(place_type="FP01", name="幼儿园", area_code=GRID, external_id=f"imp-{new()}"),
        place_pb.PlaceDraft(place_type="FP77", name="?", area_code=GRID, external_id=f"imp-{new()}"),
        place_pb.PlaceDraft(place_type="FP02", name="诊所", area_code="420103001001", external_id=f"imp-{new()}"),
        place_pb.PlaceDraft(place_type="FP02", name="诊所", area_code=GRID),
    ]
    importer = service.metadata(sub="importer", roles=["IMPORTER"], area="4205")
    request = places_pb.ImportPlacesRequest(request_id=new(), places=rows)
    report = places.ImportPlaces(request, metadata=importer)
    assert (report.created, report.existing) == (1, 0)
    assert [(error.row, error.reason) for error in report.errors] == [
        (1, "PLACE_TYPE_UNKNOWN"),
        (2, "AREA_NOT_ALLOWED"),
        (3, "EXTERNAL_ID_MISSING"),
    ]
    assert places.ImportPlaces(request, metadata=importer) == report
    repeated = places.ImportPlaces(places_pb.ImportPlacesRequest(request_id=new(), places=rows[:1]), metadata=importer)
    assert (repeated.created, repeated.existing) == (0, 1)


def test_a_registered_number_is_not_registered_twice(service, places):
    draft = place_pb.PlaceDraft(place_type="FP13", name="x", area_code=GRID, external_id=f"one-{new()}")
    places.CreatePlace(places_pb.CreatePlaceRequest(request_id=new(), place=draft), metadata=service.metadata(**WARDEN))
    request = places_pb.CreatePlaceRequest(request_id=new(), place=draft)
    refused(Conflict, "ALREADY_EXISTS", places.CreatePlace, request, metadata=service.metadata(**WARDEN))


def test_the_responsible_persons_number_is_hidden_without_a_purpose(service, places):
    draft = place_pb.PlaceDraft(
        place_type="FP13", name="x", area_code=GRID, responsible_name="王小明", responsible_phone="13800005678"
    )
    created = places.CreatePlace(
        places_pb.CreatePlaceRequest(request_id=new(), place=draft), metadata=service.metadata(**WARDEN)
    ).place
    assert (created.responsible_name, created.responsible_phone) == ("王**", "138****5678")
    emergency = [*service.metadata(**WARDEN, purposes=["P10"]), ("x-purpose", "P10")]
    shown = places.GetPlace(places_pb.GetPlaceRequest(place_id=created.place_id), metadata=emergency).place
    assert shown.responsible_phone == "13800005678"


def test_roles_without_a_part_in_it_are_refused(service, places):
    request = places_pb.CreatePlaceRequest(
        request_id=new(), place=place_pb.PlaceDraft(place_type="FP13", name="x", area_code=GRID)
    )
    refused(PermissionDenied, "ROLE_REQUIRED", places.CreatePlace, request, metadata=service.metadata(roles=["RESIDENT"]))


def test_what_is_no_event_ends_in_the_dead_letter_queue(service, inspections):
    service.publish_json("mediation.task_assigned.v1", b'{"department": "FIRE", "task": 7}')
    inspection = opened_for(service, inspections)
    assert inspection

    def dead() -> bytes | None:
        return service.broker.basic_get("fire_safety.dead", auto_ack=True)[2]

    assert b'"task": 7' in eventually(dead, seconds=30)

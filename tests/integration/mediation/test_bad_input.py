"""Each wrong request its own clear error, as a client sees it over gRPC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.type.v1 import evidence_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from svckit.errors import (
    Conflict,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ServiceError,
    Unauthenticated,
)
from svckit.ids import new_id
from tests.integration.mediation.stack import ELSEWHERE, PLACE, Person, Stack, task_of

pytestmark = pytest.mark.integration


def at(**ago: float) -> Timestamp:
    """A time before now."""
    stamp = Timestamp()
    stamp.FromDatetime(dt.datetime.now(dt.UTC) - dt.timedelta(**ago))
    return stamp


def point(place: tuple[float, float]) -> evidence_pb2.Point:
    return evidence_pb2.Point(longitude=place[0], latitude=place[1])


async def refused(call: Awaitable[Any], kind: type[ServiceError], reason: str, field: str = "") -> ServiceError:
    """Expects the error a client gets, with its stable reason and the field it is about."""
    with pytest.raises(kind) as refusal:
        await call
    assert refusal.value.reason == reason
    assert refusal.value.field == field or field in [path for path, _ in getattr(refusal.value, "violations", ())]
    return refusal.value


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"category": "Z9"}, "UNKNOWN_CATEGORY", "category"),
        ({"source": "77"}, "UNKNOWN_SOURCE", "source"),
        ({"area_code": ""}, "PLACE_REQUIRED", "point"),
        ({"area_code": "", "point": point(ELSEWHERE)}, "OUTSIDE_CITY", "point"),
        ({"happened_at": at(hours=-1)}, "IN_FUTURE", "happened_at"),
        ({"happened_at": at(days=8)}, "TOO_OLD", "happened_at"),
        ({"photos": [evidence_pb2.Attachment(uri="oss://a.jpg", taken_at=at(hours=-1))]}, "IN_FUTURE", "photos[0].taken_at"),
        ({"description": ""}, "VALIDATION_FAILED", "description"),
        ({"area_code": "12ab"}, "VALIDATION_FAILED", "area_code"),
        ({"request_id": "short"}, "VALIDATION_FAILED", "request_id"),
        ({"severity": 99}, "VALIDATION_FAILED", "severity"),
        ({"point": evidence_pb2.Point(longitude=200)}, "VALIDATION_FAILED", "point.longitude"),
    ],
)
async def test_wrong_reports(stack: Stack, fields: dict[str, Any], reason: str, field: str) -> None:
    async with Person(stack, subject="worker", role="GRID_WORKER") as worker:
        with pytest.raises(InvalidArgument) as refusal:
            await worker.report(**fields)
    assert refusal.value.reason == reason
    assert field in [path for path, _ in refusal.value.violations]


async def test_who_may_not_report(stack: Stack) -> None:
    async with (
        Person(stack, subject="u", role="GRID_WORKER", area="420502") as worker,
        Person(stack, subject="d", role="DEPT_HANDLER", department="FIRE") as handler,
    ):
        await refused(worker.report(area_code="420503001001"), PermissionDenied, "AREA_NOT_ALLOWED")
        await refused(worker.report(external_id="X-1"), PermissionDenied, "EXTERNAL_ID_NOT_ALLOWED")
        await refused(handler.report(), PermissionDenied, "ROLE_REQUIRED")
        handler.channel._authorization = "Bearer nonsense"
        await refused(handler.report(), Unauthenticated, "TOKEN_INVALID")


async def test_an_import_is_not_repeated(stack: Stack) -> None:
    async with Person(stack, subject="importer", role="IMPORTER") as importer:
        await importer.report(external_id="311-4711", happened_at=at(days=900))
        await refused(importer.report(external_id="311-4711"), Conflict, "ALREADY_EXISTS")


async def test_other_cities_do_not_exist(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="x", role="DISPATCHER", area="5101") as stranger,
        Person(stack, subject="r", role="RESIDENT") as resident,
    ):
        case = await dispatcher.report()
        for call in (
            stranger.get(case.case_id),
            stranger.dispatch(case.case_id, "PMC"),
            resident.get(case.case_id),
            dispatcher.get("01930000-0000-7000-8000-000000000000"),
        ):
            await refused(call, NotFound, "CASE_NOT_FOUND")


def plan(department: str, *after: str, lead: bool = False, key: str = "") -> case_service_pb2.TaskPlan:
    role = case_pb2.TASK_ROLE_LEAD if lead else case_pb2.TASK_ROLE_JOINT
    return case_service_pb2.TaskPlan(department=department, role=role, after=after, key=key)


@pytest.mark.parametrize(
    ("plans", "reason", "field"),
    [
        ([plan("FIRE")], "LEAD_COUNT", "tasks"),
        ([plan("FIRE", lead=True), plan("PSB", lead=True)], "LEAD_COUNT", "tasks"),
        ([plan("FIRE", lead=True), plan("NASA")], "UNKNOWN_DEPARTMENT", "tasks[1].department"),
        ([plan("FIRE", lead=True), plan("FIRE", key="again")], "DUPLICATE_DEPARTMENT", "tasks[1].department"),
        ([plan("FIRE", lead=True, key="a"), plan("PSB", key="a")], "DUPLICATE_KEY", "tasks[1].key"),
        ([plan("FIRE", lead=True), plan("PSB", "UMD")], "UNKNOWN_KEY", "tasks[1].after[0]"),
        ([plan("FIRE", "PSB", lead=True), plan("PSB", "FIRE")], "CYCLE", "tasks[0].after"),
        ([plan("FIRE", lead=True), plan("PSB", "PSB")], "CYCLE", "tasks[1].after"),
    ],
)
async def test_wrong_dispatches(stack: Stack, plans: list[case_service_pb2.TaskPlan], reason: str, field: str) -> None:
    async with Person(stack, subject="d", role="DISPATCHER") as dispatcher:
        case = await dispatcher.report()
        request = case_service_pb2.DispatchCaseRequest(case_id=case.case_id, tasks=plans, request_id=new_id())
        await refused(dispatcher.cases.DispatchCase(request), InvalidArgument, reason, field)
        assert (await dispatcher.get(case.case_id)).revision == case.revision, "a refused dispatch leaves no trace"


async def test_wrong_states_and_revisions(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="fire", role="DEPT_HANDLER", department="FIRE") as fire,
        Person(stack, subject="worker", role="GRID_WORKER") as worker,
    ):
        case = await dispatcher.report()
        verify = case_service_pb2.VerifyCaseRequest(case_id=case.case_id, request_id=new_id(), passed=True)
        await refused(worker.cases.VerifyCase(verify), FailedPrecondition, "WRONG_STATE")
        close = case_service_pb2.CloseCaseRequest(case_id=case.case_id, request_id=new_id())
        await refused(dispatcher.cases.CloseCase(close), FailedPrecondition, "WRONG_STATE")
        case = await dispatcher.dispatch(case.case_id, "PMC", "FIRE")
        await refused(dispatcher.dispatch(case.case_id, "PMC"), FailedPrecondition, "WRONG_STATE")
        accept = case_service_pb2.AcceptCaseRequest(case_id=case.case_id, request_id=new_id(), revision=1)
        await refused(dispatcher.cases.AcceptCase(accept), FailedPrecondition, "STALE_REVISION")
        await refused(fire.complete(case), FailedPrecondition, "WRONG_STATE")
        await refused(fire.accept(case, task_id=new_id()), NotFound, "TASK_NOT_FOUND")
        await refused(fire.accept(case, task_id=task_of(case, "PMC")), PermissionDenied, "OTHER_DEPARTMENT")
        early = task_service_pb2.AcceptTaskRequest(
            case_id=case.case_id, task_id=task_of(case, "FIRE"), request_id=new_id(), happened_at=at(minutes=1)
        )
        await refused(fire.tasks.AcceptTask(early), PermissionDenied, "HAPPENED_AT_NOT_ALLOWED")


async def test_the_lead_owes_the_reply_of_all(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="pmc", role="DEPT_LEAD", department="PMC") as lead,
    ):
        case = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC", "FIRE")
        await lead.accept(case)
        call = lead.complete(case, unified_reply="")
        await refused(call, InvalidArgument, "UNIFIED_REPLY_REQUIRED", "unified_reply")


async def test_the_only_department_shows_its_work(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="pmc", role="DEPT_HANDLER", department="PMC") as handler,
        Person(stack, subject="importer", role="IMPORTER", department="PMC") as importer,
    ):
        case = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC")
        await handler.accept(case)
        await refused(handler.complete(case, evidence=[]), InvalidArgument, "PHOTO_REQUIRED", "evidence")
        assert (await dispatcher.get(case.case_id)).state == case_pb2.CASE_STATE_HANDLING
        await importer.complete(case, evidence=[])
        assert (await dispatcher.get(case.case_id)).state == case_pb2.CASE_STATE_HANDLED


async def test_wrong_checks(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="pmc", role="DEPT_LEAD", department="PMC") as lead,
        Person(stack, subject="checker", role="GRID_SUPERVISOR") as checker,
        Person(stack, subject="pmc", role="GRID_SUPERVISOR") as handler,
    ):
        case = await dispatcher.dispatch((await dispatcher.report(point=point(PLACE))).case_id, "PMC")
        await lead.accept(case)
        await lead.complete(case)

        def check(person: Person, **fields: Any) -> Awaitable[Any]:
            given = {"passed": True, "photos": [photo(PLACE)]} | fields
            request = case_service_pb2.VerifyCaseRequest(case_id=case.case_id, request_id=new_id(), **given)
            return person.cases.VerifyCase(request)  # type: ignore[no-any-return]

        near = (PLACE[0] + 0.0006, PLACE[1])  # 57 m
        await refused(check(handler), PermissionDenied, "VERIFIER_HANDLED_IT")
        await refused(check(checker, photos=[photo(near)]), InvalidArgument, "PHOTO_TOO_FAR", "photos[0].point")
        await refused(check(checker, photos=[]), InvalidArgument, "PHOTO_REQUIRED", "photos")
        await refused(check(checker, passed=False), InvalidArgument, "FAILED_TASKS", "failed_task_ids")
        await refused(
            check(checker, passed=False, failed_task_ids=[new_id()]), InvalidArgument, "FAILED_TASKS", "failed_task_ids[0]"
        )
        reopened = (await check(checker, passed=False, text="仍有杂物", failed_task_ids=[case.tasks[0].task_id])).case
        assert reopened.state == case_pb2.CASE_STATE_REWORK
        assert (reopened.tasks[0].state, reopened.tasks[0].return_reason) == (case_pb2.TASK_STATE_RETURNED, "仍有杂物")


def photo(place: tuple[float, float]) -> evidence_pb2.Attachment:
    return evidence_pb2.Attachment(uri="oss://p.jpg", point=point(place))


async def test_wrong_page_tokens(stack: Stack) -> None:
    async with Person(stack, subject="d", role="DISPATCHER") as person:
        lists: list[Callable[[], Awaitable[Any]]] = [
            lambda: person.cases.ListCases(case_service_pb2.ListCasesRequest(page_token="***")),
            lambda: person.tasks.ListTasks(task_service_pb2.ListTasksRequest(page_token="aGVsbG8")),
        ]
        for call in lists:
            await refused(call(), InvalidArgument, "INVALID_CURSOR", "page_token")


async def test_a_message_that_is_none(stack: Stack) -> None:
    async with grpc.aio.insecure_channel(stack.addresses[0]) as channel:
        call = channel.unary_unary("/binglian.mediation.v1.CaseService/ReportCase")
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call(b"\xff\xff\xff", metadata=(("authorization", stack.token("u", "GRID_WORKER")),))
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT

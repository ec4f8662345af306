"""What somebody may not know of is in no answer of any reading rpc: not in lists, counts by words, files, streams, orders or notices."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from binglian.mediation import v1
from binglian.mediation.v1 import (
    case_pb2,
    cooperation_service_pb2,
    cooperation_service_pb2_grpc,
    notice_pb2,
    notice_service_pb2,
    notice_service_pb2_grpc,
    supervision_pb2,
    supervision_service_pb2,
    supervision_service_pb2_grpc,
    task_service_pb2,
)
from google.api import annotations_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from svckit.errors import NotFound
from svckit.ids import new_id
from tests.integration.mediation.messages import settings
from tests.integration.mediation.stack import Person, Stack, task_of
from tests.sinks import http_sink, mail_sink

pytestmark = pytest.mark.integration
COMMUNITY = "420502001095"
SECONDS = 1.0
"""How long a stream may take to give something away."""
# (role, area, department): people of the place who may know of ordinary cases there, and people who may not.
STRANGERS = [
    ("DISPATCHER", "420503", ""),
    ("SUPERVISION", "4206", ""),
    ("DEPT_LEAD", "420503", "FIRE"),
    ("GRID_WORKER", "420502001003", ""),
    ("RESIDENT", COMMUNITY, ""),
    ("VOLUNTEER", COMMUNITY, ""),
    ("PROPERTY_MGR", COMMUNITY, ""),
    ("SEC_ADMIN", "4205", ""),
]
ORDINARY = [
    ("SUPERVISION", "4205", ""),
    ("STREET_CENTER", "420502001", ""),
    ("GRID_WORKER", COMMUNITY, ""),
    ("GRID_MEDIATOR", COMMUNITY, ""),
    ("ASSESSOR", "4205", ""),
    ("DEPT_LEAD", "4205", "JUST"),
    ("RESIDENT", COMMUNITY, ""),
]
WOMEN = ("DEPT_LEAD", "4205", "WF")


def reading() -> Iterator[MethodDescriptor]:
    """Every rpc of svc-mediation that only reads."""
    for module in pkgutil.iter_modules(v1.__path__):
        if not module.name.endswith("_service_pb2"):
            continue
        for service in importlib.import_module(f"binglian.mediation.v1.{module.name}").DESCRIPTOR.services_by_name.values():
            yield from (method for method in service.methods if method.GetOptions().Extensions[annotations_pb2.http].get)


def asked(method: MethodDescriptor, about: dict[str, str]) -> list[Message]:
    """Requests to an rpc: as open as it takes them, and about the hidden thing itself; only those that validation lets pass matter."""
    kind = message_factory.GetMessageClass(method.input_type)
    fields = method.input_type.fields_by_name
    named = {name: value for name, value in about.items() if name in fields}
    requests = [kind(), kind(**named)]
    if "filter" in fields:
        filters = message_factory.GetMessageClass(fields["filter"].message_type)
        ways: list[dict[str, Any]] = [{"area_prefix": COMMUNITY}]
        if method.name != "FindTasks":
            ways += [{"text": about["words"]}, {"duplicates_of": about["near_to"]}]
        requests = [kind(filter=filters(**way)) for way in ways]
    return requests


async def answers(channel: Any, method: MethodDescriptor, request: Message, metadata: Any) -> bytes:
    """Everything an rpc answers within SECONDS, as bytes; nothing where it refuses."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    heard = b""
    with contextlib.suppress(grpc.RpcError, TimeoutError):
        async with asyncio.timeout(SECONDS if method.server_streaming else 10):
            if method.server_streaming:
                async for answer in channel.unary_stream(path, type(request).SerializeToString)(request, metadata=metadata):
                    heard += answer
            else:
                heard = await channel.unary_unary(path, type(request).SerializeToString)(request, metadata=metadata)
    return heard


async def told(stack: Stack, who: tuple[str, str, str], about: dict[str, str]) -> dict[str, bytes]:
    """What every reading rpc tells somebody, by its name."""
    role, area, department = who
    metadata = (("authorization", stack.token(f"reader-{role}", role, area=area, department=department)),)
    asks = [(method, request) for method in reading() for request in asked(method, about)]
    async with grpc.aio.insecure_channel(stack.addresses[0]) as channel:
        heard = await asyncio.gather(*(answers(channel, method, request, metadata) for method, request in asks))
    found: dict[str, bytes] = {}
    for (method, _), answer in zip(asks, heard, strict=True):
        found[method.name] = found.get(method.name, b"") + answer
    return found


async def entered(stack: Stack, *, category: str, words: str, departments: tuple[str, ...]) -> dict[str, str]:
    """A case that is worked on, with an order to its joint department; beside it another one nobody hides."""
    async with Person(stack, subject="victim", role="DISPATCHER", area="420502") as desk:
        there = {"area_code": f"{COMMUNITY}10001", "description": words}
        case = await desk.dispatch((await desk.report(category=category, **there)).case_id, *departments)
        near = await desk.report(category="A0204", area_code=f"{COMMUNITY}10001", description="杂物堵塞楼道")
        request = supervision_service_pb2.IssueOrderRequest(
            case_id=case.case_id, task_id=task_of(case, departments[1]), demand=words, request_id=new_id()
        )
        stub = supervision_service_pb2_grpc.SupervisionServiceStub(desk.channel)
        order = (await stub.IssueOrder(request)).order
    about = {"case_id": case.case_id, "order_id": order.order_id, "department": departments[1]}
    return {**about, "number": case.number, "words": words, "near_to": near.case_id}


@pytest.fixture
def worker(stack: Stack) -> Iterator[None]:
    with http_sink() as http, mail_sink() as mail:
        process = stack.start_worker(**settings(http, mail))
        yield
        process.terminate()
        process.wait(timeout=20)


def given_away(found: dict[str, bytes], about: dict[str, str]) -> dict[str, str]:
    """The rpcs that told the number or the words of something."""
    secrets = {name: about[name].encode() for name in ("number", "words", "order_id")}
    return {rpc: name for rpc, answer in found.items() for name, secret in secrets.items() if secret in answer}


async def test_nothing_of_a_case_reaches_people_elsewhere_or_without_a_part(stack: Stack, worker: None) -> None:
    about = await entered(stack, category="A0204", words="三楼堆放的纸箱着过火", departments=("FIRE", "UMD"))
    await noticed(stack, about, ("DISPATCHER", "4205", ""))
    heard = await asyncio.gather(*(told(stack, who, about) for who in STRANGERS))
    assert not {who: given for who, found in zip(STRANGERS, heard, strict=True) if (given := given_away(found, about))}


async def test_suspected_violence_is_known_to_those_who_protect_alone(stack: Stack, worker: None) -> None:
    about = await entered(stack, category="A0105", words="深夜有人呼救求助", departments=("PSB", "WF"))
    await noticed(stack, about, ("DISPATCHER", "4205", ""))
    heard = await asyncio.gather(*(told(stack, who, about) for who in ORDINARY))
    assert not {who: given for who, found in zip(ORDINARY, heard, strict=True) if (given := given_away(found, about))}
    helping = given_away(await told(stack, WOMEN, about), about)
    assert {"GetCase", "FindTasks", "GetOrder", "ListOrders"} <= helping.keys()


async def test_who_was_taken_out_is_told_that_and_no_more(stack: Stack, worker: None) -> None:
    """Also of what was addressed to it while it had a part: of its notices, and of its order, which ends."""
    about = await entered(stack, category="A0105", words="凌晨楼上传来哭喊声", departments=("PSB", "WF"))
    await noticed(stack, about, ("DISPATCHER", "4205", ""))
    async with (
        Person(stack, subject="desk", role="DISPATCHER") as desk,
        Person(stack, subject="wf", role="DEPT_LEAD", department="WF") as women,
        asyncio.timeout(20),
    ):
        seen, stream = await heard_of(women, about)
        assert (seen.task.description, seen.task.area_code[:12]) == (about["words"], COMMUNITY)
        stub = cooperation_service_pb2_grpc.CooperationServiceStub(desk.channel)  # type: ignore[call-overload]
        whole = await ordered(desk, about)
        leave = {"case_id": about["case_id"], "task_id": seen.task.task.task_id, "reason": "无需参与"}
        await stub.RemoveTask(cooperation_service_pb2.RemoveTaskRequest(**leave, request_id=new_id()))
        told_live = await anext(stream)
        told_later, _ = await heard_of(women, about, cursor=seen.cursor)
        for left in (told_live, told_later):
            task = case_pb2.Task(
                task_id=leave["task_id"], department="WF", role=case_pb2.TASK_ROLE_JOINT, state=case_pb2.TASK_STATE_REMOVED
            )
            known = {"case_id": about["case_id"], "case_number": about["number"], "revision": left.task.revision}
            assert left.task == task_service_pb2.TaskView(task=task, **known)
        await refused_to(women, about["order_id"])
        await ended(desk, whole)
        kinds = await kinds_of(women, about["case_id"])
        while kinds != [notice_pb2.NOTICE_KIND_REMOVED]:
            await asyncio.sleep(0.2)
            kinds = await kinds_of(women, about["case_id"])
    heard = await told(stack, WOMEN, about)
    # That it was taken out is told with the number of the case.
    assert given_away(heard, about).keys() <= {"ListNotices", "WatchTasks"}
    assert about["words"].encode() not in heard["ListNotices"] + heard["WatchTasks"]
    after = await told(stack, ("DEPT_LEAD", "4205", "PSB"), about)
    assert {"GetCase", "FindTasks"} <= given_away(after, about).keys()


async def test_a_repeated_request_tells_who_was_taken_out_nothing(stack: Stack) -> None:
    """What a request did is answered with the case as it is now: not to who may no longer know of it."""
    async with (
        Person(stack, subject="desk", role="DISPATCHER") as desk,
        Person(stack, subject="wf", role="DEPT_LEAD", department="WF") as women,
    ):
        case = await desk.dispatch((await desk.report(category="A0105")).case_id, "WF", "PSB", "CIVIL")
        stubs = [cooperation_service_pb2_grpc.CooperationServiceStub(one.channel) for one in (desk, women)]  # type: ignore[call-overload]
        about = {"case_id": case.case_id, "reason": "无需参与"}
        asked = cooperation_service_pb2.ProposeExemptionRequest(**about, task_id=task_of(case, "CIVIL"), request_id=new_id())
        for _ in range(2):
            assert (await stubs[1].ProposeExemption(asked)).case.number == case.number
        await stubs[0].ChangeLead(cooperation_service_pb2.ChangeLeadRequest(**about, department="PSB", request_id=new_id()))
        gone = cooperation_service_pb2.RemoveTaskRequest(**about, task_id=task_of(case, "WF"), request_id=new_id())
        await stubs[0].RemoveTask(gone)
        with pytest.raises(NotFound):
            await stubs[1].ProposeExemption(asked)


async def ordered(desk: Person, about: dict[str, str]) -> str:
    """An order to the department about the case as a whole; returns its id."""
    stub = supervision_service_pb2_grpc.SupervisionServiceStub(desk.channel)  # type: ignore[call-overload]
    request = supervision_service_pb2.IssueOrderRequest(
        case_id=about["case_id"], department=about["department"], demand="说明情况", request_id=new_id()
    )
    return (await stub.IssueOrder(request)).order.order_id


async def ended(desk: Person, order_id: str) -> None:
    """Waits until the worker has ended an order."""
    stub = supervision_service_pb2_grpc.SupervisionServiceStub(desk.channel)  # type: ignore[call-overload]
    request = supervision_service_pb2.GetOrderRequest(order_id=order_id)
    for _ in range(100):
        if (await stub.GetOrder(request)).order.state == supervision_pb2.ORDER_STATE_WITHDRAWN:
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"order {order_id} goes on")


async def refused_to(women: Person, order_id: str) -> None:
    """An order about a case the department was taken out of cannot be answered any more."""
    stub = supervision_service_pb2_grpc.SupervisionServiceStub(women.channel)  # type: ignore[call-overload]
    stance = supervision_pb2.REPLY_STANCE_COMPLIED
    with pytest.raises(NotFound):
        await stub.ReplyOrder(
            supervision_service_pb2.ReplyOrderRequest(order_id=order_id, stance=stance, text="已处理", request_id=new_id())
        )


async def kinds_of(person: Person, case_id: str) -> list[int]:
    """The kinds of somebody's notices about a case."""
    stub = notice_service_pb2_grpc.NoticeServiceStub(person.channel)  # type: ignore[call-overload]
    listed = await stub.ListNotices(notice_service_pb2.ListNoticesRequest(page_size=200))
    return [notice.kind for notice in listed.notices if notice.case_id == case_id]


async def noticed(stack: Stack, about: dict[str, str], who: tuple[str, str, str]) -> None:
    """Waits until the worker has written words and notices; and that whoever may know finds the case by all ways."""
    expected = {"GetCase", "ListCases", "WatchCases", "FindCases", "ExportCases", "ListOrders", "GetOrder", "FindTasks"}
    missing = expected
    for _ in range(20):
        heard = await told(stack, who, about)
        missing = expected - given_away(heard, about).keys()
        if not missing and about["words"].encode() in heard["FindCases"]:
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(f"not told by {missing}")


async def heard_of(women: Person, about: dict[str, str], *, cursor: str = "") -> tuple[Any, Any]:
    """What a stream of tasks says of the case first, and the stream."""
    stream = aiter(women.tasks.WatchTasks(task_service_pb2.WatchTasksRequest(cursor=cursor)))
    while (message := await anext(stream)).task.case_id != about["case_id"]:
        pass
    return message, stream


def test_the_rpcs_are_found() -> None:
    names = {method.name for method in reading()}
    assert {"GetCase", "WatchCase", "ListDuplicates", "ListNotices", "ListEntries", "ListSteps", "ListOrders"} <= names

"""Supervision and escalation through real processes: orders answered over gRPC, cases and orders that climb by themselves."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2, supervision_pb2, task_service_pb2
from binglian.mediation.v1 import supervision_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from pymongo import MongoClient

from svckit.errors import Conflict, ServiceError
from svckit.ids import new_id
from tests.integration.mediation.broker import Broker, listening
from tests.integration.mediation.stack import Person, Stack, task_of
from tests.integration.mediation.supervisors import city, fire, street

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def workers(stack: Stack) -> Iterator[None]:
    """Two worker processes: whatever one does, the other stands by."""
    running = [stack.start_worker(), stack.start_worker()]
    yield
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=20)


@pytest.fixture
def broker(amqp_uri: str, workers: None) -> Iterator[Broker]:
    with listening(amqp_uri) as made:
        yield made


@pytest.fixture
def stored(stack: Stack) -> Iterator[Any]:
    """The collection of orders, as it is in the database."""
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        yield client[stack.database]["supervision_orders"]


async def sent_to_fire(stack: Stack, **fields: Any) -> case_pb2.Case:
    """A case that lies with PMC and FIRE."""
    async with Person(stack, subject="importer", role="IMPORTER") as person:
        case = await person.report(**fields)
        return await person.dispatch(case.case_id, "PMC", "FIRE", **{k: v for k, v in fields.items() if k == "happened_at"})


async def reason_of(call: Any) -> str:
    """The reason a call is refused for."""
    with pytest.raises(ServiceError) as refusal:
        await call
    return refusal.value.reason


async def test_an_order_from_issue_to_acceptance(stack: Stack, stored: Any) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer, fire(stack, at=1) as department:
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
        assert (order.department, order.level, order.state) == (
            "FIRE",
            case_pb2.CASE_LEVEL_L3,
            supervision_pb2.ORDER_STATE_ISSUED,
        )
        ask = pb.AskExtensionRequest(order_id=order.order_id, request_id=new_id(), minutes=225, reason="等待检测报告")
        assert (await department.supervision.AskExtension(ask)).order.light == case_pb2.LIGHT_GREEN
        decide = pb.DecideExtensionRequest(order_id=order.order_id, request_id=new_id(), granted=True, reason="同意")
        extended = (await overseer.supervision.DecideExtension(decide)).order
        assert extended.clock.due_at.ToDatetime() > order.clock.due_at.ToDatetime()
        await department.reply(order.order_id, stance=supervision_pb2.REPLY_STANCE_DECLINED, text="不属于本部门职责")
        refuse = pb.RefuseReplyRequest(order_id=order.order_id, request_id=new_id(), reason="职责清单第12条")
        assert (await overseer.supervision.RefuseReply(refuse)).order.state == supervision_pb2.ORDER_STATE_RETURNED
        await department.reply(order.order_id)
        accept = pb.AcceptReplyRequest(order_id=order.order_id, request_id=new_id())
        done = (await overseer.supervision.AcceptReply(accept)).order
        assert done.state == supervision_pb2.ORDER_STATE_ACCEPTED
        assert [(reply.by, reply.accepted, reply.ruling_reason) for reply in done.replies] == [
            ("fire", False, "职责清单第12条"),
            ("fire", True, ""),
        ]
        assert (await overseer.get(case.case_id)).tasks[1].department == "FIRE"
    assert stored.find_one({"_id": order.order_id})["revision"] == done.revision == len(done.steps)


async def test_a_repeated_request_is_carried_out_once(stack: Stack, stored: Any) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as one, street(stack, at=1) as other, fire(stack) as department:
        request = {"task_id": task_of(case, "FIRE"), "request_id": new_id()}
        orders = await asyncio.gather(*(each.issue(case.case_id, **request) for each in (one, other, one, other)))
        assert len({order.order_id for order in orders}) == 1
        order_id, reply = orders[0].order_id, new_id()
        for _ in range(2):
            assert len((await department.reply(order_id, request_id=reply)).replies) == 1
        assert await reason_of(one.issue(case.case_id, demand="别的", request_id=request["request_id"])) == "REQUEST_ID_REUSED"
    assert stored.count_documents({"case_id": case.case_id}) == 1


async def test_a_department_has_one_open_order_about_one_thing(stack: Stack) -> None:
    case = await sent_to_fire(stack)
    task = task_of(case, "FIRE")
    async with street(stack) as one, city(stack, at=1) as other:
        tried = await asyncio.gather(
            *(each.issue(case.case_id, task_id=task) for each in (one, other, one, other)), return_exceptions=True
        )
        made = [order for order in tried if not isinstance(order, BaseException)]
        assert len(made) == 1
        assert {error.reason for error in tried if isinstance(error, Conflict)} == {"OPEN_ORDER_EXISTS"}
        withdraw = pb.WithdrawOrderRequest(order_id=made[0].order_id, request_id=new_id(), reason="误发")
        await other.supervision.WithdrawOrder(withdraw)
        assert (await one.issue(case.case_id, task_id=task)).order_id != made[0].order_id
        assert await one.issue(case.case_id, department="FIRE")


async def test_who_sees_which_orders(stack: Stack) -> None:
    case = await sent_to_fire(stack)
    async with (
        street(stack) as overseer,
        fire(stack) as mine,
        fire(stack, subject="pmc", department="PMC") as others,
        street(stack, area="420502002") as elsewhere,
        city(stack, role="RESIDENT") as resident,
    ):
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
        get = pb.GetOrderRequest(order_id=order.order_id)
        assert (await mine.supervision.GetOrder(get)).order == (await overseer.supervision.GetOrder(get)).order
        assert await reason_of(others.supervision.GetOrder(get)) == "ORDER_NOT_FOUND"
        assert await reason_of(elsewhere.supervision.GetOrder(get)) == "ORDER_NOT_FOUND"
        assert await reason_of(elsewhere.reply(order.order_id)) == "ROLE_REQUIRED"
        assert await reason_of(others.reply(order.order_id)) == "ORDER_NOT_FOUND"
        assert [each.order_id for each in await mine.orders(case_id=case.case_id)] == [order.order_id]
        assert await others.orders(case_id=case.case_id) == []
        assert await elsewhere.orders(case_id=case.case_id) == []
        assert await reason_of(mine.orders(department="PMC")) == "OTHER_DEPARTMENT"
        assert await reason_of(resident.orders()) == "ROLE_REQUIRED"
        missing = pb.GetOrderRequest(order_id=new_id())
        assert await reason_of(overseer.supervision.GetOrder(missing)) == "ORDER_NOT_FOUND"


async def test_lists_come_in_pages_and_by_state(stack: Stack) -> None:
    case = await sent_to_fire(stack)
    async with city(stack) as overseer:
        made = [(await overseer.issue(case.case_id, department=code)).order_id for code in ("PSB", "CIVIL", "ENV", "WF")]
        listed, token = [], ""
        while True:
            page = await overseer.supervision.ListOrders(
                pb.ListOrdersRequest(case_id=case.case_id, page_size=3, page_token=token)
            )
            listed += [order.order_id for order in page.orders]
            token = page.next_page_token
            if not token:
                break
        assert listed == made[::-1]
        open_ones = await overseer.orders(case_id=case.case_id, states=[supervision_pb2.ORDER_STATE_ISSUED])
        assert len(open_ones) == 4
        assert await overseer.orders(case_id=case.case_id, light=case_pb2.LIGHT_RED) == []
        assert await overseer.orders(case_id=case.case_id, area_prefix="4206") == []


async def test_an_order_is_watched(stack: Stack) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer, fire(stack, at=1) as department:
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
        stream = aiter(overseer.supervision.WatchOrder(pb.WatchOrderRequest(order_id=order.order_id)))
        assert (await anext(stream)).order.revision == 1
        await department.reply(order.order_id)
        async with asyncio.timeout(10):
            assert (await anext(stream)).order.state == supervision_pb2.ORDER_STATE_REPLIED
        await stream.aclose()


async def test_a_case_is_lifted_and_its_tasks_stay(stack: Stack) -> None:
    case = await sent_to_fire(stack)
    assert case.level == case_pb2.CASE_LEVEL_L1
    async with street(stack) as overseer, fire(stack) as department:
        higher = await overseer.escalate(case.case_id)
        assert (higher.level, list(higher.tasks)) == (case_pb2.CASE_LEVEL_L2, list(case.tasks))
        assert [rung.by for rung in higher.rungs] == ["importer", "street"]
        assert await reason_of(overseer.escalate(case.case_id, to_level=case_pb2.CASE_LEVEL_L5)) == "LEVEL_SKIPPED"
        assert await reason_of(overseer.escalate(case.case_id, revision=case.revision)) == "STALE_REVISION"
        assert await reason_of(department.escalate(case.case_id)) == "ROLE_REQUIRED"
        await department.accept(higher)
        assert (await department.get(case.case_id)).level == case_pb2.CASE_LEVEL_L2


def long_ago(days: int) -> Timestamp:
    """A time so many days ago."""
    moment = Timestamp()
    moment.FromDatetime(dt.datetime.now(dt.UTC) - dt.timedelta(days=days))
    return moment


async def test_a_case_nobody_settles_climbs_to_the_city_and_late_departments_answer(
    stack: Stack, documents: Any, stored: Any, broker: Broker
) -> None:
    """Every task is late and every stay limit has passed while nobody looked. Two workers lift the case once."""
    case = await sent_to_fire(stack, happened_at=long_ago(60), category="D0102")
    came = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    stays = {"rungs.0.at": came, "level_due_at": came + dt.timedelta(days=1)}
    documents.update_one({"_id": case.case_id}, {"$set": stays, "$inc": {"revision": 1}})

    def climbed() -> list[dict[str, Any]]:
        return [
            data for kind, _, data in broker.heard if kind == "mediation.case_escalated.v1" and data["caseId"] == case.case_id
        ]

    broker.listen_until(lambda: len(climbed()) >= 4)
    assert [data["toLevel"] for data in climbed()] == [f"CASE_LEVEL_L{number}" for number in (2, 3, 4, 5)]
    assert [data["escalatedAt"] for data in climbed()] == sorted(data["escalatedAt"] for data in climbed())
    assert {task["department"] for task in climbed()[-1]["lateTasks"]} == {"PMC", "FIRE"}

    def ordered() -> list[str]:
        return sorted(
            data["department"]
            for kind, _, data in broker.heard
            if kind == "mediation.supervision_issued.v1" and data["caseId"] == case.case_id
        )

    broker.listen_until(lambda: len(ordered()) >= 2)
    await asyncio.sleep(1.5)
    broker.listen()
    assert ordered() == ["FIRE", "PMC"]
    assert len(climbed()) == 4
    orders = list(stored.find({"case_id": case.case_id}))
    assert {order["cause"] for order in orders} == {"escalation"}
    assert {order["issued_by"] for order in orders} == {"system"}
    assert documents.find_one({"_id": case.case_id})["level"] == "l5"
    async with fire(stack) as department:
        (mine,) = await department.orders(case_id=case.case_id)
        assert (await department.reply(mine.order_id)).replies[0].on_time


async def test_an_overdue_order_climbs_once_also_after_a_pause(stack: Stack, stored: Any, broker: Broker) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer:
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
    # As if it had been issued before a long standstill of everything.
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    before = {"clock.due_at": past, "clock.yellow_at": past, "raise_at": past, "next_turn_at": past}
    stored.update_one({"_id": order.order_id}, {"$set": before, "$inc": {"revision": 1}})

    def overdue() -> Counter[str]:
        return Counter(
            data["level"]
            for kind, _, data in broker.heard
            if kind == "mediation.supervision_overdue.v1" and data["orderId"] == order.order_id
        )

    broker.listen_until(lambda: len(overdue()) >= 2)
    await asyncio.sleep(1.5)
    broker.listen()
    assert overdue() == {"CASE_LEVEL_L4": 1, "CASE_LEVEL_L5": 1}
    async with street(stack) as overseer, city(stack) as dispatcher, fire(stack) as department:
        late = await department.reply(order.order_id)
        assert (late.replies[0].on_time, late.raises, late.level) == (False, 2, case_pb2.CASE_LEVEL_L5)
        accept = pb.AcceptReplyRequest(order_id=order.order_id, request_id=new_id())
        assert await reason_of(overseer.supervision.AcceptReply(accept)) == "LEVEL_TOO_LOW"
        await dispatcher.supervision.AcceptReply(accept)


async def test_orders_end_with_their_case(stack: Stack, stored: Any, broker: Broker) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer:
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
    broker.publish("mediation.case_closed.v1", {"caseId": case.case_id, "closedAt": "2026-11-22T02:00:00Z"})

    def ended() -> list[bool]:
        return [
            data["settled"]
            for kind, _, data in broker.heard
            if kind == "mediation.supervision_withdrawn.v1" and data["orderId"] == order.order_id
        ]

    broker.listen_until(lambda: bool(ended()))
    assert ended() == [True]
    assert stored.find_one({"_id": order.order_id})["open"] is False


async def test_an_order_ends_when_the_department_is_relieved_of_its_task(stack: Stack, stored: Any, broker: Broker) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer, city(stack) as dispatcher, fire(stack) as department:
        about_task = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
        about_case = await overseer.issue(case.case_id, department="FIRE")
        about = {"case_id": case.case_id, "task_id": task_of(case, "FIRE"), "reason": "x"}
        await department.tasks.ObjectTask(task_service_pb2.ObjectTaskRequest(request_id=new_id(), **about))
        ruling = task_service_pb2.RuleObjectionRequest(request_id=new_id(), upheld=True, reassign_to="ENV", **about)
        await dispatcher.tasks.RuleObjection(ruling)

    def ended() -> list[str]:
        return [data["orderId"] for kind, _, data in broker.heard if kind == "mediation.supervision_withdrawn.v1"]

    broker.listen_until(lambda: about_task.order_id in ended())
    await asyncio.sleep(1)
    broker.listen()
    assert about_case.order_id not in ended()
    assert stored.find_one({"_id": about_case.order_id})["open"] is True


async def test_an_order_issued_in_the_moment_its_case_ends_ends_with_it(stack: Stack, stored: Any, broker: Broker) -> None:
    case = await sent_to_fire(stack)
    async with street(stack) as overseer:
        order = await overseer.issue(case.case_id, task_id=task_of(case, "FIRE"))
    told = {"caseId": case.case_id, "orderId": order.order_id, "taskId": order.task_id, "department": "FIRE"}
    broker.publish("mediation.supervision_issued.v1", told)
    await asyncio.sleep(1)
    assert stored.find_one({"_id": order.order_id})["open"] is True
    # The closing was told before the order was there.
    over = {"$set": {"state": "closed"}, "$inc": {"revision": 1}}
    stored.database["cases"].update_one({"_id": case.case_id}, over)
    broker.publish("mediation.supervision_issued.v1", told)
    broker.listen_until(
        lambda: any(
            kind == "mediation.supervision_withdrawn.v1" and data["orderId"] == order.order_id and data["settled"]
            for kind, _, data in broker.heard
        )
    )
    assert stored.find_one({"_id": order.order_id})["open"] is False

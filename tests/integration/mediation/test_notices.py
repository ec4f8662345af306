"""From a dispatch to the telephone: two workers, a real SMTP server, a real HTTP server, and gateways that fail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from binglian.mediation.v1 import case_service_pb2, notice_pb2
from binglian.mediation.v1 import notice_service_pb2 as pb
from binglian.mediation.v1.notice_pb2 import (
    DELIVERY_STATE_DEAD,
    DELIVERY_STATE_PENDING,
    DELIVERY_STATE_SENT,
    NOTICE_CHANNEL_MAIL,
    NOTICE_CHANNEL_SMS,
    NOTICE_CHANNEL_WEBHOOK,
)
from google.protobuf.field_mask_pb2 import FieldMask
from pymongo import MongoClient

from mediation.operations.mailing import BETWEEN_LETTERS
from svckit.documents import utc_now
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from svckit.ids import new_id
from tests.integration.mediation.broker import listening
from tests.integration.mediation.messages import Reader, settings
from tests.integration.mediation.stack import Person, Stack
from tests.sinks import HttpSink, MailSink, http_sink, mail_sink

pytestmark = pytest.mark.integration
PHONE = "13900001234"


@pytest.fixture(scope="module")
def http() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def mail() -> Iterator[MailSink]:
    with mail_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def workers(stack: Stack, http: HttpSink, mail: MailSink) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two worker processes: whatever one sends, the other could send at the same time."""
    running = [stack.start_worker(**settings(http, mail)) for _ in range(2)]
    yield running
    for process in running:
        process.terminate()
    for process in running:
        process.wait(timeout=20)


@pytest.fixture(autouse=True)
def fresh(http: HttpSink, workers: Any) -> None:
    http.answers.clear()
    http.delay = 0


@pytest.fixture
def database(stack: Stack) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        yield client[stack.database]


@pytest.fixture(scope="module")
def api(stack: Stack, http: HttpSink, mail: MailSink) -> int:
    """The number of an api process that knows which hosts may be called."""
    stack.start_api(**settings(http, mail))
    return len(stack.addresses) - 1


@pytest.fixture
async def desk(stack: Stack, api: int) -> AsyncIterator[Reader]:
    """The dispatcher."""
    async with Reader(stack, subject="desk", role="DISPATCHER", at=api) as made:
        yield made


async def until(look: Callable[[], Any], *, seconds: float = 20) -> Any:
    """What `look` gives (or the coroutine it returns) as soon as it is true."""
    for _ in range(round(seconds / 0.1)):
        found = look()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        await asyncio.sleep(0.1)
    raise TimeoutError("it did not happen")


def person() -> str:
    """Somebody nobody has written to yet."""
    return f"p-{new_id()[-12:]}"


def texts(http: HttpSink, phone: str) -> list[dict[str, str]]:
    """The text messages to a number."""
    return [body for request in http.at("/sms") if (body := json.loads(request.body))["to"] == phone]


async def test_a_dispatch_reaches_the_pages_the_telephone_the_mailbox_and_their_system(
    stack: Stack, desk: Reader, http: HttpSink, mail: MailSink
) -> None:
    li = person()
    ways = [NOTICE_CHANNEL_SMS, NOTICE_CHANNEL_MAIL, NOTICE_CHANNEL_WEBHOOK]
    reached = {"phone": "13800000001", "email": "li@example.cn", "webhook_url": f"{http.url}/fire", "channels": ways}
    await desk.enter(subject=li, role="DEPT_HANDLER", department="FIRE", **reached)
    case = await desk.dispatch((await desk.report()).case_id, "FIRE", "UMD")
    await until(lambda: texts(http, "13800000001") and http.at("/fire") and mail.mails)
    (sent,) = texts(http, "13800000001")
    assert sent["text"].startswith(f"【并联】新任务 {case.number} 公共部位占用堆物，消防")
    assert [to for to, _ in mail.mails] == [["li@example.cn"]]
    hook = http.at("/fire")[0]
    signed = f"{hook.headers['webhook-id']}.{hook.headers['webhook-timestamp']}.".encode() + hook.body
    expected = base64.b64encode(hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()).decode()
    assert hook.headers["webhook-signature"] == f"v1,{expected}"
    (told,) = json.loads(hook.body)["notices"]
    assert (told["kind"], told["caseId"], told["department"]) == ("NOTICE_KIND_ASSIGNED", case.case_id, "FIRE")

    async with (
        Reader(stack, subject=person(), role="DEPT_HANDLER", department="FIRE", area="420502") as colleague,
        Reader(stack, subject=person(), role="DEPT_HANDLER", department="FIRE", area="420503") as elsewhere,
        Reader(stack, subject=person(), role="DEPT_HANDLER", department="CIVIL") as other,
        Reader(stack, subject=person(), role="RESIDENT") as resident,
    ):
        (notice,) = await colleague.of(case.case_id)
        assert (notice.kind, notice.number, notice.read) == (notice_pb2.NOTICE_KIND_ASSIGNED, case.number, False)
        assert notice.due_at.ToSeconds() > notice.happened_at.ToSeconds()
        assert not await elsewhere.of(case.case_id)
        assert not await other.of(case.case_id)
        assert not await resident.of(case.case_id)
        before = (await colleague.list()).unread
        await other.read(notice.notice_id)
        assert await colleague.read(notice.notice_id) == before - 1
        assert await colleague.read(notice.notice_id) == before - 1
        assert [one.read for one in await colleague.of(case.case_id)] == [True]
        assert notice.notice_id not in {one.notice_id for one in (await colleague.list(unread_only=True)).notices}
        assert await colleague.read() == 0
    states = {one.channel: one.state for one in await desk.deliveries(li)}
    assert states == dict.fromkeys(ways, DELIVERY_STATE_SENT)


async def test_what_falls_together_goes_into_one_message_a_minute(desk: Reader, http: HttpSink, database: Any) -> None:
    wang = person()
    await desk.enter(subject=wang, role="DEPT_LEAD", department="WATERB", phone="13800000002", channels=[NOTICE_CHANNEL_SMS])
    cases = [await desk.report() for _ in range(12)]
    for case in cases[:2]:
        await desk.dispatch(case.case_id, "WATERB")
    await until(lambda: texts(http, "13800000002"))
    for case in cases[2:]:
        await desk.dispatch(case.case_id, "WATERB")
    await until(lambda: len((database["mailboxes"].find_one({"_id": wang}) or {}).get("waiting", ())) == 10)
    box = database["mailboxes"].find_one({"_id": wang})
    assert box["next_at"] - box["cut_at"] == BETWEEN_LETTERS
    assert len(texts(http, "13800000002")) == 1
    assert texts(http, "13800000002")[0]["text"].startswith("【并联】您有2条通知：\n")
    # A minute later.
    database["mailboxes"].update_one({"_id": wang}, {"$set": {"next_at": utc_now()}, "$inc": {"revision": 1}})
    await until(lambda: len(texts(http, "13800000002")) == 2)
    lines = texts(http, "13800000002")[1]["text"].splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("【并联】您有10条通知：", "另有2条，请登录系统查看。", 10)
    assert await until(lambda: database["mailboxes"].find_one({"_id": wang, "waiting": [], "letter": None}))


async def test_a_gateway_that_fails_is_asked_again_with_the_same_id(desk: Reader, http: HttpSink, database: Any) -> None:
    http.answers["/umd"] = (503, b"")
    chen = person()
    hook = {"webhook_url": f"{http.url}/umd", "channels": [NOTICE_CHANNEL_WEBHOOK]}
    await desk.enter(subject=chen, role="DEPT_LEAD", department="UMD", **hook)
    await desk.dispatch((await desk.report()).case_id, "UMD")
    await until(lambda: http.at("/umd"))

    async def put_off() -> list[notice_pb2.Delivery]:
        return [one for one in await desk.deliveries(chen) if one.failures]

    (waiting,) = await until(put_off)
    assert (waiting.state, waiting.tries, waiting.failures[0].reason) == (DELIVERY_STATE_PENDING, 1, "HTTP 503")
    with pytest.raises(FailedPrecondition, match="still being tried") as refused:
        await desk.replay(waiting.delivery_id)
    assert refused.value.reason == "DELIVERY_IN_HAND"
    http.answers["/umd"] = (400, b"")
    now_due(database, waiting)
    await until(lambda: len(http.at("/umd")) == 2)

    async def dead() -> list[notice_pb2.Delivery]:
        return await desk.deliveries(chen, states=[DELIVERY_STATE_DEAD])

    (given_up,) = await until(dead)
    assert [failure.reason for failure in given_up.failures] == ["HTTP 503", "HTTP 400"]
    http.answers.clear()
    assert (await desk.replay(given_up.delivery_id)).state == DELIVERY_STATE_PENDING

    async def sent() -> list[notice_pb2.Delivery]:
        return await desk.deliveries(chen, states=[DELIVERY_STATE_SENT])

    await until(sent)
    # What was taken can be asked for again, too.
    await desk.replay(given_up.delivery_id)
    await until(lambda: len(http.at("/umd")) == 4)
    assert {request.headers["webhook-id"] for request in http.at("/umd")} == {given_up.delivery_id}


def now_due(database: Any, delivery: notice_pb2.Delivery) -> None:
    change = {"$set": {"next_at": utc_now()}, "$inc": {"revision": 1}}
    database["deliveries"].update_one({"_id": delivery.delivery_id}, change)


async def test_who_reported_hears_of_the_refusal_and_nothing_keeps_the_number(
    stack: Stack, desk: Reader, http: HttpSink, database: Any
) -> None:
    async with Reader(stack, subject=(reporter := person()), role="RESIDENT") as resident:
        case = await resident.report(reporter_name="赵六", reporter_phone=PHONE)
        reason = "不属于受理范围，请致电 13712345678"
        await desk.cases.RejectCase(
            case_service_pb2.RejectCaseRequest(case_id=case.case_id, reason=reason, request_id=new_id())
        )
        await until(lambda: texts(http, PHONE))
        (notice,) = await resident.of(case.case_id)
        # Whoever reads it later needs no number of anybody.
        assert (notice.kind, notice.reason) == (notice_pb2.NOTICE_KIND_REJECTED, "不属于受理范围，请致电 137****5678")
    assert texts(http, PHONE)[0]["text"].endswith("：不属于受理范围，请致电 137****5678")
    (delivery,) = await desk.deliveries(reporter)
    for name in ("deliveries", "mailboxes", "notices"):
        assert PHONE not in repr(list(database[name].find()))
    assert delivery.area_code == case.area_code
    logs = "".join(log.read_text() for log in stack.home.glob("*.log"))
    assert PHONE not in logs
    assert "13800000001" not in logs


async def test_a_worker_that_dies_in_the_middle_leaves_its_message_to_the_next(
    stack: Stack, desk: Reader, http: HttpSink, mail: MailSink, workers: list[subprocess.Popen[bytes]], database: Any
) -> None:
    zhou = person()
    hook = {"webhook_url": f"{http.url}/slow", "channels": [NOTICE_CHANNEL_WEBHOOK]}
    await desk.enter(subject=zhou, role="DEPT_LEAD", department="PSB", **hook)
    http.delay = 5
    await desk.dispatch((await desk.report()).case_id, "PSB")
    await until(lambda: http.at("/slow"))
    for process in workers:
        process.send_signal(signal.SIGKILL)
        process.wait()
    workers[:] = [stack.start_worker(**settings(http, mail)) for _ in range(2)]
    http.delay = 0
    (claimed,) = await desk.deliveries(zhou)
    assert claimed.state == notice_pb2.DELIVERY_STATE_SENDING
    now_due(database, claimed)

    async def sent() -> list[notice_pb2.Delivery]:
        return await desk.deliveries(zhou, states=[DELIVERY_STATE_SENT])

    (done,) = await until(sent)
    assert done.tries == 2
    assert [request.headers["webhook-id"] for request in http.at("/slow")] == [done.delivery_id] * 2


async def test_the_roster_hides_addresses_and_is_kept_by_its_own_people(stack: Stack, desk: Reader) -> None:
    zhang = person()
    reached = {"phone": "13800000003", "email": "zhang@example.cn", "channels": [NOTICE_CHANNEL_SMS, NOTICE_CHANNEL_MAIL]}
    duty = await desk.enter(subject=zhang, role="DEPT_HANDLER", department="CIVIL", weekdays=[1, 2], **reached)
    assert (duty.name, duty.phone, duty.email) == ("李*", "138****0003", "***")
    async with (
        Reader(stack, subject="civil", role="DEPT_LEAD", department="CIVIL") as lead,
        Reader(stack, subject="fire", role="DEPT_LEAD", department="FIRE") as other,
        Reader(stack, subject="far", role="DISPATCHER", area="420503") as elsewhere,
    ):
        seen = await lead.roster.ListDuties(pb.ListDutiesRequest())
        assert {one.department for one in seen.duties} == {"CIVIL"}
        assert not (await other.roster.ListDuties(pb.ListDutiesRequest(department="CIVIL"))).duties
        assert not (await elsewhere.roster.ListDuties(pb.ListDutiesRequest(department="CIVIL"))).duties
        for stranger in (other, elsewhere):
            with pytest.raises(NotFound):
                await stranger.roster.GetDuty(pb.GetDutyRequest(duty_id=duty.duty_id))
        with pytest.raises(PermissionDenied) as refused:
            await other.enter(subject=zhang, role="DEPT_HANDLER", department="CIVIL")
        assert refused.value.reason == "OTHER_DEPARTMENT"
        with pytest.raises(PermissionDenied) as refused:
            await elsewhere.enter(subject=zhang, role="DISPATCHER")
        assert refused.value.reason == "AREA_NOT_ALLOWED"
        changed = await lead.roster.UpdateDuty(update(duty, ["weekdays"], weekdays=[6, 7]))
        assert (list(changed.duty.weekdays), changed.duty.phone) == ([6, 7], "138****0003")
    with pytest.raises(InvalidArgument) as wrong:
        await desk.roster.UpdateDuty(update(duty, ["phone"], phone=""))
    assert wrong.value.reason == "ADDRESS_MISSING"
    with pytest.raises(FailedPrecondition) as stale:
        await desk.roster.UpdateDuty(update(duty, ["weekdays"], revision=1))
    assert stale.value.reason == "STALE_REVISION"
    removed = (await desk.roster.RemoveDuty(pb.RemoveDutyRequest(duty_id=duty.duty_id, request_id=new_id()))).duty
    assert (removed.name, removed.phone, list(removed.channels)) == ("", "", [])
    assert duty.duty_id not in {one.duty_id for one in (await desk.roster.ListDuties(pb.ListDutiesRequest())).duties}
    with pytest.raises(FailedPrecondition) as gone:
        await desk.roster.UpdateDuty(update(duty, ["weekdays"]))
    assert gone.value.reason == "DUTY_REMOVED"


def update(duty: notice_pb2.Duty, fields: list[str], *, revision: int = 0, **values: Any) -> pb.UpdateDutyRequest:
    return pb.UpdateDutyRequest(
        duty_id=duty.duty_id,
        request_id=new_id(),
        duty=pb.DutyDraft(**values) if values else pb.DutyDraft(weekdays=[1]),
        update_mask=FieldMask(paths=fields),
        revision=revision,
    )


async def test_deliveries_are_for_operators_of_the_area(stack: Stack, desk: Reader, http: HttpSink) -> None:
    hook = {"webhook_url": f"{http.url}/edu", "channels": [NOTICE_CHANNEL_WEBHOOK]}
    await desk.enter(subject=(sun := person()), role="DEPT_LEAD", department="EDU", **hook)
    await desk.dispatch((await desk.report()).case_id, "EDU")

    async def there() -> list[notice_pb2.Delivery]:
        return await desk.deliveries(sun, states=[DELIVERY_STATE_SENT])

    (delivery,) = await until(there)
    async with (
        Reader(stack, subject="far", role="DISPATCHER", area="420503") as elsewhere,
        Reader(stack, subject="x", role="DEPT_LEAD", department="EDU") as lead,
    ):
        assert not await elsewhere.deliveries(sun)
        with pytest.raises(NotFound):
            await elsewhere.replay(delivery.delivery_id)
        with pytest.raises(PermissionDenied):
            await lead.deliveries(sun)


async def test_pages_of_notices_are_whole(stack: Stack, desk: Reader) -> None:
    # A community of its own: what other tests told this department is not counted.
    area = "420502001097"
    async with Reader(stack, subject=person(), role="DEPT_HANDLER", department="CULT", area=area) as reader:
        cases = [await desk.dispatch((await desk.report(area_code=f"{area}10001")).case_id, "CULT") for _ in range(5)]

        async def there() -> bool:
            return len((await reader.list(page_size=200)).notices) == 5

        await until(there)
        found: list[str] = []
        token = ""
        while True:
            page = await reader.list(page_size=2, page_token=token)
            found += [notice.case_id for notice in page.notices]
            token = page.next_page_token
            if not token:
                break
        assert sorted(found) == sorted(case.case_id for case in cases)
        assert page.unread == 5


async def test_people_without_roles_of_ours_read_nothing(stack: Stack) -> None:
    async with Person(stack, subject=person(), role="RESIDENT"), Reader(stack, subject=person(), role="MERCHANT") as nobody:
        assert not (await nobody.list()).notices


async def test_an_alert_of_the_register_reaches_who_is_on_duty_in_the_grid(stack: Stack, desk: Reader, http: HttpSink) -> None:
    grid, alert, clerk = "42050600100110001", new_id(), person()
    await desk.enter(subject=clerk, role="COMM_CLERK", area_code=grid[:12], phone="13800000077", channels=[NOTICE_CHANNEL_SMS])
    with listening(stack.amqp_uri) as broker:
        fact = {"alertId": alert, "watchId": "w", "houseId": "h", "areaCode": grid, "dueAt": "2026-11-22T04:00:00Z"}
        broker.publish("population.welfare_alert_raised.v1", fact)
        broker.publish("population.audit_alert_raised.v1", {"alertId": new_id(), "areaCode": grid, "subject": "curious"})
    await until(lambda: texts(http, "13800000077"))
    (sent,) = texts(http, "13800000077")
    assert sent["text"] == "【并联】关爱预警，时限11-22 12:00：请电话联系"
    async with (
        Reader(stack, subject=person(), role="GRID_WORKER", area=grid) as worker,
        Reader(stack, subject=person(), role="GRID_WORKER", area="42050600100110002") as neighbour,
        Reader(stack, subject=person(), role="DPO", area="4205") as officer,
    ):
        (told,) = (await worker.list()).notices
        assert (told.kind, told.about_id, told.case_id) == (notice_pb2.NOTICE_KIND_WELFARE, alert, "")
        assert not (await neighbour.list()).notices
        assert [one.kind for one in (await officer.list()).notices] == [notice_pb2.NOTICE_KIND_AUDIT]
        assert "curious" not in str((await officer.list()).notices)

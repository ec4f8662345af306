"""The gateways against real servers: what they send, what they take for success, and that failures name no address."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from mediation.config import MediationSettings
from mediation.domain.notice import NoticeChannel
from mediation.gateways import Failed, Gateways, Message, configured, quiet_hours, signature, webhook_key
from svckit.config import ConfigError
from tests.sinks import HttpSink, MailSink, http_sink, mail_sink

PHONE = "13800138000"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def http() -> Iterator[HttpSink]:
    with http_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def mail() -> Iterator[MailSink]:
    with mail_sink() as sink:
        yield sink


@pytest.fixture(autouse=True)
def fresh(http: HttpSink, mail: MailSink) -> None:
    http.requests.clear()
    http.answers.clear()
    mail.mails.clear()
    mail.refused.clear()


def settings(**fields: Any) -> MediationSettings:
    return MediationSettings(mongo_uri="mongodb://x", amqp_uri="amqp://x", **fields)


def sms(http: HttpSink, **template: Any) -> Gateways:
    return configured(settings(notice_sms=json.dumps({"url": f"{http.url}/sms"} | template), notice_sms_key="k&y"))


def message(address: str = PHONE, text: str = '新任务 "420502"\n第二行 {phone}', **data: Any) -> Message:
    return Message(delivery_id="id-1", address=address, text=text, data=data, at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))


def test_a_json_template_is_filled_without_changing_its_shape(http: HttpSink) -> None:
    body = {"to": ["{phone}"], "content": {"text": "[{text}]", "n": 1}, "ref": "{id}", "plain": "{unknown} }{"}
    gateway = sms(http, json=body, headers={"Authorization": "Bearer {key}"})
    assert gateway.send(NoticeChannel.SMS, message())
    (request,) = http.at("/sms")
    assert json.loads(request.body) == {
        "to": [PHONE],
        "content": {"text": '[新任务 "420502"\n第二行 {phone}]', "n": 1},
        "ref": "id-1",
        "plain": "{unknown} }{",
    }
    assert request.headers["authorization"] == "Bearer k&y"
    assert request.headers["content-type"] == "application/json"


def test_a_form_and_a_url_are_encoded(http: HttpSink) -> None:
    gateway = sms(http, url=f"{http.url}/sms?key={{key}}&to={{phone}}", form={"msg": "{text}"})
    assert gateway.send(NoticeChannel.SMS, message(text="a&b=c 中"))
    (request,) = http.at("/sms")
    assert request.path == f"/sms?key=k%26y&to={PHONE}"
    assert request.body == b"msg=a%26b%3Dc+%E4%B8%AD"


@pytest.mark.parametrize(
    ("answer", "reason", "permanent"),
    [
        ((500, b""), "HTTP 500", False),
        ((401, b""), "HTTP 401", False),
        ((429, b""), "HTTP 429", False),
        ((302, b""), "HTTP 302", False),
        ((400, b""), "HTTP 400", True),
        ((410, b""), "HTTP 410", True),
        ((200, b'{"result": {"code": 17}}'), "SMS_REFUSED 17", False),
        ((200, b"<html>"), "SMS_ANSWER_UNREADABLE", False),
        ((200, b'{"result": []}'), "SMS_ANSWER_UNREADABLE", False),
    ],
)
def test_what_is_no_success_says_why(http: HttpSink, answer: tuple[int, bytes], reason: str, permanent: bool) -> None:
    http.answers["/sms"] = answer
    gateway = sms(http, url=f"{http.url}/sms?to={{phone}}", success=["result.code", "0"])
    with pytest.raises(Failed) as failed:
        gateway.send(NoticeChannel.SMS, message())
    assert (failed.value.reason, failed.value.permanent) == (reason, permanent)
    assert not http.at("/elsewhere"), "nobody is followed elsewhere"


def test_success_may_be_a_field_of_the_answer(http: HttpSink) -> None:
    http.answers["/sms"] = (200, b'{"result": {"code": 0}}')
    assert sms(http, success=["result.code", "0"]).send(NoticeChannel.SMS, message())


def test_a_server_that_is_away_is_no_reason_to_name_the_number() -> None:
    gateway = configured(settings(notice_sms=json.dumps({"url": "http://127.0.0.1:9/sms?to={phone}"})))
    with pytest.raises(Failed) as failed:
        gateway.send(NoticeChannel.SMS, message())
    assert PHONE not in str(failed.value)
    assert failed.value.__cause__ is None
    assert not failed.value.permanent


def test_mail_arrives_as_it_was_written(mail: MailSink) -> None:
    gateway = configured(settings(notice_smtp_url=mail.url, notice_mail_from="binglian@example.cn"))
    assert gateway.send(NoticeChannel.MAIL, message("li@example.cn", "第一行\n第二行"))
    ((recipients, found),) = mail.mails
    assert recipients == ["li@example.cn"]
    assert (found["Subject"], found["From"]) == ("第一行", "binglian@example.cn")
    assert found["Message-ID"] == "<id-1@binglian>"
    assert found.get_payload(decode=True).decode().splitlines() == ["第一行", "第二行"]  # type: ignore[union-attr]


@pytest.mark.parametrize(("answer", "permanent"), [("450 busy", False), ("550 li@example.cn unknown", True)])
def test_mail_that_is_refused_says_the_code_only(mail: MailSink, answer: str, permanent: bool) -> None:
    mail.refused["li@example.cn"] = answer
    gateway = configured(settings(notice_smtp_url=mail.url, notice_mail_from="binglian@example.cn"))
    with pytest.raises(Failed) as failed:
        gateway.send(NoticeChannel.MAIL, message("li@example.cn"))
    assert (failed.value.reason, failed.value.permanent) == (f"SMTP {answer[:3]}", permanent)


def test_no_password_travels_in_the_open(mail: MailSink) -> None:
    url = mail.url.replace("//", "//user:secret@")
    gateway = configured(settings(notice_smtp_url=url, notice_mail_from="binglian@example.cn"))
    with pytest.raises(Failed, match="SMTP_NOT_ENCRYPTED"):
        gateway.send(NoticeChannel.MAIL, message("li@example.cn"))


def test_a_webhook_is_signed_as_the_standard_says(http: HttpSink) -> None:
    gateway = configured(settings(notice_webhook_secret=SECRET, notice_webhook_hosts=(http.host,)))
    assert gateway.send(NoticeChannel.WEBHOOK, message(f"{http.url}/hook", "文", noticeCount=1))
    (request,) = http.at("/hook")
    assert json.loads(request.body) == {"text": "文", "noticeCount": 1}
    signed = b".".join([b"id-1", request.headers["webhook-timestamp"].encode(), request.body])
    expected = hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert request.headers["webhook-id"] == "id-1"


def test_the_signature_is_the_published_example() -> None:
    """The example of the Standard Webhooks specification."""
    found = signature(
        webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_host_that_is_no_longer_allowed_is_not_called(http: HttpSink) -> None:
    gateway = configured(settings(notice_webhook_secret=SECRET, notice_webhook_hosts=("hooks.example.cn",)))
    with pytest.raises(Failed, match="WEBHOOK_NOT_ALLOWED") as failed:
        gateway.send(NoticeChannel.WEBHOOK, message(f"{http.url}/hook"))
    assert failed.value.permanent
    assert not http.requests


def test_without_a_gateway_messages_go_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for channel in NoticeChannel:
            assert not configured(settings()).send(channel, message(text="红灯"))
    assert caplog.text.count("红灯") == 3
    assert PHONE not in caplog.text


@pytest.mark.parametrize(
    ("fields", "variable"),
    [
        ({"notice_sms": "{"}, "BINGLIAN_NOTICE_SMS"),
        ({"notice_sms": '{"url": "ftp://x"}'}, "BINGLIAN_NOTICE_SMS"),
        ({"notice_sms": '{"url": "http://x", "jsn": {}}'}, "BINGLIAN_NOTICE_SMS"),
        ({"notice_smtp_url": "http://x", "notice_mail_from": "a@b.cn"}, "BINGLIAN_NOTICE_SMTP_URL"),
        ({"notice_smtp_url": "smtp://x"}, "BINGLIAN_NOTICE_MAIL_FROM"),
        ({"notice_webhook_secret": "whsec_short"}, "BINGLIAN_NOTICE_WEBHOOK_SECRET"),
    ],
)
def test_wrong_settings_are_named(fields: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigError, match=variable):
        configured(settings(**fields))


def test_wrong_quiet_hours_are_named() -> None:
    with pytest.raises(ConfigError, match="BINGLIAN_NOTICE_QUIET"):
        quiet_hours(settings(notice_quiet="25:00-07:00"))

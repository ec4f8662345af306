"""At night nobody is woken but for life and night duty."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from binglian.mediation.v1 import case_pb2
from binglian.mediation.v1.notice_pb2 import NOTICE_CHANNEL_WEBHOOK
from pymongo import MongoClient

from mediation.quiet import minute_of
from tests.integration.mediation.messages import Reader, settings
from tests.integration.mediation.stack import Stack
from tests.sinks import HttpSink, http_sink, mail_sink

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def night() -> str:
    """Quiet hours that began an hour ago and end in two."""
    minute = minute_of(dt.datetime.now(dt.UTC))
    begin, end = (minute - 60) % 1440, (minute + 120) % 1440
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


@pytest.fixture(scope="module")
def http(stack: Stack, night: str) -> Iterator[HttpSink]:
    """The sink of a worker that is in the middle of its night, and of the api process started last."""
    with http_sink() as sink, mail_sink() as mail:
        stack.start_api(**settings(sink, mail, BINGLIAN_NOTICE_QUIET=night))
        worker = stack.start_worker(**settings(sink, mail, BINGLIAN_NOTICE_QUIET=night))
        yield sink
        worker.terminate()
        worker.wait(timeout=20)


async def test_only_life_and_night_duty_wake_people(stack: Stack, http: HttpSink) -> None:
    async with Reader(stack, subject="desk", role="DISPATCHER", at=len(stack.addresses) - 1) as desk:
        # A community of its own: what other tests told these departments wakes nobody here.
        area = "420502001096"
        ways: dict[str, Any] = {"channels": [NOTICE_CHANNEL_WEBHOOK], "role": "DEPT_LEAD", "area_code": area}
        here = {"area_code": f"{area}10001"}
        for code, at_night in (("FIRE", False), ("CIVIL", True)):
            subject = f"night-{code}"
            await desk.enter(subject=subject, department=code, at_night=at_night, webhook_url=f"{http.url}/{code}", **ways)
        ordinary = await desk.dispatch((await desk.report(**here)).case_id, "FIRE", "CIVIL")
        grave = await desk.dispatch((await desk.report(severity=case_pb2.SEVERITY_S1, **here)).case_id, "FIRE")
        for _ in range(200):
            if http.at("/FIRE") and http.at("/CIVIL"):
                break
            await asyncio.sleep(0.1)
        # Whatever else wanted out has had its time.
        await asyncio.sleep(7)
        (woken,), (on_night_duty,) = http.at("/FIRE"), http.at("/CIVIL")
        assert grave.number in woken.body.decode()
        assert ordinary.number not in woken.body.decode()
        assert ordinary.number in on_night_duty.body.decode()
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        box = client[stack.database]["mailboxes"].find_one({"_id": "night-FIRE"})
    assert box is not None
    assert len(box["waiting"]) == 1
    left = box["next_at"] - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=110) < left < dt.timedelta(minutes=121)

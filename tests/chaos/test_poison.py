"""A message nobody can handle lands in the dead-letter queue with its reason, holds nobody up, and one command sends it back."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from binglian.mediation.v1 import events_pb2
from google.protobuf.json_format import MessageToJson
from pymongo import MongoClient

from deploy.local import stack
from deploy.local.layout import ROOT, Layout
from svckit import cloudevents
from svckit.ids import new_id
from tests.services import eventually
from tests.suite import run_program

pytestmark = pytest.mark.e2e

QUEUE, DEAD = "assessment.record", "assessment.dead"
KIND = "mediation.case_reported.v1"


@pytest.fixture
def uri(suite: Layout) -> str:
    """The suite's broker."""
    return str(stack.shared_environment(suite, {})["BINGLIAN_AMQP_URI"])


@pytest.fixture
def broker(uri: str) -> Iterator[Any]:
    """A channel; what a test leaves in the dead-letter queue goes with it."""
    connection = pika.BlockingConnection(pika.URLParameters(uri))
    channel = connection.channel()
    yield channel
    channel.queue_purge(DEAD)
    connection.close()


def headers(subject: str) -> dict[str, Any]:
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    return {cloudevents.ID: new_id(), cloudevents.TYPE: KIND, cloudevents.TIME: moment, cloudevents.SUBJECT: subject}


def reported(case_id: str) -> bytes:
    """The data of a report, as mediation would send it."""
    fact = events_pb2.CaseReported(
        case_id=case_id, number="420502-2026-999999", city="4205", area_code="420502", category="A0204"
    )
    fact.reported_at.GetCurrentTime()
    return MessageToJson(fact).encode()


def send(broker: Any, body: bytes, headers: dict[str, Any], *, queue: str = QUEUE) -> None:
    broker.basic_publish("", queue, body, pika.BasicProperties(content_type="application/json", headers=headers))


def waiting(broker: Any) -> int:
    return int(broker.queue_declare(DEAD, passive=True).method.message_count)


def deadletter(uri: str, action: str, *more: str) -> str:
    """What the command line says."""
    command = [sys.executable, "-m", "svckit.deadletter", action, "--service", "assessment", *more]
    environment = {**os.environ, "BINGLIAN_AMQP_URI": uri}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def has_ledger(suite: Layout, case_id: str) -> bool:
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{suite.ports.mongo}/?replicaSet=binglian") as client:
        return client["binglian_assessment"]["ledgers"].find_one({"_id": case_id}) is not None


def test_poison_is_put_aside_with_its_reason_and_the_others_go_on(suite: Layout, broker: Any, uri: str) -> None:
    poison, good, case_id = headers("x"), headers("y"), new_id()
    send(broker, b"{this is no JSON", poison)
    send(broker, reported(case_id), good)
    eventually(lambda: has_ledger(suite, case_id), seconds=30)
    eventually(lambda: waiting(broker) == 1, seconds=30)
    told = deadletter(uri, "list")
    assert "1 dead letters of assessment" in told
    line = next(line for line in told.splitlines() if line.startswith(poison[cloudevents.ID]))
    assert KIND in line
    assert QUEUE in line
    assert "Error" in line
    assert "this is no JSON" not in told, "data may be personal"


def test_what_is_replayed_is_handled_as_if_it_were_new(suite: Layout, broker: Any, uri: str) -> None:
    case_id = new_id()
    message = headers(case_id) | {"x-queue": QUEUE, "x-reason": "a defect that was mended since"}
    send(broker, reported(case_id), message, queue=DEAD)
    assert "a defect that was mended since" in deadletter(uri, "list")
    assert "1 messages replayed" in deadletter(uri, "replay", "--id", message[cloudevents.ID])
    eventually(lambda: has_ledger(suite, case_id), seconds=30)
    assert waiting(broker) == 0


def test_poison_that_is_replayed_comes_back(suite: Layout, broker: Any, uri: str) -> None:
    poison = headers("x")
    send(broker, b"{this is no JSON", poison)
    eventually(lambda: waiting(broker) == 1, seconds=30)
    assert "1 messages replayed" in run_program(suite, "deploy.local", "dead", "replay", "assessment").stdout
    eventually(lambda: waiting(broker) == 1, seconds=30)
    assert poison[cloudevents.ID] in deadletter(uri, "list")

"""A whole api process: starts patiently, serves, publishes, streams, stops gracefully."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pika
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pymongo import MongoClient

from svckit.embedded import free_port
from svckit.topology import EXCHANGE
from tests.issuer import Issuer, running_issuer
from tests.probe import pb, pb_grpc

pytestmark = pytest.mark.integration
SCRIPT = Path(__file__).with_name("probe_api.py")


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int
    service: str
    issuer: Issuer

    def channel(self) -> grpc.aio.Channel:
        # Waits for the server instead of failing at once.
        return grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options=(("grpc.max_reconnect_backoff_ms", 200),))

    def metadata(self) -> list[tuple[str, str]]:
        return [("authorization", f"Bearer {self.issuer.token()}")]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=15)


def start(service: str, **variables: str) -> subprocess.Popen[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("BINGLIAN_")}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), service],
        env={**environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def running(mongo_uri: str, amqp_uri: str, namespace: str) -> Iterator[Running]:
    with running_issuer() as issuer:
        port = free_port()
        variables = {
            "BINGLIAN_MONGO_URI": mongo_uri,
            "BINGLIAN_AMQP_URI": amqp_uri,
            "BINGLIAN_GRPC_PORT": str(port),
            "BINGLIAN_JWKS_URL": issuer.url,
            "BINGLIAN_DRAIN_SECONDS": "3",
        }
        process = start(namespace, **variables)
        try:
            yield Running(process, port, namespace, issuer)
        finally:
            process.kill()
            process.communicate()
            with MongoClient[dict[str, Any]](mongo_uri) as client:
                client.drop_database(f"binglian_{namespace}")


async def until_serving(channel: grpc.aio.Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    async with asyncio.timeout(30):
        while True:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=30)
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.05)


def subscribe(amqp_uri: str) -> tuple[Any, str]:
    channel = pika.BlockingConnection(pika.URLParameters(amqp_uri)).channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, EXCHANGE, "mediation.case_closed.v1")
    return channel, queue


async def test_serves_publishes_streams_and_stops(running: Running, amqp_uri: str, mongo_uri: str) -> None:
    async with running.channel() as channel:
        await until_serving(channel)
        subscriber, queue = subscribe(amqp_uri)
        stub = pb_grpc.ProbeServiceStub(channel)
        first = await stub.AnyToken(pb.ProbeRequest(act="one"), metadata=running.metadata())
        assert (await stub.AnyToken(pb.ProbeRequest(act="one"), metadata=running.metadata())).text == first.text
        await check_published(subscriber, queue, first.text)
        check_indexes(mongo_uri, f"binglian_{running.service}")
        await check_stream_until_stop(running, stub)
    subscriber.connection.close()


async def check_published(subscriber: Any, queue: str, id: str) -> None:
    async with asyncio.timeout(10):
        while (got := subscriber.basic_get(queue, auto_ack=True))[0] is None:  # noqa: ASYNC110 - blocking pika tells nobody
            await asyncio.sleep(0.05)
    assert got[1].headers["cloudEvents:subject"] == id
    assert f'"caseId":"{id}"' in got[2].decode()


def check_indexes(mongo_uri: str, database: str) -> None:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        assert {"text_1", "created_by", "outbox_time"} <= client[database]["notes"].index_information().keys()


async def check_stream_until_stop(running: Running, stub: Any) -> None:
    stream = aiter(stub.Watch(pb.ProbeRequest(), metadata=running.metadata()))
    assert (await anext(stream)).text == "watching"
    stopped = asyncio.get_running_loop().run_in_executor(None, running.stop)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(stream)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await stopped == 0


def test_waits_for_a_database_that_is_away_and_can_be_stopped_meanwhile(amqp_uri: str, namespace: str) -> None:
    variables = {
        "BINGLIAN_MONGO_URI": f"mongodb://127.0.0.1:{free_port()}",
        "BINGLIAN_AMQP_URI": amqp_uri,
        "BINGLIAN_JWKS_URL": "http://127.0.0.1:1/",
    }
    process = start(f"{namespace}late", **variables)
    assert process.stdout is not None
    assert "waiting for the database" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    process.stdout.close()


def test_an_incomplete_configuration_is_one_sentence(mongo_uri: str, amqp_uri: str, namespace: str) -> None:
    process = start(namespace, BINGLIAN_MONGO_URI=mongo_uri, BINGLIAN_AMQP_URI=amqp_uri)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert output.strip() == f"{namespace}: BINGLIAN_JWKS_URL is not set"


def test_a_taken_port_is_one_sentence(running: Running, mongo_uri: str, amqp_uri: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        variables = {"BINGLIAN_MONGO_URI": mongo_uri, "BINGLIAN_AMQP_URI": amqp_uri, "BINGLIAN_JWKS_URL": running.issuer.url}
        process = start(running.service, BINGLIAN_GRPC_PORT=str(port), **variables)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert output.strip().splitlines()[-1].startswith(f"{running.service}: port {port} cannot be opened")

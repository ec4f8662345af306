"""Streams through the gateway: server-sent events for browsers, lines for programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx

from tests.integration.gateway.conftest import CASE_ID

WATCH = f"/v1/cases/{CASE_ID}:watch"
EVENTS = {"accept": "text/event-stream"}


async def refuse(context: Any) -> None:
    await context.abort(grpc.StatusCode.PERMISSION_DENIED, "Not yours.")


async def read(client: httpx.AsyncClient, count: int, **options: Any) -> AsyncIterator[str]:
    """Yields the first `count` lines that are not empty, then leaves."""
    async with client.stream("GET", WATCH, **options) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if line:
                yield line
                count -= 1
            if not count:
                return


async def test_messages_become_events_whose_id_is_the_cursor(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1", "c2", 9.0]
    lines = [line async for line in read(client, 5, headers=EVENTS)]
    data = json.dumps({"case": {"caseId": CASE_ID}, "cursor": "c1"}, separators=(",", ":"))
    assert lines == ["retry: 1000", "id: c1", f"data: {data}", "id: c2", f"data: {data.replace('c1', 'c2')}"]


async def test_a_client_that_comes_back_goes_on_after_its_last_event(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c3", 9.0]
    headers = {**EVENTS, "last-event-id": "c+2/=&x"}
    assert "id: c3" in [line async for line in read(client, 3, headers=headers, params={"cursor": "c0"})]
    assert mediation.requests[0].cursor == "c+2/=&x"


async def test_an_idle_stream_begins_and_is_kept_alive(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = [9.0]
    assert [line async for line in read(client, 3, headers=EVENTS)] == ["retry: 1000", ": still here", ": still here"]


async def test_programs_that_ask_for_json_get_lines(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1", "c2", refuse]
    lines = [json.loads(line) async for line in read(client, 3, headers={"accept": "application/json"})]
    assert [line.get("cursor") for line in lines[:2]] == ["c1", "c2"]
    assert lines[2]["problem"]["status"] == 403


async def test_a_refusal_before_the_first_message_is_a_plain_problem(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = [refuse]
    response = await client.get(WATCH, headers=EVENTS)
    assert (response.status_code, response.json()["detail"]) == (403, "Not yours.")


async def test_a_refusal_later_travels_in_the_stream_and_ends_it(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1", refuse]
    async with client.stream("GET", WATCH, headers=EVENTS) as response:
        lines = [line async for line in response.aiter_lines() if line]
    assert lines[-2] == "event: problem"
    assert json.loads(lines[-1].removeprefix("data: "))["reason"] == "PERMISSION_DENIED"


async def test_the_end_of_the_stream_ends_the_answer(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1"]
    assert (await client.get(WATCH, headers=EVENTS)).text.count("data:") == 1
    mediation.script = []
    assert (await client.get(WATCH, headers=EVENTS)).status_code == 200


async def test_a_client_that_leaves_ends_the_call(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1", 30.0]
    assert [line async for line in read(client, 2, headers=EVENTS)]
    await asyncio.wait_for(mediation.cancelled.wait(), 3)


async def test_a_process_that_ends_lets_its_streams_go(client: httpx.AsyncClient, mediation: Any) -> None:
    mediation.script = ["c1", 30.0]
    async with client.stream("GET", WATCH, headers=EVENTS) as response:
        lines = response.aiter_lines()
        await anext(lines)
        client.process.begin_end()  # type: ignore[attr-defined]
        rest = [line async for line in lines]
    assert not any("problem" in line for line in rest)


async def test_a_wrong_cursor_parameter_is_refused_before_the_stream(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{WATCH}?since=1", headers=EVENTS)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "since")

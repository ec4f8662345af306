"""A service that does what it is asked, and what a caller sees of its refusals, for the tests of the pipeline around rpcs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from pymongo.errors import AutoReconnect

from svckit import errors, telemetry
from svckit.access import current_authorization, current_caller, maybe_caller
from svckit.grpc_server import GrpcServer
from svckit.statuses import DETAILS_KEY
from tests.issuer import Issuer
from tests.probe import pb, pb_grpc

TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"
PERSON = {"person_id": "p", "name": "王小明", "phone": "13812345678"}


class Probe(pb_grpc.ProbeServiceServicer):
    """Does what the request says."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.attempts = 0

    async def Open(self, request: Any, context: Any) -> Any:
        caller = maybe_caller()
        return pb.ProbeResponse(text=caller.subject if caller else "nobody", people=[PERSON])

    async def AnyToken(self, request: Any, context: Any) -> Any:
        return await self._act(request.act)

    async def ForRole(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse(text=current_caller().subject)

    async def ForPurpose(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse(people=[PERSON])

    async def Undeclared(self, request: Any, context: Any) -> Any:
        raise AssertionError("nobody may get here")

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            yield pb.ProbeResponse(text="first", people=[PERSON])
            if request.act == "fail":
                raise errors.NotFound("Gone.", reason="CASE_NOT_FOUND")
            if request.act == "stray":
                raise FAILURES["stray"]
            if request.act == "wait":
                await asyncio.sleep(60)
        finally:
            self.ended.append(request.act)

    async def Take(self, requests: AsyncIterator[Any], context: Any) -> Any:
        acts = [(await self._act(request.act)) and request.act async for request in requests]
        self.ended.append("took")
        return pb.ProbeResponse(text=f"{current_caller().subject} {','.join(acts)}", people=[PERSON])

    async def _act(self, act: str) -> Any:
        if act in FAILURES:
            raise FAILURES[act]
        if act == "flaky":
            self.attempts += 1
            if self.attempts < 3:
                raise errors.Unavailable("Not yet.")
        if act == "sleep":
            try:
                await asyncio.sleep(60)
            finally:
                self.ended.append(act)
        if act == "slow":
            await asyncio.sleep(0.3)
        return pb.ProbeResponse(text=f"{current_authorization()} {telemetry.current_traceparent()}", people=[PERSON])


FAILURES: dict[str, Exception] = {
    "missing": errors.NotFound("There is no such case.", reason="CASE_NOT_FOUND", metadata={"id": "c1"}),
    "wrong": errors.InvalidArgument("The category is unknown.", reason="CATEGORY_UNKNOWN", field="category"),
    "state": errors.FailedPrecondition("The case is closed."),
    "stray": errors.PermissionDenied("Not your area.", reason="AREA_NOT_ALLOWED"),
    "denied": errors.PermissionDenied("Not yours."),
    "raced": errors.Conflict("Somebody was faster."),
    "exists": errors.Conflict("It is there already.", reason="ALREADY_EXISTS"),
    "away": errors.Unavailable("Later."),
    "mongo": AutoReconnect("mongo-host:27017: connection closed"),
    "bug": ValueError("王小明"),
}


@dataclass
class Setup:
    issuer: Issuer
    server: GrpcServer
    probe: Probe
    port: int
    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        return pb_grpc.ProbeServiceStub(self.channel)

    def metadata(self, *, purpose: str = "", **claims: Any) -> list[tuple[str, str]]:
        entries = [("authorization", f"Bearer {self.issuer.token(**claims)}"), ("traceparent", TRACEPARENT)]
        return entries + ([("x-purpose", purpose)] if purpose else [])


@dataclass
class Refusal:
    code: str
    message: str
    reason: str
    metadata: dict[str, str]
    fields: dict[str, str]


async def refusal(call: Any) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    failure = caught.value
    details: Any = dict(failure.trailing_metadata() or ()).get(DETAILS_KEY, b"")
    info, wrong = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status_pb2.Status.FromString(details).details:
        detail.Unpack(info) or detail.Unpack(wrong)
    fields = {item.field: item.description for item in wrong.field_violations}
    return Refusal(failure.code().name, failure.details() or "", info.reason, dict(info.metadata), fields)


async def call(setup: Setup, act: str = "", **named: Any) -> Any:
    return await setup.stub.AnyToken(pb.ProbeRequest(act=act), metadata=setup.metadata(**named))


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def said(*acts: str) -> list[Any]:
    return [pb.ProbeRequest(act=act) for act in acts]

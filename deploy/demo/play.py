"""Plays the stories: a grid worker reports, a dispatcher dispatches, departments (other programs) act, the worker checks,
the dispatcher closes.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from binglian.mediation.v1 import case_pb2, case_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub

from deploy.client import Session, request_id
from deploy.demo.district import District
from deploy.demo.stories import Story

FINAL = {case_pb2.CASE_STATE_CLOSED, case_pb2.CASE_STATE_REJECTED}


@dataclass
class Played:
    """A case of the demo: the story, the acknowledged id, the trace it runs in, the last state seen."""

    story: Story
    traceparent: str
    case_id: str = ""
    case: case_pb2.Case = field(default_factory=case_pb2.Case)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.traceparent.split("-")[1]


class Play:
    """The people of the demo. REST for what people do in the field and the centre, a gRPC stream to see what happens."""

    def __init__(self, *, run: str, worker: Session, dispatcher: Session, district: District) -> None:
        """`run` makes the request ids of this demo its own."""
        self._run, self._worker, self._dispatcher, self._district = run, worker, dispatcher, district
        self.cases: dict[str, Played] = {}

    async def one(self, story: Story, number: int) -> Played:
        """Plays one case to its end and returns it closed."""
        played = Played(story, traceparent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
        case = await self._worker.rest("POST", "/v1/cases", self._report(story, number), traceparent=played.traceparent)
        played.case_id = case["caseId"]
        self.cases[played.case_id] = played
        await self._command(self._dispatcher, played, "dispatch", {"tasks": _plan(story), "joinPolicy": "JOIN_POLICY_ALL"})
        await self._until(played, case_pb2.CASE_STATE_HANDLED)
        photo = self._photo(number, "after")
        await self._command(self._worker, played, "verify", {"passed": True, "text": "现场核查通过", "photos": [photo]})
        await self._command(self._dispatcher, played, "close", {})
        await self._until(played, case_pb2.CASE_STATE_CLOSED)
        return played

    def _report(self, story: Story, number: int) -> dict[str, Any]:
        photo = self._photo(number, "before")
        return {
            "requestId": request_id(self._run, number, "report"),
            "category": story.category,
            "severity": story.severity,
            "description": story.description,
            "point": photo["point"],
            "photos": [photo],
        }

    def _photo(self, number: int, moment: str) -> dict[str, Any]:
        """A photograph in the grid the case lies in; before and after are taken at the same spot."""
        grid = self._district.grids[number * 37 % len(self._district.grids)]
        longitude, latitude = grid.box.at(0.31, 0.47)
        return {"uri": f"demo://{self._run}/{number}/{moment}.jpg", "point": {"longitude": longitude, "latitude": latitude}}

    async def _command(self, who: Session, played: Played, verb: str, body: dict[str, Any]) -> None:
        body = body | {"requestId": request_id(self._run, played.case_id, verb)}
        await who.rest("POST", f"/v1/cases/{played.case_id}:{verb}", body, traceparent=played.traceparent)

    async def _until(self, played: Played, state: int) -> None:
        """Waits on the stream of the case until it is in `state` (or past it), resuming after breaks."""
        stub, cursor = CaseServiceStub(self._dispatcher.channel), ""
        while True:
            try:
                request = case_service_pb2.WatchCaseRequest(case_id=played.case_id, cursor=cursor)
                async for message in self._stream(stub, request, await self._dispatcher.metadata(played.traceparent)):
                    cursor = message.cursor
                    played.case.CopyFrom(message.case)
                    if message.case.state == state or message.case.state in FINAL:
                        return
            except grpc.aio.AioRpcError as error:
                if error.code() in (
                    grpc.StatusCode.NOT_FOUND,
                    grpc.StatusCode.INVALID_ARGUMENT,
                    grpc.StatusCode.PERMISSION_DENIED,
                ):
                    raise
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._dispatcher.forget_token()
            await asyncio.sleep(0.3)

    async def _stream(self, stub: CaseServiceStub, request: Any, metadata: Any) -> AsyncIterator[Any]:
        call: Any = stub.WatchCase(request, metadata=metadata, wait_for_ready=True)
        try:
            async for message in call:
                yield message
        finally:
            call.cancel()


def _plan(story: Story) -> list[dict[str, Any]]:
    roles = ["TASK_ROLE_LEAD"] + ["TASK_ROLE_JOINT"] * (len(story.parts) - 1)
    return [
        {
            "key": part.department,
            "department": part.department,
            "role": role,
            "after": list(part.after),
            "instruction": part.instruction,
        }
        for part, role in zip(story.parts, roles, strict=True)
    ]

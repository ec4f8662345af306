"""Plays requests as cases: every step is a command with its own request id, so a replay that broke off goes on without duplicates."""

import asyncio
import contextlib
import datetime as dt
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import grpc
from binglian.mediation.v1 import case_pb2, case_service_pb2, task_service_pb2
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.client import Session, request_id
from deploy.replay.rows import FileMapping, Problem, Request

IN_FLIGHT = 48
"""Cases worked on at once; more only lengthens the queues on a small machine."""


@dataclass
class Journal:
    """What has been replayed, on disk: one line a finished row, so that a broken line costs one row."""

    done: dict[str, Problem | None]
    """The ids of finished rows, each with the remark its case was taken with."""
    file: TextIO

    @classmethod
    def open(cls, path: Path, *, fresh: bool = False) -> "Journal":
        """Reads the journal of an earlier, unfinished replay, unless `fresh`; a half-written last line is passed over."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.unlink(missing_ok=True)
        text = path.read_text() if path.exists() else ""
        done: dict[str, Problem | None] = {}
        for line in text.splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                entry = json.loads(line)
                done[entry["id"]] = Problem(**entry["remark"]) if entry["remark"] else None
        file = path.open("a")
        if text and not text.endswith("\n"):
            file.write("\n")
        return cls(done, file)

    def add(self, external_id: str, remark: Problem | None) -> None:
        """Notes a finished row."""
        self.done[external_id] = remark
        self.file.write(json.dumps({"id": external_id, "remark": remark and asdict(remark)}, ensure_ascii=False) + "\n")
        self.file.flush()

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


@dataclass
class Tally:
    """Counts of a replay."""

    played: int = 0
    resumed: int = 0
    problems: list[Problem] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


class Player:
    """Turns requests into cases through the public entry. `worker` reports and handles, `checker` verifies: never the same person."""

    def __init__(
        self, *, mapping: FileMapping, worker: Session, checker: Session, journal: Journal, communities: dict[str, str]
    ) -> None:
        """`communities` are codes of areas by their names in the file, for rows without a usable position."""
        self._mapping, self._journal = mapping, journal
        self._worker, self._checker = worker, checker
        self._cases, self._tasks = CaseServiceStub(worker.channel), TaskServiceStub(worker.channel)
        self._checks = CaseServiceStub(checker.channel)
        self._communities = communities
        self._remarks: dict[int, Problem] = {}
        self.tally = Tally()

    async def play(self, rows: Iterable[Request | Problem], *, speed: float | None, advance: Callable[[], None]) -> Tally:
        """Plays all rows; with a `speed`, at that many times the pace of the file. Raises the first error that is not a row's own."""
        started = time.monotonic()
        room = asyncio.Semaphore(IN_FLIGHT)
        async with asyncio.TaskGroup() as group:
            async for request in self._paced(rows, speed, advance):
                await room.acquire()
                group.create_task(self._one(request, room, advance))
        self.tally.seconds = time.monotonic() - started
        return self.tally

    async def _paced(
        self, rows: Iterable[Request | Problem], speed: float | None, advance: Callable[[], None]
    ) -> AsyncIterator[Request]:
        first: dt.datetime | None = None
        began = time.monotonic()
        for row in rows:
            if isinstance(row, Problem):
                self._note(row, advance)
                continue
            if row.external_id in self._journal.done:
                self._skip(row, advance)
                continue
            first = first or row.created
            if speed:
                await asyncio.sleep((row.created - first).total_seconds() / speed - (time.monotonic() - began))
            yield row

    def _skip(self, request: Request, advance: Callable[[], None]) -> None:
        """Passes over a row that an earlier run has finished; what that run remarked is told again."""
        self.tally.resumed += 1
        if remark := self._journal.done[request.external_id]:
            self.tally.problems.append(remark)
        advance()

    def _note(self, problem: Problem, advance: Callable[[], None]) -> None:
        self.tally.problems.append(problem)
        if problem.refused:
            advance()

    async def _one(self, request: Request, room: asyncio.Semaphore, advance: Callable[[], None]) -> None:
        try:
            case = await self._steps(request)
            self._journal.add(request.external_id, self._remarks.pop(request.row, None))
            self.tally.played += 1
            self.tally.outcomes[case_pb2.CaseState.Name(case.state).removeprefix("CASE_STATE_").lower()] += 1
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
                raise
            self.tally.problems.append(Problem(request.row, "refused by the suite", str(error.details()), refused=True))
        finally:
            room.release()
            advance()

    async def _steps(self, request: Request) -> case_pb2.Case:
        case = await self._report(request)
        if request.outcome == "rejected":
            return await self._reject(case, request)
        case = await self._dispatch(case, request)
        if request.outcome == "open":
            return case
        return await self._finish(case, request)

    async def _report(self, request: Request) -> case_pb2.Case:
        """Reports the case where it lies; outside every neighbourhood, or without a position, at the smallest area that is known."""
        message = case_service_pb2.ReportCaseRequest(
            request_id=self._id(request, "report"),
            category=request.category,
            description=request.description,
            address=request.address,
            source=request.source,
            happened_at=_stamp(request.created),
            external_id=request.external_id,
        )
        if request.point:
            message.point.longitude, message.point.latitude = request.point
        else:
            message.area_code = self._area_of(request)
        try:
            return (await self._worker.call(self._cases.ReportCase, message)).case
        except grpc.aio.AioRpcError as error:
            if request.point is None or error.code() != grpc.StatusCode.INVALID_ARGUMENT or "point" not in str(error.details()):
                raise
        return await self._report_outside(request, message)

    async def _report_outside(self, request: Request, message: case_service_pb2.ReportCaseRequest) -> case_pb2.Case:
        text = f"{request.point} lies in no neighbourhood; placed by its label"
        remark = self._remarks[request.row] = Problem(request.row, "position in no area", text, refused=False)
        self.tally.problems.append(remark)
        message.ClearField("point")
        message.area_code = self._area_of(request)
        message.request_id = self._id(request, "report-by-label")
        return (await self._worker.call(self._cases.ReportCase, message)).case

    def _area_of(self, request: Request) -> str:
        return self._communities.get(request.community, self._mapping.city["district"])

    async def _reject(self, case: case_pb2.Case, request: Request) -> case_pb2.Case:
        message = case_service_pb2.RejectCaseRequest(
            case_id=case.case_id,
            request_id=self._id(request, "reject"),
            reason="cancelled in the source system",
            happened_at=_stamp(request.closed or request.created),
        )
        return (await self._worker.call(self._cases.RejectCase, message)).case

    async def _dispatch(self, case: case_pb2.Case, request: Request) -> case_pb2.Case:
        plan = case_service_pb2.TaskPlan(department=request.department, role=case_pb2.TASK_ROLE_LEAD)
        message = case_service_pb2.DispatchCaseRequest(
            case_id=case.case_id, request_id=self._id(request, "dispatch"), tasks=[plan], happened_at=_stamp(request.created)
        )
        return (await self._worker.call(self._cases.DispatchCase, message)).case

    async def _finish(self, case: case_pb2.Case, request: Request) -> case_pb2.Case:
        """Accepts and completes the task, checks and closes the case, all at the file's times."""
        assert request.closed is not None
        task: dict[str, Any] = {"case_id": case.case_id, "task_id": case.tasks[0].task_id}
        closed = _stamp(request.closed)
        accept = task_service_pb2.AcceptTaskRequest(
            **task, request_id=self._id(request, "accept"), happened_at=_stamp(request.created)
        )
        await self._worker.call(self._tasks.AcceptTask, accept)
        complete = task_service_pb2.CompleteTaskRequest(
            **task,
            request_id=self._id(request, "complete"),
            result="closed in the source system",
            unified_reply="closed in the source system",
            happened_at=closed,
        )
        await self._worker.call(self._tasks.CompleteTask, complete)
        verify = case_service_pb2.VerifyCaseRequest(
            case_id=case.case_id,
            request_id=self._id(request, "verify"),
            passed=True,
            text="closed in the source system",
            photos=list(case.photos),
            happened_at=closed,
        )
        await self._checker.call(self._checks.VerifyCase, verify)
        close = case_service_pb2.CloseCaseRequest(
            case_id=case.case_id, request_id=self._id(request, "close"), happened_at=closed
        )
        return (await self._checker.call(self._checks.CloseCase, close)).case

    def _id(self, request: Request, step: str) -> str:
        return request_id("replay", self._mapping.name, self._mapping.city["code"], request.external_id, step)


def _stamp(moment: dt.datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp

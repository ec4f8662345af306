"""One department's own system, as a program of its own: holds the task stream through the edge, answers each task, resumes after any break.

`python -m deploy.demo.departments FIRE --speed 1800` – this is also the example for departments that connect their systems.
"""

import argparse
import asyncio
import contextlib
import logging
from typing import Any

import grpc
from binglian.fire_safety.v1 import inspection_pb2, inspection_service_pb2
from binglian.fire_safety.v1.inspection_service_pb2_grpc import InspectionServiceStub
from binglian.housing.v1 import house_check_pb2
from binglian.housing.v1.house_check_pb2_grpc import HouseCheckServiceStub
from binglian.mediation.v1 import case_pb2, task_service_pb2
from binglian.mediation.v1.task_service_pb2_grpc import TaskServiceStub
from binglian.population.v1 import verification_pb2
from binglian.population.v1.verification_pb2_grpc import VerificationServiceStub
from binglian.type.v1 import evidence_pb2

from deploy.client import Session, request_id
from deploy.demo.accounts import department_session
from deploy.demo.stories import STORIES, Part, part_of
from svckit.embedded import end_with_parent

logger = logging.getLogger(__name__)
OPEN = {case_pb2.TASK_STATE_ASSIGNED, case_pb2.TASK_STATE_RETURNED, case_pb2.TASK_STATE_ACCEPTED}
ORDINARY = Part("", 20, 60, "", "已办理")
"""What a department does with a task no story tells of."""


class Department:
    """Answers the tasks of one department, each once per round, at `speed` times the pace of reality."""

    def __init__(self, code: str, *, session: Session, speed: float) -> None:
        self._code, self._session, self._speed = code, session, speed
        self._tasks = TaskServiceStub(session.channel)
        self._inspections = InspectionServiceStub(session.channel)
        self._checks = HouseCheckServiceStub(session.channel)
        self._verifications = VerificationServiceStub(session.channel)
        self._at_work: set[tuple[str, int]] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Follows the stream for ever; after a break it goes on behind the last message it has."""
        cursor = ""
        while True:
            try:
                stream = self._stream(cursor, await self._session.metadata())
                await stream.initial_metadata()
                logger.info("watching")
                async for message in stream:
                    cursor = message.cursor
                    self._take(message.task)
            except grpc.aio.AioRpcError as error:
                if error.code() in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INVALID_ARGUMENT):
                    raise
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    self._session.forget_token()
                logger.info("stream broke (%s), resuming", error.code().name)
            await asyncio.sleep(0.3)

    def _stream(self, cursor: str, metadata: Any) -> Any:
        request = task_service_pb2.WatchTasksRequest(department=self._code, cursor=cursor)
        return self._tasks.WatchTasks(request, metadata=metadata, wait_for_ready=True)

    def _take(self, view: task_service_pb2.TaskView) -> None:
        """Starts work on an open task unless it is at it already: a stream may tell a change twice."""
        round_ = (view.task.task_id, view.task.returns)
        if view.task.state not in OPEN or round_ in self._at_work:
            return
        self._at_work.add(round_)
        work = asyncio.ensure_future(self._work(view))
        self._running.add(work)
        work.add_done_callback(self._finished)

    def _finished(self, work: "asyncio.Task[None]") -> None:
        self._running.discard(work)
        if not work.cancelled() and work.exception():
            logger.error("a task was not answered", exc_info=work.exception())

    async def _work(self, view: task_service_pb2.TaskView) -> None:
        part = part_of(view.category, self._code) or ORDINARY
        await self._pass(part.accept_minutes)
        if not await self._through_own_service(view, part):
            await self._through_tasks(view, part)

    async def _through_tasks(self, view: task_service_pb2.TaskView, part: Part) -> None:
        """The ordinary way: accept, report progress half-way, complete."""
        await self._say(self._tasks.AcceptTask, task_service_pb2.AcceptTaskRequest(**self._key(view, "accept")), view)
        await self._pass(part.work_minutes / 2)
        progress = task_service_pb2.ReportProgressRequest(**self._key(view, "progress"), text=f"{self._code}: 已到现场")
        await self._say(self._tasks.ReportProgress, progress, view)
        await self._pass(part.work_minutes / 2)
        done = task_service_pb2.CompleteTaskRequest(
            **self._key(view, "complete"),
            result=part.result,
            evidence=[self._photo(view)],
            unified_reply=_reply(view),
            parties_informed="电话",
        )
        await self._say(self._tasks.CompleteTask, done, view)

    async def _through_own_service(self, view: task_service_pb2.TaskView, part: Part) -> bool:
        """Departments whose own service has opened work for the task do that work; its fact then completes the task."""
        for find, complete in (
            (self._inspection, self._inspect),
            (self._house_check, self._check),
            (self._verification, self._verify),
        ):
            if (work_id := await find(view)) is not None:
                await self._pass(part.work_minutes)
                await complete(work_id, view, part)
                return True
        return False

    async def _inspection(self, view: task_service_pb2.TaskView) -> str | None:
        if self._code != "FIRE":
            return None
        request = inspection_service_pb2.ListInspectionsRequest(
            case_id=view.case_id, states=[inspection_pb2.INSPECTION_STATE_OPEN]
        )
        return await self._appears(
            self._inspections.ListInspections, request, lambda r: [i.inspection_id for i in r.inspections]
        )

    async def _inspect(self, inspection_id: str, view: task_service_pb2.TaskView, part: Part) -> None:
        request = inspection_service_pb2.CompleteInspectionRequest(
            inspection_id=inspection_id, request_id=self._id(view, "inspect"), result=part.result
        )
        inspection = await self._session.call(
            self._inspections.GetInspection, inspection_service_pb2.GetInspectionRequest(inspection_id=inspection_id)
        )
        request.answers.extend(
            inspection_service_pb2.ItemAnswer(code=item.code, answer=inspection_pb2.ANSWER_PASS)
            for item in inspection.inspection.items
        )
        await self._say(self._inspections.CompleteInspection, request, view)

    async def _house_check(self, view: task_service_pb2.TaskView) -> str | None:
        if self._code != "HOUSING":
            return None
        request = house_check_pb2.ListHouseChecksRequest(case_id=view.case_id, state=house_check_pb2.HOUSE_CHECK_STATE_OPEN)
        return await self._appears(self._checks.ListHouseChecks, request, lambda r: [c.check_id for c in r.house_checks])

    async def _check(self, check_id: str, view: task_service_pb2.TaskView, part: Part) -> None:
        request = house_check_pb2.CompleteHouseCheckRequest(
            check_id=check_id,
            request_id=self._id(view, "check"),
            outcome=house_check_pb2.HOUSE_CHECK_OUTCOME_FIXED,
            result=part.result,
            unified_reply=_reply(view),
        )
        await self._say(self._checks.CompleteHouseCheck, request, view)

    async def _verification(self, view: task_service_pb2.TaskView) -> str | None:
        if view.category != "L" or self._code not in ("COMM", "CIVIL", "HEALTH"):
            return None
        request = verification_pb2.ListVerificationsRequest(
            case_id=view.case_id, state=verification_pb2.VERIFICATION_STATE_OPEN
        )
        task_id = view.task.task_id
        return await self._appears(
            self._verifications.ListVerifications,
            request,
            lambda r: [o.order_id for o in r.orders if o.task.task_id == task_id],
        )

    async def _verify(self, order_id: str, view: task_service_pb2.TaskView, part: Part) -> None:
        request = verification_pb2.CompleteVerificationRequest(
            order_id=order_id,
            request_id=self._id(view, "verify"),
            outcome=verification_pb2.VERIFICATION_OUTCOME_CONFIRMED,
            result=part.result,
            unified_reply=_reply(view),
        )
        await self._say(self._verifications.CompleteVerification, request, view)

    async def _appears(self, method: Any, request: Any, ids: Any) -> str:
        """Waits for the work the department's service opens when the dispatch reaches it."""
        while True:
            found = ids(await self._session.call(method, request))
            if found:
                return str(found[0])
            await asyncio.sleep(0.2)

    async def _say(self, method: Any, request: Any, view: task_service_pb2.TaskView) -> None:
        """Sends a command in the trace of the case. A command that is too late (the case moved on) is logged, not fatal."""
        try:
            await self._session.call(method, request, traceparent=view.traceparent)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            logger.warning("%s refused: %s", type(request).__name__, error.details())

    def _photo(self, view: task_service_pb2.TaskView) -> evidence_pb2.Attachment:
        """What the place looks like now: the only department of a case has to show it, others may."""
        uri = f"demo://{view.case_id}/{self._code}-{view.task.returns}.jpg"
        return evidence_pb2.Attachment(uri=uri, point=view.point if view.HasField("point") else None)

    def _key(self, view: task_service_pb2.TaskView, step: str) -> dict[str, Any]:
        return {"case_id": view.case_id, "task_id": view.task.task_id, "request_id": self._id(view, step)}

    def _id(self, view: task_service_pb2.TaskView, step: str) -> str:
        return request_id("department", self._code, view.task.task_id, view.task.returns, step)

    async def _pass(self, minutes: float) -> None:
        await asyncio.sleep(minutes * 60 / self._speed)


def _reply(view: task_service_pb2.TaskView) -> str:
    """The unified reply, which only the lead department gives."""
    if view.task.role != case_pb2.TASK_ROLE_LEAD:
        return ""
    return next((story.reply for story in STORIES if story.category == view.category), "已办结")


async def serve(codes: list[str], speed: float) -> None:
    """Runs the given departments' systems until it is stopped."""
    async with asyncio.TaskGroup() as group:
        for code in codes:
            group.create_task(Department(code, session=department_session(code), speed=speed).run())


def main() -> None:
    """Starts a department's system."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.departments", description=__doc__)
    parser.add_argument("codes", nargs="+", help="department codes, for instance FIRE")
    parser.add_argument("--speed", type=float, default=1800, help="times the pace of reality (1800: half an hour a second)")
    parser.add_argument("--attached", action="store_true", help="end when the program that started it ends")
    args = parser.parse_args()
    if args.attached:
        end_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s " + ",".join(args.codes) + " %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(args.codes, args.speed))


if __name__ == "__main__":
    main()

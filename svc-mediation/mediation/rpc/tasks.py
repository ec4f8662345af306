"""TaskService."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Container
from datetime import datetime
from typing import Any

from binglian.mediation.v1 import task_service_pb2, task_service_pb2_grpc
from msgspec.structs import replace

from mediation import asking, cursors, operations, policies
from mediation.domain import Case
from mediation.domain.states import OPEN_TASK_STATES
from mediation.finding import Finder
from mediation.operations import Outcome
from mediation.rpc import translate
from mediation.rpc.checking import checks_texts
from mediation.store import Document, Filter, still_open, view_of, with_task_of
from mediation.streams import OVERLAP, Hub
from svckit.access import Caller, current_caller
from svckit.documents import command_of, utc_now
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository

DEFAULT_PAGE = 50
Verb = Callable[[Case, Caller, datetime], Outcome]


@checks_texts
class TaskServicer(task_service_pb2_grpc.TaskServiceServicer):
    """What departments do with their tasks."""

    def __init__(self, *, cases: Repository[Case], finder: Finder, hub: Hub) -> None:
        self._cases = cases
        self._finder = finder
        self._hub = hub

    # ----------------------------------------------------------------------------------------------------------- changing

    async def AcceptTask(self, request: Any, context: Any) -> Any:
        """Accepts a task."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.accept_task(case, task_id=request.task_id, by=by, at=at, now=utc_now())

        return await self._change(task_service_pb2.AcceptTaskResponse, request, verb)

    async def ReportProgress(self, request: Any, context: Any) -> Any:
        """Adds a note of progress."""
        files = translate.attachments(request.attachments, field="attachments")

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.report_progress(
                case, task_id=request.task_id, text=request.text, attachments=files, by=by, at=at, now=utc_now()
            )

        return await self._change(task_service_pb2.ReportProgressResponse, request, verb)

    async def CompleteTask(self, request: Any, context: Any) -> Any:
        """Reports a task done."""
        evidence = translate.attachments(request.evidence, field="evidence")

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.complete_task(
                case,
                task_id=request.task_id,
                result=request.result,
                evidence=evidence,
                unified_reply=request.unified_reply,
                parties_informed=request.parties_informed,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._change(task_service_pb2.CompleteTaskResponse, request, verb)

    async def ObjectTask(self, request: Any, context: Any) -> Any:
        """Objects to a task."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.object_task(case, task_id=request.task_id, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._change(task_service_pb2.ObjectTaskResponse, request, verb)

    async def RuleObjection(self, request: Any, context: Any) -> Any:
        """Rules on an objection."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.rule_objection(
                case,
                task_id=request.task_id,
                upheld=request.upheld,
                reason=request.reason,
                reassign_to=request.reassign_to,
                by=by,
                at=at,
                now=utc_now(),
                new_id=new_id,
            )

        return await self._change(task_service_pb2.RuleObjectionResponse, request, verb)

    async def ReturnTask(self, request: Any, context: Any) -> Any:
        """Sends a done task back."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.return_task(case, task_id=request.task_id, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._change(task_service_pb2.ReturnTaskResponse, request, verb)

    async def _change(self, response: type[Any], request: Any, verb: Verb) -> Any:
        caller = current_caller()
        has_time = "happened_at" in request.DESCRIPTOR.fields_by_name
        at = translate.happened(request, caller) if has_time else utc_now()

        def decide(case: Case) -> Outcome:
            translate.check_readable(case, caller)
            return verb(case, caller, at)

        saved = await self._cases.change(request.case_id, decide, command=command_of(request, caller))
        return translate.task_answer(response, saved, task_id=request.task_id, caller=caller)

    # ------------------------------------------------------------------------------------------------- reading, watching

    async def ListTasks(self, request: Any, context: Any) -> Any:
        """Returns a page of tasks, earliest due first."""
        caller = current_caller()
        asked = {"department": request.department, "states": to_fields(request)["states"]}
        ask, wanted = asking.of_tasks(asked, caller=caller, now=utc_now())
        after = cursors.parse(request.page_token, field="page_token")
        cases, last = await self._finder.tasks(ask, wanted=wanted, after=after, size=request.page_size or DEFAULT_PAGE)
        views = [translate.task_view(case, case["task"]) for case in cases]
        fields = {"tasks": views, "next_page_token": str(last) if last else ""}
        return to_message(task_service_pb2.ListTasksResponse, fields)

    async def WatchTasks(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Streams a department's tasks: the open ones, or what changed since the cursor, then every change of one of them."""
        caller = current_caller()
        department = policies.department_shown(caller, request.department)
        view = view_of(caller)
        # Who was taken out of a case that is hidden since then has to hear at least that.
        told = replace(view, former=True)

        def wants(case: Document) -> bool:
            return told.shows(case) and any(_is_of(task, department) for task in case.get("tasks", ()))

        cursor = cursors.parse(request.cursor, field="cursor")
        follow = self._hub.follow(
            where={"$and": [told.where, _with_task(department)]},
            first={"$and": [view.where, _with_task(department, open_only=True)]},
            wants=wants,
            cursor=cursor,
        )
        shown: dict[str, Any] = {}
        # A stream that starts without a cursor does not bring up what was over before it began.
        began = None if cursor else utc_now()
        async with contextlib.aclosing(follow) as cases:
            async for case, resume in cases:
                if not view.shows(case):
                    case = _left(case, shown, since=cursor.at - OVERLAP if cursor else None)
                for task in _news(case, department, shown, over_too=began is None or case["changed_at"] >= began):
                    fields = {"task": translate.task_view(case, task), "cursor": str(resume)}
                    yield to_message(task_service_pb2.WatchTasksResponse, fields)


def _with_task(department: str, *, open_only: bool = False) -> Filter:
    if open_only and department:
        return {f"inbox.{department}": {"$gte": ""}}  # only departments with an open task have a mark, and it is a text
    if department:
        return with_task_of(department)
    return {**still_open(), "tasks.state": {"$in": sorted(OPEN_TASK_STATES)}} if open_only else {"dispatched_at": {"$ne": None}}


def _is_of(task: Document, department: str) -> bool:
    return not department or bool(task["department"] == department)


def _left(case: Document, shown: Container[str], *, since: datetime | None) -> Document:
    """Returns what departments hear of a case they were taken out of, and of which they may know no longer: that, and no more.

    They hear it of tasks the stream has shown, or that were taken out after `since`; not whenever the case goes on without them.
    """

    def is_news(task: Document) -> bool:
        return task["task_id"] in shown or (since is not None and (task.get("removed_at") or since) > since)

    kept = ("task_id", "department", "role", "state")
    tasks = [{name: task[name] for name in kept} for task in case.get("tasks", ()) if is_news(task)]
    known = {name: case[name] for name in ("case_id", "number", "revision", "changed_at")}
    return {**dict.fromkeys(("category", "severity", "description", "area_code", "state")), **known, "tasks": tasks}


def _news(case: Document, department: str, shown: dict[str, Any], *, over_too: bool) -> list[Document]:
    """Returns the department's tasks that this stream has not shown as they are now."""
    fresh = []
    for task in case.get("tasks", ()):
        task_id = task["task_id"]
        over = task["state"] not in OPEN_TASK_STATES
        if not _is_of(task, department) or (over and not over_too and task_id not in shown):
            continue
        now = task | {"case_state": case["state"]}
        if shown.get(task_id) != now:
            fresh.append(task)
        if over and case["state"] in _SETTLED:
            shown.pop(task_id, None)
        else:
            shown[task_id] = now
    return fresh


# States after which a task of the case does not change any more: the stream may forget it.
_SETTLED = frozenset({"closed", "evaluated", "transferred"})

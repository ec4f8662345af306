"""CooperationService."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from binglian.mediation.v1 import cooperation_service_pb2 as pb
from binglian.mediation.v1 import cooperation_service_pb2_grpc
from msgspec.structs import replace

from mediation import contacts, operations, policies
from mediation.domain import Actor, Case, Entry, EntryKind, Visibility
from mediation.operations import Outcome
from mediation.rpc import translate
from mediation.rpc.changing import CaseVerbs
from mediation.rpc.checking import checks_texts
from svckit.access import Caller, current_caller
from svckit.documents import utc_now
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.store import Repository


@checks_texts
class CooperationServicer(cooperation_service_pb2_grpc.CooperationServiceServicer):
    """What departments do with each other on one case."""

    def __init__(self, *, cases: Repository[Case]) -> None:
        self._verbs = CaseVerbs(cases)

    async def AddTasks(self, request: Any, context: Any) -> Any:
        """Sends further departments into a case."""
        plans = [translate.plan(message) for message in request.tasks]

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.add_tasks(case, plans=plans, reason=request.reason, by=by, at=at, now=utc_now(), new_id=new_id)

        return await self._verbs.change(pb.AddTasksResponse, request, verb)

    async def ChangeLead(self, request: Any, context: Any) -> Any:
        """Gives the lead to another department."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.change_lead(
                case,
                department=request.department,
                reason=request.reason,
                by=by,
                at=at,
                now=utc_now(),
                new_id=new_id,
            )

        return await self._verbs.change(pb.ChangeLeadResponse, request, verb)

    async def RemoveTask(self, request: Any, context: Any) -> Any:
        """Takes a department out."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.remove_task(case, task_id=request.task_id, reason=request.reason, by=by, at=at, now=utc_now())

        return await self._verbs.change(pb.RemoveTaskResponse, request, verb)

    async def ProposeExemption(self, request: Any, context: Any) -> Any:
        """Proposes to let a department off."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.propose_exemption(
                case, task_id=request.task_id, reason=request.reason, by=by, at=at, now=utc_now()
            )

        return await self._verbs.change(pb.ProposeExemptionResponse, request, verb)

    async def RuleExemption(self, request: Any, context: Any) -> Any:
        """Rules on an exemption."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.rule_exemption(
                case,
                task_id=request.task_id,
                approved=request.approved,
                reason=request.reason,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.RuleExemptionResponse, request, verb)

    async def RequestExtension(self, request: Any, context: Any) -> Any:
        """Asks for more time."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.request_extension(
                case,
                task_id=request.task_id,
                minutes=request.minutes,
                reason=request.reason,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.RequestExtensionResponse, request, verb)

    async def RuleExtension(self, request: Any, context: Any) -> Any:
        """Rules on more time."""

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            return operations.rule_extension(
                case,
                task_id=request.task_id,
                approved=request.approved,
                reason=request.reason,
                by=by,
                at=at,
                now=utc_now(),
            )

        return await self._verbs.change(pb.RuleExtensionResponse, request, verb)

    # --------------------------------------------------------------------------------------------------------- workspace

    async def AddEntry(self, request: Any, context: Any) -> Any:
        """Writes into the workspace; a repeated request returns the entry it wrote."""
        fields, files = to_fields(request), translate.attachments(request.attachments, field="attachments")
        written: list[Entry] = []

        def verb(case: Case, by: Caller, at: datetime) -> Outcome:
            outcome = operations.add_entry(
                case,
                entry_id=new_id(),
                kind=EntryKind(fields["kind"]),
                text=request.text,
                visibility=Visibility(fields["visibility"]),
                attachments=files,
                by=by,
                at=at,
                now=utc_now(),
            )
            written[:] = outcome[0].workspace[-1:]
            return outcome

        case = await self._verbs.changed(request, verb)
        entry = written[0] if written else _repeated(case, request, current_caller())
        return to_message(pb.AddEntryResponse, {"entry": entry})

    async def ListEntries(self, request: Any, context: Any) -> Any:
        """Returns the entries the caller may read."""
        case, caller = await self._verbs.visible(request.case_id), current_caller()
        shown = [_shown(entry, caller) for entry in case.workspace if policies.can_read_entry(case, entry, caller)]
        return to_message(pb.ListEntriesResponse, {"entries": shown})


def _repeated(case: Case, request: Any, by: Actor) -> Entry:
    """The entry an earlier call with this request wrote: the newest of this author with these words."""
    mine = [entry for entry in case.workspace if (entry.by, entry.text) == (by.subject, request.text)]
    return mine[-1]


def _shown(entry: Entry, by: Actor) -> Entry:
    """Numbers of persons were masked before they were kept; those of offices and homes (land lines) are left to who wrote them."""
    return entry if entry.by == by.subject else replace(entry, text=contacts.masked(entry.text))

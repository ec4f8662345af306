"""The rarer ways of a case through two api processes, a worker and the database: drafts, merging, suspension, histories."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from binglian.mediation.v1 import (
    case_flow_service_pb2,
    case_flow_service_pb2_grpc,
    case_pb2,
    case_service_pb2,
    cooperation_service_pb2,
    cooperation_service_pb2_grpc,
    history_service_pb2,
    history_service_pb2_grpc,
    task_service_pb2,
    workspace_pb2,
)
from binglian.type.v1.evidence_pb2 import Attachment
from google.protobuf.timestamp_pb2 import Timestamp

from mediation import history
from mediation.domain import Step
from svckit.errors import FailedPrecondition, NotFound, PermissionDenied, ServiceError
from svckit.ids import new_id
from tests.integration.mediation.stack import GRID_CODE, Person, Stack, task_of

pytestmark = pytest.mark.integration
ROUNDS = 12


@pytest.fixture(scope="module")
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    running = stack.start_worker()
    yield running
    running.terminate()
    running.wait(timeout=20)


@dataclass
class Office:
    """People at both processes, and the ways they go."""

    dispatcher: Person
    deputy: Person
    resident: Person
    neighbour: Person
    worker: Person

    def ways(self, person: Person) -> Any:
        return case_flow_service_pb2_grpc.CaseFlowServiceStub(person.channel)  # type: ignore[call-overload]

    def together(self, person: Person) -> Any:
        return cooperation_service_pb2_grpc.CooperationServiceStub(person.channel)  # type: ignore[call-overload]

    def histories(self, person: Person) -> Any:
        return history_service_pb2_grpc.HistoryServiceStub(person.channel)  # type: ignore[call-overload]


@pytest.fixture
async def office(stack: Stack) -> AsyncIterator[Office]:
    async with (
        Person(stack, subject="dispatcher", role="DISPATCHER") as dispatcher,
        Person(stack, subject="deputy", role="DISPATCHER", at=1) as deputy,
        Person(stack, subject="resident", role="RESIDENT") as resident,
        Person(stack, subject="neighbour", role="RESIDENT", at=1) as neighbour,
        Person(stack, subject="grid", role="GRID_WORKER") as worker,
    ):
        yield Office(dispatcher, deputy, resident, neighbour, worker)


def ask(name: str, **fields: Any) -> Any:
    """A request of one of the services, with a request id where it takes one."""
    for module in (case_flow_service_pb2, cooperation_service_pb2, history_service_pb2):
        if kind := getattr(module, f"{name}Request", None):
            with_id = {"request_id": new_id()} if "request_id" in kind.DESCRIPTOR.fields_by_name else {}
            return kind(**(with_id | fields))
    raise KeyError(name)


async def until(condition: Any, seconds: float = 20) -> None:
    """Waits until an asynchronous condition holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came"
        await asyncio.sleep(0.1)


async def refusal(call: Any, kind: type[ServiceError]) -> str:
    with pytest.raises(kind) as refused:
        await call
    return refused.value.reason


async def test_a_draft_is_seen_by_its_author_until_it_is_reported(office: Office) -> None:
    ways = office.ways(office.worker)
    draft = (await ways.DraftCase(ask("DraftCase", description="路面破损"))).case
    assert draft.state == case_pb2.CASE_STATE_DRAFT
    assert await refusal(office.dispatcher.get(draft.case_id), NotFound) == "CASE_NOT_FOUND"
    assert draft.case_id in {case.case_id for case in (await ways.ListDrafts(ask("ListDrafts"))).cases}
    assert not (await office.ways(office.resident).ListDrafts(ask("ListDrafts"))).cases
    listed = await office.dispatcher.cases.ListCases(case_service_pb2.ListCasesRequest(states=[case_pb2.CASE_STATE_DRAFT]))
    assert draft.case_id not in {case.case_id for case in listed.cases}
    case = (await ways.SubmitCase(ask("SubmitCase", case_id=draft.case_id, category="D0402", area_code=GRID_CODE))).case
    assert (case.state, case.description, case.city) == (case_pb2.CASE_STATE_REPORTED, "路面破损", "4205")
    assert (await office.dispatcher.get(draft.case_id)).number == draft.number
    assert not (await ways.ListDrafts(ask("ListDrafts"))).cases


async def test_a_draft_is_thrown_away(office: Office) -> None:
    ways = office.ways(office.worker)
    draft = (await ways.DraftCase(ask("DraftCase", description="路面破损"))).case
    request = ask("DiscardDraft", case_id=draft.case_id)
    assert await refusal(office.ways(office.resident).DiscardDraft(request), NotFound) == "CASE_NOT_FOUND"
    await ways.DiscardDraft(request)
    await ways.DiscardDraft(request)
    assert await refusal(office.worker.get(draft.case_id), NotFound) == "CASE_NOT_FOUND"
    assert not (await ways.ListDrafts(ask("ListDrafts"))).cases


async def test_more_facts_and_a_refusal_with_its_notice(office: Office) -> None:
    case = await office.resident.report()
    ways = office.ways(office.dispatcher)
    case = (await ways.SendBackCase(ask("SendBackCase", case_id=case.case_id, reason="缺少楼栋号"))).case
    assert case.state == case_pb2.CASE_STATE_RETURNED
    case = (await office.ways(office.resident).ResubmitCase(ask("ResubmitCase", case_id=case.case_id, address="3栋"))).case
    assert (case.state, case.address) == (case_pb2.CASE_STATE_REPORTED, "3栋")
    reject = case_service_pb2.RejectCaseRequest(case_id=case.case_id, request_id=new_id(), reason="重复", notice="已并入他案")
    assert (await office.dispatcher.cases.RejectCase(reject)).case.notice.text == "已并入他案"


async def test_merged_reporters_stay_informed(office: Office, worker: Any) -> None:
    where = {"area_code": "42050200100310077", "description": "学院街3号楼道堆放杂物", "category": "A0204"}
    parent, child = await office.resident.report(**where), await office.neighbour.report(**where)
    ways = office.ways(office.deputy)
    found = (await ways.ListDuplicates(ask("ListDuplicates", case_id=child.case_id))).duplicates
    assert found[0].case.case_id == parent.case_id
    assert found[0].score > 0.7
    merged = (await ways.MergeCase(ask("MergeCase", case_id=child.case_id, into=parent.case_id))).case
    assert (merged.state, merged.merging.number) == (case_pb2.CASE_STATE_MERGED, parent.number)
    await office.dispatcher.dispatch(parent.case_id, "PMC", "FIRE")

    async def told(state: str) -> bool:
        return (await office.neighbour.get(child.case_id)).merging.state == state

    await until(lambda: told("parallel"))
    later = Timestamp()
    later.FromDatetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10))
    await office.ways(office.dispatcher).SuspendCase(ask("SuspendCase", case_id=parent.case_id, reason="待雨停", until=later))
    await until(lambda: told("suspended"))
    shown = (await office.resident.get(parent.case_id)).followers
    assert [(each.case_id, each.subject) for each in shown] == [(child.case_id, "***")]
    apart = (await ways.UnmergeCase(ask("UnmergeCase", case_id=child.case_id, reason="不是同一处"))).case
    assert apart.state == case_pb2.CASE_STATE_REPORTED

    async def left() -> bool:
        return all(each.HasField("left_at") for each in (await office.dispatcher.get(parent.case_id)).followers)

    await until(left)


async def test_a_suspension_ends_by_itself(office: Office, stack: Stack, worker: Any) -> None:
    case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC", "FIRE")
    soon = Timestamp()
    soon.FromDatetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2))
    ways = office.ways(office.dispatcher)
    case = (await ways.SuspendCase(ask("SuspendCase", case_id=case.case_id, reason="待雨停", until=soon))).case
    assert case.state == case_pb2.CASE_STATE_SUSPENDED
    assert all(clock.HasField("paused_at") for task in case.tasks for clock in task.clocks)

    async def goes_on() -> bool:
        return (await office.dispatcher.get(case.case_id)).state == case_pb2.CASE_STATE_PARALLEL

    await until(goes_on)
    after = await office.dispatcher.get(case.case_id)
    assert (after.suspension.resumed_by, after.suspension.resumed_at) == ("system", soon_ms(soon))


def soon_ms(stamp: Timestamp) -> Timestamp:
    """The time as it is stored: whole milliseconds."""
    return Timestamp(seconds=stamp.seconds, nanos=stamp.nanos // 1_000_000 * 1_000_000)


async def test_the_grid_handles_a_case_itself(office: Office) -> None:
    case = await office.worker.report()
    await office.dispatcher.cases.AcceptCase(case_service_pb2.AcceptCaseRequest(case_id=case.case_id, request_id=new_id()))
    ways = office.ways(office.worker)
    await ways.HandleCase(ask("HandleCase", case_id=case.case_id))
    proof = [Attachment(uri="oss://after.jpg")]
    case = (await ways.ReportResult(ask("ReportResult", case_id=case.case_id, result="已清理", evidence=proof))).case
    assert (case.state, list(case.handlers)) == (case_pb2.CASE_STATE_HANDLED, ["grid"])
    check = case_service_pb2.VerifyCaseRequest(case_id=case.case_id, request_id=new_id(), passed=True, photos=proof)
    assert await refusal(office.worker.cases.VerifyCase(check), PermissionDenied) == "VERIFIER_HANDLED_IT"


async def test_the_workspace_shows_everyone_what_is_for_them(office: Office, stack: Stack) -> None:
    case = await office.dispatcher.dispatch((await office.resident.report()).case_id, "PMC", "FIRE")
    async with (
        Person(stack, subject="f", role="DEPT_HANDLER", department="FIRE") as fire,
        Person(stack, subject="p", role="DEPT_LEAD", department="PMC", at=1) as lead,
        Person(stack, subject="e", role="DEPT_LEAD", department="ENV") as stranger,
    ):
        written = ask(
            "AddEntry",
            case_id=case.case_id,
            kind=workspace_pb2.ENTRY_KIND_EVIDENCE,
            text="业主电话13812345678，物业0717-6440001",
            visibility=workspace_pb2.VISIBILITY_DEPARTMENTS,
        )
        entry = (await office.together(fire).AddEntry(written)).entry
        assert (await office.together(fire).AddEntry(written)).entry == entry, "a repeated request writes once"
        shown = (await office.together(lead).ListEntries(ask("ListEntries", case_id=case.case_id))).entries
        assert [each.text for each in shown] == ["业主电话138****5678，物业0717-****0001"]
        own = (await office.together(fire).ListEntries(ask("ListEntries", case_id=case.case_id))).entries
        assert [each.text for each in own] == ["业主电话138****5678，物业0717-6440001"]
        for person in (office.resident, stranger):
            assert not (await office.together(person).ListEntries(ask("ListEntries", case_id=case.case_id))).entries
        written.request_id = new_id()
        assert await refusal(office.together(stranger).AddEntry(written), PermissionDenied) == "NOT_INVOLVED"


# ---------------------------------------------------------------------------------------------------------------- races


async def test_a_department_leaves_while_the_last_other_one_completes(office: Office, stack: Stack, documents: Any) -> None:
    """Whichever comes first, the case is handled once, and what the department still did is not lost."""
    async with Person(stack, subject="p", role="DEPT_LEAD", department="PMC", at=1) as lead:
        for _ in range(ROUNDS):
            case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC", "FIRE")
            await lead.accept(case)
            leave = ask("RemoveTask", case_id=case.case_id, task_id=task_of(case, "FIRE"), reason="无需参与")
            await asyncio.gather(lead.complete(case), office.together(office.dispatcher).RemoveTask(leave))
            stored = documents.find_one({"_id": case.case_id})
            assert stored["state"] == "handled"
            assert [task["state"] for task in stored["tasks"]] == ["done", "removed"]
            assert [step["state"] for step in stored["steps"]].count("handled") == 1


async def test_a_department_comes_while_the_last_one_completes(office: Office, stack: Stack, documents: Any) -> None:
    """One of the two orders: the newcomer is in, and the case waits for it; or the case was handled, and nobody is added."""
    outcomes = set()
    async with Person(stack, subject="p", role="DEPT_LEAD", department="PMC", at=1) as lead:
        for _ in range(ROUNDS):
            case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC")
            await lead.accept(case)
            plan = case_service_pb2.TaskPlan(department="FIRE", role=case_pb2.TASK_ROLE_JOINT)
            come = ask("AddTasks", case_id=case.case_id, tasks=[plan])
            both: list[Any] = await asyncio.gather(
                lead.complete(case), office.together(office.dispatcher).AddTasks(come), return_exceptions=True
            )
            added = both[1]
            stored = documents.find_one({"_id": case.case_id})
            states = [task["state"] for task in stored["tasks"]]
            if isinstance(added, FailedPrecondition):
                assert (added.reason, stored["state"], states) == ("WRONG_STATE", "handled", ["done"])
            else:
                assert (stored["state"], states) == ("parallel", ["done", "assigned"])
            outcomes.add(stored["state"])
    assert outcomes <= {"handled", "parallel"}


async def test_a_department_objects_while_the_lead_changes(office: Office, stack: Stack, documents: Any) -> None:
    async with Person(stack, subject="f", role="DEPT_LEAD", department="FIRE", at=1) as fire:
        for _ in range(ROUNDS // 2):
            case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC", "FIRE")
            target = {"case_id": case.case_id, "task_id": task_of(case, "FIRE"), "reason": "非职责", "request_id": new_id()}
            change = ask("ChangeLead", case_id=case.case_id, department="FIRE", reason="调整")
            await asyncio.gather(
                fire.tasks.ObjectTask(task_service_pb2.ObjectTaskRequest(**target)),
                office.together(office.dispatcher).ChangeLead(change),
                return_exceptions=True,
            )
            tasks = documents.find_one({"_id": case.case_id})["tasks"]
            assert [task["role"] for task in tasks].count("lead") == 1
            lead = next(task for task in tasks if task["role"] == "lead")
            # Changed first: the new lead objects. Objected first: who objects cannot lead.
            assert (lead["department"] == "FIRE") or tasks[1]["state"] == "objected"


# ------------------------------------------------------------------------------------------------------------- histories


async def test_histories_are_archived_read_as_one_and_checked(
    office: Office, stack: Stack, worker: Any, documents: Any
) -> None:
    case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC")
    async with Person(stack, subject="p", role="DEPT_LEAD", department="PMC") as lead:
        await lead.accept(case)
        target = {"case_id": case.case_id, "task_id": task_of(case, "PMC")}
        for n in range(110):
            await lead.complete(case, result=f"第{n}次")
            sent_back = task_service_pb2.ReturnTaskRequest(**target, request_id=new_id(), reason="再来")
            await office.dispatcher.tasks.ReturnTask(sent_back)

    async def archived() -> bool:
        return (await office.dispatcher.get(case.case_id)).history.archived > 0

    await until(archived)
    shown = await office.dispatcher.get(case.case_id)
    assert shown.history.count == 4 + 220
    assert len(shown.steps) == shown.history.count - shown.history.archived < 200
    steps: list[Any] = []
    token = ""
    while token or not steps:
        page = await office.histories(office.deputy).ListSteps(
            ask("ListSteps", case_id=case.case_id, page_size=90, page_token=token)
        )
        steps += page.steps
        token = page.next_page_token
    assert [step.verb for step in steps] == ["report_case", "accept_case", "dispatch", "accept_task"] + [
        "complete_task",
        "return_task",
    ] * 110
    assert steps[-1].digest == shown.history.head
    check = await office.histories(office.dispatcher).GetHistoryCheck(ask("GetHistoryCheck", case_id=case.case_id))
    assert (check.check.whole, check.check.count) == (True, 224)
    assert verify(stack, case.case_id) == (0, "1 histories checked, 0 broken\n")

    # Somebody with the database in hand rewrites what was archived.
    archive = documents.database["case_steps"]
    archive.update_one({"_id": f"{case.case_id}:000000017"}, {"$set": {"step.remark": "x"}})
    code, told = verify(stack, case.case_id)
    assert code == 1
    assert told.startswith(f"{case.case_id} entry 17: this entry was altered")
    check = await office.histories(office.dispatcher).GetHistoryCheck(ask("GetHistoryCheck", case_id=case.case_id))
    assert (check.check.whole, check.check.broken) == (False, 17)
    archive.delete_one({"_id": f"{case.case_id}:000000017"})
    assert verify(stack, case.case_id)[1].startswith(f"{case.case_id} entry 17: ")


async def test_a_chain_made_anew_is_unlike_the_sealed_one(office: Office, stack: Stack, documents: Any, tmp_path: Path) -> None:
    case = await office.dispatcher.dispatch((await office.dispatcher.report()).case_id, "PMC")
    seals = str(tmp_path / "seals")
    assert verify(stack, case.case_id, "--seal", seals)[0] == 0
    assert verify(stack, case.case_id, "--against", seals)[0] == 0
    forged = documents.find_one({"_id": case.case_id})
    previous = case.case_id
    for step in forged["steps"]:
        step["by"] = "somebody else"
        step["digest"] = previous = history.seal(previous, msgspec.convert(step, Step, builtin_types=(dt.datetime,)))
    forged["history"]["head"] = previous
    documents.replace_one({"_id": case.case_id}, forged)
    assert verify(stack, case.case_id)[0] == 0, "by itself it is a whole chain"
    code, told = verify(stack, case.case_id, "--against", seals)
    assert (code, "made anew" in told) == (1, True)
    documents.delete_one({"_id": case.case_id})
    assert "no such case" in verify(stack, "--against", seals)[1]


def verify(stack: Stack, *arguments: str) -> tuple[int, str]:
    """The one command, as a person runs it."""
    command = [sys.executable, "-m", "mediation", "verify-history", *arguments]
    environment = {"BINGLIAN_MONGO_URI": stack.mongo_uri, "BINGLIAN_MONGO_DATABASE": stack.database, "PATH": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_case_that_is_not_there_is_no_whole_history(stack: Stack) -> None:
    code, told = verify(stack, "01930000-0000-7000-8000-00000000dead")
    assert (code, "no such case" in told) == (1, True)

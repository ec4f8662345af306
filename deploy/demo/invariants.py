"""What must hold after a demo, whatever was killed meanwhile. Each check yields sentences that say what is wrong; silence is success."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import grpc
from binglian.assessment.v1 import assessment_service_pb2, ledger_pb2
from binglian.assessment.v1.assessment_service_pb2_grpc import AssessmentServiceStub
from binglian.mediation.v1 import case_pb2

from deploy.client import Session
from deploy.demo.play import Played

SETTLE_SECONDS = 60
"""How long facts may take to reach the assessment after the last case is closed."""


def check_case(played: Played) -> Iterator[str]:
    """The case ended; every branch was done once; it was joined once; nothing ran before what it had to wait for."""
    case, name = played.case, played.case.number or played.case_id
    if case.state != case_pb2.CASE_STATE_CLOSED:
        yield f"{name}: acknowledged but ended as {case_pb2.CaseState.Name(case.state)}"
    if {task.department for task in case.tasks} != {part.department for part in played.story.parts}:
        yield f"{name}: tasks {[task.department for task in case.tasks]} are not those dispatched"
    done = Counter(step.task_id for step in case.steps if step.verb == "complete_task")
    for task in case.tasks:
        if task.state != case_pb2.TASK_STATE_DONE:
            yield f"{name}: task of {task.department} is open in a closed case"
        if done[task.task_id] != 1 + task.returns:
            yield f"{name}: task of {task.department} was completed {done[task.task_id]} times"
    joins = sum(
        before.state != after.state == case_pb2.CASE_STATE_HANDLED
        for before, after in zip(case.steps, case.steps[1:], strict=False)
    )
    if joins != 1:
        yield f"{name}: joined {joins} times"
    yield from _order(case, name)
    if not case.unified_reply:
        yield f"{name}: no unified reply"


def _order(case: case_pb2.Case, name: str) -> Iterator[str]:
    by_id = {task.task_id: task for task in case.tasks}
    for task in case.tasks:
        for earlier in task.after:
            if by_id[earlier].done_at.ToDatetime() > task.accepted_at.ToDatetime():
                yield f"{name}: {task.department} began before {by_id[earlier].department} was done"
    times = [step.at.ToDatetime() for step in case.steps]
    if times != sorted(times):
        yield f"{name}: its steps go back in time"


async def check_ledgers(session: Session, cases: list[Played]) -> AsyncIterator[str]:
    """No fact was lost on the way to the assessment: its record of every case agrees with the case."""
    stub = AssessmentServiceStub(session.channel)
    for played in cases:
        wrong = ["has no ledger"]
        for _ in range(SETTLE_SECONDS * 2):
            ledger = await _ledger(session, stub, played.case_id)
            wrong = list(_differences(played.case, ledger)) if ledger else ["has no ledger"]
            if not wrong:
                break
            await asyncio.sleep(0.5)
        for sentence in wrong:
            yield f"{played.case.number}: assessment {sentence}"


async def _ledger(session: Session, stub: AssessmentServiceStub, case_id: str) -> ledger_pb2.CaseLedger | None:
    try:
        return (await session.call(stub.GetCaseLedger, assessment_service_pb2.GetCaseLedgerRequest(case_id=case_id))).ledger
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def _differences(case: case_pb2.Case, ledger: ledger_pb2.CaseLedger) -> Iterator[str]:
    if ledger.closed_at != case.closed_at:
        yield "does not know it closed"
    if ledger.handled_at != case.handled_at:
        yield "has another time of handling"
    recorded = {task.task_id: task.done_at for task in ledger.tasks}
    for task in case.tasks:
        if recorded.get(task.task_id) != task.done_at:
            yield f"does not know when {task.department} was done"

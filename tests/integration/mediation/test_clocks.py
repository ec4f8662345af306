"""Clocks explain themselves over gRPC: in both languages, to those who may see the case, after a change as well."""

from __future__ import annotations

import pytest
from binglian.mediation.v1 import case_pb2, clock_service_pb2
from binglian.mediation.v1.clock_service_pb2_grpc import ClockServiceStub

from svckit.errors import InvalidArgument, NotFound
from tests.integration.mediation.stack import Person, Stack, task_of

pytestmark = pytest.mark.integration


async def explained(person: Person, case_id: str) -> list[clock_service_pb2.ClockExplanation]:
    request = clock_service_pb2.ExplainClocksRequest(case_id=case_id)
    return list((await ClockServiceStub(person.channel).ExplainClocks(request)).clocks)  # type: ignore[arg-type]


async def test_every_clock_of_a_case_explains_itself(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="p", role="DEPT_LEAD", department="PMC") as lead,
    ):
        case = await dispatcher.dispatch((await dispatcher.report()).case_id, "PMC", "FIRE")
        found = await explained(dispatcher, case.case_id)
        assert [(each.department, each.clock.kind) for each in found] == [
            (department, kind) for department in ("", "PMC", "FIRE") for kind in (1, 2, 3)
        ]
        for each in found:
            assert each.zh.count("到期") == 1
            assert each.en.startswith("due ")
            assert each.basis
            assert each.changes[0].zh.startswith("开始计时：")
            assert len(each.days) >= 1
            assert all(len(day.day) == 10 and day.zh and day.en for day in each.days)
        resolve = found[5]
        assert (resolve.task_id, resolve.clock.calendar) == (task_of(case, "PMC"), case_pb2.CALENDAR_WORK)
        assert "5 working days from" in resolve.en
        assert resolve.clock.whole_days
        assert round(sum(day.minutes for day in resolve.days)) >= 5 * 450
        await lead.accept(case)
        accept = (await explained(lead, case.case_id))[3]
        assert [line.en for line in accept.changes][-1] == "met in time"
        assert accept.clock.light == case_pb2.LIGHT_GREEN


async def test_who_may_not_see_the_case_learns_nothing_of_its_clocks(stack: Stack) -> None:
    async with (
        Person(stack, subject="d", role="DISPATCHER") as dispatcher,
        Person(stack, subject="elsewhere", role="DISPATCHER", area="4206") as stranger,
        Person(stack, subject="nobody", role="RESIDENT") as resident,
    ):
        case = await dispatcher.report()
        for person in (stranger, resident):
            with pytest.raises(NotFound) as refusal:
                await explained(person, case.case_id)
            assert refusal.value.reason == "CASE_NOT_FOUND"
        with pytest.raises(InvalidArgument) as wrong:
            await explained(dispatcher, "no-uuid")
        assert wrong.value.field == "case_id"

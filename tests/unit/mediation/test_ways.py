"""The rarer ways of a case: the grid's own work, suspension, other routes, rating and one new beginning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from mediation import calendar, operations
from mediation.domain import Case, CaseState, ClockKind, JoinPolicy, LegalRoute, ServiceActor, Severity, TaskState
from svckit.access import Caller

from .builders import (
    CHECKER,
    DISPATCHER,
    IMPORTER,
    RESIDENT,
    START,
    WORKER,
    accepted,
    after_start,
    department,
    dispatched,
    done,
    ids,
    names,
    photo,
    plans,
    refused,
    reported,
    task_of,
    verified,
    when,
)

CENTRE = Caller("centre-1", roles=frozenset({"STREET_CENTER"}), area="420502001")
MEDIATOR = Caller("mediator-1", roles=frozenset({"GRID_MEDIATOR"}), area="420502001003")


def taken_in(**fields: Any) -> Case:
    """An accepted case."""
    return operations.accept_case(reported(**fields), by=DISPATCHER, **when())[0]


def self_handled() -> Case:
    return operations.handle_case(taken_in(), by=WORKER, **when())[0]


def clock(case: Case, kind: ClockKind) -> Any:
    return next(clock for clock in case.clocks if clock.kind is kind)


class TestRejecting:
    def test_the_reporter_is_told(self) -> None:
        case = operations.reject_case(reported(), reason="不属受理范围", notice="请向住建局反映", by=DISPATCHER, **when())[0]
        assert case.notice is not None
        assert case.notice.text == "请向住建局反映"
        assert operations.reject_case(reported(), reason="重复", by=DISPATCHER, **when())[0].notice.text == "重复"  # type: ignore[union-attr]

    def test_guards(self) -> None:
        assert refused("REASON_REQUIRED", operations.reject_case, reported(), reason="", by=DISPATCHER, **when()) == "reason"
        refused("ROLE_REQUIRED", operations.reject_case, reported(), reason="x", by=WORKER, **when())
        refused("WRONG_STATE", operations.reject_case, taken_in(), reason="x", by=DISPATCHER, **when())


class TestWithdrawing:
    def test_by_the_reporter_and_nothing_runs_on(self) -> None:
        case, facts = operations.withdraw_case(taken_in(by=RESIDENT), reason="已自行解决", by=RESIDENT, **when(hours=1))
        assert (case.state, names(facts)) == (CaseState.WITHDRAWN, ["CaseWithdrawn"])
        assert case.next_light_at is None

    def test_guards(self) -> None:
        refused("NOT_REPORTER", operations.withdraw_case, taken_in(), reason="x", by=RESIDENT, **when())
        refused("ROLE_REQUIRED", operations.withdraw_case, taken_in(), reason="x", by=WORKER, **when())
        refused("WRONG_STATE", operations.withdraw_case, dispatched("PMC", by=RESIDENT), reason="x", by=RESIDENT, **when())


class TestTheGrid:
    def test_handles_a_case_without_departments(self) -> None:
        case = self_handled()
        assert case.state is CaseState.SELF_HANDLED
        case, facts = operations.report_result(case, result="已清理", evidence=(photo(),), by=WORKER, **when(hours=2))
        assert (case.state, names(facts)) == (CaseState.HANDLED, ["CaseHandled"])
        assert all(each.met_at for each in case.clocks)
        assert verified(case, after_start(hours=3)).state is CaseState.VERIFIED

    def test_who_handled_may_neither_check_nor_close(self) -> None:
        case = operations.report_result(self_handled(), result="x", evidence=(photo(),), by=WORKER, **when())[0]
        refused("VERIFIER_HANDLED_IT", operations.verify_case, case, passed=True, photos=(photo(),), by=WORKER, **when())
        both = Caller("worker-1", roles=frozenset({"GRID_SUPERVISOR"}), area="420502")
        refused("VERIFIER_HANDLED_IT", operations.close_case, verified(case), by=both, **when())
        assert operations.close_case(verified(case), by=DISPATCHER, **when())[0].state is CaseState.CLOSED

    def test_a_failed_check_lets_the_grid_do_it_again(self) -> None:
        case = operations.report_result(self_handled(), result="x", evidence=(photo(),), by=WORKER, **when())[0]
        case = operations.verify_case(case, passed=False, text="未清完", by=CHECKER, **when(hours=1))[0]
        assert case.state is CaseState.REWORK
        case = operations.report_result(case, result="清完", evidence=(photo(),), by=MEDIATOR, **when(hours=2))[0]
        assert case.state is CaseState.HANDLED
        assert set(case.handlers) == {"worker-1", "mediator-1"}

    def test_guards(self) -> None:
        case = self_handled()
        refused("RESULT_REQUIRED", operations.report_result, case, result="", evidence=(photo(),), by=WORKER, **when())
        refused("PHOTO_REQUIRED", operations.report_result, case, result="x", by=WORKER, **when())
        assert operations.report_result(case, result="x", by=IMPORTER, **when())[0].state is CaseState.HANDLED
        refused("ROLE_REQUIRED", operations.handle_case, taken_in(), by=DISPATCHER, **when())
        refused("WRONG_STATE", operations.handle_case, reported(), by=WORKER, **when())
        refused("WRONG_STATE", operations.report_result, taken_in(), result="x", evidence=(photo(),), by=WORKER, **when())

    def test_taken_back_it_can_be_dispatched(self) -> None:
        case, facts = operations.recall_case(self_handled(), reason="需部门", by=DISPATCHER, **when())
        assert (case.state, case.self_handling, names(facts)) == (CaseState.ACCEPTED, None, ["CaseRecalled"])
        case = operations.dispatch(case, plans=plans("PMC", "FIRE"), by=DISPATCHER, new_id=ids(), **when())[0]
        assert case.state is CaseState.PARALLEL


class TestRecalling:
    def test_the_one_task_is_taken_out_and_another_department_gets_it(self) -> None:
        case, facts = operations.recall_case(dispatched("PMC"), reason="派错", by=DISPATCHER, **when(hours=1))
        assert names(facts) == ["CaseRecalled", "TaskRemoved"]
        assert [task.state for task in case.tasks] == [TaskState.REMOVED]
        new_id = ids()
        again, said = operations.dispatch(
            case, plans=plans("FIRE"), by=DISPATCHER, new_id=lambda: new_id().replace("8000", "9000"), **when(hours=2)
        )
        assert [(task.department, task.state) for task in again.tasks] == [("FIRE", "assigned"), ("PMC", "removed")]
        assert [task.department for task in said[0].tasks] == ["FIRE"]  # type: ignore[attr-defined]
        assert done(again, "FIRE", at=after_start(hours=3)).state is CaseState.HANDLED

    def test_guards(self) -> None:
        refused("REASON_REQUIRED", operations.recall_case, dispatched("PMC"), reason="", by=DISPATCHER, **when())
        refused("ROLE_REQUIRED", operations.recall_case, dispatched("PMC"), reason="x", by=CENTRE, **when())
        refused("WRONG_STATE", operations.recall_case, dispatched("PMC", "FIRE"), reason="x", by=DISPATCHER, **when())


class TestSuspending:
    def suspended(self, *, statutory: bool = False) -> Case:
        case = dispatched("PMC", "FIRE", category="A2103" if statutory else "A0204", severity=None)
        case = accepted(case, "PMC")
        return operations.suspend_case(case, reason="待雨停", until=after_start(hours=20), by=DISPATCHER, **when(hours=1))[0]

    def test_work_clocks_stand_still_and_run_on(self) -> None:
        case = self.suspended()
        assert case.state is CaseState.SUSPENDED
        assert case.next_light_at is None
        assert operations.turn_lights(case, now=after_start(days=90)) == (case, ())
        due = task_of(case, "FIRE").due_at
        back, facts = operations.resume_case(case, by=DISPATCHER, **when(hours=3))
        assert names(facts) == ["CaseResumed"]
        assert back.state is CaseState.PARALLEL
        assert task_of(back, "FIRE").due_at > due  # type: ignore[operator]
        assert back.suspension is not None
        assert back.suspension.resumed_by == "dispatcher-1"

    def test_statutory_clocks_never_stop(self) -> None:
        case = dispatched("PMC", "FIRE", severity=Severity.S1)  # every hour of an emergency counts
        case = operations.suspend_case(
            accepted(case, "PMC"), reason="x", until=after_start(hours=1), by=DISPATCHER, **when(minutes=1)
        )[0]
        before = [each.due_at for task in case.tasks for each in task.clocks]
        assert case.next_light_at is not None
        assert operations.turn_lights(case, now=after_start(days=30))[1]
        back = operations.resume_case(case, by=DISPATCHER, **when(minutes=50))[0]
        assert [each.due_at for task in back.tasks for each in task.clocks] == before

    def test_it_ends_by_itself_when_its_time_is_over_and_counts_no_longer(self) -> None:
        case = self.suspended()
        assert operations.end_suspension(case, now=after_start(hours=19)) == (case, ())
        late, facts = operations.end_suspension(case, now=after_start(days=40))
        assert names(facts) == ["CaseResumed"]
        assert late.suspension is not None
        assert (late.suspension.resumed_at, late.suspension.resumed_by) == (after_start(hours=20), "system")
        assert operations.end_suspension(late, now=after_start(days=41)) == (late, ())

    def test_whoever_goes_on_with_the_work_ends_it(self) -> None:
        case, facts = operations.complete_task(
            self.suspended(),
            task_id=task_of(self.suspended(), "PMC").task_id,
            result="x",
            unified_reply="y",
            parties_informed="电话",
            by=department("PMC"),
            **when(hours=2),
        )
        assert names(facts) == ["CaseResumed", "TaskCompleted"]
        assert case.state is CaseState.PARALLEL
        fire = ServiceActor(subject="svc", department="FIRE")
        case, facts = operations.finish_task(case, task_id=task_of(case, "FIRE").task_id, result="x", by=fire, **when(hours=3))
        assert case.state is CaseState.HANDLED

    def test_a_stranger_wakes_nothing(self) -> None:
        case = self.suspended()
        more: dict[str, Any]
        for verb, more in (("accept_task", {}), ("object_task", {"reason": "x"}), ("report_progress", {"text": "x"})):
            refused(
                "OTHER_DEPARTMENT",
                getattr(operations, verb),
                case,
                task_id=task_of(case, "FIRE").task_id,
                by=department("UMD"),
                **more,
                **when(hours=2),
            )

    def test_guards(self) -> None:
        case = accepted(dispatched("PMC", "FIRE"), "PMC")
        until = after_start(hours=20)
        refused("REASON_REQUIRED", operations.suspend_case, case, reason="", until=until, by=DISPATCHER, **when())
        refused("ROLE_REQUIRED", operations.suspend_case, case, reason="x", until=until, by=CENTRE, **when())
        assert refused("UNTIL_PAST", operations.suspend_case, case, reason="x", until=START, by=DISPATCHER, **when()) == "until"
        far = after_start(days=400)
        refused("SUSPENSION_TOO_LONG", operations.suspend_case, case, reason="x", until=far, by=DISPATCHER, **when())
        refused("WRONG_STATE", operations.suspend_case, taken_in(), reason="x", until=until, by=DISPATCHER, **when())
        refused("WRONG_STATE", operations.resume_case, case, by=DISPATCHER, **when())
        refused("ROLE_REQUIRED", operations.resume_case, self.suspended(), by=CENTRE, **when(hours=2))
        again = operations.resume_case(self.suspended(), by=DISPATCHER, **when(hours=2))[0]
        refused("SUSPENSION_USED", operations.suspend_case, again, reason="x", until=until, by=DISPATCHER, **when(hours=3))

    def test_at_most_half_of_the_limit(self) -> None:
        case = accepted(dispatched("PMC", "FIRE"), "PMC")
        limit = clock(case, ClockKind.RESOLVE)
        last = calendar.add_minutes(START, limit.limit_minutes * 0.5, calendar=limit.calendar)
        assert operations.suspend_case(case, reason="x", until=last, by=DISPATCHER, **when())[0].state is CaseState.SUSPENDED
        more = last + timedelta(minutes=1)
        refused("SUSPENSION_TOO_LONG", operations.suspend_case, case, reason="x", until=more, by=DISPATCHER, **when())


class TestTransferring:
    NOTICE: ClassVar[dict[str, Any]] = {
        "route": LegalRoute.COURT,
        "authority": "西陵区人民法院",
        "notice": "调解不成,告知诉讼权利",
        "remedies": ["民事诉讼"],
        "reason": "一方拒绝调解",
    }

    def test_with_the_written_notice_and_open_tasks_taken_out(self) -> None:
        case = accepted(dispatched("PMC", "FIRE"), "PMC")
        case, facts = operations.transfer_case(case, **self.NOTICE, by=department("PMC", lead=True), **when(hours=1))
        assert names(facts) == ["CaseTransferred", "TaskRemoved", "TaskRemoved"]
        assert (case.state, case.next_light_at) == (CaseState.TRANSFERRED, None)
        assert case.notice is not None
        assert case.notice.remedies == ("民事诉讼",)
        late = ServiceActor(subject="svc", department="FIRE")
        fire = next(task for task in case.tasks if task.department == "FIRE")
        assert operations.finish_task(case, task_id=fire.task_id, result="x", by=late, **when(hours=2)) == (case, ())

    def test_guards(self) -> None:
        case = accepted(dispatched("PMC"), "PMC")
        lead = department("PMC", lead=True)
        for fields, reason, field in (
            ({"notice": ""}, "NOTICE_REQUIRED", "notice"),
            ({"authority": " "}, "NOTICE_REQUIRED", "authority"),
            ({"remedies": []}, "REMEDIES_REQUIRED", "remedies"),
            ({"reason": ""}, "REASON_REQUIRED", "reason"),
        ):
            assert refused(reason, operations.transfer_case, case, **(self.NOTICE | fields), by=lead, **when()) == field
        refused("OTHER_DEPARTMENT", operations.transfer_case, case, **self.NOTICE, by=department("FIRE", lead=True), **when())
        refused("ROLE_REQUIRED", operations.transfer_case, case, **self.NOTICE, by=department("PMC"), **when())
        refused("WRONG_STATE", operations.transfer_case, taken_in(), **self.NOTICE, by=lead, **when())
        assert operations.transfer_case(case, **self.NOTICE, by=MEDIATOR, **when())[0].state is CaseState.TRANSFERRED


def closed(rating: int = 0) -> Case:
    case = verified(done(dispatched("PMC", "FIRE", by=RESIDENT), "PMC", "FIRE"))
    case = operations.close_case(case, by=DISPATCHER, **when())[0]
    return operations.evaluate_case(case, rating=rating, comment="一般", by=RESIDENT, **when(hours=1))[0] if rating else case


class TestEvaluating:
    def test_by_the_reporter(self) -> None:
        case, facts = operations.evaluate_case(closed(), rating=5, by=RESIDENT, **when(hours=1))
        assert (case.state, names(facts)) == (CaseState.EVALUATED, ["CaseEvaluated"])

    def test_by_the_system_after_seven_days(self) -> None:
        case = closed()
        refused("EVALUATION_OPEN", operations.lapse_evaluation, case, now=after_start(days=7, seconds=-1))
        assert operations.end_by_itself(case, now=after_start(days=7, seconds=-1)) == (case, ())
        assert case.ends_by_itself_at is not None
        case, _ = operations.end_by_itself(case, now=case.ends_by_itself_at)
        assert case.evaluation is not None
        assert (case.state, case.evaluation.rating, case.evaluation.by) == (CaseState.EVALUATED, 0, "system")
        assert operations.lapse_evaluation(case, now=after_start(days=8)) == (case, ())

    def test_a_closing_that_is_imported_late_leaves_the_reporter_the_whole_time(self) -> None:
        case = verified(done(dispatched("PMC", "FIRE", by=RESIDENT), "PMC", "FIRE"))
        case = operations.close_case(case, by=DISPATCHER, at=START, now=after_start(days=40))[0]
        assert case.ends_by_itself_at == after_start(days=47)
        later = operations.evaluate_case(case, rating=4, by=RESIDENT, **when(days=41))[0]
        assert later.ends_by_itself_at is None

    def test_guards(self) -> None:
        assert refused("RATING_RANGE", operations.evaluate_case, closed(), rating=6, by=RESIDENT, **when()) == "rating"
        refused("RATING_RANGE", operations.evaluate_case, closed(), rating=0, by=RESIDENT, **when())
        stranger = Caller("r2", roles=RESIDENT.roles, area=RESIDENT.area)
        refused("NOT_REPORTER", operations.evaluate_case, closed(), rating=3, by=stranger, **when())
        refused("ROLE_REQUIRED", operations.evaluate_case, closed(), rating=3, by=WORKER, **when())
        refused("WRONG_STATE", operations.evaluate_case, closed(3), rating=3, by=RESIDENT, **when())


class TestReopening:
    def test_once_with_new_tasks_beside_the_old(self) -> None:
        first = closed(1)
        case, facts = operations.reopen_case(first, reason="确未清理", by=DISPATCHER, **when(days=2))
        assert (case.state, names(facts)) == (CaseState.ACCEPTED, ["CaseReopened"])
        assert (case.tasks, len(case.earlier_tasks), case.closed_at) == ((), 2, None)
        assert clock(case, ClockKind.RESOLVE).started_at == after_start(days=2)
        svc = ServiceActor(subject="svc", department="FIRE")
        old = first.tasks[1].task_id
        assert operations.finish_task(case, task_id=old, result="again", by=svc, **when(days=2)) == (case, ())
        new_id = ids()
        case = operations.dispatch(
            case, plans=plans("PMC", "FIRE"), by=DISPATCHER, new_id=lambda: new_id().replace("8000", "9000"), **when(days=2)
        )[0]
        case = done(case, "PMC", "FIRE", at=after_start(days=3))
        case = operations.close_case(verified(case, after_start(days=3)), by=DISPATCHER, **when(days=3))[0]
        case = operations.evaluate_case(case, rating=1, by=RESIDENT, **when(days=3))[0]
        refused("REOPENED_BEFORE", operations.reopen_case, case, reason="x", by=DISPATCHER, **when(days=4))

    def test_guards(self) -> None:
        refused("NOT_DISSATISFIED", operations.reopen_case, closed(3), reason="x", by=DISPATCHER, **when(days=1))
        silent = operations.lapse_evaluation(closed(), now=after_start(days=8))[0]
        refused("NOT_DISSATISFIED", operations.reopen_case, silent, reason="x", by=DISPATCHER, **when(days=9))
        refused("REASON_REQUIRED", operations.reopen_case, closed(1), reason="", by=DISPATCHER, **when(days=1))
        refused("ROLE_REQUIRED", operations.reopen_case, closed(1), reason="x", by=CENTRE, **when(days=1))
        refused("WRONG_STATE", operations.reopen_case, closed(), reason="x", by=DISPATCHER, **when(days=1))


@pytest.mark.parametrize("policy", list(JoinPolicy))
def test_rework_of_one_task_only(policy: JoinPolicy) -> None:
    case = done(dispatched("PMC", "FIRE", "UMD", join_policy=policy), "FIRE", "UMD", "PMC")
    failed = [task_of(case, "FIRE").task_id]
    case = operations.verify_case(case, passed=False, text="x", failed_task_ids=failed, by=CHECKER, **when(hours=1))[0]
    assert {task.department: task.state.value for task in case.tasks} == {"PMC": "done", "FIRE": "returned", "UMD": "done"}


def test_clocks_of_machines_that_differ_by_two_seconds_harm_nothing() -> None:
    """One machine is 2 s behind the other: what it records comes after what was recorded before, and nothing is lost."""
    case = dispatched("PMC", "FIRE", at=after_start(seconds=2))
    behind = accepted(case, "PMC", START)
    assert behind.steps[-1].at == after_start(seconds=2)
    assert behind.changed_at > case.changed_at
    assert task_of(behind, "PMC").accepted_at == after_start(seconds=2)
    assert replace(behind, steps=()).state is CaseState.PARALLEL

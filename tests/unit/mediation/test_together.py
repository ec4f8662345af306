"""Departments that come, go, are let off, get more time or take the lead midway, and the workspace they share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediation import calendar, contacts, operations, policies
from mediation.domain import (
    Case,
    CaseState,
    ClockKind,
    EntryKind,
    JoinPolicy,
    Severity,
    TaskPlan,
    TaskRole,
    TaskState,
    Visibility,
)
from svckit.access import Caller

from .builders import (
    DISPATCHER,
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
    refused,
    reported,
    task_of,
    when,
)

LEAD = department("PMC", lead=True)
CENTRE = Caller("centre-1", roles=frozenset({"STREET_CENTER"}), area="420502001")


def joint(code: str, *after: str, key: str = "") -> TaskPlan:
    return TaskPlan(department=code, role=TaskRole.JOINT, key=key, after=after)


def fresh_ids() -> Any:
    new_id = ids()
    return lambda: new_id().replace("8000", "9000")


def added(case: Case, *new: TaskPlan, **fields: Any) -> Any:
    given_fields: dict[str, Any] = {"by": DISPATCHER, "new_id": fresh_ids(), **when(hours=1)} | fields
    return operations.add_tasks(case, plans=new, **given_fields)


def resolve(case: Case, code: str) -> Any:
    return next(clock for clock in task_of(case, code).clocks if clock.kind is ClockKind.RESOLVE)


class TestAdding:
    def test_a_case_of_one_department_becomes_parallel(self) -> None:
        case, facts = added(accepted(dispatched("PMC"), "PMC"), joint("FIRE"))
        assert (case.state, names(facts)) == (CaseState.PARALLEL, ["TaskAssigned"])
        assert task_of(case, "FIRE").assigned_at == after_start(hours=1)
        assert done(case, "PMC", at=after_start(hours=2)).state is CaseState.PARALLEL
        assert done(case, "PMC", "FIRE", at=after_start(hours=2)).state is CaseState.HANDLED

    def test_newcomers_may_wait_for_each_other_and_for_those_at_work(self) -> None:
        case = dispatched("PMC", "UMD")
        case, facts = added(case, joint("FIRE", "UMD"), joint("PROP", "f"), joint("ENV", case.tasks[0].task_id, key="f"))
        assert facts == ()
        assert {task.department: task.state.value for task in case.tasks[2:]} == {
            "FIRE": "waiting",
            "PROP": "waiting",
            "ENV": "waiting",
        }
        case = done(case, "UMD", at=after_start(hours=2))
        assert task_of(case, "FIRE").state is TaskState.ASSIGNED
        case = done(case, "PMC", at=after_start(hours=3))
        assert task_of(case, "ENV").state is TaskState.ASSIGNED

    def test_who_waits_for_what_is_done_starts_at_once(self) -> None:
        case = done(dispatched("PMC", "UMD"), "UMD")
        case, facts = added(case, joint("FIRE", "UMD"))
        assert names(facts) == ["TaskAssigned"]
        assert task_of(case, "FIRE").after == (task_of(case, "UMD").task_id,)

    @pytest.mark.parametrize(
        ("reason", "field", "new"),
        [
            ("TASKS_REQUIRED", "tasks", []),
            ("LEAD_COUNT", "tasks[0].role", [TaskPlan(department="FIRE", role=TaskRole.LEAD)]),
            ("UNKNOWN_DEPARTMENT", "tasks[0].department", [joint("NOPE")]),
            ("DUPLICATE_DEPARTMENT", "tasks[0].department", [joint("UMD")]),
            ("DUPLICATE_DEPARTMENT", "tasks[1].department", [joint("FIRE"), joint("FIRE", key="x")]),
            ("DUPLICATE_KEY", "tasks[1].key", [joint("FIRE", key="x"), joint("ENV", key="x")]),
            ("UNKNOWN_KEY", "tasks[0].after[0]", [joint("FIRE", "ENV")]),
            ("CYCLE", "tasks[0].after", [joint("FIRE", "FIRE")]),
            ("CYCLE", "tasks[0].after", [joint("FIRE", "ENV"), joint("ENV", "PROP"), joint("PROP", "FIRE")]),
        ],
    )
    def test_guards_name_the_field(self, reason: str, field: str, new: list[TaskPlan]) -> None:
        assert refused(reason, added, dispatched("PMC", "UMD"), *new) == field

    def test_who_may_and_when(self) -> None:
        case = dispatched("PMC", "UMD")
        refused("ROLE_REQUIRED", added, case, joint("FIRE"), by=LEAD)
        refused("WRONG_STATE", added, done(case, "UMD", "PMC"), joint("FIRE"))
        many = [joint("FIRE", key=str(n)) for n in range(99)]
        refused("TOO_MANY_TASKS", added, case, *many)

    def test_who_was_let_off_does_not_come_back(self) -> None:
        case = dispatched("PMC", "UMD", "FIRE")
        case = operations.remove_task(case, task_id=task_of(case, "UMD").task_id, reason="x", by=DISPATCHER, **when())[0]
        refused("DUPLICATE_DEPARTMENT", added, case, joint("UMD"))


class TestRemoving:
    def remove(self, case: Case, code: str, **fields: Any) -> Any:
        task = next(task for task in case.tasks if task.department == code)
        return operations.remove_task(
            case, **({"task_id": task.task_id, "reason": "无需参与", "by": DISPATCHER, **when(hours=1)} | fields)
        )

    def test_the_last_needed_task_done_handles_the_case(self) -> None:
        case = done(dispatched("PMC", "FIRE", "UMD"), "PMC", "UMD")
        case, facts = self.remove(case, "FIRE")
        assert (case.state, names(facts)) == (CaseState.HANDLED, ["TaskRemoved", "CaseHandled"])

    def test_who_waited_for_it_starts(self) -> None:
        case, facts = self.remove(dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]}), "FIRE")
        assert names(facts) == ["TaskRemoved", "TaskAssigned"]
        assert task_of(case, "UMD").state is TaskState.ASSIGNED

    def test_a_waiting_one_can_go_too(self) -> None:
        case, _ = self.remove(dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]}), "UMD")
        assert [task.state.value for task in case.tasks] == ["assigned", "assigned", "removed"]

    def test_during_rework_what_is_left_may_suffice(self) -> None:
        case = done(dispatched("PMC", "FIRE"), "PMC", "FIRE")
        case = operations.return_task(case, task_id=task_of(case, "FIRE").task_id, reason="x", by=DISPATCHER, **when())[0]
        case, _ = self.remove(case, "FIRE")
        assert case.state is CaseState.HANDLED

    def test_guards(self) -> None:
        case = dispatched("PMC", "FIRE")
        refused("LEAD_NEEDED", self.remove, case, "PMC")
        refused("ROLE_REQUIRED", self.remove, case, "FIRE", by=LEAD)
        assert refused("REASON_REQUIRED", self.remove, case, "FIRE", reason=" ") == "reason"
        refused("WRONG_STATE", self.remove, done(case, "FIRE"), "FIRE")
        refused("TASK_NOT_FOUND", self.remove, case, "FIRE", task_id="nope")


class TestExempting:
    def proposed(self, case: Case | None = None, code: str = "FIRE", **fields: Any) -> Case:
        case = case or dispatched("PMC", "FIRE", "UMD")
        given_fields: dict[str, Any] = {
            "task_id": task_of(case, code).task_id,
            "reason": "与其职责无关",
            "by": LEAD,
            **when(hours=1),
        }
        return operations.propose_exemption(case, **(given_fields | fields))[0]

    def rule(self, case: Case, *, approved: bool, **fields: Any) -> Any:
        fire = next(task for task in case.tasks if task.department == "FIRE")
        given_fields: dict[str, Any] = {
            "task_id": fire.task_id,
            "approved": approved,
            "reason": "同意",
            "by": DISPATCHER,
            **when(hours=2),
        }
        return operations.rule_exemption(case, **(given_fields | fields))

    def test_approved_the_department_is_out(self) -> None:
        case, facts = self.rule(self.proposed(), approved=True)
        assert names(facts) == ["ExemptionRuled", "TaskRemoved"]
        fire = next(task for task in case.tasks if task.department == "FIRE")
        assert (fire.state, fire.exemption.approved, fire.exemption.ruled_by) == ("removed", True, "dispatcher-1")
        assert done(case, "PMC", "UMD", at=after_start(hours=3)).state is CaseState.HANDLED

    def test_approved_last_it_handles_the_case(self) -> None:
        case = self.proposed(done(dispatched("PMC", "FIRE"), "PMC"))
        case, facts = self.rule(case, approved=True)
        assert (case.state, names(facts)) == (CaseState.HANDLED, ["ExemptionRuled", "TaskRemoved", "CaseHandled"])

    def test_refused_the_task_stands(self) -> None:
        case, _ = self.rule(self.proposed(), approved=False)
        assert task_of(case, "FIRE").state is TaskState.ASSIGNED
        refused("EXEMPTION_USED", self.proposed, case)
        refused("NO_EXEMPTION", self.rule, case, approved=True)

    def test_guards(self) -> None:
        case = dispatched("PMC", "FIRE", "UMD")
        refused("OTHER_DEPARTMENT", self.proposed, case, by=department("UMD"))
        refused("LEAD_NEEDED", self.proposed, case, "PMC")
        refused("REASON_REQUIRED", self.proposed, case, reason="")
        refused("WRONG_STATE", self.proposed, done(case, "FIRE"))
        refused("NO_EXEMPTION", self.rule, case, approved=True)
        refused("ROLE_REQUIRED", self.rule, self.proposed(), approved=True, by=CENTRE)
        judge = Caller("pmc-1", roles=frozenset({"DISPATCHER"}), area="420502")
        refused("OWN_REQUEST", self.rule, self.proposed(), approved=True, by=judge)
        handled = done(dispatched("PMC", "FIRE", join_policy=JoinPolicy.LEAD_ONLY), "PMC")
        closed = operations.close_case(
            operations.verify_case(
                handled,
                passed=True,
                photos=(photo(),),
                by=Caller("c", roles=frozenset({"GRID_SUPERVISOR"}), area="420502"),
                **when(),
            )[0],
            by=DISPATCHER,
            **when(),
        )[0]
        refused(
            "WRONG_STATE", operations.propose_exemption, closed, task_id=closed.tasks[1].task_id, reason="x", by=LEAD, **when()
        )


class TestExtending:
    def asked(self, case: Case | None = None, code: str = "FIRE", **fields: Any) -> Case:
        case = case or dispatched("PMC", "FIRE")
        given_fields: dict[str, Any] = {
            "task_id": task_of(case, code).task_id,
            "minutes": 300,
            "reason": "待检测报告",
            "by": department(code),
        }
        return operations.request_extension(case, **(given_fields | when(hours=1) | fields))[0]

    def rule(self, case: Case, code: str = "FIRE", **fields: Any) -> Any:
        given_fields: dict[str, Any] = {
            "task_id": task_of(case, code).task_id,
            "approved": True,
            "reason": "同意",
            "by": DISPATCHER,
        }
        return operations.rule_extension(case, **(given_fields | when(hours=2) | fields))

    def test_granted_the_limit_moves_by_so_much(self) -> None:
        case = dispatched("PMC", "FIRE")
        before = resolve(case, "FIRE")
        after, facts = self.rule(self.asked(case))
        clock = resolve(after, "FIRE")
        assert names(facts) == ["ExtensionRuled"]
        assert clock.limit_minutes == before.limit_minutes + 300
        assert calendar.minutes_between(before.due_at, clock.due_at, calendar=clock.calendar) == 300
        assert facts[0].due_at == clock.due_at == task_of(after, "FIRE").due_at
        assert after.clocks == case.clocks

    def test_granted_to_the_lead_the_case_has_more_time_too(self) -> None:
        case = dispatched("PMC", "FIRE")
        after, _ = self.rule(self.asked(case, "PMC"), "PMC")
        of_case = {clock.kind: clock for clock in after.clocks}[ClockKind.RESOLVE]
        assert of_case.due_at == resolve(after, "PMC").due_at

    def test_refused_nothing_moves(self) -> None:
        case = self.asked()
        after, facts = self.rule(case, approved=False)
        assert task_of(after, "FIRE").clocks == task_of(case, "FIRE").clocks
        assert facts[0].approved is False
        refused("EXTENSION_USED", self.asked, after, **when(hours=3))

    def test_guards(self) -> None:
        case = dispatched("PMC", "FIRE")
        half = resolve(case, "FIRE").limit_minutes // 2
        assert refused("EXTENSION_TOO_LONG", self.asked, case, minutes=half + 1) == "minutes"
        assert self.asked(case, minutes=half)
        refused("EXTENSION_TOO_LONG", self.asked, case, minutes=0)
        refused("REASON_REQUIRED", self.asked, case, reason="")
        refused("OTHER_DEPARTMENT", self.asked, case, by=department("UMD"))
        late = resolve(case, "FIRE").due_at
        refused("EXTENSION_LATE", self.asked, case, at=late, now=late)
        refused("WRONG_STATE", self.asked, done(case, "FIRE"))
        refused("STATUTORY_LIMIT", self.asked, dispatched("PMC", "FIRE", severity=Severity.S1), **when(minutes=1))
        refused("NO_EXTENSION", self.rule, case)
        refused("ROLE_REQUIRED", self.rule, self.asked(), by=CENTRE)
        judge = Caller("fire-1", roles=frozenset({"DISPATCHER"}), area="420502")
        refused("OWN_REQUEST", self.rule, self.asked(), by=judge)
        refused("WRONG_STATE", self.rule, done(self.asked(), "FIRE", at=after_start(hours=1)))


class TestTheLead:
    def change(self, case: Case, code: str, **fields: Any) -> Any:
        given_fields: dict[str, Any] = {
            "department": code,
            "reason": "牵头调整",
            "by": DISPATCHER,
            "new_id": fresh_ids(),
            **when(hours=3),
        }
        return operations.change_lead(case, **(given_fields | fields))

    def test_goes_to_a_joint_department_and_the_clock_runs_on(self) -> None:
        case = accepted(dispatched("PMC", "FIRE"), "FIRE")
        limit = resolve(case, "PMC")
        after, facts = self.change(case, "FIRE")
        assert names(facts) == ["LeadChanged"]
        assert [(task.department, task.role.value) for task in after.tasks] == [("FIRE", "lead"), ("PMC", "joint")]
        assert resolve(after, "FIRE") == limit
        assert resolve(after, "PMC") == limit
        assert task_of(after, "FIRE").due_at == limit.due_at

    def test_goes_to_a_newcomer(self) -> None:
        case = accepted(dispatched("PMC"), "PMC")
        after, facts = self.change(case, "FIRE")
        assert (after.state, names(facts)) == (CaseState.PARALLEL, ["LeadChanged", "TaskAssigned"])
        assert resolve(after, "FIRE") == resolve(case, "PMC")
        assert after.lead is not None
        assert after.lead.department == "FIRE"
        assert done(after, "PMC", "FIRE", at=after_start(hours=4)).state is CaseState.HANDLED

    def test_guards(self) -> None:
        case = dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]})
        once = self.change(case, "FIRE")[0]
        refused("LEAD_CHANGED_BEFORE", self.change, once, "PMC")
        assert refused("LEADS_ALREADY", self.change, case, "PMC") == "department"
        assert refused("UNKNOWN_DEPARTMENT", self.change, case, "NOPE") == "department"
        assert refused("REASON_REQUIRED", self.change, case, "FIRE", reason="") == "reason"
        refused("ROLE_REQUIRED", self.change, case, "FIRE", by=CENTRE)
        refused("CANNOT_LEAD", self.change, case, "UMD")
        refused("CANNOT_LEAD", self.change, done(case, "FIRE"), "FIRE")
        refused("LEAD_DONE", self.change, done(case, "PMC"), "FIRE")
        refused("WRONG_STATE", self.change, done(dispatched("PMC", "FIRE"), "FIRE", "PMC"), "FIRE")
        gone = operations.remove_task(case, task_id=task_of(case, "FIRE").task_id, reason="x", by=DISPATCHER, **when())[0]
        assert refused("DUPLICATE_DEPARTMENT", self.change, gone, "FIRE") == "department"


def test_nobody_rules_on_an_objection_of_their_own() -> None:
    case = dispatched("PMC", "FIRE")
    task_id = task_of(case, "FIRE").task_id
    case = operations.object_task(case, task_id=task_id, reason="x", by=department("FIRE"), **when())[0]
    judge = Caller("fire-1", roles=frozenset({"DISPATCHER"}), area="420502")
    refused(
        "OWN_REQUEST",
        operations.rule_objection,
        case,
        task_id=task_id,
        upheld=True,
        reason="x",
        by=judge,
        new_id=ids(),
        **when(),
    )


class TestWorkspace:
    def write(self, case: Case, by: Any, visibility: Visibility = Visibility.DEPARTMENTS, **fields: Any) -> Case:
        given_fields: dict[str, Any] = {"entry_id": "e", "kind": EntryKind.NOTE, "text": "会商意见", **when(hours=1)}
        return operations.add_entry(case, by=by, visibility=visibility, **(given_fields | fields))[0]

    @pytest.mark.parametrize(
        ("visibility", "readers"),
        [
            (Visibility.DEPARTMENTS, {"fire", "umd", "dispatcher", "worker"}),
            (Visibility.DEPARTMENT, {"fire", "fire-2"}),
            (Visibility.COORDINATORS, {"fire", "dispatcher"}),
            (Visibility.REPORTER, {"fire", "umd", "dispatcher", "worker", "resident"}),
        ],
    )
    def test_who_reads_what(self, visibility: Visibility, readers: set[str]) -> None:
        case = self.write(dispatched("PMC", "FIRE", "UMD", by=RESIDENT), department("FIRE"), visibility)
        people = {
            "fire": department("FIRE"),
            "umd": department("UMD"),
            "dispatcher": DISPATCHER,
            "worker": WORKER,
            "resident": RESIDENT,
            "env": department("ENV"),
            "stranger": Caller("r2", roles=frozenset({"RESIDENT"}), area="4205"),
        }
        if visibility is Visibility.DEPARTMENT:
            people["fire-2"] = Caller("fire-2", roles=frozenset({"DEPT_HANDLER"}), area="4205", department="FIRE")
        assert {name for name, who in people.items() if policies.can_read_entry(case, case.workspace[0], who)} == readers

    def test_every_entry_is_a_step_with_the_digest_of_its_words(self) -> None:
        case = self.write(dispatched("PMC"), department("PMC"))
        assert (case.steps[-1].verb, case.steps[-1].remark, bool(case.steps[-1].content)) == ("add_entry", "e", True)

    def test_guards(self) -> None:
        case = dispatched("PMC", "FIRE")
        refused("NOT_INVOLVED", self.write, case, department("UMD"))
        refused("NOT_INVOLVED", self.write, case, RESIDENT)
        assert refused("NO_DEPARTMENT", self.write, case, DISPATCHER, Visibility.DEPARTMENT) == "visibility"
        assert refused("TEXT_REQUIRED", self.write, case, LEAD, text=" ") == "text"
        full = case
        for n in range(200):
            full = self.write(full, LEAD, entry_id=str(n))
        refused("TOO_MANY_ENTRIES", self.write, full, LEAD)
        heavy = self.write(case, LEAD, attachments=(photo(),) * 500)
        refused("TOO_MANY_ATTACHMENTS", self.write, heavy, LEAD, attachments=(photo(),))
        rejected = operations.reject_case(reported(), reason="x", by=DISPATCHER, **when())[0]
        refused("WRONG_STATE", self.write, rejected, DISPATCHER)


class TestContacts:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("请联系张三13812345678。", "请联系张三138****5678。"),
            ("138-1234-5678", "138****5678"),
            ("电话0717-6212345", "电话0717-****2345"),
            ("身份证420502199001011234已核", "身份证420502************已核"),
            ("42050219900101123X", "420502************"),
            ("案号4205022026000123456789", "案号4205022026000123456789"),
            ("3栋2单元1801,面积120平米", "3栋2单元1801,面积120平米"),
        ],
    )
    def test_are_hidden(self, text: str, shown: str) -> None:
        assert contacts.masked(text) == shown

    @given(st.text(alphabet="张三电话,。 -"), st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(alphabet="李四,。"))
    def test_no_mobile_number_is_left(self, before: str, number: str, after: str) -> None:
        assert number not in contacts.masked(before + number + after)


def test_the_start_is_a_working_hour() -> None:
    """What the extensions above count on."""
    assert calendar.minutes_between(START, after_start(hours=1), calendar=resolve(dispatched("PMC"), "PMC").calendar) == 60

"""The case aggregate under departments acting in any order, with messages repeated, late and out of turn.

The model beside it knows only what the rules say in words; it shares no code with the operations.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from mediation import history, operations
from mediation.domain import (
    CASE_TRANSITIONS,
    TASK_TRANSITIONS,
    Attachment,
    Case,
    Light,
    ServiceActor,
    Task,
    TaskPlan,
    TaskRole,
)
from mediation.domain.facts import CaseHandled, CaseVerified, LightTurned
from svckit.documents import stored
from svckit.errors import ServiceError

from .builders import CHECKER, DEPARTMENTS, DISPATCHER, START, department, ids, photo
from .random_dispatches import dispatches, joined_in_words

OPEN = {"waiting", "assigned", "objected", "accepted", "returned"}
CASE_ROWS = {(row.source, row.target) for row in CASE_TRANSITIONS} | {
    ("rework", "handled"),
    ("dispatched", "handled"),
    ("suspended", "handled"),
}
TASK_ROWS = {(row.source, row.target) for row in TASK_TRANSITIONS} | {("assigned", "done")}
AFTER_JOIN = {"handled", "verified", "closed"}


class Departments(RuleBasedStateMachine):
    """K departments, a dispatcher and a checker act on one case; some through services whose messages come twice."""

    messages = Bundle("messages")

    @initialize(case=dispatches())
    def begin(self, case: Case) -> None:
        self.case = case
        self.now = START
        self.new_id = ids()
        self.rounds = 0
        self.failures = 0
        self.facts: list[object] = []
        self.lights: Counter[object] = Counter()

    # ------------------------------------------------------------------------------------------------------------- acting

    def act(self, verb: str, *, by: object, late: int = 0, **arguments: object) -> bool:
        """Calls one operation; a refusal must leave no trace."""
        before = self.case
        at = self.now - timedelta(minutes=late)
        try:
            case, facts = getattr(operations, verb)(before, by=by, at=at, now=self.now, **arguments)
        except ServiceError:
            assert self.case is before
            return False
        self.check(before, case, facts)
        self.case = case
        self.facts += facts
        return True

    def task(self, pick: int, *states: str) -> Task:
        """One of the tasks in `states`; one of all when none is, or when `pick` says to try the impossible."""
        fitting = [task for task in self.case.tasks if task.state in states]
        tasks = fitting if fitting and pick < 18 else self.case.tasks
        return tasks[pick % len(tasks)]

    @rule(minutes=st.integers(0, 3000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        pick=st.integers(0, 20),
        verb=st.sampled_from(["accept_task", "accept_task", "report_progress"]),
        late=st.integers(0, 90),
    )
    def department_acts(self, pick: int, verb: str, late: int) -> None:
        task = self.task(pick, *(["assigned", "returned"] if verb == "accept_task" else ["accepted"]))
        arguments = {"text": "处理中"} if verb == "report_progress" else {}
        self.act(verb, by=department(task.department), late=late, task_id=task.task_id, **arguments)

    @rule(
        pick=st.integers(0, 20),
        late=st.integers(0, 90),
        reply=st.sampled_from(["", "统一答复", "统一答复"]),
        shown=st.sampled_from([(), (photo(),), (photo(),)]),
    )
    def department_completes(self, pick: int, late: int, reply: str, shown: tuple[Attachment, ...]) -> None:
        task = self.task(pick, "accepted", "returned")
        who = department(task.department)
        given = {"result": "已处置", "evidence": shown, "unified_reply": reply}
        told = {"parties_informed": "当面"} if reply else {}
        if self.act("complete_task", by=who, late=late, task_id=task.task_id, **given, **told):
            assert shown or self.case.is_parallel, "the only department shows its work"

    @rule(but=st.integers(0, 8))
    def everybody_finishes(self, but: int) -> None:
        """Except one, perhaps; several rounds let those finish who had to wait."""
        for _ in self.case.tasks:
            for index, task in enumerate(self.case.tasks):
                if index != but and task.state in ("assigned", "accepted", "returned"):
                    actor = ServiceActor(subject=task.department, department=task.department)
                    assert self.act("finish_task", by=actor, task_id=task.task_id, result="完成")

    @rule(target=messages, pick=st.integers(0, 20), verb=st.sampled_from(["take_up_task", "finish_task"]))
    def service_publishes(self, pick: int, verb: str) -> tuple[str, str, str, datetime]:
        task = self.task(pick, "assigned", "accepted", "waiting")
        return verb, task.task_id, task.department, self.now

    @rule(message=messages)
    def message_arrives(self, message: tuple[str, str, str, datetime]) -> None:
        """Also a second time, also long after what it speaks of."""
        verb, task_id, code, published = message
        arguments = {"result": "核查完成"} if verb == "finish_task" else {}
        late = int((self.now - published).total_seconds() // 60)
        actor = ServiceActor(subject=f"svc-{code}", department=code)
        self.act(verb, by=actor, late=late, task_id=task_id, **arguments)

    @rule(pick=st.integers(0, 20))
    def wrong_department_acts(self, pick: int) -> None:
        task = self.task(pick)
        other = next(code for code in DEPARTMENTS if code != task.department)
        for verb, more in (("accept_task", {}), ("complete_task", {"result": "x", "unified_reply": "x"})):
            assert not self.act(verb, by=department(other), task_id=task.task_id, **more)

    @rule(pick=st.integers(0, 20))
    def department_objects(self, pick: int) -> None:
        task = self.task(pick, "assigned")
        self.act("object_task", by=department(task.department), task_id=task.task_id, reason="非本部门职责")

    @precondition(lambda self: any(task.objection for task in self.case.tasks))
    @rule(pick=st.integers(0, 20), upheld=st.booleans(), to=st.sampled_from(["", "", *DEPARTMENTS, "NRP", "MSA"]))
    def dispatcher_rules(self, pick: int, upheld: bool, to: str) -> None:
        task_id = self.task(pick, "objected").task_id
        arguments = {"upheld": upheld, "reason": "裁定", "reassign_to": to, "new_id": self.successor_id}
        self.act("rule_objection", by=DISPATCHER, task_id=task_id, **arguments)

    def successor_id(self) -> str:
        return self.new_id().replace("8000", "9000")

    @rule(codes=st.lists(st.sampled_from(DEPARTMENTS), min_size=1, max_size=3), waits=st.booleans(), pick=st.integers(0, 20))
    def dispatcher_adds(self, codes: list[str], waits: bool, pick: int) -> None:
        after = (self.task(pick).task_id,) if waits else ()
        plans = [TaskPlan(department=code, role=TaskRole.JOINT, after=after) for code in codes]
        self.act("add_tasks", by=DISPATCHER, plans=plans, new_id=self.successor_id)

    @rule(pick=st.integers(0, 20))
    def dispatcher_removes(self, pick: int) -> None:
        task_id = self.task(pick, "waiting", "assigned", "accepted", "returned").task_id
        self.act("remove_task", by=DISPATCHER, task_id=task_id, reason="无需参与")

    @rule(pick=st.integers(0, 20), approved=st.booleans())
    def lead_lets_off(self, pick: int, approved: bool) -> None:
        lead = self.case.lead
        assert lead is not None
        task_id = self.task(pick, "assigned", "waiting").task_id
        self.act("propose_exemption", by=department(lead.department), task_id=task_id, reason="无关")
        self.act("rule_exemption", by=DISPATCHER, task_id=task_id, approved=approved, reason="裁定")

    @rule(pick=st.integers(0, 20), minutes=st.integers(1, 2000), approved=st.booleans())
    def department_gets_time(self, pick: int, minutes: int, approved: bool) -> None:
        task = self.task(pick, "assigned", "accepted")
        who = department(task.department)
        self.act("request_extension", by=who, task_id=task.task_id, minutes=minutes, reason="等待检测")
        self.act("rule_extension", by=DISPATCHER, task_id=task.task_id, approved=approved, reason="裁定")

    @rule(to=st.sampled_from(DEPARTMENTS))
    def dispatcher_changes_the_lead(self, to: str) -> None:
        before = self.case.lead_changes
        if self.act("change_lead", by=DISPATCHER, department=to, reason="调整", new_id=self.successor_id):
            assert (before, self.case.lead_changes) == (0, 1)

    @rule(minutes=st.integers(1, 4000))
    def dispatcher_suspends(self, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes)
        self.act("suspend_case", by=DISPATCHER, reason="待雨停", until=until)

    @precondition(lambda self: self.case.state == "suspended")
    @rule(by_itself=st.booleans())
    def the_suspension_ends(self, by_itself: bool) -> None:
        if not by_itself:
            assert self.act("resume_case", by=DISPATCHER)
            return
        due = self.case.ends_by_itself_at
        assert due is not None
        case, facts = operations.end_by_itself(self.case, now=self.now)
        assert (case.state == "suspended") == (due > self.now)
        self.check(self.case, case, facts)
        self.case = case

    @rule(pick=st.integers(0, 20))
    def dispatcher_returns(self, pick: int) -> None:
        self.act("return_task", by=DISPATCHER, task_id=self.task(pick, "done").task_id, reason="不合格")

    @precondition(lambda self: self.case.state in {"parallel", *AFTER_JOIN})
    @rule(passed=st.booleans(), picks=st.sets(st.integers(0, 20), min_size=1, max_size=3))
    def checker_verifies(self, passed: bool, picks: set[int]) -> None:
        failed = [] if passed else sorted({self.task(pick, "done").task_id for pick in picks})
        photos = (photo(),)
        self.act("verify_case", by=CHECKER, passed=passed, text="现场核查", photos=photos, failed_task_ids=failed)

    @precondition(lambda self: self.case.state in AFTER_JOIN)
    @rule()
    def handler_verifies(self) -> None:
        """Whoever worked on it may never check it."""
        handler = next(task.handler for task in self.case.tasks if task.handler)
        who = type(CHECKER)(handler, roles=CHECKER.roles, area=CHECKER.area)
        assert not self.act("verify_case", by=who, passed=True, photos=(photo(),))

    @precondition(lambda self: self.case.state in AFTER_JOIN)
    @rule()
    def dispatcher_closes(self) -> None:
        before = self.case
        if self.act("close_case", by=DISPATCHER):
            assert before.state == "verified"
            assert joined_in_words(before), "closed with an open needed task"

    @rule()
    def lights_turn(self) -> None:
        case, facts = operations.turn_lights(self.case, now=self.now)
        self.check(self.case, case, facts)
        self.case = case
        for fact in facts:
            assert isinstance(fact, LightTurned)
            key = (fact.task_id, fact.clock, fact.light, self.starts(fact))
            self.lights[key] += 1
            assert self.lights[key] == 1, "a light turned twice"
        again, nothing = operations.turn_lights(case, now=self.now)
        assert again is case
        assert not nothing

    def starts(self, fact: LightTurned) -> object:
        """A clock that ran on after rework, or was started anew by a ruling, may turn again: its due time has moved or it was met."""
        task = next((task for task in self.case.tasks if task.task_id == fact.task_id), None)
        holder = task.clocks if task else self.case.clocks
        clock = next(clock for clock in holder if clock.kind is fact.clock)
        return clock.started_at, clock.due_at, self.failures, sum(each.returns for each in self.case.tasks)

    # ------------------------------------------------------------------------------------------------------ what must hold

    def check(self, before: Case, after: Case, facts: tuple[object, ...]) -> None:
        handled = [fact for fact in facts if isinstance(fact, CaseHandled)]
        joined = after.state == "handled" and before.state != "handled"
        assert len(handled) == joined, "handled is said exactly when it becomes true"
        if joined:
            self.rounds += 1
            assert joined_in_words(after), "joined too early"
            assert set(handled[0].critical_path) == {task.task_id for task in after.tasks if task.critical}
        self.failures += sum(isinstance(fact, CaseVerified) and not fact.passed for fact in facts)
        self.failures += (
            before.state == "handled" and after.state == "rework" and not any(isinstance(fact, CaseVerified) for fact in facts)
        )
        assert self.rounds <= self.failures + 1, "joined twice in one round"
        assert {task.task_id for task in before.tasks} <= {task.task_id for task in after.tasks}, "a branch was lost"
        assert after is before or after.changed_at > before.changed_at, "every version has a time of its own"
        self.check_rows(before, after)
        self.check_order(before, after)
        self.check_clocks(before, after)

    def check_rows(self, before: Case, after: Case) -> None:
        """Every move is a row of the table, or two of them where one message says two things."""
        assert (before.state, after.state) in CASE_ROWS or before.state == after.state
        old = {task.task_id: task.state for task in before.tasks}
        for task in after.tasks:
            state = old.get(task.task_id, task.state)
            assert (state, task.state) in TASK_ROWS or state == task.state

    def check_order(self, before: Case, after: Case) -> None:
        """A task starts only when all it waits for is done or taken out."""
        old = {task.task_id: task.state for task in before.tasks}
        over = {task.task_id for task in after.tasks if task.state in ("done", "removed")}
        for task in after.tasks:
            if old.get(task.task_id) == "waiting" and task.state != "waiting":
                assert task.state == "removed" or over.issuperset(task.after)
                assert task.state in ("assigned", "removed")

    def check_clocks(self, before: Case, after: Case) -> None:
        if before.lead_changes != after.lead_changes:
            return  # who takes the lead takes its limit too
        old = {(task.task_id, clock.kind): clock for task in before.tasks for clock in task.clocks}
        for task in after.tasks:
            for clock in task.clocks:
                earlier = old.get((task.task_id, clock.kind))
                if earlier:
                    assert clock.started_at >= earlier.started_at
                    assert clock.due_at >= earlier.due_at, "a limit became shorter"

    @invariant()
    def the_diary_runs_forward(self) -> None:
        times = [step.at for step in self.case.steps]
        assert times == sorted(times)

    @invariant()
    def exactly_one_task_leads(self) -> None:
        assert len([task for task in self.case.tasks if task.role == "lead" and task.state != "removed"]) == 1

    @invariant()
    def a_satisfied_policy_never_waits(self) -> None:
        if self.case.state in ("parallel", "handling", "rework", "dispatched"):
            assert not joined_in_words(self.case), "everything needed is done, but the case is not handled"

    @invariant()
    def nothing_passes_silently(self) -> None:
        if self.case.state in AFTER_JOIN:
            assert joined_in_words(self.case)
            assert all(task.result for task in self.case.tasks if task.state == "done")
        if self.case.state == "closed":
            assert not [task for task in self.case.tasks if task.state in OPEN]

    @invariant()
    def clocks_are_sound(self) -> None:
        running = []
        for task in self.case.tasks:
            for clock in task.clocks:
                assert clock.started_at <= clock.yellow_at <= clock.due_at
                assert clock.met_at is None or clock.met_at >= clock.started_at
            ticking = [clock for clock in task.clocks if clock.met_at is None]
            assert not ticking or task.state in OPEN, "a clock runs for nobody"
            running += ticking
        running += [clock for clock in self.case.clocks if clock.met_at is None]
        turnings = [
            clock.yellow_at if clock.light is Light.GREEN else clock.due_at
            for clock in running
            if clock.light is not Light.RED and clock.paused_at is None
        ]
        assert self.case.next_light_at == min(turnings, default=None)

    @invariant()
    def the_history_is_a_whole_chain(self) -> None:
        entries = [stored(step) for step in self.case.steps]
        assert history.verify(self.case.case_id, entries, stored(self.case.history)) is None

    @invariant()
    def only_work_clocks_stand_still_and_only_while_suspended(self) -> None:
        still = [clock for task in self.case.tasks for clock in task.clocks if clock.paused_at]
        assert not still or self.case.state == "suspended"
        assert all(clock.calendar != "statutory" for clock in still)

    @invariant()
    def nobody_who_handled_is_forgotten(self) -> None:
        done = {step.by for step in self.case.steps if step.verb in ("accept_task", "report_progress", "complete_task")}
        assert done <= set(self.case.handlers)

    @invariant()
    def waiting_tasks_wait_for_something(self) -> None:
        over = {task.task_id for task in self.case.tasks if task.state in ("done", "removed")}
        for task in self.case.tasks:
            if task.state == "waiting":
                assert not over.issuperset(task.after), "nothing holds this task, yet it waits"


Departments.TestCase.settings = settings(
    max_examples=200, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestDepartments = pytest.mark.slow(Departments.TestCase)

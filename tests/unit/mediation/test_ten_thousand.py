"""Ten thousand random histories: policies, severities, orders of departments, verbs in any order, by the wrong and by the right people.

Hypothesis finds the small counter-examples (`test_state_machine`); this finds what only numbers find. Each history is its seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions

from mediation import history, operations
from mediation.domain import Case, JoinPolicy, ServiceActor, Severity, Task, TaskPlan, TaskRole
from mediation.domain.facts import CaseHandled
from svckit.documents import Form
from svckit.errors import ServiceError

from .builders import CHECKER, DEPARTMENTS, DISPATCHER, START, department, dispatched, ids, photo

HISTORIES, STEPS = 10_000, 24
FORM = Form(Case, id_field="case_id")
AWARE = CodecOptions[dict[str, Any]](tz_aware=True)
# What somebody may try next, and on a task in which state it may succeed.
ON_TASKS = {
    "accept_task": ("assigned", "returned"),
    "report_progress": ("accepted",),
    "complete_task": ("accepted", "returned"),
    "object_task": ("assigned",),
    "rule_objection": ("objected",),
    "return_task": ("done",),
    "remove_task": ("assigned", "waiting"),
    "finish_task": ("assigned", "accepted"),
}
ON_CASES = ("suspend_case", "resume_case", "verify_case", "add_tasks", "change_lead", "everybody")


class History:
    """One random life of a case."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.new_id = ids()
        self.now = START
        self.case = self._begin()
        self.rounds = self.reopened = 0

    def _begin(self) -> Case:
        codes = DEPARTMENTS[: self.chance.randint(1, 6)]
        order = self.chance.sample(codes, len(codes))
        after = {code: self.chance.sample(order[:n], self.chance.randint(0, min(n, 2))) for n, code in enumerate(order)}
        return dispatched(
            *codes,
            after=after,  # type: ignore[arg-type]
            join_policy=self.chance.choice(list(JoinPolicy)),
            severity=self.chance.choice(list(Severity)),
            category=self.chance.choice(["A0204", "D0402", "J", "B01", "L"]),
        )

    def live(self) -> None:
        for _ in range(STEPS):
            self.now += timedelta(minutes=self.chance.choice([0, 1, 30, 600]))
            self.something()
            if self.case.is_final:
                break

    def something(self) -> None:
        verb = self.chance.choice([*ON_TASKS, *ON_CASES])
        if verb == "everybody":
            for task in self.case.tasks:
                by = ServiceActor(subject=task.department, department=task.department)
                self.attempt("finish_task", by=by, task_id=task.task_id, result="完成")
        elif verb in ON_TASKS:
            self.on_task(verb)
        else:
            getattr(self, verb)()

    def on_task(self, verb: str) -> None:
        fitting = [task for task in self.case.tasks if task.state in ON_TASKS[verb]]
        task = self.chance.choice(fitting or list(self.case.tasks))
        self.attempt(verb, by=self._who(verb, task), task_id=task.task_id, **self._words(verb))

    def _who(self, verb: str, task: Task) -> Any:
        if verb in ("rule_objection", "return_task", "remove_task"):
            return DISPATCHER
        code = task.department if self.chance.random() > 0.05 else self.chance.choice(DEPARTMENTS)
        return ServiceActor(subject=code, department=code) if verb == "finish_task" else department(code)

    def _words(self, verb: str) -> dict[str, Any]:
        words: dict[str, Callable[[], dict[str, Any]]] = {
            "report_progress": lambda: {"text": "处理中"},
            "complete_task": lambda: {
                "result": "已处置",
                "evidence": (photo(),) if self.chance.random() > 0.05 else (),
                "unified_reply": self.chance.choice(["", "统一答复"]),
                "parties_informed": "当面" if self.chance.random() > 0.05 else "",
            },
            "finish_task": lambda: {"result": "完成"},
            "object_task": lambda: {"reason": "非职责"},
            "return_task": lambda: {"reason": "不合格"},
            "remove_task": lambda: {"reason": "无需参与"},
            "rule_objection": lambda: {
                "upheld": self.chance.random() < 0.5,
                "reason": "裁定",
                "reassign_to": self.chance.choice(["", "", "NRP", "MSA"]),
                "new_id": self._fresh_id,
            },
        }
        return words.get(verb, dict)()

    def _fresh_id(self) -> str:
        return self.new_id().replace("8000", "9000")

    def suspend_case(self) -> None:
        until = self.now + timedelta(minutes=self.chance.choice([30, 900]))
        self.attempt("suspend_case", by=DISPATCHER, reason="待雨停", until=until)

    def resume_case(self) -> None:
        self.attempt("resume_case", by=DISPATCHER)

    def verify_case(self) -> None:
        done = [task.task_id for task in self.case.tasks if task.state == "done"]
        failed = self.chance.sample(done, 1) if done and self.chance.random() < 0.6 else []
        self.attempt("verify_case", by=CHECKER, passed=not failed, text="核查", failed_task_ids=failed, photos=(photo(),))

    def add_tasks(self) -> None:
        plan = TaskPlan(department=self.chance.choice(DEPARTMENTS), role=TaskRole.JOINT)
        self.attempt("add_tasks", by=DISPATCHER, plans=[plan], new_id=self._fresh_id)

    def change_lead(self) -> None:
        code = self.chance.choice(DEPARTMENTS)
        self.attempt("change_lead", by=DISPATCHER, department=code, reason="调整", new_id=self._fresh_id)

    def attempt(self, verb: str, *, by: Any, **words: Any) -> None:
        before, at = self.case, self.now - timedelta(minutes=self.chance.choice([0, 0, 0, 45]))
        try:
            self.case, facts = getattr(operations, verb)(before, by=by, at=at, now=self.now, **words)
        except ServiceError:
            return
        self._count(before, facts)

    def _count(self, before: Case, facts: tuple[Any, ...]) -> None:
        joined = sum(isinstance(fact, CaseHandled) for fact in facts)
        assert joined == (self.case.state == "handled" and before.state != "handled")
        self.rounds += joined
        self.reopened += before.state == "handled" and self.case.state == "rework"
        assert self.rounds <= self.reopened + 1, "joined twice"


def check_whole(case: Case, chance: random.Random) -> None:
    """The chain holds after the way through the database, and one altered byte of one entry is found."""
    stored = bson.encode({**FORM.changed(None, case), "_id": case.case_id})
    full = bson.decode(stored, codec_options=AWARE)
    assert history.flaw_of(full, full["steps"]) is None
    place = chance.randrange(len(full["steps"]))
    name = chance.choice(sorted(full["steps"][place]))
    full["steps"][place][name] = altered(full["steps"][place][name], chance)
    flaw = history.verify(case.case_id, full["steps"], full["history"])
    assert flaw is not None
    assert flaw.entry in (place, place + 1)


def altered(value: Any, chance: random.Random) -> Any:
    """The value with one byte of it changed."""
    if isinstance(value, datetime):
        return value + timedelta(milliseconds=2 ** chance.randrange(20))
    data = bytearray(value.encode()) or bytearray(b"\0")
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
    return data.decode(errors="replace")


@pytest.mark.slow
def test_ten_thousand_histories() -> None:
    handled = rework = 0
    for seed in range(HISTORIES):
        life = History(seed)
        life.live()
        check_whole(life.case, life.chance)
        handled += life.rounds > 0
        rework += life.reopened > 0
    # They are histories worth the name.
    assert handled > HISTORIES / 5
    assert rework > HISTORIES / 20


def test_no_time_passes_backwards() -> None:
    for seed in range(200):
        life = History(seed)
        life.live()
        times = [step.at for step in life.case.steps]
        assert times == sorted(times)
        assert isinstance(times[0], datetime)

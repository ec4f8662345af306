"""However the messages of departments come, late, twice or in any order, a case is joined once."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mediation import operations
from mediation.domain import (
    Case,
    ClockKind,
    ServiceActor,
    TaskState,
)
from mediation.domain.facts import CaseHandled
from svckit.errors import FailedPrecondition

from .builders import START
from .random_dispatches import dispatches


@settings(max_examples=60, deadline=None)
@given(case=dispatches(most=10), seed=st.randoms(use_true_random=False))
def test_messages_in_any_order_join_once(case: Case, seed: random.Random) -> None:
    """Every message twice, shuffled; one that comes before its turn is refused and comes again, as the broker does."""
    waiting = [(verb, task.task_id, task.department) for task in case.tasks for verb in ("take_up_task", "finish_task")] * 2
    seed.shuffle(waiting)
    handled = 0
    reasons: set[str] = set()
    while waiting:
        refused = []
        for verb, task_id, code in waiting:
            arguments = {"result": "完成"} if verb == "finish_task" else {}
            actor = ServiceActor(subject=code, department=code)
            try:
                case, facts = getattr(operations, verb)(case, task_id=task_id, by=actor, at=START, now=START, **arguments)
            except FailedPrecondition as error:
                reasons.add(error.reason)
                refused.append((verb, task_id, code))
                continue
            handled += sum(isinstance(fact, CaseHandled) for fact in facts)
        assert len(refused) < len(waiting), "no message moves the case any more"
        waiting = refused
    assert case.state == "handled"
    assert reasons <= {"TASK_WAITING"}
    assert handled == 1
    assert {task.state for task in case.tasks} == {TaskState.DONE}
    assert all(clock.met_at for task in case.tasks for clock in task.clocks)
    assert [clock.kind for clock in case.clocks if clock.met_at is None] == []
    assert ClockKind.RESOLVE in {clock.kind for clock in case.clocks}

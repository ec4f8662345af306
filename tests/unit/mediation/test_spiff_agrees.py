"""Random dispatches run twice, here and in SpiffWorkflow: after every completion the same tasks can go on, and both end together."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from SpiffWorkflow.specs.Join import Join
from SpiffWorkflow.specs.Simple import Simple
from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

from mediation.domain import Case

from .builders import DEPARTMENTS, department, dispatched, done, task_of

Graph = dict[str, list[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Departments and what each waits for, without circles."""
    codes = draw(st.permutations(DEPARTMENTS[: draw(st.integers(2, 7))]))
    return {
        code: draw(st.lists(st.sampled_from(codes[:index]), unique=True, max_size=3)) if index else []
        for index, code in enumerate(codes)
    }


class Spiff:
    """The fan-out as a workflow: a manual task for each department behind a join of what it waits for, one join at the end.

    Its tree of tasks grows with the number of paths, which is why the graphs are small.
    """

    def __init__(self, graph: Graph) -> None:
        spec = WorkflowSpec(name="fan-out", addstart=True)
        tasks = {code: Simple(spec, code, manual=True) for code in graph}
        end = Join(spec, "handled")
        for code, after in graph.items():
            entry = Join(spec, f"before {code}")
            entry.connect(tasks[code])
            for other in [tasks[before] for before in after] or [spec.start]:
                other.connect(entry)
            tasks[code].connect(end)
        self._workflow = Workflow(spec)
        self._run_joins()

    def ready(self) -> set[str]:
        """Departments whose task can be worked on."""
        return {task.task_spec.name for task in self._workflow.get_tasks(state=TaskState.READY)}

    def complete(self, code: str) -> None:
        """Does the task of one department."""
        next(task for task in self._workflow.get_tasks(state=TaskState.READY) if task.task_spec.name == code).run()
        self._run_joins()

    def is_over(self) -> bool:
        """Whether the last join was passed."""
        return bool(self._workflow.is_completed())

    def _run_joins(self) -> None:
        while joins := [task for task in self._workflow.get_tasks(state=TaskState.READY) if not task.task_spec.manual]:
            for task in joins:
                task.run()


def ready_here(case: Case) -> set[str]:
    """Departments whose task can be worked on, in our own aggregate."""
    return {task.department for task in case.tasks if task.state == "assigned"}


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), randomly=st.randoms(use_true_random=False))
def test_same_tasks_ready_and_same_end(graph: Graph, randomly: random.Random) -> None:
    lead = next(iter(graph))
    case = dispatched(lead, *(code for code in graph if code != lead), after=graph)
    spiff = Spiff(graph)
    while not spiff.is_over():
        assert case.state == "parallel"
        assert ready_here(case) == spiff.ready()
        code = randomly.choice(sorted(spiff.ready()))
        assert task_of(case, code).department == department(code).department
        spiff.complete(code)
        case = done(case, code)
    assert case.state == "handled"
    assert {task.state for task in case.tasks} == {"done"}

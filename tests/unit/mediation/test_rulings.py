"""How long a coordinator takes to rule on an objection: its clock, its lights, who is told, and that it is nobody else's fault."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import resources

import msgspec
import pytest
import yaml

from mediation import clocks, explaining, operations, phrases, routing, telling
from mediation.domain import Calendar, Case, Clock, ClockKind, Light, Limit, Severity, TaskState
from mediation.domain.facts import LightTurned
from mediation.domain.notice import Language, NoticeKind
from mediation.policies.supervision import CLIMBING_STATES
from mediation.store import lit

from .builders import DISPATCHER, START, department, dispatched, ids, task_of, when

POLICY = yaml.safe_load(resources.files("mediation").joinpath("codes/parallel_policy.yaml").read_text("utf-8"))


def objected(severity: Severity | None = None) -> Case:
    """A case of which a joint department says that it is not its duty, two hours after it got it."""
    case = dispatched("PMC", "FIRE", severity=severity)
    by = department("FIRE")
    return operations.object_task(case, task_id=task_of(case, "FIRE").task_id, reason="非职责", by=by, **when(minutes=30))[0]


def ruling(case: Case) -> Clock:
    task = next(task for task in (*case.tasks, *case.earlier_tasks) if task.objection)
    clock = clocks.find(task.clocks, ClockKind.RULING)
    assert clock is not None
    return clock


def ruled(case: Case, *, upheld: bool, reassign_to: str = "", at: datetime) -> Case:
    return operations.rule_objection(
        case,
        task_id=next(task.task_id for task in case.tasks if task.objection),
        upheld=upheld,
        reassign_to=reassign_to,
        reason="职责所在",
        by=DISPATCHER,
        at=at,
        now=at,
        new_id=ids(),
    )[0]


def test_the_limit_is_that_of_the_table() -> None:
    assert "GRID decides inside 4 work hours" in POLICY["tasks"]["objection"]
    assert routing.ruling_limit(Severity.S4) == Limit(4 * 60, Calendar.WORK)
    assert routing.ruling_limit(Severity.S1) == Limit(4 * 60, Calendar.STATUTORY)


def test_the_clock_runs_from_the_objection() -> None:
    clock = ruling(objected())
    # Monday 9:30 in Yichang: two and a half hours before the break, one and a half after it.
    assert clock.started_at == START + timedelta(minutes=30)
    assert (clock.limit_minutes, clock.met_at) == (240, None)
    assert clock.due_at - clock.started_at > timedelta(hours=4)
    assert ruling(objected(Severity.S1)).due_at == START + timedelta(hours=4, minutes=30)


@pytest.mark.parametrize(("upheld", "reassign_to"), [(False, ""), (True, ""), (True, "UMD")])
def test_the_ruling_meets_it_whatever_it_says(upheld: bool, reassign_to: str) -> None:
    case = objected()
    in_time = ruled(case, upheld=upheld, reassign_to=reassign_to, at=ruling(case).due_at - timedelta(minutes=1))
    assert (ruling(in_time).met_at, ruling(in_time).light) == (ruling(case).due_at - timedelta(minutes=1), Light.YELLOW)
    late = ruled(case, upheld=upheld, reassign_to=reassign_to, at=ruling(case).due_at)
    assert ruling(late).light is Light.RED
    assert not clocks.is_on_time((ruling(late),), ClockKind.RULING)


def test_its_lights_are_the_coordinators() -> None:
    case = objected()
    assert case.next_light_at is not None
    assert case.next_light_at <= ruling(case).yellow_at
    yellow, facts = operations.turn_lights(case, now=ruling(case).yellow_at)
    turned = [fact for fact in facts if isinstance(fact, LightTurned) and fact.clock is ClockKind.RULING]
    assert [(each.light, each.department, each.task_id) for each in turned] == [
        (Light.YELLOW, "", task_of(case, "FIRE").task_id)
    ]
    red, facts = operations.turn_lights(yellow, now=ruling(case).due_at)
    assert red.light is Light.RED
    told = [
        each
        for fact in facts
        if isinstance(fact, LightTurned) and fact.clock is ClockKind.RULING
        for each in telling.tell("mediation.light_turned.v1", msgspec.structs.asdict(fact), {})
    ]
    assert [(each.kind, each.post, each.clock) for each in told] == [(NoticeKind.RED, telling.OVERSEER, ClockKind.RULING)]


def test_the_departments_own_light_knows_nothing_of_it() -> None:
    case = objected(Severity.S4)
    late = operations.turn_lights(case, now=ruling(case).due_at)[0]
    task = task_of(late, "FIRE")
    assert task.state is TaskState.OBJECTED
    assert task.light is clocks.outlook([clock for clock in task.clocks if clock.kind is not ClockKind.RULING])[0]
    shown = lit(msgspec.to_builtins(late, builtin_types=(datetime,)), now=ruling(case).due_at)
    assert shown["light"] == Light.RED
    assert next(each for each in shown["tasks"] if each["department"] == "FIRE")["light"] == task.light


def test_it_explains_itself() -> None:
    case = objected()
    explained = next(each for each in explaining.explain(case, now=START) if each.clock.kind is ClockKind.RULING)
    assert explained.basis == "parallel_policy.yaml: objection, ruling inside 4 working hours"
    assert "4个工作小时" in explained.zh
    assert "4 working hours from Mon 16 Nov 09:30" in explained.en
    assert explained.department == "FIRE"


def test_messages_name_it() -> None:
    notice = {"kind": "red", "number": "1", "category": "A02", "clock": "ruling"}
    assert "裁决已超时" in phrases.line(notice, Language.ZH)
    assert "the time to rule is over" in phrases.line(notice, Language.EN)


def test_the_stay_at_the_level_goes_on_meanwhile() -> None:
    """case_level.csv knows no pause for objections: who answers for the case is the one who has to rule."""
    before, case = dispatched("PMC", "FIRE"), objected()
    assert case.state in CLIMBING_STATES
    assert case.level_due_at == before.level_due_at


def test_taken_out_before_the_ruling_nothing_runs_on() -> None:
    case = objected()
    task_id = task_of(case, "FIRE").task_id
    gone = operations.remove_task(case, task_id=task_id, reason="无需参与", by=DISPATCHER, **when(hours=1))[0]
    assert not [clock for task in gone.tasks if task.task_id == task_id for clock in task.clocks if clock.met_at is None]

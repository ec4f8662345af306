"""Verbs on a case as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from mediation import clocks, history, policies, routing
from mediation.domain import (
    Actor,
    Attachment,
    Case,
    CaseState,
    Clock,
    ClockKind,
    JoinPolicy,
    Light,
    Point,
    Reporter,
    Severity,
    Task,
    TaskPlan,
    TaskRole,
    TaskState,
    Verification,
    WrittenNotice,
)
from mediation.domain.facts import (
    CaseAccepted,
    CaseClosed,
    CaseDispatched,
    CaseLocated,
    CaseRejected,
    CaseReported,
    CaseVerified,
    Fact,
    LightTurned,
)
from mediation.operations import flow
from mediation.operations.flow import Outcome
from svckit.errors import FailedPrecondition

GRID_CODE_LENGTH = 17
CITY_DIGITS = 4


def report_case(
    *,
    case_id: str,
    number: str,
    category: str,
    description: str,
    area_code: str,
    by: Actor,
    at: datetime,
    now: datetime,
    severity: Severity | None = None,
    source: str = "01",
    point: Point | None = None,
    address: str = "",
    photos: tuple[Attachment, ...] = (),
    reporter_name: str = "",
    reporter_phone: str = "",
    external_id: str = "",
    traceparent: str = "",
) -> Outcome:
    """Returns a new case; its accept and respond clocks run. `area_code` may be as coarse as the reporter's own area.

    Raises InvalidArgument (category, source, no place).
    """
    policies.check_report(category=category, source=source, has_place=bool(point or area_code))
    severity = severity or routing.find(category).severity
    limits = routing.case_limits(category, severity)
    ticking = (
        clocks.start(ClockKind.ACCEPT, limits.accept, at=at),
        clocks.start(ClockKind.RESPOND, limits.respond, at=at),
    )
    case = Case(
        case_id=case_id,
        number=number,
        state=CaseState.REPORTED,
        category=category,
        severity=severity,
        source=source,
        description=description,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        reporter=Reporter(subject=by.subject, name=reporter_name, phone=reporter_phone),
        reported_at=at,
        changed_at=now,
        point=point,
        address=address,
        photos=photos,
        clocks=ticking,
        traceparent=traceparent,
        external_id=external_id,
    )
    said = history.reported(case)
    return flow.record(case, verb="report_case", by=by, at=at, now=now, content=said), (reported(case, by),)


def reported(case: Case, by: Actor) -> CaseReported:
    """Returns the fact that somebody reported the case."""
    return CaseReported(
        case_id=case.case_id,
        number=case.number,
        city=case.city,
        area_code=case.area_code,
        category=case.category,
        severity=case.severity,
        reported_by=by.subject,
        reported_at=case.reported_at,
        point=case.point,
    )


def accept_case(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Accepts a reported case: the limit of the whole case starts. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "accept_case", by)
    at = flow.moment(case, at)
    limits = routing.case_limits(case.category, case.severity)
    met = clocks.meet(case.clocks, ClockKind.ACCEPT, at=at)
    ticking = (*met, clocks.start(ClockKind.RESOLVE, limits.resolve, at=at))
    changed = flow.record(
        case, verb="accept_case", by=by, at=at, now=now, state=CaseState.ACCEPTED, accepted_at=at, clocks=ticking
    )
    return changed, (CaseAccepted(case_id=case.case_id, accepted_at=at, accepted_by=by.subject),)


def reject_case(case: Case, *, reason: str, by: Actor, at: datetime, now: datetime, notice: str = "") -> Outcome:
    """Refuses a reported case: the refusal is its answer. `notice` is what its reporter is told, the reason when not given.

    Raises WrongState, RoleNotAllowed, InvalidArgument (reason).
    """
    policies.check_case_move(case, "reject_case", by)
    policies.check_text(reason, field="reason")
    at = flow.moment(case, at)
    changed = flow.record(
        case,
        verb="reject_case",
        by=by,
        at=at,
        now=now,
        remark=reason,
        state=CaseState.REJECTED,
        clocks=clocks.meet(case.clocks, ClockKind.ACCEPT, ClockKind.RESPOND, at=at),
        notice=WrittenNotice(at=at, by=by.subject, text=notice or reason),
    )
    return changed, (CaseRejected(case_id=case.case_id, rejected_at=at, reason=reason),)


def dispatch(
    case: Case,
    *,
    by: Actor,
    at: datetime,
    now: datetime,
    new_id: Callable[[], str],
    plans: Sequence[TaskPlan] = (),
    join_policy: JoinPolicy = JoinPolicy.ALL,
    reason: str = "",
) -> Outcome:
    """Creates the lead and all joint tasks at once; a reported case is accepted on the way. Without `plans` the tables decide.

    `reason` is recorded (parallel_policy.yaml, trigger: reporter, mediator or dispatcher asks for it).
    Raises InvalidArgument (lead, department, key, after), WrongState, RoleNotAllowed.
    """
    facts: tuple[Fact, ...] = ()
    if case.state is CaseState.REPORTED:
        case, facts = accept_case(case, by=by, at=at, now=now)
    policies.check_case_move(case, "dispatch", by)
    at = flow.moment(case, at)
    plans, basis = _plans_of(case, plans)
    tasks = _tasks_of(case, plans, new_id, at)
    changed = flow.record(
        case,
        verb="dispatch",
        by=by,
        at=at,
        now=now,
        remark=": ".join(filter(None, (", ".join(task.department for task in tasks), reason.strip()))),
        state=CaseState.PARALLEL if len(tasks) > 1 else CaseState.DISPATCHED,
        tasks=(*tasks, *case.tasks),
        join_policy=join_policy,
        dispatched_at=at,
        route_basis=basis,
    )
    return changed, (*facts, _dispatched(changed, at))


def _plans_of(case: Case, plans: Sequence[TaskPlan]) -> tuple[Sequence[TaskPlan], str]:
    if plans:
        policies.check_plans(plans)
        # The lead stands first whatever the order of the request.
        return sorted(plans, key=lambda plan: plan.role is TaskRole.JOINT), ""
    proposed = routing.plan(case.category, case.severity)
    return proposed.tasks if proposed.parallel_by_default else proposed.tasks[:1], proposed.basis


def _tasks_of(case: Case, plans: Sequence[TaskPlan], new_id: Callable[[], str], at: datetime) -> tuple[Task, ...]:
    ids = {plan.key or plan.department: new_id() for plan in plans}
    ready: dict[TaskRole, Task] = {}
    return tuple(_task_of(case, plan, ids, at, ready) for plan in plans)


def _task_of(case: Case, plan: TaskPlan, ids: dict[str, str], at: datetime, ready: dict[TaskRole, Task]) -> Task:
    task = Task(
        task_id=ids[plan.key or plan.department],
        department=plan.department,
        role=plan.role,
        state=TaskState.WAITING,
        after=tuple(ids[key] for key in plan.after),
        instruction=plan.instruction,
    )
    if task.after:
        return task
    # All tasks of one role start with the same clocks: they are worked out once.
    if plan.role not in ready:
        ready[plan.role] = flow.assign(case, task, at)
    like = ready[plan.role]
    return replace(
        task, state=like.state, clocks=like.clocks, light=like.light, assigned_at=like.assigned_at, due_at=like.due_at
    )


def _dispatched(case: Case, at: datetime) -> CaseDispatched:
    return CaseDispatched(
        case_id=case.case_id,
        number=case.number,
        city=case.city,
        area_code=case.area_code,
        category=case.category,
        severity=case.severity,
        description=case.description,
        address=case.address,
        dispatched_at=at,
        reported_at=case.reported_at,
        tasks=tuple(flow.dispatched(task) for task in case.tasks if task.state is not TaskState.REMOVED),
        join_policy=case.join_policy,
        point=case.point,
    )


def verify_case(
    case: Case,
    *,
    passed: bool,
    by: Actor,
    at: datetime,
    now: datetime,
    text: str = "",
    photos: tuple[Attachment, ...] = (),
    failed_task_ids: Sequence[str] = (),
) -> Outcome:
    """Records the check on site of a handled case. A failed one reopens the named tasks and nothing else.

    Raises WrongState, RoleNotAllowed, HandledIt, InvalidArgument (photos, failed_task_ids; text: a failed check says why).
    """
    policies.check_case_move(case, "verify_case", by)
    policies.check_verifier(case, by)
    policies.check_failed_tasks(case, failed_task_ids, passed=passed)
    if not passed:
        policies.check_text(text, field="text")
    policies.check_photos(case, photos, passed=passed, by=by)
    at = flow.moment(case, at)
    tasks, ticking = case.tasks, case.clocks
    facts: list[Fact] = []
    for task_id in failed_task_ids:
        returned, fact = flow.send_back(case, policies.find_task(case, task_id), reason=text, at=at)
        tasks, facts = flow.put(tasks, returned), [*facts, fact]
    if not passed:
        ticking = clocks.reopen(ticking, ClockKind.RESOLVE, at=at)
    changed = flow.record(
        case,
        verb="verify_case",
        by=by,
        at=at,
        now=now,
        remark=text,
        content=history.content_of(text, photos),
        state=CaseState.VERIFIED if passed else CaseState.REWORK,
        tasks=tasks,
        clocks=ticking,
        verification=Verification(at=at, by=by.subject, passed=passed, text=text, photos=photos),
    )
    checked = CaseVerified(case_id=case.case_id, passed=passed, failed_task_ids=tuple(failed_task_ids), verified_at=at)
    return changed, (checked, *facts)


def close_case(case: Case, *, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Closes a verified case; tasks its join policy did not need are taken out. Raises WrongState, RoleNotAllowed."""
    policies.check_case_move(case, "close_case", by)
    policies.check_verifier(case, by)
    at = flow.moment(case, at)
    tasks = tuple(flow.remove(task, at=at) if task.is_open else task for task in case.tasks)
    changed = flow.record(case, verb="close_case", by=by, at=at, now=now, state=CaseState.CLOSED, tasks=tasks, closed_at=at)
    return changed, (CaseClosed(case_id=case.case_id, closed_at=at),)


def locate_case(case: Case, *, area_code: str, by: Actor, at: datetime, now: datetime) -> Outcome:
    """Gives a case that was taken without its grid the area housing found. A case that has a grid stays as it is.

    Raises FailedPrecondition (OTHER_CITY): cases do not move between cities.
    """
    if len(case.area_code) == GRID_CODE_LENGTH or case.area_code == area_code:
        return case, ()
    if case.city and not area_code.startswith(case.city):
        raise FailedPrecondition("This area lies in another city.", reason="OTHER_CITY", metadata={"area": area_code})
    at = flow.moment(case, at)
    city = area_code[:CITY_DIGITS]
    changed = flow.record(case, verb="locate_case", by=by, at=at, now=now, remark=area_code, area_code=area_code, city=city)
    return changed, (CaseLocated(case_id=case.case_id, area_code=area_code),)


def turn_lights(case: Case, *, now: datetime) -> Outcome:
    """Turns the lights whose time has come, one fact for each clock; nothing to turn changes nothing."""
    if case.next_light_at is None or case.next_light_at > now:
        return case, ()
    ticking, turned = clocks.turn(case.clocks, now)
    facts: list[Fact] = [_turned(case, clock) for clock in turned]
    tasks = list(case.tasks)
    for index, task in enumerate(tasks):
        if not task.is_open:
            continue
        fresh, turned = clocks.turn(task.clocks, now)
        if turned:
            tasks[index] = flow.with_clocks(task, fresh)
            facts += [_turned(case, clock, task) for clock in turned]
    changed = replace(case, tasks=tuple(tasks), clocks=ticking, changed_at=flow.touched(case, now))
    return flow.relit(changed), tuple(facts)


def _turned(case: Case, clock: Clock, task: Task | None = None) -> LightTurned:
    return LightTurned(
        case_id=case.case_id,
        clock=clock.kind,
        light=clock.light,
        due_at=clock.due_at,
        since=clock.due_at if clock.light is Light.RED else clock.yellow_at,
        task_id=task.task_id if task else "",
        # A ruling is the coordinator's to give: its light is told to them and counts against no department.
        department=task.department if task and clock.kind is not ClockKind.RULING else "",
    )

"""The verbs one by one: what each changes, what it says, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from mediation import clocks, operations, policies
from mediation.domain import Case, CaseState, ClockKind, JoinPolicy, Light, Point, ServiceActor, Severity, TaskRole
from mediation.domain.facts import CaseHandled, TaskAssigned, TaskCompleted
from mediation.domain.parts import PartiesInformed
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

from .builders import (
    CHECKER,
    DISPATCHER,
    IMPORTER,
    PLACE,
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

# ----------------------------------------------------------------------------------------------------- reporting, dispatching


def test_a_report_starts_two_clocks() -> None:
    case = reported(severity=Severity.S3)
    assert (case.state, case.city, case.light) == (CaseState.REPORTED, "4205", Light.GREEN)
    assert [clock.kind for clock in case.clocks] == [ClockKind.ACCEPT, ClockKind.RESPOND]
    assert case.next_light_at == min(clock.yellow_at for clock in case.clocks)


def test_a_dispute_without_severity_takes_the_one_of_its_category() -> None:
    assert reported(category="A0105").severity is Severity.S1
    assert reported(category="D0102").severity is Severity.S4


def test_why_a_case_is_sent_to_several_departments_is_on_record() -> None:
    asked, _ = operations.dispatch(
        reported(), plans=plans("PMC", "FIRE"), reason=" 上报人要求多部门会办 ", by=DISPATCHER, new_id=ids(), **when()
    )
    assert asked.steps[-1].remark == "PMC, FIRE: 上报人要求多部门会办"
    assert dispatched("PMC", "FIRE").steps[-1].remark == "PMC, FIRE"


def test_a_dispatch_accepts_a_reported_case_on_the_way() -> None:
    case, facts = operations.dispatch(reported(), by=DISPATCHER, new_id=ids(), **when())
    assert names(facts) == ["CaseAccepted", "CaseDispatched"]
    assert [task.department for task in case.tasks] == ["PMC", "FIRE", "UMD", "PROP"]
    assert case.route_basis.startswith("dispute_route.csv 0204")
    assert case.state is CaseState.PARALLEL


def test_a_category_that_is_not_parallel_goes_to_its_lead_alone() -> None:
    case, _ = operations.dispatch(reported(category="D0102"), by=DISPATCHER, new_id=ids(), **when())
    assert (case.state, [task.department for task in case.tasks]) == (CaseState.DISPATCHED, ["UMD"])


def test_the_lead_stands_first_whatever_the_order_of_the_request() -> None:
    backwards = list(reversed(plans("PMC", "FIRE", "UMD")))
    case, _ = operations.dispatch(reported(), plans=backwards, by=DISPATCHER, new_id=ids(), **when())
    assert case.tasks[0].department == "PMC"


def test_joint_departments_have_a_fifth_less_time() -> None:
    case = dispatched("PMC", "FIRE", "UMD")
    lead, fire, umd = (clocks.find(task.clocks, ClockKind.RESOLVE) for task in case.tasks)
    assert lead
    assert fire
    assert fire.limit_minutes * 5 == lead.limit_minutes * 4
    assert fire is umd


def test_a_task_that_is_done_before_it_was_accepted_is_accepted_by_the_same_step() -> None:
    case = dispatched("PMC", "FIRE")
    later = after_start(hours=3)
    task_id = task_of(case, "FIRE").task_id
    done, facts = operations.finish_task(case, task_id=task_id, result="ok", by=department("FIRE"), at=later, now=later)
    assert names(facts) == ["TaskCompleted"]
    assert isinstance(facts[0], TaskCompleted)
    assert (facts[0].accepted_at, facts[0].completed_at) == (later, later)
    assert task_of(done, "FIRE").accepted_at == later
    assert [step.verb for step in done.steps[len(case.steps) :]] == ["complete_task"]


def test_a_waiting_task_starts_with_its_own_clocks_when_the_others_are_done() -> None:
    case = dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]})
    assert task_of(case, "UMD").clocks == ()
    case = accepted(case, "FIRE")
    later = after_start(hours=3)
    case, facts = operations.complete_task(
        case, task_id=task_of(case, "FIRE").task_id, result="ok", by=department("FIRE"), at=later, now=later
    )
    assert names(facts) == ["TaskCompleted", "TaskAssigned"]
    started = facts[1]
    assert isinstance(started, TaskAssigned)
    assert (started.task.department, started.task.assigned_at) == ("UMD", later)
    assert {clock.started_at for clock in task_of(case, "UMD").clocks} == {later}


@pytest.mark.parametrize("verb", ["accept_case", "reject_case", "dispatch"])
def test_only_coordinators_decide_on_reports(verb: str) -> None:
    more = {"reject_case": {"reason": "x"}, "dispatch": {"new_id": ids()}}.get(verb, {})
    refused("ROLE_REQUIRED", getattr(operations, verb), reported(), by=WORKER, kind=PermissionDenied, **more, **when())


def test_a_rejection_answers_the_reporter() -> None:
    case, facts = operations.reject_case(reported(), reason="不属受理范围", by=DISPATCHER, **when(minutes=5))
    assert (case.state, case.light, case.next_light_at) == (CaseState.REJECTED, Light.UNSPECIFIED, None)
    assert names(facts) == ["CaseRejected"]
    refused("WRONG_STATE", operations.dispatch, case, by=DISPATCHER, new_id=ids(), **when())


# --------------------------------------------------------------------------------------------------------------- departments


def test_a_department_answers_on_its_clocks() -> None:
    case = dispatched("PMC", "FIRE")
    case, facts = operations.accept_task(case, task_id=case.tasks[1].task_id, by=department("FIRE"), **when(hours=1))
    assert facts[0].on_time  # type: ignore[attr-defined]
    case, _ = operations.report_progress(
        case, task_id=case.tasks[1].task_id, text="已到场", by=department("FIRE"), **when(hours=2)
    )
    met = {clock.kind: clock.met_at for clock in task_of(case, "FIRE").clocks}
    assert met == {ClockKind.ACCEPT: after_start(hours=1), ClockKind.RESPOND: after_start(hours=2), ClockKind.RESOLVE: None}


def test_a_late_answer_says_so() -> None:
    case = accepted(dispatched("PMC", "FIRE"), "FIRE")
    late = after_start(days=30)
    case, facts = operations.complete_task(
        case, task_id=case.tasks[1].task_id, result="ok", by=department("FIRE"), at=late, now=late
    )
    completed = facts[0]
    assert isinstance(completed, TaskCompleted)
    assert not completed.on_time
    assert clocks.find(task_of(case, "FIRE").clocks, ClockKind.RESOLVE).light is Light.RED  # type: ignore[union-attr]


def test_a_waiting_task_cannot_be_accepted() -> None:
    case = dispatched("PMC", "FIRE", after={"FIRE": ["PMC"]})
    refused("TASK_WAITING", operations.accept_task, case, task_id=case.tasks[1].task_id, by=department("FIRE"), **when())


def test_the_lead_of_a_parallel_case_replies_for_all() -> None:
    case = accepted(dispatched("PMC", "FIRE"), "PMC")
    task_id = case.tasks[0].task_id
    field = refused(
        "UNIFIED_REPLY_REQUIRED", operations.complete_task, case, task_id=task_id, result="x", by=department("PMC"), **when()
    )
    assert field == "unified_reply"
    given = {"task_id": task_id, "result": "x", "unified_reply": "y", "by": department("PMC"), **when()}
    assert refused("PARTIES_NOT_INFORMED", operations.complete_task, case, **given) == "parties_informed"
    told, _ = operations.complete_task(case, **given, parties_informed="电话")
    assert told.parties_informed == PartiesInformed(at=START, by="pmc-1", way="电话")
    assert (told.state, told.steps[-1].remark) == (CaseState.PARALLEL, "电话")


def test_the_only_department_of_a_case_shows_its_work() -> None:
    """workflow.yaml, handling → handled: result_text_and_photo."""
    case = accepted(dispatched("PMC"), "PMC")
    given = {"task_id": case.tasks[0].task_id, "result": "x", **when()}
    assert refused("PHOTO_REQUIRED", operations.complete_task, case, **given, by=department("PMC")) == "evidence"
    shown, _ = operations.complete_task(case, **given, by=department("PMC"), evidence=(photo(),))
    assert (shown.state, shown.tasks[0].evidence) == (CaseState.HANDLED, (photo(),))
    again, _ = operations.return_task(shown, task_id=given["task_id"], reason="不合格", by=DISPATCHER, **when())
    assert refused("PHOTO_REQUIRED", operations.complete_task, again, **given, by=department("PMC")) == "evidence"


def test_what_was_shown_elsewhere_needs_no_photograph_of_the_only_department() -> None:
    case = accepted(dispatched("PMC"), "PMC")
    given = {"task_id": case.tasks[0].task_id, "result": "x", **when()}
    assert operations.complete_task(case, **given, by=IMPORTER)[0].state is CaseState.HANDLED
    inspector = ServiceActor(subject="svc-fire-safety", department="PMC")
    assert operations.finish_task(dispatched("PMC"), **given, by=inspector)[0].state is CaseState.HANDLED


def test_a_photograph_is_asked_of_nobody_where_the_join_decides() -> None:
    """Also of a lead whose joint department was let off: the case went the parallel way."""
    case = dispatched("PMC", "FIRE")
    case, _ = operations.remove_task(case, task_id=case.tasks[1].task_id, reason="无需参与", by=DISPATCHER, **when())
    told = {"unified_reply": "y", "parties_informed": "电话"}
    case, _ = operations.complete_task(
        accepted(case, "PMC"), task_id=case.tasks[0].task_id, result="x", by=department("PMC"), **told, **when()
    )
    assert case.state is CaseState.HANDLED


@pytest.mark.parametrize(
    ("policy", "finished", "handled"),
    [
        (JoinPolicy.ALL, ["PMC", "FIRE", "UMD"], False),
        (JoinPolicy.ALL, ["PMC", "FIRE", "UMD", "PROP", "PSB"], True),
        (JoinPolicy.LEAD_PLUS_MAJORITY, ["PMC", "FIRE", "UMD"], False),
        (JoinPolicy.LEAD_PLUS_MAJORITY, ["PMC", "FIRE", "UMD", "PROP"], True),
        (JoinPolicy.LEAD_PLUS_MAJORITY, ["FIRE", "UMD", "PROP", "PSB"], False),
        (JoinPolicy.LEAD_ONLY, ["PMC"], True),
        (JoinPolicy.LEAD_ONLY, ["FIRE", "UMD", "PROP", "PSB"], False),
    ],
)
def test_join_policies(policy: JoinPolicy, finished: list[str], handled: bool) -> None:
    case = done(dispatched("PMC", "FIRE", "UMD", "PROP", "PSB", join_policy=policy), *finished)
    assert (case.state is CaseState.HANDLED) == handled


def test_what_the_policy_did_not_need_may_come_late_and_ends_with_the_case() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD", join_policy=JoinPolicy.LEAD_ONLY), "PMC")
    assert case.state is CaseState.HANDLED
    case = accepted(case, "FIRE")
    case, facts = operations.complete_task(case, task_id=case.tasks[1].task_id, result="x", by=department("FIRE"), **when())
    assert names(facts) == ["TaskCompleted"]
    case, _ = operations.close_case(verified(case), by=DISPATCHER, **when(days=1))
    assert [task.state for task in case.tasks] == ["done", "done", "removed"]
    assert (case.light, case.next_light_at) == (Light.UNSPECIFIED, None)


def test_the_critical_path_is_the_chain_that_ended_last() -> None:
    case = dispatched("PMC", "FIRE", "UMD", "PROP", after={"PROP": ["FIRE", "UMD"]})
    case = done(case, "FIRE", at=after_start(hours=1))
    case = done(case, "PMC", at=after_start(hours=2))
    case = done(case, "UMD", at=after_start(hours=3))
    case = accepted(case, "PROP", after_start(hours=4))
    case, facts = operations.complete_task(
        case, task_id=task_of(case, "PROP").task_id, result="x", by=department("PROP"), **when(hours=5)
    )
    handled = facts[-1]
    assert isinstance(handled, CaseHandled)
    assert handled.critical_path == (task_of(case, "UMD").task_id, task_of(case, "PROP").task_id)
    assert [task.department for task in case.tasks if task.critical] == ["UMD", "PROP"]
    assert {clock.kind: clock.met_at for clock in case.clocks}[ClockKind.RESOLVE] == after_start(hours=5)


# --------------------------------------------------------------------------------------------------------------- objections


def objected(case: Case, code: str, **passed: float) -> Case:
    return operations.object_task(
        case, task_id=task_of(case, code).task_id, reason="非职责", by=department(code), **when(**passed)
    )[0]


def ruled(case: Case, code: str, *, upheld: bool, to: str = "") -> tuple[Case, tuple[Any, ...]]:
    return operations.rule_objection(
        case,
        task_id=task_of(case, code).task_id,
        upheld=upheld,
        reason="裁定",
        reassign_to=to,
        by=DISPATCHER,
        new_id=lambda: "00000000-0000-7000-9000-000000000001",
        **when(hours=5),
    )


def test_an_overruled_department_has_to_accept_after_all() -> None:
    case, facts = ruled(objected(dispatched("PMC", "FIRE"), "FIRE"), "FIRE", upheld=False)
    task = task_of(case, "FIRE")
    assert (task.state, names(facts)) == ("assigned", ["ObjectionRuled"])
    accept = clocks.find(task.clocks, ClockKind.ACCEPT)
    assert accept
    assert (accept.started_at, accept.met_at) == (after_start(hours=5), None)
    refused("OBJECTION_USED", objected, case, "FIRE")


def test_an_upheld_joint_task_is_taken_out_and_may_be_all_that_was_missing() -> None:
    case = done(objected(dispatched("PMC", "FIRE"), "FIRE"), "PMC")
    assert case.state is CaseState.PARALLEL
    case, facts = ruled(case, "FIRE", upheld=True)
    assert names(facts) == ["ObjectionRuled", "CaseHandled"]
    assert [task.state for task in case.tasks] == ["done", "removed"]


def test_an_upheld_task_goes_to_another_department() -> None:
    case = objected(dispatched("PMC", "FIRE", "UMD", after={"UMD": ["FIRE"]}), "FIRE")
    case, facts = ruled(case, "FIRE", upheld=True, to="EMERG")
    assert names(facts) == ["ObjectionRuled", "TaskAssigned"]
    assert [(task.department, task.state) for task in case.tasks] == [
        ("PMC", "assigned"),
        ("EMERG", "assigned"),
        ("UMD", "waiting"),
        ("FIRE", "removed"),
    ]
    assert task_of(case, "UMD").after == (task_of(case, "EMERG").task_id,)
    # It may object too, but never hand the task back.
    case = objected(case, "EMERG", hours=6)
    for code in ("FIRE", "PMC"):
        refused("DUPLICATE_DEPARTMENT", ruled, case, "EMERG", upheld=True, to=code, kind=InvalidArgument)


def test_somebody_always_leads() -> None:
    case = objected(dispatched("PMC", "FIRE"), "PMC")
    refused("LEAD_NEEDED", ruled, case, "PMC", upheld=True, kind=FailedPrecondition)
    before = clocks.find(case.tasks[0].clocks, ClockKind.RESOLVE)
    case, _ = ruled(case, "PMC", upheld=True, to="STREET")
    assert (case.tasks[0].department, case.tasks[0].role) == ("STREET", TaskRole.LEAD)
    assert clocks.find(case.tasks[0].clocks, ClockKind.RESOLVE) == before, "a change of lead buys no time"


def test_objections_are_heard_for_a_day() -> None:
    case = dispatched("PMC", "FIRE")
    refused("OBJECTION_LATE", objected, case, "FIRE", days=2)
    petition = dispatched("PETITION", "GRID", category="J")
    assert objected(petition, "GRID", days=2).tasks[1].state == "objected"
    refused("WRONG_STATE", objected, accepted(case, "FIRE"), "FIRE")
    refused("NOT_UPHELD", ruled, objected(case, "FIRE"), "FIRE", upheld=False, to="EMERG")


# ------------------------------------------------------------------------------------------------------- checking, closing


def test_a_failed_check_reopens_only_what_failed() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD"), "PMC", "FIRE", "UMD")
    fire = task_of(case, "FIRE")
    case, facts = operations.verify_case(
        case, passed=False, text="仍堵塞", failed_task_ids=[fire.task_id], by=CHECKER, **when(days=1)
    )
    assert names(facts) == ["CaseVerified", "TaskReturned"]
    assert case.state is CaseState.REWORK
    assert [task.state for task in case.tasks] == ["done", "returned", "done"]
    returned = task_of(case, "FIRE")
    assert (returned.returns, returned.return_reason) == (1, "仍堵塞")
    resolve, before = (clocks.find(task.clocks, ClockKind.RESOLVE) for task in (returned, fire))
    assert resolve
    assert before
    assert resolve.met_at is None
    assert resolve.due_at > before.due_at, "the working time at the checkers is added"
    case, facts = operations.complete_task(
        case, task_id=fire.task_id, result="x", by=department("FIRE"), **when(days=1, hours=2)
    )
    assert names(facts) == ["TaskCompleted", "CaseHandled"]
    assert [task.critical for task in case.tasks] == [False, True, False]


def test_rework_is_over_as_soon_as_somebody_is_at_it() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD"), "PMC", "FIRE", "UMD")
    both = [task_of(case, code).task_id for code in ("FIRE", "UMD")]
    case, _ = operations.verify_case(case, passed=False, text="x", failed_task_ids=both, by=CHECKER, **when())
    assert accepted(case, "UMD").state is CaseState.PARALLEL
    alone = done(dispatched("PMC"), "PMC")
    alone, _ = operations.return_task(alone, task_id=alone.tasks[0].task_id, reason="x", by=DISPATCHER, **when())
    assert alone.state is CaseState.REWORK
    assert accepted(alone, "PMC").state is CaseState.HANDLING


def test_what_was_sent_back_is_needed_whatever_the_policy() -> None:
    case = done(dispatched("PMC", "FIRE", join_policy=JoinPolicy.LEAD_ONLY), "FIRE", "PMC")
    case, _ = operations.return_task(case, task_id=task_of(case, "FIRE").task_id, reason="x", by=DISPATCHER, **when())
    assert case.state is CaseState.REWORK
    assert done(case, "FIRE").state is CaseState.HANDLED


def test_only_the_lead_department_may_send_back_what_others_did() -> None:
    case = done(dispatched("PMC", "FIRE", "UMD"), "FIRE")
    task_id = task_of(case, "FIRE").task_id
    other = department("UMD", lead=True)
    refused("OTHER_DEPARTMENT", operations.return_task, case, task_id=task_id, reason="x", by=other, **when())
    case, facts = operations.return_task(case, task_id=task_id, reason="x", by=department("PMC", lead=True), **when())
    assert (case.state, names(facts)) == (CaseState.PARALLEL, ["TaskReturned"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"by": Caller("fire-1", roles=frozenset({"GRID_SUPERVISOR"}))}, "VERIFIER_HANDLED_IT"),
        ({"by": DISPATCHER}, "ROLE_REQUIRED"),
        ({"photos": ()}, "PHOTO_REQUIRED"),
        ({"photos": (photo(None),)}, "PHOTO_REQUIRED"),
        ({"photos": (photo(Point(PLACE.longitude, PLACE.latitude + 0.0005)),)}, "PHOTO_TOO_FAR"),
        ({"failed_task_ids": ["x"]}, "FAILED_TASKS"),
        ({"passed": False, "failed_task_ids": []}, "FAILED_TASKS"),
    ],
)
def test_checks_that_are_none(changes: dict[str, Any], reason: str) -> None:
    case = done(dispatched("PMC", "FIRE"), "PMC", "FIRE")
    given = {"passed": True, "photos": (photo(),), "by": CHECKER} | changes
    refused(reason, operations.verify_case, case, **given, **when())


def test_fifty_metres() -> None:
    north = Point(PLACE.longitude, PLACE.latitude + 50 / 111_195)
    assert policies.distance_m(PLACE, north) == pytest.approx(50, abs=0.01)
    assert policies.distance_m(Point(179.9999, 0), Point(-179.9999, 0)) == pytest.approx(22.2, abs=0.1)


def test_a_photo_taken_before_is_a_place_too() -> None:
    shed = Point(PLACE.longitude + 0.01, PLACE.latitude)
    case = done(dispatched("PMC", photos=(photo(shed),)), "PMC")
    checked, _ = operations.verify_case(case, passed=True, photos=(photo(shed),), by=CHECKER, **when())
    assert checked.state is CaseState.VERIFIED


def test_imports_repeat_checks_made_elsewhere() -> None:
    case = done(dispatched("PMC"), "PMC")
    assert operations.verify_case(case, passed=True, by=IMPORTER, **when())[0].state is CaseState.VERIFIED

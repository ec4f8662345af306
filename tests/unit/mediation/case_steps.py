"""Cases on every way, each step in one call, for the tests of guards. Pure."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from mediation import history, operations
from mediation.domain import (
    Actor,
    Case,
    EntryKind,
    LegalRoute,
    Point,
    TaskPlan,
    TaskRole,
    Visibility,
)
from svckit.access import Caller

from .builders import (
    CHECKER,
    DISPATCHER,
    GRID_CODE,
    RESIDENT,
    WORKER,
    accepted,
    after_start,
    department,
    dispatched,
    done,
    ids,
    photo,
    reported,
    verified,
    when,
)

LEAD = department("PMC", lead=True)
# The people who rule here bear the names of those who asked.
SAME_AS_FIRE = Caller("fire-1", roles=frozenset({"DISPATCHER"}), area="420502")
CENTRE = Caller("centre-1", roles=frozenset({"STREET_CENTER"}), area="420502001")
AWAY = Point(111.2865, 30.6929)
SAY = "This has to be said in words."
NOTICE: dict[str, Any] = {
    "route": LegalRoute.COURT,
    "authority": "西陵区人民法院",
    "notice": "调解不成,告知诉讼权利",
    "remedies": ["民事诉讼"],
    "reason": "一方拒绝调解",
}


def two() -> Case:
    return dispatched("PMC", "FIRE")


def both_done() -> Case:
    return done(two(), "FIRE", "PMC")


def task_verb(verb: str, case: Case, code: str, by: Actor, **fields: Any) -> Any:
    task = next(task for task in case.tasks if task.department == code)
    return getattr(operations, verb)(case, task_id=task.task_id, by=by, **(when() | fields))[0]


def taken_in(**fields: Any) -> Case:
    return operations.accept_case(reported(**fields), by=DISPATCHER, **when())[0]


def drafted(**fields: Any) -> Case:
    given: dict[str, Any] = {
        "case_id": "01930000-0000-7000-8000-0000000000d1",
        "number": "420502-2026-000009",
        "by": WORKER,
        **when(),
    }
    return operations.draft_case(**(given | fields))[0]


def submitted(draft: Case, **fields: Any) -> Any:
    given: dict[str, Any] = {"by": WORKER, "area_code": GRID_CODE} | when() | fields
    return operations.submit_case(draft, **given)


def returned() -> Case:
    return operations.send_back_case(reported(), reason="缺照片", by=DISPATCHER, **when())[0]


def self_handled() -> Case:
    return operations.handle_case(taken_in(), by=WORKER, **when())[0]


def suspended(case: Case | None = None, **fields: Any) -> Case:
    given: dict[str, Any] = {"reason": "待检测", "until": after_start(hours=20), "by": DISPATCHER, **when()} | fields
    return operations.suspend_case(case or accepted(two(), "PMC"), **given)[0]


def resumed() -> Case:
    return operations.resume_case(suspended(), by=DISPATCHER, **when())[0]


def closed(rating: int = 0) -> Case:
    case = verified(done(dispatched("PMC", "FIRE", by=RESIDENT), "FIRE", "PMC"))
    case = operations.close_case(case, by=DISPATCHER, **when())[0]
    return operations.evaluate_case(case, rating=rating, by=RESIDENT, **when())[0] if rating else case


def reopened(case: Case, **fields: Any) -> Case:
    return operations.reopen_case(case, **({"reason": "确未清理", "by": DISPATCHER, **when()} | fields))[0]


def objected(case: Case, code: str = "FIRE", **passed: float) -> Case:
    return task_verb("object_task", case, code, department(code), reason="x", **when(**passed))


def ruled(case: Case, code: str = "FIRE", **fields: Any) -> Case:
    given: dict[str, Any] = {"upheld": True, "reason": "x", "new_id": ids(), "by": DISPATCHER} | fields
    return task_verb("rule_objection", case, code, **given)


def exempted(case: Case, code: str = "FIRE", by: Actor = LEAD) -> Case:
    return task_verb("propose_exemption", case, code, by, reason="x")


def more_time(case: Case, **fields: Any) -> Case:
    given: dict[str, Any] = {"by": department("FIRE"), "minutes": 300, "reason": "x"} | fields
    return task_verb("request_extension", case, "FIRE", **given)


def answered(verb: str, case: Case, by: Actor = DISPATCHER) -> Any:
    return task_verb(verb, case, "FIRE", by, approved=True, reason="x")


def added(*new: TaskPlan, case: Case | None = None) -> Any:
    return operations.add_tasks(case or two(), plans=new, by=DISPATCHER, new_id=ids(), **when())


def joint(code: str, *after: str, key: str = "") -> TaskPlan:
    return TaskPlan(department=code, role=TaskRole.JOINT, key=key, after=after)


def sent(*planned: TaskPlan) -> Any:
    return operations.dispatch(reported(), plans=planned, by=DISPATCHER, new_id=ids(), **when())


def led(case: Case, code: str, **fields: Any) -> Case:
    given: dict[str, Any] = {"department": code, "reason": "x", "by": DISPATCHER, "new_id": ids(), **when()} | fields
    return operations.change_lead(case, **given)[0]


def completed(**fields: Any) -> Any:
    return task_verb("complete_task", accepted(two(), "PMC"), "PMC", department("PMC"), **({"result": "x"} | fields))


def completed_alone(**fields: Any) -> Any:
    case = accepted(dispatched("PMC"), "PMC")
    return task_verb("complete_task", case, "PMC", department("PMC"), **({"result": "x", "evidence": (photo(),)} | fields))


def checked(case: Case, **fields: Any) -> Any:
    return operations.verify_case(case, **({"passed": True, "photos": (photo(),), "by": CHECKER, **when()} | fields))


def merged(case: Case, parent: Case) -> Any:
    return operations.merge_case(case, parent=parent, by=DISPATCHER, **when())


def other_case(**fields: Any) -> Case:
    return reported(case_id="01930000-0000-7000-8000-000000000002", number="420502-2026-000002", **fields)


def written(case: Case, by: Actor = DISPATCHER, visibility: Visibility = Visibility.DEPARTMENTS, **fields: Any) -> Case:
    given: dict[str, Any] = {"entry_id": "e", "kind": EntryKind.NOTE, "text": "x", **when()} | fields
    return operations.add_entry(case, by=by, visibility=visibility, **given)[0]


def noted(case: Case, **fields: Any) -> Case:
    return task_verb("report_progress", case, "FIRE", department("FIRE"), **({"text": "x"} | fields))


def with_notes(count: int, attachments: int = 0) -> Case:
    case = noted(accepted(two(), "FIRE"), attachments=(photo(),) * attachments)
    tasks = tuple(replace(task, progress=task.progress * count) for task in case.tasks)
    return replace(case, tasks=tasks)


def entries(count: int, attachments: int = 0) -> Case:
    case = written(two(), attachments=(photo(),) * attachments)
    return replace(case, workspace=case.workspace * count)


def full_history() -> Case:
    case = two()
    return replace(case, steps=case.steps[:1] * history.MOST_IN_CASE)


def transferred(by: Actor = LEAD, **fields: Any) -> Any:
    return operations.transfer_case(accepted(dispatched("PMC"), "PMC"), **(NOTICE | fields), by=by, **when())


def result_of(**fields: Any) -> Any:
    return operations.report_result(
        self_handled(), **({"result": "x", "evidence": (photo(),), "by": WORKER, **when()} | fields)
    )


def reason_left_out(verb: str, case: Case, **fields: Any) -> Any:
    return getattr(operations, verb)(case, reason=" ", by=DISPATCHER, **when(), **fields)

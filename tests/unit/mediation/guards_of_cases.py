"""Every guard of reports and of who sees a case, as rows."""

from __future__ import annotations

from msgspec.structs import replace

from mediation import operations, policies
from mediation.domain import (
    CaseState,
)
from mediation.policies.access import check_department_code
from svckit.access import Caller

from .builders import (
    IMPORTER,
    RESIDENT,
    START,
    WORKER,
    accepted,
    after_start,
    department,
    photo,
    reported,
    when,
)
from .case_steps import (
    SAY,
    both_done,
    drafted,
    full_history,
    merged,
    noted,
    other_case,
    reason_left_out,
    returned,
    submitted,
    taken_in,
    task_verb,
    two,
)
from .guarding import Guard

ACCESS = (
    Guard(
        "a case of another area",
        "CASE_NOT_FOUND",
        "Case 01930000-0000-7000-8000-000000000001 does not exist.",
        lambda: policies.check_visible(reported(), Caller("x", roles=frozenset({"DISPATCHER"}), area="510104")),
    ),
    Guard(
        "a case that changed meanwhile",
        "STALE_REVISION",
        "The case is at revision 3, not 2: read it again.",
        lambda: policies.check_revision(replace(reported(), revision=3), 2),
    ),
    Guard(
        "a time to come",
        "IN_FUTURE",
        "This time lies in the future.",
        lambda: policies.check_happened_at(IMPORTER, after_start(hours=1), now=START),
        "happened_at",
    ),
    Guard(
        "a photograph from the time to come",
        "IN_FUTURE",
        "This time lies in the future.",
        lambda: policies.check_taken([replace(photo(), taken_at=after_start(seconds=3))], field="photos", now=START),
        "photos[0].taken_at",
    ),
    Guard(
        "an earlier time that is no import's",
        "HAPPENED_AT_NOT_ALLOWED",
        "Only an import may say when this happened.",
        lambda: policies.check_happened_at(WORKER, after_start(hours=-1), now=START),
    ),
    Guard(
        "a report older than a week",
        "TOO_OLD",
        "A report may be at most 7 days old.",
        lambda: policies.check_happened_at(WORKER, after_start(days=-8), now=START, offline=True),
        "happened_at",
    ),
    Guard(
        "a role the table does not name",
        "ROLE_REQUIRED",
        "accept_case is for DISPATCHER, GRID_SUPERVISOR, STREET_CENTER.",
        lambda: operations.accept_case(reported(), by=WORKER, **when()),
    ),
    Guard("no such task", "TASK_NOT_FOUND", "The case has no such task.", lambda: policies.find_task(two(), "nope")),
    Guard(
        "another department's task",
        "OTHER_DEPARTMENT",
        "This task belongs to another department.",
        lambda: task_verb("accept_task", two(), "FIRE", department("UMD")),
    ),
    Guard(
        "a department of no table",
        "UNKNOWN_DEPARTMENT",
        "Department 'NASA' is not in department.csv.",
        lambda: check_department_code("NASA", field="department"),
        "department",
    ),
    Guard(
        "the tasks of all departments, asked by nobody's",
        "OTHER_DEPARTMENT",
        "Only coordinators and supervision may look at the tasks of all departments.",
        lambda: policies.department_shown(RESIDENT, ""),
    ),
    Guard(
        "the tasks of another department",
        "OTHER_DEPARTMENT",
        "These are the tasks of another department.",
        lambda: policies.department_shown(department("FIRE"), "UMD"),
    ),
    Guard(
        "a joint department sends back",
        "OTHER_DEPARTMENT",
        "Only the lead department of a case may send tasks back.",
        lambda: task_verb("return_task", both_done(), "PMC", department("FIRE", lead=True), reason="x"),
    ),
)


REPORTING = (
    Guard(
        "a category of no table",
        "UNKNOWN_CATEGORY",
        "Category 'Z99' is in no code table.",
        lambda: reported(category="Z99"),
        "category",
    ),
    Guard(
        "a source of no table",
        "UNKNOWN_SOURCE",
        "Source '77' is not in event_source.csv.",
        lambda: reported(source="77"),
        "source",
    ),
    Guard(
        "a report from nowhere",
        "PLACE_REQUIRED",
        "A case needs a point or an area code.",
        lambda: reported(point=None, area_code=""),
        "point",
    ),
    Guard(
        "a draft without words",
        "DESCRIPTION_REQUIRED",
        SAY,
        lambda: submitted(drafted(category="L")),
        "description",
    ),
    Guard(
        "a draft of somebody else",
        "NOT_REPORTER",
        "Only whoever reported this case may do this.",
        lambda: submitted(drafted(), by=Caller("worker-2", roles=WORKER.roles, area=WORKER.area)),
    ),
    Guard(
        "too many photographs",
        "TOO_MANY_PHOTOS",
        "A case holds at most 60 photographs.",
        lambda: submitted(drafted(photos=(photo(),) * 60, category="L", description="x"), photos=(photo(),)),
        "photos",
    ),
    Guard(
        "sent back without a reason",
        "REASON_REQUIRED",
        SAY,
        lambda: reason_left_out("send_back_case", reported()),
        "reason",
    ),
    Guard(
        "nothing new was added",
        "NOTHING_ADDED",
        SAY,
        lambda: operations.resubmit_case(returned(), by=WORKER, **when()),
        "description",
    ),
    Guard(
        "more facts from somebody else",
        "NOT_REPORTER",
        "Only whoever reported this case may do this.",
        lambda: operations.resubmit_case(
            returned(), remark="x", by=Caller("w2", roles=WORKER.roles, area=WORKER.area), **when()
        ),
    ),
    Guard("rejected without a reason", "REASON_REQUIRED", SAY, lambda: reason_left_out("reject_case", reported()), "reason"),
    Guard(
        "merged into itself",
        "SAME_CASE",
        "A case is not merged into itself.",
        lambda: merged(reported(), reported()),
        "into",
    ),
    Guard(
        "merged across cities",
        "OTHER_CITY",
        "The cases lie in different cities.",
        lambda: merged(reported(), other_case(area_code="51010400100310001")),
        "into",
    ),
    Guard(
        "merged into what is over",
        "PARENT_NOT_OPEN",
        "Nobody works on a case that is closed.",
        lambda: merged(reported(), replace(other_case(), state=CaseState.CLOSED)),
    ),
    Guard(
        "merged into the later report",
        "PARENT_YOUNGER",
        "The later report is merged into the earlier one.",
        lambda: merged(reported(), other_case()),
    ),
    Guard(
        "withdrawn by somebody else",
        "NOT_REPORTER",
        "Only whoever reported this case may do this.",
        lambda: operations.withdraw_case(taken_in(), reason="x", by=RESIDENT, **when()),
    ),
    Guard(
        "located in another city",
        "OTHER_CITY",
        "This area lies in another city.",
        lambda: operations.locate_case(reported(area_code="420502"), area_code="510104", by=IMPORTER, **when()),
    ),
    Guard(
        "a history that is not archived",
        "HISTORY_FULL",
        "The history of this case is being archived: try again shortly.",
        lambda: noted(accepted(full_history(), "FIRE")),
    ),
)

GUARDS = (*ACCESS, *REPORTING)

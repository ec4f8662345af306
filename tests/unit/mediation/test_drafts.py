"""Before a case is accepted: drafts of offline devices, and cases sent back for more facts."""

from __future__ import annotations

from typing import Any

import pytest

from mediation import calendar, operations, policies
from mediation.domain import Case, CaseState, ClockKind
from svckit.access import Caller
from svckit.errors import PermissionDenied

from .builders import (
    DISPATCHER,
    GRID_CODE,
    PLACE,
    WORKER,
    after_start,
    names,
    photo,
    refused,
    reported,
    when,
)
from .case_steps import CENTRE, taken_in

DRAFT_ID = "01930000-0000-7000-8000-0000000000d1"


def drafted(**fields: Any) -> Case:
    given = {"case_id": DRAFT_ID, "number": "420502-2026-000009", "by": WORKER, **when()}
    return operations.draft_case(**(given | fields))[0]


def clock(case: Case, kind: ClockKind) -> Any:
    return next(clock for clock in case.clocks if clock.kind is kind)


class TestDrafts:
    def test_a_draft_needs_nothing_and_nothing_runs(self) -> None:
        draft = drafted()
        assert draft.state is CaseState.DRAFT
        assert draft.clocks == ()
        assert draft.next_light_at is None

    def test_what_is_there_must_be_right(self) -> None:
        assert refused("UNKNOWN_CATEGORY", drafted, category="Z99") == "category"
        assert refused("UNKNOWN_SOURCE", drafted, source="77") == "source"

    def test_submitted_it_is_a_report(self) -> None:
        draft = drafted(description="楼道堆物", category="A0204", photos=(photo(),))
        case, facts = operations.submit_case(
            draft, area_code=GRID_CODE, point=PLACE, photos=(photo(),), by=WORKER, **when(hours=2)
        )
        assert names(facts) == ["CaseReported"]
        assert (case.state, case.city, case.reported_at) == (CaseState.REPORTED, "4205", after_start(hours=2))
        assert len(case.photos) == 2
        assert {each.kind for each in case.clocks} == {ClockKind.ACCEPT, ClockKind.RESPOND}
        assert all(each.started_at == after_start(hours=2) for each in case.clocks)

    def test_a_changed_category_brings_its_usual_severity(self) -> None:
        draft = drafted(category="L", description="x")
        case = operations.submit_case(draft, category="A0204", area_code=GRID_CODE, by=WORKER, **when())[0]
        assert case.severity == reported().severity

    @pytest.mark.parametrize(
        ("reason", "field", "fields"),
        [
            ("UNKNOWN_CATEGORY", "category", {"description": "x", "area_code": GRID_CODE}),
            ("DESCRIPTION_REQUIRED", "description", {"category": "L", "area_code": GRID_CODE, "description": " "}),
            ("PLACE_REQUIRED", "point", {"category": "L", "description": "x"}),
        ],
    )
    def test_a_report_needs_more_than_a_draft(self, reason: str, field: str, fields: dict[str, Any]) -> None:
        assert refused(reason, operations.submit_case, drafted(), by=WORKER, **fields, **when()) == field

    def test_too_many_photographs(self) -> None:
        draft = drafted(photos=(photo(),) * 60, category="L", description="x")
        assert refused("TOO_MANY_PHOTOS", operations.submit_case, draft, photos=(photo(),), by=WORKER, **when()) == "photos"

    def test_a_draft_is_its_authors(self) -> None:
        other = replace_subject(WORKER, "worker-2")
        refused("NOT_REPORTER", operations.submit_case, drafted(), by=other, **when(), kind=PermissionDenied)
        assert policies.can_see(drafted(), WORKER)
        assert not policies.can_see(drafted(), DISPATCHER)
        assert not policies.can_see(drafted(), replace_area(DISPATCHER, ""))


def replace_subject(caller: Caller, subject: str) -> Caller:
    return Caller(subject, roles=caller.roles, area=caller.area, department=caller.department)


def replace_area(caller: Caller, area: str) -> Caller:
    return Caller(caller.subject, roles=caller.roles, area=area)


class TestMoreFacts:
    def returned(self) -> Case:
        return operations.send_back_case(reported(), reason="缺照片", by=DISPATCHER, **when(hours=1))[0]

    def test_work_clocks_stand_still_meanwhile(self) -> None:
        case = self.returned()
        assert case.state is CaseState.RETURNED
        assert case.next_light_at is None
        due = clock(reported(), ClockKind.ACCEPT).due_at
        back, facts = operations.resubmit_case(case, photos=(photo(),), by=WORKER, **when(hours=3))
        assert names(facts) == ["CaseResubmitted"]
        assert back.state is CaseState.REPORTED
        away = calendar.minutes_between(
            after_start(hours=1), after_start(hours=3), calendar=clock(back, ClockKind.ACCEPT).calendar
        )
        left = calendar.minutes_between(
            due, clock(back, ClockKind.ACCEPT).due_at, calendar=clock(back, ClockKind.ACCEPT).calendar
        )
        assert left == away

    def test_guards(self) -> None:
        refused("REASON_REQUIRED", operations.send_back_case, reported(), reason=" ", by=DISPATCHER, **when())
        refused("ROLE_REQUIRED", operations.send_back_case, reported(), reason="x", by=WORKER, **when())
        refused("WRONG_STATE", operations.send_back_case, taken_in(), reason="x", by=DISPATCHER, **when())
        refused(
            "NOT_REPORTER", operations.resubmit_case, self.returned(), remark="x", by=replace_subject(WORKER, "w2"), **when()
        )
        refused("NOTHING_ADDED", operations.resubmit_case, self.returned(), by=WORKER, **when())
        refused("WRONG_STATE", operations.resubmit_case, reported(), remark="x", by=WORKER, **when())

    def test_facts_that_never_come_are_a_reason_to_refuse(self) -> None:
        case, facts = operations.reject_case(self.returned(), reason="逾期未补充", by=CENTRE, **when(hours=30))
        assert (case.state, names(facts)) == (CaseState.REJECTED, ["CaseRejected"])

"""Drafts that are thrown away: nothing is kept, nobody hears of it, and only their author may."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import msgspec

from mediation import history, operations, policies
from mediation.domain import Case, CaseState, Reporter

from .builders import PLACE, WORKER, department, photo, refused, reported, when


def draft() -> Case:
    return operations.draft_case(
        case_id="01930000-0000-7000-8000-000000000009",
        number="420502-2026-000009",
        by=WORKER,
        category="A0204",
        description="路面破损",
        point=PLACE,
        address="学院街3号",
        photos=(photo(),),
        reporter_name="王小明",
        reporter_phone="13812345678",
        **when(),
    )[0]


def test_nothing_is_kept_and_nobody_hears_of_it() -> None:
    case, facts = operations.discard_draft(draft(), by=WORKER, **when(hours=1))
    assert (case.state, facts) == (CaseState.WITHDRAWN, ())
    assert (case.category, case.description, case.address, case.point, case.photos) == ("", "", "", None, ())
    assert case.reporter == Reporter(subject="")
    assert not policies.can_see(case, WORKER)
    stored = {**msgspec.to_builtins(case, builtin_types=(datetime,)), "_id": case.case_id}
    assert history.flaw_of(stored, stored["steps"]) is None


def test_only_its_author_may_and_only_while_it_is_a_draft() -> None:
    other = replace(WORKER, subject="worker-2")
    refused("NOT_REPORTER", operations.discard_draft, draft(), by=other, **when())
    refused("ROLE_REQUIRED", operations.discard_draft, draft(), by=department("FIRE"), **when())
    refused("WRONG_STATE", operations.discard_draft, reported(), by=WORKER, **when())
    gone = operations.discard_draft(draft(), by=WORKER, **when())[0]
    refused("WRONG_STATE", operations.submit_case, gone, by=WORKER, description="x", **when(hours=1))

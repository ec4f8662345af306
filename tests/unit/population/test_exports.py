"""Who may export what, and when somebody else has to agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import duckdb
import msgspec
import pytest
from binglian.options.v1 import options_pb2
from binglian.population.v1 import resident_pb2

from population.crosscheck.reporting import HARMLESS
from population.domain.job import ExportSpec, FileFormat, Job, JobKind, JobState
from population.exports.shown import hidden_from
from population.exports.work import written
from population.operations.jobs import approve_job, begin_job, hand_over_job, resume_job
from population.policies.jobs import (
    EXPORTED,
    MOST_ATTEMPTS,
    NOT_APPROVED,
    PERSONAL,
    check_download,
    check_export,
    needs_approval,
)
from population.privacy.restrictions import Restrictions
from svckit.access import Caller
from svckit.errors import InvalidArgument, PermissionDenied, Unavailable
from svckit.masking import sensitivity_of

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def spec(*fields: str, in_full: bool = False) -> ExportSpec:
    return ExportSpec(fields=fields, format=FileFormat.CSV, in_full=in_full)


def job(**fields: Any) -> Job:
    asked: dict[str, Any] = {
        "city": "4205",
        "area_code": "4205",
        "purpose": "P11",
        "legal_basis": "协议",
        "started_by": "steward",
    }
    stands = {
        "kind": JobKind.EXPORT,
        "state": JobState.FAILED,
        "export_spec": spec("name"),
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Job(job_id="j", **asked | stands | fields)


def caller(subject: str, purpose: str = "P11") -> Caller:
    return Caller(subject=subject, name="", roles=frozenset({"DATA_STEWARD"}), area="4205", purpose=purpose)


def test_the_fields_that_are_personal_are_those_the_proto_marks() -> None:
    known = resident_pb2.Resident.DESCRIPTOR.fields_by_name
    assert {name for name in EXPORTED if sensitivity_of(known[name]) >= options_pb2.SENSITIVITY_L2} == PERSONAL


@pytest.mark.parametrize(
    ("purpose", "hidden"), [("P11", set()), ("P02", {"id_number"}), ("P09", {"id_number"}), ("", set(PERSONAL))]
)
def test_what_a_purpose_does_not_show(purpose: str, hidden: set[str]) -> None:
    assert hidden_from(purpose, [*EXPORTED, "nonsense"]) == hidden


def test_in_full_only_what_the_purpose_shows() -> None:
    check_export(spec("name", "id_number"), hidden={"id_number"}, purpose="P11")
    with pytest.raises(PermissionDenied) as refusal:
        check_export(spec("name", "id_number", in_full=True), hidden={"id_number"}, purpose="P11")
    assert (refusal.value.reason, refusal.value.field) == ("PURPOSE_NOT_ALLOWED", "export_spec.in_full")
    with pytest.raises(InvalidArgument, match="can be exported"):
        check_export(spec("nonsense"), hidden=(), purpose="P11")


def test_a_roll_of_voters_is_for_an_election_only() -> None:
    roll = msgspec.structs.replace(spec("name"), election_day="2026-11-03")
    check_export(roll, hidden=(), purpose="P09")
    with pytest.raises(PermissionDenied) as refusal:
        check_export(roll, hidden=(), purpose="P02")
    assert refusal.value.reason == "PURPOSE_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("asked", "rows", "needed"),
    [
        (spec("name"), 500, False),
        (spec("name"), 501, True),
        (spec("resident_type", in_full=True), 10_000, False),
        (spec("name", in_full=True), 1, True),
    ],
)
def test_when_somebody_else_has_to_agree(asked: ExportSpec, rows: int, needed: bool) -> None:
    assert needs_approval(asked, rows=rows) is needed


@pytest.mark.parametrize("why", [{"needs_approval": True, "state": JobState.CANCELLED}, {"failure_reason": NOT_APPROVED}])
def test_what_nobody_approved_waits_again_when_it_is_resumed(why: dict[str, Any]) -> None:
    resumed, _ = resume_job(job(**why), now=NOW)
    assert resumed.state is JobState.AWAITING_APPROVAL
    approved, _ = approve_job(resumed, by=caller("dpo"), now=NOW)
    assert approved.state is JobState.QUEUED
    again, _ = resume_job(job(**why, approved_by="dpo"), now=NOW)
    assert again.state is JobState.QUEUED


@pytest.mark.parametrize(
    ("by", "reason"), [(caller("another"), "EXPORT_OF_OTHERS"), (caller("steward", "P02"), "PURPOSE_NOT_ALLOWED")]
)
def test_what_was_written_for_somebody_else_or_something_else(by: Caller, reason: str) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        check_download(job(), by=by, purpose=by.purpose)
    assert refusal.value.reason == reason


def test_reports_of_other_jobs_are_for_colleagues_too() -> None:
    check_download(job(kind=JobKind.CROSS_CHECK), by=caller("another"), purpose="P11")


def test_nothing_in_a_workbook_is_a_formula() -> None:
    assert [written(value) for value in ("=1+1", "王\x01小明", "-1", "")] == ["'=1+1", "王小明", "-1", ""]


def test_references_of_departments_are_no_formulas_either() -> None:
    told = "SELECT " + HARMLESS.format("x") + " FROM (VALUES ('=1+1'), ('@a'), ('P-1'), (NULL)) AS t(x)"
    assert [row[0] for row in duckdb.sql(told).fetchall()] == ["'=1+1", "'@a", "P-1", None]


async def test_nobody_is_shown_before_it_is_known_whose_data_are_restricted() -> None:
    class Marks:
        def find(self, *_: Any) -> AsyncIterator[dict[str, Any]]:
            async def rows() -> AsyncIterator[dict[str, Any]]:
                yield {"_id": "r1", "restricted": True, "reason": "R4", "changed_at": NOW}
                yield {"_id": "r2", "restricted": True, "reason": "R5", "changed_at": NOW}
                yield {"_id": "r3", "restricted": False, "reason": "", "changed_at": NOW}

            return rows()

    restrictions = Restrictions(Marks())  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        restrictions.now("P01")
    await restrictions.refresh()
    assert restrictions.now("P01") == {"r1", "r2"}
    assert restrictions.now("P09") == {"r1"}, "the roll of voters is a duty by law, which an objection (R5) does not stop"


def test_updates_of_the_service_do_not_count_against_a_job() -> None:
    running = job(state=JobState.QUEUED)
    for _ in range(3 * MOST_ATTEMPTS):
        running, _none = begin_job(running, now=NOW)
        assert running.state is JobState.RUNNING
        running, _none = hand_over_job(running, now=NOW)
    for _ in range(MOST_ATTEMPTS):  # workers that die do
        running, _none = begin_job(running, now=NOW)
    assert begin_job(running, now=NOW)[0].failure_reason == "WORKERS_LOST"

"""Rows of departments' files: mapped, checked as the streams check, refused with field and reason, never with a value."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from population.department_feed import DepartmentRecord
from population.domain.job import FeedKind, FeedSpec, Job, JobKind, JobSource, JobState
from population.domain.life_event import Consent, LifeEventReport
from population.feeds.rows import Rows, mapping_of
from population.imports.mapping import RowError
from population.policies.jobs import check_feed, check_folder, may_see
from svckit.access import Caller
from svckit.errors import InvalidArgument, PermissionDenied, ServiceError

RECORDS = {"columns": {"证号": "id_number", "姓名": "name", "电话": "phone", "截至": "as_of"}}
EVENTS = {
    "columns": {"证号": "id_number", "日期": {"field": "occurred_on", "format": "%Y/%m/%d"}, "备注": "detail", "序": "ordinal"},
    "constants": {"rule": "LE02", "consent": "statutory"},
}
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def rows_of(kind: FeedKind, mapping: dict[str, Any]) -> Rows:
    return Rows(kind, mapping_of(kind, json.dumps(mapping)))


def record(**cells: str) -> dict[str, str]:
    return {"证号": "99000019600101001X", "姓名": "王小明", "电话": "", "截至": ""} | cells


def event(**cells: str) -> dict[str, str]:
    return {"证号": "99000019600101001X", "日期": "2026/03/01", "备注": "", "序": ""} | cells


def test_a_row_becomes_a_record() -> None:
    rows = rows_of(FeedKind.RECORDS, RECORDS)
    told = rows.read(record(电话="138-0000-0001", 截至="2026-03-01"), 1)
    assert isinstance(told, DepartmentRecord)
    assert [(one.field, one.value) for one in told.fields] == [("name", "王小明"), ("phone", "138-0000-0001")]
    assert told.as_of == dt.datetime(2026, 3, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def test_a_row_becomes_a_life_event() -> None:
    told = rows_of(FeedKind.LIFE_EVENTS, EVENTS).read(event(序="2"), 1)
    assert isinstance(told, LifeEventReport)
    assert (told.rule, told.occurred_on, told.ordinal, told.consent) == ("LE02", "2026-03-01", 2, Consent.STATUTORY)


@pytest.mark.parametrize(
    ("kind", "mapping", "row", "field", "reason"),
    [
        (FeedKind.RECORDS, RECORDS, record(证号=""), "id_number", ""),
        (FeedKind.RECORDS, RECORDS, record(姓名="吸毒人员王五"), "name", "RESTRICTED_CONTENT"),
        (FeedKind.RECORDS, RECORDS, record(截至="gestern"), "as_of", "DATE_INVALID"),
        (FeedKind.LIFE_EVENTS, EVENTS, event(日期="1.3.2026"), "occurred_on", "DATE_INVALID"),
        (FeedKind.LIFE_EVENTS, EVENTS, event(序="x"), "ordinal", "VALUE_INVALID"),
        (FeedKind.LIFE_EVENTS, {**EVENTS, "constants": {"rule": "LEXX"}}, event(), "rule", ""),
        (FeedKind.LIFE_EVENTS, {**EVENTS, "constants": {"rule": "LE02", "consent": "yes"}}, event(), "consent", "CODE_UNKNOWN"),
    ],
)
def test_a_wrong_row_is_refused_at_its_field(
    kind: FeedKind, mapping: dict[str, Any], row: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(RowError) as refusal:
        rows_of(kind, mapping).read(row, 1)
    assert refusal.value.field == field
    assert refusal.value.reason == (reason or refusal.value.reason)
    assert not any(value in refusal.value.message for value in row.values() if len(value) > 3)


def test_a_department_has_one_record_of_a_person() -> None:
    rows = rows_of(FeedKind.RECORDS, RECORDS)
    rows.skip(record(), 1)
    with pytest.raises(RowError) as refusal:
        rows.read(record(证号="99000019600101001x", 姓名="王大明"), 2)
    assert (refusal.value.field, refusal.value.reason) == ("id_number", "ID_NUMBER_TWICE")


def test_of_life_events_only_equal_rows_are_the_same() -> None:
    rows = rows_of(FeedKind.LIFE_EVENTS, EVENTS)
    rows.read(event(), 1)
    rows.read(event(日期="2026/02/01"), 2)
    with pytest.raises(RowError) as refusal:
        rows.read(event(), 3)
    assert refusal.value.reason == "ROW_TWICE"


@pytest.mark.parametrize(
    ("kind", "mapping", "reason"),
    [
        (FeedKind.RECORDS, {"columns": {"姓名": "name"}}, "FIELD_MISSING"),
        (FeedKind.RECORDS, {"columns": {"证号": "id_number"}}, "FIELD_MISSING"),
        (FeedKind.RECORDS, {"columns": {"证号": "id_number", "住址": "address"}}, "FIELD_UNKNOWN"),
        (FeedKind.LIFE_EVENTS, {"columns": {"证号": "id_number", "日期": "occurred_on"}}, "FIELD_MISSING"),
        (FeedKind.LIFE_EVENTS, {"columns": {"宗教信仰": "detail"}}, "FIELD_EXCLUDED"),
    ],
)
def test_mappings_that_cannot_be_used(kind: FeedKind, mapping: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        mapping_of(kind, json.dumps(mapping))
    assert (refusal.value.reason, refusal.value.field) == (reason, "feed_spec.mapping")


@pytest.mark.parametrize("roles", [("DEPT_HANDLER",), ("DEPT_HANDLER", "DEPT_LEAD", "GRID_WORKER")])
def test_files_of_the_folder_are_not_for_departments(roles: tuple[str, ...]) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        check_folder(JobSource(name="a.csv"), roles=roles, field="x.name")
    assert (refusal.value.reason, refusal.value.field) == ("FILE_OF_OTHERS", "x.name")
    check_folder(JobSource(file_id="f1"), roles=roles, field="x.name")
    for operator in ("DATA_STEWARD", "IMPORTER", "SERVICE"):
        check_folder(JobSource(name="a.csv"), roles=(*roles, operator), field="x.name")


@pytest.mark.parametrize(
    ("kind", "department", "purpose", "reason"),
    [
        (FeedKind.RECORDS, "", "P11", "DEPARTMENT_MISSING"),
        (FeedKind.RECORDS, "PSB", "P01", "PURPOSE_NOT_ALLOWED"),
        (FeedKind.LIFE_EVENTS, "CIVIL", "P09", "PURPOSE_NOT_ALLOWED"),
    ],
)
def test_who_may_feed(kind: FeedKind, department: str, purpose: str, reason: str) -> None:
    spec = FeedSpec(kind=kind, source=JobSource(name="a.csv"), mapping="{}")
    with pytest.raises(PermissionDenied) as refusal:
        check_feed(spec, department=department, purpose=purpose)
    assert refusal.value.reason == reason
    with pytest.raises(ServiceError):
        check_feed(FeedSpec(kind=kind, source=JobSource(), mapping="{}"), department="PSB", purpose="P11")


def test_departments_see_their_own_jobs_only() -> None:
    job = Job(
        job_id="j",
        kind=JobKind.FEED,
        state=JobState.QUEUED,
        city="4205",
        area_code="4205",
        purpose="P11",
        legal_basis="x",
        started_by="a",
        created_at=NOW,
        changed_at=NOW,
        department="PSB",
    )
    for roles, department, sees in (
        ({"DEPT_HANDLER"}, "PSB", True),
        ({"DEPT_LEAD"}, "CIVIL", False),
        ({"DEPT_LEAD"}, "", False),
        ({"DEPT_LEAD", "DATA_STEWARD"}, "CIVIL", True),
        ({"DPO"}, "", True),
    ):
        assert may_see(job, Caller(subject="a", roles=frozenset(roles), department=department, area="4205")) is sees

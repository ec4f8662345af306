"""Files of departments: the same path as their streams, with dry run, refused rows, resume, and no harm in sending them again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from binglian.population.v1 import job_pb2
from binglian.population.v1 import job_service_pb2 as pb

from svckit.ids import new_id
from tests.integration.population.jobs import Desk, counts, csv_of, jobs_process, parquet_of, xlsx_of
from tests.integration.population.people import CITY, GRID, People, id_number
from tests.refusals import refused
from tests.services import eventually

pytestmark = pytest.mark.integration
RECORDS = {"columns": {"证号": "id_number", "姓名": "name", "电话": "phone"}}
DEATHS = {"columns": {"证号": "id_number", "日期": "occurred_on"}, "constants": {"rule": "LE02", "consent": "statutory"}}


class Office(Desk):
    """What a department does with jobs."""

    def __init__(self, people: People, department: str) -> None:
        super().__init__(people)
        self.steward = people.caller(
            f"of-{department}", "DEPT_HANDLER", area=CITY, department=department, purpose="P11", purposes=["P01", "P03", "P11"]
        )

    def feed(self, kind: int, file_id: str, mapping: dict[str, Any], *, dry_run: bool = False) -> job_pb2.Job:
        """Starts a feed."""
        spec = {"kind": kind, "source": {"file_id": file_id}, "mapping": json.dumps(mapping), "dry_run": dry_run}
        request = pb.StartFeedRequest(request_id=new_id(), legal_basis="数据共享协议 2026-3", feed_spec=spec)
        return self.jobs.StartFeed(request, **self.steward).job

    def refused_rows(self, job: job_pb2.Job) -> dict[str, list[str]]:
        """The rows a job refused: field and reason by row."""
        text = self.output(job, "refused_rows.csv").decode("utf-8-sig")
        return {row[0]: row[1:3] for row in list(csv.reader(io.StringIO(text)))[1:]}


@pytest.fixture(scope="module")
def police(people: People, tmp_path_factory: pytest.TempPathFactory, mongo_uri: str) -> Iterator[Office]:
    with jobs_process(people, tmp_path_factory.mktemp("feeds"), mongo_uri=mongo_uri):
        yield Office(people, "PSB")


def ledger(people: People, resident_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = people.service.database["field_ledgers"].find_one({"_id": resident_id})
    return found


def test_records_go_the_way_of_the_stream(people: People, police: Office) -> None:
    number, other = id_number(), id_number()
    resident = people.enter(id_number=number, name="王小明", phone="13800000001")
    rows = [
        {"证号": number, "姓名": "王小明", "电话": "13800000002"},
        {"证号": id_number(), "姓名": "谁", "电话": ""},
        {"证号": number, "姓名": "王大明", "电话": ""},
        {"证号": other, "姓名": "吸毒人员王五", "电话": ""},
    ]
    file = police.upload("记录.csv", csv_of(rows))
    rehearsal = police.ended(police.feed(job_pb2.FEED_KIND_RECORDS, file, RECORDS, dry_run=True))
    told = {
        "read": 4,
        "matched": 1,
        "unmatched": 1,
        "equal_fields": 1,
        "new_fields": 0,
        "different_fields": 1,
        "refused": 2,
        "duplicates": 1,
    }
    assert counts(rehearsal) == told
    assert ledger(people, resident.resident_id) is None
    job = police.ended(police.feed(job_pb2.FEED_KIND_RECORDS, file, RECORDS))
    assert (counts(job), job.department) == (told, "PSB")
    assert police.refused_rows(job) == {"3": ["id_number", "ID_NUMBER_TWICE"], "4": ["name", "RESTRICTED_CONTENT"]}
    first = ledger(people, resident.resident_id)
    assert first is not None
    assert first["check"]["fields"] == ["phone"]
    assert "13800000002" not in repr(first)
    police.ended(police.feed(job_pb2.FEED_KIND_RECORDS, file, RECORDS))
    again = ledger(people, resident.resident_id)
    assert again is not None
    assert again["check"]["check_id"] == first["check"]["check_id"]
    with refused(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        Office(people, "CIVIL").get(job)


def test_a_department_names_files_it_uploaded_only(people: People, police: Office) -> None:
    spec = {"kind": job_pb2.FEED_KIND_RECORDS, "mapping": json.dumps(RECORDS)}

    def start(**source: str) -> None:
        request = pb.StartFeedRequest(request_id=new_id(), legal_basis="数据共享协议", feed_spec=spec | {"source": source})
        police.jobs.StartFeed(request, **police.steward)

    with refused(grpc.StatusCode.PERMISSION_DENIED, "FILE_OF_OTHERS"):
        start(name="civil.csv")
    with refused(grpc.StatusCode.NOT_FOUND, "JOB_FILE_NOT_FOUND"):
        start(file_id=Office(people, "CIVIL").upload("theirs.csv", csv_of([{"证号": "1"}])))


@pytest.mark.parametrize(("name", "write"), [("d.csv", csv_of), ("d.xlsx", xlsx_of), ("d.parquet", parquet_of)])
def test_life_events_make_one_order_each(people: People, police: Office, name: str, write: Any) -> None:
    civil = Office(people, "CIVIL")
    number = id_number()
    resident = people.enter(id_number=number)
    rows = [{"证号": number, "日期": "2026-03-01"}, {"证号": id_number(), "日期": "2026-03-01"}, {"证号": number, "日期": "x"}]
    file = civil.upload(name, write(rows))
    for dry_run, opened, repeated in ((True, 1, 0), (False, 1, 0), (False, 0, 1), (True, 0, 1)):
        job = civil.ended(civil.feed(job_pb2.FEED_KIND_LIFE_EVENTS, file, DEATHS, dry_run=dry_run))
        found = counts(job)
        assert (found["read"], found["opened"], found["repeated_events"], found["refused"]) == (3, opened, repeated, 2)
        assert civil.refused_rows(job)["2"][1] == "NO_AREA"
    (event,) = people.service.database["life_events"].find({"resident_id": resident.resident_id})
    assert (event["rule"], event["sources"], event["area_code"]) == ("LE02", ["CIVIL"], GRID)
    foreign = police.ended(police.feed(job_pb2.FEED_KIND_LIFE_EVENTS, police.upload(name, write(rows[:1])), DEATHS))
    assert police.refused_rows(foreign) == {"1": ["", "OTHER_DEPARTMENT"]}


def test_a_cancelled_feed_goes_on_where_it_stopped(people: People, police: Office) -> None:
    rows = [{"证号": id_number(), "姓名": "谁", "电话": ""} for _ in range(30_000)]
    known = people.enter(id_number=rows[-1]["证号"], name="谁谁", phone="")
    job = police.feed(job_pb2.FEED_KIND_RECORDS, police.upload("e.csv", csv_of([*rows, rows[0]])), RECORDS)
    eventually(lambda: counts(police.get(job)).get("read", 0) > 0, seconds=30)
    police.jobs.CancelJob(pb.CancelJobRequest(job_id=job.job_id, request_id=new_id()), **police.steward)
    stopped = police.ended(job, job_pb2.JOB_STATE_CANCELLED)
    assert 0 < counts(stopped)["read"] < 30_000
    police.jobs.ResumeJob(pb.ResumeJobRequest(job_id=job.job_id, request_id=new_id()), **police.steward)
    done = counts(police.ended(job))
    assert (done["read"], done["matched"], done["unmatched"], done["duplicates"]) == (30_001, 1, 29_999, 1)
    found = ledger(people, known.resident_id)
    assert found is not None
    assert found["check"]["fields"] == ["name"]


def test_only_departments_feed_and_only_for_their_purposes(people: People, police: Office) -> None:
    file = police.upload("f.csv", csv_of([{"证号": id_number(), "姓名": "谁", "电话": ""}]))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_MISSING"):
        police.feed(job_pb2.FEED_KIND_RECORDS, file, {"columns": {"姓名": "name"}})
    nobody = Office(people, "")
    with refused(grpc.StatusCode.PERMISSION_DENIED, "DEPARTMENT_MISSING"):
        nobody.feed(job_pb2.FEED_KIND_RECORDS, file, RECORDS)

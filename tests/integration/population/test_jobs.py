"""Imports, exports and cross-checks as a data steward runs them: real servers, a real jobs process."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pyarrow.parquet
import pytest
from binglian.population.v1 import job_pb2
from binglian.population.v1 import job_service_pb2 as pb

from population.identity import check_digit
from population.privacy.anchoring import verify
from svckit.documents import utc_now
from svckit.ids import new_id
from tests.integration.population.jobs import COLUMNS, Desk, counts, csv_of, jobs_process, parquet_of, xlsx_of
from tests.integration.population.people import CITY, GRID, People, id_number
from tests.refusals import refused
from tests.services import eventually

CONSTANTS = {"area_code": GRID, "id_doc_type": "111", "resident_type": "01"}
MAPPING = {"columns": COLUMNS, "constants": CONSTANTS}
EXPORTED, CROWDED, VOTING = (f"{GRID[:-4]}700{number}" for number in (1, 2, 8))
VOTERS = ("2008-11-03", "2008-11-04")
NAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"


def person(name: str, **more: str) -> dict[str, str]:
    return {"姓名": name, "证件号码": id_number(), "电话": "10012345678"} | more


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def desk(people: People, folder: Path, mongo_uri: str) -> Iterator[Desk]:
    with jobs_process(people, folder, mongo_uri=mongo_uri):
        yield Desk(people)


def refused_rows(desk: Desk, job: job_pb2.Job) -> dict[str, list[str]]:
    text = desk.output(job, "refused_rows.csv").decode("utf-8-sig")
    return {row[0]: row[1:3] for row in list(csv.reader(io.StringIO(text)))[1:]}


class TestImport:
    def test_good_rows_are_entered_and_every_bad_one_is_told(self, desk: Desk) -> None:
        twice = person("周七")
        rows = [
            person("张三"),
            person("李四", 证件号码="420502199001011234"),
            person("重点人口王五"),
            twice,
            {**twice, "姓名": "周七七"},
            person("吴八", 电话="123"),
            person("郑九"),
        ]
        data = csv_of(rows).replace("郑九,".encode(), "郑九,a,b,c,".encode())
        file = desk.upload("居民.csv", data)
        rehearsal = desk.ended(desk.start_import(file, MAPPING, dry_run=True))
        assert counts(rehearsal)["acceptable"] == 2
        assert desk.people.service.database["residents"].count_documents({"name": "张三"}) == 0
        job = desk.ended(desk.start_import(file, MAPPING))
        assert counts(job) == {"read": 7, "entered": 2, "refused": 5, "duplicates": 1}
        told = refused_rows(desk, job)
        assert told == refused_rows(desk, rehearsal)
        assert told.keys() == {"2", "3", "5", "6", "7"}
        assert told["2"] == ["id_number", "ID_NUMBER_INVALID"]
        assert told["3"] == ["name", "RESTRICTED_CONTENT"]
        assert told["5"] == ["id_number", "ID_NUMBER_TWICE"]
        assert told["6"][0] == "phone"
        assert told["7"][1] == "ROW_BROKEN"
        again = desk.ended(desk.start_import(file, MAPPING))
        assert counts(again)["entered"] == 0
        assert refused_rows(desk, again)["1"] == ["id_number", "ALREADY_ENTERED"]

    @pytest.mark.parametrize(("name", "write"), [("b.xlsx", xlsx_of), ("b.parquet", parquet_of)])
    def test_other_forms_of_files(self, desk: Desk, name: str, write: Any) -> None:
        job = desk.ended(desk.start_import(desk.upload(name, write([person("冯十"), person("陈一")])), MAPPING))
        assert counts(job)["entered"] == 2

    def test_a_file_of_an_office_in_gb18030(self, desk: Desk) -> None:
        job = desk.ended(desk.start_import(desk.upload("c.csv", csv_of([person("褚二")], encoding="gb18030")), MAPPING))
        assert counts(job)["entered"] == 1

    def test_a_number_a_spreadsheet_has_rounded_is_not_taken_for_one(self, desk: Desk) -> None:
        row = {**person("卫三"), "证件号码": 420502199001011234}
        job = desk.ended(desk.start_import(desk.upload("d.xlsx", xlsx_of([row])), MAPPING))
        assert refused_rows(desk, job)["1"] == ["id_number", "NUMBER_ROUNDED"]

    def test_followers_hear_of_every_row_that_was_entered(self, desk: Desk) -> None:
        heard = desk.people.service.facts("population.resident_registered.v1")
        job = desk.ended(desk.start_import(desk.upload("facts.csv", csv_of([person("韩六"), person("杨七")])), MAPPING))
        rows = desk.people.service.database["residents"].find({"created_by.key": {"$regex": f"^job/{job.job_id}/"}})
        entered = {row["_id"] for row in rows}

        def told() -> bool:
            return entered == {data["residentId"] for _, data in heard() if data["residentId"] in entered}

        assert eventually(told, seconds=20)
        bundles = desk.people.service.database["fact_bundles"]
        assert eventually(lambda: not bundles.count_documents({"outbox.time": {"$exists": True}}), seconds=20)

    def test_a_cancelled_import_is_resumed_and_enters_nobody_twice(self, desk: Desk) -> None:
        rows = [person(f"{NAMES[n % 32]}{NAMES[n % 31]}") for n in range(20_000)]
        job = desk.start_import(desk.upload("e.csv", csv_of(rows)), MAPPING)
        for answer in desk.jobs.WatchJob(pb.WatchJobRequest(job_id=job.job_id), **desk.steward):
            if counts(answer.job).get("entered", 0) > 0:
                break
        desk.jobs.CancelJob(pb.CancelJobRequest(job_id=job.job_id, request_id=new_id()), **desk.steward)
        stopped = desk.ended(job, job_pb2.JOB_STATE_CANCELLED)
        assert 0 < counts(stopped)["entered"] < 20_000
        desk.jobs.ResumeJob(pb.ResumeJobRequest(job_id=job.job_id, request_id=new_id()), **desk.steward)
        done = desk.ended(job)
        assert counts(done) == {"read": 20_000, "entered": 20_000, "refused": 0, "duplicates": 0}
        command = {"created_by.key": {"$regex": f"^job/{job.job_id}/"}}
        assert desk.people.service.database["residents"].count_documents(command) == 20_000

    @pytest.mark.parametrize(
        ("mapping", "reason"),
        [
            ({"columns": {"姓名": "name", "宗教信仰": "phone"}, "constants": CONSTANTS}, "RESTRICTED_CONTENT"),
            ({"columns": {"姓名": "nickname"}, "constants": CONSTANTS}, "FIELD_UNKNOWN"),
            ({"columns": {"姓名": "name", "名": "name"}, "constants": CONSTANTS}, "FIELD_TWICE"),
            ({"columns": {"电话": "phone"}}, "FIELD_MISSING"),
            ({"rows": []}, "MAPPING_INVALID"),
        ],
    )
    def test_a_mapping_that_cannot_be_used(self, desk: Desk, mapping: dict[str, Any], reason: str) -> None:
        file = desk.upload("f.csv", csv_of([person("蒋四")]))
        with refused(grpc.StatusCode.INVALID_ARGUMENT, reason):
            desk.start_import(file, mapping)

    def test_a_file_that_is_none(self, desk: Desk) -> None:
        job = desk.ended(desk.start_import(desk.upload("g.parquet", b"not parquet"), MAPPING), job_pb2.JOB_STATE_FAILED)
        assert job.failure_reason == "FILE_UNREADABLE"

    def test_numbers_lie_nowhere_in_clear(self, desk: Desk) -> None:
        row = person("沈五")
        desk.ended(desk.start_import(desk.upload("h.csv", csv_of([row])), MAPPING))
        database = desk.people.service.database
        for name in ("job_parts", "jobs", "refused_rows"):
            assert all(row["证件号码"].encode() not in repr(one).encode() for one in database[name].find())


class TestExport:
    def start(self, desk: Desk, *, purpose: str = "P11", **spec: Any) -> job_pb2.Job:
        spec = {"fields": ["resident_id", "name", "id_number"], "format": "FILE_FORMAT_CSV", "area_prefix": EXPORTED} | spec
        request = pb.StartExportRequest(request_id=new_id(), legal_basis="街道办事处来函", export_spec=spec)
        return desk.jobs.StartExport(request, **desk.stating(purpose)).job

    def approve(self, desk: Desk, job: job_pb2.Job) -> job_pb2.Job:
        request = pb.ApproveJobRequest(job_id=job.job_id, request_id=new_id())
        desk.jobs.ApproveJob(request, **desk.stating("P11", subject="dpo", role="DPO"))
        return desk.ended(job)

    def test_masked_unless_somebody_else_agrees(self, desk: Desk) -> None:
        number = id_number()
        desk.people.enter(name="韩六六", id_number=number, area_code=EXPORTED)
        job = desk.ended(self.start(desk))
        text = desk.output(job, "residents.csv").decode("utf-8-sig")
        assert "韩**" in text
        assert number not in text
        waiting = self.start(desk, in_full=True)
        assert waiting.state == job_pb2.JOB_STATE_AWAITING_APPROVAL
        approve = pb.ApproveJobRequest(job_id=waiting.job_id, request_id=new_id())
        with refused(grpc.StatusCode.PERMISSION_DENIED, "OWN_JOB"):
            desk.jobs.ApproveJob(approve, **desk.steward)
        job = self.approve(desk, waiting)
        assert number in desk.output(job, "residents.csv").decode()
        assert json.loads(desk.output(job, "terms.json"))["approved_by"] == "dpo"

    @pytest.mark.parametrize("purpose", ["P02", "P09"])
    def test_a_purpose_that_shows_less_gets_no_more_in_full(self, desk: Desk, purpose: str) -> None:
        with refused(grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED"):
            self.start(desk, purpose=purpose, in_full=True)
        waiting = self.start(desk, purpose=purpose, in_full=True, fields=["name"])
        assert waiting.state == job_pb2.JOB_STATE_AWAITING_APPROVAL

    def test_everybody_in_it_stands_in_the_trail_and_so_does_who_fetched_it(self, desk: Desk) -> None:
        people = {desk.people.enter(area_code=EXPORTED).resident_id for _ in range(3)}
        job = desk.ended(self.start(desk))
        trail = desk.people.service.database["audit_entries"]
        found = list(trail.find({"event": "AE05", "note": f"job {job.job_id}"}))
        named = [id for entry in found for id in entry["residents"]]
        assert people <= set(named)
        assert len(named) == counts(job)["written"]
        assert {(entry["subject"], entry["purpose"], entry["rpc"]) for entry in found} == {("steward", "P11", "job/export")}
        desk.output(job, "residents.csv")
        fetched = trail.find_one({"event": "AE13", "note": f"job {job.job_id} residents.csv"})
        assert fetched is not None
        assert (fetched["subject"], fetched["count"]) == ("steward", counts(job)["written"])
        assert verify(desk.people.service.database, key=desk.people.audit_key())[1] == []

    def test_it_is_for_who_asked_and_for_what_it_was_asked(self, desk: Desk) -> None:
        job = desk.ended(self.start(desk))
        fetch = pb.ExportJobOutputRequest(job_id=job.job_id, file_id=job.outputs[0].file_id)
        with refused(grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED"):
            list(desk.jobs.ExportJobOutput(fetch, **desk.stating("P02")))
        with refused(grpc.StatusCode.PERMISSION_DENIED, "EXPORT_OF_OTHERS"):
            list(desk.jobs.ExportJobOutput(fetch, **desk.stating("P11", subject="another")))

    def test_without_the_dead_the_merged_and_those_who_objected(self, desk: Desk) -> None:
        here, dead, objecting = (desk.people.enter(area_code=EXPORTED).resident_id for _ in range(3))
        database, now = desk.people.service.database, utc_now()
        database["residents"].update_one({"_id": dead}, {"$set": {"standing": {"status": "deceased", "since": "2026-01-01"}}})
        marks = {"_id": objecting, "area_code": EXPORTED, "changed_at": now, "restricted": True, "revision": 1}
        database["privacy_marks"].insert_one(marks)
        text = desk.output(desk.ended(self.start(desk)), "residents.csv").decode()
        assert here in text
        assert dead not in text
        assert objecting not in text

    def test_more_than_500_people_take_two(self, desk: Desk) -> None:
        rows = desk.people.service.database["residents"]
        row = rows.find_one(
            {"_id": desk.people.enter(id_doc_type="", id_number="").resident_id}, {"outbox": False, "created_by": False}
        )
        assert row is not None
        rows.insert_many([{**row, "_id": new_id(), "area_code": CROWDED} for _ in range(501)])
        masked = self.start(desk, area_prefix=CROWDED, fields=["name"])
        assert masked.state == job_pb2.JOB_STATE_AWAITING_APPROVAL
        assert counts(self.approve(desk, masked))["written"] == 501
        impersonal = self.start(desk, area_prefix=CROWDED, fields=["resident_id", "resident_type"])
        assert impersonal.state == job_pb2.JOB_STATE_QUEUED

    def test_of_a_roll_are_only_who_may_vote_on_the_day(self, desk: Desk) -> None:
        voter, child = (desk.people.enter(area_code=VOTING, birth_date=born, id_doc_type="", id_number="") for born in VOTERS)
        roll = self.start(desk, purpose="P09", area_prefix=VOTING, fields=["resident_id"], election_day="2026-11-03")
        text = desk.output(desk.ended(roll), "residents.csv").decode()
        assert voter.resident_id in text
        assert child.resident_id not in text

    def test_an_objection_does_not_take_anybody_off_the_roll(self, desk: Desk) -> None:
        number = {"id_doc_type": "", "id_number": ""}
        objecting, withdrawn = (desk.people.enter(area_code=VOTING, birth_date=VOTERS[0], **number).resident_id for _ in "12")
        marks = {"area_code": VOTING, "changed_at": utc_now(), "restricted": True, "revision": 1}
        desk.people.service.database["privacy_marks"].insert_many(
            [{**marks, "_id": objecting, "reason": "R5"}, {**marks, "_id": withdrawn, "reason": "R4"}]
        )
        roll = self.start(desk, purpose="P09", area_prefix=VOTING, fields=["resident_id"], election_day="2026-11-03")
        text = desk.output(desk.ended(roll), "residents.csv").decode()
        assert objecting in text
        assert withdrawn not in text

    @pytest.mark.parametrize(
        ("format", "name"), [("FILE_FORMAT_XLSX", "residents.xlsx"), ("FILE_FORMAT_PARQUET", "residents.parquet")]
    )
    def test_other_forms(self, desk: Desk, folder: Path, format: str, name: str) -> None:
        desk.people.enter(area_code=EXPORTED)
        job = desk.ended(self.start(desk, format=format, fields=["name", "area_code"]))
        assert next(output.rows for output in job.outputs if output.name == name) == counts(job)["written"] > 0
        assert eventually(lambda: not (folder / "work" / job.job_id).exists())
        if name.endswith("parquet"):
            assert pyarrow.parquet.read_table(io.BytesIO(desk.output(job, name))).column_names == ["name", "area_code"]

    def test_a_field_nobody_exports(self, desk: Desk) -> None:
        with refused(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_UNKNOWN"):
            self.start(desk, fields=["commands"])


class TestCrossCheck:
    MAPPING = json.dumps(
        {"columns": {"编号": "reference", **COLUMNS}, "constants": {"area_code": GRID[:12]}}, ensure_ascii=False
    )

    def test_what_a_department_has_is_held_against_the_register(self, desk: Desk) -> None:
        people = [person(f"{NAMES[n]}{NAMES[-n]}{NAMES[n // 2]}", 电话=f"1391{n:07d}") for n in range(30)]
        desk.ended(desk.start_import(desk.upload("i.csv", csv_of(people)), MAPPING))
        rows = [{"编号": f"K{n}", **row} for n, row in enumerate(people)]
        rows[3] |= {"姓名": "错名字"}
        rows[4] |= {"电话": "13600000000"}
        rows[5] |= {"证件号码": id_number()}
        rows += [{"编号": "K99", **person("查无此人", 电话="13700000001")}]
        file = desk.upload("j.csv", csv_of(rows))
        spec = {"rule": "MR01", "source": {"file_id": file}, "mapping": self.MAPPING, "orders": True}
        job = desk.ended(desk.start_check(**spec))
        found = counts(job)
        assert found["read_a"] == 31
        assert (found["matched"] >= 27, found["differing"], found["left_only"] + found["possible"] >= 1) == (True, 2, True)
        assert found["ordered"] == 1
        report = {row[1]: row for row in csv.reader(io.StringIO(desk.output(job, "report.csv").decode("utf-8-sig")))}
        assert report["K3"][0] == "differing"
        assert report["K3"][3] == "name"
        assert report["K4"][3] == "phone"
        assert "K0" not in report
        assert "错名字" not in str(report), "the report has no values"
        check = desk.people.service.database["field_ledgers"].find_one({"_id": report["K3"][2]})
        assert check is not None
        assert check["check"]["fields"] == ["name"]
        register = desk.people.service.database["residents"].find_one({"_id": report["K3"][2]})
        assert register is not None
        assert register["name"] == people[3]["姓名"], "nothing follows by itself"
        summary = json.loads(desk.output(job, "summary.json"))
        assert summary["legal_basis"] == "数据共享协议 2026-3"

    def test_who_is_found_learns_of_it_and_who_objected_is_in_no_result(self, desk: Desk) -> None:
        people = [person(f"{NAMES[-n]}享{NAMES[n]}", 电话=f"1392{n:07d}") for n in range(1, 5)]
        desk.ended(desk.start_import(desk.upload("s.csv", csv_of(people)), MAPPING))
        database = desk.people.service.database
        ids = [database["residents"].find_one({"name": each["姓名"]})["_id"] for each in people]  # type: ignore[index]
        marks = {"area_code": CITY, "changed_at": utc_now(), "restricted": True, "reason": "R5", "revision": 1}
        database["privacy_marks"].insert_one({**marks, "_id": ids[1]})
        rows = [{"编号": f"S{n}", **row} for n, row in enumerate(people)]
        rows[2] |= {"姓名": "另一名"}
        file = desk.upload("t.csv", csv_of(rows))
        job = desk.ended(desk.start_check(rule="MR02", source={"file_id": file}, mapping=self.MAPPING))
        assert (counts(job)["matched"], counts(job)["differing"], counts(job)["left_only"]) == (2, 1, 0)
        results = pyarrow.parquet.read_table(io.BytesIO(desk.output(job, "results.parquet"))).to_pylist()
        found = {row["right_reference"] for row in results if row["left_reference"]}
        assert found == {ids[0], ids[2], ids[3]}
        assert ids[1] not in {row["right_reference"] for row in results}
        assert "S1" not in {row["left_reference"] for row in results}
        entries = list(database["audit_entries"].find({"event": "AE12", "note": f"job {job.job_id} MR02"}))
        assert {id for entry in entries for id in entry["residents"]} == found
        assert {(entry["subject"], entry["purpose"], entry["rpc"]) for entry in entries} == {
            ("steward", "P11", "job/cross_check")
        }

    def test_deaths_against_pensions_compares_two_files(self, desk: Desk) -> None:
        pensions = [{"编号": f"P{n}", **person(f"{NAMES[n]}{NAMES[-n]}")} for n in range(20)]
        deaths = [{"编号": "D1", **{name: pensions[7][name] for name in COLUMNS}}, {"编号": "D2", **person("逝者二")}]
        mapping = json.dumps({"columns": {"编号": "reference", **COLUMNS}}, ensure_ascii=False)
        job = desk.ended(
            desk.start_check(
                rule="MR03",
                source={"file_id": desk.upload("d.csv", csv_of(deaths))},
                other={"file_id": desk.upload("p.csv", csv_of(pensions))},
                mapping=mapping,
                other_mapping=mapping,
            )
        )
        report = list(csv.reader(io.StringIO(desk.output(job, "report.csv").decode("utf-8-sig"))))
        assert [row[:3] for row in report[1:]] == [["matched", "D1", "P7"]]

    def test_houses_against_residences_and_the_register_against_itself(self, desk: Desk) -> None:
        lived_in, empty = new_id(), new_id()
        full = new_id()
        for at, house in enumerate((lived_in, full, full, full)):
            name = "" if house == lived_in else f"{NAMES[at]}{NAMES[-at]}住"
            desk.people.enter(residence={"house_id": house}, **({"name": name, "phone": f"1375551000{at}"} if name else {}))
        # Who is only registered in a house does not live there: it stays empty.
        desk.people.enter(name="籍在外", registered={"house_id": empty, "area_code": GRID, "since": "2020-01-01"})
        homes = [(lived_in, "2"), (empty, "4"), (full, "2")]
        houses = csv_of([{"房屋": house, "核定人数": people} for house, people in homes])
        mapping = json.dumps({"columns": {"房屋": "house_id", "核定人数": "capacity"}}, ensure_ascii=False)
        job = desk.ended(desk.start_check(rule="MR05", source={"file_id": desk.upload("l.csv", houses)}, mapping=mapping))
        assert (counts(job)["matched"], counts(job)["left_only"], counts(job)["differing"]) == (1, 1, 1)
        report = list(csv.reader(io.StringIO(desk.output(job, "report.csv").decode("utf-8-sig"))))
        assert ["differing", "3", full, "capacity"] in report, "more people than the house is meant for"
        same = {"name": "施双双", "birth_date": "1971-05-06", "sex": "2", "phone": "13912340001"}
        for _ in range(2):
            desk.people.enter(**same, id_doc_type="", id_number="")
        job = desk.ended(desk.start_check(rule="MR07"))
        assert counts(job)["possible"] >= 1
        assert counts(job)["matched"] == 0, "people decide, never the machine"

    def test_only_who_may_vote_is_held_against_the_roll_of_voters(self, desk: Desk) -> None:
        body = f"990000{utc_now().year - 17}0101001"
        area, young = f"{GRID[:-4]}7003", body + check_digit(body)
        desk.people.enter(area_code=area, name="丁选民", phone="13755520001")
        desk.people.enter(area_code=area, name="戚未冠", phone="13755520002", id_number=young)
        desk.people.enter(area_code=area, name="谢远客", phone="13755520003", resident_type="05")
        roll = csv_of([{"编号": "V1", "证件号码": young}])
        mapping = json.dumps({"columns": {"编号": "reference", "证件号码": "id_number"}}, ensure_ascii=False)
        spec = {"rule": "MR04", "source": {"file_id": desk.upload("v.csv", roll)}, "mapping": mapping, "area_prefix": area}
        request = pb.StartCrossCheckRequest(request_id=new_id(), legal_basis="选举法", cross_check_spec=spec)
        job = desk.ended(desk.jobs.StartCrossCheck(request, **desk.stating("P09")).job)
        assert (counts(job)["left_only"], counts(job)["right_only"], counts(job)["matched"]) == (1, 1, 0)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"rule": "MR99"}, "RULE_UNKNOWN"),
            ({"orders": True, "rule": "MR02"}, "NO_ORDERS"),
            ({"mapping": '{"columns": {"姓名": "name", "前科": "phone"}}'}, "RESTRICTED_CONTENT"),
            ({"mapping": '{"columns": {"姓名": "salary"}}'}, "EXCLUDED_RULE"),
            ({"other": {"name": "x.csv"}}, "SOURCE_NOT_ASKED"),
            ({"source": {"name": "在逃人员.csv"}}, "EXCLUDED_RULE"),
        ],
    )
    def test_what_cannot_be_configured(self, desk: Desk, change: dict[str, Any], reason: str) -> None:
        spec = {"rule": "MR01", "source": {"name": "a.csv"}, "mapping": self.MAPPING} | change
        with refused(grpc.StatusCode.INVALID_ARGUMENT, reason):
            desk.start_check(**spec)

    def test_only_for_a_purpose_of_the_rule(self, desk: Desk) -> None:
        spec = {"rule": "MR04", "source": {"name": "a.csv"}, "mapping": self.MAPPING}
        request = pb.StartCrossCheckRequest(request_id=new_id(), legal_basis="选举法", cross_check_spec=spec)
        with refused(grpc.StatusCode.PERMISSION_DENIED, "PURPOSE_NOT_ALLOWED"):
            desk.jobs.StartCrossCheck(request, **desk.stating("P11"))

    def test_the_operators_folder_and_nothing_beside_it(self, desk: Desk, folder: Path) -> None:
        (folder / "secret.csv").write_text("姓名\n")
        (folder / "files" / "link.csv").symlink_to(folder / "secret.csv")
        for name in ("link.csv", "missing.csv"):
            job = desk.start_check(rule="MR02", source={"name": name}, mapping=self.MAPPING)
            assert desk.ended(job, job_pb2.JOB_STATE_FAILED).failure_reason == "FILE_NOT_FOUND"


def test_another_city_sees_no_job(desk: Desk) -> None:
    job = desk.start_import(desk.upload("k.csv", csv_of([person("许九")])), MAPPING)
    stranger = desk.people.caller("stranger", "DATA_STEWARD", area="4201", purpose="P11")
    with refused(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND"):
        desk.jobs.GetJob(pb.GetJobRequest(job_id=job.job_id), **stranger)
    assert job.area_code == CITY


def test_a_form_for_field_tools(desk: Desk) -> None:
    answers = desk.jobs.ExportCollectionForm(pb.ExportCollectionFormRequest(form="resident"), **desk.steward)
    assert b"".join(answer.part.data for answer in answers)[:2] == b"PK"

"""Forms filled in the field come back as an ODK server exports them: by import jobs, and by the command of who went there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from binglian.population.v1 import care_pb2, care_pb2_grpc, collection_service_pb2_grpc, job_pb2
from binglian.population.v1 import collection_service_pb2 as collection_pb
from binglian.population.v1 import resident_service_pb2 as residents_pb

from population.forms import command
from population.imports.forms import columns_of
from population.imports.judging import id_of
from svckit.ids import new_id
from tests.integration.population.jobs import Desk, counts, csv_of, jobs_process
from tests.integration.population.people import CITY, GRID, OTHER_GRID, People, id_number

HOUSEHOLDS = job_pb2.IMPORT_KIND_HOUSEHOLDS


@pytest.fixture(scope="module")
def desk(people: People, tmp_path_factory: pytest.TempPathFactory, mongo_uri: str) -> Iterator[Desk]:
    with jobs_process(people, tmp_path_factory.mktemp("forms"), mongo_uri=mongo_uri):
        yield Desk(people)


def row_of(form: str, **cells: str) -> dict[str, str]:
    """A row as ODK Central exports it, with columns of its own around ours."""
    return {"SubmissionDate": "2026-03-02T08:00:00Z", **dict.fromkeys(columns_of(form, separator="-", key=""), "")} | cells


def key() -> str:
    return f"uuid:{new_id()}"


def refused_rows(desk: Desk, job: job_pb2.Job) -> dict[str, list[str]]:
    text = desk.output(job, "refused_rows.csv").decode("utf-8-sig")
    return {row[0]: row[1:3] for row in list(csv.reader(io.StringIO(text)))[1:]}


def bring(desk: Desk, rows: list[dict[str, str]], form: str, **more: object) -> job_pb2.Job:
    kind = {} if form == "resident" else {"kind": HOUSEHOLDS}
    return desk.ended(desk.start_import(desk.upload(f"{form}.csv", csv_of(rows)), {"form": form}, **kind, **more))


def test_residents_of_a_form_are_entered_once_whoever_brings_them(desk: Desk) -> None:
    rows = [
        row_of("resident", KEY=key(), area_code=GRID, name="江一", **{"registered-area_code": "420502"}),
        row_of("resident", KEY=key(), area_code=GRID, name="江二", id_doc_type="111", id_number=id_number()),
    ]
    assert counts(bring(desk, rows, "resident"))["entered"] == 2
    stored = desk.people.service.database["residents"].find_one({"_id": id_of(GRID, rows[0]["KEY"])})
    assert stored
    assert [home["kind"] for home in stored["residences"]] == ["registered"]
    for dry_run in (True, False):
        again = bring(desk, [*rows, row_of("resident", KEY=key(), area_code=GRID, name="江三")], "resident", dry_run=dry_run)
        found = counts(again)
        assert (found["acceptable" if dry_run else "entered"], found["duplicates"]) == (1, 2)
        told = refused_rows(desk, again)
        assert told == {"1": ["reference", "ALREADY_ENTERED"], "2": ["id_number", "ALREADY_ENTERED"]}


def test_a_household_its_members_and_its_head(desk: Desk) -> None:
    head, wife = desk.people.enter(name="河一", resident_type="01"), desk.people.enter(name="河二")
    number = id_number()
    child = desk.people.enter(name="河三", id_number=number)
    family, other = key(), key()
    households = [
        row_of("household", KEY=family, area_code=GRID, match_flag="01"),
        row_of("household", KEY=other, area_code="420100100100"),
    ]
    members = [
        row_of("household_members", PARENT_KEY=family, resident_id=head.resident_id, household_relation="02"),
        row_of("household_members", PARENT_KEY=family, resident_id=wife.resident_id, household_relation="12"),
        row_of("household_members", PARENT_KEY=family, id_doc_type="111", id_number=number, household_relation="20"),
        row_of("household_members", PARENT_KEY=family, resident_id=wife.resident_id, household_relation="02"),
        row_of("household_members", PARENT_KEY=key(), resident_id=wife.resident_id, household_relation="12"),
        row_of("household_members", PARENT_KEY=family, id_number=id_number(), household_relation="20"),
    ]
    rehearsed = bring(desk, households, "household", dry_run=True)
    assert counts(rehearsed) == {"read": 2, "entered": 1, "joined": 0, "duplicates": 0, "refused": 1}
    database = desk.people.service.database
    id = id_of(CITY, family, kind="household")
    assert database["households"].count_documents({"_id": id}) == 0
    done = bring(desk, households, "household")
    assert counts(done) == counts(rehearsed)
    assert refused_rows(desk, done) == {"2": ["area_code", "AREA_NOT_ALLOWED"]}
    rehearsed, done = (bring(desk, members, "household_members", dry_run=dry_run) for dry_run in (True, False))
    assert counts(done) == counts(rehearsed) == {"read": 6, "entered": 0, "joined": 3, "duplicates": 0, "refused": 3}
    assert refused_rows(desk, done) == {
        "4": ["household_relation", "HEAD_TWICE"],
        "5": ["household", "HOUSEHOLD_NOT_FOUND"],
        "6": ["id_number", "RESIDENT_NOT_FOUND"],
    }
    shown = desk.people.households.GetHouseholdMembers(
        residents_pb.GetHouseholdMembersRequest(household_id=id), **desk.people.worker
    )
    assert shown.household.head_id == head.resident_id
    assert next(one.resident_id for one in shown.members) == head.resident_id
    assert {one.resident_id for one in shown.members} == {head.resident_id, wife.resident_id, child.resident_id}
    again = counts(bring(desk, members[:3], "household_members")), counts(bring(desk, households[:1], "household"))
    assert [(one["entered"], one["joined"], one["duplicates"]) for one in again] == [(0, 0, 3), (0, 0, 1)]
    stored = database["households"].find_one({"_id": id})
    assert stored
    assert stored["revision"] == shown.household.revision


def test_a_household_and_its_members_in_one_file(desk: Desk) -> None:
    people = [desk.people.enter(name=f"湖{at}") for at in "一二"]
    columns = {"户号": "household", "网格": "area_code", "居民": "resident_id", "关系": "household_relation"}
    rows = [
        {"户号": "A7", "网格": GRID, "居民": person.resident_id, "关系": relation}
        for person, relation in zip(people, ("02", "11"), strict=True)
    ]
    name = f"{new_id()}-A7"
    data = csv_of([row | {"户号": name} for row in rows])
    for dry_run in (True, False):
        job = desk.start_import(desk.upload("户.csv", data), {"columns": columns}, dry_run=dry_run, kind=HOUSEHOLDS)
        assert counts(desk.ended(job)) == {"read": 2, "entered": 1, "joined": 2, "duplicates": 0, "refused": 0}


class Bag:
    """An export in a folder, and what the command says of it."""

    def __init__(self, desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.people = desk.people
        self.folder = folder
        self._patch = monkeypatch
        self.said = ""

    def put(self, form: str, rows: list[dict[str, str]], **repeats: list[dict[str, str]]) -> Path:
        """Writes CSV files as ODK Central does."""
        path = self.folder / f"binglian_{form}.csv"
        path.write_bytes(csv_of(rows))
        for name, answers in repeats.items():
            (self.folder / f"binglian_{form}-{name}.csv").write_bytes(csv_of(answers))
        return path

    def bring(self, form: str, path: Path, *more: str, caller: dict[str, Any] | None = None) -> int:
        """Runs the command as a grid worker, or somebody else; returns its exit code."""
        token = dict((caller or self.people.worker)["metadata"])["authorization"].removeprefix("Bearer ")
        self._patch.setenv("BINGLIAN_TOKEN", token)
        edge = f"http://{self.people.service.channel._channel.target().decode().removeprefix('dns:///')}"
        out = io.StringIO()
        code = command.main(
            ["bring", form, str(path), "--edge", edge, "--photos", "https://odk.example/{key}/{name}", *more], out=out
        )
        self.said = out.getvalue()
        return code


@pytest.fixture
def bag(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bag:
    return Bag(desk, tmp_path, monkeypatch)


def test_proposals_and_checks_come_back_in_the_name_of_the_worker(desk: Desk, bag: Bag) -> None:
    people, number = desk.people, id_number()
    resident = people.enter(id_number=number, name="海一", phone="13800000001")
    stub = collection_service_pb2_grpc.CollectionServiceStub(people.service.channel)
    department = people.caller("psb", "DEPT_HANDLER", area=CITY, department="PSB", purpose="P11")
    record = {"id_number": number, "fields": [{"field": "phone", "value": "13800000002"}]}
    pushed = collection_pb.PushRecordBatchRequest(request_id=new_id(), records=[record])
    assert stub.PushRecordBatch(pushed, **department).report.different_fields == 1
    mine, foreign, wrong = key(), key(), key()
    stranger = people.residents.CreateResident(
        residents_pb.CreateResidentRequest(request_id=new_id(), resident=people.draft(area_code=OTHER_GRID)), **people.clerk
    ).resident
    ids = {mine: resident.resident_id, foreign: stranger.resident_id, wrong: resident.resident_id}
    edits = [{"field": "phone", "value": "13800000002"}, {"field": "name", "value": "海一"}, {"field": "sex", "value": "7"}]
    path = bag.put(
        "collection",
        [{"resident_id": id, "KEY": one} for one, id in ids.items()],
        edits=[{**edit, "PARENT_KEY": one, "KEY": f"{one}/edits[1]"} for one, edit in zip(ids, edits, strict=True)],
    )
    assert bag.bring("collection", path, "--dry-run") == 1
    assert "2 acceptable, 1 refused" in bag.said
    assert bag.bring("collection", path) == 1
    assert "1 sent, 0 sent before, 2 refused" in bag.said
    assert "row 2: RESIDENT_NOT_FOUND" in bag.said
    assert bag.bring("collection", path) == 1
    assert "0 sent, 1 sent before, 2 refused" in bag.said

    looked = collection_pb.GetFieldLedgerRequest(resident_id=resident.resident_id)
    ledger = stub.GetFieldLedger(looked, **people.stating("P01")).ledger
    entry = next(one for one in ledger.entries if one.field == "phone")
    assert [one.by for one in entry.observations if one.source == "GRID"] == ["worker"]
    done = key()
    path = bag.put(
        "field_check",
        [{"resident_id": resident.resident_id, "check_id": ledger.check.check_id, "declined": "", "KEY": done}],
        found=[{"field": "phone", "value": "13800000002", "PARENT_KEY": done}],
        evidence=[{"uri": "door.jpg", "taken_at": "", "PARENT_KEY": done}],
    )
    assert bag.bring("field_check", path, "--dry-run") == 0
    assert bag.bring("field_check", path) == 0
    assert not stub.GetFieldLedger(looked, **people.worker).ledger.HasField("check")
    (bag.folder / "binglian_field_check.csv.results.csv").unlink()
    assert bag.bring("field_check", path) == 0, "the service knows the submission, too"
    assert bag.bring("field_check", path, "--dry-run") == 1
    assert "CHECK_OVER" in bag.said


def test_visits_come_back_once_and_only_from_who_may_make_them(desk: Desk, bag: Bag) -> None:
    people = desk.people
    care = care_pb2_grpc.CareServiceStub(people.service.channel)
    start = care_pb2.StartVisitPlanRequest(
        request_id=new_id(), rule="VC1", area_code=GRID, resident_id=people.enter().resident_id
    )
    plan = care.StartVisitPlan(start, **people.clerk).plan
    visit, none = key(), key()
    rows = [
        {"plan_id": plan.plan_id, "nothing_to_report": "false", "notes": "老人精神很好", "KEY": visit},
        {"plan_id": new_id(), "nothing_to_report": "true", "notes": "", "KEY": none},
    ]
    path = bag.put("care_visit", rows, evidence=[{"uri": "", "PARENT_KEY": visit}])
    assert bag.bring("care_visit", path, caller=people.steward) == 2
    assert "ROLE_REQUIRED" in bag.said
    assert bag.bring("care_visit", path, "--dry-run") == 1
    assert "row 2: VISIT_PLAN_NOT_FOUND (plan_id)" in bag.said
    for sent in ("1 sent, 0 sent before, 1 refused", "0 sent, 1 sent before, 1 refused"):
        assert bag.bring("care_visit", path) == 1
        assert sent in bag.said
    stored = people.service.database["visit_plans"].find_one({"_id": plan.plan_id})
    assert stored
    assert [(one["by"], one["notes"]) for one in stored["visits"]] == [("worker", "老人精神很好")]
    path.write_bytes(csv_of([rows[0] | {"notes": "改过的"}]))
    assert bag.bring("care_visit", path) == 1
    assert "REQUEST_ID_REUSED" in bag.said

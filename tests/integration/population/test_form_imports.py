"""Forms filled in the field come back: residents and households by import jobs, as an ODK server exports them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from binglian.population.v1 import job_pb2
from binglian.population.v1 import resident_service_pb2 as residents_pb

from population.imports.forms import columns_of
from population.imports.judging import id_of
from svckit.ids import new_id
from tests.integration.population.jobs import Desk, counts, csv_of, jobs_process
from tests.integration.population.people import CITY, GRID, People, id_number
from tests.services import eventually

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
    eventually(lambda: not database["households"].count_documents({"_id": id, "outbox.0": {"$exists": True}}))


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

"""What the collection forms ask comes back as an import: every question has its column, every column its field."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from binglian.population.v1 import resident_service_pb2 as pb
from hypothesis import given
from hypothesis import strategies as st

from population.codes import rows_of
from population.domain.household import Household, HouseholdDraft
from population.domain.job import ImportKind, ImportSpec, JobSource
from population.domain.resident import ResidentDraft
from population.exports import xlsform
from population.imports.forms import FORMS, HOUSEHOLD, columns_of
from population.imports.household_rows import HOUSEHOLD_FIELDS, read_row
from population.imports.judging import FIELDS, Judge, id_of
from population.imports.mapping import RowError, read_mapping
from population.imports.work import check_import
from population.operations import create_resident
from population.operations.households import join_household, say_household
from population.policies.households import HEAD
from population.vault import FieldKeys, Vault
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound
from tests.integration.population.people import CITY, GRID, id_number

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
VAULT = Vault(FieldKeys.of(bytes(32)))
HOUSE = "01a00000-0000-7000-8000-000000000001"
KEY = "uuid:0b0d4a8e-0e8f-4f0e-9f52-6a1f3d1c7a10"
ALLOWED = {"resident": FIELDS, "household": HOUSEHOLD_FIELDS, "household_members": HOUSEHOLD_FIELDS}
CODES = {table: [row["code"] for row in rows_of(table)] for table in ("resident_type", "household_relation")}


def spec(kind: ImportKind, mapping: Any) -> ImportSpec:
    return ImportSpec(source=JobSource(name="a.csv"), mapping=json.dumps(mapping), kind=kind)


def judge(mapping: Any, job: str = "job") -> Judge:
    read = read_mapping(json.dumps(mapping), allowed=FIELDS, path="")
    return Judge(job_id=job, mapping=read, area=CITY, vault=VAULT, now=NOW)


def resident_row(**cells: str) -> dict[str, str]:
    return (
        dict.fromkeys(columns_of("resident", separator="-", key=""), "")
        | {"KEY": KEY, "area_code": GRID, "name": "王小明"}
        | cells
    )


@pytest.mark.parametrize("form", FORMS)
def test_every_column_is_a_field_of_its_import(form: str) -> None:
    columns = columns_of(form, separator="-", key="")
    assert set(columns.values()) <= ALLOWED[form]
    assert len(set(columns.values())) == len(columns)


def test_every_question_has_a_column() -> None:
    groups: list[str] = []
    asked = set()
    for row in xlsform._survey(xlsform.FORMS["resident"]):
        if row["type"].startswith("begin"):
            groups.append(row["name"])
        elif row["type"].startswith("end"):
            groups.pop()
        else:
            asked.add("-".join([*groups, row["name"]]))
    assert columns_of("resident", separator="-", key="").keys() == asked | {"KEY"}
    household = xlsform._survey(xlsform.FORMS["household"])
    at = next(place for place, row in enumerate(household) if row["type"] == "begin_repeat")
    names = [row["name"] for row in household]
    assert columns_of("household", separator="-", key="").keys() == {*names[:at], "KEY"}
    assert columns_of("household_members", separator="-", key="").keys() == {*names[at + 1 : -1], "PARENT_KEY"}


def test_other_servers_name_columns_otherwise() -> None:
    columns = columns_of("resident", separator="/", key="_uuid")
    assert columns["_uuid"] == "reference"
    assert columns["residence/house_id"] == "house_id"
    assert columns["registered/area_code"] == "registered_area_code"
    members = columns_of("household_members", separator="/", key="_submission__uuid")
    assert (members["_submission__uuid"], members["members/resident_id"]) == (HOUSEHOLD, "resident_id")


def test_own_columns_and_constants_come_before_those_of_the_form() -> None:
    mapping = {"form": "resident", "columns": {"姓名": "name"}, "constants": {"resident_type": "03"}}
    read = read_mapping(json.dumps(mapping), allowed=FIELDS, path="")
    assert read.columns.keys() >= {"姓名", "phone"}
    assert not {"name", "resident_type"} & read.columns.keys()


@pytest.mark.parametrize(
    ("kind", "mapping", "reason"),
    [
        (ImportKind.RESIDENTS, {}, "MAPPING_INVALID"),
        (ImportKind.RESIDENTS, {"form": "visit"}, "FORM_UNKNOWN"),
        (ImportKind.RESIDENTS, {"form": "household_members"}, "FIELD_UNKNOWN"),
        (ImportKind.HOUSEHOLDS, {"form": "resident"}, "FIELD_UNKNOWN"),
        (ImportKind.HOUSEHOLDS, {"columns": {"网格": "area_code"}}, "FIELD_MISSING"),
    ],
)
def test_a_mapping_of_something_else_is_refused_before_a_row_is_read(kind: ImportKind, mapping: Any, reason: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_import(spec(kind, mapping))
    assert (caught.value.reason, caught.value.field) == (reason, "import_spec.mapping")


def test_mappings_of_our_forms_are_enough() -> None:
    check_import(spec(ImportKind.RESIDENTS, {"form": "resident"}))
    check_import(spec(ImportKind.HOUSEHOLDS, {"form": "household"}))
    check_import(spec(ImportKind.HOUSEHOLDS, {"form": "household_members"}))


@given(
    name=st.sampled_from(["王小明", "诸葛明", "Ana Lima"]),
    kind=st.sampled_from(["", *CODES["resident_type"]]),
    relation=st.sampled_from(["", *CODES["household_relation"]]),
    home=st.booleans(),
    registered=st.sampled_from(["", "42", "420502001003"]),
    tenure=st.sampled_from(["", "owner", "tenant"]),
)
def test_a_submission_is_the_same_entry_as_by_hand(
    name: str, kind: str, relation: str, home: bool, registered: str, tenure: str
) -> None:
    row = resident_row(name=name, resident_type=kind, household_relation=relation, **{"registered-area_code": registered})
    row |= {"residence-house_id": HOUSE, "residence-tenure": tenure, "residence-since": "2020-01-01"} if home else {}
    found = judge({"form": "resident"}).judge(row, 1)
    assert found.refers
    assert (found.resident.name, found.resident.household_relation) == (name, relation)
    assert found.resident.resident_type == kind or not kind
    kinds = {home.kind.value: home for home in found.resident.residences}
    assert ("actual" in kinds, "registered" in kinds) == (home, bool(registered))
    if home and tenure:
        assert kinds["actual"].tenure == tenure


def test_a_submission_has_the_same_id_in_every_import() -> None:
    first, second = (judge({"form": "resident"}, job).judge(resident_row(), 1) for job in ("a", "b"))
    assert first.resident.resident_id == second.resident.resident_id == id_of(GRID, KEY)
    assert first.command != second.command
    other = judge({"form": "resident"}).judge(resident_row(KEY="uuid:0b0d4a8e-0e8f-4f0e-9f52-6a1f3d1c7a11"), 1)
    assert other.resident.resident_id != first.resident.resident_id


def test_rows_without_a_number_of_their_own_are_entered_as_before() -> None:
    mapping = {"columns": {"姓名": "name"}, "constants": {"area_code": GRID}}
    found = judge(mapping).judge({"姓名": "王小明"}, 7)
    assert not found.refers
    assert found.resident.resident_id[14] == "7"


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"KEY": "x" * 101}, "reference", "VALUE_TOO_LONG"),
        ({"KEY": id_number()}, "reference", "NUMBER_IN_TEXT"),
        ({"registered-tenure": "king", "registered-area_code": "420502"}, "registered_tenure", "CODE_UNKNOWN"),
        ({"name": "重点人口王五"}, "name", "RESTRICTED_CONTENT"),
    ],
)
def test_a_wrong_submission_is_refused_with_its_field(cells: dict[str, str], field: str, reason: str) -> None:
    with pytest.raises(RowError) as caught:
        judge({"form": "resident"}).judge(resident_row(**cells), 1)
    assert (caught.value.field, caught.value.reason) == (field, reason)


def member(**values: str) -> dict[str, str]:
    return {HOUSEHOLD: KEY, "household_relation": HEAD} | values


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"area_code": GRID}, HOUSEHOLD, "FIELD_MISSING"),
        ({HOUSEHOLD: KEY}, "area_code", "FIELD_MISSING"),
        ({HOUSEHOLD: KEY, "area_code": "1"}, "area_code", "VALIDATION_FAILED"),
        ({HOUSEHOLD: KEY, "area_code": "4201" + GRID[4:]}, "area_code", "AREA_NOT_ALLOWED"),
        ({HOUSEHOLD: KEY, "area_code": GRID, "house_id": "7"}, "house_id", "VALIDATION_FAILED"),
        ({HOUSEHOLD: KEY, "area_code": GRID, "match_flag": "7"}, "match_flag", "CODE_UNKNOWN"),
        ({HOUSEHOLD: KEY, "id_number": id_number()}, "household_relation", "FIELD_MISSING"),
        (member(id_number=id_number(), household_relation="z"), "household_relation", "CODE_UNKNOWN"),
        (member(resident_id="7"), "resident_id", "VALIDATION_FAILED"),
        (member(id_number="!"), "id_number", "VALIDATION_FAILED"),
    ],
)
def test_a_wrong_household_is_refused_with_its_field(values: dict[str, str], field: str, reason: str) -> None:
    with pytest.raises(RowError) as caught:
        read_row(values, area=CITY, city=CITY)
    assert (caught.value.field, caught.value.reason) == (field, reason)


@given(
    house=st.booleans(), flag=st.sampled_from(["", "01", "02"]), relation=st.sampled_from(["", *CODES["household_relation"]])
)
def test_a_household_and_its_members_are_of_one_id(house: bool, flag: str, relation: str) -> None:
    place = {"area_code": GRID} | ({"house_id": HOUSE} if house else {}) | ({"match_flag": flag} if flag else {})
    row = read_row({HOUSEHOLD: KEY, **place}, area=CITY, city=CITY)
    assert row.draft == HouseholdDraft(area_code=GRID, house_id=HOUSE if house else "", match_flag=flag)
    if relation:
        joining = read_row(member(resident_id=HOUSE, household_relation=relation), area=CITY, city=CITY)
        assert (joining.household_id, joining.draft, joining.has_member) == (row.household_id, None, True)


class TestSaid:
    DRAFT = HouseholdDraft(area_code=GRID, house_id=HOUSE)

    def say(self, household: Household | None, **said: Any) -> Any:
        told = {"household_id": "h", "draft": self.DRAFT, "member_id": "", "relation": "", "now": NOW} | said
        return say_household(household, **told)

    def test_said_twice_it_is_there_once(self) -> None:
        household, facts = self.say(None)
        assert len(facts) == 1
        assert self.say(household) == (household, ())
        assert self.say(household, draft=None) == (household, ())

    def test_the_head_is_named_once(self) -> None:
        household, facts = self.say(None, member_id="a", relation=HEAD)
        assert (household.head_id, len(facts)) == ("a", 2)
        assert self.say(household, member_id="a", relation=HEAD) == (household, ())
        with pytest.raises(FailedPrecondition, match="has a head"):
            self.say(household, member_id="b", relation=HEAD)

    def test_nothing_is_overwritten(self) -> None:
        household, _ = self.say(None)
        with pytest.raises(FailedPrecondition) as caught:
            self.say(household, draft=HouseholdDraft(area_code=GRID, house_id=HOUSE[:-1] + "2"))
        assert (caught.value.reason, caught.value.field) == ("HOUSEHOLD_DIFFERS", "house_id")

    def test_members_do_not_come_before_their_household(self) -> None:
        with pytest.raises(NotFound):
            self.say(None, draft=None, member_id="a")

    def test_somebody_joins_once_and_stays_where_they_are(self) -> None:
        draft = ResidentDraft(area_code=GRID, name="王小明")
        person, _ = create_resident(draft=draft, resident_id="r", residence_id="", seal=VAULT.seal, now=NOW)
        joined, facts = join_household(person, household_id="h", relation="12", now=NOW)
        assert (joined.household_id, joined.household_relation, len(facts)) == ("h", "12", 1)
        assert join_household(joined, household_id="h", relation="12", now=NOW) == (joined, ())
        for more, reason in (({"household_id": "x"}, "OTHER_HOUSEHOLD"), ({"relation": "20"}, "RELATION_DIFFERS")):
            with pytest.raises(FailedPrecondition) as caught:
                join_household(joined, **{"household_id": "h", "relation": "12", "now": NOW} | more)
            assert caught.value.reason == reason


def test_the_form_of_a_household_asks_for_what_the_contract_has() -> None:
    fields = {field.name for field in pb.ResidentDraft.DESCRIPTOR.fields} | {"resident_id"}
    assert set(xlsform.MEMBER) <= fields

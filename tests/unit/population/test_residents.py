"""Residents, residences, households: without I/O."""

from __future__ import annotations

import datetime as dt

import pytest

from population import operations
from population.domain.household import Household, HouseholdDraft
from population.domain.residence import Residence, ResidenceDraft, Tenure
from population.domain.resident import Resident, ResidentDraft
from population.vault import FieldKeys, Vault
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound

NOW = dt.datetime(2026, 3, 1, 17, 0, tzinfo=dt.UTC)  # it is the 2nd in China
LATER = NOW + dt.timedelta(days=3)
GRID = "42050200100310001"
VAULT = Vault(FieldKeys.of(bytes(32)))


def entered(**fields: object) -> Resident:
    draft = ResidentDraft(**({"area_code": GRID, "name": "王小明"} | fields))  # type: ignore[arg-type]
    return operations.create_resident(draft=draft, resident_id="r", residence_id="d", seal=VAULT.seal, now=NOW)[0]


def number_of(year: int = 1990, serial: int = 301) -> str:
    from population.identity import check_digit

    body = f"990000{year}0101{serial:03d}"
    return body + check_digit(body)


def test_birth_date_and_sex_come_from_the_number() -> None:
    resident = entered(id_doc_type="111", id_number=number_of().lower())
    assert (resident.birth_date, resident.sex, resident.city) == ("1990-01-01", "1", "4205")
    assert resident.id_number is not None
    assert VAULT.open(resident.id_number.cipher, field="id_number", owner="r") == number_of()


def test_nobody_is_turned_away_for_lack_of_a_document() -> None:
    resident = entered()
    assert (resident.id_doc_type, resident.id_number, resident.sex, resident.resident_type) == ("999", None, "9", "09")


def test_documents_without_check_digit_are_taken_as_they_are() -> None:
    resident = entered(id_doc_type="414", id_number="e1234567", birth_date="1980-05-05", sex="2")
    assert (resident.birth_date, resident.sex) == ("1980-05-05", "2")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id_number": number_of()}, "ID_DOC_TYPE_MISSING"),
        ({"id_doc_type": "111"}, "ID_NUMBER_MISSING"),
        ({"id_doc_type": "111", "id_number": "110105194912310021"}, "ID_NUMBER_INVALID"),
        ({"id_doc_type": "111", "id_number": number_of(2027)}, "ID_NUMBER_INVALID"),
        ({"id_doc_type": "123", "id_number": "x1234"}, "CODE_UNKNOWN"),
        ({"id_doc_type": "111", "id_number": number_of(), "birth_date": "1990-01-02"}, "BIRTH_DATE_CONTRADICTS"),
        ({"id_doc_type": "111", "id_number": number_of(), "sex": "2"}, "SEX_CONTRADICTS"),
        ({"birth_date": "1990-02-30"}, "DATE_INVALID"),
        ({"birth_date": "2026-03-03"}, "IN_THE_FUTURE"),
        ({"resident_type": "07"}, "CODE_UNKNOWN"),
        ({"household_relation": "00"}, "CODE_UNKNOWN"),
    ],
)
def test_wrong_residents_are_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        entered(**fields)
    assert refusal.value.reason == reason
    assert str(fields.get("id_number", "?")) not in refusal.value.message


def test_the_day_is_the_day_in_china() -> None:
    assert entered(birth_date="2026-03-02").birth_date == "2026-03-02"


def test_facts_carry_no_personal_data() -> None:
    draft = ResidentDraft(
        area_code=GRID,
        name="王小明",
        id_doc_type="111",
        id_number=number_of(),
        phone="10012345678",
        residence=ResidenceDraft(house_id="h"),
    )
    resident, events = operations.create_resident(draft=draft, resident_id="r", residence_id="d", seal=VAULT.seal, now=NOW)
    assert [type(event).__name__ for event in events] == ["ResidentRegistered", "ResidenceStarted"]
    assert not any(text in repr(events) for text in ("王小明", number_of(), "10012345678", "1990"))
    assert resident.residences == (Residence(residence_id="d", house_id="h", area_code=GRID, since="2026-03-02"),)


def test_a_residence_ends_and_stays_in_the_history() -> None:
    draft = ResidenceDraft(house_id="h", tenure=Tenure.TENANT, since="2025-07-01")
    resident, _ = operations.start_residence(entered(), draft=draft, residence_id="d", revision=0, now=NOW)
    with pytest.raises(FailedPrecondition) as refusal:
        operations.start_residence(resident, draft=draft, residence_id="e", revision=0, now=NOW)
    assert refusal.value.reason == "ALREADY_LIVES_THERE"
    ended, events = operations.end_residence(resident, residence_id="d", until="2026-01-31", revision=0, now=NOW)
    assert ended.residences[0].until == "2026-01-31"
    assert events[0].house_id == "h"
    again, _ = operations.start_residence(ended, draft=ResidenceDraft(house_id="h"), residence_id="e", revision=0, now=NOW)
    assert [residence.until for residence in again.residences] == ["2026-01-31", ""]


@pytest.mark.parametrize(
    ("residence_id", "until", "error"),
    [
        ("x", "", NotFound),
        ("d", "2025-06-30", InvalidArgument),
        ("d", "2026-03-09", InvalidArgument),
        ("d", "2026-02-31", InvalidArgument),
    ],
)
def test_wrong_ends_are_refused(residence_id: str, until: str, error: type[Exception]) -> None:
    draft = ResidenceDraft(house_id="h", since="2025-07-01")
    resident, _ = operations.start_residence(entered(), draft=draft, residence_id="d", revision=0, now=NOW)
    with pytest.raises(error):
        operations.end_residence(resident, residence_id=residence_id, until=until, revision=0, now=NOW)


def test_an_update_takes_only_the_named_fields() -> None:
    values = ResidentDraft(area_code="420503001001", name="", phone="10087654321")
    resident, _ = operations.update_resident(
        entered(), fields=["phone", "area_code"], values=values, seal=VAULT.seal, revision=0, now=LATER
    )
    assert (resident.name, resident.area_code, resident.changed_at) == ("王小明", "420503001001", LATER)
    assert resident.phone is not None
    without, _ = operations.update_resident(
        resident, fields=["phone"], values=ResidentDraft(area_code="", name=""), seal=VAULT.seal, revision=0, now=LATER
    )
    assert without.phone is None


@pytest.mark.parametrize("fields", [[], ["id_number"], ["birth_date"], ["name"], ["area_code"]])
def test_an_update_never_empties_or_changes_who_somebody_is(fields: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        operations.update_resident(
            entered(), fields=fields, values=ResidentDraft(area_code="", name=""), seal=VAULT.seal, revision=0, now=LATER
        )


def test_households_check_their_flag() -> None:
    household, _ = operations.create_household(draft=HouseholdDraft(area_code=GRID, match_flag="01"), household_id="f", now=NOW)
    assert isinstance(household, Household)
    with pytest.raises(InvalidArgument):
        operations.create_household(draft=HouseholdDraft(area_code=GRID, match_flag="03"), household_id="f", now=NOW)


# What may be kept about a person. Whoever adds a field has to answer restricted_category.csv and sensitive_field.csv here.
ALLOWED = {
    *("resident_id", "city", "area_code", "name", "sex", "birth_date", "id_doc_type", "id_number", "phone", "resident_type"),
    *("household_id", "household_relation", "residences", "created_at", "changed_at", "revision"),
    *("name_latin", "match_flag", "standing", "documents", "living"),
}
# What answers never show: how names are found, what people told of themselves.
KEPT_ONLY = {"name_keys", "affiliation"}


def test_no_field_exists_for_what_must_not_be_kept() -> None:
    from binglian.population.v1 import resident_pb2

    from population.store import ResidentDocument

    assert set(Resident.__struct_fields__) == ALLOWED | KEPT_ONLY
    assert set(ResidentDocument._fields) == ALLOWED | KEPT_ONLY
    assert {field.name for field in resident_pb2.Resident.DESCRIPTOR.fields} == ALLOWED

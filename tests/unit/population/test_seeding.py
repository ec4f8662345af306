"""Made-up people: the same every time, in the form the service writes, with numbers nobody has."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from bson import encode

from population.domain.household import Household
from population.domain.resident import Resident
from population.id_documents import read_id_number
from population.seeding.columns import TODAY, Columns
from population.seeding.documents import Raw, Writer
from population.seeding.places import BLOCK_PEOPLE, blocks
from population.vault import FieldKeys, Vault
from svckit.documents import Form

VAULT = Vault(FieldKeys.of(b"k" * 32))
OWNED = ("revision", "created_by", "_id")


@pytest.fixture(scope="module")
def residents() -> list[Raw]:
    return list(Writer(blocks(1_500)[0], VAULT).residents())


def written_by_the_service(document: Raw, form: Form[Resident] | Form[Household]) -> Raw:
    state = form.state(document)
    return form.changed(None, state)  # type: ignore[arg-type]


def test_documents_are_those_the_service_would_have_written(residents: list[Raw]) -> None:
    form = Form(Resident, id_field="resident_id")
    for document in residents:
        own = {name: value for name, value in document.items() if name not in OWNED}
        assert encode(written_by_the_service(document, form)) == encode(own)
    homes = Form(Household, id_field="household_id")
    for document in Writer(blocks(200)[0], VAULT).households():
        own = {name: value for name, value in document.items() if name not in OWNED}
        assert encode(written_by_the_service(document, homes)) == encode(own)


def test_numbers_are_valid_unique_and_nobodys(residents: list[Raw]) -> None:
    numbers = [
        (document, VAULT.open(document["id_number"]["cipher"], field="id_number", owner=document["_id"]))
        for document in residents
        if document["id_number"]
    ]
    assert len({number for _, number in numbers}) == len(numbers) > 1_400
    for document, number in numbers:
        assert number.startswith("99")
        identity = read_id_number(number, today=TODAY)
        assert (identity.birth_date, identity.sex) == (document["birth_date"], document["sex"])


def test_two_runs_make_the_same_people() -> None:
    first, second = (list(Writer(blocks(300)[0], VAULT).residents()) for _ in range(2))
    sealed = ("id_number", "phone", "affiliation")
    for one, other in zip(first, second, strict=True):
        assert {k: v for k, v in one.items() if k not in sealed} == {k: v for k, v in other.items() if k not in sealed}
        assert all((one[k] or {}).get("index") == (other[k] or {}).get("index") for k in sealed)


def test_households_and_ages_are_realistic() -> None:
    columns = Columns(blocks(BLOCK_PEOPLE)[0])
    assert columns.homes.size.sum() == BLOCK_PEOPLE
    assert 2.4 < columns.homes.size.mean() < 2.8
    assert 0.22 < (columns.homes.size == 1).mean() < 0.29
    assert 0.15 < (columns.homes.age >= 60).mean() < 0.35
    assert 0.10 < (columns.homes.age < 15).mean() < 0.25
    assert 0.46 < columns.homes.male.mean() < 0.55
    assert columns.since.max() <= dt.date(2026, 6, 30)
    assert (columns.since >= columns.birth).all()


def test_every_household_has_one_head(residents: list[Raw]) -> None:
    heads = Counter(one["household_id"] for one in residents if one["household_relation"] == "02")
    assert set(heads.values()) == {1}
    assert set(heads) == {one["household_id"] for one in residents}


@pytest.mark.parametrize("count", [0, 10**9])
def test_impossible_numbers_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="residents can be made"):
        blocks(count)

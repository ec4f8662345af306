"""How an import writes: a batch in one transaction with its facts in bundles, and row by row where that cannot be."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from population.imports.judging import FIELDS, Judge, Judged
from population.imports.mapping import read_mapping
from population.imports.writing import FORM, Writer, document, facts, insertion
from population.store.bundles import AT_ONCE
from population.vault import FieldKeys, Vault
from svckit.documents import INDEXES
from svckit.ids import new_id
from tests.integration.population.people import GRID, id_number

HOUSE = "01a00000-0000-7000-8000-000000000001"
MAPPING = json.dumps(
    {
        "columns": {"姓名": "name", "证件号码": "id_number", "房屋": "house_id"},
        "constants": {"area_code": GRID, "id_doc_type": "111", "resident_type": "01", "tenure": "owner", "since": "2020-01-01"},
    }
)
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
VAULT = Vault(FieldKeys.of(bytes(32)))


@pytest.fixture
def database(mongo_uri: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        found = client[f"t_writing_{new_id()[-12:]}"]
        found["residents"].create_indexes(list(INDEXES))
        found["residents"].create_index([("city", 1), ("id_number.index", 1)], unique=True, sparse=True)
        yield found
        client.drop_database(found.name)


def judged(job: str, numbers: list[str], *, house: str = HOUSE) -> list[Judged]:
    judge = Judge(job_id=job, mapping=read_mapping(MAPPING, allowed=FIELDS, path=""), area=GRID[:4], vault=VAULT, now=NOW)
    rows = [{"姓名": "王小明", "证件号码": number, "房屋": house} for number in numbers]
    return [judge.judge(row, at) for at, row in enumerate(rows, start=1)]


def people(count: int) -> list[str]:
    return [id_number() for _ in range(count)]


def waiting(database: Database[dict[str, Any]]) -> list[tuple[str, str]]:
    """Subject and type of the facts that wait, of people and bundles."""
    rows = [*database["residents"].find(), *database["fact_bundles"].find()]
    return sorted((fact["subject"], fact["type"]) for row in rows for fact in row.get("outbox", ()))


def expected(batch: list[Judged]) -> list[tuple[str, str]]:
    kinds = ("population.residence_started.v1", "population.resident_registered.v1")
    return sorted((one.resident.resident_id, kind) for one in batch for kind in kinds)


def test_a_row_is_the_same_document_with_the_same_facts_either_way() -> None:
    (one,) = judged(new_id(), people(1))
    alone: Any = insertion(one, now=NOW)._doc
    told = [{**fact, "id": ""} for fact in alone.pop("outbox")]
    assert alone == document(one)
    assert FORM.state(document(one)).residences == one.resident.residences
    assert told == [{**fact, "id": ""} for fact in facts(one, now=NOW)]


def test_a_batch_is_there_with_its_facts_in_few_documents(database: Database[dict[str, Any]]) -> None:
    batch = judged("job", people(AT_ONCE + 1))
    writer = Writer(database, job_id="job")
    assert writer.write(batch).result().entered == len(batch)
    writer.close()
    assert waiting(database) == expected(batch)
    assert database["fact_bundles"].count_documents({}) == 2
    assert not database["residents"].count_documents({"outbox": {"$exists": True}})


def test_what_was_written_before_a_break_is_neither_refused_nor_told_twice(database: Database[dict[str, Any]]) -> None:
    batch = judged("job", people(6))
    for part, entered in ((batch[:4], 4), (batch, 6), (batch, 6)):
        writer = Writer(database, job_id="job")
        written = writer.write(part).result()
        writer.close()
        assert (written.entered, list(written.known)) == (entered, [])
    assert waiting(database) == expected(batch)
    assert database["residents"].count_documents({}) == 6


def test_people_who_are_known_are_told_by_row_and_the_others_entered(database: Database[dict[str, Any]]) -> None:
    numbers = people(6)
    first, second = judged("one", numbers[:2]), judged("two", [*numbers[2:4], *numbers[:2], *numbers[4:]])
    for job, batch, known in (("one", first, []), ("two", second, [3, 4])):
        writer = Writer(database, job_id=job)
        written = writer.write(batch).result()
        writer.close()
        assert sorted(written.known) == known
        assert written.entered == len(batch) - len(known)
    assert waiting(database) == sorted(expected(first) + expected([*second[:2], *second[4:]]))


def test_bundles_whose_facts_are_out_are_removed(database: Database[dict[str, Any]]) -> None:
    writer = Writer(database, job_id="job")
    writer.write(judged("job", people(2))).result()
    writer.close()
    database["fact_bundles"].update_many({}, {"$set": {"outbox": []}})
    Writer(database, job_id="other").close()
    assert not database["fact_bundles"].count_documents({})


def test_a_home_is_entered_with_its_house_and_nothing_without_one() -> None:
    (housed,) = judged(new_id(), people(1))
    assert [home.house_id for home in housed.resident.residences] == [HOUSE]
    (homeless,) = judged(new_id(), people(1), house="")
    assert homeless.resident.residences == ()

"""What departments said of a person's fields goes after a year; what counts keeps where it comes from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from population.domain.collection import FieldEntry, FieldLedger, FieldSource, FieldValue, Registered
from population.domain.resident import Resident
from population.domain.verification import Attachment
from population.operations.collection import complete_check, observe_record
from population.privacy.retention import Retention
from population.vault import FieldKeys, Vault
from svckit.access import Caller
from svckit.batch import BatchRepository
from svckit.documents import Change, Command, Form
from svckit.ids import new_id

pytestmark = pytest.mark.integration
VAULT = Vault(FieldKeys.of(b"k" * 32))
THEN = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
WORKER = Caller(subject="worker", roles=frozenset({"GRID_WORKER"}))
Ledgers = BatchRepository[FieldLedger]


@pytest.fixture
def database(mongo_uri: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        found = client[f"t_{new_id()[-12:]}"]
        yield found
        client.drop_database(found.name)


def observe(ledgers: Ledgers, id: str, source: str, at: dt.datetime, **values: str) -> None:
    person = Registered(resident_id=id, city="4205", area_code="42050200100310001", changed_at=THEN, values=VALUES)
    said = [FieldValue(field=field, value=value) for field, value in values.items()]
    known: dict[str, Any] = {"registered": person, "fields": said, "source": source, "by": source.lower(), "as_of": at}
    decide = partial(observe_record, **known, check_id=f"check-{id}", texts=VAULT, now=at)
    ledgers.apply([Change(id, decide, Command(new_id(), "x"))])


def look(ledgers: Ledgers, id: str, at: dt.datetime, **values: str) -> None:
    person = Registered(resident_id=id, city="4205", area_code="42050200100310001", changed_at=THEN, values=VALUES)
    found = [FieldValue(field=field, value=value) for field, value in values.items()]
    known: dict[str, Any] = {
        "registered": person,
        "found": found,
        "declined": (),
        "evidence": (Attachment(uri="photo:1"),),
        "revision": 0,
    }
    decide = partial(complete_check, **known, check_id=f"check-{id}", by=WORKER, happened_at=at, texts=VAULT, now=at)
    (outcome,) = ledgers.apply([Change(id, decide, Command(new_id(), "x"))])
    assert isinstance(outcome, FieldLedger), outcome


VALUES = {"name": "王一", "phone": "13800000001", "sex": "1", "resident_type": "01"}


def retained(database: Database[dict[str, Any]], at: dt.datetime) -> None:
    residents = BatchRepository(database["residents"], form=Form(Resident, id_field="resident_id"))
    database["leases"].delete_many({})
    retention = Retention(residents, clock=lambda: at)
    while retention.work():
        pass


def entry_of(ledger: FieldLedger, field: str) -> FieldEntry:
    return next(entry for entry in ledger.entries if entry.field == field)


def provenance(one: FieldSource) -> tuple[Any, ...]:
    return (one.source, one.by, one.at, one.verified)


def test_what_departments_said_and_evidence_go_after_a_year_and_provenance_stays(database: Database[dict[str, Any]]) -> None:
    ledgers: Ledgers = BatchRepository(database["field_ledgers"], form=Form(FieldLedger, id_field="resident_id"))
    looked = THEN + dt.timedelta(days=3)
    observe(ledgers, "r1", "PSB", THEN, phone="13800000002", name="王一", name_latin="Wang Yi")
    look(ledgers, "r1", looked, phone="13800000002")
    observe(ledgers, "r1", "HEALTH", THEN + YEAR, name="王一")
    observe(ledgers, "waits", "PSB", THEN, phone="13800000003")
    before = ledgers.get("r1")
    assert [one.value for one in entry_of(before, "name").observations] == ["王一", "王一"]

    retained(database, THEN + YEAR)
    assert ledgers.get("r1") == before, "a year is not over"

    retained(database, looked + YEAR + dt.timedelta(days=1))
    after = ledgers.get("r1")
    phone, name = entry_of(after, "phone"), entry_of(after, "name")
    assert provenance(phone.accepted) == ("GRID", "worker", looked, True)
    assert phone.accepted.secret == entry_of(before, "phone").accepted.secret
    assert (phone.accepted.evidence, phone.observations, phone.overridden) == ((), (), ())
    assert [one.source for one in name.observations] == ["HEALTH"], "this year's stays"
    latin = entry_of(after, "name_latin").accepted
    assert (latin.value, *provenance(latin)) == ("Wang Yi", "PSB", "psb", THEN, False)
    assert after.revision == before.revision + 1
    waiting = entry_of(ledgers.get("waits"), "phone")
    assert [one.source for one in waiting.observations] == ["PSB"], "somebody is asked to look: they need what was said"

    retained(database, looked + YEAR + dt.timedelta(days=2))
    assert ledgers.get("r1") == after, "done twice it changes nothing"

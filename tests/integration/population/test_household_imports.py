"""An import of households that is broken off goes on where it was, also in a rehearsal, and counts every row once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import MongoClient
from pymongo.database import Database

from population.department_feed import RESIDENT_FORM
from population.domain.job import ImportKind, ImportSpec, Job, JobKind, JobSource, JobState
from population.domain.resident import ResidentDraft
from population.imports.households import CHUNK, HouseholdImport
from population.jobs.desk import Desk, Stopped
from population.operations import create_resident
from population.privacy.job_trail import JobTrail
from population.vault import FieldKeys, Vault
from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
VAULT = Vault(FieldKeys.of(bytes(32)))
FAMILIES = CHUNK
"""Of two people each, so that a file of them is read in two chunks."""
MAPPING = {
    "columns": {"户号": "household", "居民": "resident_id", "关系": "household_relation"},
    "constants": {"area_code": GRID},
}


@pytest.fixture
def database(mongo_uri: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        found = client[f"t_households_{new_id()[-12:]}"]
        yield found
        client.drop_database(found.name)


@pytest.fixture
def file(database: Database[dict[str, Any]], tmp_path: Path) -> Path:
    """Families, of whom the register has everybody but has nobody as a family; the last row is about nobody."""
    people = []
    for at in range(FAMILIES * 2):
        draft = ResidentDraft(area_code=GRID, name=f"山{at}")
        people.append(create_resident(draft=draft, resident_id=new_id(), residence_id="", seal=VAULT.seal, now=NOW)[0])
    database["residents"].insert_many([RESIDENT_FORM.document(person) for person in people])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["户号", "居民", "关系"])
    for at, person in enumerate(people):
        writer.writerow([f"F{at // 2}", person.resident_id, ("02", "11")[at % 2]])
    writer.writerow(["F0", new_id(), "20"])
    path = tmp_path / "households.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    return path


def job_for(file: Path, *, dry_run: bool) -> Job:
    spec = ImportSpec(
        source=JobSource(name=file.name), mapping=json.dumps(MAPPING), dry_run=dry_run, kind=ImportKind.HOUSEHOLDS
    )
    times = {"created_at": NOW, "changed_at": NOW}
    place = {"city": CITY, "area_code": CITY, "purpose": "P11", "legal_basis": "x", "started_by": "steward"}
    return Job(job_id=new_id(), kind=JobKind.IMPORT, state=JobState.RUNNING, import_spec=spec, **place, **times)


def work(job: Job, file: Path, database: Database[dict[str, Any]], *, stops: bool) -> Job:
    """Runs a job until its end, or until it has written down its first chunk; returns it as it then is."""
    stop, told = threading.Event(), [job]

    def tell(*, stage: str, done: int, total: int, counts: Any, checkpoint: str) -> None:
        told.append(replace(told[-1], counts=counts, checkpoint=checkpoint))
        if stops and "row" in checkpoint:
            stop.set()

    desk = Desk(
        job=job,
        database=database,
        vault=VAULT,
        trail=JobTrail(database, key=bytes(32), job=job),
        workspace=file.parent,
        files=file.parent,
        stop=stop,
        tell=tell,
    )
    if stops:
        with pytest.raises(Stopped):
            HouseholdImport(desk).run()
    else:
        HouseholdImport(desk).run()
    return replace(told[-1], counts=desk.final_counts())


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_goes_on_where_it_was(database: Database[dict[str, Any]], file: Path, dry_run: bool) -> None:
    half = work(job_for(file, dry_run=dry_run), file, database, stops=True)
    assert {count.name: count.value for count in half.counts}["read"] == CHUNK
    done = work(half, file, database, stops=False)
    counted = {"read": 2 * FAMILIES + 1, "entered": FAMILIES, "joined": 2 * FAMILIES, "duplicates": 0, "refused": 1}
    assert {count.name: count.value for count in done.counts} == counted
    stored = 0 if dry_run else FAMILIES
    assert database["households"].count_documents({"head_id": {"$gt": ""}}) == stored
    assert database["residents"].count_documents({"household_id": {"$gt": ""}}) == 2 * stored


def test_what_was_done_and_not_written_down_is_done_once(database: Database[dict[str, Any]], file: Path) -> None:
    job = job_for(file, dry_run=False)
    work(job, file, database, stops=True)
    # Another worker knows nothing of the first chunk.
    done = work(job, file, database, stops=False)
    counted = {count.name: count.value for count in done.counts}
    assert (counted["read"], counted["refused"], counted["duplicates"]) == (2 * FAMILIES + 1, 1, CHUNK)
    assert database["households"].count_documents({}) == FAMILIES
    assert all(len(row["outbox"]) == 2 for row in database["households"].find()), "registered, and the head named"

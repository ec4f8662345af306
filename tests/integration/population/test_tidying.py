"""What ended jobs left on the disk in clear goes, and nothing else."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from population.jobs.tidying import tidy
from svckit.ids import new_id
from svckit.lease import Lease

pytestmark = pytest.mark.integration
NOW = dt.datetime.now(dt.UTC)
LONG_AGO = NOW - dt.timedelta(days=1, minutes=1)


@pytest.fixture
def database(mongo_uri: str, database_name: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri, tz_aware=True) as client:
        yield client[database_name]


def left(folder: Path, database: Database[dict[str, Any]], **job: Any) -> Path:
    """The folder of a job with rows in it; of one the database does not know when nothing is said about it."""
    id = new_id()
    path = folder / id
    (path / "spill").mkdir(parents=True)
    (path / "results.parquet").write_text("王小明")
    if job:
        database["jobs"].insert_one({"_id": id, **job})
    return path


def test_it_goes_a_day_after_the_job_ended(tmp_path: Path, database: Database[dict[str, Any]]) -> None:
    gone = [left(tmp_path, database, state=state, ended_at=LONG_AGO) for state in ("failed", "cancelled", "finished")]
    stays = [
        left(tmp_path, database, state="failed", ended_at=NOW),
        left(tmp_path, database, state="running", ended_at=None),
        left(tmp_path, database, state="queued", ended_at=LONG_AGO),
        left(tmp_path, database),
    ]
    unknown = left(tmp_path, database)
    os.utime(unknown, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    held = left(tmp_path, database, state="cancelled", ended_at=LONG_AGO)
    assert Lease(database["leases"], f"job.{held.name}", seconds=60, owner="resuming").hold()
    (tmp_path / "register").mkdir()
    removed = tidy(tmp_path, database=database, now=NOW)
    assert set(removed) == {path.name for path in [*gone, unknown]}
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in [*stays, held]} | {"register"}
    assert tidy(tmp_path / "missing", database=database, now=NOW) == []

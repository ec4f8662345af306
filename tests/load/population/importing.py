"""`import`: rows of a CSV file as residents (read, checked, sealed, deduplicated, with their facts), against a bare bulk insert."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from population.identity import check_digit
from tests.load.harness import Row, compare
from tests.load.population.register import DATABASE, Register
from tests.load.population.steward import Steward, counts

ROWS = 100_000
BATCH = 2_000
ROUNDS = 3
PATIENCE = 120
"""Seconds."""
MAPPING = {
    "columns": {"姓名": "name", "证件号码": "id_number", "电话": "phone"},
    "constants": {"area_code": "42059900100110001", "id_doc_type": "111", "resident_type": "03"},
}


def run(here: Register) -> list[Row]:
    """Rows a second; the floor inserts the very documents the import made, without their facts, into the same register."""
    with Steward(here) as steward:
        return _measured(here, steward)


def _measured(here: Register, steward: Steward) -> list[Row]:
    turn = iter(range(100))

    def ours() -> float:
        number = next(turn)
        file = steward.files / f"people-{number}.csv"
        file.write_text("姓名,证件号码,电话\n" + "".join(_line(number * ROWS + row) for row in range(ROWS)), encoding="utf-8")
        job, seconds = steward.enter(file.name, MAPPING)
        assert counts(job)["entered"] == ROWS, counts(job)
        return ROWS / seconds

    def bare() -> float:
        return _inserted(here)

    ours()  # so that there are documents to insert
    row = compare(
        "import", ours=ours, floor=bare, unit="rows/s", target=0.5, rounds=ROUNDS, note=f"{ROWS:,} rows; floor: insert_many"
    )
    return [row]


def _line(number: int) -> str:
    day, serial = divmod(number, 999)
    # Behind the blocks of the seeded people, in the range no place has.
    body = f"99{day % 4000 + 5000:04d}{1950 + day // 4000:04d}0101{serial + 1:03d}"
    return f"导入{chr(0x4E00 + number % 5000)},{body}{check_digit(body)},1{3000000000 + number}\n"


def _inserted(here: Register) -> float:
    """Takes what the last import made out of the register and puts it back, bare: the same documents among the same millions."""
    _wait_for_the_facts(here)
    made = list(here.stored.find({"created_by.key": {"$regex": "^job/"}}).sort("_id", -1).limit(ROWS))
    here.stored.delete_many({"_id": {"$in": [each["_id"] for each in made]}})
    stored = here.stored.with_options(write_concern=WriteConcern("majority"))
    bare = [{name: value for name, value in each.items() if name != "outbox"} for each in reversed(made)]
    began = time.monotonic()
    try:
        for at in range(0, len(bare), BATCH):
            stored.insert_many(bare[at : at + BATCH], ordered=False)
    except BulkWriteError as error:
        raise RuntimeError(str(error.details["writeErrors"][:1])) from error
    return len(bare) / (time.monotonic() - began)


def _wait_for_the_facts(here: Register) -> None:
    """Until all that was imported is published: the floor is to have the machine to itself."""
    give_up = time.monotonic() + PATIENCE
    waiting = {"outbox.time": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}
    while any(here.mongo[DATABASE][name].find_one(waiting) for name in ("residents", "fact_bundles")):
        assert time.monotonic() < give_up, "facts are published"
        time.sleep(0.2)

"""`import`: rows of a CSV file as residents (read, checked, sealed, deduplicated, with their facts), against a bare bulk insert."""

from __future__ import annotations

import time
from typing import Any

from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from population.identity import check_digit
from tests.load.harness import Row, compare
from tests.load.population.register import DATABASE, Register
from tests.load.population.steward import Steward, counts

ROWS = 100_000
BATCH = 2_000
ROUNDS = 3
MAPPING = {
    "columns": {"姓名": "name", "证件号码": "id_number", "电话": "phone"},
    "constants": {"area_code": "42059900100110001", "id_doc_type": "111", "resident_type": "03"},
}


def run(here: Register) -> list[Row]:
    """Rows a second; the floor inserts the very documents the import made, without their facts, under the same indexes."""
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
    """Inserts what the first import made into a collection of its own with the same indexes."""
    database = here.mongo[DATABASE]
    made = list(here.stored.find({"created_by.key": {"$regex": "^job/"}}, {"outbox": False}, limit=ROWS))
    database.drop_collection("floor")
    floor = database.create_collection("floor", write_concern=WriteConcern("majority"))
    for name, index in here.stored.index_information().items():
        if name != "_id_":
            options: dict[str, Any] = {key: value for key, value in index.items() if key not in ("key", "v", "ns")}
            floor.create_index(index["key"], name=name, **options)
    began = time.monotonic()
    try:
        for at in range(0, len(made), BATCH):
            floor.insert_many(made[at : at + BATCH], ordered=False)
    except BulkWriteError as error:
        raise RuntimeError(str(error.details["writeErrors"][:1])) from error
    rate = len(made) / (time.monotonic() - began)
    database.drop_collection("floor")
    return rate

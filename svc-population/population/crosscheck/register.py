"""The register as cross-checks need it: a columnar extract in a file of this process, brought up to date before every job.

It holds what is compared (name, sex, birth date, area), the kind of resident and blind indexes; never an identity or telephone number. It
lies in a folder only this process may read. What changed since the last job is fetched by `changed_at`; entries that are gone are found
by counting; it is built anew when the keys of the blind indexes have changed. An extract no job used for a day is removed (`drop_idle`),
so that nobody who was erased stays in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bson
import duckdb
import pyarrow
from pymongo.database import Database

from population.crosscheck.forms import comparable
from population.domain.residence import ResidenceKind
from population.vault import Vault

Raw = dict[str, Any]
Say = Callable[[int, int], None]
BATCH = 20_000
OVERLAP = dt.timedelta(minutes=10)
"""How far back a refresh looks: clocks of writers differ, and what was being written may come late."""
FORM = "5"
"""Form of the extract; another one is built anew."""
_TABLES = """
CREATE TABLE IF NOT EXISTS register.person (
    resident VARCHAR, area_code VARCHAR, name VARCHAR, sex VARCHAR, birth_date VARCHAR, phone UBIGINT, here BOOLEAN,
    resident_type VARCHAR);
CREATE TABLE IF NOT EXISTS register.number (resident VARCHAR, id_number UBIGINT);
CREATE TABLE IF NOT EXISTS register.home (resident VARCHAR, house_id VARCHAR);
CREATE TABLE IF NOT EXISTS register.state (name VARCHAR PRIMARY KEY, value VARCHAR);
"""
_PERSON = pyarrow.schema(
    [(name, pyarrow.string()) for name in ("resident", "area_code", "name", "sex", "birth_date")]
    + [("phone", pyarrow.uint64()), ("here", pyarrow.bool_()), ("resident_type", pyarrow.string())]
)
_NUMBER = pyarrow.schema([("resident", pyarrow.string()), ("id_number", pyarrow.uint64())])
_HOME = pyarrow.schema([("resident", pyarrow.string()), ("house_id", pyarrow.string())])
_WANTED = {
    **dict.fromkeys(("area_code", "name", "sex", "birth_date", "resident_type"), 1),
    **dict.fromkeys(("phone.index", "id_number.index", "documents.number.index", "standing"), 1),
    **dict.fromkeys(("residences.house_id", "residences.until", "residences.kind"), 1),
}


def short(index: bytes) -> int:
    """Returns the blind index as 64 bits: of a million with four million records one pair in five million jobs agrees by chance."""
    return int.from_bytes(index[:8])


class Register:
    """The extract. `name` is what the other statements of a job call it."""

    name = "register"

    def __init__(self, *, connection: duckdb.DuckDBPyConnection, folder: Path, database: Database[Raw], vault: Vault) -> None:
        self._connection = connection
        self._residents = database["residents"]
        self._vault = vault
        self._attach(folder)
        self._create()

    def refresh(self, *, say: Say) -> int:
        """Brings it up to date; returns how many people it holds. Raises PyMongoError, duckdb.InterruptException."""
        mark = short(self._vault.index("mark", field="id_number"))
        if self._state("form") != FORM or self._state("keys") != str(mark):
            self._empty()
            self._set("form", FORM)
            self._set("keys", str(mark))
        began = dt.datetime.now(dt.UTC)
        self._fetch(say)
        self._set("until", began.isoformat())
        return self._reconciled()

    def _attach(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(16):
            try:
                self._connection.execute(f"ATTACH '{folder / f'register-{number}.duckdb'}' AS {self.name}")
                return
            except duckdb.IOException:
                # Another process of this machine works with that one.
                continue
        raise RuntimeError("more than 16 processes share one folder")

    def _fetch(self, say: Say) -> None:
        last = self._state("until")
        query = {"changed_at": {"$gte": dt.datetime.fromisoformat(last) - OVERLAP}} if last else {}
        total = self._residents.count_documents(query) if last else self._residents.estimated_document_count()
        done = 0
        for rows in _batches(self._residents, query):
            self._put(rows, replace=bool(last))
            done += len(rows)
            say(done, max(total, done))

    def _put(self, rows: Sequence[Raw], *, replace: bool) -> None:
        connection = self._connection
        people = pyarrow.Table.from_pylist([_person(row) for row in rows], schema=_PERSON)
        numbers = pyarrow.Table.from_pylist([each for row in rows for each in _numbers(row)], schema=_NUMBER)
        homes = pyarrow.Table.from_pylist([each for row in rows for each in _homes(row)], schema=_HOME)
        if replace:
            ids = pyarrow.table({"resident": [row["_id"] for row in rows]})
            connection.register("gone", ids)
            self._forget("SELECT resident FROM gone")
            connection.unregister("gone")
        for table, found in (("person", people), ("number", numbers), ("home", homes)):
            connection.register("incoming_rows", found)
            connection.execute(f"INSERT INTO {self.name}.{table} SELECT * FROM incoming_rows")
            connection.unregister("incoming_rows")

    def _reconciled(self) -> int:
        """Forgets people whose entry is gone: only then are there more here than there."""
        held = self._count()
        if held <= self._residents.estimated_document_count():
            return held
        ids = [row["_id"] for row in self._residents.find({}, {"_id": True})]
        self._connection.register("present", pyarrow.table({"resident": ids}))
        self._forget(f"SELECT resident FROM {self.name}.person WHERE resident NOT IN (SELECT resident FROM present)")
        self._connection.unregister("present")
        return self._count()

    def _forget(self, which: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE forgotten AS {which}")
        for table in ("person", "number", "home"):
            self._connection.execute(f"DELETE FROM {self.name}.{table} WHERE resident IN (SELECT resident FROM forgotten)")

    def _empty(self) -> None:
        """Makes the tables anew: those of another form have other columns."""
        for table in ("person", "number", "home", "state"):
            self._connection.execute(f"DROP TABLE IF EXISTS {self.name}.{table}")
        self._create()

    def _create(self) -> None:
        self._connection.execute(_TABLES)

    def _count(self) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {self.name}.person").fetchall()[0][0])

    def _state(self, name: str) -> str:
        found = self._connection.execute(f"SELECT value FROM {self.name}.state WHERE name = ?", [name]).fetchall()
        return found[0][0] if found else ""

    def _set(self, name: str, value: str) -> None:
        self._connection.execute(f"INSERT OR REPLACE INTO {self.name}.state VALUES (?, ?)", [name, value])


def _batches(residents: Any, query: Raw) -> Iterator[list[Raw]]:
    """Whole batches as the server sends them: half the time of one document after the other."""
    for raw in residents.find_raw_batches(query, _WANTED, batch_size=BATCH):
        yield bson.decode_all(raw)


def _person(row: Raw) -> Raw:
    phone = row.get("phone")
    return {
        "resident": row["_id"],
        "area_code": row.get("area_code") or None,
        "name": comparable(row.get("name") or "") or None,
        "sex": _said(row.get("sex")),
        "birth_date": row.get("birth_date") or None,
        "phone": short(phone["index"]) if phone else None,
        "here": not row.get("standing"),
        "resident_type": row.get("resident_type") or "",
    }


def _said(sex: str | None) -> str | None:
    """0 and 9 of sex.csv say that nobody knows."""
    return sex if sex in ("1", "2") else None


def _numbers(row: Raw) -> Iterator[Raw]:
    first = row.get("id_number")
    sealed = ([first] if first else []) + [document["number"] for document in row.get("documents") or ()]
    for secret in sealed:
        yield {"resident": row["_id"], "id_number": short(secret["index"])}


def _homes(row: Raw) -> Iterator[Raw]:
    for residence in row.get("residences") or ():
        # Who is only registered in a house does not live there.
        lives_there = residence.get("kind") != ResidenceKind.REGISTERED and not residence.get("until")
        if residence.get("house_id") and lives_there:
            yield {"resident": row["_id"], "house_id": residence["house_id"]}

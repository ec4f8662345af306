"""The DuckDB file: opened by one process, written by one thread, read by several."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from population.questions.columns import Where
from population.replica import schema
from population.replica.rows import Batch

_POINTER = "current"
"""File in the folder of the replica that names the database in use; replaced in one step when a new one is ready."""


class Outdated(Exception):
    """The file was made by another version, or is broken, and has to be built anew."""


class InUse(Exception):
    """Another process owns the file."""


class Database:
    """One open file. Queries of several threads run at the same time, beside the writer: each sees the last finished write.

    Making one raises Outdated for a file that is broken and InUse for one of another process.
    """

    def __init__(self, file: Path, *, memory: str, threads: int) -> None:
        self.file = file
        config: dict[str, Any] = {"memory_limit": memory, "threads": threads}
        try:
            self._connection = duckdb.connect(str(file), config=config)
        except (duckdb.IOException, duckdb.SerializationException, duckdb.InternalException) as error:
            if "lock" in str(error):
                raise InUse(f"another process owns {file}") from error
            raise Outdated(f"{file.name} cannot be opened: {type(error).__name__}") from error
        self._writing = threading.Lock()

    def create(self) -> None:
        """Makes the tables of a new file."""
        schema.create(self._connection)
        self.note(version=schema.VERSION)

    def check(self) -> None:
        """Raises Outdated unless the file is one of this version and finished."""
        try:
            version = self.noted("version")
        except duckdb.CatalogException:
            version = ""
        if version != schema.VERSION:
            raise Outdated(f"{self.file.name} is of version {version or 'unknown'}, this program needs {schema.VERSION}")

    def close(self) -> None:
        """Closes the file; what was written is in it."""
        self._connection.close()

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Runs a query in the calling thread and returns all rows. DuckDB lets go of the interpreter while it computes."""
        with contextlib.closing(self._connection.cursor()) as cursor:
            return cursor.execute(sql, values).fetchall()

    def count(self, where: Where) -> int:
        """Returns how many people a condition holds for."""
        return int(self.query(f"SELECT count(*) FROM people WHERE {where.sql}", where.values)[0][0])

    def noted(self, name: str) -> str:
        """Returns what `note` wrote under a name, "" for nothing."""
        rows = self.query("SELECT value FROM about WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def note(self, **values: str) -> None:
        """Writes texts under their names."""
        with self._transaction() as cursor:
            _note(cursor, values)

    def load(self, files: dict[str, str]) -> None:
        """Takes whole tables from Parquet files (a pattern each), sorted by area: neighbours lie together."""
        with self._writing:
            for table, pattern in files.items():
                cursor = self._connection.cursor()
                cursor.execute(schema.insertion(table, f"read_parquet('{pattern}')", order="ORDER BY area, id"))
                cursor.close()
            self._connection.execute(schema.COUNT_HOMES.format(""))
            self._connection.execute(schema.SET_SIZES.format(""))

    def apply(self, batch: Batch, *, gone: Sequence[str], token: str) -> None:
        """Puts the rows of a batch in place of what there was about the people `gone`, in one transaction.

        `token`: where the changes continue (JSON of a resume token).
        """
        rows = {"people": batch.people(), "stays": batch.stays()}
        with self._transaction() as cursor:
            households = _remove(cursor, gone) if gone else set()
            for table, arrow in rows.items():
                if arrow.num_rows:
                    cursor.register("fresh", arrow)
                    cursor.execute(schema.insertion(table, "fresh"))
                    if table == "people":
                        households |= _numbers(cursor, "SELECT DISTINCT hash(household) FROM fresh WHERE household != ''")
                    cursor.unregister("fresh")
            _count_homes(cursor, households)
            _note(cursor, {"token": token})

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._writing, contextlib.closing(self._connection.cursor()) as cursor:
            cursor.begin()
            try:
                yield cursor
            except BaseException:
                cursor.rollback()
                raise
            cursor.commit()


def _remove(cursor: duckdb.DuckDBPyConnection, gone: Sequence[str]) -> set[int]:
    """Removes all rows of people; returns the households they were of."""
    cursor.register("gone", pa.table({"id": pa.array(gone, type=pa.string())}))
    theirs = "id IN (SELECT id::UUID FROM gone)"
    households = _numbers(cursor, f"SELECT DISTINCT household FROM people WHERE household IS NOT NULL AND {theirs}")
    for table in schema.TABLES:
        cursor.execute(f"DELETE FROM {table} WHERE {theirs}")
    cursor.unregister("gone")
    return households


def _count_homes(cursor: duckdb.DuckDBPyConnection, households: set[int]) -> None:
    """Counts the members of some households anew; all of them have the new size."""
    if not households:
        return
    cursor.register("touched", pa.table({"household": pa.array(list(households), type=pa.uint64())}))
    theirs = "household IN (SELECT household FROM touched)"
    cursor.execute(f"DELETE FROM homes WHERE {theirs}")
    cursor.execute(schema.COUNT_HOMES.format(f"AND {theirs}"))
    cursor.execute(schema.SET_SIZES.format(f"AND people.{theirs}"))
    cursor.unregister("touched")


def _numbers(cursor: duckdb.DuckDBPyConnection, sql: str) -> set[int]:
    return {number for (number,) in cursor.execute(sql).fetchall()}


def _note(cursor: duckdb.DuckDBPyConnection, values: dict[str, str]) -> None:
    for name, value in values.items():
        cursor.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, value))


def current(folder: Path) -> Path | None:
    """Returns the file in use, None when there is none yet."""
    try:
        name = json.loads((folder / _POINTER).read_text())["file"]
    except (OSError, ValueError, KeyError):
        return None
    file = folder / name
    return file if file.exists() else None


def hand_over(file: Path) -> None:
    """Makes a finished file the one in use; a running replica notices and goes over to it."""
    pointer = file.parent / _POINTER
    draft = pointer.with_suffix(f".{file.stem}")
    draft.write_text(json.dumps({"file": file.name}))
    draft.replace(pointer)


def sweep(folder: Path, *, keep: Path) -> None:
    """Removes the files of earlier replicas."""
    for file in folder.glob("replica-*.duckdb*"):
        if not file.name.startswith(keep.name):
            file.unlink(missing_ok=True)

"""The tables of the replica. Days are numbers YYYYMMDD, areas numbers of 17 digits (`questions.columns`)."""

from __future__ import annotations

import duckdb

VERSION = f"4/{duckdb.__version__}"
"""Files of another version are built anew: the columns may differ, and so may `hash`, by which households are known here."""

PEOPLE = (
    ("id", "UUID"),
    ("area", "BIGINT"),
    ("birth", "INTEGER"),
    ("sex", "VARCHAR"),
    ("resident_type", "VARCHAR"),
    ("relation", "VARCHAR"),
    ("match_flag", "VARCHAR"),
    ("household", "UBIGINT"),
    ("floor", "SMALLINT"),
    ("lift", "BOOLEAN"),
    ("alone", "BOOLEAN"),
    ("tenure", "VARCHAR"),
    ("household_size", "INTEGER"),
    ("affiliation", "BLOB"),
    ("longitude", "DOUBLE"),
    ("latitude", "DOUBLE"),
)
"""Who lives here now, a row each. `household_size` is not of the document: it is kept with `homes` (`SET_SIZES`)."""

STAYS = (
    ("id", "UUID"),
    ("area", "BIGINT"),
    ("since", "INTEGER"),
    ("until", "INTEGER"),
    ("birth", "INTEGER"),
    ("sex", "VARCHAR"),
    ("household", "UBIGINT"),
)
"""Who lived where from one day to another, at most one row for a person and a day; `until` FOREVER while it lasts.

`household` is equal for those who lived together: in one house, or where none is known in the household they are of now.
"""

HOMES = (
    ("household", "UBIGINT"),
    ("area", "BIGINT"),
    ("size", "INTEGER"),
)
"""The households of those who live here now, with the first of their members' areas: counting them anew takes a quarter of a second."""

FOREVER = 99_991_231

TABLES = {"people": PEOPLE, "stays": STAYS}
"""Those that are filled from documents."""

COUNT_HOMES = (
    "INSERT INTO homes SELECT household, min(area), count(*) FROM people WHERE household IS NOT NULL {} GROUP BY household"
)

SET_SIZES = "UPDATE people SET household_size = homes.size FROM homes WHERE people.household = homes.household {}"
"""Beside the count, so that a condition on it costs what one on any other column does."""

COUNTED = frozenset({"household_size"})
"""Columns that follow from other rows, not from the person's document."""

NEVER_HERE = frozenset({"name", "name_latin", "name_keys", "id_number", "phone", "documents", "address", "created_by"})
"""Fields of residents that identify them, or tell who entered them: none of them is read for the replica, a test sees to it."""


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the tables of an empty file."""
    for table, columns in {**TABLES, "homes": HOMES}.items():
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns)})")
    connection.execute("CREATE TABLE about (name VARCHAR PRIMARY KEY, value VARCHAR)")


def insertion(table: str, source: str, *, order: str = "") -> str:
    """Returns the SQL that takes the rows of `rows.Batch` from `source` (an Arrow table or `read_parquet(…)`)."""
    names = [name for name, _ in TABLES[table] if name not in COUNTED]
    values = [_VALUES.get(name, name) for name in names]
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {source} {order}"


_VALUES = {"id": "id::UUID", "household": "CASE WHEN household != '' THEN hash(household) END"}

"""Which pairs are looked at at all: those that agree on a column, or on two, wherever that leaves few enough of them.

Nobody compares 50,000 records with four million. Columns and pairs of columns are taken as keys, in the order of how few pairs they
leave, as long as the pairs stay within a budget per record. It is counted, not guessed, so it fits every file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import duckdb
import msgspec

from population.crosscheck.columns import Columns, ColumnType

PAIRS_PER_RECORD = 40
"""Pairs one key may leave for a record on average."""
FEWEST_BUDGET = 200_000
"""Small files may be compared more freely: this many pairs take no time."""
TRAINING_PAIRS = 2_000_000
KEYS_KEPT = 8
_ALONE = frozenset({ColumnType.NAME, ColumnType.DATE, ColumnType.IDENTIFIER, ColumnType.SEALED, ColumnType.PLACE})


class Key(msgspec.Struct, frozen=True):
    """Columns a pair agrees on, and how many pairs do."""

    columns: tuple[str, ...]
    pairs: int


class Tables(msgspec.Struct, frozen=True):
    """What is linked: `left` with `right`, or `left` with itself when both are the same."""

    left: str
    right: str

    @property
    def is_one(self) -> bool:
        """Tells whether duplicates within one table are looked for."""
        return self.left == self.right


def prediction_keys(*, connection: duckdb.DuckDBPyConnection, tables: Tables, columns: Columns) -> list[Key]:
    """Returns the keys whose pairs are scored, those that leave the fewest first; at most KEYS_KEPT and never two that say the same."""
    budget = max(FEWEST_BUDGET, PAIRS_PER_RECORD * _rows(connection, tables.left))
    alone = [key for key in _counted(connection, tables, _singles(columns)) if 0 < key.pairs <= budget]
    taken = {key.columns[0] for key in alone}
    pairs = [names for names in itertools.combinations(columns, 2) if not taken & set(names)]
    both = [key for key in _counted(connection, tables, pairs) if 0 < key.pairs <= budget]
    return sorted([*alone, *both], key=lambda key: key.pairs)[:KEYS_KEPT]


def training_keys(keys: Sequence[Key], *, columns: Columns) -> list[Key]:
    """Returns keys that between them leave every column free at least once: what a key fixes cannot be learned from its pairs."""
    chosen: list[Key] = []
    fixed = set(columns)
    for key in sorted(keys, key=lambda key: (len(key.columns), -min(key.pairs, TRAINING_PAIRS))):
        if key.pairs <= TRAINING_PAIRS and (len(chosen) < 2 or fixed):
            chosen.append(key)
            fixed &= set(key.columns)
        if len(chosen) >= 2 and not fixed:
            break
    return chosen


def all_pairs(*, connection: duckdb.DuckDBPyConnection, tables: Tables) -> int:
    """Returns how many pairs of records there are at all."""
    rows = _rows(connection, tables.left)
    return rows * (rows - 1) // 2 if tables.is_one else rows * _rows(connection, tables.right)


def agreed_on(
    *, connection: duckdb.DuckDBPyConnection, tables: Tables, keys: Iterable[tuple[str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Returns those of the keys at least one pair agrees on."""
    return tuple(key.columns for key in _counted(connection, tables, keys) if key.pairs)


def _singles(columns: Columns) -> list[tuple[str]]:
    return [(name,) for name, kind in columns.items() if kind in _ALONE]


def _counted(connection: duckdb.DuckDBPyConnection, tables: Tables, keys: Iterable[tuple[str, ...]]) -> list[Key]:
    return [Key(names, _pairs(connection, tables, names)) for names in keys]


def _pairs(connection: duckdb.DuckDBPyConnection, tables: Tables, names: tuple[str, ...]) -> int:
    quoted = ", ".join(f'"{name}"' for name in names)
    there = " AND ".join(f'"{name}" IS NOT NULL' for name in names)
    groups = f"SELECT {quoted}, count(*) AS n FROM {{}} WHERE {there} GROUP BY {quoted}"
    if tables.is_one:
        query = f"SELECT sum(n * (n - 1) // 2) FROM ({groups.format(tables.left)})"
    else:
        few = groups.format(tables.left)
        query = f"SELECT sum(n) FROM ({few}) AS few JOIN {tables.right} USING ({quoted})"
    return int(connection.execute(query).fetchall()[0][0] or 0)


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])

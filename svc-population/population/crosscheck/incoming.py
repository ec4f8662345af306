"""A department's records as a table: only the mapped fields, numbers as blind indexes from the first moment on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import duckdb
import pyarrow
import pyarrow.compute

from population.crosscheck.columns import ColumnType
from population.crosscheck.forms import comparable, sealed_form
from population.crosscheck.register import short
from population.crosscheck.rules import REFERENCE, Rule
from population.domain.job import FileFormat
from population.imports.mapping import FieldMapping, RowError
from population.imports.reading import ROUNDED, Batch, read
from population.vault import Vault

Say = Callable[[int], None]
Count = Callable[[str, int], None]


def load(
    *,
    connection: duckdb.DuckDBPyConnection,
    table: str,
    file: BinaryIO,
    format: FileFormat,
    mapping: FieldMapping,
    rule: Rule,
    vault: Vault,
    say: Say,
    count: Count,
) -> int:
    """Fills `table` (record, reference, a column per field) and `<table>_key` (record, key); returns the number of records.

    During a rotation of the index keys a record has two keys. Raises InvalidArgument (see `imports.reading.read`).
    """
    fields = list(rule.fields)
    columns = ", ".join(f'"{name}" {_sql_type(rule.fields[name])}' for name in fields)
    key_type = "UBIGINT" if rule.fields[rule.key] is ColumnType.SEALED else "VARCHAR"
    connection.execute(f"CREATE OR REPLACE TABLE {table} (record BIGINT, {REFERENCE} VARCHAR, {columns})")
    connection.execute(f"CREATE OR REPLACE TABLE {table}_key (record BIGINT, key {key_type})")
    total = 0
    for batch in read(file=file, format=format, columns=list(mapping.columns)):
        count("broken", len(batch.broken))
        if not batch.numbers:
            continue
        _insert(connection, table, batch, mapping=mapping, rule=rule, vault=vault)
        total += len(batch.numbers)
        say(total)
    return total


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, batch: Batch, *, mapping: FieldMapping, rule: Rule, vault: Vault
) -> None:
    texts = _fields(batch, mapping)
    size = len(batch.numbers)
    made: dict[str, Any] = {"record": pyarrow.array(batch.numbers, pyarrow.int64())}
    made[REFERENCE] = pyarrow.array(texts.get(REFERENCE) or [str(number) for number in batch.numbers], pyarrow.string())
    for name, kind in rule.fields.items():
        values = texts.get(name) or [None] * size
        made[name] = _column(values, kind, name, vault)
    _append(connection, table, pyarrow.table(made))
    keys = [made[rule.key]]
    if rule.fields[rule.key] is ColumnType.SEALED:
        keys += _former_keys(texts.get(rule.key) or (), rule.key, vault)
    for key in keys:
        there = pyarrow.table({"record": made["record"], "key": key})
        _append(connection, f"{table}_key", there.filter(pyarrow.compute.is_valid(there["key"])))


def _append(connection: duckdb.DuckDBPyConnection, table: str, rows: Any) -> None:
    connection.register("incoming_rows", rows)
    connection.execute(f"INSERT INTO {table} SELECT * FROM incoming_rows")
    connection.unregister("incoming_rows")


def _fields(batch: Batch, mapping: FieldMapping) -> dict[str, list[str | None]]:
    """Returns the texts of every field, column by column; a value that cannot be read counts as not given."""
    size = len(batch.numbers)
    found: dict[str, list[str | None]] = {name: [value] * size for name, value in mapping.constants.items()}
    for name, field, read_value in mapping.readers:
        values = batch.columns[name]
        found[field] = [_read(text, read_value) for text in values] if read_value else [_plain(text) for text in values]
    return found


def _plain(text: str) -> str | None:
    return text if text and text != ROUNDED else None


def _read(text: str, read_value: Callable[[str], str]) -> str | None:
    if not text or text == ROUNDED:
        return None
    try:
        return read_value(text)
    except RowError:
        return None


def _column(values: Sequence[str | None], kind: ColumnType, name: str, vault: Vault) -> Any:
    if kind is ColumnType.SEALED:
        index, form = vault.index, sealed_form(name)
        plain = [form(value) if value else "" for value in values]
        return pyarrow.array([short(index(value, field=name)) if value else None for value in plain], pyarrow.uint64())
    if kind is ColumnType.NAME:
        values = [comparable(value) if value else None for value in values]
    return pyarrow.array([value or None for value in values], pyarrow.string())


def _former_keys(values: Sequence[str | None], name: str, vault: Vault) -> list[Any]:
    if len(vault.indexes("", field=name)) == 1:
        return []
    form = sealed_form(name)
    plain = [form(value) if value else "" for value in values]
    former = [short(vault.indexes(value, field=name)[1]) if value else None for value in plain]
    return [pyarrow.array(former, pyarrow.uint64())]


def _sql_type(kind: ColumnType) -> str:
    return "UBIGINT" if kind is ColumnType.SEALED else "VARCHAR"

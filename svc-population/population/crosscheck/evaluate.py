"""`python -m population.crosscheck.evaluate FOLDER`: precision and recall of the probabilistic stage on public files with known truth.

The files are FEBRL 1 and 3 and fake_1000. For each only the types of its columns are named; everything else follows from the general
rule, as it does for the files of a department.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import msgspec

from population.crosscheck import linking
from population.crosscheck.blocking import Tables
from population.crosscheck.columns import ColumnType, column_types

_FEBRL = {
    **{"given_name": "name", "surname": "name", "street_number": "code", "address_1": "place", "address_2": "place"},
    **{"suburb": "place", "postcode": "code", "state": "code", "date_of_birth": "date", "soc_sec_id": "identifier"},
}


class Sample(msgspec.Struct, frozen=True):
    """A file: its columns by type, the column that names a record, and the SQL that names the person behind it."""

    file: str
    columns: Mapping[str, str]
    record: str
    person: str


SAMPLES = (
    Sample("febrl1.csv", _FEBRL, "rec_id", "regexp_extract(rec_id, 'rec-([0-9]+)-', 1)"),
    Sample("febrl3.csv", _FEBRL, "rec_id", "regexp_extract(rec_id, 'rec-([0-9]+)-', 1)"),
    Sample(
        "fake_1000.csv",
        {"first_name": "name", "surname": "name", "dob": "date", "city": "place", "email": "identifier"},
        "unique_id",
        "cluster",
    ),
)


class Score(msgspec.Struct, frozen=True):
    """What was found: pairs, right ones among them, right ones there are; seconds it took."""

    found: int
    right: int
    true: int
    seconds: float

    @property
    def precision(self) -> float:
        """Share of the found pairs that are right."""
        return self.right / max(self.found, 1)

    @property
    def recall(self) -> float:
        """Share of the right pairs that were found."""
        return self.right / max(self.true, 1)


def evaluate(sample: Sample, *, folder: Path, at_least: float = linking.CERTAIN) -> Score:
    """Links a file with itself and holds the pairs from `at_least` on against the truth. Raises duckdb.IOException without the file."""
    started = time.monotonic()
    with duckdb.connect() as connection:
        columns = column_types(sample.columns)
        _load(connection, sample, columns, folder)
        tables = Tables("records", "records")
        model = linking.plan(connection=connection, tables=tables, columns=columns)
        scored = linking.link(connection=connection, tables=tables, model=model, at_least=at_least)
        found, right = connection.execute(
            f"SELECT count(*), count(*) FILTER (x.person = y.person) FROM {scored}"
            f" JOIN truth AS x ON x.record = record_l JOIN truth AS y ON y.record = record_r"
        ).fetchall()[0]
        true = connection.execute(
            "SELECT count(*) FROM truth AS x JOIN truth AS y USING (person) WHERE x.record < y.record"
        ).fetchall()[0][0]
    return Score(int(found), int(right), int(true), round(time.monotonic() - started, 1))


def _load(connection: duckdb.DuckDBPyConnection, sample: Sample, columns: Mapping[str, ColumnType], folder: Path) -> None:
    file = folder / sample.file
    connection.execute(f"CREATE TABLE raw AS SELECT * FROM read_csv('{file}', all_varchar = true, header = true)")
    names = [row[0] for row in connection.execute("DESCRIBE raw").fetchall()]
    clean = ", ".join(f'nullif(trim("{name}"), \'\') AS "{name.strip()}"' for name in names)
    connection.execute(f"CREATE TABLE clean AS SELECT {clean} FROM raw")
    connection.execute(f"CREATE TABLE truth AS SELECT {sample.record} AS record, {sample.person} AS person FROM clean")
    shown = ", ".join(f'"{name}"' for name in columns)
    connection.execute(f"CREATE TABLE records AS SELECT {sample.record} AS {linking.ID}, {shown} FROM clean")


def main() -> None:
    """Prints the table."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/record_linkage")
    sys.stdout.write(f"{'file':<16}{'pairs':>8}{'true':>8}{'precision':>11}{'recall':>8}{'seconds':>9}\n")
    for sample in SAMPLES:
        score = evaluate(sample, folder=folder)
        shares = f"{score.precision:>11.4f}{score.recall:>8.4f}{score.seconds:>9.1f}"
        sys.stdout.write(f"{sample.file:<16}{score.found:>8}{score.true:>8}{shares}\n")


if __name__ == "__main__":
    main()

"""The model is the same on every backend: levels, weights and keys; and, where Spark is installed, what it scores."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from splink import DuckDBAPI

from population.crosscheck import linking
from population.crosscheck.blocking import Tables
from population.crosscheck.columns import ColumnType
from population.crosscheck.linking import Model, Weights
from tests.unit.population.test_linking import fill, people

COLUMNS = {
    "name": ColumnType.NAME,
    "birth_date": ColumnType.DATE,
    "phone": ColumnType.SEALED,
    "sex": ColumnType.CODE,
    "area_code": ColumnType.CODE,
}
TABLES = Tables("left_people", "right_people")


def sample(connection: duckdb.DuckDBPyConnection) -> Model:
    """1,500 records with slips of the pen against 3,000 people."""
    draw, register = random.Random(9), people(3_000, seed=1)
    incoming = [list(row) for row in register[:1_500]]
    for row in incoming:
        if draw.random() < 0.3:
            row[3] = str(row[3])[:-1]
        if draw.random() < 0.2:
            row[5] = str(row[5])[:-1] + "7"
    fill(connection, "a", [tuple(row) for row in incoming])
    fill(connection, "b", register)
    for source, table in (("a", TABLES.left), ("b", TABLES.right)):
        connection.execute(f"CREATE TABLE {table} AS SELECT record, {', '.join(COLUMNS)} FROM {source}")
    return linking.plan(connection=connection, tables=TABLES, columns=COLUMNS)


def shape(settings: dict[str, Any]) -> list[Any]:
    """What of the settings does not depend on how a backend writes its SQL."""
    return [
        [
            (level.get("label_for_charts"), level.get("m_probability"), level.get("u_probability"))
            for level in one["comparison_levels"]
        ]
        for one in settings["comparisons"]
    ]


def test_the_settings_are_the_same_for_duckdb_and_spark() -> None:
    with duckdb.connect() as connection:
        model = sample(connection)
        settings = linking.creator_of(model)
        weights = linking.taught(
            lambda: linking.linker_on(DuckDBAPI(connection), tables=TABLES, settings=settings), model=model
        )
    here, there = (linking.creator_of(model, weights).create_settings_dict(dialect) for dialect in ("duckdb", "spark"))
    assert shape(here) == shape(there)
    assert all(m >= linking.LEAST for levels in weights.levels.values() for m, _ in levels)
    assert here["probability_two_random_records_match"] == there["probability_two_random_records_match"] == weights.prior
    assert len(here["blocking_rules_to_generate_predictions"]) == len(there["blocking_rules_to_generate_predictions"])


def test_spark_finds_the_same_pairs(tmp_path: Path) -> None:
    """Proven where the extra `spark` is installed; probabilities differ by the third digit at most (other text libraries)."""
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    from population.crosscheck import spark

    found: dict[str, dict[tuple[int, int], float]] = {}

    def score(connection: duckdb.DuckDBPyConnection, tables: Tables, model: Model, weights: Weights, at_least: float) -> str:
        linker = linking.linker_on(DuckDBAPI(connection), tables=tables, settings=linking.creator_of(model, weights))
        table = linker.inference.predict(threshold_match_probability=at_least, warning_mode="never").physical_name
        found["duckdb"] = pairs(connection, table)
        there = spark.scorer(master="local[2]", folder=tmp_path)
        return there(connection, tables, model, weights, at_least)

    with duckdb.connect() as connection:
        model = sample(connection)
        found["spark"] = pairs(connection, linking.link(connection=connection, tables=TABLES, model=model, score=score))
    assert found["duckdb"].keys() == found["spark"].keys()
    assert found["duckdb"] == pytest.approx(found["spark"], abs=0.002)


def pairs(connection: duckdb.DuckDBPyConnection, table: str) -> dict[tuple[int, int], float]:
    """The scored pairs."""
    rows = connection.execute(f"SELECT record_l, record_r, match_probability FROM {table}").fetchall()
    return {(left, right): probability for left, right, probability in rows}

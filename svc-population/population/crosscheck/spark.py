"""Scoring on Spark instead of here: the same model with the same weights, for residues one machine cannot hold.

`BINGLIAN_LINK_BACKEND=spark` and `BINGLIAN_SPARK_MASTER` (deploy/spark) switch it on. Keys are counted and weights learned on DuckDB as
ever; the two residues go as Parquet to `work_dir`, which driver and executors share, the scored pairs come back the same way. Needs
the extra `binglian-population[spark]` and Java.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from population.crosscheck import linking
from population.crosscheck.blocking import Tables
from population.crosscheck.linking import Model, Score, Weights


def scorer(*, master: str, folder: Path) -> Score:
    """Returns the function that scores on the Spark at `master` ("local[2]", "k8s://…", "spark://…")."""

    def score(connection: duckdb.DuckDBPyConnection, tables: Tables, model: Model, weights: Weights, at_least: float) -> str:
        for table in {tables.left, tables.right}:
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
        with session(master, folder=folder) as spark:
            _score(spark, tables, model, weights, at_least, folder)
        connection.execute(f"CREATE OR REPLACE TABLE scored AS SELECT * FROM '{folder / 'scored'}/*.parquet'")
        return "scored"

    return score


@contextmanager
def session(master: str, *, folder: Path) -> Iterator[Any]:
    """A Spark session with the text comparisons Splink brings along; what lies between its steps is kept in `folder`.

    Raises ModuleNotFoundError without pyspark.
    """
    from pyspark.sql import SparkSession
    from splink.internals.spark.jar_location import similarity_jar_location

    logging.getLogger("py4j").setLevel(logging.WARNING)
    builder = SparkSession.builder.master(master).appName("binglian-crosscheck")
    spark = (
        builder.config("spark.jars", similarity_jar_location())
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "8" if master.startswith("local") else "200")
        .getOrCreate()
    )
    spark.sparkContext.setCheckpointDir(str(folder / "steps"))
    try:
        yield spark
    finally:
        spark.stop()


def _score(spark: Any, tables: Tables, model: Model, weights: Weights, at_least: float, folder: Path) -> None:
    from splink import SparkAPI

    for table in {tables.left, tables.right}:
        spark.read.parquet(f"{folder / table}.parquet").createOrReplaceTempView(table)
    api = SparkAPI(spark_session=spark, break_lineage_method="parquet")
    linker = linking.linker_on(api, tables=tables, settings=linking.creator_of(model, weights))
    found = linker.inference.predict(threshold_match_probability=at_least, warning_mode="never")
    shown = (f"{linking.ID}_l", f"{linking.ID}_r", "match_probability")
    found.as_spark_dataframe().select(*shown).write.mode("overwrite").parquet(str(folder / "scored"))

"""The two stages on tables of DuckDB: equal keys first, then Splink on what is left, and one result per record.

Tables: `a` and `b` (record, reference, a column per field), `a_key` and `b_key` (record, key). `decided` holds
(a_record, b_record, result, differing, probability, certain); a record without a partner is in there with the other one NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb

from population.crosscheck import linking
from population.crosscheck.blocking import Tables
from population.crosscheck.columns import ColumnType
from population.crosscheck.rules import Result, Rule

Stage = Callable[[str], None]
ALIKE = 20
"""Of more records than these that agree in everything no pairs are made: those are forms filled in with the same words, not people."""
AMBIGUOUS = 0.5
"""A record whose second best partner is this likely is nobody's match: a person decides."""


def exact(*, connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Fills `pairs` with all pairs of equal keys."""
    other, once = ("a_key", " WHERE x.record < y.record") if rule.finds_duplicates else ("b_key", "")
    connection.execute(
        "CREATE OR REPLACE TABLE pairs AS SELECT DISTINCT x.record AS a_record, y.record AS b_record"
        f" FROM a_key AS x JOIN {other} AS y USING (key){once}"
    )


def residue(*, connection: duckdb.DuckDBPyConnection, rule: Rule, stage: Stage, score: linking.Score | None = None) -> None:
    """Fills `likely` (a_record, b_record, probability) with what is found among the records the exact stage left over.

    That is what Splink finds, and whoever agrees in everything, whatever Splink learned from a small or odd register.
    """
    connection.execute("CREATE OR REPLACE TABLE likely (a_record BIGINT, b_record BIGINT, probability DOUBLE)")
    columns = {name: rule.fields[name] for name in rule.linked}
    tables = Tables("a_left", "a_left" if rule.finds_duplicates else "b_left")
    if not columns or not all(_left_over(connection, rule, side, columns) for side in {tables.left[0], tables.right[0]}):
        return
    model = linking.plan(connection=connection, tables=tables, columns=columns)
    if model.keys:
        scored = linking.link(connection=connection, tables=tables, model=model, stage=stage, score=score)
        connection.execute(f"INSERT INTO likely SELECT {linking.ID}_l, {linking.ID}_r, match_probability FROM {scored}")
    connection.execute(_equal_in_all(tables, columns))


def _equal_in_all(tables: Tables, columns: Mapping[str, ColumnType]) -> str:
    """Returns the statement that adds pairs whose values are all said and equal, for people to look at."""
    names = ", ".join(columns)
    said = " AND ".join(f"{name} IS NOT NULL" for name in columns)
    at_least, once = (2, "WHERE a_record < b_record") if tables.is_one else (1, "")
    few = f"SELECT {names} FROM {tables.left} WHERE {said} GROUP BY ALL HAVING count(*) BETWEEN {at_least} AND {ALIKE}"
    return (
        f"INSERT INTO likely SELECT a_record, b_record, {linking.POSSIBLE} FROM ({few}) AS few"
        f" JOIN (SELECT {linking.ID} AS a_record, {names} FROM {tables.left}) AS x USING ({names})"
        f" JOIN (SELECT {linking.ID} AS b_record, {names} FROM {tables.right}) AS y USING ({names})"
        f" ANTI JOIN likely USING (a_record, b_record) {once} QUALIFY count(*) OVER (PARTITION BY a_record) <= {ALIKE}"
    )


def decide(*, connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Fills `decided`, one row per record of either side at most once as matched."""
    connection.execute("CREATE OR REPLACE TABLE decided AS " + _DECIDED.format(**_parts(rule)))


def counted(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Returns how many records have which result."""
    found = dict(connection.execute("SELECT result, count(*) FROM decided GROUP BY result").fetchall())
    return {result.value: int(found.get(result.value, 0)) for result in Result}


def _left_over(connection: duckdb.DuckDBPyConnection, rule: Rule, side: str, columns: Mapping[str, ColumnType]) -> bool:
    """Makes `a_left`/`b_left` of the records without an equal key; False when there are none."""
    shown = ", ".join(f"{_compared(name)} AS {name}" for name in columns)
    which = "" if rule.finds_duplicates else f"WHERE record NOT IN (SELECT {side}_record FROM pairs)"
    connection.execute(f"CREATE OR REPLACE TABLE {side}_left AS SELECT record AS {linking.ID}, {shown} FROM {side} {which}")
    return bool(connection.execute(f"SELECT count(*) > 0 FROM {side}_left").fetchall()[0][0])


def _compared(name: str) -> str:
    """Areas are compared by their community (12 digits): grids are redrawn, and departments do not know them."""
    return "left(area_code, 12)" if name == "area_code" else name


def _parts(rule: Rule) -> dict[str, str]:
    tests = [f"CASE WHEN {_differs(name)} THEN '{name}' END" for name in rule.differing]
    differing = f"concat_ws(' ', {', '.join(tests)})" if tests else "''"
    duplicates = rule.finds_duplicates
    return {
        "differing": differing,
        "b": "a" if duplicates else "b",
        "certain": f"{linking.CERTAIN}",
        "ambiguous": f"{AMBIGUOUS}",
        "equal": "possible" if duplicates else "matched",
        "contradicts": " AND ".join(f"contains(differing, '{name}')" for name in _TOGETHER)
        if _is_about_people(rule)
        else "false",
        "lonely": "" if duplicates else _LONELY,
    }


# Somebody may change the name, nobody the name and the birthday: then the number was somebody else's.
_TOGETHER = ("name", "birth_date")


def _is_about_people(rule: Rule) -> bool:
    return set(_TOGETHER) <= set(rule.differing)


def _differs(name: str) -> str:
    """Both sides say something, and not the same; of two areas one may be inside the other, and fewer may live in a house than could."""
    if name == "area_code":
        return "NOT (starts_with(x.area_code, y.area_code) OR starts_with(y.area_code, x.area_code))"
    if name == "capacity":
        return "TRY_CAST(y.capacity AS INTEGER) > TRY_CAST(x.capacity AS INTEGER)"
    return f"x.{name} <> y.{name}"


_LONELY = """
UNION ALL
SELECT record, NULL, 'left_only', '', NULL FROM a WHERE record NOT IN (SELECT a_record FROM judged)
UNION ALL
SELECT NULL, record, 'right_only', '', NULL FROM b WHERE record NOT IN (SELECT b_record FROM judged)
"""
# Equal keys of more than one record are a question for people, like likely pairs that are not certain or not the only ones. Of people found
# by Splink no field is called differing that Splink took into account already: the number differs, that is the finding.
_DECIDED = """
WITH by_key AS (
    SELECT a_record, b_record, 1.0::DOUBLE AS probability,
        count(*) OVER (PARTITION BY a_record) > 1 OR count(*) OVER (PARTITION BY b_record) > 1 AS shared FROM pairs),
by_model AS (
    SELECT a_record, b_record, probability,
        row_number() OVER (PARTITION BY a_record ORDER BY probability DESC, b_record) AS a_rank,
        row_number() OVER (PARTITION BY b_record ORDER BY probability DESC, a_record) AS b_rank,
        count(*) FILTER (probability >= {ambiguous}) OVER (PARTITION BY a_record) > 1 AS a_shared,
        count(*) FILTER (probability >= {ambiguous}) OVER (PARTITION BY b_record) > 1 AS b_shared FROM likely),
judged AS (
    SELECT a_record, b_record, probability, CASE WHEN shared THEN 'possible' ELSE '{equal}' END AS result FROM by_key
    UNION ALL
    SELECT a_record, b_record, probability,
        CASE WHEN probability >= {certain} AND a_rank = 1 AND b_rank = 1 AND NOT a_shared AND NOT b_shared
            THEN '{equal}' ELSE 'possible' END AS result
    FROM by_model ANTI JOIN pairs USING (a_record, b_record)),
told AS (
    SELECT judged.*, {differing} AS differing
    FROM judged JOIN a AS x ON x.record = a_record JOIN {b} AS y ON y.record = b_record)
SELECT a_record, b_record, CASE WHEN result = 'matched' AND {contradicts} THEN 'possible'
    WHEN result = 'matched' AND differing <> '' THEN 'differing' ELSE result END AS result, differing, probability FROM told
{lonely}
"""

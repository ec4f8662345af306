"""The questions in SQL. Everything here runs in the calling thread; values are bound, names are ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from population.questions.asking import Found
from population.questions.columns import AREA_DIGITS, Where, area_code, day_number, inside
from population.replica.database import Database
from population.replica.schema import FOREVER
from population.statistics import households
from population.statistics.areas import Tally
from population.statistics.nearby import CELL, Window

_COLUMN_OF = {"1": 0, "2": 1}
"""Column of a pyramid by sex (sex.csv): men, women; all others are the third."""


def find(database: Database, where: Where, *, after: Found | None, limit: int) -> list[Found]:
    """Returns people in the order of areas and ids, those behind `after`."""
    if after:
        area = _number(after.area_code)
        where = where.and_(Where("area >= ? AND (area > ? OR id > ?::UUID)", (area, area, after.resident_id)))
    # Ids become texts behind the limit, not before: DuckDB would write out everybody's.
    page = f"SELECT area, id FROM people WHERE {where.sql} ORDER BY area, id LIMIT {int(limit)}"
    sql = f"SELECT area, id::VARCHAR FROM ({page}) ORDER BY area, id"
    return [Found(area_code(area), id) for area, id in database.query(sql, where.values)]


def by_area(database: Database, where: Where, *, root: str, digits: int) -> dict[str, Tally]:
    """Returns tallies of those a condition holds for, and of the others in their grids, by the first `digits` of areas inside `root`.

    People of no grid count as those of one more grid of their community, whose code ends with zeros.
    """
    narrowed = inside(root)
    sql = f"""
        SELECT area // {10 ** (AREA_DIGITS - digits)} AS part, sum(n)::BIGINT, count(*), sum(others)::BIGINT,
            count(*) FILTER (WHERE others > 0)
        FROM (
            SELECT area, count(*) FILTER (WHERE {where.sql}) AS n, count(*) - n AS others
            FROM people WHERE {narrowed.sql} GROUP BY area HAVING n > 0
        ) GROUP BY part"""
    rows = database.query(sql, (*where.values, *narrowed.values))
    return {str(part): Tally(*tally) for part, *tally in rows}


def ages(database: Database, *, prefix: str, now: date, day: date | None) -> list[tuple[int | None, int, int]]:
    """Returns rows of (age, None without a birth date; sex: 0 men, 1 women, 2 others; people). `day` None: those there now."""
    at = day_number(day or now)
    table, where = _at("people" if day is None else "stays", prefix, at)
    # One count by age and sex is four times as fast as a count for each sex by age.
    sql = f"""
        SELECT (? - birth) // 10000 AS age, sex, count(*)
        FROM {table} WHERE {where.sql} AND (birth IS NULL OR birth <= ?) GROUP BY age, sex"""
    return [(age, _COLUMN_OF.get(sex, 2), people) for age, sex, people in database.query(sql, (at, *where.values, at))]


def ages_below(
    database: Database, *, prefix: str, digits: int, now: date, day: date | None
) -> dict[str, list[tuple[int | None, int, int]]]:
    """Returns rows of (age, sex: 0 men, 1 women, 2 others; people) by the first `digits` of the areas inside one."""
    at = day_number(day or now)
    table, where = _at("people" if day is None else "stays", prefix, at)
    sql = f"""
        SELECT area // {10 ** (AREA_DIGITS - digits)} AS part, (? - birth) // 10000 AS age, sex, count(*)
        FROM {table} WHERE {where.sql} AND (birth IS NULL OR birth <= ?) GROUP BY part, age, sex"""
    found: dict[str, list[tuple[int | None, int, int]]] = {}
    for part, age, sex, people in database.query(sql, (at, *where.values, at)):
        found.setdefault(str(part), []).append((age, _COLUMN_OF.get(sex, 2), people))
    return found


def people_by_area(database: Database, *, root: str, digits: int, now: date, day: date | None) -> dict[str, Tally]:
    """Returns tallies as `by_area`, of everybody who lives or lived there on a day."""
    table, where = _at("people" if day is None else "stays", root, day_number(day or now))
    sql = f"""
        SELECT area // {10 ** (AREA_DIGITS - digits)} AS part, sum(n)::BIGINT, count(*) FROM (
            SELECT area, count(*) AS n FROM {table} WHERE {where.sql} GROUP BY area
        ) GROUP BY part"""
    return {str(part): Tally(people, grids) for part, people, grids in database.query(sql, where.values)}


def trend(database: Database, *, prefix: str, days: Sequence[date]) -> list[int]:
    """Returns how many lived there on each of the days, which ascend: who came until then less who left before."""
    numbers = [day_number(day) for day in days]
    came = _sums(database, "since", "<=", prefix, numbers)
    left = _sums(database, "until", "<", prefix, numbers)
    return [arrived - gone for arrived, gone in zip(came, left, strict=True)]


def _sums(database: Database, column: str, sign: str, prefix: str, numbers: list[int]) -> list[int]:
    """Counts the stays whose `column` lies before each day (`sign` "<=": or on it), looking at each stay once."""
    where = inside(prefix).and_(Where(f"{column} {sign} ?", (numbers[-1],)))
    sql = f"""
        SELECT day, sum(n)::BIGINT FROM (SELECT {column}, count(*) AS n FROM stays WHERE {where.sql} GROUP BY {column})
        ASOF JOIN (SELECT unnest(?::INTEGER[]) AS day) ON {column} {sign} day GROUP BY day"""
    first_after = dict(database.query(sql, (*where.values, numbers)))
    return list(accumulate(first_after.get(number, 0) for number in numbers))


def trends_below(database: Database, *, root: str, digits: int, days: Sequence[date]) -> dict[str, tuple[int, list[int]]]:
    """Returns (grids that ever had anybody, how many lived there on each of the days) by the first `digits` of the areas inside one."""
    numbers, part = [day_number(day) for day in days], f"area // {10 ** (AREA_DIGITS - digits)}"
    within = inside(root).and_(Where("area IS NOT NULL"))
    sql = f"SELECT {part} AS part, count(DISTINCT area) FROM stays WHERE {within.sql} GROUP BY part"
    grids = database.query(sql, within.values)
    came = _sums_below(database, "since", "<=", part, within, numbers)
    left = _sums_below(database, "until", "<", part, within, numbers)
    found = {}
    for area, number in grids:
        changes = [came.get((area, day), 0) - left.get((area, day), 0) for day in numbers]
        found[str(area)] = (number, list(accumulate(changes)))
    return found


def _sums_below(
    database: Database, column: str, sign: str, part: str, within: Where, numbers: list[int]
) -> dict[tuple[int, int], int]:
    where = within.and_(Where(f"{column} {sign} ?", (numbers[-1],)))
    sql = f"""
        SELECT part, day, sum(n)::BIGINT FROM (
            SELECT {part} AS part, {column}, count(*) AS n FROM stays WHERE {where.sql} GROUP BY part, {column}
        ) ASOF JOIN (SELECT unnest(?::INTEGER[]) AS day) ON {column} {sign} day GROUP BY part, day"""
    return {(area, day): people for area, day, people in database.query(sql, (*where.values, numbers))}


def household_sizes(database: Database, *, prefix: str) -> dict[int, int]:
    """Returns the households of now by their size; each counts whole where the first of its members' areas is."""
    where = inside(prefix)
    sql = f"SELECT least(size, {households.LARGEST}) AS members, count(*) FROM homes WHERE {where.sql} GROUP BY members ORDER BY members"
    return dict(database.query(sql, where.values))


def homes(database: Database, *, day: date | None) -> list[tuple[int, int, int]]:
    """Returns rows of (area as a number, 0 for none; size, LARGEST standing for all larger ones; households), by area.

    Each counts whole in one area, as in `household_sizes`. On a day in the past those are one who lived in one house.
    """
    source, values = "homes", Where("").values
    if day is not None:
        _, where = _at("stays", "", day_number(day))
        values = where.values
        source = f"""(SELECT min(area) AS area, count(*) AS size FROM stays
            WHERE household IS NOT NULL AND {where.sql} GROUP BY household)"""
    sql = f"""
        SELECT coalesce(area, 0) AS place, least(size, {households.LARGEST}) AS members, count(*)
        FROM {source} GROUP BY place, members ORDER BY place"""
    return database.query(sql, values)


def cells_around(
    database: Database, *, prefix: str, over: Window, bands: Sequence[tuple[int, int]], today: date
) -> dict[tuple[int, int], list[tuple[int, int, int]]]:
    """Returns (row, column, people) of the cells inside a window by band of ages, of those who live in an area."""
    at, area = day_number(today), inside(prefix)
    first, last = bands[0][0], bands[-1][1]
    south, west = over.row * CELL, over.column * CELL
    sql = f"""
        SELECT (? - birth) // 10000 AS age, floor(latitude / {CELL})::INTEGER AS up, floor(longitude / {CELL})::INTEGER AS across,
            count(*)
        FROM people
        WHERE latitude >= ? AND latitude < ? AND longitude >= ? AND longitude < ? AND {area.sql}
            AND birth <= ? AND age BETWEEN ? AND ?
        GROUP BY age, up, across"""
    box = (south, south + over.rows * CELL, west, west + over.columns * CELL)
    cells: dict[tuple[int, int], list[tuple[int, int, int]]] = {band: [] for band in bands}
    for age, up, across, people in database.query(sql, (at, *box, *area.values, at, first, last)):
        cells[next(band for band in bands if band[0] <= age <= band[1])].append((up, across, people))
    return cells


def _at(table: str, prefix: str, day: int) -> tuple[str, Where]:
    where = inside(prefix)
    if table == "stays":
        where = where.and_(Where("since <= ? AND until >= ?", (min(day, FOREVER), min(day, FOREVER))))
    return table, where


def _number(code: str) -> int:
    return int(code.ljust(AREA_DIGITS, "0"))

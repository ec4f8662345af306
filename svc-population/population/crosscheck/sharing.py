"""What a cross-check owes the people of the register it finds: who restricted the use of their data is in no result, and everybody else
learns of it (dsr_type.csv, R9: who saw my data).
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb
import pyarrow

from population.crosscheck.rules import Result, Rule
from population.jobs.desk import Desk
from population.privacy import audit

FOUND = (Result.MATCHED, Result.DIFFERING, Result.POSSIBLE)
"""Results that tell somebody that a person of the register is in the file."""
AT_ONCE = 20_000
"""People of one write: a hundred entries."""


def leave_out(people: Collection[str], *, connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Removes the results about these people, as exports leave them out: also a record of a file would tell by being called missing."""
    if not (people and rule.registered):
        return
    connection.register("left_out", pyarrow.table({"reference": pyarrow.array(sorted(people), pyarrow.string())}))
    for column, table in rule.registered:
        of_them = f"SELECT record FROM {table} WHERE reference IN (SELECT reference FROM left_out)"
        connection.execute(f"DELETE FROM decided WHERE {column} IN ({of_them})")
    connection.unregister("left_out")


def record(*, desk: Desk, connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Names everybody of the register who was found in the audit trail (AE12), before a file says so. Raises Stopped, PyMongoError.

    Begun again it names them again: better twice than never.
    """
    if not rule.registered:
        return
    # In the order of their ids, which is that of the index of the trail: a million in another order take several times as long.
    found = connection.execute(f"{_found(rule)} ORDER BY reference")
    note = f"job {desk.job.job_id} {rule.code}"
    done = 0
    while rows := found.fetchmany(AT_ONCE):
        desk.trail.record(audit.SHARING, [reference for (reference,) in rows], note=note)
        done += len(rows)
        desk.say("reporting", done=done)


def _found(rule: Rule) -> str:
    results = ", ".join(f"'{result}'" for result in FOUND)
    # UNION, not UNION ALL: everybody once.
    return " UNION ".join(
        f"SELECT reference FROM {table} JOIN decided ON {column} = record WHERE result IN ({results})"
        for column, table in rule.registered
    )

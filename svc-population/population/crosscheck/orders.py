"""Asks people to go and look where a department's record differs from the register: through the ledger of the person's fields, like
everything a department says. Nothing is taken over: a value counts after somebody has been there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import duckdb

from population.crosscheck.rules import Result
from population.department_feed import registered_of
from population.domain.collection import FieldLedger, FieldValue, Registered
from population.domain.resident import Resident
from population.jobs.desk import Desk
from population.operations.collection import observe_record
from svckit.batch import BatchRepository
from svckit.documents import Change, Command, Form, utc_now
from svckit.errors import ServiceError
from svckit.ids import new_id

ASKED = ("name", "sex", "birth_date")
"""Fields whose values the job has; of numbers it has blind indexes only, so that a differing telephone is in the report alone."""
BATCH = 200
RESIDENTS = Form(Resident, id_field="resident_id")


def open_orders(*, desk: Desk, connection: duckdb.DuckDBPyConnection) -> None:
    """Opens an order per person with a differing field. Repeated it opens none twice: each record is one command."""
    ledgers: BatchRepository[FieldLedger] = BatchRepository(
        desk.database["field_ledgers"], form=Form(FieldLedger, id_field="resident_id")
    )
    rows = _differing(connection)
    start = int(desk.checkpoint.get("ordered", 0))
    for at in range(start, len(rows), BATCH):
        batch = rows[at : at + BATCH]
        desk.count("ordered", _ordered(desk, ledgers, batch, utc_now()))
        desk.keep(ordered=at + len(batch))
        desk.say("ordering", done=at + len(batch), total=len(rows))


def _differing(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    shown = ", ".join(f"x.{name}" for name in ASKED)
    return connection.execute(
        f"SELECT y.reference, differing, a_record, {shown} FROM decided JOIN a AS x ON x.record = a_record"
        f" JOIN b AS y ON y.record = b_record WHERE result = '{Result.DIFFERING}' ORDER BY a_record"
    ).fetchall()


def _ordered(desk: Desk, ledgers: BatchRepository[FieldLedger], batch: Sequence[tuple[Any, ...]], now: datetime) -> int:
    people = _registered(desk, [row[0] for row in batch])
    outcomes = ledgers.apply(list(_changes(desk, people, batch, now)))
    refused = sum(isinstance(outcome, ServiceError) for outcome in outcomes)
    desk.count("not_ordered", refused + len(batch) - len(outcomes))
    return len(outcomes) - refused


def _registered(desk: Desk, ids: Sequence[str]) -> dict[str, Registered]:
    rows = desk.database["residents"].find({"_id": {"$in": list(ids)}}, {"outbox": False, "commands": False})
    return {row["_id"]: registered_of(RESIDENTS.state(row), desk.vault) for row in rows}


def _changes(desk: Desk, people: dict[str, Registered], batch: Sequence[tuple[Any, ...]], now: datetime) -> Iterator[Change]:
    for resident_id, differing, record, *values in batch:
        person = people.get(resident_id)
        given = dict(zip(ASKED, values, strict=True))
        fields = [
            FieldValue(field=name, value=given[name])
            for name in differing.split()
            if given.get(name) and person and name not in person.fixed
        ]
        if not person or not fields:
            continue
        observe = partial(
            observe_record,
            registered=person,
            fields=fields,
            source=desk.job.cross_check_spec.rule if desk.job.cross_check_spec else "",
            by=desk.job.started_by,
            as_of=desk.job.created_at,
            check_id=new_id(),
            texts=desk.vault,
            now=now,
        )
        yield Change(resident_id, observe, Command(f"job/{desk.job.job_id}/{record}", "order"))

"""Rows into the register in bulk: one transaction per batch, in threads beside the one that judges the next.

The facts of a batch lie in bundles, written in the same transaction: a document per row that is cleared again once its fact is out
costs the database three times as much. Where a row cannot be written with the others (somebody has the number, an earlier attempt of
this job wrote it), each row is written for itself, with its facts; a row that is there already is told from one this very job wrote
by the command that created it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import msgspec
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from population.domain.resident import Resident
from population.imports.judging import Judged
from population.store.bundles import COLLECTION as BUNDLES
from population.store.bundles import bundles_of, remove_empty, waiting_fact
from svckit.deltas import stored
from svckit.documents import Change, Draft, Form, refusal, utc_now

Raw = dict[str, Any]
FORM = Form(Resident, id_field="resident_id")
_DURABLE = WriteConcern("majority")
_DUPLICATE_KEY = 11000
AT_ONCE = 2
"""Batches written beside each other: one is encoded while the database works on the other."""
_CREATED_BY = "created_by.key"
Number = tuple[str, bytes]
"""City and blind index of an identity number: there once in the register."""


class Written(msgspec.Struct, frozen=True):
    """What became of a batch: how many rows are in the register now because of it, and those that were there before."""

    entered: int
    known: Sequence[int]


class Writer:
    """Writes the batches of one job, `AT_ONCE` beside each other: who has more begun waits until the database has taken one."""

    def __init__(self, database: Database[Raw], *, job_id: str) -> None:
        self._client = database.client
        self._residents = database["residents"].with_options(write_concern=_DURABLE)
        self._bundles = database[BUNDLES]
        self._own = own_commands(job_id)
        self._meets_known = False
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="import")
        remove_empty(self._bundles)

    def write(self, batch: Sequence[Judged]) -> Future[Written]:
        """Begins to write a batch. The future raises PyMongoError."""
        return self._pool.submit(self._write, batch)

    def close(self) -> None:
        """Waits for what was begun."""
        self._pool.shutdown()

    def _write(self, batch: Sequence[Judged]) -> Written:
        # Where one is known already, more are: then it is cheaper to look first than to be refused.
        known = known_rows(self._residents, batch, own=self._own) if self._meets_known else []
        there = set(known)
        fresh = [judged for judged in batch if judged.row not in there]
        if self._at_once(fresh):
            return Written(len(fresh), known)
        if not self._meets_known:
            self._meets_known = True
            return self._write(batch)
        written = self._one_by_one(fresh)
        return Written(written.entered, [*known, *written.known])

    def _at_once(self, batch: Sequence[Judged]) -> bool:
        """Writes all of it, or nothing and tells so."""
        if not batch:
            return True
        now = utc_now()
        people = [document(judged) for judged in batch]
        bundles = list(bundles_of([facts(judged, now=now) for judged in batch], now=now))

        def insert(session: ClientSession) -> None:
            self._residents.insert_many(people, session=session)
            self._bundles.insert_many(bundles, session=session)

        with self._client.start_session() as session:
            try:
                session.with_transaction(insert, write_concern=_DURABLE)
            except BulkWriteError:
                return False
        return True

    def _one_by_one(self, batch: Sequence[Judged]) -> Written:
        if not batch:
            return Written(0, ())
        now = utc_now()
        try:
            self._residents.bulk_write([insertion(judged, now=now) for judged in batch], ordered=False)
        except BulkWriteError as error:
            return self._after(batch, error)
        return Written(len(batch), ())

    def _after(self, batch: Sequence[Judged], error: BulkWriteError) -> Written:
        known = []
        for one in error.details["writeErrors"]:
            if one["code"] != _DUPLICATE_KEY:
                raise refusal(one) from error
            judged = batch[one["index"]]
            if judged.refers or not _is_ours(one):
                known.append(judged)
        mine = self._mine([judged.command.key for judged in known]) if known else set()
        strangers = [judged.row for judged in known if judged.command.key not in mine]
        return Written(len(batch) - len(strangers), strangers)

    def _mine(self, keys: Sequence[str]) -> set[str]:
        rows = self._residents.find({_CREATED_BY: {"$in": list(keys)}}, {_CREATED_BY: True})
        return {row["created_by"]["key"] for row in rows}


def document(judged: Judged) -> Raw:
    """Returns the document of one row as `insertion` writes it, without its facts."""
    fields: Raw = stored(judged.resident)
    id = fields.pop("resident_id")
    command = {"key": judged.command.key, "digest": judged.command.digest}
    return {"_id": id, **fields, "revision": 1, "created_by": command}


def facts(judged: Judged, *, now: datetime) -> list[Raw]:
    """Returns the facts of one row as they wait for the relay."""
    found = []
    for event in judged.events:
        kind, data = FORM.encode(event)
        found.append(waiting_fact(type=kind, data=data, subject=judged.resident.resident_id, now=now))
    return found


def insertion(judged: Judged, *, now: datetime) -> Any:
    """Returns the write that enters one row for itself, with its facts for the relay."""
    resident, events = judged.resident, judged.events
    draft: Draft[Resident] = Draft(FORM, resident.resident_id, None)
    draft.apply(Change(resident.resident_id, lambda _: (resident, events), judged.command, creates=True), now=now)
    return draft.write(insert=True)


def _is_ours(error: Mapping[str, Any]) -> bool:
    """An earlier attempt of this job has written this row: its id or its command is there. Ids out of files are of any job."""
    return set(error.get("keyPattern", ())) in ({"_id"}, {_CREATED_BY})


def own_commands(job_id: str) -> str:
    """Returns how the commands of a job begin."""
    return f"job/{job_id}/"


def number_of(resident: Resident) -> Number | None:
    """Returns what is there once in the register, None for who has no number."""
    return (resident.city, bytes(resident.id_number.index)) if resident.id_number else None


def known_rows(residents: Collection[Raw], batch: Sequence[Judged], *, own: str) -> list[int]:
    """Returns the rows of a batch that the register has from others than the commands that begin with `own`, by number or by id."""
    numbers = known_numbers(residents, batch, own=own)
    ids = [judged.resident.resident_id for judged in batch if judged.refers]
    entered = residents.find({"_id": {"$in": ids}}, {_CREATED_BY: True}) if ids else ()
    there = {row["_id"] for row in entered if not _begins(row, own)}
    return [one.row for one in batch if number_of(one.resident) in numbers or one.resident.resident_id in there]


def known_numbers(residents: Collection[Raw], batch: Sequence[Judged], *, own: str) -> set[Number]:
    """Returns those numbers of a batch that the register has from others than the commands that begin with `own`."""
    wanted: dict[str, list[bytes]] = {}
    for judged in batch:
        if number := number_of(judged.resident):
            wanted.setdefault(number[0], []).append(number[1])
    found: set[Number] = set()
    for city, indexes in wanted.items():
        rows = residents.find(
            {"city": city, "id_number.index": {"$in": indexes}}, {"id_number.index": True, _CREATED_BY: True, "_id": False}
        )
        found |= {(city, bytes(row["id_number"]["index"])) for row in rows if not _begins(row, own)}
    return found


def _begins(row: Raw, own: str) -> bool:
    return str((row.get("created_by") or {}).get("key", "")).startswith(own)

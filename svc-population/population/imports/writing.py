"""Rows into the register in bulk: one unordered write per batch, in a thread beside the one that judges the next.

A row that is there already is told from one this very job wrote before it was interrupted by the command that created it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from population.domain.resident import Resident
from population.imports.judging import Judged
from svckit.documents import Change, Draft, Form, refusal, utc_now

Raw = dict[str, Any]
FORM = Form(Resident, id_field="resident_id")
_DUPLICATE_KEY = 11000


class Written(msgspec.Struct, frozen=True):
    """What became of a batch: how many rows are in the register now because of it, and those that were there before."""

    entered: int
    known: Sequence[int]


class Writer:
    """Writes batches, at most one waiting: the file is read no faster than the database takes it."""

    def __init__(self, residents: Collection[Raw]) -> None:
        self._residents = residents.with_options(write_concern=WriteConcern("majority"))
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")

    def write(self, batch: Sequence[Judged]) -> Future[Written]:
        """Begins to write a batch. The future raises PyMongoError."""
        return self._pool.submit(self._write, batch)

    def close(self) -> None:
        """Waits for what was begun."""
        self._pool.shutdown()

    def _write(self, batch: Sequence[Judged]) -> Written:
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
            if not _is_ours(one):
                known.append(batch[one["index"]])
        mine = self._mine([judged.command.key for judged in known]) if known else set()
        strangers = [judged.row for judged in known if judged.command.key not in mine]
        return Written(len(batch) - len(strangers), strangers)

    def _mine(self, keys: Sequence[str]) -> set[str]:
        rows = self._residents.find({"created_by.key": {"$in": list(keys)}}, {"created_by.key": True})
        return {row["created_by"]["key"] for row in rows}


def insertion(judged: Judged, *, now: Any) -> Any:
    """Returns the write that enters one row, with its facts for the relay."""
    resident, events = judged.resident, judged.events
    draft: Draft[Resident] = Draft(FORM, resident.resident_id, None)
    draft.apply(Change(resident.resident_id, lambda _: (resident, events), judged.command, creates=True), now=now)
    return draft.write(insert=True)


def _is_ours(error: Mapping[str, Any]) -> bool:
    """An earlier attempt of this job has written this row: its id or its command is there."""
    return set(error.get("keyPattern", ())) in ({"_id"}, {"created_by.key"})


def known_numbers(residents: Collection[Raw], batch: Sequence[Judged], *, own: str) -> set[bytes]:
    """Returns the blind indexes of this batch that the register has in the same city. For rehearsals, which write nothing."""
    wanted = [judged.resident.id_number.index for judged in batch if judged.resident.id_number]
    if not wanted:
        return set()
    query = {"city": {"$in": sorted({judged.resident.city for judged in batch})}, "id_number.index": {"$in": wanted}}
    rows = residents.find(query, {"id_number.index": True, "created_by.key": True})
    return {bytes(row["id_number"]["index"]) for row in rows if not row.get("created_by", {}).get("key", "").startswith(own)}

"""Writes the audit trail for a job: whose data it gave out, and to whom. Each job that does has a chain of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from population.domain.job import Job
from population.privacy import audit
from population.privacy.audit import Entry
from population.privacy.trail import ENTRIES, MOST_RESIDENTS
from svckit.deltas import stored
from svckit.documents import utc_now
from svckit.ids import new_id

Raw = dict[str, Any]


class JobTrail:
    """The entries of one job, in the name of who started it."""

    def __init__(self, database: Database[Raw], *, key: bytes, job: Job) -> None:
        self._rows = database.get_collection(ENTRIES, write_concern=WriteConcern("majority", j=True))
        self._key = key
        self._job = job
        self._chain = self._last = new_id()
        self._number = 0

    def record(self, event: str, residents: Sequence[str], *, note: str) -> None:
        """Returns when all of them are named in entries that are safe in the database. Raises PyMongoError: then nothing may be shown."""
        pieces = [residents[at : at + MOST_RESIDENTS] for at in range(0, len(residents), MOST_RESIDENTS)]
        if not pieces:
            return
        try:
            self._rows.insert_many([self._sealed(self._entry(event, tuple(piece), note)) for piece in pieces])
        except BaseException:
            # Nobody knows what of the old chain arrived.
            self._chain = self._last = new_id()
            self._number = 0
            raise

    def _entry(self, event: str, residents: tuple[str, ...], note: str) -> Entry:
        job = self._job
        return Entry(
            chain=self._chain,
            number=self._number + 1,
            at=utc_now(),
            event=event,
            subject=job.started_by,
            name=job.starter,
            area=job.area_code,
            department=job.department,
            purpose=job.purpose,
            rpc=f"job/{job.kind.value}",
            residents=residents,
            count=len(residents),
            note=note,
        )

    def _sealed(self, entry: Entry) -> Raw:
        sealed = audit.seal(self._key, self._last, entry)
        self._number, self._last = sealed.number, sealed.digest
        return {"_id": sealed.entry_id, **stored(sealed)}

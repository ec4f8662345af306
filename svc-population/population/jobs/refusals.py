"""Rows of a file that were refused: kept one by one while a job runs, written into a file at its end. Never with a value of the row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from pymongo import ReplaceOne

from population.jobs.desk import Desk
from population.policies.jobs import FILE_KEPT

MOST_REFUSED = 1_000_000
"""Rows whose refusal is told one by one; a file that is wrong altogether says so with fewer."""
FILE_NAME = "refused_rows.csv"
Refusal = tuple[int, str, str, str]
"""Row, field, reason, sentence."""


class RefusedRows:
    """The refusals of one job. Kept twice, after a worker broke off, a row stands there once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows = desk.database["refused_rows"]

    def keep(self, refused: Sequence[Refusal]) -> None:
        """Keeps some, unless there are too many already."""
        if not refused or self._desk.counts.get("refused", 0) > MOST_REFUSED:
            return
        job = self._desk.job
        told = [
            ReplaceOne(
                {"_id": f"{job.job_id}:{number}"},
                {
                    "job_id": job.job_id,
                    "row": number,
                    "field": field,
                    "reason": reason,
                    "message": message,
                    "expires_at": job.created_at + FILE_KEPT,
                },
                upsert=True,
            )
            for number, field, reason, message in refused
        ]
        self._rows.bulk_write(told, ordered=False)

    def write(self) -> None:
        """Writes the file, if any row was refused."""
        refused = self._desk.counts.get("refused", 0)
        if refused:
            self._desk.say("reporting", total=refused, at_once=True)
            self._desk.write(FILE_NAME, self._file(), rows=min(refused, MOST_REFUSED))

    def _file(self) -> Iterator[bytes]:
        yield "\ufeff行号 row,字段 field,原因 reason,说明 message\r\n".encode()
        rows = self._rows.find({"job_id": self._desk.job.job_id}).sort("row")
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for count, row in enumerate(rows, start=1):
            writer.writerow([row["row"], row["field"], row["reason"], row["message"]])
            if count % 5_000 == 0:
                yield _taken(text)
        yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece

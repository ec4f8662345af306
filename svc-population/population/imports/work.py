"""The work of an import: read, judge, write; what was refused goes into a file, row by row, with field and reason.

Resumable: after every batch the number of the last row is written down. Rows have the same ids whenever they are read, so a batch that
was written but not written down is found and not entered twice.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from pymongo import ReplaceOne

from population.domain.job import ImportSpec
from population.imports.judging import FIELDS, Judge, Judged
from population.imports.mapping import RowError, read_mapping
from population.imports.reading import Batch, read
from population.imports.writing import Writer, Written, known_numbers
from population.jobs.desk import Desk
from population.policies.jobs import FILE_KEPT
from svckit.errors import InvalidArgument

MOST_REFUSED = 1_000_000
"""Rows whose refusal is told one by one; a file that is wrong altogether says so with fewer."""
KNOWN = ("id_number", "ALREADY_ENTERED", "The register has this person already.")
Refusal = tuple[int, str, str, str]


class Import:
    """One import at its desk."""

    def __init__(self, desk: Desk) -> None:
        assert desk.job.import_spec is not None
        self._desk = desk
        self._spec: ImportSpec = desk.job.import_spec
        self._mapping = read_mapping(self._spec.mapping, allowed=FIELDS, path="import_spec.mapping")
        self._judge = Judge(
            job_id=desk.job.job_id,
            mapping=self._mapping,
            area=desk.job.area_code,
            vault=desk.vault,
            now=desk.job.created_at,
        )
        self._residents = desk.database["residents"]

    def run(self) -> None:
        """Does it. Raises InvalidArgument for a file that cannot be read, Stopped."""
        desk = self._desk
        file, format, size = desk.open(self._spec.source)
        start = int(desk.checkpoint.get("row", 0))
        writer = Writer(self._residents)
        begun: list[tuple[Future[Written], list[Judged], list[Refusal], int]] = []
        try:
            for batch in read(file=file, format=format, columns=list(self._mapping.columns)):
                last = max((*batch.numbers, *batch.broken), default=0)
                if last <= start:
                    self._skip(batch)
                    continue
                good, refused = self._judged(batch, start)
                begun.append((writer.write([] if self._spec.dry_run else good), good, refused, last))
                if len(begun) > 1:
                    self._settle(*begun.pop(0))
                    desk.say("reading", done=_position(file, size), total=size)
            for one in begun:
                self._settle(*one)
        finally:
            writer.close()
        self._report()

    def _skip(self, batch: Batch) -> None:
        for number, row in batch.rows():
            self._judge.skip(row, number)

    def _judged(self, batch: Batch, start: int) -> tuple[list[Judged], list[Refusal]]:
        good: list[Judged] = []
        refused: list[Refusal] = [
            (number, "", "ROW_BROKEN", "The row has another number of columns than the heading.")
            for number in batch.broken
            if number > start
        ]
        for number, row in batch.rows():
            if number <= start:
                self._judge.skip(row, number)
                continue
            try:
                good.append(self._judge.judge(row, number))
            except RowError as error:
                refused.append((number, error.field, error.reason, error.message))
        return good, refused

    def _settle(self, writing: Future[Written], good: list[Judged], refused: list[Refusal], last: int) -> None:
        """Takes account of a batch once it is written: then, and not before, it needs no repeating."""
        written = writing.result()
        known = self._rehearsed(good) if self._spec.dry_run else written.known
        refused += [(row, *KNOWN) for row in known]
        self._keep_refused(refused)
        desk = self._desk
        desk.count("read", len(good) + len(refused) - len(known))
        desk.count("acceptable" if self._spec.dry_run else "entered", len(good) - len(known))
        desk.count("refused", len(refused))
        desk.count("duplicates", sum(reason in _DUPLICATES for _, _, reason, _ in refused))
        desk.keep(row=last)

    def _rehearsed(self, good: Sequence[Judged]) -> list[int]:
        there = known_numbers(self._residents, good, own=f"job/{self._desk.job.job_id}/")
        return [judged.row for judged in good if judged.resident.id_number and bytes(judged.resident.id_number.index) in there]

    def _keep_refused(self, refused: Sequence[Refusal]) -> None:
        if not refused or self._desk.counts.get("refused", 0) > MOST_REFUSED:
            return
        job = self._desk.job
        rows = [
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
        self._desk.database["refused_rows"].bulk_write(rows, ordered=False)

    def _report(self) -> None:
        """Writes the file of refused rows, if there are any."""
        refused = self._desk.counts.get("refused", 0)
        if refused:
            self._desk.say("reporting", total=refused, at_once=True)
            self._desk.write("refused_rows.csv", self._refused_file(), rows=min(refused, MOST_REFUSED))

    def _refused_file(self) -> Iterator[bytes]:
        yield "\ufeff行号 row,字段 field,原因 reason,说明 message\r\n".encode()
        rows = self._desk.database["refused_rows"].find({"job_id": self._desk.job.job_id}).sort("row")
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for count, row in enumerate(rows, start=1):
            writer.writerow([row["row"], row["field"], row["reason"], row["message"]])
            if count % 5_000 == 0:
                yield _taken(text)
        yield _taken(text)


_DUPLICATES = frozenset({"ALREADY_ENTERED", "ID_NUMBER_TWICE", "ROW_TWICE"})


def _taken(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece


def _position(file: Any, size: int) -> int:
    """Returns how many bytes have been read; Parquet and XLSX jump about, so never more than there are."""
    return min(int(file.tell()), size) if not file.closed else size


def check_import(spec: ImportSpec) -> None:
    """Raises InvalidArgument for a mapping that cannot be used, before anything is queued."""
    mapping = read_mapping(spec.mapping, allowed=FIELDS, path="import_spec.mapping")
    missing = {"name", "area_code"} - mapping.fields
    if missing:
        raise InvalidArgument(
            f"A resident needs {' and '.join(sorted(missing))}.", reason="FIELD_MISSING", field="import_spec.mapping"
        )

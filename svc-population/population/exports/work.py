"""The work of an export: residents of an area, row by row, into a file that is sealed as it grows.

Masked as everywhere, unless the job asks for it in full and somebody else has approved that. Who objected to the use of their data
is in no export but one of an emergency and the roll of voters; whoever is in one stands in the audit trail before the row leaves. A job
that was broken off begins again: half a file is of no use to anybody. Beside the rows a `terms.json` says for whom, for what and on what
basis they were written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from population.domain.job import ExportSpec, FileFormat
from population.exports.condition import exported
from population.exports.shown import mask_of
from population.jobs.desk import Desk
from population.policies.jobs import NOT_APPROVED, SENSITIVE, lacks_approval, needs_approval
from population.privacy import audit
from population.privacy.restrictions import restricted_ids
from svckit.errors import FailedPrecondition

BATCH = 5_000
_PIECE = 1 << 20
Rows = Iterator[list[list[str]]]


class Export:
    """One export at its desk."""

    def __init__(self, desk: Desk) -> None:
        assert desk.job.export_spec is not None
        self._desk = desk
        self._spec: ExportSpec = desk.job.export_spec
        self._check_approved(rows=0)
        self._masks = {} if self._spec.in_full else {name: mask for name in self._spec.fields if (mask := mask_of(name))}

    def run(self) -> None:
        """Does it. Raises Stopped."""
        writers = {FileFormat.CSV: _csv, FileFormat.XLSX: self._xlsx, FileFormat.PARQUET: self._parquet}
        self._desk.counts = {"written": 0}
        name = f"residents.{self._spec.format.value}"
        self._desk.write(name, writers[self._spec.format](self._spec.fields, self._rows()), rows=self._written)
        self._desk.write("terms.json", [self._terms()], rows=1)

    def _check_approved(self, *, rows: int) -> None:
        """Raises FailedPrecondition (NOT_APPROVED): the register may have grown since somebody counted."""
        job = self._desk.job
        if lacks_approval(job) or (needs_approval(self._spec, rows=rows) and not job.approved_by):
            raise FailedPrecondition("Nobody has approved it.", reason=NOT_APPROVED)

    def _written(self) -> int:
        return self._desk.counts["written"]

    def _rows(self) -> Rows:
        query = exported(own=self._desk.job.area_code, spec=self._spec)
        wanted = {"_id": True, **{name: True for name in self._spec.fields if name != "resident_id"}}
        residents = self._desk.database["residents"]
        total = residents.count_documents(query)
        self._check_approved(rows=total)
        hidden = restricted_ids(self._desk.database, purpose=self._desk.job.purpose)
        found = residents.find(query, wanted, batch_size=BATCH).sort([("area_code", 1), ("_id", 1)])
        shown = (row for row in found if row["_id"] not in hidden)
        while rows := list(islice(shown, BATCH)):
            yield self._told(rows, total)

    def _told(self, rows: Sequence[dict[str, Any]], total: int) -> list[list[str]]:
        job = self._desk.job
        self._desk.trail.record(audit.BULK, [row["_id"] for row in rows], note=f"job {job.job_id}")
        batch = [[self._text(row, name) for name in self._spec.fields] for row in rows]
        self._desk.count("written", len(batch))
        self._desk.say("writing", done=self._desk.counts["written"], total=total)
        return batch

    def _text(self, row: dict[str, Any], name: str) -> str:
        value = row["_id"] if name == "resident_id" else row.get(name)
        if value is None or value == "":
            return ""
        if name in SENSITIVE:
            value = self._desk.vault.open(bytes(value["cipher"]), field=name, owner=row["_id"])
        elif hasattr(value, "isoformat"):
            value = value.isoformat(timespec="seconds")
        mask = self._masks.get(name)
        return mask(value) if mask else str(value)

    def _xlsx(self, fields: Sequence[str], rows: Rows) -> Iterator[bytes]:
        """A workbook is written to the job's folder first: its index comes last."""
        path = self._desk.workspace / "residents.xlsx"
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("residents")
        job = self._desk.job
        sheet.oddFooter.center.text = f"{job.started_by} {job.purpose} {job.job_id}"
        sheet.append(list(fields))
        for batch in rows:
            for row in batch:
                sheet.append([written(value) for value in row])
        book.save(path)
        yield from _pieces(path)

    def _parquet(self, fields: Sequence[str], rows: Rows) -> Iterator[bytes]:
        path = self._desk.workspace / "residents.parquet"
        schema = pyarrow.schema([(name, pyarrow.string()) for name in fields])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for batch in rows:
                columns = list(zip(*batch, strict=True)) or [() for _ in fields]
                writer.write_table(
                    pyarrow.table([pyarrow.array(column, pyarrow.string()) for column in columns], schema=schema)
                )
        yield from _pieces(path)

    def _terms(self) -> bytes:
        job = self._desk.job
        told = {
            "job_id": job.job_id,
            "for": job.started_by,
            "approved_by": job.approved_by,
            "purpose": job.purpose,
            "legal_basis": job.legal_basis,
            "written_at": job.changed_at.isoformat(),
            "fields": list(self._spec.fields),
            "in_full": self._spec.in_full,
            "rows": self._written(),
        }
        return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _csv(fields: Sequence[str], rows: Rows) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(fields)
    for batch in rows:
        writer.writerows([[_harmless(value) for value in row] for row in batch])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def _harmless(value: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def written(value: str) -> str:
    """Returns a value as a cell of a workbook holds it: there only = begins a formula, and control characters cannot stand at all."""
    return ILLEGAL_CHARACTERS_RE.sub("", f"'{value}" if value[:1] == "=" else value)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece

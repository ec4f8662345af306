"""The work of an export: residents of an area, row by row, into a file that is sealed as it grows.

Masked as everywhere, unless the job asks for it in full and somebody else has approved that. A job that was broken off begins again: half
a file is of no use to anybody. Beside the rows a `terms.json` says for whom, for what and on what basis they were written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
from binglian.options.v1 import options_pb2
from binglian.population.v1 import resident_pb2

from population.domain.job import ExportSpec, FileFormat
from population.jobs.desk import Desk
from population.policies.jobs import SENSITIVE, needs_approval
from population.store.rows import in_area
from svckit.errors import FailedPrecondition
from svckit.masking import mask_id_number, mask_name, mask_phone, mask_text, mask_year

BATCH = 5_000
_PIECE = 1 << 20
_MASKS: dict[int, Callable[[str], str]] = {
    options_pb2.MASK_UNSPECIFIED: mask_text,
    options_pb2.MASK_NAME: mask_name,
    options_pb2.MASK_PHONE: mask_phone,
    options_pb2.MASK_ID_NUMBER: mask_id_number,
    options_pb2.MASK_YEAR: mask_year,
}
Rows = Iterator[list[list[str]]]


class Export:
    """One export at its desk."""

    def __init__(self, desk: Desk) -> None:
        assert desk.job.export_spec is not None
        self._desk = desk
        self._spec: ExportSpec = desk.job.export_spec
        if needs_approval(self._spec) and not desk.job.approved_by:
            raise FailedPrecondition("Nobody has approved it.", reason="NOT_APPROVED")
        self._masks = {} if self._spec.in_full else {name: mask for name in self._spec.fields if (mask := mask_of(name))}

    def run(self) -> None:
        """Does it. Raises Stopped."""
        writers = {FileFormat.CSV: _csv, FileFormat.XLSX: self._xlsx, FileFormat.PARQUET: self._parquet}
        self._desk.counts = {"written": 0}
        name = f"residents.{self._spec.format.value}"
        self._desk.write(name, writers[self._spec.format](self._spec.fields, self._rows()), rows=self._written)
        self._desk.write("terms.json", [self._terms()], rows=1)

    def _written(self) -> int:
        return self._desk.counts["written"]

    def _rows(self) -> Rows:
        query = in_area(own=self._desk.job.area_code, wanted=self._spec.area_prefix) or {}
        wanted = {"_id": True, **{name: True for name in self._spec.fields if name != "resident_id"}}
        residents = self._desk.database["residents"]
        total = residents.estimated_document_count() if not query else residents.count_documents(query)
        batch: list[list[str]] = []
        for row in residents.find(query, wanted, batch_size=BATCH).sort([("area_code", 1), ("_id", 1)]):
            batch.append([self._text(row, name) for name in self._spec.fields])
            if len(batch) == BATCH:
                yield self._told(batch, total)
                batch = []
        yield self._told(batch, total)

    def _told(self, batch: list[list[str]], total: int) -> list[list[str]]:
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
                sheet.append(row)
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


def mask_of(name: str) -> Callable[[str], str] | None:
    """Returns how a field of Resident is masked, as its proto says; None for one that hides nothing."""
    field = resident_pb2.Resident.DESCRIPTOR.fields_by_name[name]
    personal = field.GetOptions().Extensions[options_pb2.personal]
    hides = personal.sensitivity >= options_pb2.SENSITIVITY_L3 or (
        personal.sensitivity == options_pb2.SENSITIVITY_L2 and personal.mask != options_pb2.MASK_UNSPECIFIED
    )
    return _MASKS[personal.mask] if hides else None


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


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece

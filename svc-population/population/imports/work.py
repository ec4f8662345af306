"""The work of an import: read, judge, write; what was refused goes into a file, row by row, with field and reason.

Resumable: after every batch the number of the last row is written down. Rows have the same ids whenever they are read, so a batch that
was written but not written down is found and not entered twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from population.domain.job import ImportKind, ImportSpec
from population.imports.forms import HOUSEHOLD, REFERENCE
from population.imports.household_rows import HOUSEHOLD_FIELDS
from population.imports.households import HouseholdImport
from population.imports.judging import FIELDS, Judge, Judged
from population.imports.mapping import RowError, read_mapping
from population.imports.reading import Batch, read
from population.imports.writing import AT_ONCE, Writer, Written, known_rows, number_of, own_commands
from population.jobs.desk import Desk
from population.jobs.refusals import Refusal, RefusedRows
from svckit.errors import InvalidArgument

KNOWN = ("ALREADY_ENTERED", "The register has this person already.")


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
        self._refused = RefusedRows(desk)

    def run(self) -> None:
        """Does it. Raises InvalidArgument for a file that cannot be read, Stopped."""
        desk = self._desk
        file, format, size = desk.open(self._spec.source)
        start = int(desk.checkpoint.get("row", 0))
        writer = Writer(desk.database, job_id=desk.job.job_id)
        begun: list[tuple[Future[Written], list[Judged], list[Refusal], int]] = []
        try:
            for batch in read(file=file, format=format, columns=list(self._mapping.columns)):
                last = max((*batch.numbers, *batch.broken), default=0)
                if last <= start:
                    self._skip(batch)
                    continue
                good, refused = self._judged(batch, start)
                begun.append((writer.write([] if self._spec.dry_run else good), good, refused, last))
                if len(begun) > AT_ONCE:
                    self._settle(*begun.pop(0))
                    desk.say("reading", done=_position(file, size), total=size)
            for one in begun:
                self._settle(*one)
        finally:
            writer.close()
        self._refused.write()

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
        there = set(known)
        # By the number of a document, or by that of the row in its file.
        refused += [
            (one.row, "id_number" if number_of(one.resident) else REFERENCE, *KNOWN) for one in good if one.row in there
        ]
        self._refused.keep(refused)
        desk = self._desk
        desk.count("read", len(good) + len(refused) - len(known))
        desk.count("acceptable" if self._spec.dry_run else "entered", len(good) - len(known))
        desk.count("refused", len(refused))
        desk.count("duplicates", sum(reason in _DUPLICATES for _, _, reason, _ in refused))
        desk.keep(row=last)

    def _rehearsed(self, good: Sequence[Judged]) -> list[int]:
        return known_rows(self._residents, good, own=own_commands(self._desk.job.job_id))


_DUPLICATES = frozenset({"ALREADY_ENTERED", "ID_NUMBER_TWICE", "ROW_TWICE"})


def _position(file: Any, size: int) -> int:
    """Returns how many bytes have been read; Parquet and XLSX jump about, so never more than there are."""
    return min(int(file.tell()), size) if not file.closed else size


def import_rows(desk: Desk) -> None:
    """Works on an import, whatever its rows are. Raises what `Import.run` and `HouseholdImport.run` raise."""
    assert desk.job.import_spec is not None
    if desk.job.import_spec.kind is ImportKind.HOUSEHOLDS:
        HouseholdImport(desk).run()
    else:
        Import(desk).run()


_ALLOWED = {ImportKind.RESIDENTS: FIELDS, ImportKind.HOUSEHOLDS: HOUSEHOLD_FIELDS}
_NEEDED = {ImportKind.RESIDENTS: frozenset({"name", "area_code"}), ImportKind.HOUSEHOLDS: frozenset({HOUSEHOLD})}


def check_import(spec: ImportSpec) -> None:
    """Raises InvalidArgument for a mapping that cannot be used, before anything is queued."""
    mapping = read_mapping(spec.mapping, allowed=_ALLOWED[spec.kind], path="import_spec.mapping")
    if missing := _NEEDED[spec.kind] - mapping.fields:
        raise InvalidArgument(
            f"A row needs {' and '.join(sorted(missing))}.", reason="FIELD_MISSING", field="import_spec.mapping"
        )

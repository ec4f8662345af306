"""The work of a feed: read a department's file, take its rows as its stream would be taken, write down how far it came.

Resumable: after every chunk the number of its last row is written down; rows that were taken and not written down are taken again, and
change nothing: records carry the job and their row, life events the id of what happened.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from population.department_feed import REFUSED_SHOWN, DepartmentFeed, FeedReport, Source
from population.domain.collection import FieldLedger
from population.domain.job import FeedKind, FeedSpec
from population.domain.life_event import LifeEvent
from population.feeds.rows import Rows, Told, mapping_of
from population.imports.mapping import RowError
from population.imports.reading import Batch, read
from population.jobs.desk import Desk
from population.jobs.refusals import Refusal, RefusedRows
from population.life_event_feed import LifeEventFeed, LifeEventFeedReport
from svckit.batch import BatchRepository
from svckit.documents import Form

CHUNK = REFUSED_SHOWN
"""Rows taken at once: a report tells no more refusals than that one by one."""
_COUNTED: Mapping[FeedKind, Sequence[str]] = {
    FeedKind.RECORDS: ("matched", "unmatched", "equal_fields", "new_fields", "different_fields"),
    FeedKind.LIFE_EVENTS: ("opened", "repeated_events"),
}
_DUPLICATES = frozenset({"ID_NUMBER_TWICE", "ROW_TWICE"})
Row = tuple[int, Mapping[str, str]]


class Feed:
    """One feed at its desk."""

    def __init__(self, desk: Desk, *, election_day: date | None) -> None:
        assert desk.job.feed_spec is not None
        self._desk = desk
        self._election_day = election_day
        self._spec: FeedSpec = desk.job.feed_spec
        self._mapping = mapping_of(self._spec.kind, self._spec.mapping)
        self._rows = Rows(self._spec.kind, self._mapping)
        self._refused = RefusedRows(desk)
        self._records = DepartmentFeed(
            residents=desk.database["residents"],
            ledgers=BatchRepository(desk.database["field_ledgers"], form=Form(FieldLedger, id_field="resident_id")),
            vault=desk.vault,
        )
        self._events = LifeEventFeed(
            residents=desk.database["residents"],
            events=BatchRepository(desk.database["life_events"], form=Form(LifeEvent, id_field="life_event_id")),
            vault=desk.vault,
        )

    def run(self) -> None:
        """Does it. Raises InvalidArgument for a file that cannot be read, Unavailable, Stopped."""
        desk = self._desk
        file, format, size = desk.open(self._spec.source)
        start = int(desk.checkpoint.get("row", 0))
        for batch in read(file=file, format=format, columns=list(self._mapping.columns)):
            for chunk in _chunks(batch):
                self._take([(number, row) for number, row in chunk if number > start or self._skipped(row, number)])
            self._tell_broken(batch, start)
            desk.say("reading", done=min(int(file.tell()), size) if not file.closed else size, total=size)
        self._refused.write()

    def _skipped(self, row: Mapping[str, str], number: int) -> bool:
        self._rows.skip(row, number)
        return False

    def _take(self, chunk: Sequence[Row]) -> None:
        if not chunk:
            return
        self._desk.check()
        told: list[tuple[int, Told]] = []
        refused: list[Refusal] = []
        for number, row in chunk:
            try:
                told.append((number, self._rows.read(row, number)))
            except RowError as error:
                refused.append((number, error.field, error.reason, error.message))
        report = self._taken(told)
        refused += [(one.row, one.field, one.reason, one.message) for one in report.refused]
        self._refused.keep(refused)
        self._count(len(chunk), refused, report)
        self._desk.keep(row=chunk[-1][0])

    def _taken(self, told: Sequence[tuple[int, Any]]) -> FeedReport | LifeEventFeedReport:
        job = self._desk.job
        if self._spec.kind is FeedKind.RECORDS:
            records = FeedReport(refused=[])
            source = Source(department=job.department, by=job.started_by, area=job.area_code, feed=job.job_id)
            self._records.take_chunk(told, source=source, report=records, dry_run=self._spec.dry_run)
            return records
        events = LifeEventFeedReport(refused=[])
        self._events.take_chunk(
            told,
            source=job.department,
            area=job.area_code,
            election_day=self._election_day,
            report=events,
            dry_run=self._spec.dry_run,
        )
        return events

    def _tell_broken(self, batch: Batch, start: int) -> None:
        broken: list[Refusal] = [
            (number, "", "ROW_BROKEN", "The row has another number of columns than the heading.")
            for number in batch.broken
            if number > max(start, int(self._desk.checkpoint.get("broken", 0)))
        ]
        if broken:
            self._refused.keep(broken)
            self._count(len(broken), broken, None)
            self._desk.keep(broken=broken[-1][0])

    def _count(self, read_rows: int, refused: Sequence[Refusal], report: msgspec.Struct | None) -> None:
        count = self._desk.count
        count("read", read_rows)
        for name in _COUNTED[self._spec.kind] if report is not None else ():
            count(name, getattr(report, name))
        count("refused", len(refused))
        count("duplicates", sum(reason in _DUPLICATES for _, _, reason, _ in refused))


def _chunks(batch: Batch) -> Sequence[Sequence[Row]]:
    rows = batch.rows()
    return list(iter(lambda: list(itertools.islice(rows, CHUNK)), []))

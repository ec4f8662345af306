"""Records of departments on their way into ledgers: the same steps whether they come by gRPC or out of a file.

`DepartmentFeed` is for workers and commands: it takes any iterator of records. The api has the same parts around an asynchronous
repository (`rpc.collection`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from pymongo.collection import Collection

from population.codes import checked_documents
from population.domain.collection import FieldLedger, FieldValue, Registered
from population.domain.resident import Resident
from population.id_documents import forms_of
from population.operations.collection import observe_record
from population.policies.collection import COLLECTED, check_value, normal_value
from population.vault import Vault
from svckit.batch import BatchRepository
from svckit.documents import Change, Command, Form, utc_now
from svckit.errors import ServiceError
from svckit.ids import new_id

CHUNK = 200
REFUSED_SHOWN = 100
_CONTENT = "department_record"
_DIGEST_DIGITS = 32
FIXED_BY_ID = frozenset({"sex", "birth_date"})
RESIDENT_FORM = Form(Resident, id_field="resident_id")
_LOADED = {"outbox": False, "commands": False, "created_by": False}


class DepartmentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A department's record of one person, in clear text."""

    id_number: str
    fields: tuple[FieldValue, ...]
    as_of: datetime | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was refused."""

    row: int
    field: str
    reason: str
    message: str


class FeedReport(msgspec.Struct, kw_only=True):
    """What became of a feed; `refused` are the first REFUSED_SHOWN."""

    received: int = 0
    matched: int = 0
    unmatched: int = 0
    equal_fields: int = 0
    new_fields: int = 0
    different_fields: int = 0
    refused_count: int = 0
    refused: list[Refused] = []

    def refuse(self, row: int, error: ServiceError) -> None:
        """Counts a refused record."""
        self.refused_count += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused.append(Refused(row=row, field=error.field, reason=error.reason, message=error.message))

    def settle(self, item: Matched, outcome: object) -> None:
        """Counts a record by what its ledger said to it; `outcome` is the error, if there was one."""
        if isinstance(outcome, ServiceError):
            self.refuse(item.row, outcome)
        else:
            self.matched += 1
            self._compare(item.registered, item.record.fields)

    def _compare(self, registered: Registered, fields: Iterable[FieldValue]) -> None:
        """Counts what a record says against what the register said when it came."""
        for one in fields:
            present = registered.values.get(one.field, "")
            if present == normal_value(field=one.field, value=one.value):
                self.equal_fields += 1
            elif present:
                self.different_fields += 1
            else:
                self.new_fields += 1


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """A record and the person it is about."""

    row: int
    record: DepartmentRecord
    registered: Registered


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Who feeds: `department` of department.csv, the subject, and the area they may act in. `feed` names the feed, for repeating it."""

    department: str
    by: str
    area: str
    feed: str


def registered_of(resident: Resident, vault: Vault) -> Registered:
    """Returns what the register has of a person, in clear text."""
    phone = vault.open(resident.phone.cipher, field="phone", owner=resident.resident_id) if resident.phone else ""
    values = {field: phone if field == "phone" else getattr(resident, field) for field in COLLECTED}
    checked = resident.id_number is not None and resident.id_doc_type in checked_documents()
    return Registered(
        resident_id=resident.resident_id,
        city=resident.city,
        area_code=resident.area_code,
        changed_at=resident.changed_at,
        values=values,
        fixed=FIXED_BY_ID if checked else frozenset(),
    )


def number_indexes(id_number: str, vault: Vault) -> list[bytes]:
    """Returns the blind indexes under which a number may be found now."""
    return [index for form in forms_of(id_number) for index in vault.indexes(form, field="id_number")]


def query_of(records: Sequence[tuple[int, DepartmentRecord]], *, source: Source, vault: Vault) -> dict[str, Any]:
    """Returns the search for the people a chunk is about, in the area of the source. Nobody goes and looks at who is not here."""
    indexes = [index for _, record in records for index in number_indexes(record.id_number, vault)]
    city = source.area[:4]
    return {**with_any_number(indexes), "standing": None, **({"city": city} if city else {})}


def with_any_number(indexes: Sequence[bytes]) -> dict[str, Any]:
    """Returns the search for people with one of these numbers on whichever of their documents."""
    numbers = {"$in": list(indexes)}
    return {"$or": [{"id_number.index": numbers}, {"documents.number.index": numbers}]}


def numbers_of(row: Mapping[str, Any]) -> Iterable[bytes]:
    """Returns the blind indexes of all numbers of a person."""
    sealed = (row.get("id_number"), *(document.get("number") for document in row.get("documents") or ()))
    return (number["index"] for number in sealed if number)


def judged(
    records: Sequence[tuple[int, DepartmentRecord]],
    *,
    rows: Iterable[Mapping[str, Any]],
    source: Source,
    vault: Vault,
    report: FeedReport,
    now: datetime,
) -> list[Matched]:
    """Returns the records of a chunk that say something sound about somebody known; counts the others in the report.

    Those that are returned count when they are settled (`FeedReport.settle`).
    """
    people = {index: row for row in rows if row["area_code"].startswith(source.area) for index in numbers_of(row)}
    found = []
    for row, record in records:
        report.received += 1
        person = next((people[index] for index in number_indexes(record.id_number, vault) if index in people), None)
        if person is None:
            report.unmatched += 1
            continue
        registered = registered_of(RESIDENT_FORM.state(person), vault)
        try:
            for one in record.fields:
                value = normal_value(field=one.field, value=one.value)
                check_value(field=one.field, value=value, registered=registered, now=now)
        except ServiceError as error:
            report.refuse(row, error)
            continue
        found.append(Matched(row=row, record=record, registered=registered))
    return found


def decision(item: Matched, *, source: Source, vault: Vault, now: datetime) -> Callable[[FieldLedger | None], Any]:
    """Returns the decision on the ledger of a record."""
    return partial(
        observe_record,
        registered=item.registered,
        fields=item.record.fields,
        source=source.department,
        by=source.by,
        as_of=min(item.record.as_of or now, now),
        check_id=new_id(),
        texts=vault,
        now=now,
    )


def command_for(item: Matched, *, source: Source, vault: Vault) -> Command:
    """Returns the command of a record: a feed that is repeated changes nothing, and other content under its name is refused.

    The digest of the content is keyed: what a department says of somebody could be guessed from a plain one.
    """
    content = msgspec.json.encode((source.by, item.record)).decode()
    digest = vault.index(content, field=_CONTENT).hex()[:_DIGEST_DIGITS]
    return Command(key=f"feed:{source.department}:{source.feed}#{item.row}", digest=digest)


class DepartmentFeed:
    """Takes records out of files; for workers and commands. `ledgers` is the repository of `field_ledgers`."""

    def __init__(self, *, residents: Collection[dict[str, Any]], ledgers: BatchRepository[FieldLedger], vault: Vault) -> None:
        self._residents = residents
        self._ledgers = ledgers
        self._vault = vault

    def take(
        self,
        records: Iterable[DepartmentRecord],
        *,
        source: Source,
        first_row: int = 0,
        report: FeedReport | None = None,
        progress: Callable[[FeedReport], None] = lambda report: None,
    ) -> FeedReport:
        """Takes all records, CHUNK at a time, and returns what became of them; `progress` hears of every chunk.

        Broken off and begun again with the same `source.feed` and `first_row`, nothing counts twice in the ledgers; a record that says
        something else of the same person than before is refused (REQUEST_ID_REUSED). Raises Unavailable when the database stays away.
        """
        report = report or FeedReport(refused=[])
        numbered = enumerate(records, first_row)
        while chunk := list(itertools.islice(numbered, CHUNK)):
            self.take_chunk(chunk, source=source, report=report)
            progress(report)
        return report

    def take_chunk(
        self,
        chunk: Sequence[tuple[int, DepartmentRecord]],
        *,
        source: Source,
        report: FeedReport,
        dry_run: bool = False,
    ) -> None:
        """Takes some records, each with its row, and adds what became of them to the report; a dry run writes nothing."""
        now = utc_now()
        rows = self._residents.find(query_of(chunk, source=source, vault=self._vault), _LOADED).to_list()
        found = judged(chunk, rows=rows, source=source, vault=self._vault, report=report, now=now)
        if dry_run:
            for item in found:
                report.settle(item, None)
            return
        changes = [
            Change(
                item.registered.resident_id,
                decision(item, source=source, vault=self._vault, now=now),
                command_for(item, source=source, vault=self._vault),
            )
            for item in found
        ]
        for item, outcome in zip(found, self._ledgers.apply(changes), strict=True):
            report.settle(item, outcome)

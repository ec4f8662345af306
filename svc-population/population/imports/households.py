"""The work of an import of households: who lives as a family, and who of them is the head.

A row names its household by the number it has in the file and says where it is, or who of the register belongs to it, or both; a form of
ODK brings the two in two files. The id of a household follows from that number: a second import finds the first, and changes nothing.
What the register has otherwise is never overwritten: such rows are refused. Every row is judged on what is stored as the rows before it
would leave it, and then carried out by the same decisions; so a dry run tells what an import will.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from population.department_feed import RESIDENT_FORM, number_indexes
from population.domain.household import Household
from population.domain.job import ImportSpec
from population.domain.resident import Resident
from population.imports.household_rows import HOUSEHOLD_FIELDS, HouseholdRow, read_row
from population.imports.mapping import RowError, read_mapping
from population.imports.reading import Batch, read
from population.jobs.desk import Desk
from population.jobs.refusals import Refusal, RefusedRows
from population.operations.households import join_household, say_household
from population.store.residents import HERE
from svckit.batch import BatchRepository
from svckit.documents import Change, Form
from svckit.errors import NotFound, ServiceError

CHUNK = 200
"""Rows taken at once."""
HOUSEHOLD_FORM = Form(Household, id_field="household_id")
_LOADED = {"outbox": False, "commands": False, "created_by": False}
_COUNTED = ("entered", "joined", "duplicates")
Row = tuple[int, Mapping[str, str]]
Read = tuple[int, HouseholdRow]


class HouseholdImport:
    """One import of households at its desk."""

    def __init__(self, desk: Desk) -> None:
        assert desk.job.import_spec is not None
        self._desk = desk
        self._spec: ImportSpec = desk.job.import_spec
        self._mapping = read_mapping(self._spec.mapping, allowed=HOUSEHOLD_FIELDS, path="import_spec.mapping")
        self._refused = RefusedRows(desk)
        self._families = Families(desk, dry_run=self._spec.dry_run)

    def run(self) -> None:
        """Does it. Raises InvalidArgument for a file that cannot be read, Unavailable, Stopped."""
        desk = self._desk
        file, format, size = desk.open(self._spec.source)
        start = int(desk.checkpoint.get("row", 0))
        with file:
            for batch in read(file=file, format=format, columns=list(self._mapping.columns)):
                self._take_batch(batch, start)
                desk.say("reading", done=min(int(file.tell()), size) if not file.closed else size, total=size)
        self._refused.write()

    def _take_batch(self, batch: Batch, start: int) -> None:
        rows = batch.rows()
        while chunk := list(itertools.islice(rows, CHUNK)):
            if self._spec.dry_run:
                # What comes next is judged on these, and they are nowhere else.
                self._families.take(self._read([row for row in chunk if row[0] <= start])[0])
            self._take([row for row in chunk if row[0] > start])
        self._tell_broken(batch, start)

    def _take(self, chunk: Sequence[Row]) -> None:
        if not chunk:
            return
        self._desk.check()
        good, refused = self._read(chunk)
        counted, objections = self._families.take(good)
        self._settle(len(chunk), [*refused, *objections], counted)
        self._desk.keep(row=chunk[-1][0])

    def _read(self, chunk: Sequence[Row]) -> tuple[list[Read], list[Refusal]]:
        good: list[Read] = []
        refused: list[Refusal] = []
        for number, row in chunk:
            try:
                values = self._mapping.values(row)
                good.append((number, read_row(values, area=self._desk.job.area_code, city=self._desk.job.city)))
            except RowError as error:
                refused.append((number, error.field, error.reason, error.message))
        return good, refused

    def _tell_broken(self, batch: Batch, start: int) -> None:
        message = "The row has another number of columns than the heading."
        told = max(start, int(self._desk.checkpoint.get("broken", 0)))
        broken: list[Refusal] = [(number, "", "ROW_BROKEN", message) for number in batch.broken if number > told]
        if broken:
            self._settle(len(broken), broken, {})
            self._desk.keep(broken=broken[-1][0])

    def _settle(self, rows: int, refused: Sequence[Refusal], counted: Mapping[str, int]) -> None:
        self._refused.keep(refused)
        for name, more in {"read": rows, **counted, "refused": len(refused)}.items():
            self._desk.count(name, more)


class Families:
    """Households and people as the register has them; in a dry run as the rows so far would leave them."""

    def __init__(self, desk: Desk, *, dry_run: bool) -> None:
        self._job = desk.job
        self._vault = desk.vault
        self._dry_run = dry_run
        self._households: BatchRepository[Household] = BatchRepository(desk.database["households"], form=HOUSEHOLD_FORM)
        self._residents: BatchRepository[Resident] = BatchRepository(desk.database["residents"], form=RESIDENT_FORM)
        self._known: dict[str, Household] = {}
        self._people: dict[str, Resident] = {}
        self._by_number: dict[str, str] = {}
        # A rehearsal writes nothing: what its rows would have left, in few words, for there may be millions.
        self._said: dict[str, tuple[str, ...]] = {}
        self._joined: dict[str, tuple[str, str]] = {}

    def take(self, rows: Sequence[Read]) -> tuple[dict[str, int], list[Refusal]]:
        """Judges rows in their order and, unless it is a dry run, carries them out; returns counts and refusals. Raises Unavailable."""
        self._load(rows)
        counted, refused, good = dict.fromkeys(_COUNTED, 0), list[Refusal](), list[Read]()
        for number, row in rows:
            try:
                for name in self._judge(row):
                    counted[name] += 1
                good.append((number, row))
            except ServiceError as error:
                refused.append((number, error.field, error.reason, error.message))
        if self._dry_run:
            self._keep_in_mind(good)
        else:
            refused += self._carry_out(good)
        return counted, refused

    def _keep_in_mind(self, rows: Sequence[Read]) -> None:
        for _, row in rows:
            said = self._known[row.household_id]
            self._said[row.household_id] = (said.area_code, said.house_id, said.match_flag, said.head_id)
            if person := self._person(row):
                self._joined[person.resident_id] = (person.household_id, person.household_relation)

    def _judge(self, row: HouseholdRow) -> Sequence[str]:
        """Takes a row into what is known, and says what it changed; raises why it cannot be, and then nothing has changed."""
        before = self._known.get(row.household_id)
        household, _ = self._say(row, before)
        person = self._person(row)
        if person is not None:
            joined, _ = self._join(row, person)
            self._people[person.resident_id] = joined
        self._known[row.household_id] = household
        changed = [("entered", before is None), ("joined", person is not None and joined is not person)]
        return [name for name, is_so in changed if is_so] or ["duplicates"]

    def _say(self, row: HouseholdRow, household: Household | None) -> Any:
        person = self._person(row)
        return say_household(
            household,
            household_id=row.household_id,
            draft=row.draft,
            member_id=person.resident_id if person else "",
            relation=row.relation,
            now=self._job.created_at,
        )

    def _join(self, row: HouseholdRow, person: Resident | None) -> Any:
        if person is None:
            raise _not_found(row)
        return join_household(person, household_id=row.household_id, relation=row.relation, now=self._job.created_at)

    def _person(self, row: HouseholdRow) -> Resident | None:
        """The member a row names, None where it names nobody. Raises NotFound (RESIDENT_NOT_FOUND), also outside the area of the job."""
        if not row.has_member:
            return None
        person = self._people.get(row.resident_id or self._by_number.get(row.id_number, ""))
        if person is None:
            raise _not_found(row)
        return person

    def _load(self, rows: Sequence[Read]) -> None:
        self._known, self._people, self._by_number = {}, {}, {}
        wanted = {row.household_id for _, row in rows}
        for found in self._households.collection.find({"_id": {"$in": list(wanted)}}, _LOADED):
            household = HOUSEHOLD_FORM.state(found)
            self._known[household.household_id] = household
        self._known |= {id: self._rehearsed(id) for id in wanted & self._said.keys()}
        numbers = {index: row.id_number for _, row in rows if row.id_number for index in self._indexes(row.id_number)}
        ids = [row.resident_id for _, row in rows if row.resident_id]
        either: list[dict[str, Any]] = [{"_id": {"$in": ids}}, {"id_number.index": {"$in": list(numbers)}}]
        for one in either if ids or numbers else ():
            for found in self._residents.collection.find({"city": self._job.city, **HERE, **one}, _LOADED):
                self._remember(RESIDENT_FORM.state(found), numbers)

    def _rehearsed(self, household_id: str) -> Household:
        area_code, house_id, match_flag, head_id = self._said[household_id]
        at = self._job.created_at
        return Household(
            household_id=household_id,
            city=self._job.city,
            area_code=area_code,
            house_id=house_id,
            match_flag=match_flag,
            head_id=head_id,
            created_at=at,
            changed_at=at,
        )

    def _remember(self, person: Resident, numbers: Mapping[bytes, str]) -> None:
        if not person.area_code.startswith(self._job.area_code):
            return
        if joined := self._joined.get(person.resident_id):
            person = replace(person, household_id=joined[0], household_relation=joined[1])
        self._people.setdefault(person.resident_id, person)
        if person.id_number and (number := numbers.get(bytes(person.id_number.index))):
            self._by_number[number] = person.resident_id

    def _indexes(self, number: str) -> list[bytes]:
        return [bytes(index) for index in number_indexes(number, self._vault)]

    def _carry_out(self, rows: Sequence[Read]) -> list[Refusal]:
        """Writes what was found good; what somebody else changed in this very moment may be refused yet."""
        said = self._households.apply([Change(row.household_id, partial(self._say, row)) for _, row in rows])
        refused = [
            _refusal(number, said) for (number, _), said in zip(rows, said, strict=True) if isinstance(said, ServiceError)
        ]
        there = {number for number, *_ in refused}
        joining = [(number, row, self._person(row)) for number, row in rows if row.has_member and number not in there]
        changes = [Change(person.resident_id, partial(self._join, row)) for _, row, person in joining if person]
        for (number, _, _), outcome in zip(joining, self._residents.apply(changes), strict=True):
            if isinstance(outcome, ServiceError):
                refused.append(_refusal(number, outcome))
        return refused


def _not_found(row: HouseholdRow) -> NotFound:
    field = "resident_id" if row.resident_id else "id_number"
    return NotFound("Nobody like this lives here: enter the person first.", reason="RESIDENT_NOT_FOUND", field=field)


def _refusal(number: int, error: ServiceError) -> Refusal:
    return number, error.field, error.reason, error.message

"""Life events on their way in: whom they concern, and the intake of events out of files and of the calendar (birthdays).

`LifeEventFeed` is for workers and commands; the api has the same parts around an asynchronous repository (`rpc.life_events`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec
from pymongo.collection import Collection as Rows

from population.department_feed import REFUSED_SHOWN, Refused, number_indexes, numbers_of, with_any_number
from population.domain.life_event import Consent, LifeEvent, LifeEventReport, Subject
from population.domain.standing import ResidentStatus
from population.operations import life_events as operations
from population.policies.life_events import (
    ENTITLING_AGES,
    births_of,
    check_department,
    check_report,
    reached_on,
)
from population.policies.requests import local_day
from population.store import is_lived_in, lives_in
from population.vault import Vault
from svckit.batch import BatchRepository, all_saved
from svckit.documents import Change, utc_now
from svckit.errors import ServiceError

CHUNK = 200
SYSTEM = "SYSTEM"
FOUND = dict.fromkeys(
    ("_id", "area_code", "id_number.index", "documents.number.index", "birth_date", "standing.status", "name", "residences"),
    True,
)


class LifeEventFeedReport(msgspec.Struct, kw_only=True):
    """What became of a feed."""

    received: int = 0
    opened: int = 0
    repeated_events: int = 0
    refused_count: int = 0
    refused: list[Refused] = []

    def refuse(self, row: int, error: ServiceError) -> None:
        """Counts a refused event."""
        self.refused_count += 1
        if len(self.refused) < REFUSED_SHOWN:
            self.refused.append(Refused(row=row, field=error.field, reason=error.reason, message=error.message))


def people_of(reports: Iterable[LifeEventReport], *, area: str, vault: Vault) -> dict[str, Any] | None:
    """Returns the search for the residents the reports are about, None when they name nobody."""
    reports = list(reports)
    ids = [report.resident_id for report in reports if report.resident_id]
    indexes = [index for report in reports if report.id_number for index in number_indexes(report.id_number, vault)]
    at_home = [{"name": report.contact_name, **lives_in(report.house_id)} for report in reports if is_at_home(report)]
    if not ids and not indexes and not at_home:
        return None
    city = {"city": area[:4]} if area else {}
    named = [{"_id": {"$in": ids}}, *(with_any_number(indexes)["$or"] if indexes else ()), *at_home]
    return {"$or": named, **city}


def is_at_home(report: LifeEventReport) -> bool:
    """Tells whether the person is named by name and home: rules that must do without the identity number."""
    return bool(report.contact_name and report.house_id)


def subject_of(report: LifeEventReport, *, rows: Iterable[Mapping[str, Any]], area: str, vault: Vault) -> Subject:
    """Returns whom an event concerns: somebody of the register, or whoever the report names, by a key that says nothing."""
    indexes = number_indexes(report.id_number, vault) if report.id_number else []
    for row in rows:
        status = (row.get("standing") or {}).get("status")
        # The numbers of an entry that was merged are those of the one that goes on.
        named = status != ResidentStatus.MERGED and not set(indexes).isdisjoint(numbers_of(row))
        if (row["_id"] == report.resident_id or named) and row["area_code"].startswith(area):
            whom = {"key": row["_id"], "area_code": row["area_code"], "resident_id": row["_id"]}
            return Subject(**whom, status=ResidentStatus(status) if status else None)
    alike = _at_home(report, rows, area) if is_at_home(report) else []
    # Two of one name in a house: whoever goes there asks; nobody guesses.
    if len(alike) == 1:
        return Subject(key=alike[0]["_id"], area_code=alike[0]["area_code"], resident_id=alike[0]["_id"])
    where = report.area_code if report.area_code.startswith(area) else ""
    if report.uscc or (report.house_id and not report.contact_name):
        return Subject(key=report.house_id or report.uscc, area_code=where)
    named = report.id_number.upper() or "|".join(filter(None, (report.contact_name, report.address, report.house_id)))
    return Subject(key=vault.index(named, field="life_event").hex(), area_code=where)


def _at_home(report: LifeEventReport, rows: Iterable[Mapping[str, Any]], area: str) -> list[Mapping[str, Any]]:
    """Those of the name who live in the house now."""
    return [
        row
        for row in rows
        if row.get("name") == report.contact_name
        and not row.get("standing")
        and row["area_code"].startswith(area)
        and any(home["house_id"] == report.house_id and is_lived_in(home) for home in row.get("residences") or ())
    ]


class LifeEventFeed:
    """Takes life events out of files, and birthdays out of the register; for workers and commands."""

    def __init__(self, *, residents: Rows[dict[str, Any]], events: BatchRepository[LifeEvent], vault: Vault) -> None:
        self._residents = residents
        self._events = events
        self._vault = vault

    def take(
        self,
        reports: Iterable[LifeEventReport],
        *,
        source: str,
        area: str,
        election_day: date | None = None,
        first_row: int = 0,
        report: LifeEventFeedReport | None = None,
        progress: Callable[[LifeEventFeedReport], None] = lambda report: None,
    ) -> LifeEventFeedReport:
        """Takes all reports of a department, CHUNK at a time; told again, nothing happens twice. Raises Unavailable."""
        outcome = report or LifeEventFeedReport(refused=[])
        numbered = enumerate(reports, first_row)
        while chunk := list(itertools.islice(numbered, CHUNK)):
            self.take_chunk(chunk, source=source, area=area, election_day=election_day, report=outcome)
            progress(outcome)
        return outcome

    def take_chunk(
        self,
        chunk: Sequence[tuple[int, LifeEventReport]],
        *,
        source: str,
        area: str,
        election_day: date | None,
        report: LifeEventFeedReport,
        dry_run: bool = False,
    ) -> None:
        """Takes some events, each with its row, and adds what became of them to the report; a dry run writes nothing."""
        query = people_of((one for _, one in chunk), area=area, vault=self._vault)
        rows = self._residents.find(query, FOUND).to_list() if query else []
        sound, subjects = self._sound(chunk, rows, source, area, report)
        if dry_run:
            self._rehearse(sound, subjects, source, election_day, report)
        else:
            self._save(sound, subjects, source, election_day, report)

    def _sound(
        self,
        chunk: Sequence[tuple[int, LifeEventReport]],
        rows: Sequence[Mapping[str, Any]],
        source: str,
        area: str,
        outcome: LifeEventFeedReport,
    ) -> tuple[list[tuple[int, LifeEventReport]], list[Subject]]:
        sound, subjects = [], []
        for row, one in chunk:
            outcome.received += 1
            try:
                check_department(check_report(one, today=local_day(utc_now())), source)
            except ServiceError as error:
                outcome.refuse(row, error)
                continue
            sound.append((row, one))
            subjects.append(subject_of(one, rows=rows, area=area, vault=self._vault))
        return sound, subjects

    def _rehearse(
        self,
        sound: Sequence[tuple[int, LifeEventReport]],
        subjects: Sequence[Subject],
        source: str,
        election_day: date | None,
        outcome: LifeEventFeedReport,
    ) -> None:
        """Says what `_save` would."""
        ids = [operations.life_event_id(one, subject) for (_, one), subject in zip(sound, subjects, strict=True)]
        known = {row["_id"] for row in self._events.collection.find({"_id": {"$in": ids}}, {"_id": True})}
        for (row, one), subject, id in zip(sound, subjects, ids, strict=True):
            if id in known:
                outcome.repeated_events += 1
                continue
            try:
                operations.receive(None, report=one, subject=subject, source=source, election_day=election_day, now=utc_now())
            except ServiceError as error:
                outcome.refuse(row, error)
            else:
                known.add(id)
                outcome.opened += 1

    def _save(
        self,
        sound: Sequence[tuple[int, LifeEventReport]],
        subjects: Sequence[Subject],
        source: str,
        election_day: date | None,
        outcome: LifeEventFeedReport,
    ) -> None:
        now = utc_now()
        changes = [
            Change(
                operations.life_event_id(one, subject),
                partial(operations.receive, report=one, subject=subject, source=source, election_day=election_day, now=now),
            )
            for (_, one), subject in zip(sound, subjects, strict=True)
        ]
        opened: set[str] = set()
        for (row, _), saved in zip(sound, self._events.apply(changes), strict=True):
            if isinstance(saved, ServiceError):
                outcome.refuse(row, saved)
            elif saved is not None and saved.received_at == now and saved.life_event_id not in opened:
                opened.add(saved.life_event_id)
                outcome.opened += 1
            else:
                outcome.repeated_events += 1


class Birthdays:
    """Birthdays that open something, out of the register: those of all days since the last run."""

    def __init__(
        self, *, residents: Rows[dict[str, Any]], events: BatchRepository[LifeEvent], election_day: date | None
    ) -> None:
        self._residents = residents
        self._events = events
        self._election_day = election_day

    def bring(self, days: frozenset[date], *, holding: Callable[[], bool] = lambda: True) -> int:
        """Makes the work of everybody who reached an entitling age on one of the days; returns how many.

        One sweep over the register answers for all days. `holding` is asked before every save: False ends the run, and the next
        begins it again. Raises Interrupted then.
        """
        ages = {
            born: (rule, age)
            for rule, all_ages in ENTITLING_AGES.items()
            if rule != "LE05" or self._voting(days)
            for age in all_ages
            for born in births_of(days, age)
        }
        if not ages:
            return 0
        query = {"birth_date": {"$in": sorted(ages)}, "standing": None}
        brought = 0
        with self._residents.find(query, FOUND, batch_size=CHUNK) as found:
            people = iter(found)
            while chunk := list(itertools.islice(people, CHUNK)):
                if not holding():
                    raise Interrupted
                brought += self._save(chunk, ages)
        return brought

    def _voting(self, days: frozenset[date]) -> bool:
        return self._election_day is not None and bool(days) and max(days) <= self._election_day

    def _save(self, people: Sequence[Mapping[str, Any]], ages: Mapping[str, tuple[str, int]]) -> int:
        now: datetime = utc_now()
        declined = self._declined([row["_id"] for row in people])
        changes = []
        for row in people:
            rule, age = ages[row["birth_date"]]
            if (row["_id"], rule) in declined:
                continue
            one = LifeEventReport(
                rule=rule,
                resident_id=row["_id"],
                occurred_on=reached_on(row["birth_date"], age),
                detail=str(age),
                consent=Consent.INFORMED,
            )
            subject = Subject(key=row["_id"], area_code=row["area_code"], resident_id=row["_id"])
            decide = partial(
                operations.receive, report=one, subject=subject, source=SYSTEM, election_day=self._election_day, now=now
            )
            changes.append(Change(operations.life_event_id(one, subject), decide))
        all_saved(self._events.apply(changes))
        return len(changes)

    def _declined(self, residents: Collection[str]) -> set[tuple[str, str]]:
        """Who took back consent to such visits before is left alone."""
        query = {"resident_id": {"$in": list(residents)}, "state": "withdrawn"}
        return {
            (row["resident_id"], row["rule"])
            for row in self._events.collection.find(query, {"resident_id": True, "rule": True})
        }


class Interrupted(Exception):
    """Another process took over."""

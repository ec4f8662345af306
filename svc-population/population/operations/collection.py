"""The verbs of dynamic collection. Pure but for the vault, which is given: sealed values are compared in clear text and kept sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec.structs import replace

from population.domain.collection import (
    GRID,
    REGISTER,
    ConflictChoice,
    FieldCheck,
    FieldCheckCompleted,
    FieldCheckOpened,
    FieldConflict,
    FieldConflictFound,
    FieldConflictResolved,
    FieldEdit,
    FieldEntry,
    FieldLedger,
    FieldOutcome,
    FieldsAccepted,
    FieldSource,
    FieldValue,
    Registered,
)
from population.domain.secret import Secret
from population.domain.verification import Attachment
from population.policies.collection import (
    CHECK_WITHIN,
    COLLECTED,
    OVERRIDDEN_KEPT,
    SEALED_FIELDS,
    check_complete,
    check_open,
    check_value,
    entry_of,
    has_yet_to_follow,
    normal_value,
    of_departments,
    saw,
)
from population.policies.requests import Actor, check_revision, when
from svckit.errors import FailedPrecondition, InvalidArgument

Event = FieldsAccepted | FieldCheckOpened | FieldCheckCompleted | FieldConflictFound | FieldConflictResolved
Done = tuple[FieldLedger, tuple[Event, ...]]


class Texts(Protocol):
    """Seals and opens values; `population.vault.Vault` is one."""

    def seal(self, value: str, *, field: str, owner: str) -> Secret: ...

    def open(self, cipher: bytes, *, field: str, owner: str) -> str: ...


class Reader:
    """Reads and writes the values of one person's ledger."""

    def __init__(self, texts: Texts, owner: str) -> None:
        self._texts = texts
        self._owner = owner

    def text(self, one: FieldSource, field: str) -> str:
        """Returns a value in clear text."""
        return self._texts.open(one.secret.cipher, field=field, owner=self._owner) if one.secret else one.value

    def sealed(self, value: str, field: str) -> dict[str, Any]:
        """Returns a value as a source keeps it."""
        if field in SEALED_FIELDS and value:
            return {"secret": self._texts.seal(value, field=field, owner=self._owner)}
        return {"value": value}

    def source(self, value: str, field: str, **known: Any) -> FieldSource:
        """Makes a source of a value in clear text."""
        return FieldSource(**self.sealed(value, field), **known)


def submit_fields(
    ledger: FieldLedger | None,
    *,
    registered: Registered,
    edits: Sequence[FieldEdit],
    by: Actor,
    observed_at: datetime | None,
    check_id: str,
    texts: Texts,
    now: datetime,
) -> Done:
    """Takes proposals of the grid: accepts, asks to verify, or notes a conflict, field by field (see `_judge`).

    Raises InvalidArgument (FIELD_UNKNOWN, FIELD_TWICE, value, time), FailedPrecondition (FIELD_FIXED_BY_ID).
    """
    edits = [replace(edit, value=normal_value(field=edit.field, value=edit.value)) for edit in edits]
    _check_values([FieldValue(field=edit.field, value=edit.value) for edit in edits], registered, now)
    at = when(happened_at=observed_at, opened_at=datetime.min.replace(tzinfo=now.tzinfo), by=by, now=now)
    reader = Reader(texts, registered.resident_id)
    state = _begun(ledger, registered, reader, now)
    entries, accepted, doubtful = dict(_by_field(state)), [], []
    events: list[Event] = []
    for edit in edits:
        mine = reader.source(edit.value, edit.field, source=GRID, by=by.subject, at=at)
        entry = _observed(entries[edit.field], mine)
        asked = state.check is not None and edit.field in state.check.fields
        outcome, sure = _judge(entry, edit, reader, asked=asked)
        if outcome is FieldOutcome.ACCEPTED:
            if reader.text(entry.accepted, edit.field) != edit.value:
                accepted.append(edit.field)
                entry = replace(entry, conflict=None)
            entry = _accept(entry, replace(mine, verified=sure or _still_verified(entry, edit.value, reader)), reader)
        elif outcome is FieldOutcome.TO_VERIFY:
            doubtful.append(edit.field)
        else:
            entry = replace(entry, conflict=_conflict(entry, mine, edit, reader, now))
            events.append(_found(registered, edit.field, by, now))
        entries[edit.field] = entry
    state = _kept(state, entries, now)
    if accepted:
        verified = all(entries[field].accepted.verified for field in accepted)
        events.insert(0, _told(state, accepted, source=GRID, by=by.subject, verified=verified, now=now))
    return _with_check(state, doubtful, check_id, events, now)


def observe_record(
    ledger: FieldLedger | None,
    *,
    registered: Registered,
    fields: Sequence[FieldValue],
    source: str,
    by: str,
    as_of: datetime,
    check_id: str,
    texts: Texts,
    now: datetime,
) -> Done:
    """Takes what a department has of a person: new to the register it is accepted, different it makes an order to go and look.

    A value somebody went for and found wrong stays refuted until the department says another. Raises as `submit_fields`.
    """
    fields = [replace(one, value=normal_value(field=one.field, value=one.value)) for one in fields]
    _check_values(fields, registered, now)
    reader = Reader(texts, registered.resident_id)
    state = _begun(ledger, registered, reader, now)
    entries, accepted, doubtful = dict(_by_field(state)), [], []
    for given in fields:
        entry = entries[given.field]
        theirs = reader.source(given.value, given.field, source=source, by=by, at=as_of)
        if _refuted_before(entry, theirs, given.field, reader):
            theirs = replace(theirs, refuted=True)
        entry = _observed(entry, theirs)
        present = reader.text(entry.accepted, given.field)
        if present == given.value:
            agreed = entry.accepted.verified or entry.accepted.source != source
            entry = replace(entry, accepted=replace(entry.accepted, verified=agreed))
        elif not present:
            entry = _accept(entry, theirs, reader)
            accepted.append(given.field)
        elif not theirs.refuted:
            doubtful.append(given.field)
        entries[given.field] = entry
    state = _kept(state, entries, now)
    events = [_told(state, accepted, source=source, by=by, verified=False, now=now)] if accepted else []
    return _with_check(state, doubtful, check_id, events, now)


def complete_check(
    ledger: FieldLedger,
    *,
    registered: Registered,
    check_id: str,
    found: Sequence[FieldValue],
    declined: Sequence[str],
    evidence: tuple[Attachment, ...],
    revision: int,
    by: Actor,
    happened_at: datetime | None,
    texts: Texts,
    now: datetime,
) -> Done:
    """Takes what was found on going and looking; it counts, verified, and whoever said otherwise is refuted.

    Raises FailedPrecondition (CHECK_OVER, REVISION_CHANGED), InvalidArgument (FIELD_NOT_ASKED, FIELD_MISSING, value, time).
    """
    check = check_open(ledger, check_id)
    check_revision(revision, ledger.revision)
    check_complete(check, found=frozenset(one.field for one in found), declined=frozenset(declined))
    found = [replace(one, value=normal_value(field=one.field, value=one.value)) for one in found]
    _check_values(found, registered, now)
    at = when(happened_at=happened_at, opened_at=check.opened_at, by=by, now=now)
    reader = Reader(texts, ledger.resident_id)
    entries, corrected = dict(_by_field(ledger)), []
    for one in found:
        looked = reader.source(one.value, one.field, source=GRID, by=by.subject, at=at, verified=True, evidence=evidence)
        entry = _settled(_observed(entries[one.field], looked), one.value, reader)
        if reader.text(entry.accepted, one.field) != one.value:
            corrected.append(one.field)
        entries[one.field] = replace(_accept(entry, looked, reader), conflict=None)
    state = _kept(replace(ledger, check=None, check_due_at=None), entries, now)
    done = FieldCheckCompleted(
        check_id=check_id,
        resident_id=ledger.resident_id,
        area_code=ledger.area_code,
        confirmed=len(found) - len(corrected),
        corrected=len(corrected),
        declined=len(declined),
        by=by.subject,
        at=at,
        on_time=at <= check.due_at,
    )
    told = (_told(state, corrected, source=GRID, by=by.subject, verified=True, now=now),) if corrected else ()
    return state, (done, *told)


def resolve_conflict(
    ledger: FieldLedger,
    *,
    field: str,
    choice: ConflictChoice,
    revision: int,
    by: Actor,
    check_id: str,
    texts: Texts,
    now: datetime,
) -> Done:
    """Decides between two edits. Raises NotFound, FailedPrecondition (CONFLICT_OVER, REVISION_CHANGED)."""
    check_revision(revision, ledger.revision)
    entry = entry_of(ledger, field)
    if entry.conflict is None:
        raise FailedPrecondition("This conflict was decided before.", reason="CONFLICT_OVER")
    reader, late = Reader(texts, ledger.resident_id), entry.conflict.late
    decided = replace(entry, conflict=None)
    if choice is ConflictChoice.REPLACE:
        decided = _accept(decided, late, reader)
    elif choice is ConflictChoice.KEEP:
        decided = replace(decided, overridden=_push(decided.overridden, late))
    state = _kept(ledger, {**_by_field(ledger), field: decided}, now)
    events: list[Event] = [
        FieldConflictResolved(
            resident_id=state.resident_id, area_code=state.area_code, field=field, choice=choice, by=by.subject, at=now
        )
    ]
    if choice is ConflictChoice.REPLACE:
        events.append(_told(state, [field], source=late.source, by=late.by, verified=False, now=now))
    return _with_check(state, [field] if choice is ConflictChoice.VERIFY else [], check_id, events, now)


def begin_ledger(*, registered: Registered, texts: Texts, now: datetime) -> FieldLedger:
    """Returns the ledger of somebody of whom nobody said anything yet."""
    return _begun(None, registered, Reader(texts, registered.resident_id), now)


def note_correction(ledger: FieldLedger, *, registered: Registered, by: str, texts: Texts, now: datetime) -> Done:
    """Takes what somebody just corrected in the register, with who it was."""
    return _begun(ledger, registered, Reader(texts, registered.resident_id), now, by=by), ()


def outcome_of(ledger: FieldLedger, edit: FieldEdit) -> FieldOutcome:
    """Returns what became of a proposal, as the ledger stands."""
    if ledger.check and edit.field in ledger.check.fields:
        return FieldOutcome.TO_VERIFY
    return FieldOutcome.CONFLICT if entry_of(ledger, edit.field).conflict else FieldOutcome.ACCEPTED


# ------------------------------------------------------------------------------------------------- parts


def _check_values(values: Sequence[FieldValue], registered: Registered, now: datetime) -> None:
    if len({one.field for one in values}) < len(values):
        raise InvalidArgument("A field is named twice.", reason="FIELD_TWICE", field="fields")
    for one in values:
        check_value(field=one.field, value=one.value, registered=registered, now=now)


def _judge(entry: FieldEntry, edit: FieldEdit, reader: Reader, *, asked: bool) -> tuple[FieldOutcome, bool]:
    """Returns what becomes of a proposal, and whether a department agrees with it.

    While somebody is asked to look, or two edits wait for a decision, a third value is one more reason to look.
    """
    present = reader.text(entry.accepted, edit.field)
    theirs = [reader.text(one, edit.field) for one in of_departments(entry)]
    if any(value != edit.value for value in theirs) or (asked and edit.value != present):
        return FieldOutcome.TO_VERIFY, False
    if theirs or present == edit.value:
        return FieldOutcome.ACCEPTED, bool(theirs)
    if entry.conflict:
        return FieldOutcome.TO_VERIFY, False
    if present and not saw(edit.seen, present):
        return FieldOutcome.CONFLICT, False
    return (FieldOutcome.TO_VERIFY if entry.accepted.verified else FieldOutcome.ACCEPTED), False


def _still_verified(entry: FieldEntry, value: str, reader: Reader) -> bool:
    return entry.accepted.verified and reader.text(entry.accepted, entry.field) == value


def _conflict(entry: FieldEntry, late: FieldSource, edit: FieldEdit, reader: Reader, now: datetime) -> FieldConflict:
    kept = reader.sealed(edit.seen, edit.field)
    seen = {"seen": kept.get("value", ""), "seen_secret": kept.get("secret")}
    return FieldConflict(present=entry.accepted, late=late, noticed_at=now, **seen)


def _found(registered: Registered, field: str, by: Actor, now: datetime) -> FieldConflictFound:
    return FieldConflictFound(
        resident_id=registered.resident_id, area_code=registered.area_code, field=field, by=by.subject, at=now
    )


def _by_field(ledger: FieldLedger) -> dict[str, FieldEntry]:
    return {entry.field: entry for entry in ledger.entries}


def _begun(ledger: FieldLedger | None, registered: Registered, reader: Reader, now: datetime, *, by: str = "") -> FieldLedger:
    """The ledger as it stands against the register: what was changed there by other ways meanwhile counts, `by` whom if known."""
    known = _by_field(ledger) if ledger else {}
    entries = []
    for field in COLLECTED:
        value = registered.values.get(field, "")
        there = reader.source(value, field, source=REGISTER, at=registered.changed_at, by=by)
        entry = known.get(field) or FieldEntry(field=field, accepted=there)
        newer = registered.changed_at > entry.accepted.at and reader.text(entry.accepted, field) != value
        before = [reader.text(one, field) for one in entry.overridden] if newer else []
        if newer and (by or not has_yet_to_follow(registered, ledger=ledger, value=value, before=before)):
            entry = _accept(entry, there, reader)
        entries.append(entry)
    fresh = FieldLedger(
        resident_id=registered.resident_id, city=registered.city, area_code=registered.area_code, changed_at=now
    )
    return replace(ledger or fresh, city=registered.city, area_code=registered.area_code, entries=tuple(entries))


def _observed(entry: FieldEntry, one: FieldSource) -> FieldEntry:
    others = tuple(other for other in entry.observations if other.source != one.source)
    return replace(entry, observations=(*others, one))


def _refuted_before(entry: FieldEntry, theirs: FieldSource, field: str, reader: Reader) -> bool:
    value = reader.text(theirs, field)
    return any(one.refuted and one.source == theirs.source and reader.text(one, field) == value for one in entry.observations)


def _settled(entry: FieldEntry, value: str, reader: Reader) -> FieldEntry:
    judged = tuple(replace(one, refuted=reader.text(one, entry.field) != value) for one in entry.observations)
    return replace(entry, observations=judged)


def _accept(entry: FieldEntry, one: FieldSource, reader: Reader) -> FieldEntry:
    """The value counts from now on; who said otherwise before stays visible."""
    if reader.text(entry.accepted, entry.field) in ("", reader.text(one, entry.field)):
        return replace(entry, accepted=one)
    return replace(entry, accepted=one, overridden=_push(entry.overridden, entry.accepted))


def _push(overridden: tuple[FieldSource, ...], one: FieldSource) -> tuple[FieldSource, ...]:
    return (one, *overridden)[:OVERRIDDEN_KEPT]


def _kept(ledger: FieldLedger, entries: dict[str, FieldEntry], now: datetime) -> FieldLedger:
    kept = tuple(entries.values())
    return replace(ledger, entries=kept, conflicts=sum(entry.conflict is not None for entry in kept), changed_at=now)


def _told(ledger: FieldLedger, fields: Iterable[str], *, source: str, by: str, verified: bool, now: datetime) -> FieldsAccepted:
    return FieldsAccepted(
        resident_id=ledger.resident_id,
        area_code=ledger.area_code,
        fields=tuple(fields),
        source=source,
        by=by,
        at=now,
        verified=verified,
    )


def _with_check(ledger: FieldLedger, doubtful: Sequence[str], check_id: str, events: Sequence[Event], now: datetime) -> Done:
    """Opens an order to go and look, or adds the fields to the open one: one visit for all."""
    asked = ledger.check.fields if ledger.check else ()
    new = [field for field in doubtful if field not in asked]
    if not new:
        return ledger, tuple(events)
    fields = (*asked, *new)
    sources = sorted({one.source for field in fields for one in entry_of(ledger, field).observations if not one.refuted})
    if ledger.check:
        return replace(ledger, check=replace(ledger.check, fields=fields, sources=tuple(sources))), tuple(events)
    check = FieldCheck(check_id=check_id, fields=fields, sources=tuple(sources), opened_at=now, due_at=now + CHECK_WITHIN)
    opened = FieldCheckOpened(
        check_id=check_id,
        resident_id=ledger.resident_id,
        area_code=ledger.area_code,
        fields=fields,
        sources=check.sources,
        due_at=check.due_at,
        at=now,
    )
    return replace(ledger, check=check, check_due_at=check.due_at), (*events, opened)

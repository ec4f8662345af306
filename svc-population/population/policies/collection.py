"""The rules of dynamic collection: which fields may be proposed, what their values may be, which sources count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from population.codes import codes_of
from population.domain.collection import FieldCheck, FieldEntry, FieldLedger, FieldSource, Registered
from population.names import plain_name
from population.phones import normal_phone
from population.policies.requests import Actor, local_day, read_day
from population.privacy.screening import check_text
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

CHECK_WITHIN = timedelta(days=7)
"""How long the grid has to go and look (indicator AS102: updated within 7 days)."""
OVERRIDDEN_KEPT = 10
SEALED_FIELDS = frozenset({"phone"})


def _name(value: str, _now: datetime) -> None:
    if not 1 <= len(value) <= 50:
        raise InvalidArgument("A name has 1 to 50 characters.", reason="VALUE_INVALID", field="name")
    check_text(value, field="name")


def _latin(value: str, _now: datetime) -> None:
    if len(value) > 100 or not value.isascii():
        raise InvalidArgument("Latin letters, at most 100.", reason="VALUE_INVALID", field="name_latin")
    check_text(value, field="name_latin")


def _birth_date(value: str, now: datetime) -> None:
    if value and read_day(value, field="birth_date") > local_day(now):
        raise InvalidArgument("The birth date lies in the future.", reason="IN_THE_FUTURE", field="birth_date")


def _phone(value: str, _now: datetime) -> None:
    if value:
        normal_phone(value)


def _coded(table: str, field: str, *, optional: bool) -> Callable[[str, datetime], None]:
    def check(value: str, _now: datetime) -> None:
        if (value or not optional) and value not in codes_of(table):
            raise InvalidArgument(f"This is not a code of {table}.", reason="CODE_UNKNOWN", field=field)

    return check


COLLECTED: Mapping[str, Callable[[str, datetime], None]] = {
    "name": _name,
    "name_latin": _latin,
    "sex": _coded("sex", "sex", optional=False),
    "birth_date": _birth_date,
    "phone": _phone,
    "resident_type": _coded("resident_type", "resident_type", optional=False),
    "household_relation": _coded("household_relation", "household_relation", optional=True),
}
"""Fields that may be proposed, and what checks a value. Nothing that is excluded or asked for with consent only is among them."""


CORRECTORS = frozenset({"DATA_STEWARD", "IMPORTER"})
"""Who may change collected fields in the register itself; everybody else proposes them, so that sources are held against each other."""


def check_corrector(by: Actor, fields: Iterable[str]) -> None:
    """Raises PermissionDenied (SUBMIT_FIELDS), naming the field, for collected fields among those somebody wants to change."""
    if by.roles & CORRECTORS:
        return
    if collected := sorted(set(fields) & COLLECTED.keys()):
        raise PermissionDenied(
            f"What is said about {collected[0]} is submitted (SubmitFields), so that it is held against what others say.",
            reason="SUBMIT_FIELDS",
            metadata={"field": collected[0]},
        )


def normal_value(*, field: str, value: str) -> str:
    """Returns a value in the form in which the register keeps it. Raises InvalidArgument (PHONE_INVALID)."""
    if field in ("name", "name_latin"):
        return plain_name(value)
    return normal_phone(value) if field == "phone" and value else value.strip()


def check_value(*, field: str, value: str, registered: Registered, now: datetime) -> None:
    """Raises InvalidArgument (FIELD_UNKNOWN, VALUE_INVALID, CODE_UNKNOWN …), FailedPrecondition (FIELD_FIXED_BY_ID)."""
    if field not in COLLECTED:
        raise InvalidArgument("This field cannot be collected.", reason="FIELD_UNKNOWN", field=field)
    COLLECTED[field](value, now)
    if field in registered.fixed and value != registered.values.get(field, ""):
        raise FailedPrecondition(
            "It follows from the identity number; correct that one.", reason="FIELD_FIXED_BY_ID", metadata={"field": field}
        )


def saw(seen: str, value: str) -> bool:
    """Tells whether an editor who saw `seen` saw this value; masked characters (*) stand for any."""
    if seen == value or (seen == "***" and value):
        return True
    return len(seen) == len(value) and all(a in (b, "*") for a, b in zip(seen, value, strict=True))


def has_yet_to_follow(registered: Registered, *, ledger: FieldLedger | None, value: str, before: Iterable[str]) -> bool:
    """Tells whether the register still has a value that was overridden in the ledger: nothing changed there since they were compared."""
    return ledger is not None and registered.changed_at <= ledger.changed_at and value in ("", *before)


def entry_of(ledger: FieldLedger, field: str) -> FieldEntry:
    """Returns the entry of a field. Raises NotFound (FIELD_NOT_FOUND)."""
    for entry in ledger.entries:
        if entry.field == field:
            return entry
    raise NotFound("Nothing was said about this field yet.", reason="FIELD_NOT_FOUND")


def check_open(ledger: FieldLedger, check_id: str) -> FieldCheck:
    """Returns the open check. Raises FailedPrecondition (CHECK_OVER)."""
    if ledger.check is None or ledger.check.check_id != check_id:
        raise FailedPrecondition("This order was done before.", reason="CHECK_OVER")
    return ledger.check


def check_complete(check: FieldCheck, *, found: frozenset[str], declined: frozenset[str]) -> None:
    """Raises InvalidArgument (FIELD_NOT_ASKED, FIELD_MISSING, FIELD_TWICE): each field of the check is answered, once."""
    asked = frozenset(check.fields)
    if extra := sorted((found | declined) - asked):
        raise InvalidArgument(f"{extra[0]} was not asked for.", reason="FIELD_NOT_ASKED", field="found")
    if missing := sorted(asked - found - declined):
        raise InvalidArgument(f"Nothing is said about {missing[0]}.", reason="FIELD_MISSING", field="found")
    if found & declined:
        raise InvalidArgument("A field is either found or declined.", reason="FIELD_TWICE", field="declined")


def of_departments(entry: FieldEntry) -> tuple[FieldSource, ...]:
    """Returns the values departments have that were not refuted by going and looking."""
    return tuple(one for one in entry.observations if one.source not in ("GRID", "REGISTER") and not one.refuted)

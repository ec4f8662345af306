"""The rules of population: each `check_*` raises with a reason people understand, and never repeats personal data."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta, timezone
from typing import Protocol

from population.codes import checked_documents, codes_of
from population.domain import (
    HouseholdDraft,
    Residence,
    Resident,
    ResidentDraft,
    VerificationOrder,
    VerificationState,
)
from population.identity import Identity, WrongIdNumber, normal_form, read_id_number
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied

CITY_DIGITS = 4
CHINA_TIME = timezone(timedelta(hours=8))
# Clocks of phones are not exact; what lies further ahead is a mistake.
CLOCK_TOLERANCE = timedelta(minutes=5)
# As long as svc-mediation waits for reports written offline: who could name an earlier time could beat every clock.
OFFLINE_ALLOWANCE = timedelta(days=7)

NO_DOCUMENT = "999"
SEX_NOT_STATED = "9"
SEX_UNKNOWN = "0"
NOT_VERIFIED = "09"
# Below this, a count says too much about somebody (purpose P08: k >= 10).
SMALLEST_COUNT = 10

# Category of the case → departments whose tasks a grid worker answers by going and checking.
ORDERED_BY: dict[str, frozenset[str]] = {
    "L": frozenset({"COMM", "CIVIL", "HEALTH"}),
    "E": frozenset({"COMM"}),
}
DEPARTMENTS = frozenset().union(*ORDERED_BY.values())
ORDER_TRANSITIONS: dict[str, tuple[frozenset[VerificationState | None], VerificationState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "open": (frozenset({None}), VerificationState.OPEN),
    "complete": (frozenset({VerificationState.OPEN}), VerificationState.COMPLETED),
    "reopen": (frozenset({VerificationState.COMPLETED, VerificationState.CANCELLED}), VerificationState.OPEN),
    "cancel": (frozenset({VerificationState.OPEN}), VerificationState.CANCELLED),
}


class Actor(Protocol):
    """Who acts; `svckit.access.Caller` is one."""

    @property
    def subject(self) -> str:
        """Subject of the token."""

    @property
    def roles(self) -> frozenset[str]:
        """Codes of grid_role.csv, IMPORTER, SERVICE."""

    @property
    def department(self) -> str:
        """Department the actor acts for, "" for none."""


# ------------------------------------------------------------------------------------------------- residents


def local_day(now: datetime) -> date:
    """Returns the calendar day in China."""
    return now.astimezone(CHINA_TIME).date()


def check_resident_codes(*, resident_type: str, household_relation: str) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a code no table has."""
    check_code(resident_type, table="resident_type", field="resident_type")
    if household_relation:
        check_code(household_relation, table="household_relation", field="household_relation")


def check_household_draft(draft: HouseholdDraft) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a match flag no table has."""
    if draft.match_flag:
        check_code(draft.match_flag, table="household_match_flag", field="match_flag")


def identity_of(draft: ResidentDraft, *, today: date) -> Identity:
    """Returns birth date and sex, from the identity number where it says them.

    Raises InvalidArgument: a number without its kind or a kind without its number, a wrong number, a birth date or sex that
    contradicts the number or cannot be.
    """
    kind = draft.id_doc_type or NO_DOCUMENT
    check_code(kind, table="id_doc_type", field="id_doc_type")
    _check_document(kind, draft.id_number)
    if kind in checked_documents():
        return _agreed(draft, _read(draft.id_number, today=today))
    _check_birth_date(draft.birth_date, today=today)
    return Identity(birth_date=draft.birth_date, sex=draft.sex or SEX_NOT_STATED)


def check_code(code: str, *, table: str, field: str) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) unless the table has the code."""
    if code not in codes_of(table):
        raise InvalidArgument(f"{code!r} is not a code of {table}.", reason="CODE_UNKNOWN", field=field)


def _check_document(kind: str, number: str) -> None:
    if kind == NO_DOCUMENT and number:
        raise InvalidArgument("Say what kind of document the number is of.", reason="ID_DOC_TYPE_MISSING", field="id_doc_type")
    if kind != NO_DOCUMENT and not number:
        raise InvalidArgument("The number of the document is missing.", reason="ID_NUMBER_MISSING", field="id_number")


def _read(number: str, *, today: date) -> Identity:
    try:
        return read_id_number(normal_form(number), today=today)
    except WrongIdNumber as error:
        raise InvalidArgument(
            f"This is not an identity number: {error}.", reason="ID_NUMBER_INVALID", field="id_number"
        ) from error


def _agreed(draft: ResidentDraft, identity: Identity) -> Identity:
    if draft.birth_date not in ("", identity.birth_date):
        raise InvalidArgument(
            "The birth date contradicts the identity number.", reason="BIRTH_DATE_CONTRADICTS", field="birth_date"
        )
    if draft.sex not in ("", SEX_UNKNOWN, SEX_NOT_STATED, identity.sex):
        raise InvalidArgument("The sex contradicts the identity number.", reason="SEX_CONTRADICTS", field="sex")
    return identity


def _check_birth_date(text: str, *, today: date) -> None:
    if text and read_day(text, field="birth_date") > today:
        raise InvalidArgument("The birth date lies in the future.", reason="IN_THE_FUTURE", field="birth_date")


def read_day(text: str, *, field: str) -> date:
    """Reads YYYY-MM-DD. Raises InvalidArgument (DATE_INVALID) for a day that does not exist."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidArgument("This day does not exist.", reason="DATE_INVALID", field=field) from error


def check_lives_elsewhere(resident: Resident, house_id: str) -> None:
    """Raises FailedPrecondition (ALREADY_LIVES_THERE) when a residence in that house lasts."""
    if any(residence.house_id == house_id and not residence.until for residence in resident.residences):
        raise FailedPrecondition("The person lives in this house already.", reason="ALREADY_LIVES_THERE")


def residence_of(resident: Resident, residence_id: str) -> Residence:
    """Returns one residence. Raises NotFound (RESIDENCE_NOT_FOUND)."""
    for residence in resident.residences:
        if residence.residence_id == residence_id:
            return residence
    raise NotFound("The person has no such residence.", reason="RESIDENCE_NOT_FOUND")


def check_can_end(residence: Residence, *, until: str) -> None:
    """Raises FailedPrecondition (RESIDENCE_ENDED) or InvalidArgument (ENDS_BEFORE_START)."""
    if residence.until:
        raise FailedPrecondition("This residence ended before.", reason="RESIDENCE_ENDED")
    if until < residence.since:
        raise InvalidArgument("A residence ends after it began.", reason="ENDS_BEFORE_START", field="until")


# ------------------------------------------------------------------------------------------------- verification orders


def asks_for_verification(*, category: str, department: str) -> bool:
    """Tells whether a grid worker answers this task by going and checking."""
    return department in ORDERED_BY.get(category[:1], ())


def check_transition(order: VerificationOrder, verb: str) -> VerificationState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE) when it cannot start here."""
    sources, target = ORDER_TRANSITIONS[verb]
    if order.state not in sources:
        raise FailedPrecondition(
            f"A verification order that is {order.state} cannot {verb}.",
            reason="WRONG_STATE",
            metadata={"state": order.state},
        )
    return target


def check_department(by: Actor, department: str) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT): a caller with a department acts for that one only."""
    if by.department and by.department != department:
        raise PermissionDenied(
            "This belongs to another department.", reason="OTHER_DEPARTMENT", metadata={"department": department}
        )


# ------------------------------------------------------------------------------------------------- of everything


def check_mask(fields: Collection[str], *, allowed: Collection[str]) -> None:
    """Raises InvalidArgument for an empty mask or a path that may not be changed."""
    wrong = sorted(set(fields) - set(allowed))
    if wrong or not fields:
        raise InvalidArgument(
            f"These fields can be changed: {', '.join(allowed)}.", reason="FIELD_NOT_CHANGEABLE", field="update_mask"
        )


def check_revision(seen: int, actual: int) -> None:
    """Raises FailedPrecondition (REVISION_CHANGED) unless `seen` is 0 or the present revision."""
    if seen not in (0, actual):
        raise FailedPrecondition(
            "It was changed meanwhile; read it again.", reason="REVISION_CHANGED", metadata={"revision": str(actual)}
        )


def when(*, happened_at: datetime | None, opened_at: datetime, by: Actor, now: datetime) -> datetime:
    """Returns the time something counts as done: `happened_at` if given, never before it was asked for.

    An import may name any past time, others one of the last 7 days. Raises InvalidArgument (IN_THE_FUTURE, TOO_OLD).
    """
    if happened_at is None:
        return now
    if happened_at > now + CLOCK_TOLERANCE:
        raise InvalidArgument("It cannot have happened in the future.", reason="IN_THE_FUTURE", field="happened_at")
    if happened_at < now - OFFLINE_ALLOWANCE and "IMPORTER" not in by.roles:
        raise InvalidArgument("This may be at most 7 days ago.", reason="TOO_OLD", field="happened_at")
    return max(opened_at, min(happened_at, now))

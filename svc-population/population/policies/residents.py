"""The rules of residents."""

from __future__ import annotations

from datetime import date

from population.codes import checked_documents
from population.domain.resident import ResidentDraft
from population.identity import Identity, WrongIdNumber, normal_form, read_id_number
from population.policies.codes import check_code
from population.policies.requests import read_day
from svckit.errors import InvalidArgument

NO_DOCUMENT = "999"


SEX_NOT_STATED = "9"


SEX_UNKNOWN = "0"


NOT_VERIFIED = "09"


# Below this, a count says too much about somebody (purpose P08: k >= 10).
SMALLEST_COUNT = 10


def check_resident_codes(*, resident_type: str, household_relation: str) -> None:
    """Raises InvalidArgument (CODE_UNKNOWN) for a code no table has."""
    check_code(resident_type, table="resident_type", field="resident_type")
    if household_relation:
        check_code(household_relation, table="household_relation", field="household_relation")


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

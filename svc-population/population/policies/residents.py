"""The rules of residents."""

from __future__ import annotations

from datetime import date

from population.domain.resident import Resident, ResidentDraft
from population.id_documents import OVERSEAS, Identity, WrongIdNumber, normal_number, read_document
from population.policies.codes import check_code
from population.policies.requests import read_day
from svckit.errors import FailedPrecondition, InvalidArgument

NO_DOCUMENT = "999"
SEX_NOT_STATED = "9"
SEX_UNKNOWN = "0"
NOT_VERIFIED = "09"
FROM_OVERSEAS = "05"
# A person has a handful of documents; more are a mistake.
MOST_DOCUMENTS = 12
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
    if kind != NO_DOCUMENT:
        said = read_number(kind, draft.id_number, today=today)
        if said.birth_date:
            return _agreed(said, birth_date=draft.birth_date, sex=draft.sex)
    _check_birth_date(draft.birth_date, today=today)
    return Identity(birth_date=draft.birth_date, sex=draft.sex or SEX_NOT_STATED)


def first_type(draft: ResidentDraft) -> str:
    """Returns the kind of resident of a new entry: as given, else 05 for whoever shows a document of people from overseas, else 09."""
    return draft.resident_type or (FROM_OVERSEAS if draft.id_doc_type in OVERSEAS else NOT_VERIFIED)


def check_fits(resident: Resident, *, kind: str, number: str, today: date) -> Identity:
    """Returns birth date and sex of a resident who shows one more document. Raises InvalidArgument when it contradicts what is known."""
    check_code(kind, table="id_doc_type", field="id_doc_type")
    _check_document(kind, number)
    if kind == NO_DOCUMENT:
        raise InvalidArgument("Say what kind of document it is.", reason="ID_DOC_TYPE_MISSING", field="id_doc_type")
    said = read_number(kind, number, today=today)
    if not said.birth_date:
        return Identity(birth_date=resident.birth_date, sex=resident.sex)
    return _agreed(said, birth_date=resident.birth_date, sex=resident.sex, field="id_number")


def check_room_for_documents(resident: Resident) -> None:
    """Raises FailedPrecondition (DOCUMENTS_FULL)."""
    if len(resident.documents) >= MOST_DOCUMENTS:
        raise FailedPrecondition("This person has as many documents as can be kept.", reason="DOCUMENTS_FULL")


def _check_document(kind: str, number: str) -> None:
    if kind == NO_DOCUMENT and number:
        raise InvalidArgument("Say what kind of document the number is of.", reason="ID_DOC_TYPE_MISSING", field="id_doc_type")
    if kind != NO_DOCUMENT and not number:
        raise InvalidArgument("The number of the document is missing.", reason="ID_NUMBER_MISSING", field="id_number")


def read_number(kind: str, number: str, *, today: date) -> Identity:
    """Returns what the number of a document says. Raises InvalidArgument (ID_NUMBER_INVALID) for one that kind cannot have."""
    try:
        return read_document(kind, normal_number(kind, number), today=today)
    except WrongIdNumber as error:
        raise InvalidArgument(
            f"This is no number of such a document: {error}.", reason="ID_NUMBER_INVALID", field="id_number"
        ) from error


def _agreed(identity: Identity, *, birth_date: str, sex: str, field: str = "") -> Identity:
    if birth_date not in ("", identity.birth_date):
        raise InvalidArgument(
            "The birth date contradicts the identity number.", reason="BIRTH_DATE_CONTRADICTS", field=field or "birth_date"
        )
    if sex not in ("", SEX_UNKNOWN, SEX_NOT_STATED, identity.sex):
        raise InvalidArgument("The sex contradicts the identity number.", reason="SEX_CONTRADICTS", field=field or "sex")
    return identity


def _check_birth_date(text: str, *, today: date) -> None:
    if text and read_day(text, field="birth_date") > today:
        raise InvalidArgument("The birth date lies in the future.", reason="IN_THE_FUTURE", field="birth_date")

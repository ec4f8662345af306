"""The verbs on identity documents beside the first."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.facts import ResidentChanged
from population.domain.identity_document import IdDocument
from population.domain.resident import Resident
from population.id_documents import normal_number
from population.operations.residents import Seal, changed_fact
from population.policies.requests import check_revision, local_day
from population.policies.residents import check_fits, check_room_for_documents
from population.policies.standing import check_here
from svckit.errors import Conflict, NotFound

NUMBER = "id_number"
"""The name under which every number of an identity document is sealed: people are found by any of them alike."""


def add_document(
    resident: Resident,
    *,
    kind: str,
    number: str,
    primary: bool,
    document_id: str,
    seal: Seal,
    revision: int,
    now: datetime,
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Adds a document; as the first one it moves the present first one beside it. Birth date and sex come from it when not known yet.

    Raises InvalidArgument (kind, number, contradiction), Conflict (ID_NUMBER_EXISTS), FailedPrecondition (DEPARTED, DOCUMENTS_FULL).
    """
    check_revision(revision, resident.revision)
    check_here(resident)
    check_room_for_documents(resident)
    identity = check_fits(resident, kind=kind, number=number, today=local_day(now))
    secret = seal(normal_number(kind, number), field=NUMBER, owner=resident.resident_id)
    if secret.index in _numbers(resident):
        raise Conflict("This person has this number already.", reason="ID_NUMBER_EXISTS")
    known = replace(resident, birth_date=identity.birth_date, sex=identity.sex, changed_at=now)
    if not primary:
        beside = IdDocument(document_id=document_id, id_doc_type=kind, number=secret)
        changed = replace(known, documents=(*known.documents, beside))
        return changed, (changed_fact(changed, ["documents"], now=now),)
    changed = replace(first_aside(known, document_id=document_id), id_doc_type=kind, id_number=secret)
    return changed, (changed_fact(changed, ["documents", "id_number", "id_doc_type"], now=now),)


def remove_document(
    resident: Resident, *, document_id: str, revision: int, now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Removes a document beside the first. Raises NotFound (DOCUMENT_NOT_FOUND)."""
    check_revision(revision, resident.revision)
    kept = tuple(document for document in resident.documents if document.document_id != document_id)
    if len(kept) == len(resident.documents):
        raise NotFound("The person has no such document.", reason="DOCUMENT_NOT_FOUND")
    changed = replace(resident, documents=kept, changed_at=now)
    return changed, (changed_fact(changed, ["documents"], now=now),)


def first_aside(resident: Resident, *, document_id: str) -> Resident:
    """Puts the first document, if there is one, beside the others."""
    if resident.id_number is None:
        return resident
    beside = IdDocument(document_id=document_id, id_doc_type=resident.id_doc_type, number=resident.id_number)
    return replace(resident, documents=(*resident.documents, beside))


def _numbers(resident: Resident) -> set[bytes]:
    numbers = [document.number for document in resident.documents]
    return {number.index for number in (resident.id_number, *numbers) if number}

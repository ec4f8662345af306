"""The verbs on merges: two entries of one person become one, and two again.

A merge is carried out in steps, each saved with its own document and harmless to repeat: the decision, the entry that is merged (its number
makes room), the entry that goes on, the decision again. Taking it back goes the other way.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from population.domain.facts import ResidentChanged, ResidentMerged, ResidentUnmerged
from population.domain.identity_document import IdDocument
from population.domain.merge import Merge, MergedFields
from population.domain.residence import Residence, ResidenceKind
from population.domain.resident import Resident
from population.domain.secret import Secret
from population.domain.standing import ResidentStatus, Standing
from population.names import MOST_KEYS, name_keys
from population.operations.documents import first_aside
from population.operations.moves import resumed
from population.operations.residences import ended, settled
from population.operations.residents import changed_fact
from population.policies.merging import TAKEN_TOGETHER, is_lacking
from population.policies.requests import local_day
from population.policies.residents import MOST_DOCUMENTS, NO_DOCUMENT

PLAIN = tuple(field for field in MergedFields.__struct_fields__ if field != "id_doc_type")


class Reseal(Protocol):
    """Seals a value that is sealed for one document for another one."""

    def __call__(self, secret: Secret, *, field: str, owner: str, to: str) -> Secret: ...


def plan_merge(merge: Merge, *, survivor: Resident, absorbed: Resident, reseal: Reseal) -> Merge:
    """Returns the decision with what it will change in the entry that goes on."""
    before = fields_of(survivor)
    taken = {name: getattr(absorbed, name) for name in PLAIN if _is_taken(name, survivor, absorbed, merge.take)}
    primary = survivor.id_number is None and absorbed.id_number is not None
    after = replace(before, **taken, id_doc_type=absorbed.id_doc_type if primary else survivor.id_doc_type)
    phone = absorbed.phone is not None and (survivor.phone is None or "phone" in merge.take)
    kept = survivor.phone if phone else None
    return replace(
        merge,
        before=before,
        after=after,
        primary_taken=primary,
        phone_taken=phone,
        phone_before=reseal(kept, field="phone", owner=survivor.resident_id, to=merge.merge_id) if kept else None,
        document_ids=tuple(document.document_id for document in _new_documents(merge, survivor, absorbed, primary)),
        residence_ids=tuple(residence.residence_id for residence in _new_residences(survivor, absorbed)),
    )


def absorb(resident: Resident, *, merge: Merge, now: datetime) -> tuple[Resident, tuple[ResidentMerged, ...]]:
    """Makes an entry one that was merged: it keeps everything, but stands and is found for itself no more."""
    lasting = [item for item in resident.residences if not item.until]
    today = local_day(now).isoformat()
    closed, _ = ended(resident, lasting, until=today, now=now)
    standing = Standing(
        status=ResidentStatus.MERGED,
        since=today,
        at=now,
        by=merge.by,
        reason=merge.reason,
        merged_into=merge.survivor_id,
        ended_residence_ids=tuple(item.residence_id for item in lasting),
    )
    aside = replace(first_aside(closed, document_id=merge.document_id), id_number=None, standing=standing)
    gone = replace(aside, resident_type=resident.resident_type, match_flag=resident.match_flag)
    fact = ResidentMerged(
        resident_id=resident.resident_id,
        merged_into=merge.survivor_id,
        merge_id=merge.merge_id,
        area_code=resident.area_code,
        at=now,
    )
    return gone, (fact,)


def take_over(
    resident: Resident, *, merge: Merge, absorbed: Resident, reseal: Reseal, now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Gives the entry that goes on what the decision says. `absorbed` is the merged entry as it is now."""
    assert merge.after is not None
    numbers = {document.document_id: document for document in absorbed.documents}

    def moved(document_id: str) -> IdDocument:
        document = numbers[document_id]
        number = reseal(document.number, field="id_number", owner=absorbed.resident_id, to=resident.resident_id)
        return replace(document, number=number)

    came = [item for item in absorbed.residences if item.residence_id in merge.residence_ids]
    reopened = absorbed.standing.ended_residence_ids if absorbed.standing else ()
    residences = [replace(item, until="") if item.residence_id in reopened else item for item in came]
    changed = replace(
        resident,
        **msgspec.structs.asdict(merge.after),
        documents=(*resident.documents, *(moved(item) for item in merge.document_ids if item in numbers)),
        name_keys=_all_keys(merge.after, resident, absorbed),
    )
    if merge.primary_taken:
        changed = replace(changed, id_number=moved(merge.document_id).number)
    if merge.phone_taken and absorbed.phone:
        phone = reseal(absorbed.phone, field="phone", owner=absorbed.resident_id, to=resident.resident_id)
        changed = replace(changed, phone=phone)
    given_type = changed.resident_type
    housed = settled(changed, residences=_in_order([*resident.residences, *residences]), now=now)
    housed = replace(housed, resident_type=given_type)
    return housed, (changed_fact(housed, _changed_names(merge), now=now),)


def give_back(
    resident: Resident, *, merge: Merge, absorbed: Resident, reseal: Reseal, now: datetime
) -> tuple[tuple[Resident, tuple[ResidentChanged, ...]], tuple[str, ...]]:
    """Takes a merge back in the entry that went on. Returns it, and the names of fields that stay because people changed them since."""
    assert merge.before is not None
    assert merge.after is not None
    names = [name for name in PLAIN if getattr(merge.before, name) != getattr(merge.after, name)]
    kept = [name for name in names if getattr(resident, name) != getattr(merge.after, name)]
    back: dict[str, Any] = {name: getattr(merge.before, name) for name in names if name not in kept}
    back["documents"] = tuple(item for item in resident.documents if item.document_id not in merge.document_ids)
    theirs = {item.number.index for item in absorbed.documents if item.document_id == merge.document_id}
    if merge.primary_taken and resident.id_number and resident.id_number.index in theirs:
        back |= {"id_number": None, "id_doc_type": NO_DOCUMENT}
    if merge.phone_taken:
        same = resident.phone is not None and absorbed.phone is not None and resident.phone.index == absorbed.phone.index
        former = merge.phone_before
        renewed = reseal(former, field="phone", owner=merge.merge_id, to=resident.resident_id) if former else None
        back |= {"phone": renewed} if same else {}
        kept += [] if same else ["phone"]
    changed = replace(resident, **back)
    keys = name_keys(changed.name, latin=changed.name_latin)
    residences = tuple(item for item in changed.residences if item.residence_id not in merge.residence_ids)
    housed = settled(replace(changed, name_keys=keys), residences=residences, now=now)
    housed = replace(housed, resident_type=changed.resident_type)
    return (housed, (changed_fact(housed, _changed_names(merge), now=now),)), tuple(kept)


def reappear(resident: Resident, *, merge: Merge, now: datetime) -> tuple[Resident, tuple[ResidentUnmerged, ...]]:
    """Makes a merged entry stand for itself again, with its first document and its homes."""
    assert resident.standing is not None
    first = next((item for item in resident.documents if item.document_id == merge.document_id), None)
    back = replace(
        resident,
        standing=None,
        id_number=first.number if first else resident.id_number,
        documents=tuple(item for item in resident.documents if item is not first),
    )
    housed, _ = resumed(back, resident.standing.ended_residence_ids, now=now)
    fact = ResidentUnmerged(
        resident_id=resident.resident_id,
        merged_into=merge.survivor_id,
        merge_id=merge.merge_id,
        area_code=resident.area_code,
        at=now,
    )
    return replace(housed, resident_type=resident.resident_type), (fact,)


def fields_of(resident: Resident) -> MergedFields:
    """Returns the plain fields a merge may change."""
    return MergedFields(**{name: getattr(resident, name) for name in MergedFields.__struct_fields__})


def _is_taken(name: str, survivor: Resident, absorbed: Resident, take: Collection[str]) -> bool:
    theirs, mine = getattr(absorbed, name), getattr(survivor, name)
    group = TAKEN_TOGETHER.get(name, name)
    if is_lacking(name, theirs) and group != "household":
        return False
    # A relation means nothing in another household.
    lacks = is_lacking("household_id", survivor.household_id) if group == "household" else is_lacking(name, mine)
    return lacks or group in take


def _new_documents(merge: Merge, survivor: Resident, absorbed: Resident, primary: bool) -> list[IdDocument]:
    """Documents of the merged entry the survivor has not; its first one counts as `document_id`."""
    mine = {number.index for number in (survivor.id_number, *(item.number for item in survivor.documents)) if number}
    theirs = first_aside(absorbed, document_id=merge.document_id).documents
    new = [item for item in theirs if item.number.index not in mine]
    new = [item for item in new if not (primary and item.document_id == merge.document_id)]
    return new[: max(MOST_DOCUMENTS - len(survivor.documents), 0)]


def _new_residences(survivor: Resident, absorbed: Resident) -> list[Residence]:
    """Residences of the merged entry, without those that last for both in one house, and without a second registration."""
    homes = {item.house_id for item in survivor.residences if not item.until and item.kind is ResidenceKind.ACTUAL}
    registered = any(item.kind is ResidenceKind.REGISTERED and not item.until for item in survivor.residences)

    def is_double(item: Residence) -> bool:
        if item.until:
            return False
        return registered if item.kind is ResidenceKind.REGISTERED else item.house_id in homes

    return [item for item in absorbed.residences if not is_double(item)]


def _in_order(residences: list[Residence]) -> tuple[Residence, ...]:
    return tuple(sorted(residences, key=lambda item: item.since))


def _all_keys(after: MergedFields, *residents: Resident) -> tuple[str, ...]:
    """People are found by the names of both entries."""
    own = name_keys(after.name, latin=after.name_latin)
    return tuple(dict.fromkeys((*own, *(key for resident in residents for key in resident.name_keys))))[: 2 * MOST_KEYS]


def _changed_names(merge: Merge) -> list[str]:
    assert merge.before is not None
    assert merge.after is not None
    names = [name for name in MergedFields.__struct_fields__ if getattr(merge.before, name) != getattr(merge.after, name)]
    names += ["documents"] if merge.document_ids else []
    names += ["residences"] if merge.residence_ids else []
    names += ["id_number"] if merge.primary_taken else []
    return [*names, "phone"] if merge.phone_taken else names

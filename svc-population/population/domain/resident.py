"""A person."""

from __future__ import annotations

from datetime import datetime

import msgspec

from population.domain.identity_document import IdDocument
from population.domain.living import Living
from population.domain.residence import Residence, ResidenceDraft
from population.domain.secret import Secret
from population.domain.standing import Standing


class ResidentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What is given to enter a resident, in clear text."""

    area_code: str
    name: str
    sex: str = ""
    birth_date: str = ""
    id_doc_type: str = ""
    id_number: str = ""
    phone: str = ""
    resident_type: str = ""
    household_id: str = ""
    household_relation: str = ""
    residence: ResidenceDraft | None = None
    name_latin: str = ""
    registered: ResidenceDraft | None = None
    living: Living | None = None
    affiliation: str = ""


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """A person. Codes: sex.csv, id_doc_type.csv, resident_type.csv, household_relation.csv.

    `name_keys` are how the name is found (population.names), `match_flag` tells whether the person lives where registered
    (household_match_flag.csv, "" when either is unknown), `standing` is set for those who no longer live here.
    `affiliation` is what somebody told for their own activities (affiliation.csv); sealed, asked for only with a purpose.
    """

    resident_id: str
    city: str
    area_code: str
    name: str
    sex: str
    birth_date: str
    id_doc_type: str
    resident_type: str
    created_at: datetime
    changed_at: datetime
    id_number: Secret | None = None
    phone: Secret | None = None
    household_id: str = ""
    household_relation: str = ""
    residences: tuple[Residence, ...] = ()
    living: Living | None = None
    affiliation: Secret | None = None
    name_latin: str = ""
    name_keys: tuple[str, ...] = ()
    match_flag: str = ""
    standing: Standing | None = None
    documents: tuple[IdDocument, ...] = ()
    revision: int = 0

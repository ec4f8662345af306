"""A person."""

from __future__ import annotations

from datetime import datetime

import msgspec

from population.domain.living import Living
from population.domain.residence import Residence, ResidenceDraft
from population.domain.secret import Secret


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


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """A person. Codes: sex.csv, id_doc_type.csv, resident_type.csv, household_relation.csv.

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
    revision: int = 0

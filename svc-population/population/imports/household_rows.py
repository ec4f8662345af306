"""Rows as households and their members: what the mapping says, checked as if it were entered by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from binglian.population.v1 import resident_service_pb2 as pb

from population.domain.household import HouseholdDraft
from population.imports.forms import HOUSEHOLD
from population.imports.judging import id_of, referred
from population.imports.mapping import RowError
from population.policies.codes import check_code
from population.policies.households import check_household_draft
from svckit.errors import InvalidArgument, ServiceError
from svckit.messages import to_fields
from svckit.validation import validator_of

_PLACE = tuple(field.name for field in pb.HouseholdDraft.DESCRIPTOR.fields)
_MEMBER = ("resident_id", "id_doc_type", "id_number", "household_relation")
HOUSEHOLD_FIELDS = frozenset((HOUSEHOLD, *_PLACE, *_MEMBER))
"""Fields a mapping may fill: the number of the household in the file, what it is, and who belongs to it."""
_check_household = validator_of(pb.HouseholdDraft)
_check_resident = validator_of(pb.GetResidentRequest)
_check_member = validator_of(pb.ResidentDraft)
_UNSAID: dict[str, Any] = {"area_code": "420502001003", "name": "-"}
"""Stands for what a member needs not be told again, where the rules of a whole resident are asked."""


class HouseholdRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row: `draft` says what the household is, `resident_id` or `id_number` who belongs to it; either may be missing."""

    household_id: str
    draft: HouseholdDraft | None = None
    resident_id: str = ""
    id_number: str = ""
    relation: str = ""

    @property
    def has_member(self) -> bool:
        """Tells whether it names somebody."""
        return bool(self.resident_id or self.id_number)


def read_row(values: Mapping[str, str], *, area: str, city: str) -> HouseholdRow:
    """Returns what a row says. Raises RowError with field and reason, without any value of the row.

    `area` is where the import may enter households, `city` the city whose register it is.
    """
    reference = referred(values, field=HOUSEHOLD)
    if not reference:
        message = "A row has to say which household of the file it is about."
        raise RowError(field=HOUSEHOLD, reason="FIELD_MISSING", message=message)
    try:
        row = HouseholdRow(household_id=id_of(city, reference, kind="household"), draft=_draft(values, area), **_member(values))
    except ServiceError as error:
        raise RowError(field=error.field, reason=error.reason, message=error.message) from error
    if row.draft is None and not row.has_member:
        raise RowError(field="area_code", reason="FIELD_MISSING", message="The row says neither where nor who.")
    return row


def _draft(values: Mapping[str, str], area: str) -> HouseholdDraft | None:
    if "area_code" not in values:
        return None
    message = pb.HouseholdDraft(**{name: values[name] for name in _PLACE if name in values})
    _check_household(message)
    draft = msgspec.convert(to_fields(message), HouseholdDraft)
    check_household_draft(draft)
    if not draft.area_code.startswith(area):
        raise InvalidArgument("The area is outside that of the job.", reason="AREA_NOT_ALLOWED", field="area_code")
    return draft


def _member(values: Mapping[str, str]) -> dict[str, Any]:
    """Who belongs to it: by id where that is said, else by number."""
    given = {name: values[name] for name in _MEMBER if values.get(name)}
    if "resident_id" not in given and "id_number" not in given:
        return {}
    relation = given.get("household_relation", "")
    if not relation:
        raise InvalidArgument("Say what the member is to the head.", reason="FIELD_MISSING", field="household_relation")
    check_code(relation, table="household_relation", field="household_relation")
    if "resident_id" in given:
        _check_resident(pb.GetResidentRequest(resident_id=given["resident_id"]))
        return {"resident_id": given["resident_id"], "relation": relation}
    _check_member(pb.ResidentDraft(**_UNSAID, id_number=given["id_number"]))
    return {"id_number": given["id_number"], "relation": relation}

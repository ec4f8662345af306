"""How sensitive the fields of an export are and how each is masked, as the proto of Resident says."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from binglian.options.v1 import options_pb2
from binglian.population.v1 import resident_pb2
from google.protobuf.descriptor import FieldDescriptor

from svckit.masking import is_hidden, mask_id_number, mask_name, mask_phone, mask_text, mask_year, sensitivity_of
from svckit.purposes import level_for

_MASKS: dict[int, Callable[[str], str]] = {
    options_pb2.MASK_UNSPECIFIED: mask_text,
    options_pb2.MASK_NAME: mask_name,
    options_pb2.MASK_PHONE: mask_phone,
    options_pb2.MASK_ID_NUMBER: mask_id_number,
    options_pb2.MASK_YEAR: mask_year,
}


def mask_of(name: str) -> Callable[[str], str] | None:
    """Returns how a field is masked; None for one that hides nothing."""
    field = _field(name)
    return _MASKS[field.GetOptions().Extensions[options_pb2.personal].mask] if is_hidden(field) else None


def hidden_from(purpose: str, fields: Iterable[str]) -> frozenset[str]:
    """Returns those of the fields that are more sensitive than a purpose shows. Names that are no fields are not judged."""
    known = resident_pb2.Resident.DESCRIPTOR.fields_by_name
    return frozenset(name for name in fields if name in known and sensitivity_of(known[name]) > level_for(purpose))


def _field(name: str) -> FieldDescriptor:
    return resident_pb2.Resident.DESCRIPTOR.fields_by_name[name]

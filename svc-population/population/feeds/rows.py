"""Rows of a department's file as records or life events: mapped, checked as messages of the streams are, never twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from binglian.population.v1 import collection_service_pb2, life_event_pb2

from population.department_feed import DepartmentRecord
from population.domain.collection import FieldValue
from population.domain.job import FeedKind
from population.domain.life_event import Consent, LifeEventReport
from population.imports.mapping import FieldMapping, RowError, read_mapping
from population.policies.collection import COLLECTED
from population.policies.requests import CHINA_TIME
from population.privacy.texts import check_request
from svckit.errors import InvalidArgument, ServiceError
from svckit.messages import to_fields
from svckit.validation import validator_of

PATH = "feed_spec.mapping"
RECORD_FIELDS = frozenset({"id_number", "as_of", *COLLECTED})
EVENT_FIELDS = frozenset(field.name for field in life_event_pb2.LifeEventReport.DESCRIPTOR.fields)
_FIELDS: Mapping[FeedKind, Collection[str]] = {FeedKind.RECORDS: RECORD_FIELDS, FeedKind.LIFE_EVENTS: EVENT_FIELDS}
_NEEDED: Mapping[FeedKind, Collection[str]] = {
    FeedKind.RECORDS: ("id_number",),
    FeedKind.LIFE_EVENTS: ("rule", "occurred_on"),
}
_AT = re.compile(r"^fields\[(\d+)\]")
_check_record = validator_of(collection_service_pb2.DepartmentRecord)
_check_event = validator_of(life_event_pb2.LifeEventReport)

Told = DepartmentRecord | LifeEventReport


def mapping_of(kind: FeedKind, text: str) -> FieldMapping:
    """Reads the mapping of a feed. Raises as `read_mapping`, InvalidArgument (FIELD_MISSING)."""
    mapping = read_mapping(text, allowed=_FIELDS[kind], path=PATH)
    missing = [name for name in _NEEDED[kind] if name not in mapping.fields]
    if kind is FeedKind.RECORDS and not mapping.fields & COLLECTED.keys():
        missing.append("something to compare")
    if missing:
        raise InvalidArgument(f"The feed needs {' and '.join(missing)}.", reason="FIELD_MISSING", field=PATH)
    return mapping


class Rows:
    """Reads the rows of one feed; remembers which it has seen."""

    def __init__(self, kind: FeedKind, mapping: FieldMapping) -> None:
        self._mapping = mapping
        self._read = _record if kind is FeedKind.RECORDS else _event
        self._once = "id_number" if kind is FeedKind.RECORDS else ""
        self._seen: dict[bytes, int] = {}

    def skip(self, row: Mapping[str, str], number: int) -> None:
        """Remembers a row that an earlier worker has dealt with."""
        try:
            self._seen.setdefault(self._key(self._mapping.values(row)), number)
        except RowError:
            return

    def read(self, row: Mapping[str, str], number: int) -> Told:
        """Returns what a row tells. Raises RowError with field and reason, without any value of the row."""
        values = self._mapping.values(row)
        told = self._read(values)
        first = self._seen.setdefault(self._key(values), number)
        if first != number:
            reason = "ID_NUMBER_TWICE" if self._once else "ROW_TWICE"
            raise RowError(field=self._once, reason=reason, message=f"Row {first} of the file says it already.")
        return told

    def _key(self, values: Mapping[str, str]) -> bytes:
        """A department has one record of a person; of life events only equal rows are the same."""
        same = values.get(self._once, "").upper() if self._once else repr(sorted(values.items()))
        return hashlib.blake2b(same.encode(), digest_size=12).digest()


def _record(values: Mapping[str, str]) -> DepartmentRecord:
    names = [name for name in values if name in COLLECTED]
    message = collection_service_pb2.DepartmentRecord(
        id_number=values.get("id_number", ""),
        fields=[collection_service_pb2.FieldValue(field=name, value=values[name]) for name in names],
    )
    try:
        _check_record(message)
        check_request(message)
    except ServiceError as error:
        place = _AT.match(error.field)
        field = names[int(place[1])] if place else error.field
        raise RowError(field=field, reason=error.reason, message=error.message) from error
    return DepartmentRecord(
        id_number=message.id_number,
        fields=tuple(FieldValue(field=name, value=values[name]) for name in names),
        as_of=_moment(values["as_of"]) if values.get("as_of") else None,
    )


def _event(values: Mapping[str, str]) -> LifeEventReport:
    fields: dict[str, Any] = dict(values)
    fields["ordinal"] = _ordinal(values.get("ordinal", ""))
    fields["consent"] = _consent(values.get("consent", ""))
    message = life_event_pb2.LifeEventReport(**fields)
    try:
        _check_event(message)
        check_request(message)
    except ServiceError as error:
        raise RowError(field=error.field, reason=error.reason, message=error.message) from error
    return msgspec.convert(to_fields(message), LifeEventReport)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "A day (YYYY-MM-DD) or a moment as RFC 3339 writes it is needed."
        raise RowError(field="as_of", reason="DATE_INVALID", message=message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=CHINA_TIME)


def _ordinal(text: str) -> int:
    if text and not (text.isdecimal() and len(text) == 1):
        raise RowError(field="ordinal", reason="VALUE_INVALID", message="A digit tells twins apart.")
    return int(text or 0)


def _consent(text: str) -> str:
    known = {consent.value for consent in Consent}
    if text and text.lower() not in known:
        message = f"Consent is {', '.join(sorted(known))}, or nothing."
        raise RowError(field="consent", reason="CODE_UNKNOWN", message=message)
    return f"CONSENT_{text.upper() or 'UNSPECIFIED'}"

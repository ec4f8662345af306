"""Rows as residents: what the mapping says, the rules every entry keeps, what must not be collected, and the same person twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec
from binglian.population.v1 import resident_pb2
from binglian.population.v1 import resident_service_pb2 as pb

from population import operations
from population.domain.resident import Resident, ResidentDraft
from population.domain.secret import Secret
from population.id_documents import normal_number
from population.imports.mapping import FieldMapping, RowError
from population.privacy.screening import screen_row
from svckit.documents import Command
from svckit.errors import InvalidArgument, ServiceError
from svckit.messages import to_fields
from svckit.validation import validator_of

RESIDENCE = {"house_id": "house_id", "house_area_code": "area_code", "tenure": "tenure", "since": "since"}
"""Field of a mapping → field of the residence the person begins with."""
_PLAIN = tuple(
    field.name for field in pb.ResidentDraft.DESCRIPTOR.fields if field.message_type is None and not field.is_repeated
)
FIELDS = frozenset((*_PLAIN, *RESIDENCE))
"""Fields a mapping may fill: what somebody may enter by hand, and nothing else."""
_FREE = frozenset({"name", "name_latin"})
"""Fields people write in words."""

_check = validator_of(pb.ResidentDraft)


class Index(Protocol):
    """Seals values and computes blind indexes; `population.vault.Vault` is one."""

    def seal(self, value: str, *, field: str, owner: str) -> Secret: ...

    def index(self, value: str, *, field: str) -> bytes: ...


class Judged(msgspec.Struct, frozen=True):
    """A row that can be entered, with the events that leaves and the command that says which row it was."""

    row: int
    resident: Resident
    events: tuple[Any, ...]
    command: Command
    key: int


class Judge:
    """Judges the rows of one import. `area` is where it may enter people, `now` when it began: a resumed one says the same."""

    def __init__(self, *, job_id: str, mapping: FieldMapping, area: str, vault: Index, now: datetime) -> None:
        self._job_id = job_id
        self._mapping = mapping
        self._area = area
        self._vault = vault
        self._now = now
        self._milliseconds = int(now.timestamp() * 1000)
        self._seen: dict[int, int] = {}

    def skip(self, row: Mapping[str, str], number: int) -> None:
        """Remembers a row that an earlier worker has dealt with: another one like it is still a duplicate."""
        try:
            values = self._mapping.values(row)
        except RowError:
            return
        self._seen.setdefault(self._key(values), number)

    def judge(self, row: Mapping[str, str], number: int) -> Judged:
        """Returns what is to be entered. Raises RowError with field and reason, without any value of the row."""
        values = self._mapping.values(row)
        for objection in screen_row({field: values[field] for field in _FREE & values.keys()}):
            raise RowError(field=objection.field, reason=objection.reason, message=objection.message)
        resident, events = self._resident(values, number)
        key = self._key(values, resident.id_number)
        first = self._seen.setdefault(key, number)
        if first != number:
            field, reason = ("id_number", "ID_NUMBER_TWICE") if values.get("id_number") else ("", "ROW_TWICE")
            raise RowError(field=field, reason=reason, message=f"Row {first} of the file says the same.")
        digest = hashlib.blake2b(repr(values).encode(), digest_size=16).hexdigest()
        return Judged(number, resident, events, Command(f"job/{self._job_id}/{number}", digest), key)

    def _resident(self, values: Mapping[str, str], number: int) -> tuple[Resident, tuple[Any, ...]]:
        try:
            draft = _draft(values)
            if not draft.area_code.startswith(self._area):
                raise InvalidArgument("The area is outside that of the job.", reason="AREA_NOT_ALLOWED", field="area_code")
            return operations.create_resident(
                draft=draft,
                resident_id=self._id(number, 0),
                residence_id=self._id(number, 1) if draft.residence else "",
                seal=self._vault.seal,
                now=self._now,
            )
        except ServiceError as error:
            raise RowError(field=error.field, reason=error.reason, message=error.message) from error

    def _key(self, values: Mapping[str, str], sealed: Secret | None = None) -> int:
        """What two rows about the same person have in common: the number (`sealed` if it was already), or else everything."""
        if sealed:
            return int.from_bytes(sealed.index[:8])
        if number := values.get("id_number"):
            plain = normal_number(values.get("id_doc_type", ""), number)
            return int.from_bytes(self._vault.index(plain, field="id_number")[:8])
        whole = "\0".join(f"{name}={values[name]}" for name in sorted(values))
        return int.from_bytes(hashlib.blake2b(whole.encode(), digest_size=8).digest())

    def _id(self, number: int, kind: int) -> str:
        """A UUIDv7 that is the same whenever this row of this job is read, in the order of the rows."""
        tail = hashlib.blake2b(f"{self._job_id}/{kind}/{number}".encode(), digest_size=8).digest()
        bits = (self._milliseconds + number // 4096) << 80 | 0x7 << 76 | (number % 4096) << 64
        bits |= 0b10 << 62 | int.from_bytes(tail) >> 2
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _draft(values: Mapping[str, str]) -> ResidentDraft:
    """Returns what is to be entered, checked by the rules of the proto. Raises InvalidArgument, RowError."""
    fields: dict[str, Any] = {name: value for name, value in values.items() if name not in RESIDENCE}
    if "house_id" not in values:
        _check(pb.ResidentDraft(**fields))
        return ResidentDraft(**fields)
    residence = {RESIDENCE[name]: value for name, value in values.items() if name in RESIDENCE}
    residence["tenure"] = _tenure(residence.get("tenure", ""))
    message = pb.ResidentDraft(**{**fields, "residence": residence})
    _check(message)
    # What is nested has names and defaults of its own.
    return msgspec.convert(to_fields(message), ResidentDraft)


def _tenure(text: str) -> str:
    name = f"TENURE_{text.upper() or 'UNSPECIFIED'}"
    if name not in _TENURES:
        raise RowError(field="tenure", reason="CODE_UNKNOWN", message="The tenure is owner, family, tenant or other.")
    return name


_TENURES = frozenset(value.name for value in resident_pb2.DESCRIPTOR.enum_types_by_name["Tenure"].values)

"""Rows as residents: what the mapping says, the rules every entry keeps, what must not be collected, and the same person twice."""

from __future__ import annotations

import hashlib
import re
import uuid
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
from population.imports.forms import REFERENCE, REGISTERED, RESIDENCE
from population.imports.mapping import FieldMapping, RowError
from population.policies.requests import CITY_DIGITS
from population.privacy.screening import screen_row
from svckit.documents import Command
from svckit.errors import InvalidArgument, ServiceError
from svckit.messages import to_fields
from svckit.validation import validator_of

_PLAIN = tuple(
    field.name for field in pb.ResidentDraft.DESCRIPTOR.fields if field.message_type is None and not field.is_repeated
)
FIELDS = frozenset((*_PLAIN, *RESIDENCE, *REGISTERED, REFERENCE))
"""Fields a mapping may fill: what somebody may enter by hand, and the number a row has in the file itself; nothing else."""
_FREE = frozenset({"name", "name_latin"})
"""Fields people write in words."""
_NESTED = frozenset((*RESIDENCE, *REGISTERED))
_REFERRED = uuid.UUID("4cf9b7f2-5d2b-5c0e-9a1e-3f0c7f4be0d1")
_UUID = re.compile(r"(uuid:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONGEST_REFERENCE = 100

_check = validator_of(pb.ResidentDraft)


class Index(Protocol):
    """Seals values and computes blind indexes; `population.vault.Vault` is one."""

    def seal(self, value: str, *, field: str, owner: str) -> Secret: ...

    def index(self, value: str, *, field: str) -> bytes: ...


class Judged(msgspec.Struct, frozen=True):
    """A row that can be entered, with the events that leaves and the command that says which row it was.

    `refers`: the row has a number in its file, and the entry its id from that: no other job enters it again.
    """

    row: int
    resident: Resident
    events: tuple[Any, ...]
    command: Command
    key: int
    refers: bool = False


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
        reference = referred(values)
        resident, events = self._resident(values, number)
        key = self._key(values, resident.id_number)
        first = self._seen.setdefault(key, number)
        if first != number:
            field, reason = ("id_number", "ID_NUMBER_TWICE") if values.get("id_number") else ("", "ROW_TWICE")
            raise RowError(field=field, reason=reason, message=f"Row {first} of the file says the same.")
        digest = hashlib.blake2b(repr(values).encode(), digest_size=16).hexdigest()
        return Judged(number, resident, events, Command(f"job/{self._job_id}/{number}", digest), key, bool(reference))

    def _resident(self, values: Mapping[str, str], number: int) -> tuple[Resident, tuple[Any, ...]]:
        try:
            draft = _draft(values)
            if not draft.area_code.startswith(self._area):
                raise InvalidArgument("The area is outside that of the job.", reason="AREA_NOT_ALLOWED", field="area_code")
            return operations.create_resident(
                draft=draft,
                resident_id=self._resident_id(values, number),
                residence_id=self._id(number, 1) if draft.residence else "",
                registered_id=self._id(number, 2) if draft.registered else "",
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

    def _resident_id(self, values: Mapping[str, str], number: int) -> str:
        """The same in every job for what its file numbers, so that a second import finds the first."""
        reference = values.get(REFERENCE)
        return id_of(values["area_code"], reference) if reference else self._id(number, 0)

    def _id(self, number: int, kind: int) -> str:
        """A UUIDv7 that is the same whenever this row of this job is read, in the order of the rows."""
        tail = hashlib.blake2b(f"{self._job_id}/{kind}/{number}".encode(), digest_size=8).digest()
        bits = (self._milliseconds + number // 4096) << 80 | 0x7 << 76 | (number % 4096) << 64
        bits |= 0b10 << 62 | int.from_bytes(tail) >> 2
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def referred(values: Mapping[str, str], *, field: str = REFERENCE) -> str:
    """Returns the number a row has in its file, "" for none. Raises RowError (VALUE_TOO_LONG, NUMBER_IN_TEXT, RESTRICTED_CONTENT)."""
    reference = values.get(field, "")
    if len(reference) > LONGEST_REFERENCE:
        message = f"The number of a row has at most {LONGEST_REFERENCE} characters."
        raise RowError(field=field, reason="VALUE_TOO_LONG", message=message)
    if not _UUID.fullmatch(reference):
        # An id follows from it: it may be no number by which somebody is known elsewhere.
        for objection in screen_row({field: reference}):
            raise RowError(field=field, reason=objection.reason, message=objection.message)
    return reference


def id_of(area_code: str, reference: str, *, kind: str = "resident") -> str:
    """Returns the id of what a file calls `reference`, the same for every import of the city."""
    return str(uuid.uuid5(_REFERRED, f"{kind}/{area_code[:CITY_DIGITS]}/{reference}"))


def _draft(values: Mapping[str, str]) -> ResidentDraft:
    """Returns what is to be entered, checked by the rules of the proto. Raises InvalidArgument, RowError."""
    fields: dict[str, Any] = {name: value for name, value in values.items() if name not in _NESTED and name != REFERENCE}
    homes = _homes(values)
    if not homes:
        _check(pb.ResidentDraft(**fields))
        return ResidentDraft(**fields)
    message = pb.ResidentDraft(**fields, **homes)
    _check(message)
    # What is nested has names and defaults of its own.
    return msgspec.convert(to_fields(message), ResidentDraft)


def _homes(values: Mapping[str, str]) -> dict[str, Any]:
    """The home, which is a house, and the place of registration, of which the area is enough."""
    homes: dict[str, Any] = {}
    if "house_id" in values:
        homes["residence"] = _home(values, RESIDENCE)
    if "registered_area_code" in values or "registered_house_id" in values:
        homes["registered"] = _home(values, REGISTERED)
    return homes


def _home(values: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    home = {names[name]: value for name, value in values.items() if name in names}
    return {**home, "tenure": _tenure(home.get("tenure", ""), "tenure" if names is RESIDENCE else "registered_tenure")}


def _tenure(text: str, field: str) -> str:
    name = f"TENURE_{text.upper() or 'UNSPECIFIED'}"
    if name not in _TENURES:
        raise RowError(field=field, reason="CODE_UNKNOWN", message="The tenure is owner, family, tenant or other.")
    return name


_TENURES = frozenset(value.name for value in resident_pb2.DESCRIPTOR.enum_types_by_name["Tenure"].values)

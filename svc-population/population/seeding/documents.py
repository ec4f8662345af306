"""Made-up people as documents, exactly as the service would have written them; a test reads and writes them with its own code."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from population.domain.household import Household
from population.domain.living import Living
from population.domain.residence import Residence, Tenure
from population.domain.resident import Resident
from population.names import name_keys
from population.seeding.columns import Columns
from population.seeding.places import CITY, Block
from population.vault import Vault
from svckit.documents import Form

Raw = dict[str, Any]

AT = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
"""When they were entered."""
SUBJECT = "seed"
ID_CARD, NO_DOCUMENT = "111", "999"
MEMBER, PROBATIONER = "01", "02"
_MILLISECONDS = int(AT.timestamp() * 1000)
_RESIDENT = Form(Resident, id_field="resident_id", encode=lambda event: ("", b""))
_HOUSEHOLD = Form(Household, id_field="household_id", encode=lambda event: ("", b""))


class Ids:
    """Version 7 ids that are the same every time: the block and a count in the time part, the rest by chance."""

    def __init__(self, block: Block, kind: int, count: int) -> None:
        random = np.random.default_rng([kind, block.number]).bytes(9 * count).hex()
        first = _MILLISECONDS + block.number * 1_000
        self._texts = [_id(first + at * 999 // count, random[18 * at : 18 * at + 18]) for at in range(count)]

    def __getitem__(self, at: int) -> str:
        return self._texts[at]


def _id(milliseconds: int, random: str) -> str:
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7{random[:3]}-{'89ab'[int(random[3], 16) % 4]}{random[4:7]}-{random[6:18]}"


class Writer:
    """Documents of one block."""

    def __init__(self, block: Block, vault: Vault) -> None:
        self._columns = columns = Columns(block)
        self._vault = vault
        self._grids = block.grids()
        self._people = Ids(block, 1, columns.count)
        self._homes = Ids(block, 2, len(columns.homes.size))
        self._houses = Ids(block, 3, len(columns.homes.size))
        self._stays = Ids(block, 4, 2 * columns.count)
        self._former_houses = Ids(block, 5, columns.count)
        self._keys: dict[str, list[str]] = {}
        self._template = _template(_RESIDENT, _blank_resident())
        self._home_template = _template(_HOUSEHOLD, _blank_household())
        self._stay_template = _stored(Residence(residence_id="", house_id="", area_code="", since=""))
        self._living_template = _stored(Living())

    def households(self) -> Iterator[Raw]:
        """The households."""
        columns = self._columns
        heads = np.cumsum(columns.homes.size) - columns.homes.size
        known = columns.known_home[heads]
        for at, (grid, head, has_house) in enumerate(
            zip(columns.house_grid.tolist(), heads.tolist(), known.tolist(), strict=True)
        ):
            document = {
                **self._home_template,
                "_id": self._homes[at],
                "area_code": self._grids[grid],
                "house_id": self._houses[at] if has_house else "",
                **self._owned(f"h{at}"),
            }
            if "head_id" in self._home_template:
                document["head_id"] = self._people[head]
            yield document

    def residents(self) -> Iterator[Raw]:
        """The residents."""
        columns = self._columns
        rows = zip(
            columns.names,
            np.where(columns.homes.male, "1", "2").tolist(),
            columns.birth.astype(str).tolist(),
            columns.id_numbers.tolist(),
            columns.phones.tolist(),
            columns.resident_type.tolist(),
            columns.homes.household.tolist(),
            columns.homes.relations().tolist(),
            columns.grid.tolist(),
            columns.has_number.tolist(),
            columns.has_phone.tolist(),
            columns.affiliated.tolist(),
            strict=True,
        )
        for at, row in enumerate(rows):
            yield self._resident(at, *row)

    def _resident(
        self,
        at: int,
        name: str,
        sex: str,
        birth: str,
        number: str,
        phone: int,
        kind: str,
        home: int,
        relation: str,
        grid: int,
        has_number: bool,
        has_phone: bool,
        affiliated: bool,
    ) -> Raw:
        id = self._people[at]
        return {
            **self._template,
            "_id": id,
            "area_code": self._grids[grid],
            "name": name,
            "name_keys": self._name_keys(name),
            "sex": sex,
            "birth_date": birth,
            "id_doc_type": ID_CARD if has_number else NO_DOCUMENT,
            "id_number": self._sealed(number, "id_number", id) if has_number else None,
            "phone": self._sealed(str(phone), "phone", id) if has_phone else None,
            "resident_type": kind,
            "household_id": self._homes[home],
            "household_relation": relation,
            "residences": self._residences(at, home, grid),
            "living": self._living(at, home),
            "affiliation": self._sealed(MEMBER if at % 20 else PROBATIONER, "affiliation", id) if affiliated else None,
            **self._owned(f"{at}"),
        }

    def _residences(self, at: int, home: int, grid: int) -> list[Raw]:
        columns = self._columns
        if not columns.known_home[at]:
            return []
        stay = {
            **self._stay_template,
            "residence_id": self._stays[2 * at],
            "house_id": self._houses[home],
            "area_code": self._grids[grid],
            "since": str(columns.since[at]),
            "tenure": str(columns.tenure[at]) if columns.homes.role[at] == 0 else Tenure.FAMILY.value,
        }
        if not columns.moved[at]:
            return [stay]
        former = {
            **self._stay_template,
            "residence_id": self._stays[2 * at + 1],
            "house_id": self._former_houses[at],
            "area_code": self._grids[int(columns.former_grid[at])],
            "since": str(columns.before[at]),
            "until": str(columns.since[at] - np.timedelta64(1, "D")),
            "tenure": Tenure.TENANT.value,
        }
        return [former, stay]

    def _living(self, at: int, home: int) -> Raw | None:
        columns = self._columns
        if not columns.known_home[at]:
            return None
        longitude, latitude = columns.house_spot[home].tolist()
        return {
            **self._living_template,
            "floor": int(columns.house_floor[home]),
            "lift": bool(columns.house_lift[home]),
            "alone": bool(columns.alone[at]),
            "longitude": longitude,
            "latitude": latitude,
        }

    def _sealed(self, value: str, field: str, owner: str) -> Raw:
        secret = self._vault.seal(value, field=field, owner=owner)
        return {"cipher": secret.cipher, "index": secret.index}

    def _name_keys(self, name: str) -> list[str]:
        found = self._keys.get(name)
        if found is None:
            found = self._keys[name] = list(name_keys(name))
        return found

    def _owned(self, number: str) -> Raw:
        """What the store writes beside the aggregate: the revision, and the command that created it."""
        key = f"{SUBJECT}:{self._columns.block.number}-{number}"
        return {"revision": 1, "created_by": {"key": key, "digest": hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}}


def _template(form: Form[Any], blank: Any) -> Raw:
    """Returns the fields of a document as the store writes a new one; ours replace what differs from one to the next."""
    return {"_id": "", **form.changed(None, blank)}


def _stored(struct: msgspec.Struct) -> Raw:
    fields: Raw = msgspec.to_builtins(struct)
    return fields


def _blank_resident() -> Resident:
    return Resident(
        resident_id="",
        city=CITY,
        area_code="",
        name="",
        sex="",
        birth_date="",
        id_doc_type="",
        resident_type="",
        created_at=AT,
        changed_at=AT,
    )


def _blank_household() -> Household:
    return Household(household_id="", city=CITY, area_code="", created_at=AT, changed_at=AT)

"""Everything that is kept about one person, wherever it lies: for the copy they may have, for duties to keep, for erasing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from population.domain.data_request import RetentionDuty
from population.domain.merge import MergeState
from population.privacy.rotation import sealed_values
from population.privacy.rules import naming, rules
from population.vault import Vault, VaultError

RESIDENTS = "residents"
_MOST = 1000
_MERGED = [MergeState.CONFIRMED.value, MergeState.MERGED.value]
Raw = dict[str, Any]


class Holdings:
    """What the database holds about people. Methods raise PyMongoError while it is away."""

    def __init__(self, database: AsyncDatabase[Raw], *, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def entries_of(self, resident_id: str) -> list[str]:
        """Returns all entries of a person: those merged into one another, whichever of them is asked for. The one asked for comes first."""
        found = [resident_id]
        while True:
            named = {"$in": found}
            query = {"$or": [{"survivor_id": named}, {"absorbed_id": named}], "state": {"$in": _MERGED}}
            rows = await self._database["merges"].find(query, {"survivor_id": True, "absorbed_id": True}).to_list()
            more = {row[side] for row in rows for side in ("survivor_id", "absorbed_id")} - set(found)
            if not more:
                return found
            found += sorted(more)

    async def copy(self, resident_id: str) -> tuple[str, int]:
        """Returns what is kept about a person as JSON, by collection, and how many documents that are; numbers are opened.

        Only what `retention.yaml` lets a copy tell: a person's own data, not what others said of them in confidence.
        """
        ids = await self.entries_of(resident_id)
        wanted = {RESIDENTS: ({"_id": {"$in": ids}}, rules().register)}
        wanted |= {name: (naming(each, ids), each.tells) for name, each in rules().holdings.items()}
        found: dict[str, list[Any]] = {}
        for name, (where, tells) in wanted.items():
            rows = await self._database[name].find(where, dict.fromkeys(tells, True)).limit(_MOST).to_list()
            if rows:
                found[name] = [self._opened(row) for row in rows]
        return msgspec.json.encode(found, enc_hook=str).decode(), sum(map(len, found.values()))

    async def duties(self, resident_id: str) -> tuple[RetentionDuty, ...]:
        """Returns the duties that forbid erasing a person now, in whichever entry."""
        ids = {"$in": await self.entries_of(resident_id)}
        found = []
        for code, duty in rules().duties.items():
            if await self._database[duty.collection].find_one({duty.by: ids, **duty.condition}, {"_id": True}):
                found.append(RetentionDuty(duty=code, law=duty.law))
        return tuple(found)

    async def erase_elsewhere(self, resident_ids: Collection[str]) -> int:
        """Clears or removes what other collections say about entries; returns how many documents. May be repeated.

        What says which entries belong together goes last: broken off, it begins again with all of them.
        """
        done = 0
        for name, holding in sorted(rules().holdings.items(), key=lambda item: item[0] == "merges"):
            rows = self._database.get_collection(name, write_concern=WriteConcern("majority", j=True))
            if holding.action == "remove":
                done += (await rows.delete_many(naming(holding, resident_ids))).deleted_count
            else:
                cleared = await rows.update_many(naming(holding, resident_ids), clearing(holding.clear))
                done += cleared.modified_count
        return done

    def _opened(self, row: Raw) -> Any:
        """The document as people read it: numbers in clear text, times as texts."""
        opened: Raw = dict(row)
        for path, secret in list(sealed_values(row)):
            opened = _put(opened, path.split("."), self._value(secret, path, str(row["_id"])))
        return opened

    def _value(self, secret: Mapping[str, Any], path: str, owner: str) -> str:
        names = [part for part in path.split(".") if not part.isdigit()]
        for field in dict.fromkeys((names[-1], "id_number", "phone", path)):
            try:
                return self._vault.open(secret["cipher"], field=field, owner=owner)
            except VaultError:
                continue
        return "(cannot be opened)"


def clearing(fields: tuple[str, ...]) -> Raw:
    """Returns the update that empties fields of a document: they are missing then, which every reader takes for empty."""
    return {"$unset": dict.fromkeys(fields, ""), "$inc": {"revision": 1}}


def _put(value: Any, path: list[str], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, list):
        place = int(path[0])
        return [*value[:place], _put(value[place], path[1:], new), *value[place + 1 :]]
    return {**value, path[0]: _put(value[path[0]], path[1:], new)}

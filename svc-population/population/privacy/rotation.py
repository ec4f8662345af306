"""Rotates keys while the service runs: `python -m population rotate-keys [data|index|all|master]`.

A data key or index key changes in four steps, each saved in the key ring, so that the command may be stopped at any moment and goes
on where it was when it is started again: the new key is announced (all processes learn to read with it), becomes the one to write
with, every stored value is sealed anew (in batches, each value only if it is still the one that was read), and the former index key
is dropped. A former data key stays in the ring to open what old backups hold. Between the steps the command waits until every
process has looked at the ring. `master` wraps the data keys with the master key that is configured now; no document changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from mongoengine import DictField
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from population.privacy.keyring import KeyRing, Raw
from population.vault import Vault, VaultError
from svckit.documents import utc_now

REFRESH_SECONDS = 10.0
"""How often every process looks at the ring."""
ANNOUNCE_SECONDS = 3 * REFRESH_SECONDS
"""How long the command lets them."""
KINDS = ("data", "index", "all")
_BATCH = 500
_SEALED = frozenset(("cipher", "index"))
_NUMBERS = ("id_number", "phone", "affiliation", "contacts")
_log = logging.getLogger(__name__)
Say = Callable[[str], None]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a sweep did: values sealed anew, and those that could not be: `<collection>/<id>/<path>` with the reason."""

    sealed: int
    failed: tuple[str, ...] = ()


async def keep_fresh(vault: Vault, ring: KeyRing, *, seconds: float = REFRESH_SECONDS) -> None:
    """Makes the vault of a running process follow the ring, for ever. The ring belongs to this task alone."""
    seen = -1
    while True:
        try:
            document = await asyncio.to_thread(ring.document)
            if document["revision"] != seen:
                vault.use(await asyncio.to_thread(ring.keys, document))
                seen = document["revision"]
        except PyMongoError as error:
            _log.warning("the key ring cannot be read now: %s", type(error).__name__)
        await asyncio.sleep(seconds)


class Rotation:
    """One rotation, begun or taken up again. `collections` are the names of those that hold sealed values."""

    def __init__(
        self,
        database: Database[Raw],
        ring: KeyRing,
        *,
        collections: Sequence[str],
        say: Say,
        announce_seconds: float = ANNOUNCE_SECONDS,
    ) -> None:
        self._database = database
        self._ring = ring
        self._collections = sorted(collections)
        self._say = say
        self._announce = announce_seconds
        self._document = ring.document()

    def run(self, kind: str) -> Outcome:
        """Rotates `kind` (KINDS), or goes on with what was begun. Raises RingChanged, PyMongoError, EncryptionError."""
        begun = self._document["rotation"]
        if begun:
            self._say(f"going on with the rotation of {begun['kind']} begun at {begun['started_at']:%Y-%m-%d %H:%M}")
        else:
            self._begin(kind)
        if self._rotation["phase"] == "announced":
            self._wait()
            self._switch()
        if self._rotation["phase"] == "switched":
            self._wait()
            self._set(phase="sweeping", last={})
        sealed, failed = self._sweep()
        if not failed:
            self._finish()
        return Outcome(sealed=sealed, failed=tuple(failed))

    @property
    def _rotation(self) -> Raw:
        rotation: Raw = self._document["rotation"]
        return rotation

    def _begin(self, kind: str) -> None:
        ring, fields = self._document, {}
        if kind in ("data", "all"):
            number = max(each["number"] for each in ring["data_keys"]) + 1
            fields["data_keys"] = [*ring["data_keys"], self._ring.new_data_key(number)]
        if kind in ("index", "all"):
            number = max(each["number"] for each in ring["index_keys"]) + 1
            fields["index_keys"] = [*ring["index_keys"], self._ring.new_index_key(number)]
        rotation = {"kind": kind, "phase": "announced", "started_at": utc_now(), "last": {}, "sealed": 0}
        self._document = self._ring.change(ring, **fields, rotation=rotation)
        self._say("the new keys are announced")

    def _switch(self) -> None:
        ring = self._document
        numbers = {name: max(each["number"] for each in ring[f"{name}s"]) for name in ("data_key", "index_key")}
        self._document = self._ring.change(ring, **numbers, rotation={**self._rotation, "phase": "switched"})
        self._say("new values are sealed with the new keys")

    def _finish(self) -> None:
        ring = self._document
        kept = [each for each in ring["index_keys"] if each["number"] == ring["index_key"]]
        done = {"kind": self._rotation["kind"], "ended_at": utc_now(), "sealed": self._rotation["sealed"]}
        self._document = self._ring.change(ring, index_keys=kept, rotation=None, last_rotation=done)

    def _wait(self) -> None:
        self._say(f"waiting {self._announce:.0f} s until every process has looked at the key ring")
        time.sleep(self._announce)

    def _set(self, **fields: Any) -> None:
        self._document = self._ring.change(self._document, rotation={**self._rotation, **fields})

    # ------------------------------------------------------------------------------------------------ sealing anew

    def _sweep(self) -> tuple[int, list[str]]:
        vault, failed = Vault(self._ring.keys(self._document)), []
        for name in self._collections:
            rows = self._database.get_collection(name, write_concern=WriteConcern("majority"))
            total, seen, began = rows.estimated_document_count(), 0, time.monotonic()
            for batch in self._batches(rows):
                sealed, wrong = _reseal(rows, batch, vault)
                failed += wrong
                seen += len(batch)
                last = {**self._rotation["last"], name: batch[-1]["_id"]}
                self._set(last=last, sealed=self._rotation["sealed"] + sealed)
                rate = seen / max(time.monotonic() - began, 0.001)
                self._say(f"{name}: {seen} of about {total} looked at, {self._rotation['sealed']} values sealed, {rate:.0f}/s")
        return self._rotation["sealed"], failed

    def _batches(self, rows: Collection[Raw]) -> Iterator[list[Raw]]:
        while True:
            last = self._rotation["last"].get(rows.name)
            where = {"_id": {"$gt": last}} if last is not None else {}
            batch = list(rows.find(where, {"outbox": False, "commands": False}).sort("_id").limit(_BATCH))
            if not batch:
                return
            yield batch


def _reseal(rows: Collection[Raw], batch: Sequence[Raw], vault: Vault) -> tuple[int, list[str]]:
    """Seals the values of some documents anew; returns how many, and which could not be."""
    writes, places, failed = [], [], []
    for document in batch:
        for path, secret in sealed_values(document):
            place = f"{rows.name}/{document['_id']}/{path}"
            try:
                new = _renewed(vault, secret, path=path, owner=str(document["_id"]))
            except VaultError as error:
                failed.append(f"{place}: {error}")
                continue
            if new:
                # Only what is still the value that was read: a change that came between wins.
                writes.append(UpdateOne({"_id": document["_id"], f"{path}.cipher": secret["cipher"]}, {"$set": {path: new}}))
                places.append(place)
    if not writes:
        return 0, failed
    try:
        return rows.bulk_write(writes, ordered=False).modified_count, failed
    except BulkWriteError as error:
        wrong = [f"{places[each['index']]}: somebody else has the same number" for each in error.details["writeErrors"]]
        return error.details["nModified"], failed + wrong


def _renewed(vault: Vault, secret: Raw, *, path: str, owner: str) -> Raw | None:
    """The value sealed with the present keys; None when it is already. Raises VaultError."""
    field, value = _opened(vault, secret["cipher"], path=path, owner=owner)
    if vault.is_current(secret["cipher"]) and secret["index"] == vault.index(value, field=field):
        return None
    sealed = vault.seal(value, field=field, owner=owner)
    return {"cipher": sealed.cipher, "index": sealed.index}


def _opened(vault: Vault, cipher: bytes, *, path: str, owner: str) -> tuple[str, str]:
    """The field a value was sealed for, and the value. A list of documents seals its numbers under the name of a field."""
    own = [part for part in path.split(".") if not part.isdigit()]
    for field in dict.fromkeys((own[-1], *_NUMBERS, path)):
        try:
            return field, vault.open(cipher, field=field, owner=owner)
        except VaultError:
            continue
    raise VaultError("no key opens it here, or it was altered")


def sealed_values(document: Any, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Yields the paths and values of everything sealed in a document, however deep."""
    if isinstance(document, dict):
        if document.keys() == _SEALED:
            yield path, document
            return
        for name, part in document.items():
            yield from sealed_values(part, f"{path}.{name}" if path else name)
    elif isinstance(document, list):
        for place, part in enumerate(document):
            yield from sealed_values(part, f"{path}.{place}")


def holds_sealed(document: type[Any]) -> bool:
    """Tells whether documents of a mongoengine class may hold sealed values, however deep: by their schema, or in a part without one."""
    fields = {name: getattr(field, "field", None) or field for name, field in document._fields.items()}
    if set(fields) == _SEALED or any(isinstance(field, DictField) for field in fields.values()):
        return True
    return any(holds_sealed(field.document_type) for field in fields.values() if hasattr(field, "document_type"))

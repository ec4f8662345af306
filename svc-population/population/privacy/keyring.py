"""The key ring: which data key seals, which open, which keys make the blind index; all of it wrapped by a key management service.

`key_vault` is the key vault of MongoDB's client-side encryption: data keys, each wrapped by the master key of a KMS. `key_ring` holds one
document that says what they are for, and secrets sealed with one of them: a copy of the material of each data key, so that values are
sealed without asking libmongocrypt each time, and the keys of the blind index and of the audit chain. The master key is "local"
(derived from the field key) or lies in AWS, Azure, GCP or a KMIP server: `BINGLIAN_KMS_FILE`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from bson.binary import UUID_SUBTYPE, Binary
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.encryption import Algorithm, ClientEncryption
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from population.config import KEY_BYTES
from population.privacy.cipher import MATERIAL_BYTES, DataKey
from population.vault import FieldKeys, Vault, derived, first_index_key
from svckit.config import ConfigError
from svckit.documents import utc_now

if TYPE_CHECKING:
    from population.config import Settings

VAULT, RING = "key_vault", "key_ring"
_RING_ID = "ring"
_LOCAL_KEY_BYTES = 96
_ENVELOPE = "binglian ring"
_ENCRYPTED = 6  # BSON binary subtype of encrypted values
Raw = dict[str, Any]


class Kms(msgspec.Struct, frozen=True, kw_only=True):
    """Where master keys are: the providers that may open data keys, and the one that wraps new ones."""

    providers: Mapping[str, Any]
    provider: str
    master_key: Mapping[str, Any] | None = None
    tls: Mapping[str, Any] | None = None


def kms_of(settings: Settings) -> Kms:
    """Returns what the settings say about master keys. Raises ConfigError.

    Local master keys come from the field key and the former field keys. `BINGLIAN_KMS_FILE` holds JSON:
    `{"provider": "aws", "credentials": {...}, "master_key": {...}, "tls": {...}}` as pymongo's `kms_providers`, `create_data_key` and
    `kms_tls_options` take them; the field key then only opens what an earlier configuration sealed.
    """
    local = {_local_name(key): {"key": _local_key(key)} for key in settings.field_keys()}
    if not settings.kms_file:
        return Kms(providers=local, provider=_local_name(settings.key()))
    try:
        told = json.loads(Path(settings.kms_file).read_text(encoding="utf-8"))
        provider, credentials = told["provider"], told["credentials"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"BINGLIAN_KMS_FILE cannot be read: {type(error).__name__} {error}") from error
    tls = {provider: told["tls"]} if told.get("tls") else None
    return Kms(providers=local | {provider: credentials}, provider=provider, master_key=told.get("master_key"), tls=tls)


class KeyRing:
    """The keys of one database. Not for several threads at once. Methods raise PyMongoError and EncryptionError."""

    def __init__(self, database: Database[Raw], *, kms: Kms, field_key: bytes = b"") -> None:
        majority = WriteConcern("majority", j=True)
        self._ring = database.get_collection(RING, write_concern=majority)
        self._database = database
        self._kms = kms
        self._field_key = field_key
        # Data keys never change, so what was unwrapped once is good as long as the process lives.
        self._crypt: ClientEncryption[Raw] = ClientEncryption(
            dict(kms.providers),
            f"{database.name}.{VAULT}",
            database.client,
            CodecOptions(),
            kms_tls_options=dict(kms.tls) if kms.tls else None,
            key_expiration_ms=0,
        )
        self._opened: dict[bytes, bytes] = {}

    def document(self) -> Raw:
        """Returns the ring as it lies in the database; made when there is none."""
        return self._ring.find_one({"_id": _RING_ID}) or self._create()

    def keys(self, ring: Raw | None = None) -> FieldKeys:
        """Returns what a vault needs, as the ring says now."""
        ring = ring or self.document()
        data = [DataKey(bytes(each["key_id"]), self._open(each["sealed"])) for each in ring["data_keys"]]
        present = next(key for key, each in zip(data, ring["data_keys"], strict=True) if each["number"] == ring["data_key"])
        # The present one first; the other one is still, or already, in documents while an index key is rotated.
        ordered = sorted(ring["index_keys"], key=lambda each: each["number"] != ring["index_key"])
        return FieldKeys(
            sealing=present,
            opening={key.id: key for key in data},
            index_keys=tuple(self._open(each["sealed"]) for each in ordered),
            field_key=self._field_key,
        )

    def audit_key(self) -> bytes:
        """Returns the key of the audit chain; it is never rotated, or old entries could not be checked."""
        return self._open(self.document()["audit_key"])

    def change(self, ring: Raw, **fields: Any) -> Raw:
        """Saves fields of the ring unless somebody else changed it meanwhile, and returns it. Raises RingChanged."""
        update = {"$set": fields, "$inc": {"revision": 1}}
        changed = self._ring.find_one_and_update({"_id": _RING_ID, "revision": ring["revision"]}, update, return_document=True)
        if changed is None:
            raise RingChanged("somebody else is rotating keys at the same time")
        return changed

    def new_data_key(self, number: int) -> Raw:
        """Makes a data key in the key vault and returns its entry of the ring."""
        material = os.urandom(MATERIAL_BYTES)
        id = self._crypt.create_data_key(
            self._kms.provider, self._kms.master_key, key_alt_names=[f"binglian data {number} {os.urandom(4).hex()}"],
            key_material=material,
        )  # fmt: skip
        return {"number": number, "key_id": bytes(id), "sealed": self._seal(material), "created_at": utc_now()}

    def new_index_key(self, number: int) -> Raw:
        """Makes a key of the blind index and returns its entry of the ring."""
        return {"number": number, "sealed": self._seal(os.urandom(KEY_BYTES)), "created_at": utc_now()}

    def rewrap(self) -> int:
        """Wraps all data keys with the master key that is configured now; returns how many. No document changes."""
        result = self._crypt.rewrap_many_data_key({}, self._kms.provider, self._kms.master_key)
        return result.bulk_write_result.modified_count if result.bulk_write_result else 0

    def close(self) -> None:
        """Forgets the keys."""
        self._crypt.close()

    def _create(self) -> Raw:
        """Two processes that start at once make one envelope key (its name is unique) and one ring (its id is)."""
        self._database[VAULT].create_index(
            "keyAltNames", unique=True, partialFilterExpression={"keyAltNames": {"$exists": True}}
        )
        try:
            self._crypt.create_data_key(self._kms.provider, self._kms.master_key, key_alt_names=[_ENVELOPE])
        except Exception as error:
            # pymongo wraps what the server says about the name.
            if not isinstance(getattr(error, "cause", error), DuplicateKeyError):
                raise
        first = first_index_key(self._field_key) if self._field_key else os.urandom(KEY_BYTES)
        ring = {
            "_id": _RING_ID,
            "revision": 1,
            "data_keys": [self.new_data_key(1)],
            "data_key": 1,
            "index_keys": [{"number": 1, "sealed": self._seal(first), "created_at": utc_now()}],
            "index_key": 1,
            "audit_key": self._seal(os.urandom(KEY_BYTES)),
            "rotation": None,
        }
        try:
            self._ring.insert_one(ring)
        except DuplicateKeyError:
            return self.document()
        return ring

    def _seal(self, secret: bytes) -> bytes:
        algorithm = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
        return bytes(self._crypt.encrypt(Binary(secret), algorithm, key_alt_name=_ENVELOPE))

    def _open(self, sealed: bytes) -> bytes:
        if sealed not in self._opened:
            self._opened[sealed] = bytes(self._crypt.decrypt(Binary(sealed, _ENCRYPTED)))
        return self._opened[sealed]


class RingChanged(Exception):
    """The key ring was changed by somebody else; read it again."""


def open_ring(settings: Settings, database: Database[Raw]) -> KeyRing:
    """Returns the key ring of a database with a synchronous client. Raises ConfigError."""
    field_keys = settings.field_keys()
    return KeyRing(database, kms=kms_of(settings), field_key=field_keys[-1] if field_keys else b"")


def open_vault(settings: Settings, database: Database[Raw]) -> Vault:
    """Returns a vault with the present keys, for a command or a worker that runs shorter than a rotation takes.

    Raises ConfigError, PyMongoError, EncryptionError.
    """
    return Vault(open_ring(settings, database).keys())


def sync_database(settings: Settings) -> Database[Raw]:
    """Returns the service's database with a client of its own: the key vault is asked rarely and never from the event loop."""
    client: MongoClient[Raw] = MongoClient(settings.mongo_uri, tz_aware=True, appname="binglian-population-keys")
    return client[settings.mongo_database or "binglian_population"]


def _local_key(field_key: bytes) -> bytes:
    return derived(field_key, b"binglian local kms v1", _LOCAL_KEY_BYTES)


def _local_name(field_key: bytes) -> str:
    """Named after the key, so that data keys say which one wrapped them."""
    return f"local:{hashlib.sha256(_local_key(field_key)).hexdigest()[:12]}"


def as_uuid(key_id: bytes) -> Binary:
    """Returns a data key's id as the key vault spells it."""
    return Binary(key_id, UUID_SUBTYPE)
